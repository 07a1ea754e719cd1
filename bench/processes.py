"""What do the processes of a server take: memory, and time of the processor? As Linux's /proc tells it."""

import os
from collections.abc import Iterator
from pathlib import Path

PROC = Path("/proc")
TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int) -> float:
    """Of the process, its children, and those of them that have ended; 0 where there is no /proc."""
    return sum(_ticks(each) for each in _tree(pid)) / TICKS


def memory_bytes(pid: int) -> int:
    """Of the process and its children; what they share is counted once (proportional set size)."""
    return sum(_proportional(each) for each in _tree(pid))


def _tree(pid: int) -> Iterator[int]:
    yield pid
    for thread in (PROC / str(pid) / "task").glob("*"):
        for child in _read(thread / "children").split():
            yield from _tree(int(child))


def _ticks(pid: int) -> int:
    """The 12th to 15th field after the name: its own time and that of its ended children."""
    fields = _read(PROC / str(pid) / "stat").rpartition(")")[2].split()
    return sum(int(each) for each in fields[11:15])


def _proportional(pid: int) -> int:
    lines = _read(PROC / str(pid) / "smaps_rollup").splitlines()
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
