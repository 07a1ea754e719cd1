"""Which reported events can count at all?"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from app.domain.errors import DomainError, InvalidInput
from app.domain.plans import Kind, Resource

MAX_EVENTS = 1000
MAX_AMOUNT = 10**9
MAX_EVENT_ID_LENGTH = 255
MAX_AGE = timedelta(days=35)
MAX_SKEW = timedelta(minutes=5)


class Outcome(StrEnum):
    RECORDED = "recorded"
    DUPLICATE = "duplicate"
    REFUSED = "refused"


@dataclass(frozen=True)
class ReportedEvent:
    """What another service states; ``user_id`` None where it named no account's id."""

    event_id: str
    user_id: UUID | None
    resource: Resource
    amount: int
    occurred_at: datetime


@dataclass(frozen=True)
class EventResult:
    """``error`` says why a REFUSED event was not stored."""

    event_id: str
    outcome: Outcome
    error: DomainError | None = None


def check_event(event: ReportedEvent, *, now: datetime) -> None:
    """Raises InvalidInput for what no account's state can make right."""
    if not 1 <= len(event.event_id) <= MAX_EVENT_ID_LENGTH or not event.event_id.isprintable():
        raise InvalidInput("eventId", f"An event id has 1 to {MAX_EVENT_ID_LENGTH} printable characters.")
    if event.user_id is None:
        raise InvalidInput("userId", "'userId' is not the id of a User.")
    if event.resource.kind is Kind.GAUGE:
        raise InvalidInput(
            "resource", f"{event.resource.name} is measured by the server and cannot be reported."
        )
    if not 1 <= event.amount <= MAX_AMOUNT:
        raise InvalidInput("amount", f"An amount is from 1 to {MAX_AMOUNT}.")
    if event.occurred_at - now > MAX_SKEW:
        raise InvalidInput("occurredAt", "This event lies in the future: check the clocks.")
    if now - event.occurred_at > MAX_AGE:
        raise InvalidInput(
            "occurredAt", f"This event is older than {MAX_AGE.days} days: its month is closed."
        )


def counting_moment(event: ReportedEvent, *, created_at: datetime, anchor_at: datetime) -> datetime:
    """The moment whose month the event counts in: none before the account's first, which would be one more.

    Raises InvalidInput for an event from before the account was.
    """
    if created_at - event.occurred_at > MAX_SKEW:
        raise InvalidInput("occurredAt", "This event is older than its account: check the id and the clocks.")
    return max(event.occurred_at, anchor_at)


def waves(events: list[ReportedEvent], *, size: int) -> list[list[int]]:
    """The events' positions in groups of ``size`` at most, in which no event id stands twice.

    The repetitions of an id come in later groups, in their order.
    """
    nth_of_id: dict[str, int] = {}
    rounds: list[list[int]] = []
    for position, event in enumerate(events):
        nth = nth_of_id.get(event.event_id, 0)
        nth_of_id[event.event_id] = nth + 1
        if nth == len(rounds):
            rounds.append([])
        rounds[nth].append(position)
    return [found[at : at + size] for found in rounds for at in range(0, len(found), size)]
