"""Fixtures that every test may ask for."""

pytest_plugins = [
    "tests.support.servers.plugin",
    "tests.support.databases",
    "tests.support.clients",
    "tests.support.world",
    "tests.support.payments",
    "tests.support.subscribing",
    "tests.support.buying",
]
