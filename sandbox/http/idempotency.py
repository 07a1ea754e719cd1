"""Was this request made before, and what was the answer?"""

import hashlib
from dataclasses import dataclass
from itertools import islice
from typing import Any

import orjson

from sandbox.errors import ApiError
from sandbox.periods import DAY

OTHER_PARAMETERS = (
    "Keys for idempotent requests can only be used with the same parameters they were first used "
    "with. Try using a "
    "key other than '{key}' if you meant to execute a different request."
)
IN_FLIGHT = (
    "There is currently another in-progress request using this Idempotent Key (that probably means "
    "you submitted "
    "twice, and the other request is still going through): {key}. Please try again later."
)


@dataclass
class Stored:
    """The first answer under a key. While `status` is 0 the request is still being executed."""

    fingerprint: str
    request: str
    at: int
    status: int = 0
    body: str = ""


class Keys:
    """The answers of the last 24 hours, by key."""

    def __init__(self) -> None:
        self._stored: dict[str, Stored] = {}

    def begin(
        self, key: str, method: str, path: str, params: Any, *, request: str, now: int
    ) -> Stored | None:
        """The stored answer; None when this is the first time, and the key is now taken."""
        self._forget(now)
        content = orjson.dumps([method, path, params], option=orjson.OPT_SORT_KEYS)
        fingerprint = hashlib.sha256(content).hexdigest()
        known = self._stored.get(key)
        if known is None:
            self._stored[key] = Stored(fingerprint, request, now)
            return None
        if known.fingerprint != fingerprint:
            raise ApiError(400, "idempotency_error", OTHER_PARAMETERS.format(key=key))
        if known.status == 0:
            message = IN_FLIGHT.format(key=key)
            raise ApiError(409, "idempotency_error", message, code="idempotency_key_in_use")
        return known

    def finish(self, key: str, status: int, body: bytes) -> None:
        self._stored[key].status, self._stored[key].body = status, body.decode()

    def release(self, key: str) -> None:
        """Nothing was executed: the key is free again."""
        self._stored.pop(key, None)

    def _forget(self, now: int) -> None:
        for key, stored in list(
            islice(self._stored.items(), 20)
        ):  # in order of age: the oldest stand in front
            if stored.at < now - DAY and stored.status:
                del self._stored[key]

    def clear(self) -> None:
        self._stored.clear()

    def as_dict(self) -> dict[str, Any]:
        return {key: vars(stored) for key, stored in self._stored.items() if stored.status}

    def restore(self, state: dict[str, Any]) -> None:
        self._stored = {key: Stored(**stored) for key, stored in state.items()}
