"""Are ranges read as RFC 9110 says, and is a download complete exactly when every byte was sent?"""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.ranges import Slice, Unsatisfiable, complete, merge, parse_range

parts = st.tuples(st.integers(0, 60), st.integers(0, 60)).map(lambda pair: (min(pair), max(pair)))


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("bytes=0-499", Slice(0, 500)),
        ("bytes=500-999", Slice(500, 1000)),
        ("bytes=-500", Slice(500, 1000)),
        ("bytes=950-", Slice(950, 1000)),
        ("bytes=0-0", Slice(0, 1)),
        ("bytes=999-999", Slice(999, 1000)),
        ("bytes=-1", Slice(999, 1000)),
        ("bytes=0-", Slice(0, 1000)),
        ("bytes=0-99999", Slice(0, 1000)),
        ("bytes=-99999", Slice(0, 1000)),
        ("Bytes= 0-9 ", Slice(0, 10)),
        ("bytes=0-" + "9" * 80, Slice(0, 1000)),
        ("bytes=1000-", Unsatisfiable(1000)),
        ("bytes=1000-2000", Unsatisfiable(1000)),
        ("bytes=-0", Unsatisfiable(1000)),
        (None, None),
        ("", None),
        ("bytes=", None),
        ("bytes=-", None),
        ("bytes=5-4", None),
        ("bytes=2000-1000", None),
        ("bytes=a-b", None),
        ("bytes=0x0-5", None),
        ("bytes=\u0660-5", None),
        ("bytes=--5", None),
        ("bytes=1.5-2", None),
        ("bytes=0-1,5-6", None),
        ("bytes=0-1,", None),
        ("items=0-5", None),
        ("bytes 0-5", None),
        ("0-5", None),
        ("bytes=0-5\n", None),
        ("bytes=0-" + "9" * 5000, None),
    ],
)
def test_headers(header: str | None, expected: Slice | Unsatisfiable | None) -> None:
    assert parse_range(header, 1000) == expected


def test_an_empty_file() -> None:
    assert parse_range("bytes=0-0", 0) == Unsatisfiable(0)
    assert parse_range("bytes=-5", 0) is None


def test_what_the_answer_says() -> None:
    assert Slice(0, 500).content_range(1234) == "bytes 0-499/1234"
    assert Slice(0, 500).length == 500
    assert Unsatisfiable(1234).content_range == "bytes */1234"


@given(st.integers(0, 100), st.integers(0, 120), st.integers(0, 120))
def test_a_range_is_what_slicing_gives(size: int, first: int, last: int) -> None:
    data = bytes(range(size))
    answer = parse_range(f"bytes={first}-{last}", size)
    if isinstance(answer, Slice):
        assert data[answer.start : answer.stop] == data[first : last + 1]
        assert answer.length > 0
    else:
        assert answer == (None if last < first else Unsatisfiable(size))


@given(st.text(max_size=40), st.integers(0, 100))
def test_any_header_has_an_answer(text: str, size: int) -> None:
    for header in (text, f"bytes={text}"):
        answer = parse_range(header, size)
        assert not isinstance(answer, Slice) or 0 <= answer.start < answer.stop <= size


@given(st.lists(parts, max_size=20), st.integers(0, 60))
def test_merged_parts_hold_the_same_bytes(pieces: list[tuple[int, int]], size: int) -> None:
    covered: list[tuple[int, int]] = []
    for piece in pieces:
        covered = merge(covered, piece)
    held = {byte for start, stop in pieces for byte in range(start, stop)}
    assert {byte for start, stop in covered for byte in range(start, stop)} == held
    assert all(left[1] < right[0] for left, right in pairwise(covered))
    assert complete(covered, size) is held.issuperset(range(size))


def test_merge_and_complete() -> None:
    assert merge([(0, 10), (20, 30)], (10, 20)) == [(0, 30)]
    assert merge([(0, 10)], (11, 20)) == [(0, 10), (11, 20)]
    assert merge([], (5, 5)) == []
    assert complete([(0, 30)], 30) is True
    assert complete([(0, 29)], 30) is False
    assert complete([], 0) is True
    assert complete([], 1) is False
