"""A Strawberry schema means the same with the engine as without it."""

import asyncio
import json
from collections.abc import Iterator
from enum import Enum
from typing import Annotated, Any

import pytest
import strawberry
from graphql import parse
from strawberry import Info, Schema
from strawberry.directive import DirectiveLocation, DirectiveValue
from strawberry.extensions import FieldExtension, MaskErrors, SchemaExtension
from strawberry.permission import BasePermission

from app.engine.executor import run as run_module
from app.engine.strawberry_schema import EngineSchema, batched


class Colour(Enum):
    RED = "red"


ColourType = strawberry.enum(Colour)


class Refused(BasePermission):
    message = "Not for you."

    def has_permission(self, source: Any, info: Info, **_: Any) -> bool:
        return bool(info.context["allowed"])


class Louder(FieldExtension):
    def resolve(self, next_: Any, source: Any, info: Info, **arguments: Any) -> Any:
        return next_(source, info, **arguments).upper()


@strawberry.interface
class Node:
    id: strawberry.ID


@strawberry.type
class Author(Node):
    name: str
    colour: ColourType | None = Colour.RED


async def load_author(parents: list["Package"], info: Info) -> list[Author | Exception]:
    info.context["batches"].append(len(parents))
    return [
        LookupError("no author") if parent.number == 3 else Author(id=strawberry.ID("a"), name="Ada")
        for parent in parents
    ]


async def load_labels(parents: list["Package"], info: Info, first_letter: str = "x", count: int = 1) -> Any:
    return [[f"{first_letter}{parent.number}"] * count for parent in parents]


@strawberry.type
class Package(Node):
    number: int
    author: Author | None = batched(load_author, description="Who made it.")
    labels: list[str] = batched(load_labels)

    @strawberry.field
    def shout(self, word: str = "hey") -> str:
        return word * self.number

    @strawberry.field(extensions=[Louder()])
    def loud(self, info: Info) -> str:
        return f"{info.field_name} {info.python_name} {info.path.as_list()} {info.variable_values}"

    @strawberry.field(permission_classes=[Refused])
    async def secret(self) -> str:
        return "secret"

    @strawberry.field
    def broken(self) -> str | None:
        raise RuntimeError("password")


Found = Annotated[Package | Author, strawberry.union("Found")]


@strawberry.type
class Query:
    @strawberry.field
    async def packages(self, count: int = 4) -> list[Package]:
        return [Package(id=strawberry.ID(str(number)), number=number) for number in range(count)]

    @strawberry.field
    def found(self) -> list[Found]:
        return [Author(id=strawberry.ID("a"), name="Ada"), Package(id=strawberry.ID("1"), number=1)]

    @strawberry.field
    def nodes(self) -> list[Node | None]:
        return [Author(id=strawberry.ID("a"), name="Ada"), None, Package(id=strawberry.ID("1"), number=1)]


class Telling(SchemaExtension):
    def on_execute(self) -> Iterator[None]:
        self.execution_context.context["events"].append("before")
        yield
        self.execution_context.context["events"].append("after")

    def get_results(self) -> dict[str, Any]:
        return {"told": True}


OPERATIONS = [
    '{ packages { __typename id number shout(word: "a") author { id name colour } } }',
    'query ($n: Int = 2) { packages(count: $n) { loud labels(firstLetter: "q", count: 2) plain: labels } }',
    "{ packages(count: 2) { secret } }",
    "{ packages(count: 2) { number broken } }",
    "{ found { __typename ... on Author { name } ... on Package { number author { name } } } }",
    "{ nodes { id ... on Author { name } ... on Package { number } } }",
    "{ __schema { queryType { name } } packages(count: 1) { id } }",
    "{ packages(count: 1) { nothing } }",
]


async def answer(schema_class: type[Schema], text: str, *, allowed: bool = True) -> tuple[Any, ...]:
    """One at a time: two schemas of the same types share Strawberry's fields."""
    schema = schema_class(Query, types=[Author, Package], extensions=[Telling, masked])
    context: dict[str, Any] = {"allowed": allowed, "events": [], "batches": []}
    result = await schema.execute(text, context_value=context)
    errors = [error.formatted for error in result.errors or ()]
    return json.dumps(result.data), errors, result.extensions, context["events"], context["batches"]


def masked() -> MaskErrors:
    return MaskErrors(lambda error: isinstance(error.original_error, RuntimeError))


@pytest.mark.parametrize("allowed", [True, False])
@pytest.mark.parametrize("text", OPERATIONS)
async def test_answers_equal_those_without_the_engine(text: str, allowed: bool) -> None:
    stock = await answer(Schema, text, allowed=allowed)
    ours = await answer(EngineSchema, text, allowed=allowed)
    assert ours[:-1] == stock[:-1]


class Nothing(SchemaExtension):
    LEAVES_VALID_DOCUMENTS = True


@pytest.mark.parametrize("text", OPERATIONS[:-1])
async def test_run_answers_and_reports_as_execute_does(text: str, caplog: pytest.LogCaptureFixture) -> None:
    schema = EngineSchema(Query, types=[Author, Package], extensions=[Nothing])
    assert schema.is_plain
    reported, answers = [], []
    for way in ("execute", "run"):
        context: dict[str, Any] = {"allowed": False, "batches": []}
        caplog.clear()
        if way == "execute":
            result = await schema.execute(text, context_value=context)
        else:
            result = await schema.run(
                parse(text), context_value=context, variable_values={}, operation_name=None
            )
        errors = [error.formatted for error in result.errors or ()]
        answers.append((json.dumps(result.data), errors, result.extensions or {}, context["batches"]))
        reported.append([(record.name, record.getMessage()) for record in caplog.records])
    assert answers[0] == answers[1]
    assert reported[0] == reported[1]


async def test_run_answers_what_fails_around_the_resolvers(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise LookupError("no plan")

    schema = EngineSchema(Query, types=[Author, Package])
    monkeypatch.setattr("app.engine.strawberry_schema.execute", fail)
    text = "{ packages { id } }"
    executed = await schema.execute(text)
    run = await schema.run(parse(text), context_value=None, variable_values={}, operation_name=None)
    for result in (executed, run):
        assert result.data is None
        [error] = result.errors or []
        assert (error.message, type(error.original_error)) == ("no plan", LookupError)


def test_a_schema_with_another_extension_or_a_directive_is_not_plain() -> None:
    @strawberry.directive(locations=[DirectiveLocation.FIELD])
    def upper(value: DirectiveValue[str]) -> str:
        return value.upper()

    assert not EngineSchema(Query, extensions=[Nothing, Telling]).is_plain
    assert not EngineSchema(Query, extensions=[Nothing], directives=[upper]).is_plain


async def test_a_batched_field_is_loaded_once() -> None:
    stock = await answer(Schema, "{ packages { author { name } } }")
    ours = await answer(EngineSchema, "{ packages { author { name } } }")
    assert ours[:-1] == stock[:-1]
    assert (stock[-1], ours[-1]) == ([1, 1, 1, 1], [4])


def test_the_engine_is_what_executes(monkeypatch: pytest.MonkeyPatch) -> None:
    started = []
    start = run_module.Run.start
    monkeypatch.setattr(run_module.Run, "start", lambda run: started.append(run) or start(run))
    asyncio.run(answer(EngineSchema, "{ packages { id } }"))
    schema = EngineSchema(Query, types=[Author, Package])
    assert schema.execute_sync("{ found { __typename } }").data == {
        "found": [{"__typename": "Author"}, {"__typename": "Package"}]
    }
    assert len(started) == 2
