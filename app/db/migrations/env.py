"""Alembic's entry: migrates over the connection that ``app.db.migrate`` hands in."""

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext

from app.db.migrations.names import is_of_the_models
from app.db.models import Base
from app.db.models.base import UtcDateTime


def render_item(kind: str, item: Any, _: AutogenContext) -> str | Literal[False]:
    return "UtcDateTime()" if kind == "type" and isinstance(item, UtcDateTime) else False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
    render_item=render_item,
    include_name=is_of_the_models,
    compare_type=True,
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
