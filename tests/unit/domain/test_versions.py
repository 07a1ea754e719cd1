"""Do versions sort as semantic versioning says, as objects and as text?"""

import pytest
import semver
from hypothesis import example, given
from hypothesis import strategies as st

from app.domain.errors import InvalidInput
from app.domain.versions import parse_version, sort_key

# The specification's own example, with builds and big numbers added.
ORDERED = [
    "0.0.0-0",
    "0.0.0",
    "0.9.10",
    "1.0.0-0",
    "1.0.0-1",
    "1.0.0-2",
    "1.0.0-10",
    "1.0.0-10.a",
    "1.0.0--",
    "1.0.0-0a",
    "1.0.0-Z",
    "1.0.0-alpha",
    "1.0.0-alpha.1",
    "1.0.0-alpha.1.0",
    "1.0.0-alpha.beta",
    "1.0.0-alpha-1",
    "1.0.0-alpha0",
    "1.0.0-beta",
    "1.0.0-beta.2",
    "1.0.0-beta.11",
    "1.0.0-rc.1",
    "1.0.0",
    "1.0.0+build",
    "1.0.0+build.2",
    "1.0.1-a",
    "1.2.0",
    "1.10.0",
    "2.0.0",
    "10.0.0",
    "26.8.18+dfcm.1",
    "99999999999999999999999999999999999999999999999999999999.0.0",
]

numbers = st.one_of(st.integers(0, 12), st.integers(0, 10**18)).map(str)
words = st.from_regex(r"[0-9]{0,2}[a-zA-B-][0-9a-b-]{0,3}", fullmatch=True)
builds = st.lists(st.from_regex(r"[0-9a-b-]{1,3}", fullmatch=True), max_size=2).map(".".join)


@st.composite
def versions(draw: st.DrawFn) -> str:
    core = ".".join(draw(numbers if draw(st.booleans()) else st.sampled_from("012")) for _ in range(3))
    prerelease = ".".join(
        draw(st.lists(st.one_of(st.sampled_from(["0", "1", "2", "10"]), words), max_size=3))
    )
    text = core + (f"-{prerelease}" if prerelease else "")
    build = draw(builds)
    return (text + (f"+{build}" if build else ""))[:64].rstrip(".-+") if len(text) <= 64 else core


@given(versions(), versions())
@example("1.0.0-a.b", "1.0.0-a-b")
@example("1.0.0-a", "1.0.0-a0")
@example("1.0.0-9", "1.0.0-10")
def test_text_order_is_precedence(a: str, b: str) -> None:
    order = semver.Version.parse(a).compare(b)
    key_a, key_b = sort_key(a).encode(), sort_key(b).encode()
    if order:
        assert (key_a > key_b) is (order > 0)
    assert (key_a == key_b) is (a == b)


@given(versions())
def test_keys_are_short_ascii(text: str) -> None:
    assert sort_key(text).isascii()
    assert len(sort_key(text)) <= 200


def test_the_longest_key() -> None:
    assert len(sort_key("1.1.1-" + "1." * 28 + "11")) == 9 + 1 + 28 * 4 + 5 + 1


def test_a_list_in_order() -> None:
    assert sorted(sorted(ORDERED), key=sort_key) == ORDERED


def test_exact_keys() -> None:
    assert sort_key("1.20.3") == "0110220013~"
    assert sort_key("1.0.0-rc.1+x") == "011010010-2rc!10110+x"


def test_builds_are_equal_but_sort_deterministically() -> None:
    assert sort_key("1.0.0") < sort_key("1.0.0+1") < sort_key("1.0.0+2") < sort_key("1.0.1-0")


def test_parse_version() -> None:
    version = parse_version("1.2.3-beta.1+5")
    assert (version.major, version.minor, version.patch) == (1, 2, 3)
    assert (version.prerelease, version.build) == ("beta.1", "5")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("v1.0.0", "without a leading 'v'"),
        ("V1.0.0", "without a leading 'v'"),
        ("1.0.0-" + "a" * 59, "at most 64 characters: this one has 65"),
        ("9" * 5000, "at most 64"),
    ],
)
def test_what_is_wrong_is_said(text: str, message: str) -> None:
    with pytest.raises(InvalidInput, match=message) as refused:
        parse_version(text, field="since")
    assert refused.value.field == "since"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        "1.0",
        "1.0.0.0",
        "01.0.0",
        "1.0.0-01",
        "1.0.0-",
        "1.0.0+",
        "1.0.0-a..b",
        " 1.0.0",
        "1.0.0\n",
        "1.0.0\0",
        "\u0661.0.0",
        "1.0.0-\u00e9",
        "latest",
        "-1.0.0",
        "1.0.x",
        "1.0.0-\ud800",
    ],
)
def test_what_is_no_version(text: str) -> None:
    with pytest.raises(InvalidInput, match="Write a semantic version"):
        parse_version(text)
