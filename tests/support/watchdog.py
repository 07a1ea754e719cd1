"""Ends a process whose test goes on long after its time limit, and says where it stood.

The limit is an exception raised in the main thread, once. Hypothesis takes it for a finding and runs the test again,
an event loop leaves it to the task that it met, a library that does not return never sees it, and what is
tidied up afterwards has no limit at all: a run would stand still and report nothing.
"""

import faulthandler
import os
import sys
from collections.abc import Iterator

import pytest

GRACE = "REVGRAPH_TEST_GRACE"
GRACE_SECONDS = 120.0
_stderr = pytest.StashKey[int]()


def pytest_configure(config: pytest.Config) -> None:
    """While output is captured, the real one has to be known already."""
    config.stash[_stderr] = os.dup(sys.stderr.fileno())


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    seconds = limit(item)
    if seconds:
        seconds += float(os.environ.get(GRACE, GRACE_SECONDS))
        faulthandler.dump_traceback_later(seconds, exit=True, file=item.config.stash[_stderr])
    try:
        return (yield)
    finally:
        faulthandler.cancel_dump_traceback_later()


def limit(item: pytest.Item) -> float:
    """In seconds; 0 where a test has none."""
    marker = item.get_closest_marker("timeout")
    given = marker.args[0] if marker else item.config.getoption("timeout")
    return float(item.config.getini("timeout") if given is None else given)
