"""Races too narrow to be met by chance: each is brought about by hand, between two statements."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, insert, select

from app.db.database import Database
from app.db.ids import new_id
from app.db.models import UsageCounter, UsageReservation
from app.db.repositories import idempotency, reservations
from app.domain.plans import Resource
from app.services import housekeeping
from app.services.usage import drift
from tests.support.factories import NOW, make_user


async def test_an_idempotency_key_forgotten_while_it_is_asked_for_is_claimed_anew(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    user, results = await make_user(database), [new_id(), new_id()]
    told, found = idempotency._first, []

    async def forgotten_once(*given: Any) -> Any:
        found.append(await told(*given))
        if len(found) > 1:
            return found[-1]
        await given[0].execute(idempotency.IdempotencyKey.__table__.delete())
        return None

    monkeypatch.setattr(idempotency, "_first", forgotten_once)
    given = {"user_id": user.id, "operation": "o", "key": "k", "request_hash": "h" * 64, "now": NOW}
    async with database.transaction() as connection:
        claims = [await idempotency.claim(connection, **given, result_id=each) for each in results]
        again = await idempotency.claim(connection, **given, result_id=new_id())
    assert (claims, again) == ([None, None], results[1])


async def test_promises_beyond_one_batch_all_expire(database: Database) -> None:
    users = [await make_user(database) for _ in range(2)]
    held, period = 600, NOW - timedelta(days=1)
    async with database.transaction() as connection:
        for user in users:
            counter = {"user_id": user.id, "resource": Resource.API_CALL, "period_start": period}
            await connection.execute(insert(UsageCounter).values(**counter, used=0, reserved=held))
            promise = {**counter, "amount": 1, "state": "held", "created_at": period, "expires_at": NOW}
            await connection.execute(
                insert(UsageReservation), [{"id": new_id(), **promise} for _ in range(held)]
            )
    async with database.transaction() as connection:
        assert await reservations.expire(connection, now=NOW) == 500
    assert await housekeeping.expire_reservations(database=database, now=NOW) == 700
    async with database.read() as connection:
        assert (await connection.execute(select(func.sum(UsageCounter.reserved)))).scalar_one() == 0
    assert await drift(database=database) == []
