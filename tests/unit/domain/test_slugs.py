"""Are names and texts of the catalogue taken in one form, and shown short without marks?"""

from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import InvalidInput
from app.domain.slugs import category, clean_line, clean_text, slug, summary, tag


@pytest.mark.parametrize("text", ["ab", "a1", "web-shop", "a-b-c-1", "a" * 80, "42"])
def test_slugs(text: str) -> None:
    assert slug(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "a" * 81,
        "-ab",
        "ab-",
        "a--b",
        "Ab",
        "a_b",
        "a b",
        "a.b",
        "../etc",
        "\u0430bc",
        "ab\n",
        "a\0b",
        "'--",
    ],
)
def test_what_is_no_slug(text: str) -> None:
    with pytest.raises(InvalidInput, match="2 to 80") as refused:
        slug(text, field="name")
    assert refused.value.field == "name"


@given(st.text())
def test_a_slug_is_never_changed(text: str) -> None:
    try:
        accepted = slug(text)
    except InvalidInput:
        return
    assert accepted == text


@pytest.mark.parametrize(
    ("text", "label"),
    [("Web Shop", "web-shop"), (" e_mail ", "e-mail"), ("x", "x"), ("A - B", "a-b"), ("b" * 40, "b" * 40)],
)
def test_labels(text: str, label: str) -> None:
    assert tag(text) == category(text) == label
    assert tag(label) == label


@pytest.mark.parametrize(
    "text", ["", " ", "-", "c++", "b" * 41, "\u212aelvin", "caf\u00e9", "a\tb", "a/b", "a\0"]
)
def test_what_is_no_label(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        tag(text)
    assert refused.value.field == "tags"
    with pytest.raises(InvalidInput) as refused:
        category(text)
    assert refused.value.field == "categories"


def test_clean_line() -> None:
    assert clean_line("  u\u0308ber uns ", field="name", limit=8) == "\u00fcber uns"
    assert clean_line("", field="name", limit=8, minimum=0) == ""


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "must not be empty"),
        ("   ", "must not be empty"),
        ("\u3000", "must not be empty"),
        ("a\nb", r"U\+000A"),
        ("ab", "At least 3 characters are needed: these are 2"),
        ("a" * 1001, "At most 1,000 .*: these are 1,001"),
    ],
)
def test_clean_line_refuses(text: str, message: str) -> None:
    with pytest.raises(InvalidInput, match=message) as refused:
        clean_line(text, field="title", limit=1000, minimum=3)
    assert refused.value.field == "title"


def test_clean_text() -> None:
    assert clean_text("\ufeff\n a\r\n\tb \r\n", field="readme", limit=4) == "a\n\tb"
    assert clean_text("", field="readme", limit=4) == ""
    with pytest.raises(InvalidInput, match=r"At most 4 .*: these are 5"):
        clean_text("a\nb\nc", field="readme", limit=4)
    with pytest.raises(InvalidInput, match=r"U\+202E"):
        clean_text("a\u202eb", field="readme", limit=4)
    with pytest.raises(InvalidInput, match="must not be empty"):
        clean_text("\n", field="body", limit=4, minimum=1)


@given(st.text(), st.integers(1, 50))
def test_cleaning_twice_changes_nothing(text: str, limit: int) -> None:
    for clean in (clean_line, clean_text):
        try:
            once = clean(text, field="x", limit=limit, minimum=0)
        except InvalidInput:
            continue
        assert len(once) <= limit
        assert clean(once, field="x", limit=limit, minimum=0) == once


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("", ""),
        ("A short one.", "A short one."),
        ("One\nline.\n\nSecond paragraph.", "One line."),
        ("# Title\n\nThe `body` is **here**, see [docs](https://x.test/a).", "The body is here, see docs."),
        ("# Title\nBody of *it*.", "Body of it."),
        ("# Only a title", "Only a title"),
        ("![logo](a.png)\n\nText.", "Text."),
        ("- first\n- second", "first second"),
        ("snake_case and a * b stay", "snake_case and a * b stay"),
        ("First sentence here. Second sentence here is too long.", "First sentence here."),
        ("One two three four five six seven eight nine", "One two three four five six seven eight…"),
        ("Version 1.2 of foo, e.g. bar baz and others too", "Version 1.2 of foo, e.g. bar baz and…"),
        ("x" * 50, "x" * 39 + "…"),
    ],
)
def test_summary(text: str, short: str) -> None:
    assert summary(text, limit=40) == short


@given(st.text(alphabet="ab .!?\n#*_`[]()-\u00e9", max_size=400), st.integers(2, 60))
def test_a_summary_is_one_line_within_the_limit(text: str, limit: int) -> None:
    short = summary(text, limit)
    assert len(short) <= limit
    assert "\n" not in short
    assert "`" not in short


@pytest.mark.parametrize("unit", ["a", "*", "[", "![", "_ ", "`", "# ", "#\n", ". ", " \n", "[a](", "__a"])
def test_hostile_text_costs_little(unit: str) -> None:
    before = process_time()
    summary(unit * 100_000)
    assert process_time() - before < 0.25
