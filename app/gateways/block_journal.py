"""A file for each process that says what it used of its blocks of API calls: see ``ports.BlockJournal``.

The file is mapped into memory: a note is a store of eight bytes, and what was stored is the operating
system's, so that a killed process leaves it whole. The process holds a lock on its file, which no kind of
death leaves behind; who gets the lock of another's file knows that its owner has ended.
"""

import fcntl
import mmap
import os
import secrets
from collections.abc import Generator
from hashlib import sha256
from io import FileIO
from pathlib import Path
from struct import Struct
from uuid import UUID

import structlog

from app.ports import LeftBlock

SLOT = Struct("=qq16s")
"""Calls used, the limit, the block's id."""
COUNT_SIZE = 8
SLOTS = 2048
UNLIMITED = -1
EMPTY = bytes(16)

log = structlog.get_logger(__name__)


class FileJournal:
    """In ``folder``, beside those of other processes of the machine; ``database`` tells which ones count."""

    def __init__(self, folder: Path, *, database: str) -> None:
        self._folder = folder
        self._prefix = sha256(database.encode()).hexdigest()[:16]
        self._file: FileIO | None = None
        self._map: mmap.mmap | None = None
        self._counts = memoryview(b"")
        self._free: list[int] = []
        self._failed = False

    def open(self, block_id: UUID, *, limit: int | None) -> int | None:
        if self._map is None and not self._failed:
            self._begin()
        if self._map is None or not self._free:
            return None
        slot = self._free.pop()
        SLOT.pack_into(self._map, slot, 0, UNLIMITED if limit is None else limit, block_id.bytes)
        return slot

    def note(self, slot: int, used: int) -> None:
        """In one store: struct clears its bytes before it writes them, and a kill may come in between."""
        self._counts[slot // COUNT_SIZE] = used

    def close(self, slot: int) -> None:
        assert self._map is not None
        SLOT.pack_into(self._map, slot, 0, 0, EMPTY)
        self._free.append(slot)

    def _begin(self) -> None:
        """Written out in full: a hole in a file that a full disk cannot fill would kill the process later."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            path = self._folder / f"{self._prefix}-{os.getpid()}-{secrets.token_hex(4)}"
            fresh = path.with_suffix(".new")
            file = FileIO(fresh, "x+")
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            file.write(bytes(SLOT.size * SLOTS))
            fresh.rename(path.with_suffix(".calls"))
            self._map = mmap.mmap(file.fileno(), SLOT.size * SLOTS)
            self._counts = memoryview(self._map).cast("q")
        except OSError as error:
            self._failed = True
            log.warning("calls_are_counted_singly", reason=f"{self._folder} cannot be written: {error}")
            return
        self._file, self._path = file, path.with_suffix(".calls")
        self._free = [number * SLOT.size for number in reversed(range(SLOTS))]

    def left_behind(self) -> Generator[list[LeftBlock]]:
        for path in sorted(self._folder.glob(f"{self._prefix}-*.calls")):
            try:
                file = FileIO(path, "r+")
            except FileNotFoundError:
                continue  # another process has seen to it
            with file:
                if not _locked(file):
                    continue
                yield _blocks(file.readall())
                path.unlink(missing_ok=True)

    def end(self) -> None:
        if self._map is None or self._file is None:
            return
        if len(self._free) == SLOTS:
            self._path.unlink(missing_ok=True)
        self._counts.release()
        self._map.close()
        self._file.close()
        self._map, self._failed = None, True


def _locked(file: FileIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _blocks(content: bytes) -> list[LeftBlock]:
    whole = len(content) - len(content) % SLOT.size
    return [
        LeftBlock(UUID(bytes=name), used, None if limit == UNLIMITED else limit)
        for used, limit, name in SLOT.iter_unpack(content[:whole])
        if name != EMPTY
    ]
