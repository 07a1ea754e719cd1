"""What is awaited, and when is it time to go on?"""

from asyncio import CancelledError, Future, ensure_future, gather, get_running_loop
from collections.abc import Callable
from functools import partial
from inspect import iscoroutine
from typing import Any

from graphql.execution import Executor

from app.engine.executor.batches import DROPPED, WAITING, Found, Hole, Raised
from app.engine.executor.faults import Faults


class Waiting:
    """The holes of a run, filled together field by field: `resume` is called when all of one are."""

    def __init__(self, executor: Executor[Any], faults: Faults, resume: Callable[[Found], None]) -> None:
        self.executor = executor
        self.faults = faults
        self.resume = resume
        self.unfinished: dict[Found, None] = {}  # in order
        self.fresh: list[Found] = []  # of these, those not yet awaited
        self.waiter: Future[None] | None = None
        self.dropped: list[Future[Any]] = []

    def add(self, found: Found) -> None:
        found.left = len(found.holes)
        self.unfinished[found] = None
        self.fresh.append(found)

    async def wait(self) -> None:
        """Until some field is complete, or something has failed."""
        fresh, self.fresh = [found for found in self.fresh if found in self.unfinished], []
        if len(self.unfinished) == 1 and len(fresh) == 1 and len(fresh[0].holes) == 1:
            # The usual case of one root field or one batch needs no task.
            await self._wait_for_one(fresh[0])
            return
        for found in fresh:
            for hole in found.holes:
                if hole.value is WAITING:
                    hole.future = ensure_future(hole.awaitable)
                    hole.future.add_done_callback(partial(self._done, found, hole))
        self.waiter = get_running_loop().create_future()
        await self.waiter

    async def _wait_for_one(self, found: Found) -> None:
        hole = found.holes[0]
        try:
            hole.value = await hole.awaitable
        except Exception as error:  # noqa: BLE001  # a resolver may raise anything
            hole.value = Raised(error)
        self._close(found)

    def _done(self, found: Found, hole: Hole, future: Future[Any]) -> None:
        error = CancelledError() if future.cancelled() else future.exception()
        if hole.value is DROPPED:
            return
        if error is None:
            hole.value = future.result()
        elif not isinstance(error, Exception):
            # Cancelled from elsewhere, or the end of the program: no matter of one field.
            if self.waiter and not self.waiter.done():
                self.waiter.set_exception(error)
            return
        elif found.parents is not None:
            hole.value = Raised(error)
        else:
            # At once, as it may make other waiting pointless.
            hole.value = DROPPED
            self.faults.add(error, hole.place, found.field)
            self._wake()
        self._count_down(found)

    def _count_down(self, found: Found) -> None:
        found.left -= 1
        if not found.left:
            self._close(found)
            self._wake()

    def _close(self, found: Found) -> None:
        del self.unfinished[found]
        self.resume(found)

    def _wake(self) -> None:
        if self.waiter and not self.waiter.done():
            self.waiter.set_result(None)

    # Giving up

    def drop_dead(self) -> None:
        """Give up what is awaited for places that have become null."""
        if not self.faults.dead:
            return
        is_dead = self.faults.is_dead
        for found in list(self.unfinished):
            for hole in found.holes:
                above = found.parents
                places = map(above.place, range(len(above.sources))) if above else [hole.place]
                if hole.value is WAITING and all(map(is_dead, places)):
                    self._drop(hole)
                    self._count_down(found)

    def _drop(self, hole: Hole) -> None:
        hole.value = DROPPED
        if hole.future is None:
            # What nobody waits for yet is left to end by itself, as graphql-core leaves it.
            self.executor.settle_in_background([hole.awaitable])
        elif hole.future is not hole.awaitable:  # a task made here; a future may have others waiting
            hole.future.cancel()
            self.dropped.append(hole.future)

    async def end(self) -> None:
        """Nothing of the run goes on after this."""
        for found in self.unfinished:
            for hole in found.holes:
                if hole.value is WAITING:
                    if hole.future is None and iscoroutine(hole.awaitable):
                        hole.awaitable.close()
                    else:
                        self._drop(hole)
        if self.dropped:
            await gather(*self.dropped, return_exceptions=True)
