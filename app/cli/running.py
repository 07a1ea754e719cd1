"""What does every command with settings and a database need before it can begin?"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.bootstrap import Settings, build_deps, close_deps, load_settings
from app.cli.reporting import Problem
from app.context import Deps
from app.db.database import Database
from app.db.migrate import current_revision, head_revision
from app.gateways import logs


def quiet_settings() -> Settings:
    """For commands that speak for themselves: only warnings reach the log. Raises ConfigurationError."""
    settings = load_settings()
    logs.configure(json=False, level="DEBUG" if settings.log_level == "DEBUG" else "WARNING")
    return settings


@asynccontextmanager
async def opened(settings: Settings, *, migrated: bool = True) -> AsyncIterator[Deps]:
    """What the settings describe; ``migrated``: refuses a database without this program's tables."""
    deps = build_deps(settings)
    try:
        if migrated:
            await require_migrated(deps.database)
        yield deps
    finally:
        await close_deps(deps)


async def require_migrated(database: Database) -> None:
    async with database.read() as connection:
        revision = await current_revision(connection)
    if revision == head_revision():
        return
    has = f"is at revision {revision}" if revision else "has no tables yet"
    raise Problem(
        f"The database {has}, and this program needs {head_revision()}.",
        advice="Run 'revgraph migrate' first.",
    )
