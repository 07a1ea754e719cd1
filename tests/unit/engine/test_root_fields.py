"""Which root fields run, and how often."""

from typing import Any

import pytest
from graphql import parse
from hypothesis import given, strategies

from app.engine.root_fields import root_fields, select_operation


def names(text: str, variables: dict[str, Any] | None = None, name: str | None = None) -> list[str]:
    return root_fields(parse(text), name, {} if variables is None else variables)


def test_aliases_multiply_and_equal_keys_merge() -> None:
    assert names("{ a: me b: me me me plans }") == ["me", "me", "me", "plans"]


def test_fragments_are_expanded() -> None:
    text = "{ ...A ... on Query { c: me ...A } ... { d: me } }"
    text += " fragment A on Query { a: me ...B } fragment B on Query { b: me }"
    assert names(text) == ["me"] * 4


@pytest.mark.parametrize(
    "text",
    [
        "{ ...A } fragment A on Query { me ...A }",
        "{ me ...Missing }",
        "{ ...A } fragment A on Query { ...B me } fragment B on Query { ...A }",
    ],
)
def test_cycles_and_missing_fragments_end(text: str) -> None:
    assert names(text) == ["me"]


@pytest.mark.parametrize(
    "directive, variables, counted",
    [
        ("@skip(if: true)", {}, False),
        ("@skip(if: false)", {}, True),
        ("@include(if: false)", {}, False),
        ("@include(if: true)", {}, True),
        ("@skip(if: $v)", {"v": True}, False),
        ("@skip(if: $v)", {"v": False}, True),
        ("@skip(if: $v)", {"v": "true"}, True),
        ("@skip(if: $v)", {"v": 1}, True),
        ("@skip(if: $v)", {}, True),
        ("@include(if: $v)", {"v": False}, False),
        ("@include(if: $v)", {"v": None}, True),
        ("@include(if: $v)", {}, True),
        ("@skip(if: $d)", {}, False),
        ("@skip(if: $d)", {"d": False}, True),
        ("@skip", {}, True),
        ("@other(if: true)", {}, True),
    ],
)
def test_only_certain_skips_count(directive: str, variables: dict[str, Any], counted: bool) -> None:
    text = f"query ($v: Boolean!, $d: Boolean = true) {{ plans me {directive} }}"
    assert names(text, variables) == (["plans", "me"] if counted else ["plans"])
    text = f"query ($v: Boolean!, $d: Boolean = true) {{ plans ... {directive} {{ me }} }}"
    assert names(text, variables) == (["plans", "me"] if counted else ["plans"])


def test_without_variables_nothing_is_skipped() -> None:
    assert root_fields(parse("{ me @skip(if: true) }"), None, None) == ["me"]


def test_a_fragment_skipped_once_counts_where_it_is_not() -> None:
    assert names("{ ...A @skip(if: true) ...A } fragment A on Query { me }") == ["me"]


def test_the_named_operation_is_counted() -> None:
    text = "query A { me } query B { plans me }"
    assert names(text, name="B") == ["plans", "me"]
    assert names(text, name="C") == []
    assert names(text) == []
    assert select_operation(parse("{ me }"), "A") is None


@given(strategies.integers(0, 48))
def test_the_count_is_linear_in_doubling_fragments(levels: int) -> None:
    text = "{ ...F0 } " + " ".join(
        f"fragment F{i} on Query {{ ...F{i + 1} ...F{i + 1} }}" for i in range(levels)
    )
    assert names(text + f" fragment F{levels} on Query {{ me }}") == ["me"]
