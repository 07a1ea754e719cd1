"""Which errors does the API answer with, and in which words?"""

from typing import Any

DOCS = "https://docs.stripe.com/error-codes/"


class ApiError(Exception):
    """An error envelope with its HTTP status. `keeps` says that what happened before it stays stored."""

    def __init__(
        self,
        status: int,
        kind: str,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        keeps: bool = False,
        **facts: Any,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.keeps = keeps
        given = {"type": kind, "message": message, "code": code, "param": param, **facts}
        self.error = {name: value for name, value in given.items() if value is not None}
        if code:
            self.error["doc_url"] = DOCS + code.replace("_", "-")

    def envelope(self) -> dict[str, Any]:
        return {"error": self.error}


class ParameterError(ApiError):
    """Refused before anything was executed: an answer that no idempotency key remembers."""

    def __init__(self, message: str, *, param: str, code: str | None = None) -> None:
        super().__init__(400, "invalid_request_error", message, code=code, param=param)


class CardError(ApiError):
    """A payment that did not come about. The attempt itself stays recorded."""

    def __init__(self, message: str, *, code: str, decline_code: str | None = None, **facts: Any) -> None:
        super().__init__(
            402, "card_error", message, code=code, decline_code=decline_code, keeps=True, **facts
        )


def refused(message: str, *, code: str | None = None, param: str | None = None, **facts: Any) -> ApiError:
    return ApiError(400, "invalid_request_error", message, code=code, param=param, **facts)


def missing(kind: str, object_id: str, param: str | None) -> ApiError:
    """A missing object is 404 when the address names it and 400 when a parameter does."""
    name = kind.replace("invoiceitem", "invoice item").replace("_", " ").replace(".", " ")
    status = 400 if param else 404
    message = f"No such {name.lower()}: '{object_id}'"
    return ApiError(status, "invalid_request_error", message, code="resource_missing", param=param or "id")
