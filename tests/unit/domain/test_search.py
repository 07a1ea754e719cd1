"""Words, questions and slips of the pen."""

from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.search import Term, nearest, question, slips, tolerance, words


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("Next.js & React_Native", ["next", "js", "react", "native"]),
        ("Café, NAÏVE, Straße", ["cafe", "naive", "strasse"]),
        ("①② ﬁle", ["12", "file"]),
        ("請求書 PDF", ["請", "求", "書", "pdf"]),
        ("ガイド", ["カ", "イ", "ト"]),
        ("🚀 -- \x00 \ud800", []),
        ("x" * 100, ["x" * 64]),
    ],
)
def test_words(text: str, cut: list[str]) -> None:
    assert words(text) == cut


@given(st.text(max_size=200))
def test_words_hold_nothing_that_a_query_language_reads(text: str) -> None:
    for word in words(text):
        assert not set(word) & set("\"'\\:*&|!()<>{}^-+%_ \0\n")
        assert words(word) == [word]


def test_the_last_word_may_be_unfinished() -> None:
    asked = question("React for the web")
    assert asked is not None
    assert asked.terms == (Term(("react",)), Term(("web",), prefix=True))
    assert asked.title == "react for the web"


def test_small_words_count_among_themselves() -> None:
    asked = question("of the")
    assert asked is not None
    assert asked.terms == (Term(("of",)), Term(("the",), prefix=True))


def test_beyond_twelve_words_nothing_is_read() -> None:
    asked = question(" ".join(f"w{n}" for n in range(40)))
    assert asked is not None
    assert [term.words[0] for term in asked.terms] == [f"w{n}" for n in range(12)]


@pytest.mark.parametrize(
    ("left", "right", "number"),
    [
        ("terrafrom", "terraform", 1),
        ("kuberntes", "kubernetes", 1),
        ("raect", "react", 1),
        ("kubrentse", "kubernetes", 3),
        ("", "abc", 3),
        ("same", "same", 0),
    ],
)
def test_slips(left: str, right: str, number: int) -> None:
    assert slips(left, right) == slips(right, left) == number


def _by_definition(left: str, right: str) -> int:
    @cache
    def upto(i: int, j: int) -> int:
        if not i or not j:
            return i + j
        best = min(upto(i - 1, j) + 1, upto(i, j - 1) + 1, upto(i - 1, j - 1) + (left[i - 1] != right[j - 1]))
        if i > 1 and j > 1 and left[i - 1] == right[j - 2] and left[i - 2] == right[j - 1]:
            best = min(best, upto(i - 2, j - 2) + 1)
        return best

    return upto(len(left), len(right))


@given(st.text("abc", max_size=7), st.text("abc", max_size=7))
def test_slips_are_the_optimal_string_alignment(left: str, right: str) -> None:
    assert slips(left, right) == _by_definition(left, right)


def test_the_nearest_are_within_the_tolerance() -> None:
    assert [tolerance(word) for word in ("abc", "abcd", "abcdefg", "abcdefgh")] == [0, 1, 1, 2]
    known = ["react", "reach", "redux", "preact", "reactive"]
    assert nearest("raect", known, most=8) == [(1, "react")]
    assert nearest("reactt", known, most=8) == [(1, "react")]
    assert nearest("reac", known, most=1) == [(1, "reach")]
    assert nearest("rea", known, most=8) == []
