"""How does the text of a request become a checked operation, at the lowest price?"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Any

from graphql import (
    ASTValidationRule,
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
)

from app.engine.document_cache import DocumentCache
from app.engine.limits import Limits, check, require_few_values
from app.engine.measure import Measures
from app.engine.pages import page_sizes, page_variables
from app.engine.parsing import parse
from app.engine.root_fields import names_booleans, root_fields_of, select_operation
from app.engine.validation import find_errors

# A syntax tree with locations weighs about this much for each byte of its text.
BYTES_PER_BYTE_OF_TEXT = 250
# More combinations of them in one document are measured each time instead of kept.
MAX_PAGE_SIZES = 100


@dataclass(frozen=True)
class Checked:
    """A document within the limits; it may be executed when `errors` is empty.

    It is kept with the document, and with it what only depends on both.
    """

    document: DocumentNode
    operation_name: str | None
    measures: Measures
    errors: Sequence[GraphQLError] = ()

    @cached_property
    def operation(self) -> OperationDefinitionNode | None:
        return select_operation(self.document, self.operation_name)

    def root_fields(self, variables: Mapping[str, Any]) -> tuple[str, ...]:
        """Of the operation with these coerced variables; see `root_fields_of`."""
        if self._fixed_root_fields is not None or self.operation is None:
            return self._fixed_root_fields or ()
        return tuple(root_fields_of(self.document, self.operation, variables=variables))

    @cached_property
    def _fixed_root_fields(self) -> tuple[str, ...] | None:
        """None where a variable may decide about them."""
        if self.operation is None or names_booleans(self.operation):
            return None
        return tuple(root_fields_of(self.document, self.operation, variables={}))


class Known:
    """A valid document with what was measured of it: its cost depends on the pages that variables ask for."""

    def __init__(self, document: DocumentNode) -> None:
        self.document = document
        named = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
        self.operations = {None, *(node.name.value for node in named if node.name)}
        self.page_variables = page_variables(document)
        self.checked: dict[Hashable, Checked] = {}

    def key(self, operation_name: str | None, variables: Mapping[str, Any]) -> Hashable | None:
        sizes = page_sizes(self.page_variables, variables)
        return None if sizes is None or operation_name not in self.operations else (operation_name, sizes)


class Documents:
    """Parses, measures and validates, in this order, and remembers which texts were valid."""

    def __init__(
        self,
        schema: GraphQLSchema,
        *,
        limits: Limits,
        further_rules: Sequence[type[ASTValidationRule]] = (),
        hide_suggestions: bool = False,
        cache: DocumentCache[Known] | None = None,
    ) -> None:
        self.schema = schema
        self.limits = limits
        self.further_rules = tuple(further_rules)
        self.hide_suggestions = hide_suggestions
        self.cache: DocumentCache[Known] = DocumentCache() if cache is None else cache

    def check(self, text: str, *, variables: Mapping[str, Any], operation_name: str | None) -> Checked:
        """Raises LimitExceeded and GraphQLSyntaxError; what validation finds is in `errors`."""
        key = _key(text) if len(text) <= self.limits.text else None
        known = self.cache.get(key) if key else None
        if known is not None:
            return self._check_known(known, variables, operation_name)
        document = parse(text, self.limits)
        measures = self._measure(document, variables, operation_name)
        errors = find_errors(
            document,
            schema=self.schema,
            further_rules=self.further_rules,
            hide_suggestions=self.hide_suggestions,
        )
        if not errors and key:
            self.cache.offer(key, Known(document), size=len(text) * BYTES_PER_BYTE_OF_TEXT)
        return Checked(document, operation_name, measures, tuple(errors))

    def _check_known(self, known: Known, variables: Mapping[str, Any], operation_name: str | None) -> Checked:
        require_few_values(variables, self.limits)
        key = known.key(operation_name, variables)
        checked = known.checked.get(key) if key is not None else None
        if checked is None:
            measures = self._measure(known.document, variables, operation_name)
            checked = Checked(known.document, operation_name, measures)
            if key is not None and len(known.checked) < MAX_PAGE_SIZES:
                known.checked[key] = checked
        return checked

    def _measure(
        self, document: DocumentNode, variables: Mapping[str, Any], operation_name: str | None
    ) -> Measures:
        return check(
            document,
            schema=self.schema,
            variables=variables,
            operation_name=operation_name,
            limits=self.limits,
        )


def _key(text: str) -> bytes:
    return sha256(text.encode("utf-8", "surrogatepass")).digest()
