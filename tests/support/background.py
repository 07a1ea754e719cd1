"""Background work that was given up, as rows for tests."""

from types import SimpleNamespace
from typing import Any

from sqlalchemy import insert

from app.db.database import Database
from app.db.ids import new_id
from app.db.models import Base, OutboxFact, WebhookEvent
from tests.support.factories import NOW


async def make_event(database: Database, **given: Any) -> Any:
    """An event of the payment provider, given up after the last attempt."""
    event = {
        "id": "evt_dead",
        "object": "event",
        "type": "charge.succeeded",
        "created": 1_795_000_000,
        "livemode": False,
        "data": {"object": {"id": "ch_1", "object": "charge"}},
    }
    defaults = {
        "stripe_event_id": "evt_dead",
        "event_type": "charge.succeeded",
        "object_id": "ch_1",
        "object_type": "charge",
        "payload": event,
        "status": "dead",
        "attempts": 20,
        "last_error": "RuntimeError: no luck",
        "received_at": NOW,
        "available_at": NOW,
        "processed_at": None,
        "livemode": False,
        "api_version": None,
        "happened_at": NOW,
    }
    return await _insert(database, WebhookEvent, {**defaults, **given})


async def make_job(database: Database, **given: Any) -> Any:
    """A job that was given up after the last attempt."""
    defaults = {
        "topic": "account.password_changed",
        "payload": {"user_id": "00000000-0000-0000-0000-000000000000"},
        "state": "dead",
        "attempts": 10,
        "last_error": "RuntimeError: no luck",
        "created_at": NOW,
        "available_at": NOW,
        "done_at": None,
        "unique_key": None,
    }
    return await _insert(database, OutboxFact, {**defaults, **given})


async def _insert(database: Database, model: type[Base], row: dict[str, Any]) -> SimpleNamespace:
    row = {"id": new_id(), **row}
    async with database.transaction() as connection:
        await connection.execute(insert(model).values(**row))
    return SimpleNamespace(**row)
