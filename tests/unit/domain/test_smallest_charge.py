import pytest

from app.domain.smallest_charge import SMALLEST, collected
from sandbox.objects.fields import MINIMUM


@pytest.mark.parametrize(
    ("open_cents", "currency", "cents"),
    [
        (50, "USD", 50), (49, "USD", 0), (30, "GBP", 30), (29, "GBP", 0), (14_999, "HUF", 0), (1, "KES", 1),
        (0, "KES", 0), (-500, "USD", 0), (-500, "KES", 0),
    ],
)  # fmt: skip
def test_what_is_collected_of_what_is_open(open_cents: int, currency: str, cents: int) -> None:
    assert collected(open_cents, currency) == cents


def test_the_stand_in_has_the_same_bounds() -> None:
    assert {currency.lower(): cents for currency, cents in SMALLEST.items()} == MINIMUM
