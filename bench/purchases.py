"""What may still be bought: each package once by each account, over all servers and rounds."""

from uuid import UUID

from bench.operations import PURCHASE, Request
from bench.subjects import Subjects


class Exhausted(Exception):
    """There is nothing left to buy in the database: remove it, and it is made anew."""


class Purchases:
    def __init__(self, subjects: Subjects) -> None:
        self._left = iter(list(zip(PURCHASE.requests(subjects), subjects.to_buy, strict=True)))

    def take(self, number: int) -> list[tuple[Request, UUID]]:
        """Requests with the ids of their packages. Raises Exhausted."""
        taken = [pair for _, pair in zip(range(number), self._left, strict=False)]
        if len(taken) < number:
            raise Exhausted("All that is free has been bought: remove .cache/bench and run again.")
        return taken
