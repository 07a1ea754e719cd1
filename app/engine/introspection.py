"""What does it take to answer questions about the schema itself?"""

import asyncio
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache, partial
from math import ceil
from typing import Any

from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    execute_sync,
)

SCHEMA_FIELDS = frozenset({"__schema", "__type"})
META_FIELDS = SCHEMA_FIELDS | {"__typename"}


class Introspector:
    """Answers operations about the schema, made of META_FIELDS alone, one at a time, in a thread of its own.

    They are pure computation: the query that every IDE sends takes 130 ms for 220 types, and on the event
    loop everyone else would wait for it.
    """

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="introspection")

    @staticmethod
    def is_asked(root_fields: Collection[str]) -> bool:
        """`{ __typename }` alone, as probes and pools send it, is worth no thread."""
        return META_FIELDS.issuperset(root_fields) and not SCHEMA_FIELDS.isdisjoint(root_fields)

    async def answer(
        self, document: DocumentNode, *, variables: Mapping[str, Any], operation_name: str | None
    ) -> ExecutionResult:
        work = partial(
            execute_sync,
            self._schema,
            document,
            variable_values=dict(variables),
            operation_name=operation_name,
        )
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)


def introspection_factor(schema: GraphQLSchema, field: str) -> float:
    """The number of entries in the list that an introspection field returns, on average and rounded up."""
    return _factors(schema).get(field, 1)


@lru_cache(maxsize=4)
def _factors(schema: GraphQLSchema) -> dict[str, float]:
    types = list(schema.type_map.values())
    composites = [type_ for type_ in types if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType)]
    fields = [field for type_ in composites for field in type_.fields.values()]
    inputs = [type_ for type_ in types if isinstance(type_, GraphQLInputObjectType)]
    enums = [type_ for type_ in types if isinstance(type_, GraphQLEnumType)]
    all_types = max(1, len(types))
    return {
        # Queries unwrap nine levels of lists and non-nulls to be safe, and types seldom have two.
        "ofType": 0.25,
        "types": all_types,
        "directives": len(schema.directives),
        "fields": max(1, ceil(len(fields) / all_types)),
        "args": max(1, ceil(sum(len(field.args) for field in fields) / max(1, len(fields)))),
        "inputFields": max(1, ceil(sum(len(type_.fields) for type_ in inputs) / all_types)),
        "enumValues": max(1, ceil(sum(len(type_.values) for type_ in enums) / all_types)),
    }
