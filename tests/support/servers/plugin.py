"""The real servers as fixtures. A server starts when the first test asks for it; all workers share it.

`postgres_server`, `redis_url`, `smtp_server`, `s3_server`, `s3_url`: see the modules of the same names.
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.servers.postgres import PostgresServer
from tests.support.servers.postgres import postgres_server as shared_postgres
from tests.support.servers.redis import redis_url as shared_redis
from tests.support.servers.s3 import S3Server
from tests.support.servers.s3 import s3_server as shared_s3
from tests.support.servers.shared import server_folder
from tests.support.servers.smtp import SmtpServer

FOLDER = "REVGRAPH_TEST_FOLDER"
_open_until_the_end = ExitStack()


def pytest_configure(config: pytest.Config) -> None:
    """The controlling process owns the servers' lives; its workers inherit the folder by the environment."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        os.environ[FOLDER] = str(_open_until_the_end.enter_context(server_folder()))


def pytest_unconfigure(config: pytest.Config) -> None:
    if "PYTEST_XDIST_WORKER" not in os.environ:
        _open_until_the_end.close()


@pytest.fixture(scope="session")
def postgres_server() -> PostgresServer:
    return shared_postgres(_folder())


@pytest.fixture(scope="session")
def redis_url(worker_id: str) -> str:
    """A database of this worker's own."""
    return shared_redis(_folder(), database=_number(worker_id))


@pytest.fixture(scope="session")
def s3_server() -> S3Server:
    return shared_s3(_folder())


@pytest.fixture(scope="session")
def s3_url(s3_server: S3Server, worker_id: str) -> str:
    """`http://host:port/bucket`, a bucket of this worker's own."""
    return s3_server.create_bucket(f"tests-{worker_id}")


@pytest.fixture(scope="session")
def running_smtp_server() -> Iterator[SmtpServer]:
    server = SmtpServer()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def smtp_server(running_smtp_server: SmtpServer) -> SmtpServer:
    """Without the messages of earlier tests."""
    running_smtp_server.clear()
    return running_smtp_server


def _folder() -> Path:
    return Path(os.environ[FOLDER])


def _number(worker_id: str) -> int:
    digits = worker_id.removeprefix("gw")
    return int(digits) if digits.isdigit() else 0
