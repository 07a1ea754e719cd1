"""Which root fields will an operation run, and how often?"""

from collections.abc import Mapping
from typing import Any

from graphql import (
    BooleanValueNode,
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    NamedTypeNode,
    NonNullTypeNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    VariableNode,
)


def root_fields(
    document: DocumentNode, operation_name: str | None, variables: Mapping[str, Any] | None = None
) -> list[str]:
    """Names of the root fields that the operation runs, one entry for each response key, in document order.

    `{ a: me  b: me }` runs `me` twice; `{ me me }` runs it once, as execution merges equal keys. A field
    counts as skipped only when `@skip` or `@include` says so by a literal or by the value of its variable;
    with `variables` None nothing counts as skipped. Empty when no operation is selected.
    """
    operation = select_operation(document, operation_name)
    return root_fields_of(document, operation, variables=variables) if operation else []


def select_operation(document: DocumentNode, operation_name: str | None) -> OperationDefinitionNode | None:
    """The operation of that name, or the only one when no name is given; else None."""
    operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    if operation_name is None:
        return operations[0] if len(operations) == 1 else None
    return next((node for node in operations if node.name and node.name.value == operation_name), None)


def root_fields_of(
    document: DocumentNode, operation: OperationDefinitionNode, *, variables: Mapping[str, Any] | None
) -> list[str]:
    fragments = {
        definition.name.value: definition
        for definition in document.definitions
        if isinstance(definition, FragmentDefinitionNode)
    }
    known = None if variables is None else {**_defaults(operation), **variables}
    found: dict[str, str] = {}
    _collect(operation.selection_set, fragments, known, found)
    return list(found.values())


def names_booleans(operation: OperationDefinitionNode) -> bool:
    """Whether it has variables that can stand in `@skip(if:)` or `@include(if:)`."""
    types = [definition.type for definition in operation.variable_definitions or ()]
    named = [type_.type if isinstance(type_, NonNullTypeNode) else type_ for type_ in types]
    return any(isinstance(type_, NamedTypeNode) and type_.name.value == "Boolean" for type_ in named)


def _defaults(operation: OperationDefinitionNode) -> dict[str, bool]:
    return {
        definition.variable.name.value: definition.default_value.value
        for definition in operation.variable_definitions or ()
        if isinstance(definition.default_value, BooleanValueNode)
    }


def _collect(
    selection_set: SelectionSetNode,
    fragments: Mapping[str, FragmentDefinitionNode],
    variables: Mapping[str, Any] | None,
    found: dict[str, str],
) -> None:
    # Execution enters a named fragment once for one selection set: this pass is linear and ends on cycles.
    entered: set[str] = set()
    pending: list[SelectionNode] = list(reversed(selection_set.selections))
    while pending:
        selection = pending.pop()
        if variables is not None and _is_skipped(selection.directives or (), variables):
            continue
        if isinstance(selection, FieldNode):
            found.setdefault((selection.alias or selection.name).value, selection.name.value)
        if isinstance(selection, InlineFragmentNode):
            pending.extend(reversed(selection.selection_set.selections))
        if isinstance(selection, FragmentSpreadNode) and selection.name.value not in entered:
            entered.add(selection.name.value)
            if fragment := fragments.get(selection.name.value):
                pending.extend(reversed(fragment.selection_set.selections))


def _is_skipped(directives: tuple[DirectiveNode, ...], variables: Mapping[str, Any]) -> bool:
    for directive in directives:
        refuses = {"skip": True, "include": False}.get(directive.name.value)
        if refuses is not None and _condition(directive, variables) is refuses:
            return True
    return False


def _condition(directive: DirectiveNode, variables: Mapping[str, Any]) -> object:
    for argument in directive.arguments or ():
        if argument.name.value == "if":
            if isinstance(argument.value, BooleanValueNode):
                return argument.value.value
            if isinstance(argument.value, VariableNode):
                return variables.get(argument.value.name.value)
    return None
