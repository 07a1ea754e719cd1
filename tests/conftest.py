"""Fixtures that every test may ask for."""

from collections.abc import Iterator

import pytest

from app.gateways import passwords

pytest_plugins = [
    "tests.support.watchdog",
    "tests.support.servers.plugin",
    "tests.support.databases",
    "tests.support.clients",
    "tests.support.world",
    "tests.support.payments",
    "tests.support.subscribing",
    "tests.support.buying",
]


@pytest.fixture(autouse=True, scope="session")
def quick_hashes() -> Iterator[None]:
    """argon2id, but of little memory: of thousands of sign-ups the hashes took a third of the time."""
    passwords._CONTEXT.update(argon2__memory_cost=64, argon2__time_cost=1)
    yield
    passwords._CONTEXT.update(**passwords.COST)
