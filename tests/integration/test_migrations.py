"""The migrations: up, down and up again on both databases, and equal to the models."""

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, inspect

from app.db.database import Database
from app.db.migrate import current_revision, downgrade, head_revision, upgrade
from app.db.migrations.names import is_of_the_models
from app.db.models import Base


def _tables(connection: Connection) -> set[str]:
    return {name for name in inspect(connection).get_table_names() if is_of_the_models(name, "table", {})}


def _differences(connection: Connection) -> list[object]:
    context = MigrationContext.configure(
        connection, opts={"compare_type": True, "include_name": is_of_the_models}
    )
    return list(compare_metadata(context, Base.metadata))


async def test_models_and_migrations_are_equal(database: Database) -> None:
    async with database.transaction() as connection:
        assert await connection.run_sync(_differences) == []


async def test_every_migration_goes_down_and_up_again(database: Database) -> None:
    async with database.read() as connection:
        assert await current_revision(connection) == head_revision()
        before = await connection.run_sync(_tables)
    await downgrade(database)
    async with database.read() as connection:
        assert await current_revision(connection) is None
        assert await connection.run_sync(_tables) == {"alembic_version"}
    await upgrade(database)
    async with database.read() as connection:
        assert await current_revision(connection) == head_revision()
        assert await connection.run_sync(_tables) == before
        assert {"users", "usage_counters", "invoice_lines", "audit_log"} < before


async def test_migrating_twice_changes_nothing(database: Database) -> None:
    await upgrade(database)
    async with database.read() as connection:
        assert await current_revision(connection) == head_revision()
