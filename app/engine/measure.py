"""How large is an operation once its fragments are written out, without writing them out?"""

from collections.abc import Mapping
from math import ceil
from typing import Any, NamedTuple

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    VariableDefinitionNode,
    get_named_type,
)

from app.engine.introspection import introspection_factor
from app.engine.pages import page_factor

# Fragments double with every level, so counts reach 2 ** 50 in one kilobyte; beyond this all are alike.
CEILING = 1_000_000_000


class Measures(NamedTuple):
    """Counts with every fragment written out where it is spread; each stops at CEILING.

    `depth` and `cost` leave out what lies below `__schema` and `__type`; `introspection` holds just that.
    """

    fields: int = 0
    depth: int = 0
    aliases: int = 0
    directives: int = 0
    cost: int = 0
    introspection: int = 0

    def beside(self, other: "Measures") -> "Measures":
        """Both in one selection set."""
        return Measures(
            min(self.fields + other.fields, CEILING),
            max(self.depth, other.depth),
            min(self.aliases + other.aliases, CEILING),
            min(self.directives + other.directives, CEILING),
            min(self.cost + other.cost, CEILING),
            min(self.introspection + other.introspection, CEILING),
        )


class Survey:
    """Measures of the operations of one document; every fragment is measured once."""

    def __init__(
        self, document: DocumentNode, *, schema: GraphQLSchema, variables: Mapping[str, Any], page_size: int
    ) -> None:
        definitions = document.definitions
        self.operations = [node for node in definitions if isinstance(node, OperationDefinitionNode)]
        fragments = [node for node in definitions if isinstance(node, FragmentDefinitionNode)]
        self.fragment_count = len(fragments)
        self._fragments = {node.name.value: node for node in fragments}
        self._schema = schema
        self._page_size = page_size
        self._given = variables
        self._variables: Mapping[str, Any] = variables
        self._measured: dict[str, Measures] = {}

    def measures(self, operation: OperationDefinitionNode) -> Measures:
        definitions = operation.variable_definitions or ()
        self._variables = {**_default_integers(definitions), **self._given}
        self._measured = {}
        for name in _innermost_first(operation.selection_set, self._fragments):
            self._measured[name] = self._measure_fragment(self._fragments[name])
        root = self._schema.get_root_type(operation.operation)
        inside = self._measure_set(operation.selection_set, root)
        own = _directives(operation) + sum(_directives(definition) for definition in definitions)
        return inside.beside(Measures(directives=own))

    def _measure_fragment(self, fragment: FragmentDefinitionNode) -> Measures:
        parent = self._schema.get_type(fragment.type_condition.name.value)
        inside = self._measure_set(fragment.selection_set, parent)
        return inside.beside(Measures(directives=_directives(fragment)))

    def _measure_set(self, selection_set: SelectionSetNode, parent: GraphQLNamedType | None) -> Measures:
        # Recursion is bounded: the parser refuses 201 levels in one definition, and spreads are looked up.
        total = Measures()
        for selection in selection_set.selections:
            total = total.beside(self._measure_selection(selection, parent))
        return total

    def _measure_selection(self, selection: SelectionNode, parent: GraphQLNamedType | None) -> Measures:
        if isinstance(selection, FieldNode):
            return self._measure_field(selection, parent)
        directives = Measures(directives=_directives(selection))
        if isinstance(selection, FragmentSpreadNode):
            # A spread that closes a cycle is not measured yet: it adds nothing, and validation refuses it.
            return self._measured.get(selection.name.value, Measures()).beside(directives)
        if isinstance(selection, InlineFragmentNode):
            condition = selection.type_condition
            inner = self._schema.get_type(condition.name.value) if condition else parent
            return self._measure_set(selection.selection_set, inner).beside(directives)
        return directives

    def _measure_field(self, node: FieldNode, parent: GraphQLNamedType | None) -> Measures:
        name = node.name.value
        composite = parent if isinstance(parent, GraphQLObjectType | GraphQLInterfaceType) else None
        field = self._schema.get_field(composite, name) if composite else None
        below = Measures()
        if node.selection_set is not None:
            below = self._measure_set(node.selection_set, get_named_type(field.type) if field else None)
        fields = min(1 + below.fields, CEILING)
        aliases = below.aliases + (node.alias is not None)
        directives = below.directives + _directives(node)
        if (parent is not None and parent.name.startswith("__")) or name in ("__schema", "__type"):
            inside = min(1 + ceil(introspection_factor(self._schema, name) * below.introspection), CEILING)
            return Measures(fields, 0, aliases, directives, 0, inside)
        factor = page_factor(node, field, variables=self._variables, default=self._page_size)
        cost = min(1 + factor * below.cost, CEILING)
        return Measures(fields, 1 + below.depth, aliases, directives, cost, below.introspection)


def _directives(node: object) -> int:
    return len(getattr(node, "directives", None) or ())


def _default_integers(definitions: tuple[VariableDefinitionNode, ...]) -> dict[str, str]:
    return {
        definition.variable.name.value: definition.default_value.value
        for definition in definitions
        if isinstance(definition.default_value, IntValueNode)
    }


def _innermost_first(
    selection_set: SelectionSetNode, fragments: Mapping[str, FragmentDefinitionNode]
) -> list[str]:
    """Names of the fragments reached, each after those it spreads; cycles are cut where they close."""
    order: list[str] = []
    met: set[str] = set()
    path = [("", iter(_spreads(selection_set)))]
    while path:
        name, spreads = path[-1]
        following = next((spread for spread in spreads if spread in fragments and spread not in met), None)
        if following is not None:
            met.add(following)
            path.append((following, iter(_spreads(fragments[following].selection_set))))
            continue
        path.pop()
        if name:
            order.append(name)
    return order


def _spreads(selection_set: SelectionSetNode) -> list[str]:
    found: list[str] = []
    pending = [selection_set]
    while pending:
        for selection in pending.pop().selections:
            if isinstance(selection, FragmentSpreadNode):
                found.append(selection.name.value)
            elif (
                isinstance(selection, FieldNode | InlineFragmentNode) and selection.selection_set is not None
            ):
                pending.append(selection.selection_set)
    return found
