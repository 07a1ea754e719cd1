"""Which documents are worth keeping parsed and validated?"""

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class _Entry(Generic[Value]):
    value: Value
    size: int


class DocumentCache(Generic[Value]):
    """A cache bounded in entries and bytes that a flood of new keys cannot empty.

    A key is kept from its second appearance on, first on probation; asked for again there, it becomes
    settled. Room is made among those on probation, and settled ones never take more than four fifths of it.
    """

    def __init__(self, *, max_entries: int = 1_000, max_bytes: int = 64_000_000) -> None:
        self.max_entries = max_entries
        self.max_bytes = max_bytes
        self.bytes = 0
        self._seen: OrderedDict[Hashable, None] = OrderedDict()
        self._probation: OrderedDict[Hashable, _Entry[Value]] = OrderedDict()
        self._settled: OrderedDict[Hashable, _Entry[Value]] = OrderedDict()
        self._settled_bytes = 0

    def __len__(self) -> int:
        return len(self._probation) + len(self._settled)

    def __contains__(self, key: Hashable) -> bool:
        return key in self._probation or key in self._settled

    def get(self, key: Hashable) -> Value | None:
        if entry := self._settled.get(key):
            self._settled.move_to_end(key)
            return entry.value
        if entry := self._probation.pop(key, None):
            self._settle(key, entry)
            return entry.value
        return None

    def offer(self, key: Hashable, value: Value, *, size: int) -> bool:
        """Keep `value` if the key was offered before; `size` is its estimated weight in bytes."""
        if key in self or size > self.max_bytes // 5:
            return key in self
        if key not in self._seen:
            self._remember(key)
            return False
        del self._seen[key]
        self._probation[key] = _Entry(value, size)
        self.bytes += size
        self._make_room()
        return key in self

    def _settle(self, key: Hashable, entry: _Entry[Value]) -> None:
        self._settled[key] = entry
        self._settled_bytes += entry.size
        while self._settled_bytes > self.max_bytes * 4 // 5 or len(self._settled) > self.max_entries * 4 // 5:
            old_key, old = self._settled.popitem(last=False)
            self._settled_bytes -= old.size
            self._probation[old_key] = old

    def _remember(self, key: Hashable) -> None:
        self._seen[key] = None
        if len(self._seen) > 4 * self.max_entries:
            self._seen.popitem(last=False)

    def _make_room(self) -> None:
        while self._probation and (len(self) > self.max_entries or self.bytes > self.max_bytes):
            _, evicted = self._probation.popitem(last=False)
            self.bytes -= evicted.size
