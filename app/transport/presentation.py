"""How do errors of GraphQL itself read in a response?"""

from typing import Any

from graphql import GraphQLError

from app.transport.refusal import describe

INTERNAL = "INTERNAL_SERVER_ERROR"


def present_request_error(error: GraphQLError, code: str) -> dict[str, Any]:
    """An error found before execution: syntax, validation, coercion of variables."""
    locations = [{"line": at.line, "column": at.column} for at in error.locations or ()]
    return describe(error.message, code=code, locations=locations)


def present_field_error(error: GraphQLError, request_id: str) -> dict[str, Any]:
    """An error of a resolver: shown when it was raised as a GraphQLError, else masked with the request id.

    The hook of an application translates the exceptions it knows and leaves all others to this function.
    """
    shown: dict[str, Any] = {"message": error.message}
    facts: dict[str, Any] = {"code": INTERNAL, **(error.extensions or {})}
    if not isinstance(error.original_error, GraphQLError | None):
        shown = {"message": f"Something went wrong on our side. Quote the request id {request_id}."}
        facts = {"code": INTERNAL, "requestId": request_id}
    if error.locations:
        shown["locations"] = [location.formatted for location in error.locations]
    if error.path is not None:
        shown["path"] = error.path
    return {**shown, "extensions": facts}
