"""Is everything here as it is at the provider? What is not is mended and told.

The events of the last 30 days that never arrived are looked for. Then objects are compared: those that these
events are about, those that were made lately, whoever made them, and those that something may still happen
to. Last the events are put into the inbox, where they find everything as it should be. Together that brings
the database to the right state when every webhook was lost, and tells what was otherwise. One is at work at a
time, whoever began it; a killed one's lease ends by itself.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.repositories import audit, reconciliation, webhook_events
from app.domain.payments import WebhookStatus
from app.domain.settlement import Kind, Target
from app.domain.webhooks import Event, read_event
from app.ports.provider import Noun
from app.settlement import leases, syncing
from app.settlement.events import targets_of
from app.settlement.tools import Tools

AT_ONCE = 8
LEASE_NAME = "reconciliation"
PAUSE_SECONDS = 5.0
"""Between looks whether another one has ended."""
ORDER = (Kind.CUSTOMER, Kind.SUBSCRIPTION, Kind.INVOICE, Kind.PAYMENT, Kind.ACCOUNT, Kind.TRANSFER)
"""What is referred to comes before what refers to it: an invoice begins the rows of its payments."""
NAMED: dict[Noun, tuple[Kind, str]] = {
    "customers": (Kind.CUSTOMER, "id"),
    "subscriptions": (Kind.SUBSCRIPTION, "id"),
    "payment_intents": (Kind.PAYMENT, "id"),
    "refunds": (Kind.PAYMENT, "payment_intent"),
    "disputes": (Kind.PAYMENT, "payment_intent"),
    "invoices": (Kind.INVOICE, "id"),
    "transfers": (Kind.TRANSFER, "id"),
}
"""By noun of the provider's: which object it belongs to, and where its id stands."""
Step = Callable[[int, int, str], None]
"""(done, of how many, the last one's name)"""


@dataclass(frozen=True)
class Drift:
    """One thing that was otherwise here; ``now`` is what it was made, or would be."""

    kind: Kind
    object_id: str
    what: str
    before: Any
    now: Any


@dataclass
class Report:
    """``failed``: objects that could not be compared, with the reason."""

    missed: list[Event] = field(default_factory=list)
    compared: Counter[Kind] = field(default_factory=Counter)
    drifts: list[Drift] = field(default_factory=list)
    failed: dict[Target, str] = field(default_factory=dict)

    def drifted(self) -> dict[Kind, int]:
        """How many objects were otherwise, by kind."""
        objects = {(drift.kind, drift.object_id) for drift in self.drifts}
        return {kind: sum(each == kind for each, _ in objects) for kind in ORDER}


class AlreadyRunning(Exception):
    """Another reconciliation is at work: both would tell of what one of them mends."""


class Interrupted(Exception):
    """It could not say in time that it was still at work, and another one may have begun since."""


class _Rehearsed(Exception):
    """Takes what was applied back."""


async def run(
    tools: Tools,
    *,
    since: datetime,
    dry_run: bool,
    on_progress: Step | None = None,
    act_on_events: Callable[[], Awaitable[None]] | None = None,
    waits: timedelta = timedelta(0),
) -> Report:
    """``act_on_events``: does at once what the worker would do about events that were missed.

    ``dry_run``: changes nothing, and tells what would be changed. ``waits``: so long for another one to end.
    Raises AlreadyRunning, Interrupted, and ProviderError where its lists cannot be read; a single object that
    cannot be is told in the report.
    """
    holding: dict[str, Any] = {"clock": tools.clock, "lasts": tools.lease}
    try:
        lease = await leases.take(
            tools.database, LEASE_NAME, **holding, waits=waits, pause_seconds=PAUSE_SECONDS
        )
    except leases.Busy:
        raise AlreadyRunning from None
    try:
        async with leases.kept(tools.database, lease, **holding):
            return await _run(tools, since, dry_run, on_progress, act_on_events)
    except TimeoutError as error:
        raise Interrupted from error


async def _run(
    tools: Tools,
    since: datetime,
    dry_run: bool,
    on_progress: Step | None,
    act_on_events: Callable[[], Awaitable[None]] | None,
) -> Report:
    report = Report(missed=await _missed_events(tools, since=since))
    try:
        targets = await _targets(tools, report.missed, since=since)
        await _compare_all(tools, report, targets, dry_run=dry_run, step=on_progress)
    finally:  # where a list cannot be read, the events still say what to look at
        if not dry_run:
            await _store(tools, report.missed)
    if not dry_run:
        if act_on_events is not None:
            await act_on_events()
        await _note(tools, report)
    return report


async def _missed_events(tools: Tools, *, since: datetime) -> list[Event]:
    """The oldest first."""
    missed: list[Event] = []
    async for page in tools.provider.history.pages("events", since=since):
        events = [read_event(told) for told in page]
        async with tools.database.read() as connection:
            known = await webhook_events.known(connection, [event.id for event in events])
        missed += [event for event in events if event.id not in known]
    return missed[::-1]


async def _store(tools: Tools, missed: Sequence[Event]) -> None:
    for begin in range(0, len(missed), 100):
        batch = [(event, WebhookStatus.RECEIVED) for event in missed[begin : begin + 100]]
        async with tools.database.transaction() as connection:
            await webhook_events.add(connection, batch, now=tools.clock())


async def _targets(tools: Tools, missed: Sequence[Event], *, since: datetime) -> list[Target]:
    found = {target for event in missed for target in targets_of(event)}
    async with tools.database.read() as connection:
        found |= await reconciliation.unfinished(connection)
    for noun, (kind, place) in NAMED.items():
        async for page in tools.provider.history.pages(noun, since=since):
            ids = [syncing.object_id(told.get(place)) for told in page]
            found |= {Target(kind, object_id) for object_id in ids if object_id}
    followed = [target for target in found if target.kind in syncing.FOLLOWINGS]
    return sorted(followed, key=lambda target: (ORDER.index(target.kind), target.object_id))


async def _compare_all(
    tools: Tools, report: Report, targets: Sequence[Target], *, dry_run: bool, step: Step | None
) -> None:
    done, at_once = 0, asyncio.Semaphore(AT_ONCE)

    async def compare(target: Target) -> None:
        nonlocal done
        async with at_once:
            try:
                report.drifts += await _compare(tools, target, dry_run=dry_run)
            except Exception as error:  # noqa: BLE001 - one object must not keep the others from being compared
                report.failed[target] = f"{type(error).__name__}: {error}"
        report.compared[target.kind] += 1
        done += 1
        if step is not None:
            step(done, len(targets), target.object_id)

    for kind in ORDER:
        await asyncio.gather(*(compare(target) for target in targets if target.kind is kind))
    report.drifts.sort(key=lambda drift: (ORDER.index(drift.kind), drift.object_id, drift.what))


async def _compare(tools: Tools, target: Target, *, dry_run: bool) -> list[Drift]:
    drifts: list[Drift] = []
    async with tools.database.read() as connection:
        before = await reconciliation.standing(connection, target)

    async def look(connection: AsyncConnection) -> None:
        now = await reconciliation.standing(connection, target)
        drifts.extend(
            Drift(target.kind, target.object_id, what, before.get(what), now.get(what))
            for what in sorted(before.keys() | now.keys())
            if before.get(what) != now.get(what)
        )
        if dry_run:
            raise _Rehearsed

    with suppress(_Rehearsed):
        await syncing.sync(tools, target, finish=look)
    return drifts


async def _note(tools: Tools, report: Report) -> None:
    """Where every process's metrics find it, however the reconciliation was begun."""
    async with tools.database.transaction() as connection:
        await audit.note(
            connection,
            "reconcile",
            actor_id=None,
            subject_id=reconciliation.SUBJECT,
            now=tools.clock(),
            missed=len(report.missed),
            drifted=report.drifted(),
            failed=len(report.failed),
        )
