"""Schemas, data with failures, and documents, all made from one source of randomness.

What a field gives depends on nothing but its path, its arguments and its parent's own seed, so that it gives
the same in every execution; only whether it has to be awaited depends on the case being `mixed`.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from inspect import iscoroutine
from random import Random
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLError,
    GraphQLField,
    GraphQLFloat,
    GraphQLID,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInt,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLString,
    GraphQLUnionType,
    get_named_type,
    is_abstract_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    is_object_type,
)

from app.engine.executor import BATCH, CLASS


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Unread(Exception):
    """What a broken resolver raises."""


def _odd(value: Any) -> Any:
    if value == "odd":
        raise ValueError("odd values cannot be shown")
    return (
        None if value == "void" else f"<{value if isinstance(value, (str, int)) else type(value).__name__}>"
    )


@dataclass
class Case:
    random: Random
    mixed: bool = False
    types: list[GraphQLObjectType] = field(default_factory=list)
    classes: dict[str, type] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.seed = self.random.randrange(10**9)
        self.trouble = self.random.choice([0, 0.02, 0.1])
        self.schema = _Schema(self).build()
        self.document = _Document(self).build()
        self.variables = self._variables()
        self.root = self.source("Query", "root") if self.random.random() < 0.8 else None

    def _variables(self) -> dict[str, Any]:
        choices: dict[str, list[Any]] = {
            "yes": [True, False],
            "no": [True, False],
            "number": [1, 2, None],
            "text": ["a", "ü\"'\\\n", None],
            "numbers": [[1, 2], 3, None],
            "box": [{"size": 2}, {"size": 1, "label": "x"}, None],
        }
        given = {
            name: self.random.choice(values) for name, values in choices.items() if self.random.random() < 0.6
        }
        return {"yes": self.random.random() < 0.5, **given}

    # Values

    def source(self, typename: str, seed: str) -> Any:
        random = Random(f"{self.seed}/{seed}/form")
        made = self.classes[typename](seed)
        if random.random() < 0.7:
            return made
        fields = self.schema.type_map[typename].fields  # type: ignore[attr-defined]  # what it is is known here
        mapping = {name: self._method(made, name) for name in fields}
        return {"__typename": typename, "seed": seed, "kind": typename, **mapping}

    def _method(self, made: Any, name: str) -> Callable[..., Any]:
        return lambda info, **arguments: getattr(made, name)

    def value(self, type_: Any, seed: str, *, top: bool = True) -> Any:
        """May raise, may be an error, may not fit the type, may have to be awaited."""
        random = Random(f"{self.seed}/{seed}")
        asynchronous = random.random() < (0.3 if top else 0.1)
        rounds = random.randrange(3)
        if asynchronous and self.mixed:
            return self._later(type_, seed, random, rounds)
        return self._now(type_, seed, random)

    async def _later(self, type_: Any, seed: str, random: Random, rounds: int) -> Any:
        for _ in range(rounds):
            await asyncio.sleep(0)
        return self._now(type_, seed, random)

    def _now(self, type_: Any, seed: str, random: Random) -> Any:
        if random.random() < self.trouble:
            return self._trouble(random)
        if is_non_null_type(type_):
            type_ = type_.of_type
        elif random.random() < 0.08:
            return None
        if is_list_type(type_):
            return self._list(type_, seed, random)
        if is_leaf_type(type_):
            return self._leaf(type_, random)
        if is_object_type(type_):
            return self.source(type_.name, seed)
        return self.source(random.choice(self.schema.get_possible_types(type_)).name, seed)

    def _trouble(self, random: Random) -> Any:
        kind = random.randrange(6)
        if kind == 0:
            raise Unread("cannot be read")
        if kind == 1:
            raise GraphQLError("refused", extensions={"code": "NO"})
        return [None, Unread("returned"), object, "void"][kind - 2]

    def _list(self, type_: Any, seed: str, random: Random) -> Any:
        length = random.choice([0, 1, 2, 2, 3])
        form = random.randrange(12)
        items = [
            self.value(type_.of_type, f"{seed}.{index}", top=False) if form != 9 else None
            for index in range(length)
        ]

        def fails() -> Any:
            yield from items
            raise Unread("no more")

        async def streams() -> Any:
            for item in items:
                yield await item if iscoroutine(item) else item

        if form == 8:
            return tuple(items)
        if form == 10 and random.random() < 10 * self.trouble:
            return fails()
        if form == 11:
            return streams() if self.mixed else iter(items)
        return items

    def _leaf(self, type_: Any, random: Random) -> Any:
        values: dict[str, list[Any]] = {
            "String": ["a", "", "ü\"'\\\n", 1, True],
            "Int": [0, -5, 2**31 - 1, "7", 3.0, True],
            "Float": [0.5, -1.0, 3, "2.5", True],
            "Boolean": [True, False, 1, 0],
            "ID": ["id1", 7],
            "Colour": [Colour.RED, Colour.BLUE],
            "Odd": ["x", 1, "y"],
        }
        wrong = {"String": object, "Int": 2**31, "Float": float("nan"), "Boolean": "yes", "ID": 1.5}
        if random.random() < self.trouble:
            return wrong.get(type_.name, "odd")
        return random.choice(values[type_.name])


class _Schema:
    def __init__(self, case: Case) -> None:
        self.case = case
        self.random = case.random

    def build(self) -> GraphQLSchema:
        colour = GraphQLEnumType("Colour", Colour)
        odd = GraphQLScalarType("Odd", coerce_output_value=_odd)
        for leaf, cls in ((colour, Colour), (odd, str)):
            if self.random.random() < 0.5:
                leaf.extensions[CLASS] = cls
        box = GraphQLInputObjectType(
            "Box",
            lambda: {
                "size": GraphQLInputField(GraphQLNonNull(GraphQLInt)),
                "label": GraphQLInputField(GraphQLString),
            },
        )
        self.leaves = [GraphQLString, GraphQLInt, GraphQLFloat, GraphQLBoolean, GraphQLID, colour, odd]
        self.inputs = {
            "number": GraphQLInt,
            "text": GraphQLString,
            "numbers": GraphQLList(GraphQLInt),
            "box": box,
        }
        shared = self._fields_later("Named", ["name", "count", "next"])
        self.interface = GraphQLInterfaceType("Named", shared, resolve_type=self._resolve_type())
        self.types = [self._object(f"T{number}") for number in range(self.random.randint(1, 3))]
        members = self.types[: self.random.randint(1, len(self.types))]
        self.union = GraphQLUnionType("Some", lambda: members, resolve_type=self._resolve_type())
        self.case.types = self.types
        query = GraphQLObjectType("Query", self._own_fields("Query"))
        mutation = GraphQLObjectType("Mutation", self._own_fields("Mutation"))
        for type_ in [query, mutation, *self.types]:
            self._class(type_)
        return GraphQLSchema(query, mutation, types=[*self.types, self.interface])

    def _object(self, name: str) -> GraphQLObjectType:
        fields = self._own_fields(name)
        interfaces = [self.interface] if name == "T0" or self.random.random() < 0.7 else []
        is_type_of = self._is_type_of(name) if self.random.random() < 0.4 else None
        return GraphQLObjectType(
            name,
            lambda: {**(self._shared() if interfaces else {}), **fields()},
            interfaces=interfaces,
            is_type_of=is_type_of,
        )

    def _class(self, type_: GraphQLObjectType) -> None:
        case = self.case

        def property_of(name: str) -> property:
            return property(lambda self: case.value(type_.fields[name].type, f"{self.seed}/{name}"))

        def make(self: Any, seed: str) -> None:
            self.seed = seed
            self.kind = type_.name

        def text(self: Any) -> str:
            return f"a {self.kind}"

        body: dict[str, Any] = {name: property_of(name) for name in type_.fields}
        case.classes[type_.name] = type(type_.name, (), {"__init__": make, "__repr__": text, **body})
        # The default type resolver reads a name that Python has mangled.
        setattr(case.classes[type_.name], f"_{type_.name}__typename", type_.name)
        if self.random.random() < 0.3 and type_.is_type_of:
            type_.extensions[CLASS] = case.classes[type_.name]

    def _resolve_type(self) -> Any:
        form = self.random.randrange(3)
        case = self.case

        def sync(value: Any, info: Any, type_: Any) -> Any:
            kind = value["kind"] if isinstance(value, dict) else getattr(value, "kind", None)
            return "Nothing" if kind == "T1" and case.trouble > 0.05 else kind

        async def later(value: Any, info: Any, type_: Any) -> Any:
            await asyncio.sleep(0)
            return sync(value, info, type_)

        def either(value: Any, info: Any, type_: Any) -> Any:
            return later(value, info, type_) if case.mixed else sync(value, info, type_)

        return [None, sync, either][form]

    def _is_type_of(self, name: str) -> Any:
        form = self.random.randrange(2)
        case = self.case

        def sync(value: Any, info: Any) -> Any:
            return (value["kind"] if isinstance(value, dict) else getattr(value, "kind", None)) == name

        async def later(value: Any, info: Any) -> Any:
            await asyncio.sleep(0)
            return sync(value, info)

        return [sync, lambda value, info: later(value, info) if case.mixed else sync(value, info)][form]

    def _fields_later(self, owner: str, names: list[str]) -> Callable[[], dict[str, GraphQLField]]:
        made: dict[str, GraphQLField] = {}

        def fields() -> dict[str, GraphQLField]:
            if not made:
                kinds = [GraphQLString, GraphQLInt, GraphQLList(self.interface)]
                made.update({name: GraphQLField(kind) for name, kind in zip(names, kinds, strict=True)})
            return made

        self._shared = fields
        return fields

    def _own_fields(self, owner: str) -> Callable[[], dict[str, GraphQLField]]:
        plans = [(f"f{number}", self.random.randrange(10**6)) for number in range(self.random.randint(2, 5))]
        return lambda: {name: self._field(name, Random(seed)) for name, seed in plans}

    def _field(self, name: str, random: Random) -> GraphQLField:
        composite = [*self.types, self.interface, self.union]
        base: Any = random.choice(self.leaves if random.random() < 0.5 else composite)
        for _ in range(random.choice([0, 0, 1, 1, 2])):
            base = GraphQLList(GraphQLNonNull(base) if random.random() < 0.4 else base)
        type_ = GraphQLNonNull(base) if random.random() < 0.4 else base
        names = [name for name in self.inputs if random.random() < 0.2]
        arguments = {name: GraphQLArgument(self.inputs[name]) for name in names}
        if random.random() < 0.2:
            arguments["number"] = GraphQLArgument(GraphQLNonNull(GraphQLInt), default_value=3)
        return self._with_resolver(type_, arguments, random)

    def _with_resolver(self, type_: Any, arguments: Any, random: Random) -> GraphQLField:
        form = random.randrange(5)
        if form == 0 and not arguments:
            return GraphQLField(type_)
        if form == 1:
            answers = _Answers(self.case, type_)
            return GraphQLField(type_, arguments, resolve=answers.single, extensions={BATCH: answers.batch})
        if form == 4:
            return GraphQLField(type_, arguments)
        case = self.case

        def resolve(source: Any, info: Any, **given: Any) -> Any:
            path = "/".join(map(str, info.path.as_list()))
            seed = f"{path}({sorted(given.items())}){info.field_name}.{info.parent_type}"
            return case.value(type_, seed)

        return GraphQLField(type_, arguments, resolve=resolve)


@dataclass
class _Answers:
    """The same for one parent after the other and for all of them at once."""

    case: Case
    type: Any

    def single(self, source: Any, info: Any, **given: Any) -> Any:
        seed = source["seed"] if isinstance(source, dict) else getattr(source, "seed", "none")
        return self.case.value(self.type, f"{seed}({sorted(given.items())})")

    def batch(self, parents: Any, info: Any, **given: Any) -> Any:
        if self.case.mixed:
            return self._batch_later(parents, given)
        return [self._attempt(parent, given) for parent in parents]

    async def _batch_later(self, parents: Any, given: dict[str, Any]) -> list[Any]:
        return [await self._settled(self._attempt(parent, given)) for parent in parents]

    def _attempt(self, parent: Any, given: dict[str, Any]) -> Any:
        try:
            return self.single(parent, None, **given)
        except (Unread, GraphQLError) as error:
            return error

    async def _settled(self, value: Any) -> Any:
        try:
            return await value if iscoroutine(value) else value
        except (Unread, GraphQLError) as error:
            return error


class _Document:
    """Mostly valid documents; execution has to agree on the others too."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.random = case.random
        self.budget = 40

    def build(self) -> str:
        kind = self.random.choice(["query", "query", "query", "mutation"])
        root = self.case.schema.query_type if kind == "query" else self.case.schema.mutation_type
        self.fragments = [
            (f"F{number}", self.random.choice([*self.case.types, self.case.schema.type_map["Named"]]))
            for number in range(self.random.randint(0, 3))
        ]
        texts = [
            f"fragment {name} on {type_} {self._set(type_, 2, number + 1)}"
            for number, (name, type_) in enumerate(self.fragments)
        ]
        heading = "$yes: Boolean!, $no: Boolean = false, $number: Int = 4, $text: String"
        heading += ", $numbers: [Int], $box: Box = {size: 9}"
        name = "Asked" if self.random.random() < 0.5 else ""
        return "\n".join([f"{kind} {name}({heading})\n{self._set(root, 4, 0)}", *texts])

    def _set(self, type_: Any, depth: int, first_fragment: int) -> str:
        count = self.random.randint(1, 4)
        parts = [self._selection(type_, depth, first_fragment) for _ in range(count)]
        return "{ " + " ".join(parts) + " }"

    def _selection(self, type_: Any, depth: int, first: int) -> str:
        self.budget -= 1
        form = self.random.random()
        if form < 0.1:
            return f"{self._alias()}__typename{self._directives()}"
        if form < 0.22 and depth > 0 and self.budget > 0:
            condition = self._condition(type_)
            inner = self._set(condition or type_, depth - 1, first)
            return f"...{condition and f' on {condition}'}{self._directives()} {inner}"
        if form < 0.34 and first < len(self.fragments):
            return f"...{self.random.choice(self.fragments[first:])[0]}{self._directives()}"
        return self._field(type_, depth, first)

    def _condition(self, type_: Any) -> Any:
        if is_abstract_type(type_) or self.random.random() < 0.3:
            return self.random.choice([*self.case.types, self.case.schema.type_map["Named"]])
        return type_ if self.random.random() < 0.5 else ""

    def _field(self, type_: Any, depth: int, first: int) -> str:
        fields = list(getattr(type_, "fields", {}).items())
        if depth <= 0 or self.budget <= 0:
            fields = [(name, field) for name, field in fields if is_leaf_type(get_named_type(field.type))]
        if not fields:
            return "__typename"
        name, definition = self.random.choice(fields)
        named = get_named_type(definition.type)
        inner = "" if is_leaf_type(named) else " " + self._set(named, depth - 1, first)
        return f"{self._alias()}{name}{self._arguments(definition)}{self._directives()}{inner}"

    def _alias(self) -> str:
        return f"{self.random.choice('abc')}: " if self.random.random() < 0.2 else ""

    def _arguments(self, definition: GraphQLField) -> str:
        literals = {
            "number": "7",
            "text": '"x\\"y"',
            "numbers": "[1, $number]",
            "box": "{size: $number, label: $text}",
        }
        parts = []
        for name in definition.args:
            form = self.random.random()
            if form < 0.4:
                parts.append(f"{name}: {literals[name]}")
            elif form < 0.7:
                parts.append(f"{name}: ${name}")
            elif form < 0.8:
                parts.append(f"{name}: null")
        return f"({', '.join(parts)})" if parts else ""

    def _directives(self) -> str:
        form = self.random.random()
        if form > 0.15:
            return ""
        condition = self.random.choice(["$yes", "$no", "true", "false"])
        return f" @{self.random.choice(['skip', 'include'])}(if: {condition})"
