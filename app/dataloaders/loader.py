"""How does a request ask one question for many keys, so that the number of statements is known beforehand?

Batches follow the document, not the ticks of the event loop: whoever has all the keys of a place asks once.
"""

from asyncio import CancelledError, Future, get_running_loop
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, Self, TypeVar, overload

from app.db.database import Database
from app.db.repositories.keyset import PagedList

Key = TypeVar("Key")
Value = TypeVar("Value")
Load = Callable[[Database, list[Key]], Awaitable[Sequence[Value]]]


class LoaderGroup:
    """The loaders of one noun within one request; each opens its own read."""

    def __init__(self, database: Database) -> None:
        self.database = database


class Loader(Generic[Key, Value]):
    """The answers of one request: for keys in the order of the keys.

    Asked again for the very same keys, as sibling fields ask, it gives the same answer without a statement.
    It keeps nothing of single keys: whether another place has asked for one already may depend on timing.
    """

    def __init__(self, database: Database, load: Load[Key, Value]) -> None:
        self.database = database
        self._load = load
        self._asked: dict[tuple[Key, ...], Future[dict[Key, Value]]] = {}

    async def load(self, key: Key) -> Value:
        """Of one; for many parents this would be one statement each."""
        return (await self([key]))[0]

    async def __call__(self, keys: Sequence[Key]) -> list[Value]:
        wanted = tuple(dict.fromkeys(keys))
        if not wanted:
            return []
        known = self._asked.get(wanted)
        found = await (known if known is not None else self._ask(wanted))
        return [found[key] for key in keys]

    def prime(self, key: Key, value: Value) -> None:
        """``value`` is known already, such as what authentication has read."""
        answer = self._asked[key,] = get_running_loop().create_future()
        answer.set_result({key: value})

    async def _ask(self, wanted: tuple[Key, ...]) -> dict[Key, Value]:
        answer = self._asked[wanted] = get_running_loop().create_future()
        try:
            found = dict(zip(wanted, await self._load(self.database, list(wanted)), strict=True))
        except CancelledError:
            answer.cancel()
            raise
        except Exception as error:
            answer.set_exception(error)
            answer.exception()  # told to whoever waits, and to nobody's log if none does
            raise
        answer.set_result(found)
        return found


class loader(Generic[Key, Value]):  # noqa: N801  # read as a decorator of the function that loads
    """Declares a loader of a LoaderGroup once; each request's group makes its own when it is first used.

    ``lists``: what it loads pages of, as a declaration tells: ``CatalogLoaders.listed_pages.lists``.
    """

    def __init__(self, load: Load[Key, Value], *, lists: PagedList | None = None) -> None:
        self.load = load
        self.lists = lists

    def __set_name__(self, _: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, group: None, _: type) -> Self: ...
    @overload
    def __get__(self, group: LoaderGroup, _: type) -> Loader[Key, Value]: ...
    def __get__(self, group: LoaderGroup | None, _: type) -> Self | Loader[Key, Value]:
        if group is None:
            return self
        made = group.__dict__[self.name] = Loader(group.database, self.load)
        return made
