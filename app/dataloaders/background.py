"""Background work by id."""

from sqlalchemy import select

from app.dataloaders.by_id import rows_by_id
from app.dataloaders.loader import LoaderGroup
from app.db.models import OutboxFact, WebhookEvent
from app.db.repositories.outbox import JOB
from app.db.repositories.webhook_events import EVENT


class BackgroundLoaders(LoaderGroup):
    webhook_events = rows_by_id(select(*EVENT), WebhookEvent.id)
    jobs = rows_by_id(select(*JOB), OutboxFact.id)
