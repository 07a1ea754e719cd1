"""How does the text of a request become a checked operation, at the lowest price?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from graphql import ASTValidationRule, DocumentNode, GraphQLError, GraphQLSchema

from app.engine.document_cache import DocumentCache
from app.engine.limits import Limits, check
from app.engine.measure import Measures
from app.engine.parsing import parse
from app.engine.validation import find_errors

# A syntax tree with locations weighs about this much for each byte of its text.
BYTES_PER_BYTE_OF_TEXT = 250


@dataclass(frozen=True, slots=True)
class Checked:
    """A document within the limits; it may be executed when `errors` is empty."""

    document: DocumentNode
    measures: Measures
    errors: Sequence[GraphQLError] = ()


class Documents:
    """Parses, measures and validates, in this order, and remembers which texts were valid."""

    def __init__(
        self,
        schema: GraphQLSchema,
        *,
        limits: Limits,
        further_rules: Sequence[type[ASTValidationRule]] = (),
        hide_suggestions: bool = False,
        cache: DocumentCache[DocumentNode] | None = None,
    ) -> None:
        self.schema = schema
        self.limits = limits
        self.further_rules = tuple(further_rules)
        self.hide_suggestions = hide_suggestions
        self.cache: DocumentCache[DocumentNode] = DocumentCache() if cache is None else cache

    def check(self, text: str, *, variables: Mapping[str, Any], operation_name: str | None) -> Checked:
        """Raises LimitExceeded and GraphQLSyntaxError; what validation finds is in `errors`."""
        key = _key(text) if len(text) <= self.limits.text else None
        known = self.cache.get(key) if key else None
        document = known or parse(text, self.limits)
        # Measured on every request, as the cost depends on the variables.
        measures = check(
            document,
            schema=self.schema,
            variables=variables,
            operation_name=operation_name,
            limits=self.limits,
        )
        if known is not None:
            return Checked(document, measures)
        errors = find_errors(
            document,
            schema=self.schema,
            further_rules=self.further_rules,
            hide_suggestions=self.hide_suggestions,
        )
        if not errors and key:
            self.cache.offer(key, document, size=len(text) * BYTES_PER_BYTE_OF_TEXT)
        return Checked(document, measures, tuple(errors))


def _key(text: str) -> bytes:
    return sha256(text.encode("utf-8", "surrogatepass")).digest()
