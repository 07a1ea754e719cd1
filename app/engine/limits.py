"""What may a document ask for, and what happens to one that asks for more?"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import DocumentNode, GraphQLSchema, OperationDefinitionNode, OperationType

from app.engine.introspection import META_FIELDS
from app.engine.measure import Measures, Survey
from app.engine.root_fields import root_fields_of, select_operation


@dataclass(frozen=True, slots=True)
class Limits:
    """Upper bounds; a document that holds exactly the bound passes.

    `text` is bytes of UTF-8, `cost` and `introspection` are estimates of resolved fields, everything else is
    a count, with fragments written out where they are spread. `mixed_introspection` holds for operations that
    ask for data too, and so run on the event loop; `page_size` is what a connection costs that names none.
    """

    text: int = 50_000
    tokens: int = 2_000
    depth: int = 15
    aliases: int = 30
    root_fields: int = 20
    mutations: int = 4
    directives: int = 20
    operations: int = 10
    fragments: int = 50
    fields: int = 2_000
    cost: int = 5_000
    introspection: int = 100_000
    mixed_introspection: int = 5_000
    variable_values: int = 20_000
    page_size: int = 20


class LimitExceeded(Exception):
    """A document asks for more than `limit`; `actual` is a lower bound where counting stopped early."""

    def __init__(self, *, name: str, limit: int, actual: int) -> None:
        super().__init__(f"The limit of {limit} for {name.replace('_', ' ')} is exceeded: {actual}.")
        self.name = name
        self.limit = limit
        self.actual = actual


def check(
    document: DocumentNode,
    *,
    schema: GraphQLSchema,
    variables: Mapping[str, Any],
    operation_name: str | None,
    limits: Limits,
) -> Measures:
    """Measures of the selected operation; every operation of the document has to keep the limits.

    Linear in the size of the document whatever its fragments multiply to, and safe on documents that were
    never validated: unknown fields, missing fragments and cycles count for what they are.

    Raises LimitExceeded.
    """
    survey = Survey(document, schema=schema, variables=variables, page_size=limits.page_size)
    _require("operations", len(survey.operations), limits.operations)
    _require("fragments", survey.fragment_count, limits.fragments)
    require_few_values(variables, limits)
    for operation in survey.operations:
        names = root_fields_of(document, operation, variables=None)
        measures = survey.measures(operation)
        _require_root_fields(operation, len(names), limits)
        _require_measures(measures, limits)
        if not META_FIELDS.issuperset(names):
            _require("mixed_introspection", measures.introspection, limits.mixed_introspection)
    selected = select_operation(document, operation_name)
    return survey.measures(selected) if selected else Measures()


def require_few_values(variables: Mapping[str, Any], limits: Limits) -> None:
    """Raises LimitExceeded."""
    _require("variable_values", _count_values(variables, limits.variable_values), limits.variable_values)


def _require(name: str, actual: int, limit: int) -> None:
    if actual > limit:
        raise LimitExceeded(name=name, limit=limit, actual=actual)


def _count_values(variables: Mapping[str, Any], enough: int) -> int:
    # Coercion touches every value below a variable: a small document with a huge list is no small request.
    count, pending = 0, list(variables.values())
    while pending and count <= enough:
        value = pending.pop()
        count += 1
        if isinstance(value, dict):
            pending.extend(value.values())
        elif isinstance(value, list):
            pending.extend(value)
    return count


def _require_root_fields(operation: OperationDefinitionNode, count: int, limits: Limits) -> None:
    if operation.operation is OperationType.MUTATION:
        _require("mutations", count, limits.mutations)
    _require("root_fields", count, limits.root_fields)


def _require_measures(measures: Measures, limits: Limits) -> None:
    for name in ("depth", "aliases", "directives", "fields", "cost", "introspection"):
        _require(name, getattr(measures, name), getattr(limits, name))
