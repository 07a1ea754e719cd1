"""Is foreign text normalised, and is what hides or harms refused?"""

import unicodedata
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import InvalidInput
from app.domain.unicode_text import normalise


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("u\u0308ber", "\u00fcber"),
        ("\u2460 \ufb01", "\u2460 \ufb01"),
        ("\u05e9\u05dc\u05d5\u05dd \u200f\u200e", "\u05e9\u05dc\u05d5\u05dd \u200f\u200e"),
        ("\U0001f469\u200d\U0001f4bb", "\U0001f469\u200d\U0001f4bb"),
        ("a" + "\u0301" * 30, "\u00e1" + "\u0301" * 29),
    ],
)
def test_what_comes_out(text: str, expected: str) -> None:
    assert normalise(text, field="name") == expected


def test_line_ends_become_one() -> None:
    text = "a\r\nb\rc\nd\u2028e\u2029f\tg"
    assert normalise(text, field="readme", multiline=True) == "a\nb\nc\nd\ne\nf\tg"


@pytest.mark.parametrize("char", ["\0", "\x08", "\x1b", "\x7f", "\x85", "\ud800", "\u202e", "\u2066"])
@pytest.mark.parametrize("multiline", [False, True])
def test_refused_everywhere(char: str, multiline: bool) -> None:
    with pytest.raises(InvalidInput, match=f"U\\+{ord(char):04X} at position 3") as refused:
        normalise(f"ab{char}c", field="name", multiline=multiline)
    assert refused.value.field == "name"


@pytest.mark.parametrize("char", ["\n", "\r", "\t", "\u2028", "\u2029", "\u200b", "\u2060", "\ufeff"])
def test_refused_in_one_line_only(char: str) -> None:
    with pytest.raises(InvalidInput, match=f"U\\+{ord(char):04X} at position 2"):
        normalise(f"a{char}b", field="name")
    assert normalise(f"a{char}b", field="name", multiline=True)[0] == "a"


def test_piled_marks_are_refused_before_they_cost_anything() -> None:
    before = process_time()
    with pytest.raises(InvalidInput, match="30 combining marks"):
        normalise("a" + "\u0301\u0316" * 50_000, field="readme", multiline=True)
    assert process_time() - before < 1


@given(st.text(), st.booleans())
def test_the_answer_is_a_storable_fixed_point_or_a_refusal(text: str, multiline: bool) -> None:
    try:
        once = normalise(text, field="x", multiline=multiline)
    except InvalidInput:
        return
    assert unicodedata.is_normalized("NFC", once)
    assert once.encode("utf-8").decode("utf-8") == once
    assert normalise(once, field="x", multiline=multiline) == once
    assert not [char for char in once if unicodedata.category(char) in ("Cc", "Cs") and char not in "\n\t"]
