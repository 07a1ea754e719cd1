"""What exists in the stand-in, and how does it change — wholly, or not at all?"""

import random
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson

from sandbox.clock import Clock
from sandbox.errors import ApiError, missing
from sandbox.rendering import API_VERSION, differences, optional_fields, render
from sandbox.settings import Settings

Obj = dict[str, Any]
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


@dataclass
class Journal:
    """What a transaction would have to undo."""

    originals: dict[int, tuple[Obj, Obj]] = field(default_factory=dict)
    rows: dict[tuple[str, str], Obj | None] = field(default_factory=dict)
    timers: dict[str, list[Any] | None] = field(default_factory=dict)
    spoken: dict[int, Obj] = field(default_factory=dict)  # as the last event showed them
    events: list[Obj] = field(default_factory=list)


@dataclass
class Caller:
    """Whose request is being executed; every event names it."""

    id: str | None = None
    idempotency_key: str | None = None


class World:
    """The objects by type and id, the timers, and the transactions on them.

    One thread, no awaiting inside.
    """

    def __init__(
        self, *, settings: Settings | None = None, clock: Clock | None = None, seed: int | None = None
    ):
        self.settings = settings or Settings()
        self.clock = clock or Clock()
        self.tables: dict[str, dict[str, Obj]] = defaultdict(dict)
        self.timers: dict[str, list[Any]] = {}
        self.outbox: list[Obj] = []  # events of committed transactions, for the deliveries to take
        self.caller = Caller()
        self.address = "http://127.0.0.1"
        self.changes = 0
        self._random = random.Random(seed)  # noqa: S311 — ids of a test double, repeatable on purpose
        self._repeatable = seed is not None
        self._row_of_ids: Any = None
        self._journals: list[Journal] = []

    def forget(self, *, kept: str) -> None:
        """Begin anew, with the settings of a new account; objects of one type are kept."""
        rows = self.tables[kept]
        self.tables.clear()
        self.timers.clear()
        self.outbox.clear()
        self.tables[kept] = rows
        self.settings = Settings()
        self.changes += 1

    def now(self) -> int:
        return self.clock.now()

    def new_id(self, prefix: str, length: int = 24) -> str:
        return prefix + "".join(self._random.choices(ALPHABET, k=length))

    def ids(self) -> Any:
        """Where the row of repeatable ids stands; None when there never was one."""
        return self._random.getstate() if self._repeatable else self._row_of_ids

    def continue_ids(self, state: Any) -> None:
        """Not from the beginning: those were given already."""
        self._row_of_ids = state
        if self._repeatable and state:
            version, inner, gauss = state
            self._random.setstate((version, tuple(inner), gauss))

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All changes inside stay or go together; nested ones join their outer one when they succeed."""
        self._journals.append(Journal())
        try:
            yield
        except ApiError as error:
            if error.keeps:
                self._commit()
            else:
                self._undo()
            raise
        except BaseException:
            self._undo()
            raise
        else:
            self._commit()

    @contextmanager
    def scratch(self) -> Iterator[None]:
        """Whatever happens inside is forgotten afterwards: how previews are computed."""
        self._journals.append(Journal())
        try:
            yield
        finally:
            self._undo()

    def _commit(self) -> None:
        journal = self._journals.pop()
        if not self._journals:
            self.outbox.extend(journal.events)
            self.changes += 1
            return
        outer = self._journals[-1]
        outer.originals = journal.originals | outer.originals
        outer.rows = journal.rows | outer.rows
        outer.timers = journal.timers | outer.timers
        outer.spoken |= journal.spoken
        outer.events += journal.events

    def _undo(self) -> None:
        journal = self._journals.pop()
        for obj, original in journal.originals.values():
            obj.clear()
            obj.update(original)
        for (kind, key), row in journal.rows.items():
            put_back(self.tables[kind], key, row)
        for key, timer in journal.timers.items():
            put_back(self.timers, key, timer)

    def insert(self, obj: Obj) -> Obj:
        """Store a new object, with null in the optional fields that it does not set."""
        kind, key = obj["object"], obj["id"]
        for name in optional_fields(kind):
            obj.setdefault(name, None)
        self._journals[-1].rows.setdefault((kind, key), self.tables[kind].get(key))
        self.tables[kind][key] = obj
        return obj

    def remove(self, obj: Obj) -> None:
        self._journals[-1].rows.setdefault((obj["object"], obj["id"]), obj)
        self.tables[obj["object"]].pop(obj["id"], None)

    def find(self, kind: str, key: str | None) -> Obj | None:
        return self.tables[kind].get(key) if key else None

    def get(self, kind: str, key: str, param: str | None = None) -> Obj:
        found = self.tables[kind].get(key)
        if found is None:
            raise missing(kind, key, param)
        return found

    def all(self, kind: str) -> list[Obj]:
        return list(self.tables[kind].values())

    def touch(self, obj: Obj) -> Obj:
        """Call this before changing an object: it can be put back, and events can tell the difference."""
        self._journals[-1].originals.setdefault(id(obj), (obj, copied(obj)))
        return obj

    def change(self, obj: Obj, **fields: Any) -> Obj:
        self.touch(obj)
        obj.update(fields)
        return obj

    def set_timer(self, what: str, key: str, at: int | None) -> None:
        name = f"{what}:{key}"
        self._journals[-1].timers.setdefault(name, self.timers.get(name))
        if at is None:
            self.timers.pop(name, None)
        else:
            self.timers[name] = [at, what, key]

    def emit(self, kind: str, obj: Obj) -> None:
        """Record an event. An `.updated` event says what was before, and is left out when nothing differs."""
        data: Obj = {"object": render(obj)}
        if kind.endswith(".updated"):
            previous = differences(render(self._last_spoken(obj)), data["object"])
            if not previous:
                return
            data["previous_attributes"] = previous
        self._journals[-1].spoken[id(obj)] = copied(obj)
        caller = {"id": self.caller.id, "idempotency_key": self.caller.idempotency_key}
        event = {
            "id": self.new_id("evt_"), "object": "event", "account": None, "api_version": API_VERSION,
            "context": None, "created": self.now(), "data": copied(data), "livemode": False,
            "pending_webhooks": 0, "request": caller, "type": kind,
        }  # fmt: skip
        self._journals[-1].events.append(self.insert(event))

    def _last_spoken(self, obj: Obj) -> Obj:
        for journal in reversed(self._journals):
            if id(obj) in journal.spoken:
                return journal.spoken[id(obj)]
        for journal in self._journals:
            if id(obj) in journal.originals:
                return journal.originals[id(obj)][1]
        return obj

    def take_events(self) -> list[Obj]:
        taken, self.outbox = self.outbox, []
        return taken


def put_back(table: dict[str, Any], key: str, row: Any) -> None:
    if row is None:
        table.pop(key, None)
    else:
        table[key] = row


def copied(obj: Obj) -> Obj:
    copy: Obj = orjson.loads(orjson.dumps(obj))
    return copy
