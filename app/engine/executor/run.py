"""How is a plan carried out, breadth first?

Work is a queue of generators that yield wherever it would do no harm to do something else first. Objects
found while a field is completed become rows of a batch, and the batch is queued; what has to be awaited is a
hole, and the holes of one field are filled together, so that all objects below them are again one batch.
"""

from asyncio import sleep
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from time import perf_counter
from typing import Any

from graphql import ExecutionResult
from graphql.execution import Executor

from app.engine.executor.batches import DROPPED, Batch, Found, Hole, Raised
from app.engine.executor.completion import Completion
from app.engine.executor.faults import Faults, Place
from app.engine.executor.infos import Infos
from app.engine.executor.plan import Field, Plan
from app.engine.executor.readers import read_default
from app.engine.executor.ready import answer_of
from app.engine.executor.waiting import Waiting

ROWS_AT_ONCE = 250
CALLS_AT_ONCE = 64
# Seconds after which other work of the event loop gets its turn.
TURN = 0.01

Steps = Iterator[None]


class Run:
    """One execution of a plan. The executor, graphql-core's, is asked for what has no need to be fast."""

    def __init__(self, plan: Plan, executor: Executor[Any], *, may_yield: bool, raw: bool = False) -> None:
        self.plan = plan
        self.executor = executor
        self.may_yield = may_yield
        self.raw = raw
        self.faults = Faults(propagate=executor.error_propagation)
        self.infos = Infos(executor)
        self.completion = Completion(executor, self.faults, self.infos)
        self.waiting = Waiting(executor, self.faults, self._resume_later)
        self.data: dict[str, Any] = {}
        self.ready: deque[Steps] = deque()
        self.steps = self._steps()

    def start(self) -> ExecutionResult | Awaitable[ExecutionResult]:
        started = perf_counter()
        for waits in self.steps:
            if waits or (self.may_yield and perf_counter() - started > TURN):
                return self._finish(waits=waits)
        return self._result()

    async def _finish(self, *, waits: bool) -> ExecutionResult:
        started = 0.0
        try:
            while True:
                if waits:
                    await self.waiting.wait()
                    started = perf_counter()
                elif perf_counter() - started > TURN:
                    await sleep(0)
                    started = perf_counter()
                step = next(self.steps, None)
                if step is None:
                    return self._result()
                waits = step
        finally:
            await self.waiting.end()

    def _result(self) -> ExecutionResult:
        data, errors = self.faults.settle(self.data)
        return ExecutionResult(data, errors or None)

    # The queue

    def _steps(self) -> Iterator[bool]:
        """Yields whether there is nothing left to do but wait."""
        for stage in self.plan.stages or ():
            batch = Batch(stage)
            batch.sources.append(self.executor.root_value)
            self.ready.append(self._batch(batch))
            yield from self._until_done()
            self.data.update(batch.outs[0])
            if self.faults.all_dead:
                break

    def _until_done(self) -> Iterator[bool]:
        while True:
            while self.ready:
                for _ in self.ready.popleft():
                    yield False
            self.waiting.drop_dead()
            if not self.ready:
                if not self.waiting.unfinished:
                    return
                yield True

    def _take(self, found: Found) -> None:
        if found.holes:
            self.waiting.add(found)
        self.ready.extend(map(self._batch, found.batches.values()))

    def _resume_later(self, found: Found) -> None:
        self.ready.append(self._resume(found))

    def _resume(self, found: Found) -> Steps:
        """Go on with a field whose holes have their values."""
        field = found.field
        if found.parents is not None:
            if found.holes[0].value is not DROPPED:
                yield from self._distribute(field, found.parents, found.holes[0].value)
            return
        more = Found(field)
        for number, hole in enumerate(found.holes, 1):
            if isinstance(hole.value, Raised):
                self.faults.add(hole.value.error, hole.place, field)
            elif hole.value is not DROPPED:
                try:
                    hole.fill(hole.value, more)
                except Exception as error:  # noqa: BLE001  # the schema's functions may raise anything
                    self.faults.add(error, hole.place, field)
            if not number % CALLS_AT_ONCE:
                yield
        self._take(more)

    # A batch: leaves by the reader, all rows at once, then the other fields

    def _batch(self, batch: Batch) -> Steps:
        selection, sources, outs = batch.selection, batch.sources, batch.outs
        leaves: dict[Field, Found] = {}
        other = partial(self._other_leaf, batch, leaves)
        for start in range(0, len(sources), ROWS_AT_ONCE):
            selection.read(sources[start : start + ROWS_AT_ONCE], outs, other)
            yield
        yield from batch.put_in_place()
        for found in leaves.values():
            self._take(found)
        for field in selection.others:
            if self.raw and field.prepare is not None and self._ready(field, batch):
                continue
            yield from self._batched(field, batch) if field.batch else self._field(field, batch)

    def _other_leaf(self, batch: Batch, leaves: dict[Field, Found], row: int, number: int, value: Any) -> Any:
        """The rules for a leaf that the reader could not complete by itself."""
        field = batch.selection.leaves[number]
        place = (batch.place(row), field.key, field)
        try:
            if not self.completion.plain[type(value)]:
                if field.attribute is None and callable(value):
                    value = value(self.infos.info(field, place))
                if self.executor.is_awaitable(value):
                    found = leaves.setdefault(field, Found(field))
                    # The reader is still making this row's dict, which is there by the time of the fill.
                    found.holes.append(Hole(value, place, partial(self._fill_leaf, batch, row, place)))
                    return None
                if self.completion.is_null(field, field.shape, place, value):
                    return None
            return self.completion.leaf(field.shape, value)
        except Exception as error:  # noqa: BLE001 - a resolver may raise anything, and it is the answer then
            self.faults.add(error, place, field)
            return None

    def _fill_leaf(self, batch: Batch, row: int, place: Place, value: Any, found: Found) -> None:
        self.completion.complete(found.field.shape, place, batch.outs[row], value, found)

    # Fields one by one

    def _field(self, field: Field, batch: Batch) -> Steps:
        """One field of all rows, each by its resolver."""
        sources, values = batch.sources, list[Any]()
        if (attribute := field.attribute) is not None:
            for start in range(0, len(sources), ROWS_AT_ONCE):
                values += _attributes(sources[start : start + ROWS_AT_ONCE], attribute)
                yield
        else:
            resolve, place, key = self._resolver(field), batch.place, field.key
            for row, source in enumerate(sources):
                try:
                    values.append(resolve((place(row), key, field), source))
                except Exception as error:  # noqa: BLE001 - a resolver may raise anything, and it is the answer then
                    values.append(error)
                if not (row + 1) % CALLS_AT_ONCE:
                    yield
        yield from self._complete(field, batch, values)

    def _complete(self, field: Field, batch: Batch, values: list[Any], *, may_wait: bool = True) -> Steps:
        """To each row its value."""
        found, complete = Found(field), self.completion.complete
        plain, is_awaitable = self.completion.plain, self.executor.is_awaitable
        if not self.completion.complete_all(field, batch, values, found):
            outs, key, shape = batch.outs, field.key, field.shape
            for row, value in enumerate(values):
                place = (batch.place(row), key, field)
                if may_wait and not plain[type(value)] and is_awaitable(value):
                    found.holes.append(Hole(value, place, partial(complete, shape, place, outs[row])))
                else:
                    complete(shape, place, outs[row], value, found)
                if not (row + 1) % CALLS_AT_ONCE:
                    yield
        self._take(found)

    def _resolver(self, field: Field) -> Callable[[Place, Any], Any]:
        """How to get the field's value from a source, as its resolver would."""
        arguments = self.infos.arguments_of_rows(field)
        resolve = field.resolve or (None if self.plan.reads_defaults else self.executor.field_resolver)
        if resolve is None:
            return partial(self._read_default, field, arguments)
        info = self.infos.info
        return lambda place, source: resolve(source, info(field, place), **arguments())

    def _read_default(
        self, field: Field, arguments: Callable[[], dict[str, Any]], place: Place, source: Any
    ) -> Any:
        given = arguments()  # also when nothing takes them, as they may be wrong
        value = read_default(source, field.name)
        if not self.completion.plain[type(value)] and callable(value):
            return value(self.infos.info(field, place), **given)
        return value

    def _batched(self, field: Field, batch: Batch) -> Steps:
        """One field of all rows by one call. Its `info` is that of the first row."""
        place = (batch.place(0), field.key, field)
        try:
            arguments = self.infos.arguments(field)
            values = field.batch(batch.sources, self.infos.info(field, place), **arguments)
        except Exception as error:  # noqa: BLE001 - a resolver may raise anything, and it is the answer then
            values = Raised(error)
        if self.executor.is_awaitable(values):
            found = Found(field, parents=batch)
            found.holes.append(Hole(values, place, _fill_nothing))
            self._take(found)
        else:
            yield from self._distribute(field, batch, values)

    def _ready(self, field: Field, batch: Batch) -> bool:
        """Whether the field is answered with JSON for all rows, which then is on its way."""
        try:
            answer = answer_of(field, self.executor)
            values = answer and answer(batch.sources, self.executor.context_value, self.infos.arguments)
        except Exception:  # noqa: BLE001 - what executes the field will say what is wrong
            return False
        if values is None:
            return False
        found = Found(field, parents=batch)
        found.holes.append(Hole(values, (batch.place(0), field.key, field), _fill_nothing))
        self._take(found)
        return True

    def _distribute(self, field: Field, batch: Batch, values: Any) -> Steps:
        """To each row its value of the batch."""
        count = len(batch.sources)
        if isinstance(values, Raised):
            values = [values.error] * count
        elif not isinstance(values, (list, tuple)) or len(values) != count:
            message = f"The batch of '{field.parent}.{field.name}' must be a list of {count} values."
            values = [TypeError(message)] * count
        yield from self._complete(field, batch, list(values), may_wait=False)


def _attributes(sources: list[Any], name: str) -> list[Any]:
    try:
        return [getattr(source, name) for source in sources]
    except Exception:  # noqa: BLE001 - of one of them, or of several
        return [_attribute(source, name) for source in sources]


def _attribute(source: Any, name: str) -> Any:
    try:
        return getattr(source, name)
    except Exception as error:  # noqa: BLE001 - it is the answer then
        return error


def _fill_nothing(_value: Any, _found: Found) -> None:
    """The values of a batch are distributed instead."""
