"""What may the application do on the way of an operation?"""

from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from graphql import DocumentNode, GraphQLError, OperationType
from starlette.requests import Request
from strawberry.types import ExecutionResult

from app.engine.measure import Measures

Context = TypeVar("Context")


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """A valid operation within the limits, with its variables coerced, about to be executed."""

    document: DocumentNode
    name: str | None
    kind: OperationType
    # One name for each root field that will run: aliases multiply, skipped fields are left out.
    root_fields: tuple[str, ...]
    variables: dict[str, Any]
    measures: Measures


@dataclass(frozen=True, slots=True)
class Extras:
    """What hooks add to the response, also to one that a later hook refuses."""

    headers: dict[str, str] = field(default_factory=dict)
    extensions: dict[str, Any] = field(default_factory=dict)


class Hooks(Protocol[Context]):
    """Called in this order; the first two may raise Refusal, anything else they raise is a defect."""

    async def get_context(self, request: Request) -> Context:
        """Who asks, and what resolvers may see; a Refusal keeps its status for every media type."""
        ...

    async def before_execute(self, context: Context, operation: Operation, extras: Extras) -> None:
        """Quotas and rates."""
        ...

    def present_error(self, error: GraphQLError, request_id: str) -> dict[str, Any]:
        """One error of execution as the client reads it; see present_field_error."""
        ...

    async def finish(
        self, context: Context, operation: Operation | None, result: ExecutionResult | None, extras: Extras, /
    ) -> None:
        """Always called after get_context, whatever happened: without an operation when it was refused before
        there was one, without a result when it did not run to its end."""
        ...
