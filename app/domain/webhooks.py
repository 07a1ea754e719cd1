"""What is an event of the payment provider, and how often is acting on one tried?"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

TOLERANCE = timedelta(minutes=5)
"""How far the moment of a signature may lie from ours, before and after."""
MAX_ATTEMPTS = 20
"""Over about nine hours: an outage of the provider for a night makes no dead letter."""
_NAME = re.compile(r"[!-~]{1,100}", re.ASCII)
_ID = re.compile(r"[!-~]{1,255}", re.ASCII)


class MalformedEvent(ValueError):
    """No event that could be acted on: a sentence that says why."""


@dataclass(frozen=True)
class Event:
    """One thing that happened at the provider, once read.

    ``payload`` is the whole event as it came. It tells *which* objects to look at and nothing else.
    """

    id: str
    type: str
    happened_at: datetime
    livemode: bool
    api_version: str | None
    object_id: str | None
    object_type: str | None
    payload: Mapping[str, Any]

    @property
    def object(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.payload["data"]["object"]
        return found

    @property
    def earlier(self) -> Mapping[str, Any]:
        """What the changed fields of the object held before."""
        found = self.payload["data"].get("previous_attributes")
        return found if isinstance(found, Mapping) else {}


def read_event(payload: Any) -> Event:
    """Raises MalformedEvent."""
    if not isinstance(payload, dict) or payload.get("object") != "event":
        raise MalformedEvent("This is not an event with its object.")
    data = payload.get("data")
    if not isinstance(data, dict) or not isinstance(data.get("object"), dict):
        raise MalformedEvent("The event has no object in data.object.")
    livemode = payload.get("livemode")
    if not isinstance(livemode, bool):
        raise MalformedEvent("livemode is missing.")
    return Event(
        id=_required(payload, "id", _ID),
        type=_required(payload, "type", _NAME),
        happened_at=_moment(payload.get("created")),
        livemode=livemode,
        api_version=_optional(payload, "api_version", 64),
        object_id=_optional(data["object"], "id", 255),
        object_type=_optional(data["object"], "object", 64),
        payload=payload,
    )


def _required(given: Mapping[str, Any], name: str, pattern: re.Pattern[str]) -> str:
    value = given.get(name)
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise MalformedEvent(f"{name} is missing, or no name.")
    return value


def _optional(given: Mapping[str, Any], name: str, longest: int) -> str | None:
    value = given.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > longest or not _ID.fullmatch(value):
        raise MalformedEvent(f"{name} is no name.")
    return value


def _moment(seconds: Any) -> datetime:
    if not isinstance(seconds, int) or isinstance(seconds, bool):
        raise MalformedEvent("created is no moment in seconds.")
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        raise MalformedEvent("created is no moment in seconds.") from None
