"""What the engine adds to graphql-core's behaviour: batches, turns, bounded plans, harmless code."""

import asyncio
import gc
from collections.abc import Iterator
from time import thread_time
from typing import Any

import pytest
from graphql import (
    DocumentNode,
    ExecutionResult,
    FieldNode,
    GraphQLField,
    GraphQLInt,
    GraphQLList,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLString,
    NameNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    build_schema,
    parse,
)
from graphql import execute as execute_with_graphql_core

from app.engine import execute
from app.engine.document_cache import DocumentCache
from app.engine.executor import ATTRIBUTE, BATCH, Plans

HOSTILE = [
    "a'b",
    'a"b',
    "a\\",
    "a\\'b",
    "a\nraise SystemExit",
    "'})\nraise SystemExit\n#",
    "{0}",
    "%s",
    "\ud800",
    "\u2028",
    "ü",
    "\0",
    "__import__('os')",
]


class Author:
    def __init__(self, number: int) -> None:
        self.number = number


def batched_schema(batch: Any) -> GraphQLSchema:
    author = GraphQLObjectType("Author", lambda: {"number": GraphQLField(GraphQLInt), "books": books})
    book = GraphQLObjectType("Book", {"number": GraphQLField(GraphQLInt)})
    books = GraphQLField(GraphQLList(book), {}, resolve=unused, extensions={BATCH: batch})
    authors = GraphQLField(GraphQLList(author), resolve=lambda *_: [Author(number) for number in range(3)])
    return GraphQLSchema(GraphQLObjectType("Query", {"authors": authors}))


def unused(*_: Any) -> Any:
    raise AssertionError("a batched field is not resolved parent by parent")


async def answered(*arguments: Any, **options: Any) -> ExecutionResult:
    result = execute(*arguments, **options)
    return result if isinstance(result, ExecutionResult) else await result


async def test_a_batch_is_called_once_with_all_parents() -> None:
    calls = []

    async def batch(parents: list[Author], info: Any) -> list[Any]:
        calls.append((len(parents), info.path.as_list()))
        return [[Author(parent.number * 10)] for parent in parents]

    result = await answered(batched_schema(batch), parse("{ authors { number books { number } } }"))
    assert result.errors is None
    assert result.data == {
        "authors": [{"number": number, "books": [{"number": number * 10}]} for number in range(3)]
    }
    assert calls == [(3, ["authors", 0, "books"])]


async def test_an_exception_in_a_batch_is_the_error_of_its_parent_alone() -> None:
    async def batch(parents: list[Author], _: Any) -> list[Any]:
        return [ValueError("lost") if parent.number == 1 else [] for parent in parents]

    result = await answered(batched_schema(batch), parse("{ authors { books { number } } }"))
    assert result.data == {"authors": [{"books": []}, {"books": None}, {"books": []}]}
    assert [(error.message, error.path) for error in result.errors or ()] == [
        ("lost", ["authors", 1, "books"])
    ]


@pytest.mark.parametrize("wrong", [[], None, "abc", [[]]])
async def test_a_batch_of_the_wrong_length_is_an_error_for_every_parent(wrong: Any) -> None:
    async def batch(*_: Any) -> Any:
        return wrong

    result = await answered(batched_schema(batch), parse("{ authors { books { number } } }"))
    assert result.data == {"authors": [{"books": None}] * 3}
    message = "The batch of 'Author.books' must be a list of 3 values."
    assert [error.message for error in result.errors or ()] == [message] * 3


async def test_a_failing_batch_is_an_error_for_every_parent() -> None:
    async def batch(*_: Any) -> Any:
        raise ConnectionError("gone")

    result = await answered(batched_schema(batch), parse("{ authors { books { number } } }"))
    assert [error.path for error in result.errors or ()] == [["authors", row, "books"] for row in range(3)]


def document_of(name: str, alias: str | None) -> DocumentNode:
    """By hand, as the parser would refuse such names."""
    field = FieldNode(name=NameNode(value=name), alias=NameNode(value=alias) if alias else None)
    operation = OperationDefinitionNode(
        operation=OperationType.QUERY, selection_set=SelectionSetNode(selections=(field,))
    )
    return DocumentNode(definitions=(operation,))


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("source", ["dict", "object"])
def test_hostile_names_and_values_stay_data(text: str, source: str) -> None:
    schema = build_schema("type Query { ok: String }")
    root = {"ok": text} if source == "dict" else type("Root", (), {"ok": text})()
    document = document_of("ok", text)
    result = execute(schema, document, root)
    assert isinstance(result, ExecutionResult)
    assert result == execute_with_graphql_core(schema, document, root)
    assert result.data == {text: text}


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_attribute_names_are_only_read(text: str) -> None:
    field = GraphQLField(GraphQLString, extensions={ATTRIBUTE: text})
    root = type("Root", (), {})()
    root.__dict__[text] = "found"
    result = execute(GraphQLSchema(GraphQLObjectType("Query", {"ok": field})), parse("{ ok }"), root)
    assert isinstance(result, ExecutionResult)
    assert result.data == {"ok": "found"}


def test_plans_are_kept_within_bounds() -> None:
    schema = build_schema("type Query { ok: String }")
    plans: Plans = DocumentCache(max_entries=20, max_bytes=200_000)
    hot = parse("{ ok }")
    for _ in range(4):
        execute(schema, hot, {"ok": "yes"}, plans=plans)
    flood = [parse(f"{{ a{number}: ok }}") for number in range(500)]
    for document in flood:
        for _ in range(2):
            execute(schema, document, {"ok": "yes"}, plans=plans)
    assert len(plans) <= 20
    assert plans.bytes <= 200_000
    assert (id(hot), None, True) in plans


def test_an_operation_executed_with_other_variables_skips_other_fields() -> None:
    schema = build_schema("type Query { ok: String, no: String }")
    document = parse("query ($a: Boolean!) { ok @include(if: $a) no @skip(if: $a) }")
    for _ in range(3):
        for value, expected in ((True, {"ok": "x"}), (False, {"no": "y"})):
            result = execute(schema, document, {"ok": "x", "no": "y"}, variable_values={"a": value})
            assert isinstance(result, ExecutionResult)
            assert result.data == expected


@pytest.fixture
def without_gc() -> Iterator[None]:
    """Its pauses are the program's, and depend on all that it holds."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.parametrize("asynchronous", [True, False])
async def test_a_long_list_does_not_hold_the_event_loop(asynchronous: bool, without_gc: None) -> None:
    schema = build_schema("type Query { items: [Item!]! } type Item { id: ID!, name: String, next: Item }")
    items = [{"id": str(number), "name": "x", "next": {"id": "1"}} for number in range(30_000)]

    async def later(*_: Any) -> Any:
        return items

    longest = 0.0

    async def watch() -> None:
        nonlocal longest
        before = thread_time()
        while True:
            await asyncio.sleep(0)
            longest = max(longest, thread_time() - before)
            before = thread_time()

    task = asyncio.create_task(watch())
    await asyncio.sleep(0)
    root = {"items": later if asynchronous else items}
    result = await answered(schema, parse("{ items { id name next { id } } }"), root, may_yield=True)
    task.cancel()
    assert result.data is not None
    assert len(result.data["items"]) == 30_000
    assert longest < 0.05


async def test_cancelling_the_execution_cancels_what_it_awaits() -> None:
    schema = build_schema("type Query { a: String, b: String }")
    ended = []

    async def slow(info: Any) -> str:
        try:
            await asyncio.sleep(60)
        finally:
            ended.append(info.field_name)
        return "never"

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await answered(schema, parse("{ a b }"), {"a": slow, "b": slow})
    assert sorted(ended) == ["a", "b"]


async def test_what_is_awaited_for_a_null_place_is_given_up() -> None:
    schema = build_schema("type Query { a: String!, b: String }")

    async def fails(_: Any) -> str:
        await asyncio.sleep(0)
        raise ValueError("no")

    async def slow(_: Any) -> str:
        await asyncio.sleep(60)
        return "never"

    async with asyncio.timeout(5):
        result = await answered(schema, parse("{ a b }"), {"a": fails, "b": slow})
    assert result.data is None
    assert [error.message for error in result.errors or ()] == ["no"]
