"""How does Strawberry execute a document that is parsed and valid already?"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from graphql import DocumentNode
from strawberry.extensions import SchemaExtension

_prepared: ContextVar[DocumentNode | None] = ContextVar("prepared_document", default=None)


class PreparedDocument(SchemaExtension):
    """Belongs first in the schema's extensions; without a prepared document it changes nothing."""

    LEAVES_VALID_DOCUMENTS = True

    def on_parse(self) -> Iterator[None]:
        self.document = _prepared.get()
        # A resolver may execute a document of its own, and this one is not it.
        _prepared.set(None)
        self.execution_context.graphql_document = self.document
        yield

    def on_validate(self) -> Iterator[None]:
        if self.document is not None:
            # Strawberry validates only while this is None.
            self.execution_context.pre_execution_errors = []
        yield


@contextmanager
def prepared(document: DocumentNode) -> Iterator[None]:
    token = _prepared.set(document)
    try:
        yield
    finally:
        _prepared.reset(token)
