"""A field that somebody else answers with JSON: when it is asked, what it is shown, what becomes of its answer.

Plans are kept from the second time on that a document is executed, so the third time is their second use.
"""

import asyncio
from typing import Any

import orjson
import pytest
from graphql import DocumentNode, ExecutionResult, GraphQLSchema, build_schema, parse

from app.engine import execute
from app.engine.executor import BATCH, READY, Ready
from app.engine.executor.ready import Asked

SDL = """
interface Thing { id: ID! }
type Author implements Thing { id: ID! name: String! friend: Author things: [Thing!]! }
type Query { author(id: ID = "1"): Author sure: Author! authors: [Author!]! }
"""
Answers = list[Any]


class Somebody:
    """Answers with ``json`` for every parent; ``shown`` is what it was asked to prepare for."""

    def __init__(self, *, able: bool = True, willing: bool = True, answers: Answers | None = None) -> None:
        self.able = able
        self.willing = willing
        self.answers = answers
        self.shown: list[Asked] = []
        self.asked: list[tuple[list[Any], Any, dict[str, Any]]] = []

    def prepare(self, asked: Asked) -> Any:
        self.shown.append(asked)
        return self.answer if self.able else None

    def answer(self, parents: Any, context: Any, arguments: Any) -> Any:
        self.asked.append((list(parents), context, dict(arguments(self.shown[0].field))))
        return self._later(len(parents)) if self.willing else None

    async def _later(self, count: int) -> Answers:
        return self.answers if self.answers is not None else [Ready(b'{"name":"ready"}')] * count


def schema_with(**somebodies: Somebody) -> GraphQLSchema:
    """Keys are ``Type_field``."""
    schema = build_schema(SDL)
    for place, somebody in somebodies.items():
        type_, _, field = place.partition("_")
        schema.type_map[type_].fields[field].extensions[READY] = somebody.prepare  # type: ignore[attr-defined]  # both are object types
    return schema


ROOT = {"author": {"name": "made"}, "sure": {"name": "made"}, "authors": [{"name": "a"}, {"name": "b"}]}


def run(schema: GraphQLSchema, document: DocumentNode, **given: Any) -> ExecutionResult:
    async def once() -> ExecutionResult:
        result = execute(
            schema, document, **{"root_value": ROOT, "context_value": "context", "raw": True, **given}
        )
        return result if isinstance(result, ExecutionResult) else await result

    return asyncio.run(once())


def told(result: ExecutionResult) -> Any:
    return orjson.loads(orjson.dumps(result.data))


def test_answers_from_the_second_use_of_a_kept_plan_on() -> None:
    somebody = Somebody()
    schema, document = schema_with(Query_author=somebody), parse("{ author { name } }")
    answers = [told(run(schema, document))["author"]["name"] for _ in range(4)]
    assert answers == ["made", "made", "ready", "ready"]
    assert len(somebody.shown) == 1
    assert somebody.asked == [([ROOT], "context", {"id": "1"})] * 2


def test_is_shown_all_that_is_selected() -> None:
    somebody = Somebody()
    document = parse("""{ who: author(id: 2) { a: name ...F __typename friend @include(if: false) { id } } }
        fragment F on Author { friend { name } a: name friend { id } }""")
    schema = schema_with(Query_author=somebody)
    [run(schema, document) for _ in range(3)]
    (asked,) = somebody.shown

    def shape(each: Asked) -> Any:
        return each.key, each.name, each.typename, each.below and [shape(inner) for inner in each.below]

    friend = ("friend", "friend", "Author", [("name", "name", "Author", None), ("id", "id", "Author", None)])
    leaves = [("a", "name", "Author", None), friend, ("__typename", "__typename", "Author", None)]
    assert shape(asked) == ("who", "author", "Query", leaves)
    assert somebody.asked[0][2] == {"id": "2"}


@pytest.mark.parametrize(
    "somebody", [Somebody(able=False), Somebody(willing=False)], ids=["unable", "unwilling"]
)
def test_what_is_declined_is_executed(somebody: Somebody) -> None:
    schema, document = schema_with(Query_author=somebody), parse("{ author { name } }")
    assert [told(run(schema, document)) for _ in range(4)] == [{"author": {"name": "made"}}] * 4


def test_who_fails_to_prepare_or_to_answer_has_declined() -> None:
    def fail(*_: Any) -> Any:
        raise ValueError("a wrong argument")

    for prepare in (fail, lambda _: fail):
        schema, document = schema_with(Query_author=Somebody()), parse("{ author { name } }")
        schema.query_type.fields["author"].extensions[READY] = prepare  # type: ignore[union-attr]  # there is one
        results = [run(schema, document) for _ in range(4)]
        assert [(told(each), each.errors) for each in results] == [({"author": {"name": "made"}}, None)] * 4


def test_is_not_asked_unless_json_is_wanted() -> None:
    somebody = Somebody()
    schema, document = schema_with(Query_author=somebody), parse("{ author { name } }")
    assert [run(schema, document, raw=False).data for _ in range(4)] == [{"author": {"name": "made"}}] * 4
    assert somebody.shown == []


def test_is_not_asked_for_what_depends_on_the_objects() -> None:
    somebody = Somebody()
    schema, document = schema_with(Query_author=somebody), parse("{ author { name things { id } } }")
    [run(schema, document) for _ in range(4)]
    assert somebody.shown == []


def test_null_and_errors_are_as_of_any_resolver() -> None:
    for answers, expected in (([None], {"author": None}), ([LookupError("away")], {"author": None})):
        schema, document = schema_with(Query_author=Somebody(answers=answers)), parse("{ author { name } }")
        results = [run(schema, document) for _ in range(3)]
        assert told(results[-1]) == expected
        errors = [(error.message, error.path) for error in results[-1].errors or ()]
        assert errors == ([] if answers == [None] else [("away", ["author"])])
    schema, document = schema_with(Query_sure=Somebody(answers=[None])), parse("{ sure { name } }")
    results = [run(schema, document) for _ in range(3)]
    assert results[-1].data is None
    assert [error.message for error in results[-1].errors or ()] == [
        "Cannot return null for non-nullable field Query.sure."
    ]


def test_what_is_raised_while_it_answers_is_the_fields_error() -> None:
    somebody = Somebody()

    async def raise_later(_: int) -> Answers:
        raise ConnectionError("the database is away")

    somebody._later = raise_later  # type: ignore[method-assign]  # for this one
    schema, document = schema_with(Query_author=somebody), parse("{ author { name } }")
    results = [run(schema, document) for _ in range(3)]
    assert told(results[-1]) == {"author": None}
    assert [error.message for error in results[-1].errors or ()] == ["the database is away"]


def test_all_parents_at_once_and_one_answer_for_each() -> None:
    somebody = Somebody(answers=[Ready('{"name":"x"}'), LookupError("none")])
    schema, document = schema_with(Author_friend=somebody), parse("{ authors { name friend { name } } }")
    results = [run(schema, document) for _ in range(3)]
    assert told(results[-1]) == {
        "authors": [{"name": "a", "friend": {"name": "x"}}, {"name": "b", "friend": None}]
    }
    assert [error.path for error in results[-1].errors or ()] == [["authors", 1, "friend"]]
    assert somebody.asked[0][0] == ROOT["authors"]


def test_goes_before_a_batch() -> None:
    async def load(parents: Any, _: Any) -> Any:
        return [{"name": "batch"} for _ in parents]

    somebody = Somebody()
    schema, document = schema_with(Author_friend=somebody), parse("{ authors { friend { name } } }")
    schema.type_map["Author"].fields["friend"].extensions[BATCH] = load  # type: ignore[attr-defined]  # an object type
    answers = [told(run(schema, document))["authors"][0]["friend"]["name"] for _ in range(4)]
    assert answers == ["batch", "batch", "ready", "ready"]


def test_too_few_answers_are_an_error_of_all() -> None:
    schema = schema_with(Author_friend=Somebody(answers=[None]))
    document = parse("{ authors { friend { name } } }")
    results = [run(schema, document) for _ in range(3)]
    assert len(results[-1].errors or ()) == 2
