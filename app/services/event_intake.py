"""Stores events, those that arrive at once by one transaction; each is answered after its commit.

A commit costs the same for one event as for a hundred, and on SQLite only one writer commits at a time. So
while a transaction is under way the next events gather, and no one waits for company.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.exc import DataError, DBAPIError, StatementError

from app.db.database import Database
from app.db.repositories import webhook_events
from app.domain.payments import WebhookStatus
from app.domain.webhooks import Event, MalformedEvent

BATCH = 100
MOST_WAITING = 5_000
SECONDS = 5.0


class TooMany(Exception):
    """More events wait to be stored than the database will take soon."""


@dataclass(frozen=True, eq=False)
class _Wish:
    event: Event
    status: WebhookStatus
    stored: "asyncio.Future[bool]"


class Storing:
    """``on_stored`` is called after every commit."""

    def __init__(
        self, database: Database, *, clock: Callable[[], datetime], on_stored: Callable[[], None]
    ) -> None:
        self._database = database
        self._clock = clock
        self._on_stored = on_stored
        self._waiting: list[_Wish] = []
        self._storing: asyncio.Task[None] | None = None

    async def store(self, event: Event, status: WebhookStatus) -> bool:
        """Returns after the commit: whether the event is new.

        Raises MalformedEvent for what the database cannot hold, TooMany, and what the database raises.
        """
        if len(self._waiting) >= MOST_WAITING:
            raise TooMany
        wish = _Wish(event, status, asyncio.get_running_loop().create_future())
        self._waiting.append(wish)
        if self._storing is None:
            self._storing = asyncio.create_task(self._store_all())
        return await wish.stored

    async def _store_all(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
                await self._answer(batch)
        finally:
            self._storing = None

    async def _answer(self, batch: Sequence[_Wish]) -> None:
        try:
            new = await self._write(batch)
        except Exception as error:  # noqa: BLE001 - whatever it is, whoever waits must hear it
            if len(batch) > 1 and _is_about_a_row(error):
                for wish in batch:
                    await self._answer([wish])
                return
            told = MalformedEvent("The event cannot be stored.") if _is_about_a_row(error) else error
            for wish in batch:
                _end(wish, told)
            return
        for wish in batch:
            _end(wish, wish.event.id in new)
            new.discard(wish.event.id)  # of two equal ones in a batch, one is new
        self._on_stored()

    async def _write(self, batch: Sequence[_Wish]) -> set[str]:
        async with asyncio.timeout(SECONDS), self._database.transaction() as connection:
            rows = [(wish.event, wish.status) for wish in batch]
            return await webhook_events.add(connection, rows, now=self._clock())


def _end(wish: _Wish, outcome: bool | Exception) -> None:
    if wish.stored.done():  # whoever sent it has gone
        return
    if isinstance(outcome, Exception):
        wish.stored.set_exception(outcome)
    else:
        wish.stored.set_result(outcome)


def _is_about_a_row(error: Exception) -> bool:
    """What a value cannot be, not what the database cannot do now: such as text nested too deeply."""
    return isinstance(error, DataError) or (
        isinstance(error, StatementError) and not isinstance(error, DBAPIError)
    )
