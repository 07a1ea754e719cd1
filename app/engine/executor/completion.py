"""How does a value become part of the response? The specification's CompleteValue, for one value at a time.

`box[place[1]]` takes the result and is None until then. Objects are not gone into, but added to the rows of
`found`; nothing here calls itself down the response.
"""

from collections.abc import AsyncIterable
from contextlib import suppress
from functools import partial
from math import isfinite
from typing import Any

from graphql import GraphQLError
from graphql.execution import Executor
from graphql.execution.executor import collect_iterator_awaitables
from graphql.pyutils import Undefined, inspect, is_iterable
from orjson import Fragment

from app.engine.executor.batches import Batch, Box, Found, Hole
from app.engine.executor.faults import Faults, Place
from app.engine.executor.infos import Infos
from app.engine.executor.plan import Field
from app.engine.executor.ready import Ready
from app.engine.executor.shapes import CLASS, Kind, PlainClasses, Shape


class Items(list[Any]):
    """What an iterable gave, and what it raised then."""

    error: Exception | None = None


class Completion:
    """Made for one run."""

    def __init__(self, executor: Executor[Any], faults: Faults, infos: Infos) -> None:
        self.executor = executor
        self.faults = faults
        self.infos = infos
        self.is_awaitable = executor.is_awaitable
        self.plain = PlainClasses()

    def complete(self, shape: Shape, place: Place, box: Box, value: Any, found: Found) -> None:
        kind = shape.kind
        try:
            if self.is_null(found.field, shape, place, value):
                return
            if type(value) is Ready:
                box[place[1]] = Fragment(value.json)
            elif kind is Kind.LEAF:
                box[place[1]] = self.leaf(shape, value)
            elif kind is Kind.LIST:
                self._list(shape, place, box, value, found)
            elif kind is Kind.OBJECT:
                self._object(shape.type, place, box, value, found)
            else:
                self._abstract(shape, place, box, value, found)
        except Exception as error:  # noqa: BLE001  # the schema's functions may raise anything
            self.faults.add(error, place, found.field)

    def leaf(self, shape: Shape, value: Any) -> Any:
        if shape.convert is not None and type(value) is shape.exact:
            with suppress(Exception):  # the rules below say what is wrong with it
                if (converted := shape.convert(value)) is not None:
                    return converted
        return self.executor.complete_leaf_value(shape.type, value)

    def is_null(self, field: Field, shape: Shape, place: Place, value: Any) -> bool:
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

    # Lists

    def _list(self, shape: Shape, place: Place, box: Box, value: Any, found: Found) -> None:
        error = None
        if type(value) is not list:
            if self.executor.is_async_iterable(value):
                collected = _collect(value, shape.inner)
                found.holes.append(Hole(collected, place, partial(self.complete, shape, place, box)))
                return
            value = self._items(value, found.field)
            error = value.error
        classes = set(map(type, value))
        if len(classes) != 1 or not self._uniform(shape.inner, place, box, value, classes.pop(), found):
            self._mixed(shape.inner, place, box, value, found)
        if error is not None:
            self.faults.add(error, place, found.field, half_done=True)

    def _items(self, value: Any, field: Field) -> Items:
        if type(value) is Items:
            return value
        if not is_iterable(value):
            message = f"Expected Iterable, but did not find one for field '{field.parent}.{field.name}'."
            raise GraphQLError(message)
        items = Items()
        iterator = iter(value)
        try:
            items.extend(iterator)
        except Exception as error:  # noqa: BLE001 - a resolver may raise anything, and it is the answer then
            items.error = error
            # What it would still have given may have begun, and is not to be left lying about.
            self.executor.track_async_work(collect_iterator_awaitables(iterator, self.is_awaitable))
        return items

    def _uniform(self, inner: Shape, place: Place, box: Box, items: Any, cls: type, found: Found) -> bool:
        """The short way for a list whose items are all of one class, if there is one."""
        if inner.kind is Kind.LEAF:
            leaves = _leaves(inner, items) if cls is inner.exact else None
            if leaves is not None:
                box[place[1]] = leaves
            return leaves is not None
        if inner.kind is not Kind.OBJECT:
            return False
        if cls is not inner.exact and (inner.type.is_type_of is not None or not self.plain[cls]):
            return False
        self._rows(inner.type, found, "lists").add_list(items, box, place, inner)
        return True

    def _mixed(self, inner: Shape, place: Place, box: Box, items: Any, found: Found) -> None:
        box[place[1]] = out = [None] * len(items)
        for index, item in enumerate(items):
            item_place = (place, index, inner)
            if not self.plain[type(item)] and self.is_awaitable(item):
                found.holes.append(Hole(item, item_place, partial(self.complete, inner, item_place, out)))
            else:
                self.complete(inner, item_place, out, item, found)

    # Objects

    def _abstract(self, shape: Shape, place: Place, box: Box, value: Any, found: Found) -> None:
        resolve_type = shape.type.resolve_type or self.executor.type_resolver
        name = resolve_type(value, self.infos.info(found.field, place), shape.type)
        fill = partial(self._object_named, shape, place, box, value)
        if self.is_awaitable(name):
            found.holes.append(Hole(name, place, fill))
        else:
            fill(name, found)

    def _object_named(
        self, shape: Shape, place: Place, box: Box, value: Any, name: Any, found: Found
    ) -> None:
        field = found.field
        info = self.infos.info(field, place)
        type_ = self.executor.ensure_valid_runtime_type(name, shape.type, field.details, info, value)
        self._object(type_, place, box, value, found)

    def _object(self, type_: Any, place: Place, box: Box, value: Any, found: Found) -> None:
        if type_.is_type_of is None or type(value) is type_.extensions.get(CLASS):
            self._row(type_, place, box, value, True, found)
            return
        is_of = type_.is_type_of(value, self.infos.info(found.field, place))
        fill = partial(self._row, type_, place, box, value)
        if self.is_awaitable(is_of):
            found.holes.append(Hole(is_of, place, fill))
        else:
            fill(is_of, found)

    def _row(self, type_: Any, place: Place, box: Box, value: Any, is_of: Any, found: Found) -> None:
        if not is_of:
            message = f"Expected value of type '{type_}' but got: {inspect(value)}."
            raise GraphQLError(message, found.field.nodes)
        self._rows(type_, found, "objects").add(value, box, place)

    def _rows(self, type_: Any, found: Found, kind: str) -> Batch:
        batch = found.batches.get((type_, kind))
        if batch is None:
            batch = found.batches[type_, kind] = Batch(found.field.selection(type_, self.executor))
        return batch

    def complete_all(self, field: Field, batch: Batch, values: list[Any], found: Found) -> bool:
        """The short way for the values of all rows, when they are of the one class that needs no look."""
        shape = field.shape
        if shape.exact is None or set(map(type, values)) != {shape.exact}:
            return False
        if shape.kind is Kind.OBJECT:
            try:
                selection = field.selection(shape.type, self.executor)
            except Exception:  # noqa: BLE001 - raised again, and noted, for each row
                return False
            found.batches[shape.type, "rows"] = below = Batch(selection, batch, field)
            below.sources = values
            return True
        leaves = _leaves(shape, values)
        for out, value in zip(batch.outs, leaves or (), strict=False):
            out[field.key] = value
        return leaves is not None


async def _collect(iterable: AsyncIterable[Any], inner: Shape) -> Items:
    items = Items()
    iterator = aiter(iterable)
    try:
        async for item in iterator:
            items.append(item)
            if not inner.nullable and (item is None or isinstance(item, Exception)):
                # The list becomes null: it need not go on.
                with suppress(Exception):
                    await iterator.aclose()  # type: ignore[attr-defined]  # if it has one
                break
    except Exception as error:  # noqa: BLE001 - a resolver may raise anything, and it is the answer then
        items.error = error
    return items


def _leaves(shape: Shape, values: list[Any]) -> list[Any] | None:
    """What the values become, which are all of the one class that needs no look; None if one of them does."""
    if shape.convert is not None:
        with suppress(Exception):  # the rules say what is wrong with it
            found = [shape.convert(value) for value in values]
            return None if None in found else found
        return None
    if shape.exact is int and not (min(values) >= -(2**31) and max(values) < 2**31):
        return None
    return None if shape.exact is float and not isfinite(sum(values)) else list(values)
