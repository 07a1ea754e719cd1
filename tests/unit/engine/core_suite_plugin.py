"""A pytest plugin for graphql-core's own tests: they execute by the engine, `describe_` blocks are collected.

The plugin that those tests are written for does more; this is all that they need of it.
"""

import importlib
import sys
from collections.abc import Callable, Iterable
from inspect import isfunction
from types import FrameType
from typing import Any

import pytest

from app.engine.executor import execute, mark_is_awaitable

modules = [importlib.import_module(name) for name in ("graphql.execution.execute", "graphql.graphql")]
packages = [importlib.import_module(name) for name in ("graphql.execution", "graphql")]
mark_is_awaitable(modules[0].assume_not_awaitable)
for place in (*modules, *packages):
    place.execute = execute  # type: ignore[attr-defined]  # what it is is known here


class DescribeBlock(pytest.Module):
    """Functions defined in a function, collected as if they stood in a module."""

    described: Callable[[], None]

    @classmethod
    def of(cls, parent: Any, described: Callable[[], None]) -> "DescribeBlock":
        block = cls.from_parent(parent, path=parent.path, nodeid=f"{parent.nodeid}::{described.__name__}")
        block.name = described.__name__
        block.described = described
        return block

    def _getobj(self) -> Any:
        found: dict[str, Any] = {}

        def note(frame: FrameType, event: str, _: Any) -> None:
            if event == "return" and frame.f_code is self.described.__code__:
                found.update(frame.f_locals)

        before = sys.getprofile()
        sys.setprofile(note)
        try:
            self.described()
        finally:
            sys.setprofile(before)
        block = type("Described", (), {})()
        block.__dict__.update(found)
        return block

    def _importtestmodule(self) -> Any:
        return self._getobj()

    def _register_setup_module_fixture(self) -> None:
        pass

    def _register_setup_function_fixture(self) -> None:
        pass

    def istestfunction(self, obj: Any, name: str) -> bool:
        return isfunction(obj) and not name.startswith(("_", "describe_"))

    def collect(self) -> Iterable[Any]:
        self.session._fixturemanager.parsefactories(self)
        return super(pytest.Module, self).collect()


def pytest_pycollect_makeitem(collector: Any, name: str, obj: Any) -> Any:
    return DescribeBlock.of(collector, obj) if name.startswith("describe_") and isfunction(obj) else None
