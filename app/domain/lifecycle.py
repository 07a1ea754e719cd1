"""What may happen to a package, and to a version of it, in which state?

draft --publish--> published --deprecate--> deprecated
                       ^-----undeprecate-------'
published or deprecated --yank--> yanked, which is final
"""

from enum import StrEnum

from app.domain.errors import InvalidState


class PackageStatus(StrEnum):
    DRAFT = "draft"
    """Seen by its author only."""
    PUBLISHED = "published"
    DEPRECATED = "deprecated"
    """Still to be had, with a warning."""
    YANKED = "yanked"
    """Not to be had any more."""


class PackageAction(StrEnum):
    PUBLISH = "publish"
    DEPRECATE = "deprecate"
    UNDEPRECATE = "undeprecate"
    YANK = "yank"


class VersionStatus(StrEnum):
    PUBLISHED = "published"
    YANKED = "yanked"


class VersionAction(StrEnum):
    YANK = "yank"


_PACKAGE = {
    (PackageStatus.DRAFT, PackageAction.PUBLISH): PackageStatus.PUBLISHED,
    (PackageStatus.PUBLISHED, PackageAction.DEPRECATE): PackageStatus.DEPRECATED,
    (PackageStatus.DEPRECATED, PackageAction.UNDEPRECATE): PackageStatus.PUBLISHED,
    (PackageStatus.PUBLISHED, PackageAction.YANK): PackageStatus.YANKED,
    (PackageStatus.DEPRECATED, PackageAction.YANK): PackageStatus.YANKED,
}

_DONE = {
    PackageAction.PUBLISH: "be published",
    PackageAction.DEPRECATE: "be deprecated",
    PackageAction.UNDEPRECATE: "be taken out of deprecation",
    PackageAction.YANK: "be yanked",
}
_LISTED = (PackageStatus.PUBLISHED, PackageStatus.DEPRECATED)
_VERSION = {(VersionStatus.PUBLISHED, VersionAction.YANK): VersionStatus.YANKED}


def transition(state: PackageStatus, action: PackageAction, *, versions_with_file: int) -> PackageStatus:
    """The package's next state; InvalidState for what the state does not allow.

    ``versions_with_file`` counts its published versions that have a file: without one, nobody could download
    what is published.
    """
    after = _PACKAGE.get((state, action))
    if after is None:
        raise InvalidState(what="The package", state=state, action=_DONE[action])
    if action is PackageAction.PUBLISH and versions_with_file < 1:
        raise InvalidState(
            what="The package without a version that has a file", state=state, action=_DONE[action]
        )
    return after


def transition_version(
    state: VersionStatus, action: VersionAction, *, package: PackageStatus, others: int
) -> VersionStatus:
    """The version's next state; InvalidState when it is yanked already, or the last of a listed package.

    ``others`` counts the package's other published versions that have a file.
    """
    after = _VERSION.get((state, action))
    if after is None:
        raise InvalidState(what="The version", state=state, action="be yanked")
    if package in _LISTED and others < 1:
        raise InvalidState(
            what="The version", state="the last of its package", action="be yanked without the package"
        )
    return after
