"""Does each state allow exactly its actions?"""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import InvalidState
from app.domain.lifecycle import (
    PackageAction,
    PackageStatus,
    VersionAction,
    VersionStatus,
    transition,
    transition_version,
)

ALLOWED = {
    ("draft", "publish"): "published",
    ("published", "deprecate"): "deprecated",
    ("deprecated", "undeprecate"): "published",
    ("published", "yank"): "yanked",
    ("deprecated", "yank"): "yanked",
}
DONE = {
    "publish": "be published",
    "deprecate": "be deprecated",
    "undeprecate": "be taken out of deprecation",
    "yank": "be yanked",
}
PAIRS = list(product(PackageStatus, PackageAction))


@pytest.mark.parametrize(("state", "action"), PAIRS)
def test_every_state_and_action(state: PackageStatus, action: PackageAction) -> None:
    expected = ALLOWED.get((state.value, action.value))
    if expected is not None:
        assert transition(state, action, versions_with_file=1) is PackageStatus(expected)
        return
    with pytest.raises(InvalidState) as refused:
        transition(state, action, versions_with_file=1)
    assert refused.value.code == "INVALID_STATE"
    assert refused.value.facts() == {"state": state.value, "action": DONE[action]}
    assert refused.value.message == f"The package is {state.value}: it cannot {DONE[action]}."


def test_nothing_is_published_without_a_file() -> None:
    with pytest.raises(InvalidState, match="without a version that has a file"):
        transition(PackageStatus.DRAFT, PackageAction.PUBLISH, versions_with_file=0)


@pytest.mark.parametrize("action", [PackageAction.DEPRECATE, PackageAction.YANK])
def test_taking_back_needs_no_file(action: PackageAction) -> None:
    assert transition(PackageStatus.PUBLISHED, action, versions_with_file=0) is not PackageStatus.PUBLISHED


@given(st.lists(st.sampled_from(PackageAction), max_size=12))
def test_yanked_is_final_and_draft_never_comes_back(actions: list[PackageAction]) -> None:
    state = PackageStatus.DRAFT
    for action in actions:
        before = state
        try:
            state = transition(state, action, versions_with_file=1)
        except InvalidState:
            continue
        assert before is not PackageStatus.YANKED
        assert state is not PackageStatus.DRAFT


def yank(state: VersionStatus, package: PackageStatus, *, others: int) -> VersionStatus:
    return transition_version(state, VersionAction.YANK, package=package, others=others)


def test_a_version_is_yanked_once() -> None:
    listed = PackageStatus.PUBLISHED
    assert yank(VersionStatus.PUBLISHED, listed, others=1) is VersionStatus.YANKED
    with pytest.raises(InvalidState, match="The version is yanked: it cannot be yanked") as refused:
        yank(VersionStatus.YANKED, listed, others=1)
    assert refused.value.facts() == {"state": "yanked", "action": "be yanked"}


@pytest.mark.parametrize("package", PackageStatus)
def test_a_listed_package_keeps_a_version(package: PackageStatus) -> None:
    if package in (PackageStatus.DRAFT, PackageStatus.YANKED):
        assert yank(VersionStatus.PUBLISHED, package, others=0) is VersionStatus.YANKED
        return
    with pytest.raises(InvalidState) as refused:
        yank(VersionStatus.PUBLISHED, package, others=0)
    assert refused.value.message == (
        "The version is the last of its package: it cannot be yanked without the package."
    )
