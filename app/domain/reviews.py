"""What may a review say, and what is a package's rating?"""

from app.domain.errors import InvalidInput
from app.domain.slugs import clean_line, clean_text

LOWEST, HIGHEST = 1, 5
TITLE_LIMIT = 120
BODY_LIMIT = 5_000
PRIOR_COUNT, PRIOR_STARS = 5, 3


def rating(value: int, *, field: str = "rating") -> int:
    """1 to 5 whole stars; InvalidInput for others."""
    if type(value) is not int or not LOWEST <= value <= HIGHEST:
        raise InvalidInput(field, f"A rating is a whole number from {LOWEST} to {HIGHEST}.")
    return value


def title(text: str, *, field: str = "title") -> str:
    """One line of 1 to 120 characters."""
    return clean_line(text, field=field, limit=TITLE_LIMIT)


def body(text: str, *, field: str = "body") -> str:
    """Up to 5,000 characters; may be empty."""
    return clean_text(text, field=field, limit=BODY_LIMIT)


def average(total: int, count: int) -> float | None:
    """The mean of ``count`` ratings with the sum ``total``, to two decimals, halves up; None without any."""
    return (200 * total + count) // (2 * count) / 100 if count else None


def score(total: int, count: int) -> int:
    """What packages are sorted by: the mean in 1/10,000 after five more ratings of 3 stars; 0 without any.

    A Bayesian average: by the plain mean, one friend's five stars would beat two hundred ratings of 4.9. Five
    is about as many ratings as it takes to be believed; what nobody rated stands last, not in the middle.
    """
    return (total + PRIOR_COUNT * PRIOR_STARS) * 10_000 // (count + PRIOR_COUNT) if count else 0
