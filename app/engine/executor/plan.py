"""What has to be done for one operation, decided once for all of its executions?"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLField,
    GraphQLObjectType,
    Node,
    OperationDefinitionNode,
    OperationType,
    VariableNode,
    default_field_resolver,
)
from graphql.execution import Executor
from graphql.execution.collect_fields import FieldDetailsList, GroupedFieldSet, collect_fields

from app.engine.executor.readers import Leaf, Read, make_reader
from app.engine.executor.shapes import Kind, Shape

# Set in a field's extensions. ATTRIBUTE: the name under which its resolver does nothing but `getattr(source,
# name)`. BATCH: a function (parents, info, **arguments) that answers for all parents at once, with a list (or
# an awaitable of one) of values and exceptions in their order.
ATTRIBUTE: Final = "engine.attribute"
BATCH: Final = "engine.batch"
# A function that can answer for all that is selected below the field as well, see `ready`.
READY: Final = "engine.ready"

_INTROSPECTION = {"__schema", "__type"}
_INCREMENTAL = {"defer", "stream"}
_CONDITIONAL = {"skip", "include"}
# More sets of skipped fields than this are compiled each time instead of kept.
MAX_VARIANTS = 16


class Field:
    """One response key of one object type, with all the nodes that ask for it.

    It also ends a place in the response: a place is (place of the parent, key, Field) or (place of the list,
    index, Shape of the item), and None is the whole of the data.
    """

    def __init__(
        self,
        plan: "Plan",
        parent: GraphQLObjectType,
        definition: GraphQLField,
        details: FieldDetailsList,
        key: str,
        ordinal: int,
    ) -> None:
        self.plan = plan
        self.parent = parent
        self.typename = parent.name
        self.definition = definition
        self.details = details
        self.nodes: list[FieldNode] = [detail.node for detail in details]
        self.name = self.nodes[0].name.value
        self.key = key
        self.ordinal = ordinal
        self.shape = Shape(definition.type)
        self.nullable = self.shape.nullable
        self.resolve = None if definition.resolve is default_field_resolver else definition.resolve
        self.attribute: str | None = definition.extensions.get(ATTRIBUTE)
        self.batch: Any = definition.extensions.get(BATCH)
        # Arguments without variables are the same each time, once they are known.
        self.is_constant = not any(map(_has_variables, self.nodes[0].arguments or ()))
        self.constants: dict[str, Any] | None = None
        self.prepare: Any = definition.extensions.get(READY)
        self.answer: Any = None
        self.uses = 0
        self._selections: dict[GraphQLObjectType, Selection] = {}

    @property
    def leaf(self) -> Leaf | None:
        """How the generated function reads this field, None when it takes more than that."""
        readable = self.attribute is not None or (self.resolve is None and self.plan.reads_defaults)
        if self.shape.kind is not Kind.LEAF or self.batch is not None or not readable or self.definition.args:
            return None
        return Leaf(self.attribute, self.name, self.shape)

    def selection(self, type_: GraphQLObjectType, executor: Executor[Any]) -> "Selection":
        """What is selected on values of `type_`; found out when the first of them appears."""
        selection = self._selections.get(type_)
        if selection is None:
            fields = executor.collect_subfields(type_, self.details).grouped_field_set
            selection = Selection(self.plan, type_, fields, executor)
            if self.plan.takes(len(selection.fields)):
                self._selections[type_] = selection
        return selection


class Selection:
    """The fields of one object type at one place: leaves for the reader, others one by one."""

    __slots__ = ("fields", "leaves", "others", "read")

    def __init__(
        self,
        plan: "Plan",
        type_: GraphQLObjectType,
        grouped: GroupedFieldSet,
        executor: Executor[Any],
        *,
        first: int = 0,
    ) -> None:
        self.fields: list[Field] = []
        self.leaves: list[Field] = []
        self.others: list[Field] = []
        entries: list[tuple[str, Leaf | str | None]] = []
        for key, details in grouped.items():
            name = details[0].node.name.value
            definition = executor.schema.get_field(type_, name)
            if definition is None:
                continue  # only in documents that were not validated, and graphql-core leaves it out as well
            field = Field(plan, type_, definition, details, key, first + len(self.fields))
            self.fields.append(field)
            if name == "__typename":
                entries.append((key, type_.name))
                continue
            leaf = field.leaf
            (self.others if leaf is None else self.leaves).append(field)
            entries.append((key, leaf))
        self.read: Read = make_reader(entries)


class Plan:
    """One operation under one set of skipped fields. `stages` run in turn: a mutation's fields."""

    def __init__(self, executor: Executor[Any], *, reads_defaults: bool, budget: int) -> None:
        self.reads_defaults = reads_defaults
        self.budget = budget
        self.stages = self._compile(executor)

    def takes(self, fields: int) -> bool:
        """Whether so many more fields may be kept, which holds a plan near the size it was weighed with."""
        self.budget -= fields
        return self.budget >= 0

    def _compile(self, executor: Executor[Any]) -> Sequence[Selection] | None:
        """None when graphql-core has to execute it, which then also says what is wrong with it."""
        operation = executor.operation
        root = executor.schema.get_root_type(operation.operation)
        if root is None or operation.operation is OperationType.SUBSCRIPTION:
            return None
        try:
            grouped = collect_fields(
                executor.schema, executor.fragments, executor.variable_values, root, operation
            ).grouped_field_set
        except (GraphQLError, RecursionError):
            return None
        if any(details[0].node.name.value in _INTROSPECTION for details in grouped.values()):
            return None
        if operation.operation is OperationType.QUERY:
            return [Selection(self, root, grouped, executor)]
        return [
            Selection(self, root, {key: details}, executor, first=number)
            for number, (key, details) in enumerate(grouped.items())
        ]


class Compiled:
    """The plans of one operation of one document, one for each set of fields that its variables skip."""

    def __init__(self, document: DocumentNode, *, reads_defaults: bool) -> None:
        # Held so that its identity, by which it is found, is not given to another.
        self.document = document
        self.reads_defaults = reads_defaults
        self.conditions: list[str] = []
        self.selections = 0
        self.compilable = all(self._survey(definition) for definition in document.definitions)
        self._variants: dict[tuple[Any, ...], Plan] = {}

    def plan(self, executor: Executor[Any]) -> Plan | None:
        if not self.compilable:
            return None
        values = tuple([executor.variable_values.coerced.get(name) for name in self.conditions])
        if any(value is not None and type(value) is not bool for value in values):
            return None
        plan = self._variants.get(values)
        if plan is None:
            budget = 4 * self.selections + 100
            plan = Plan(executor, reads_defaults=self.reads_defaults, budget=budget)
            if len(self._variants) < MAX_VARIANTS:
                self._variants[values] = plan
        return plan if plan.stages is not None else None

    def _survey(self, definition: Any) -> bool:
        """Note by which variables it skips; False if something in it is graphql-core's to execute."""
        if isinstance(definition, FragmentDefinitionNode) and definition.variable_definitions:
            return False
        if not isinstance(definition, (OperationDefinitionNode, FragmentDefinitionNode)):
            return True
        for node in _selections_below(definition):
            self.selections += 1
            if isinstance(node, FragmentSpreadNode) and node.arguments:
                return False
            for directive in node.directives or ():
                if directive.name.value in _INCREMENTAL:
                    return False
                if directive.name.value in _CONDITIONAL:
                    self._note_conditions(directive)
        return True

    def _note_conditions(self, directive: Any) -> None:
        for argument in directive.arguments or ():
            if isinstance(argument.value, VariableNode) and argument.value.name.value not in self.conditions:
                self.conditions.append(argument.value.name.value)


def _has_variables(node: Any) -> bool:
    """Of an argument, a list's value or an input object's field."""
    if isinstance(node, VariableNode):
        return True
    inner = getattr(node, "values", None) or getattr(node, "fields", None) or [getattr(node, "value", None)]
    return any(_has_variables(each) for each in inner if isinstance(each, Node))


def _selections_below(definition: Any) -> Iterator[Any]:
    pending = [definition.selection_set]
    while pending:
        for node in pending.pop().selections:
            yield node
            if inner := getattr(node, "selection_set", None):
                pending.append(inner)
