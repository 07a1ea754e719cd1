"""When was each API key last used? Remembered in memory, so that a request writes no row for it."""

from datetime import datetime
from uuid import UUID


class LastUsedBuffer:
    """Grows by one entry a key; whoever takes the entries writes them down."""

    def __init__(self) -> None:
        self._used: dict[UUID, datetime] = {}

    def note(self, api_key_id: UUID, now: datetime) -> None:
        self._used[api_key_id] = max(now, self._used.get(api_key_id, now))

    def take(self) -> dict[UUID, datetime]:
        taken, self._used = self._used, {}
        return taken
