"""Which bytes of a file does a request ask for, and which have been delivered altogether?

Offsets are half-open, ``start <= byte < stop``, unlike the header's, which include the last byte.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

_LONGEST_HEADER = 100
_RANGE = re.compile(r"bytes=[ \t]*(?:([0-9]+)-([0-9]*)|-([0-9]+))[ \t]*", re.IGNORECASE)


@dataclass(frozen=True)
class Slice:
    """A part of the file, for 206 Partial Content; never empty, never past the end."""

    start: int
    stop: int

    @property
    def length(self) -> int:
        return self.stop - self.start

    def content_range(self, size: int) -> str:
        """The Content-Range header: 'bytes 0-499/1234'."""
        return f"bytes {self.start}-{self.stop - 1}/{size}"


@dataclass(frozen=True)
class Unsatisfiable:
    """For 416 Range Not Satisfiable."""

    size: int

    @property
    def content_range(self) -> str:
        return f"bytes */{self.size}"


def parse_range(header: str | None, size: int) -> Slice | Unsatisfiable | None:
    """What the Range header asks of a file of ``size`` bytes; None: answer with the whole file (200).

    RFC 9110, 14.1.2 and 14.2. Ignored, as the RFC allows, are headers that are malformed, longer than 100,
    of other units, or of several ranges, whose multipart answers no downloader needs.
    """
    match = _RANGE.fullmatch(header) if header and len(header) <= _LONGEST_HEADER else None
    if match is None:
        return None
    first, last, suffix = match.groups()
    return (
        _suffix(int(suffix), size)
        if suffix
        else _first_to_last(int(first), int(last) if last else None, size)
    )


def _suffix(length: int, size: int) -> Slice | Unsatisfiable | None:
    """The last ``length`` bytes. All of an empty file is satisfiable, but no Content-Range can say it."""
    if length == 0:
        return Unsatisfiable(size)
    return Slice(max(0, size - length), size) if size else None


def _first_to_last(first: int, last: int | None, size: int) -> Slice | Unsatisfiable | None:
    """``last`` None is the end of the file; a last byte before the first makes the header invalid."""
    if last is not None and last < first:
        return None
    if first >= size:
        return Unsatisfiable(size)
    return Slice(first, size if last is None else min(last + 1, size))


def merge(covered: Sequence[tuple[int, int]], new: tuple[int, int]) -> list[tuple[int, int]]:
    """``covered`` and ``new`` as the fewest (start, stop) that hold the same bytes, sorted."""
    merged: list[tuple[int, int]] = []
    for start, stop in sorted(part for part in [*covered, new] if part[0] < part[1]):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(stop, merged[-1][1]))
        else:
            merged.append((start, stop))
    return merged


def complete(covered: Sequence[tuple[int, int]], size: int) -> bool:
    """Whether merged parts hold every byte; an empty file is complete from the beginning."""
    return size == 0 or any(start == 0 and size <= stop for start, stop in covered)
