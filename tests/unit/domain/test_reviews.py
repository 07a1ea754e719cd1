"""Are reviews within their limits, and is the average right to two decimals?"""

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import InvalidInput
from app.domain.reviews import average, body, rating, title


@pytest.mark.parametrize("value", [1, 2, 3, 4, 5])
def test_ratings(value: int) -> None:
    assert rating(value) == value


@pytest.mark.parametrize("value", [0, 6, -1, 10**30, True, 4.5, "5", None])
def test_what_is_no_rating(value: Any) -> None:
    with pytest.raises(InvalidInput, match="1 to 5") as refused:
        rating(value)
    assert refused.value.field == "rating"


def test_title_and_body() -> None:
    assert title(" Good ") == "Good"
    assert title("x" * 120) == "x" * 120
    assert body("") == ""
    assert body("Line\r\nline ") == "Line\nline"
    assert body("x" * 5000) == "x" * 5000


@pytest.mark.parametrize("text", ["", "  ", "x" * 121, "a\nb", "a\0"])
def test_what_is_no_title(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        title(text)
    assert refused.value.field == "title"


@pytest.mark.parametrize("text", ["x" * 5001, "a\0b"])
def test_what_is_no_body(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        body(text)
    assert refused.value.field == "body"


@pytest.mark.parametrize(
    ("total", "count", "mean"),
    [(0, 0, None), (5, 1, 5.0), (9, 2, 4.5), (14, 3, 4.67), (13, 3, 4.33), (33, 8, 4.13), (4001, 800, 5.0)],
)
def test_average(total: int, count: int, mean: float | None) -> None:
    assert average(total, count) == mean


@given(st.lists(st.integers(1, 5), min_size=1, max_size=500))
def test_the_average_is_rounded_exactly(ratings: list[int]) -> None:
    exact = Decimal(sum(ratings)) / len(ratings)
    mean = average(sum(ratings), len(ratings))
    assert mean == float(exact.quantize(Decimal("0.01"), ROUND_HALF_UP))
    assert mean is not None
    assert 1 <= mean <= 5
