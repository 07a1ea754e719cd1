"""What is known of a pack once its folder is read?"""

from dataclasses import dataclass
from datetime import date
from pathlib import Path


@dataclass(frozen=True, slots=True)
class PackVersion:
    """``files`` are relative to ``folder``; empty for a version of which only the changelog is kept."""

    version: str
    changelog: str | None
    released: date | None
    folder: Path
    files: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class PackSource:
    """A good pack. ``versions`` run from the oldest to the current one, which is ``version``.

    ``name`` is the slug and ``display_name`` its readable form. ``license``, ``author``, ``repository`` and
    ``readme`` are None when the pack does not state them; ``categories`` and ``tags`` are then derived.
    """

    name: str
    display_name: str
    version: str
    description: str
    readme: str | None
    license: str | None
    categories: tuple[str, ...]
    tags: tuple[str, ...]
    author: str | None
    repository: str | None
    folder: Path
    files: tuple[Path, ...]
    versions: tuple[PackVersion, ...]

    def release(self, version: str) -> PackVersion:
        """Raises ``LookupError`` for a version that the pack does not have."""
        for release in self.versions:
            if release.version == version:
                return release
        raise LookupError(f"{self.name} has no version {version}")


@dataclass(frozen=True, slots=True)
class BadPack:
    """``name`` is the folder's; ``reason`` says what is wrong and what would be right."""

    name: str
    reason: str


class PackDefect(Exception):
    """Stops the reading of one pack; its text becomes ``BadPack.reason``."""
