"""How does anything on the way of a request say no, and what does the client read then?"""

from collections.abc import Mapping, Sequence
from typing import Any

from app.engine.limits import LimitExceeded

MAX_MESSAGE_LENGTH = 1_000


class Refusal(Exception):
    """The request gets no data: `errors` are what the client reads, `status` and `headers` how it is sent.

    Hooks raise it with the code and the facts of one error; `facts` stand beside the code.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str,
        status: int = 400,
        facts: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.status = status
        self.headers = dict(headers or {})
        self.errors: list[dict[str, Any]] = [describe(message, code=code, facts=facts)]

    @classmethod
    def of_errors(cls, errors: Sequence[dict[str, Any]], *, code: str, status: int = 400) -> "Refusal":
        refusal = cls(errors[0]["message"], code=code, status=status)
        refusal.errors = list(errors)
        return refusal

    @classmethod
    def of_limit(cls, error: LimitExceeded) -> "Refusal":
        facts = {"name": error.name, "limit": error.limit, "actual": error.actual}
        return cls(str(error), code="LIMIT_EXCEEDED", facts=facts)


def describe(
    message: str,
    *,
    code: str,
    facts: Mapping[str, Any] | None = None,
    locations: Sequence[Mapping[str, int]] | None = None,
) -> dict[str, Any]:
    """One entry of `errors`; a message that quotes the request is cut, so that answers stay small."""
    error: dict[str, Any] = {"message": _cut(message)}
    if locations:
        error["locations"] = list(locations)
    return {**error, "extensions": {**(facts or {}), "code": code}}


def _cut(message: str) -> str:
    return message if len(message) <= MAX_MESSAGE_LENGTH else message[: MAX_MESSAGE_LENGTH - 1] + "…"
