"""What does each package cost, according to a price table in TOML or CSV?

[prices]                                                       name,amount,currency
"invoice-pdf-templates" = { amount = "29.00", currency = "USD" }     invoice-pdf-templates,29.00,USD
"""

import csv
import io
import re
import tomllib
from pathlib import Path
from typing import Any

_AMOUNT = re.compile(r"[0-9]{1,12}(\.[0-9]{1,4})?")
_CURRENCY = re.compile(r"[A-Z]{3}")
_COLUMNS = ["name", "amount", "currency"]


class PackTableError(ValueError):
    """The table cannot be used; the message names the file and the line or key at fault."""


def read_prices(path: Path) -> dict[str, tuple[str, str]]:
    """Package name to amount, as decimal text in major units, and ISO currency in upper case.

    Whether the currency exists and has so many decimals is for the domain to decide.
    """
    readers = {".toml": _from_toml, ".csv": _from_csv}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise PackTableError(f"{path.name}: a price table is a .toml or a .csv file")
    return reader(_text(path), path.name)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise PackTableError(f"{path.name}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise PackTableError(f"{path.name}: is not UTF-8 text (byte {error.start})") from error


def _from_toml(text: str, file: str) -> dict[str, tuple[str, str]]:
    try:
        table = tomllib.loads(text).get("prices")
    except (ValueError, RecursionError) as error:
        raise PackTableError(f"{file}: is not valid TOML: {error}") from error
    if not isinstance(table, dict):
        raise PackTableError(f"{file}: has no [prices] table")
    return {name: _toml_price(entry, f"{file}: prices.{name}") for name, entry in table.items()}


def _toml_price(entry: object, where: str) -> tuple[str, str]:
    if not isinstance(entry, dict) or set(entry) != {"amount", "currency"}:
        raise PackTableError(f'{where}: must be {{ amount = "29.00", currency = "USD" }}')
    return _price(entry["amount"], entry["currency"], where)


def _from_csv(text: str, file: str) -> dict[str, tuple[str, str]]:
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    prices: dict[str, tuple[str, str]] = {}
    try:
        if [cell.strip().lower() for cell in next(rows, [])] != _COLUMNS:
            raise PackTableError(f"{file}: line 1: the first line must be {','.join(_COLUMNS)}")
        for row in rows:
            _add_row(prices, [cell.strip() for cell in row], f"{file}: line {rows.line_num}")
    except csv.Error as error:
        raise PackTableError(f"{file}: line {rows.line_num}: {error}") from error
    return prices


def _add_row(prices: dict[str, tuple[str, str]], cells: list[str], where: str) -> None:
    if not any(cells):
        return
    if len(cells) != len(_COLUMNS):
        raise PackTableError(f"{where}: has {len(cells)} columns instead of {len(_COLUMNS)}")
    name, amount, currency = cells
    if not name:
        raise PackTableError(f"{where}: the name is empty")
    if name in prices:
        raise PackTableError(f"{where}: '{name}' has a price already")
    prices[name] = _price(amount, currency, where)


def _price(amount: Any, currency: Any, where: str) -> tuple[str, str]:
    if isinstance(amount, float):
        raise PackTableError(f'{where}: the amount must be in quotes: "{amount:.2f}"')
    text = str(amount) if type(amount) is int else amount
    if not isinstance(text, str) or not _AMOUNT.fullmatch(text):
        raise PackTableError(f"{where}: the amount must look like 29.00, not {str(amount)[:40]!r}")
    code = currency.strip().upper() if isinstance(currency, str) else ""
    if not _CURRENCY.fullmatch(code):
        raise PackTableError(f"{where}: the currency must look like USD, not {str(currency)[:40]!r}")
    return text, code
