"""Validation at a bounded price, and documents that are worth remembering."""

from typing import Any

import pytest
from graphql import GraphQLSyntaxError, NoSchemaIntrospectionCustomRule, build_schema, parse

from app.engine import validation
from app.engine.document_cache import DocumentCache
from app.engine.documents import BYTES_PER_BYTE_OF_TEXT, Documents
from app.engine.introspection import Introspector
from app.engine.limits import LimitExceeded, Limits, check
from app.engine.validation import MAX_ERRORS, OVERLAP_STEPS, find_errors

SCHEMA = build_schema(
    "type Query { me: User  count(of: [Int!]): Int } type User { id: ID! name: String me: User }"
)


def documents(cache: DocumentCache | None = None) -> Documents:
    return Documents(SCHEMA, limits=Limits(), cache=cache)


def test_a_valid_document_has_no_errors() -> None:
    checked = documents().check("query Q { me { id } }", variables={}, operation_name="Q")
    assert (checked.errors, checked.measures.fields) == ((), 2)


@pytest.mark.parametrize(
    ("text", "variables", "expected"),
    [
        ("{ me { id } count  again: count }", {}, ("me", "count", "count")),
        ("query ($on: Boolean!) { me @include(if: $on) { id } count }", {"on": False}, ("count",)),
        ("query ($on: Boolean!) { me @include(if: $on) { id } count }", {"on": True}, ("me", "count")),
        ("query ($of: [Int!]) { count(of: $of) me @skip(if: true) { id } }", {"of": [1]}, ("count",)),
    ],
)
def test_root_fields_follow_the_variables_that_decide_about_them(
    text: str, variables: dict[str, Any], expected: tuple[str, ...]
) -> None:
    known = documents()
    known.check(text, variables={}, operation_name=None)
    known.check(text, variables={}, operation_name=None)
    other = {name: not value for name, value in variables.items() if isinstance(value, bool)}
    known.check(text, variables=other, operation_name=None).root_fields(other)
    assert known.check(text, variables=variables, operation_name=None).root_fields(variables) == expected


def test_errors_are_capped() -> None:
    text = "{ " + " ".join(f"u{i}" for i in range(20)) + " }"
    errors = documents().check(text, variables={}, operation_name=None).errors
    assert len(errors) == MAX_ERRORS + 1
    assert errors[-1].message == "Too many validation errors, error limit reached. Validation aborted."


@pytest.mark.parametrize(
    "text",
    [
        "{ me { " + "name " * 1_900 + "} }",
        "{ " + "me { id name } " * 380 + "}",
        "{ " + "me { me { me { me { id } } } } " * 150 + "}",
        "{ " + "... on Query { me { id name } } " * 180 + "}",
    ],
)
def test_comparing_fields_ends_at_the_budget(text: str) -> None:
    with pytest.raises(LimitExceeded) as caught:
        documents().check(text, variables={}, operation_name=None)
    assert (caught.value.name, caught.value.limit) == ("field_comparisons", OVERLAP_STEPS)


def test_usual_documents_stay_far_below_the_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(validation, "OVERLAP_STEPS", 1_000)
    spreads = " ".join(f"...F{i}" for i in range(10))
    fragments = " ".join(f"fragment F{i} on User {{ id name }}" for i in range(10))
    text = f"{{ me {{ {spreads} }} }} {fragments}"
    assert documents().check(text, variables={}, operation_name=None).errors == ()


def test_suggestions_can_be_hidden() -> None:
    document = parse("{ mee { id } }")
    assert find_errors(document, schema=SCHEMA)[0].message.endswith("Did you mean 'me'?")
    assert (
        find_errors(document, schema=SCHEMA, hide_suggestions=True)[0].message
        == "Cannot query field 'mee' on type 'Query'."
    )


def test_further_rules_are_asked() -> None:
    document = parse("{ __schema { queryType { name } } }")
    errors = find_errors(document, schema=SCHEMA, further_rules=[NoSchemaIntrospectionCustomRule])
    assert "introspection has been disabled" in errors[0].message
    assert find_errors(document, schema=SCHEMA) == []


def test_a_known_document_is_measured_again_only_for_other_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    schema = build_schema("type Query { all(first: Int, ids: [ID]): [User] } type User { id: ID! }")
    subject = Documents(schema, limits=Limits(cost=5_000, variable_values=5_000))
    text = "query Q($n: Int = 7, $ids: [ID], $x: ID) { all(first: $n, ids: $ids) { id } a: all(ids: [$x]) { id } }"

    def cost(name: str | None = "Q", **variables: object) -> int:
        return subject.check(text, variables=variables, operation_name=name).measures.cost

    assert [cost() for _ in range(3)] == [1 + 7 + 1 + 20] * 3
    measured = []
    monkeypatch.setattr(
        "app.engine.documents.check",
        lambda *given, **named: measured.append(named["variables"]) or check(*given, **named),
    )
    assert [cost(n=n) for n in (3, 50, 3, 50)] == [25, 72, 25, 72]
    assert [cost(), cost(x="a"), cost(x="b"), cost(None), cost(None)] == [29] * 5
    assert [cost(ids=["a"] * 9), cost(ids=["b"] * 9), cost(n=1, ids=["b"] * 9)] == [31, 31, 31]
    assert len(measured) == 5  # n=3, n=50, without a name, nine ids, nine ids with n=1
    with pytest.raises(LimitExceeded):
        cost(n=5_000)
    with pytest.raises(LimitExceeded):
        cost(x=["y"] * 6_000)


def test_a_document_is_kept_from_the_second_time_on() -> None:
    subject = documents()
    checked = [subject.check("{ me { id } }", variables={}, operation_name=None) for _ in range(4)]
    assert checked[0].document is not checked[1].document
    assert checked[1].document is checked[2].document is checked[3].document
    assert len(subject.cache) == 1


def test_limits_hold_for_remembered_documents() -> None:
    subject = documents()
    text = "query ($of: [Int!]) { count(of: $of) }"
    for _ in range(3):
        subject.check(text, variables={"of": []}, operation_name=None)
    with pytest.raises(LimitExceeded):
        subject.check(text, variables={"of": [0] * 20_001}, operation_name=None)


@pytest.mark.parametrize("text", ["{ mee }", "{ me { ", "{ a: me { id } " + "}" * 50_001])
def test_what_is_not_valid_is_not_kept(text: str) -> None:
    subject = documents()
    for _ in range(3):
        with pytest.raises((GraphQLSyntaxError, LimitExceeded, AssertionError)):
            assert subject.check(text, variables={}, operation_name=None).errors == ()
    assert len(subject.cache) == 0


def test_lone_surrogates_have_a_key_too() -> None:
    with pytest.raises(GraphQLSyntaxError):
        documents().check("{ \ud800 }", variables={}, operation_name=None)


def filled(count: int, *, times: int, max_entries: int = 10, max_bytes: int = 1_000) -> DocumentCache[int]:
    cache: DocumentCache[int] = DocumentCache(max_entries=max_entries, max_bytes=max_bytes)
    for key in range(count):
        for _ in range(times):
            cache.offer(key, key, size=10)
    return cache


def test_keys_seen_once_are_not_kept() -> None:
    cache = filled(100, times=1)
    assert (len(cache), cache.bytes, cache.get(0)) == (0, 0, None)


def test_entries_are_bounded() -> None:
    cache = filled(100, times=2)
    assert (len(cache), cache.bytes) == (10, 100)
    assert 99 in cache
    assert 0 not in cache


def test_bytes_are_bounded() -> None:
    cache = filled(100, times=2, max_entries=1_000, max_bytes=55)
    assert (len(cache), cache.bytes) == (5, 50)


def test_one_entry_does_not_take_the_room_of_many() -> None:
    cache: DocumentCache[int] = DocumentCache(max_bytes=100)
    assert [cache.offer("large", 1, size=21) for _ in range(3)] == [False] * 3


def test_a_flood_does_not_evict_what_is_used() -> None:
    cache = filled(5, times=2)
    assert [cache.get(key) for key in range(5)] == [0, 1, 2, 3, 4]
    for key in range(100, 300):
        cache.offer(key, key, size=10)
        cache.offer(key, key, size=10)
    assert [cache.get(key) for key in range(5)] == [0, 1, 2, 3, 4]
    assert (len(cache), cache.bytes) == (10, 100)


def test_settled_entries_leave_room_for_new_ones() -> None:
    cache: DocumentCache[int] = DocumentCache(max_entries=10, max_bytes=1_000)
    for key in range(50):
        cache.offer(key, key, size=10)
        cache.offer(key, key, size=10)
        cache.get(key)
        cache.get(key)
    cache.offer("new", 1, size=10)
    assert cache.offer("new", 1, size=10)
    assert (len(cache), cache.bytes) == (10, 100)


def test_offering_again_changes_nothing() -> None:
    cache = filled(1, times=2)
    assert cache.offer(0, 7, size=10)
    assert (cache.get(0), cache.bytes) == (0, 10)


def test_the_weight_follows_the_text() -> None:
    cache: DocumentCache = DocumentCache()
    subject = documents(cache)
    for _ in range(2):
        subject.check("{ me { id } }", variables={}, operation_name=None)
    assert cache.bytes == len("{ me { id } }") * BYTES_PER_BYTE_OF_TEXT


async def test_introspection_is_answered() -> None:
    document = parse("query A($n: String!) { __type(name: $n) { name } } query B { __typename }")
    introspector = Introspector(SCHEMA)
    result = await introspector.answer(document, variables={"n": "User"}, operation_name="A")
    assert (result.data, result.errors) == ({"__type": {"name": "User"}}, None)
