import asyncio
import json
from time import thread_time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.engine.serialisation import ITEMS_AT_ONCE, to_bytes

leaves = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
)
values = st.recursive(
    leaves, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20
)


@settings(deadline=None)
@given(values)
def test_bytes_mean_the_value(value: Any) -> None:
    assert json.loads(asyncio.run(to_bytes(value))) == value


@pytest.mark.parametrize("length", [0, 1, ITEMS_AT_ONCE, ITEMS_AT_ONCE + 1, 3 * ITEMS_AT_ONCE])
def test_long_lists_are_written_whole(length: int) -> None:
    value = {"data": {"items": [{"id": number} for number in range(length)], "more": True}}
    assert json.loads(asyncio.run(to_bytes(value))) == value


async def test_a_large_answer_leaves_turns_to_others() -> None:
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    task = asyncio.create_task(other())
    value = {"items": [{"id": number, "name": "x" * 50} for number in range(200_000)]}
    started = thread_time()  # a busy machine's clock goes on while nothing of ours runs
    await to_bytes(value)
    taken = thread_time() - started
    task.cancel()
    assert turns >= taken // 0.05
