"""How the schema of the database gets from one revision to another, and which one it has."""

from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.database import Database

_SCRIPTS = Path(__file__).parent / "migrations"
_LOCK = 7_265_766  # any number: PostgreSQL's advisory locks are named by numbers


async def upgrade(database: Database, revision: str = "head") -> None:
    await _run(database, lambda config: command.upgrade(config, revision))


async def downgrade(database: Database, revision: str = "base") -> None:
    await _run(database, lambda config: command.downgrade(config, revision))


async def _run(database: Database, step: Callable[[Config], None]) -> None:
    def within(connection: Connection) -> None:
        config = _config()
        config.attributes["connection"] = connection
        step(config)

    async with database.transaction() as connection:
        if database.dialect == "postgresql":  # replicas that start together migrate one after the other
            await connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
        await connection.run_sync(within)


async def current_revision(connection: AsyncConnection) -> str | None:
    return await connection.run_sync(lambda sync: MigrationContext.configure(sync).get_current_revision())


def head_revision() -> str:
    head = ScriptDirectory.from_config(_config()).get_current_head()
    assert head is not None, "the program carries its migrations"
    return head


def revisions() -> list[str]:
    """Every revision that the program carries, the first one first."""
    steps = ScriptDirectory.from_config(_config()).walk_revisions()
    return [step.revision for step in steps][::-1]


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    return config
