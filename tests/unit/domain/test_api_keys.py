"""Are keys of one form, are typos told, and who may grant which scope?"""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from app.domain.api_keys import ALPHABET, Role, Scope, display_prefix, format_key, grantable, well_formed

randoms = st.text(alphabet=ALPHABET, min_size=30, max_size=30)


def test_exact_keys() -> None:
    assert format_key("0" * 30) == "rg_live_0000000000000000000000000000001YBpv2"
    assert format_key("abcdefghijklmnopqrstuvwxyz0123") == "rg_live_abcdefghijklmnopqrstuvwxyz01232zHkig"


def test_the_alphabet_is_base62() -> None:
    assert len(set(ALPHABET)) == 62
    assert ALPHABET.isalnum()


@given(randoms)
def test_every_key_is_well_formed(random: str) -> None:
    key = format_key(random)
    assert len(key) == 44
    assert key.startswith("rg_live_" + random)
    assert well_formed(key) is True


@given(randoms, st.integers(0, 43), st.characters())
def test_every_single_typo_is_told(random: str, place: int, other: str) -> None:
    key = format_key(random)
    assume(key[place] != other)
    assert well_formed(key[:place] + other + key[place + 1 :]) is False


@given(randoms, st.integers(8, 42))
def test_swapped_neighbours_are_told(random: str, place: int) -> None:
    key = format_key(random)
    swapped = key[:place] + key[place + 1] + key[place] + key[place + 2 :]
    assert well_formed(swapped) is (swapped == key)


@given(st.text())
def test_any_text_has_an_answer(text: str) -> None:
    assert well_formed(text) is False


@pytest.mark.parametrize(
    "text",
    [
        "",
        "rg_live_",
        "rg_live_" + "\u0660" * 36,
        "rg_live_" + "\ud800" * 36,
        "rg_live_" + "0" * 36,
        "rg_test_" + format_key("a" * 30)[8:],
        format_key("a" * 30) + "\n",
        " " + format_key("a" * 30),
        format_key("a" * 30)[:-1],
    ],
)
def test_what_is_no_key(text: str) -> None:
    assert well_formed(text) is False


@pytest.mark.parametrize(
    "random", ["", "a" * 29, "a" * 31, "a" * 29 + "-", "a" * 29 + "\u0661", "a" * 30 + "\n"]
)
def test_only_30_base62_characters_make_a_key(random: str) -> None:
    with pytest.raises(ValueError, match="30 base62"):
        format_key(random)


def test_the_display_prefix_shows_four_characters() -> None:
    assert display_prefix(format_key("AbCdEfGh" + "0" * 22)) == "rg_live_AbCd"


def test_what_each_role_may_grant() -> None:
    customer = {Scope.READ, Scope.WRITE, Scope.PURCHASE}
    assert grantable(Role.CUSTOMER) == customer
    assert grantable(Role.AUTHOR) == customer | {Scope.PUBLISH}
    assert grantable(Role.SUPPORT) == customer | {Scope.PUBLISH}
    assert grantable(Role.ADMIN) == set(Scope)


def test_only_admins_state_usage() -> None:
    assert [role for role in Role if Scope.USAGE_WRITE in grantable(role)] == [Role.ADMIN]
    assert [role for role in Role if Scope.ADMIN in grantable(role)] == [Role.ADMIN]
