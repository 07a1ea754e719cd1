"""Housekeeping: what has had its time is given back or forgotten.

Each use case may run in every process at once and at any time: it does nothing that is not due.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from app.db.database import Database
from app.db.repositories import (
    api_keys,
    expiries,
    outbox,
    reservations,
    sessions,
    sign_in_guards,
    tier_quotes,
)
from app.db.repositories.reservations import EXPIRED_AT_ONCE
from app.domain.lockout import LOCK
from app.domain.outbox import Topic, slot_key
from app.ports import LastUsed

IDEMPOTENCY_KEYS_KEPT = timedelta(days=30)
DONE_FACTS_KEPT = timedelta(days=30)
KEYED_FACTS_KEPT = timedelta(days=400)
"""Done facts with a unique key: while they are kept, nothing states them again."""
EVENTS_KEPT = timedelta(days=90)
"""Events that were acted on: three times as long as the provider tells of them."""
QUOTES_KEPT = timedelta(days=30)


async def write_last_used(*, database: Database, last_used: LastUsed) -> None:
    """Writes down which API keys were used; what cannot be written is noted again."""
    used = last_used.take()
    if not used:
        return
    try:
        async with database.transaction() as connection:
            await api_keys.mark_used(connection, used)
    except BaseException:
        for key_id, at in used.items():
            last_used.note(key_id, at)
        raise


async def expire_reservations(*, database: Database, now: datetime) -> int:
    """Gives promised usage back that was neither used nor given back in time; how many promises."""
    total, expired = 0, EXPIRED_AT_ONCE
    while expired == EXPIRED_AT_ONCE:
        async with database.transaction() as connection:
            expired = await reservations.expire(connection, now=now)
        total += expired
    return total


async def state_schedules(*, database: Database, schedules: Mapping[Topic, timedelta], now: datetime) -> None:
    """States each schedule's fact of this slot, unless some process has."""
    keys = {slot_key(topic, every, now=now): topic for topic, every in schedules.items()}
    async with database.read() as connection:
        known = await outbox.known_keys(connection, keys)
    for key, topic in keys.items():
        if key not in known:
            async with database.transaction() as connection:
                await outbox.add(connection, topic, {}, now=now, key=key)


async def prune(*, database: Database, now: datetime) -> None:
    """Forgets ended sessions and links, failures that lock nobody any more, old keys, facts, quotes."""
    async with database.transaction() as connection:
        await sessions.prune(connection, before=now)
        await sign_in_guards.prune(connection, before=now - LOCK)
        await expiries.forget_idempotency_keys(connection, before=now - IDEMPOTENCY_KEYS_KEPT)
        await expiries.forget_done_facts(
            connection, before=now - DONE_FACTS_KEPT, keyed_before=now - KEYED_FACTS_KEPT
        )
        await expiries.forget_settled_events(connection, before=now - EVENTS_KEPT)
        await expiries.forget_ended_leases(connection, before=now)
        await tier_quotes.forget(connection, before=now - QUOTES_KEPT)
