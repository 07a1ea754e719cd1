"""A loader asks once for the keys of a place, whatever the timing of others."""

import asyncio
from typing import Any, cast

import pytest

from app.dataloaders.loader import LoaderGroup, loader
from app.db.database import Database

asked: list[list[int]] = []


class Numbers(LoaderGroup):
    @loader
    @staticmethod
    async def doubled(_: Database, keys: list[int]) -> list[int]:
        asked.append(keys)
        await asyncio.sleep(0.01)
        if -1 in keys:
            raise ValueError("negative")
        return [2 * key for key in keys]


@pytest.fixture
def numbers() -> Any:
    asked.clear()
    return Numbers(cast(Database, None))


async def test_answers_stand_in_the_order_of_the_keys_and_each_key_is_asked_once(numbers: Any) -> None:
    assert await numbers.doubled([3, 1, 3, 2]) == [6, 2, 6, 4]
    assert asked == [[3, 1, 2]]


async def test_no_key_is_no_question(numbers: Any) -> None:
    assert await numbers.doubled([]) == []
    assert asked == []


async def test_the_same_keys_are_asked_once_at_any_time(numbers: Any) -> None:
    both = await asyncio.gather(numbers.doubled([1, 2]), numbers.doubled([1, 2, 2]))
    assert both == [[2, 4], [2, 4, 4]]
    assert await numbers.doubled([1, 2]) == [2, 4]
    assert asked == [[1, 2]]


async def test_other_keys_are_asked_anew_even_where_some_are_known(numbers: Any) -> None:
    assert await numbers.doubled([1, 2]) == [2, 4]
    assert await numbers.doubled.load(1) == 2
    assert asked == [[1, 2], [1]]


async def test_a_failure_is_the_answer_of_all_who_asked(numbers: Any) -> None:
    both = await asyncio.gather(*(numbers.doubled([-1]) for _ in range(2)), return_exceptions=True)
    assert list(map(str, both)) == ["negative", "negative"]
    assert asked == [[-1]]


async def test_another_request_asks_for_itself(numbers: Any) -> None:
    other = Numbers(cast(Database, None))
    assert [await numbers.doubled([1]), await other.doubled([1])] == [[2], [2]]
    assert asked == [[1], [1]]


async def test_who_waits_for_one_that_is_cancelled_is_cancelled_too(numbers: Any) -> None:
    first = asyncio.ensure_future(numbers.doubled([1]))
    second = asyncio.ensure_future(numbers.doubled([1]))
    await asyncio.sleep(0)
    first.cancel()
    results = await asyncio.gather(first, second, return_exceptions=True)
    assert [type(result) for result in results] == [asyncio.CancelledError] * 2


async def test_what_is_known_is_not_asked(numbers: Any) -> None:
    numbers.doubled.prime(4, 9)
    assert await numbers.doubled.load(4) == 9
    assert await numbers.doubled([4, 4]) == [9, 9]
    assert asked == []
    assert await numbers.doubled([4, 5]) == [8, 10]
