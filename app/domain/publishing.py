"""What may a package say, cost and contain?

Lengths are counted in characters after normalising; prices are in the currency's minor unit.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any

from app.domain import money, slugs
from app.domain.errors import InvalidInput
from app.domain.payments import COUNTED_OTHERWISE

NAME_LIMIT = 120
DESCRIPTION_LIMIT = 50_000
README_LIMIT = 1_000_000
LICENSE_LIMIT = 100
CHANGELOG_LIMIT = 50_000
REASON_LIMIT = 500
PATH_LIMIT = 255
MAX_LABELS = 30
MAX_FILES = 100
MAX_PRICE = 100_000_000
NO_LICENSE = "unspecified"
"""Stands where an imported package states none."""

_MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,48}/[a-z0-9][a-z0-9!#$&^_.+-]{0,48}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_ACRONYMS = frozenset({"ai", "api", "cd", "ci", "cli", "crm", "hr", "iot", "seo", "sql", "ui", "ux"})


@dataclass(frozen=True)
class Texts:
    """What a package says and costs; None leaves it as it is, an empty ``readme`` takes it away."""

    name: str | None = None
    description: str | None = None
    readme: str | None = None
    license: str | None = None
    categories: Sequence[str] | None = None
    tags: Sequence[str] | None = None
    price_cents: int | None = None
    currency: str | None = None

    def given(self) -> list[str]:
        """The names of those that are not None."""
        return [field.name for field in fields(self) if getattr(self, field.name) is not None]


def columns(texts: Texts) -> dict[str, Any]:
    """The package's own columns that are given, in the form in which they are kept. Raises InvalidInput."""
    rules: dict[str, Callable[[Any], Any]] = {
        "name": name,
        "description": description,
        "readme": readme,
        "license": license_name,
        "price_cents": price_cents,
        "currency": currency,
    }
    values = {column: rules[column](getattr(texts, column)) for column in texts.given() if column in rules}
    return {**values, "name_key": name_key(values["name"])} if "name" in values else values


def name(text: str) -> str:
    return slugs.clean_line(text, field="name", limit=NAME_LIMIT)


def name_key(text: str) -> str:
    """What lists are sorted by: without regard to case."""
    return text.casefold()


def description(text: str) -> str:
    return slugs.clean_text(text, field="description", limit=DESCRIPTION_LIMIT, minimum=1)


def readme(text: str) -> str | None:
    """Markdown; None for an empty one."""
    return slugs.clean_text(text, field="readme", limit=README_LIMIT) or None


def license_name(text: str) -> str:
    return slugs.clean_line(text, field="license", limit=LICENSE_LIMIT)


def changelog(text: str) -> str:
    return slugs.clean_text(text, field="changelog", limit=CHANGELOG_LIMIT)


def reason(text: str) -> str:
    return slugs.clean_line(text, field="reason", limit=REASON_LIMIT)


def categories(given: Sequence[str]) -> list[str]:
    """Each once, sorted; at most 30."""
    return sorted({slugs.category(label) for label in _few(given, field="categories")})


def tags(given: Sequence[str]) -> list[str]:
    """Each once, sorted; at most 30."""
    return sorted({slugs.tag(label) for label in _few(given, field="tags")})


def _few(given: Sequence[str], *, field: str) -> Sequence[str]:
    if len(given) > MAX_LABELS:
        raise InvalidInput(field, f"At most {MAX_LABELS} are allowed: these are {len(given)}.")
    return given


def category_name(slug: str) -> str:
    """'ci-cd' is shown as 'CI CD', 'developer-tools' as 'Developer Tools'."""
    return " ".join(part.upper() if part in _ACRONYMS else part.capitalize() for part in slug.split("-"))


def price_cents(amount: int) -> int:
    """0, which is free, to 100,000,000."""
    if not 0 <= amount <= MAX_PRICE:
        raise InvalidInput("priceCents", f"A price is from 0 to {MAX_PRICE:,} of the currency's minor units.")
    return amount


def currency(text: str) -> str:
    """One in which something can be sold."""
    code = money.currency_code(text)
    if code in COUNTED_OTHERWISE:
        raise InvalidInput("currency", f"Nothing is sold in {code}.")
    return code


def price(text: str, code: str) -> money.Money:
    """'19.00' and 'USD' of a price table. Raises InvalidInput."""
    parsed = money.parse_decimal(text, currency(code))
    price_cents(parsed.amount_cents)
    return parsed


def file_name(text: str) -> str:
    """One name without folders."""
    cleaned = file_path(text, field="filename")
    if "/" in cleaned:
        raise InvalidInput("filename", "Give the file's name without folders.")
    return cleaned


def file_path(text: str, *, field: str = "files") -> str:
    """A relative path with '/' between folders that stays within its version, on every system."""
    path = slugs.clean_line(text, field=field, limit=PATH_LIMIT)
    parts = path.split("/")
    # Windows drops dots and spaces at a name's end, and takes a colon for a drive or a hidden stream.
    if any(char in path for char in "\\:") or any(not part or part != part.rstrip(". ") for part in parts):
        raise InvalidInput(field, "Give a relative path such as docs/guide.pdf.")
    return path


def file_paths(given: Sequence[str]) -> list[str]:
    """The paths of a version's files: 1 to 100, no two alike."""
    if not 1 <= len(given) <= MAX_FILES:
        raise InvalidInput("files", f"A version has 1 to {MAX_FILES} files: these are {len(given)}.")
    paths = [file_path(path) for path in given]
    # Two paths that differ in case alone are one file to whoever unpacks on Windows or macOS.
    if len({path.casefold() for path in paths}) < len(paths):
        raise InvalidInput("files", "Two files have the same path.")
    return paths


def media_type(text: str) -> str:
    """Such as application/gzip: a type and a subtype without parameters (RFC 6838, 4.2), in lower case."""
    lowered = text.strip(" ").lower()
    if not _MEDIA_TYPE.fullmatch(lowered):
        raise InvalidInput("mediaType", "Give a media type such as application/gzip.")
    return lowered


def sha256(text: str) -> str:
    """64 hexadecimal digits, in lower case."""
    lowered = text.lower()
    if not _SHA256.fullmatch(lowered):
        raise InvalidInput("sha256", "A SHA-256 is 64 hexadecimal digits.")
    return lowered
