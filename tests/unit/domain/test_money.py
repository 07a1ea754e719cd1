"""Is money exact in reading, adding, sharing and showing?"""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import InvalidInput
from app.domain.money import CURRENT, Money, currency_code, format_money, minor_units, parse_decimal

amounts = st.integers(min_value=-(10**30), max_value=10**30)


def test_all_prices_below_100_dollars_round_trip() -> None:
    for cents in range(10_000):
        money = parse_decimal(f"{cents // 100}.{cents % 100:02d}", "USD")
        assert money == Money(cents, "USD")
        assert format_money(money) == f"${cents // 100}.{cents % 100:02d}"


@pytest.mark.parametrize("amount", [19.99, 19.0, True, Decimal(19), "19", None])
def test_only_integers_are_amounts(amount: Any) -> None:
    with pytest.raises(TypeError, match="minor units as int"):
        Money(amount, "USD")


@pytest.mark.parametrize("currency", ["usd", "US", "", "XX1", "USDX", "ZZZ"])
def test_only_iso_codes_are_currencies(currency: str) -> None:
    with pytest.raises(ValueError, match="ISO 4217"):
        Money(1, currency)
    with pytest.raises(ValueError, match="ISO 4217"):
        minor_units(currency)


def test_add_and_subtract() -> None:
    assert Money(1050, "EUR") + Money(-60, "EUR") == Money(990, "EUR")
    assert Money(1050, "EUR") - Money(2000, "EUR") == Money(-950, "EUR")


def test_currencies_do_not_mix() -> None:
    with pytest.raises(ValueError, match="EUR and USD"):
        Money(1, "EUR") + Money(1, "USD")
    with pytest.raises(ValueError, match="EUR and USD"):
        Money(1, "EUR") - Money(1, "USD")


def test_currency_code_knows_what_is_tender_today() -> None:
    assert currency_code("usd") == "USD"
    assert Money(5, "DEM").currency == "DEM"
    for text in ("DEM", "XAU", "BTC", "", "US", "U\u017fD"):
        with pytest.raises(InvalidInput) as refused:
            currency_code(text, field="priceCurrency")
        assert refused.value.field == "priceCurrency"


@pytest.mark.parametrize(
    ("currency", "digits"),
    [
        ("USD", 2),
        ("EUR", 2),
        ("JPY", 0),
        ("KRW", 0),
        ("KWD", 3),
        ("BHD", 3),
        ("IDR", 2),
        ("IQD", 3),
        ("HUF", 2),
    ],
)
def test_minor_units(currency: str, digits: int) -> None:
    assert minor_units(currency) == digits


@pytest.mark.parametrize(
    ("text", "currency", "cents"),
    [
        ("19.99", "USD", 1999),
        ("19.9", "usd", 1990),
        ("19", "USD", 1900),
        ("-0.01", "USD", -1),
        ("0", "JPY", 0),
        ("1200", "JPY", 1200),
        ("1.234", "KWD", 1234),
        ("1.5", "KWD", 1500),
        ("999999999999999.99", "USD", 10**17 - 1),
    ],
)
def test_parse_decimal(text: str, currency: str, cents: int) -> None:
    assert parse_decimal(text, currency) == Money(cents, currency.upper())


@pytest.mark.parametrize(
    "text",
    [
        "",
        " 1",
        "1 ",
        "1,99",
        "1e3",
        ".5",
        "5.",
        "+1",
        "--1",
        "0x1",
        "NaN",
        "1.2.3",
        "1_000",
        "\u0661",
        "1\n",
        "1" * 16,
    ],
)
def test_parse_decimal_refuses_other_notations(text: str) -> None:
    with pytest.raises(InvalidInput, match="one decimal point") as refused:
        parse_decimal(text, "USD", field="amount")
    assert refused.value.field == "amount"


@pytest.mark.parametrize(
    ("text", "currency"), [("1.999", "USD"), ("1.000", "USD"), ("1.0", "JPY"), ("1.0000", "KWD")]
)
def test_parse_decimal_never_rounds(text: str, currency: str) -> None:
    with pytest.raises(InvalidInput, match=f"{currency} has {minor_units(currency)} decimals"):
        parse_decimal(text, currency)


@pytest.mark.parametrize(
    ("money", "locale", "text"),
    [
        (Money(123456789, "USD"), "en_US", "$1,234,567.89"),
        (Money(-500, "EUR"), "en_US", "-€5.00"),
        (Money(123450, "EUR"), "de_DE", "1.234,50\xa0€"),
        (Money(1200, "JPY"), "en_US", "¥1,200"),
        (Money(150000, "IDR"), "en_US", "IDR1,500.00"),
        (Money(10**40 + 1, "USD"), "en_US", "$100" + ",000" * 12 + ".01"),
    ],
)
def test_format_money(money: Money, locale: str, text: str) -> None:
    assert format_money(money, locale).replace("IDR\xa0", "IDR") == text


@given(amounts, st.sampled_from(sorted(CURRENT)))
def test_showing_loses_nothing(amount: int, currency: str) -> None:
    shown = format_money(Money(amount, currency))
    assert int("".join(char for char in shown if char in "0123456789")) == abs(amount)
    assert shown.startswith("-") is (amount < 0)
