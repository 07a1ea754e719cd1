"""Which fields are answered with JSON that is ready, whatever is selected below them?

A field may have in its extensions (`READY`) what can answer for it and for all that is selected below it,
a database that builds JSON, say. It is shown what is asked (`Asked`) once for a plan, and gives a function
that answers, or None when something of it is beyond its means; that function may still decline when it sees
the arguments. What is declined is executed as any other field.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, NamedTuple

from graphql import GraphQLError, GraphQLObjectType
from graphql.execution import Executor

from app.engine.executor.plan import Field
from app.engine.executor.shapes import Kind, Shape

# Preparing an answer takes a few milliseconds, which what is executed once would never bring in again.
USES_BEFORE = 1


class Ready:
    """The JSON of a field's value."""

    __slots__ = ("json",)

    def __init__(self, json: str | bytes) -> None:
        self.json = json


Arguments = Callable[[Field], Mapping[str, Any]]


class Asked(NamedTuple):
    """A field with what is selected below it; `below` is None for leaves."""

    field: Field
    key: str
    name: str
    typename: str
    below: "tuple[Asked, ...] | None"


# (parents, context, arguments of a field by its `Asked.field`): None to decline, else for each parent a
# `Ready`, None or an exception.
Answer = Callable[[Sequence[Any], Any, Arguments], Awaitable[Sequence[Any]] | None]
Prepare = Callable[[Asked], Answer | None]


def answer_of(field: Field, executor: Executor[Any]) -> Answer | None:
    """What answers for this field of a plan, from its second use on."""
    if field.prepare is None:
        return None
    if field.uses <= USES_BEFORE:
        field.uses += 1
        if field.uses > USES_BEFORE:
            asked = _asked(field, field.shape, executor)
            field.answer = field.prepare(asked) if asked is not None else None
    answer: Answer | None = field.answer
    return answer


def _asked(field: Field, shape: Shape, executor: Executor[Any]) -> Asked | None:
    """None where the types below depend on the objects."""
    while shape.kind is Kind.LIST:
        shape = shape.inner
    if shape.kind is Kind.ABSTRACT:
        return None
    below = None
    if shape.kind is Kind.OBJECT:
        below = _below(field, shape.type, executor)
        if below is None:
            return None
    return Asked(field, field.key, field.name, field.typename, below)


def _below(field: Field, type_: GraphQLObjectType, executor: Executor[Any]) -> tuple[Asked, ...] | None:
    try:
        selection = field.selection(type_, executor)
    except GraphQLError:
        return None  # raised again by who executes it
    found = [_asked(each, each.shape, executor) for each in selection.fields]
    return None if None in found else tuple(each for each in found if each is not None)
