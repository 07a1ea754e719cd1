"""Which packages of the catalogue are listed, and in which order?"""

from dataclasses import dataclass
from enum import StrEnum

from app.domain import money, slugs
from app.domain.errors import InvalidInput
from app.domain.reviews import HIGHEST, LOWEST
from app.domain.search import Question
from app.domain.unicode_text import normalise

NAME_LIMIT = 100


class PackageSort(StrEnum):
    RELEVANCE = "relevance"
    """How well the question is answered; without a question, what most people took."""
    DOWNLOADS = "downloads"
    NEWEST = "newest"
    RATING = "rating"
    NAME = "name"


@dataclass(frozen=True)
class PackageFilter:
    """All that is given must hold. Prices in the package's minor unit, the rating in hundredths of a star."""

    category: str | None = None
    tag: str | None = None
    author_key: str | None = None
    license: str | None = None
    min_price_cents: int | None = None
    max_price_cents: int | None = None
    currency: str | None = None
    free: bool | None = None
    min_rating: int | None = None


@dataclass(frozen=True)
class Criteria:
    """``question`` None: nothing is searched for."""

    filter: PackageFilter = PackageFilter()
    question: Question | None = None


def package_filter(
    *,
    category: str | None = None,
    tag: str | None = None,
    author: str | None = None,
    license: str | None = None,
    min_price_cents: int | None = None,
    max_price_cents: int | None = None,
    currency: str | None = None,
    free: bool | None = None,
    min_rating: float | None = None,
) -> PackageFilter:
    """Raises InvalidInput for what no package could have."""
    _check_prices(min_price_cents, max_price_cents)
    return PackageFilter(
        category=slugs.category(category, field="category") if category is not None else None,
        tag=slugs.tag(tag, field="tag") if tag is not None else None,
        author_key=_name(author, field="author").casefold() if author is not None else None,
        license=_name(license, field="license") if license is not None else None,
        min_price_cents=min_price_cents,
        max_price_cents=max_price_cents,
        currency=money.currency_code(currency) if currency is not None else None,
        free=free,
        min_rating=_hundredths(min_rating) if min_rating is not None else None,
    )


def _check_prices(least: int | None, most: int | None) -> None:
    for field, cents in (("minPriceCents", least), ("maxPriceCents", most)):
        if cents is not None and cents < 0:
            raise InvalidInput(field, f"A price is at least 0, not {cents}.")
    if least is not None and most is not None and least > most:
        raise InvalidInput("minPriceCents", f"The least price, {least}, is above the greatest, {most}.")


def _name(text: str, *, field: str) -> str:
    name = normalise(text.strip(" "), field=field)
    if len(name) > NAME_LIMIT:
        raise InvalidInput(field, f"At most {NAME_LIMIT} characters are allowed: these are {len(name):,}.")
    return name


def _hundredths(stars: float) -> int:
    if not LOWEST <= stars <= HIGHEST:
        raise InvalidInput("minRating", f"A rating is from {LOWEST} to {HIGHEST}, not {stars:g}.")
    return round(stars * 100)
