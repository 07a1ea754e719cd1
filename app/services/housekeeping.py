"""Housekeeping: what has had its time is given back or forgotten.

Each use case may run in every process at once and at any time: it does nothing that is not due.
"""

from datetime import datetime, timedelta

from app.db.database import Database
from app.db.repositories import api_keys, expiries, reservations, sessions, sign_in_guards
from app.domain.lockout import LOCK
from app.ports import LastUsed

IDEMPOTENCY_KEYS_KEPT = timedelta(days=30)
DONE_FACTS_KEPT = timedelta(days=30)


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
    async with database.transaction() as connection:
        return await reservations.expire(connection, now=now)


async def prune(*, database: Database, now: datetime) -> None:
    """Forgets ended sessions and links, failures that lock nobody any more, old keys and facts."""
    async with database.transaction() as connection:
        await sessions.prune(connection, before=now)
        await sign_in_guards.prune(connection, before=now - LOCK)
        await expiries.forget_idempotency_keys(connection, before=now - IDEMPOTENCY_KEYS_KEPT)
        await expiries.forget_done_facts(connection, before=now - DONE_FACTS_KEPT)
