"""How is a plan carried out, breadth first?

Work is a queue of generators that yield wherever it would be no harm to do something else first. Nothing here
calls itself down the response: objects found while a field is completed become rows of a batch, and the batch
is queued. What has to be awaited becomes a hole; the holes of one field are filled together, so that all
objects below them are again one batch.
"""

from asyncio import CancelledError, Future, ensure_future, gather, get_running_loop, sleep
from collections import deque
from collections.abc import AsyncIterable, Awaitable, Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial
from inspect import iscoroutine
from math import isfinite
from time import perf_counter
from typing import Any, Final

from graphql import ExecutionResult, GraphQLError, GraphQLObjectType, get_argument_values
from graphql.execution import Executor
from graphql.execution.executor import collect_iterator_awaitables
from graphql.pyutils import Path, Undefined, inspect, is_iterable

from app.engine.executor.faults import Faults, Place
from app.engine.executor.plan import Field, Plan, Selection
from app.engine.executor.readers import read_default
from app.engine.executor.shapes import CLASS, Kind, PlainClasses, Shape

ROWS_AT_ONCE = 250
# Seconds after which other work of the event loop gets its turn.
TURN = 0.01

# Shared by all rows of a field when all of its arguments are of these; others are made anew for each row.
_IMMUTABLE = {str, int, float, bool, type(None)}
# A path is made for every call of a resolver, and Path's own constructor takes twice as long.
_new_tuple: Callable[..., Any] = tuple.__new__

Box = Any  # the dict or list that holds a value of the response
Sink = dict[GraphQLObjectType, "Batch"]
Steps = Iterator[None]


class Batch:
    """All objects of one type at one place of the plan: their sources, places, and the boxes to put them in."""

    __slots__ = ("outs", "places", "ranges", "selection", "slots", "sources")

    def __init__(self, selection: Selection) -> None:
        self.selection = selection
        self.sources: list[Any] = []
        self.places: list[Place | None] = []
        self.outs: list[dict[str, Any]] = []
        # Single objects, and lists that are a range of the rows.
        self.slots: list[tuple[Box, str | int, int]] = []
        self.ranges: list[tuple[Box, str | int, int, int]] = []

    def put_in_place(self) -> None:
        outs = self.outs
        for box, key, row in self.slots:
            box[key] = outs[row]
        for box, key, start, end in self.ranges:
            box[key] = outs[start:end]


class _Raised:
    """What an awaitable raised; it may as well return exceptions."""

    __slots__ = ("error",)

    def __init__(self, error: Exception) -> None:
        self.error = error


_WAITING: Final = object()
_DROPPED: Final = object()


class Hole:
    """Something to await, and what takes its value."""

    __slots__ = ("awaitable", "fill", "future", "place", "value")

    def __init__(self, awaitable: Awaitable[Any], place: Place, fill: "Fill") -> None:
        self.awaitable = awaitable
        self.place = place
        self.fill = fill
        self.future: Future[Any] | None = None
        self.value: Any = _WAITING


class Group:
    """The holes of one field. With a `batch`, its one hole answers for all rows of that batch."""

    __slots__ = ("batch", "field", "holes", "left")

    def __init__(self, field: Field, batch: Batch | None = None) -> None:
        self.field = field
        self.batch = batch
        self.holes: list[Hole] = []
        self.left = 0


Fill = Callable[[Any, Sink, Group], None]


class _Items(list[Any]):
    """What an iterable gave, and what it raised then."""

    error: Exception | None = None


class Run:
    """One execution of a plan. The executor, graphql-core's, is asked for what has no need to be fast."""

    def __init__(self, plan: Plan, executor: Executor[Any], *, may_yield: bool) -> None:
        self.plan = plan
        self.executor = executor
        self.is_awaitable: Callable[[Any], bool] = executor.is_awaitable
        self.may_yield = may_yield
        self.faults = Faults(propagate=executor.error_propagation)
        self.data: dict[str, Any] = {}
        self.plain = PlainClasses()
        self.ready: deque[Steps] = deque()
        self.groups: dict[Group, None] = {}  # unfinished, in order
        self.fresh: list[Group] = []  # of these, those not yet awaited
        self.waiter: Future[None] | None = None
        self.dropped: list[Future[Any]] = []
        self.steps = self._steps()
        self._infos: dict[Field, tuple[type, tuple[Any, ...], tuple[Any, ...]]] = {}
        self._paths: dict[int, tuple[Place, Path]] = {}

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
                    await self._wait()
                    started = perf_counter()
                elif perf_counter() - started > TURN:
                    await sleep(0)
                    started = perf_counter()
                step = next(self.steps, None)
                if step is None:
                    return self._result()
                waits = step
        finally:
            for group in self.groups:
                for hole in group.holes:
                    if hole.value is _WAITING and hole.future is None and iscoroutine(hole.awaitable):
                        hole.awaitable.close()
                    else:
                        self._drop(hole)
            if self.dropped:
                await gather(*self.dropped, return_exceptions=True)

    def _result(self) -> ExecutionResult:
        data, errors = self.faults.settle(self.data)
        return ExecutionResult(data, errors or None)

    # The queue

    def _steps(self) -> Iterator[bool]:
        """Yields whether there is nothing left to do but wait."""
        for stage in self.plan.stages or ():
            batch = Batch(stage)
            batch.sources.append(self.executor.root_value)
            batch.places.append(None)
            self.ready.append(self._batch(batch))
            while True:
                while self.ready:
                    for _ in self.ready.popleft():
                        yield False
                if self.faults.dead and self.groups:
                    self._drop_dead()
                if not self.groups:
                    break
                if not self.ready:
                    yield True
            self.data.update(batch.outs[0])
            if self.faults.all_dead:
                break

    def _queue(self, sink: Sink) -> None:
        self.ready.extend(map(self._batch, sink.values()))

    def _queue_group(self, group: Group) -> None:
        if group.holes:
            group.left = len(group.holes)
            self.groups[group] = None
            self.fresh.append(group)

    # Batches and their fields

    def _batch(self, batch: Batch) -> Steps:
        selection, sources, outs = batch.selection, batch.sources, batch.outs
        groups: dict[Field, Group] = {}
        other = partial(self._other_leaf, batch, groups)
        for start in range(0, len(sources), ROWS_AT_ONCE):
            selection.read(sources[start : start + ROWS_AT_ONCE], outs, other)
            yield
        batch.put_in_place()
        for group in groups.values():
            self._queue_group(group)
        for field in selection.others:
            yield from self._batched(field, batch) if field.batch else self._field(field, batch)

    def _other_leaf(self, batch: Batch, groups: dict[Field, Group], row: int, number: int, value: Any) -> Any:
        """The rules for a leaf that the reader could not complete by itself."""
        field = batch.selection.leaves[number]
        place = (batch.places[row], field.key, field)
        try:
            if not self.plain[type(value)]:
                if field.attribute is None and callable(value):
                    value = value(self._info(field, place))
                if self.is_awaitable(value):
                    # The reader is still making this row's dict: it is there by the time of the fill.
                    group = groups.setdefault(field, Group(field))
                    group.holes.append(Hole(value, place, partial(self._fill_leaf, field, batch, row, place)))
                    return None
                if self._is_null(field, field.shape, value, place):
                    return None
            return self.executor.complete_leaf_value(field.shape.type, value)
        except Exception as error:  # noqa: BLE001  # a resolver may raise anything
            self.faults.add(error, place, field)
            return None

    def _fill_leaf(self, field: Field, batch: Batch, row: int, place: Place, value: Any, *_: Any) -> None:
        if not self._is_null(field, field.shape, value, place):
            batch.outs[row][field.key] = self.executor.complete_leaf_value(field.shape.type, value)

    def _field(self, field: Field, batch: Batch) -> Steps:
        """One field of all rows."""
        outs, places, key, shape, plain = batch.outs, batch.places, field.key, field.shape, self.plain
        read, complete = self._reader(field), self._complete
        group, sink = Group(field), dict[GraphQLObjectType, Batch]()
        for row, source in enumerate(batch.sources):
            place = (places[row], key, field)
            try:
                value = read(place, source)
            except Exception as error:  # noqa: BLE001
                self.faults.add(error, place, field)
                continue
            if not plain[type(value)] and self.is_awaitable(value):
                group.holes.append(Hole(value, place, partial(complete, field, shape, place, outs[row], key)))
            else:
                complete(field, shape, place, outs[row], key, value, sink, group)
            if not row + 1 & 63:
                yield
        self._queue_group(group)
        self._queue(sink)

    def _reader(self, field: Field) -> Callable[[Place, Any], Any]:
        """How to get the field's value from a source, as its resolver would."""
        if (attribute := field.attribute) is not None:
            return lambda _, source: getattr(source, attribute)
        arguments = self._arguments_of_rows(field)
        resolve = field.resolve or (None if self.plan.reads_defaults else self.executor.field_resolver)
        if resolve is None:
            return partial(self._read_default, field, arguments)
        info = self._info
        return lambda place, source: resolve(source, info(field, place), **arguments())

    def _read_default(
        self, field: Field, arguments: Callable[[], dict[str, Any]], place: Place, source: Any
    ) -> Any:
        given = arguments()  # also when nothing takes them, as they may be wrong
        value = read_default(source, field.name)
        if not self.plain[type(value)] and callable(value):
            return value(self._info(field, place), **given)
        return value

    def _batched(self, field: Field, batch: Batch) -> Steps:
        """One field of all rows by one call. Its `info` is that of the first row."""
        place = (batch.places[0], field.key, field)
        try:
            values = field.batch(batch.sources, self._info(field, place), **self._arguments(field))
        except Exception as error:  # noqa: BLE001
            values = _Raised(error)
        if self.is_awaitable(values):
            group = Group(field, batch)
            group.holes.append(Hole(values, place, _fill_nothing))
            self._queue_group(group)
        else:
            yield from self._distribute(field, batch, values)

    def _distribute(self, field: Field, batch: Batch, values: Any) -> Steps:
        """To each row its value of the batch."""
        count = len(batch.sources)
        if isinstance(values, _Raised):
            values = [values.error] * count
        elif not isinstance(values, (list, tuple)) or len(values) != count:
            message = f"The batch of '{field.parent}.{field.name}' must be a list of {count} values."
            values = [TypeError(message)] * count
        group, sink = Group(field), dict[GraphQLObjectType, Batch]()
        for row, value in enumerate(values):
            place = (batch.places[row], field.key, field)
            self._complete(field, field.shape, place, batch.outs[row], field.key, value, sink, group)
            if not row + 1 & 63:
                yield
        self._queue_group(group)
        self._queue(sink)

    # Completion: the specification's CompleteValue, into `box[key]`, which is None until then

    def _complete(
        self, field: Field, shape: Shape, place: Place, box: Box, key: Any, value: Any, sink: Sink, group: Group
    ) -> None:
        kind = shape.kind
        try:
            if self._is_null(field, shape, value, place):
                return
            if kind is Kind.LEAF:
                box[key] = self.executor.complete_leaf_value(shape.type, value)
            elif kind is Kind.LIST:
                self._complete_list(field, shape, place, box, key, value, sink, group)
            elif kind is Kind.OBJECT:
                self._complete_object(field, shape.type, place, box, key, value, sink, group)
            else:
                self._complete_abstract(field, shape, place, box, key, value, sink, group)
        except Exception as error:  # noqa: BLE001
            self.faults.add(error, place, field)

    def _is_null(self, field: Field, shape: Shape, value: Any, place: Place) -> bool:
        """Whether the value stays null, as it is, or for an error that is noted here."""
        if isinstance(value, Exception):
            self.faults.add(value, place, field)
            return True
        if value is not None and value is not Undefined:
            return False
        if not shape.nullable:
            message = f"Cannot return null for non-nullable field {field.parent}.{field.name}."
            self.faults.add(TypeError(message), place, field)
        return True

    def _complete_list(
        self, field: Field, shape: Shape, place: Place, box: Box, key: Any, value: Any, sink: Sink, group: Group
    ) -> None:
        inner = shape.inner
        error = None
        if type(value) is not list:
            if self.executor.is_async_iterable(value):
                hole = Hole(_collect(value, inner), place, partial(self._complete, field, shape, place, box, key))
                group.holes.append(hole)
                return
            if not is_iterable(value):
                message = f"Expected Iterable, but did not find one for field '{field.parent}.{field.name}'."
                raise GraphQLError(message)
            value = value if type(value) is _Items else self._listed(value)
            error = value.error
        classes = set(map(type, value))
        if len(classes) == 1 and self._complete_uniform(field, inner, place, box, key, value, classes.pop(), sink):
            return
        box[key] = out = [None] * len(value)
        for index, item in enumerate(value):
            item_place = (place, index, inner)
            if not self.plain[type(item)] and self.is_awaitable(item):
                fill = partial(self._complete, field, inner, item_place, out, index)
                group.holes.append(Hole(item, item_place, fill))
            else:
                self._complete(field, inner, item_place, out, index, item, sink, group)
        if error is not None:
            self.faults.add(error, place, field, half_done=True)

    def _listed(self, iterable: Iterable[Any]) -> _Items:
        items = _Items()
        iterator = iter(iterable)
        try:
            items.extend(iterator)
        except Exception as error:  # noqa: BLE001
            items.error = error
            # What it would still have given may have begun, and is not to be left lying about.
            rest = collect_iterator_awaitables(iterator, self.is_awaitable)
            self.executor.track_async_work(rest)
        return items

    def _complete_uniform(
        self, field: Field, inner: Shape, place: Place, box: Box, key: Any, items: Any, cls: type, sink: Sink
    ) -> bool:
        """The short way for a list whose items are all of one class, if there is one."""
        if type(items) is not list:
            return False
        if inner.kind is Kind.LEAF:
            if cls is not inner.exact or not _in_range(items, cls):
                return False
            box[key] = items.copy()
            return True
        if inner.kind is not Kind.OBJECT:
            return False
        if cls is not inner.exact and (inner.type.is_type_of is not None or not self.plain[cls]):
            return False
        batch = self._batch_of(field, inner.type, sink)
        start = len(batch.sources)
        batch.sources.extend(items)
        batch.places.extend([(place, index, inner) for index in range(len(items))])
        batch.ranges.append((box, key, start, start + len(items)))
        return True

    def _complete_object(
        self, field: Field, type_: Any, place: Place, box: Box, key: Any, value: Any, sink: Sink, group: Group
    ) -> None:
        if type_.is_type_of is None or type(value) is type_.extensions.get(CLASS):
            self._add_row(field, type_, place, box, key, value, sink)
            return
        is_of = type_.is_type_of(value, self._info(field, place))
        fill = partial(self._check_object, field, type_, place, box, key, value)
        if self.is_awaitable(is_of):
            group.holes.append(Hole(is_of, place, fill))
        else:
            fill(is_of, sink, group)

    def _check_object(
        self, field: Field, type_: Any, place: Place, box: Box, key: Any, value: Any, is_of: Any, sink: Sink, *_: Any
    ) -> None:
        if not is_of:
            message = f"Expected value of type '{type_}' but got: {inspect(value)}."
            raise GraphQLError(message, field.nodes)
        self._add_row(field, type_, place, box, key, value, sink)

    def _complete_abstract(
        self, field: Field, shape: Shape, place: Place, box: Box, key: Any, value: Any, sink: Sink, group: Group
    ) -> None:
        resolve_type = shape.type.resolve_type or self.executor.type_resolver
        name = resolve_type(value, self._info(field, place), shape.type)
        fill = partial(self._complete_as, field, shape, place, box, key, value)
        if self.is_awaitable(name):
            group.holes.append(Hole(name, place, fill))
        else:
            fill(name, sink, group)

    def _complete_as(
        self, field: Field, shape: Shape, place: Place, box: Box, key: Any, value: Any, name: Any, sink: Sink,
        group: Group,
    ) -> None:  # fmt: skip
        info = self._info(field, place)
        type_ = self.executor.ensure_valid_runtime_type(name, shape.type, field.details, info, value)
        self._complete_object(field, type_, place, box, key, value, sink, group)

    def _add_row(self, field: Field, type_: Any, place: Place, box: Box, key: Any, value: Any, sink: Sink) -> None:
        batch = self._batch_of(field, type_, sink)
        batch.slots.append((box, key, len(batch.sources)))
        batch.sources.append(value)
        batch.places.append(place)

    def _batch_of(self, field: Field, type_: GraphQLObjectType, sink: Sink) -> Batch:
        batch = sink.get(type_)
        if batch is None:
            batch = sink[type_] = Batch(field.selection(type_, self.executor))
        return batch

    # Waiting

    async def _wait(self) -> None:
        """Until some group is ready, or something has failed."""
        fresh, self.fresh = [group for group in self.fresh if group in self.groups], []
        if len(self.groups) == 1 and len(fresh) == 1 and len(fresh[0].holes) == 1:
            # The usual case of one root field or one batch needs no task.
            await self._wait_for_one(fresh[0])
            return
        for group in fresh:
            for hole in group.holes:
                if hole.value is _WAITING:
                    hole.future = ensure_future(hole.awaitable)
                    hole.future.add_done_callback(partial(self._done, group, hole))
        self.waiter = get_running_loop().create_future()
        await self.waiter

    async def _wait_for_one(self, group: Group) -> None:
        hole = group.holes[0]
        try:
            hole.value = await hole.awaitable
        except Exception as error:  # noqa: BLE001
            hole.value = _Raised(error)
        self._close(group)

    def _done(self, group: Group, hole: Hole, future: Future[Any]) -> None:
        error = CancelledError() if future.cancelled() else future.exception()
        if hole.value is _DROPPED:
            return
        if error is not None and not isinstance(error, Exception):
            # Cancelled from elsewhere, or the end of the program: no matter of one field.
            if self.waiter and not self.waiter.done():
                self.waiter.set_exception(error)
            return
        if error is None:
            hole.value = future.result()
        elif group.batch is not None:
            hole.value = _Raised(error)
        else:
            # At once, as it may make other waiting pointless.
            hole.value = _DROPPED
            self.faults.add(error, hole.place, group.field)
            self._wake()
        self._count_down(group)

    def _count_down(self, group: Group) -> None:
        group.left -= 1
        if not group.left:
            self._close(group)
            self._wake()

    def _wake(self) -> None:
        if self.waiter and not self.waiter.done():
            self.waiter.set_result(None)

    def _close(self, group: Group) -> None:
        del self.groups[group]
        self.ready.append(self._resume(group))

    def _resume(self, group: Group) -> Steps:
        field = group.field
        if group.batch is not None and group.holes[0].value is not _DROPPED:
            yield from self._distribute(field, group.batch, group.holes[0].value)
            return
        again, sink = Group(field), dict[GraphQLObjectType, Batch]()
        for number, hole in enumerate(group.holes):
            if isinstance(hole.value, _Raised):
                self.faults.add(hole.value.error, hole.place, field)
            elif hole.value is not _DROPPED:
                try:
                    hole.fill(hole.value, sink, again)
                except Exception as error:  # noqa: BLE001
                    self.faults.add(error, hole.place, field)
            if not number + 1 & 63:
                yield
        self._queue_group(again)
        self._queue(sink)

    def _drop_dead(self) -> None:
        """Give up what is awaited for places that have become null."""
        is_dead = self.faults.is_dead
        for group in list(self.groups):
            for hole in group.holes:
                places = group.batch.places if group.batch else [hole.place]
                if hole.value is _WAITING and all(map(is_dead, places)):
                    self._drop(hole)
                    self._count_down(group)

    def _drop(self, hole: Hole) -> None:
        if hole.value is not _WAITING:
            return
        hole.value = _DROPPED
        if hole.future is None:
            # What nobody waits for yet is left to end by itself, as graphql-core leaves it.
            self.executor.settle_in_background([hole.awaitable])
        elif hole.future is not hole.awaitable:  # a task made here; a future may have others waiting
            hole.future.cancel()
            self.dropped.append(hole.future)

    # What resolvers are given

    def _info(self, field: Field, place: Place) -> Any:
        while type(place[1]) is int:
            place = place[0]
        parent = place[0]
        path = _new_tuple(Path, (None if parent is None else self._path(parent), field.key, field.typename))
        if known := self._infos.get(field):
            # All but the path is the same for all rows.
            cls, before, after = known
            return _new_tuple(cls, (*before, path, *after))
        info = self.executor.build_resolve_info(field.definition, list(field.nodes), field.parent, path)
        if info[4] is path:
            self._infos[field] = (type(info), tuple(info[:4]), tuple(info[5:]))
        return info

    def _path(self, place: Place) -> Path:
        known = self._paths.get(id(place))
        if known is not None:
            return known[1]
        before = None if place[0] is None else self._path(place[0])
        path: Path = _new_tuple(Path, (before, place[1], place[2].typename))
        self._paths[id(place)] = (place, path)  # the place too, so that its id is not given to another
        return path

    def _arguments(self, field: Field) -> dict[str, Any]:
        variables, hide = self.executor.variable_values, self.executor.hide_suggestions
        return get_argument_values(field.definition, field.nodes[0], variables, None, hide)

    def _arguments_of_rows(self, field: Field) -> Callable[[], dict[str, Any]]:
        """Arguments for one row after the other: the same ones if no resolver can change them."""
        if not field.definition.args:
            return dict
        try:
            arguments = self._arguments(field)
        except Exception:  # noqa: BLE001
            return partial(self._arguments, field)  # raises again, for each row
        if all(type(value) in _IMMUTABLE for value in arguments.values()):
            return lambda: arguments
        first = [arguments]
        return lambda: first.pop() if first else self._arguments(field)


async def _collect(iterable: AsyncIterable[Any], inner: Shape) -> _Items:
    items = _Items()
    iterator = aiter(iterable)
    try:
        async for item in iterator:
            items.append(item)
            if not inner.nullable and (item is None or isinstance(item, Exception)):
                # The list becomes null: it need not go on.
                with suppress(Exception):
                    await iterator.aclose()  # type: ignore[attr-defined]  # if it has one
                break
    except Exception as error:  # noqa: BLE001
        items.error = error
    return items


def _in_range(items: list[Any], cls: type) -> bool:
    if cls is int:
        return -(2**31) <= min(items) and max(items) < 2**31
    return cls is not float or isfinite(sum(items))


def _fill_nothing(_value: Any, _sink: Sink, _group: Group) -> None:
    """The values of a batch are distributed instead."""
