"""Databases for tests: migrated once, copied for each test, on SQLite and on PostgreSQL."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import pytest

from app.db.database import Database
from app.db.migrate import upgrade
from tests.support.servers.postgres import PostgresServer

DIALECTS = ("sqlite", "postgresql")
TEMPLATE = "revgraph_template"
MIGRATION_SECONDS = 60


@pytest.fixture(params=DIALECTS)
def dialect(request: pytest.FixtureRequest) -> str:
    """Ask for it to run a test on both databases."""
    return str(request.param)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "template.db"
    _migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgres_template(postgres_server: PostgresServer, worker_id: str) -> Iterator[str]:
    """One a worker: a template must have no connection while it is copied."""
    name = f"{TEMPLATE}_{worker_id}"
    _migrate(postgres_server.create_database(name))
    yield name
    postgres_server.drop_database(name)


def _migrate(url: str) -> None:
    async def run() -> None:
        database = Database(url)
        await upgrade(database)
        await database.close()

    with ThreadPoolExecutor(max_workers=1) as thread:  # fixtures run with and without a loop
        thread.submit(asyncio.run, asyncio.wait_for(run(), MIGRATION_SECONDS)).result()


@pytest.fixture
def database_url(dialect: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A migrated, empty database of this test's own."""
    if dialect == "sqlite":
        path = tmp_path / "test.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    name = f"test_{uuid4().hex}"
    yield server.create_database(name, template=request.getfixturevalue("postgres_template"))
    server.drop_database(name)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = Database(database_url)
    yield opened
    await opened.close()


@pytest.fixture
def open_database(database_url: str) -> Callable[[], Database]:
    """For tests that need a second process's view, or one that starts again."""
    return lambda: Database(database_url)
