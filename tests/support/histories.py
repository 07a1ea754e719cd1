"""The loop in which a history takes its steps, one after the other."""

import asyncio
from collections.abc import Coroutine
from typing import Any

STEP_SECONDS = 100


class Steps(asyncio.Runner):
    """Every step has an end of its own.

    A test's time limit is an exception that is raised once. Hypothesis takes it for a counterexample and repeats
    the step, which nothing would end then.
    """

    def run(self, coro: Coroutine[Any, Any, Any], **given: Any) -> Any:
        return super().run(asyncio.wait_for(coro, STEP_SECONDS), **given)
