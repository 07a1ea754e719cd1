"""Is a sale split to the cent, at the right step, and taken back without a rest?"""

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import app.domain.commission
from app.domain.commission import (
    Split,
    Step,
    load_terms,
    merge_terms,
    minimum_payout,
    share_taken,
    split,
)
from app.domain.errors import InvalidInput

DEFAULTS = Path(app.domain.commission.__file__).with_name("commission.toml").read_text(encoding="utf-8")
TERMS = load_terms(DEFAULTS)
AMOUNTS = st.integers(min_value=1, max_value=10**12)


def test_the_defaults() -> None:
    assert TERMS.steps == (Step(0, 2_000), Step(500, 1_500), Step(5_000, 1_000))
    assert TERMS.hold == timedelta(days=14)
    assert minimum_payout(TERMS, "USD") == 1_000
    assert minimum_payout(TERMS, "KWD") == 1


@pytest.mark.parametrize(
    ("sales_before", "commission"),
    [
        (0, 2_000),
        (498, 2_000),
        (499, 2_000),
        (500, 1_500),
        (501, 1_500),
        (4_999, 1_500),
        (5_000, 1_000),
        (10**6, 1_000),
    ],
)
def test_the_rate_is_that_of_the_sales_before(sales_before: int, commission: int) -> None:
    assert split(TERMS, amount_cents=10_000, sales_before=sales_before) == Split(
        commission, 10_000 - commission
    )


@pytest.mark.parametrize(
    ("amount", "parts"), [(1, Split(0, 1)), (4, Split(0, 4)), (5, Split(1, 4)), (999, Split(199, 800))]
)
def test_a_fraction_of_a_minor_unit_is_the_authors(amount: int, parts: Split) -> None:
    assert split(TERMS, amount_cents=amount, sales_before=0) == parts


@given(amount=AMOUNTS, sales=st.integers(min_value=0, max_value=10_000))
def test_the_parts_are_the_whole_and_the_author_has_some(amount: int, sales: int) -> None:
    parts = split(TERMS, amount_cents=amount, sales_before=sales)
    assert parts.commission_cents + parts.author_share_cents == amount
    assert parts.commission_cents >= 0
    assert parts.author_share_cents >= 1


@given(amount=AMOUNTS, sales=st.sampled_from([0, 500, 5_000]), data=st.data())
def test_what_goes_back_grows_to_exactly_the_share(amount: int, sales: int, data: st.DataObject) -> None:
    parts = split(TERMS, amount_cents=amount, sales_before=sales)
    share = parts.author_share_cents
    steps = sorted(data.draw(st.lists(st.integers(min_value=0, max_value=amount), max_size=5)))
    gone = [
        share_taken(amount_cents=amount, share_cents=share, taken_cents=each) for each in [0, *steps, amount]
    ]
    assert gone == sorted(gone)
    assert (gone[0], gone[-1]) == (0, share)
    for taken, of_share in zip([0, *steps, amount], gone, strict=True):
        assert 0 <= taken - of_share <= parts.commission_cents  # ours of it: never more than we took


def test_an_override_replaces_whole_keys() -> None:
    merged = merge_terms(DEFAULTS, "hold_days = 0\n[minimum_payout]\nEUR = 5")
    assert (merged.steps, merged.hold) == (TERMS.steps, timedelta(0))
    assert dict(merged.minimum_payout) == {"EUR": 5}


@pytest.mark.parametrize(
    ("override", "key"),
    [
        ("hold_days = -1", "hold_days"),
        ("hold_days = 366", "hold_days"),
        ("hold_days = true", "hold_days"),
        ("hold_days = 1.5", "hold_days"),
        ("hold = 1", "hold"),
        ("commission = []", "commission"),
        ("commission = 5", "commission"),
        ("commission = [5]", "commission[0]"),
        ("commission = [{ from_sales = 1, basis_points = 1 }]", "commission"),
        ("commission = [{ from_sales = 0 }]", "commission[0].basis_points"),
        ("commission = [{ from_sales = 0, basis_points = 10_000 }]", "commission[0].basis_points"),
        ("commission = [{ from_sales = 0, basis_points = 1, x = 1 }]", "commission[0].x"),
        (
            "commission = [{ from_sales = 0, basis_points = 1 }, { from_sales = 0, basis_points = 1 }]",
            "commission",
        ),
        ("minimum_payout = 5", "minimum_payout"),
        ("[minimum_payout]\nDOGE = 1", "minimum_payout.DOGE"),
        ("[minimum_payout]\nUSD = '1'", "minimum_payout.USD"),
        ("= 1", "commission"),
    ],
)
def test_what_is_wrong_is_named(override: str, key: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        merge_terms(DEFAULTS, override)
    assert refusal.value.field == key


def test_a_key_that_is_missing_is_named() -> None:
    with pytest.raises(InvalidInput, match="hold_days is missing"):
        load_terms("commission = []\nminimum_payout = {}")
