"""What a subscriber does in a round about a plan: starts one, pays, changes it, gives it up."""

from collections.abc import Callable
from typing import Any, Protocol
from uuid import uuid4

from tests.support.subscribing import CANCEL, CHANGE, PREVIEW, SEEN
from tests.torture.points import Point

ENDS = ("started", "upgraded", "upgraded, then cancelled", "cancelled at once")
RUNNING = ("ACTIVE", "PAST_DUE")


class World(Protocol):
    """Whoever gets no answer, or is told to try again, does."""

    def ask(
        self, key: str, document: str, given: dict[str, Any] | None, *, tolerant: bool = False
    ) -> Any: ...
    def act(self, path: str, **given: str) -> Any: ...
    def until(self, condition: Callable[[], bool], what: str) -> None: ...


def end_for(point: Point, number: int) -> str:
    """How the round ends: so that it comes by the point, where it matters."""
    if ".change" in point.target:
        return "upgraded"
    return "cancelled at once" if ".cancel" in point.target else ENDS[number % len(ENDS)]


def live(world: World, key: str, end: str) -> None:
    secret = _change(world, key, "PRO")["clientSecret"]
    world.act(f"/act/{secret.split('_secret')[0]}", action="pay", card="pm_card_visa")
    world.until(lambda: _seen(world, key) == ("PRO", "ACTIVE"), "the plan is given")
    if end.startswith("upgraded"):
        _change(world, key, "ENTERPRISE")
    if end.endswith("cancelled"):
        world.ask(key, CANCEL, {"atPeriodEnd": True, "idempotencyKey": uuid4().hex})
    if end == "cancelled at once":
        world.ask(key, CANCEL, {"atPeriodEnd": False, "idempotencyKey": uuid4().hex})


def _change(world: World, key: str, tier: str) -> Any:
    """A quote that is stale by now is asked for anew: nothing was done by it."""
    while True:
        quote = world.ask(key, PREVIEW, {"tier": tier})["quote"]["id"]
        given = {"tier": tier, "quoteId": quote, "idempotencyKey": uuid4().hex}
        answer = None

        def settled() -> bool:
            nonlocal answer
            answer = world.ask(key, CHANGE, given, tolerant=True)  # noqa: B023 - it is called before the next turn
            return not answer["errors"] or answer["errors"][0]["code"] == "QUOTE_EXPIRED"

        world.until(settled, f"the change to {tier} is answered: {answer}")
        assert answer is not None
        if not answer["errors"]:
            return answer


def _seen(world: World, key: str) -> tuple[str, str]:
    found = world.ask(key, SEEN, None, tolerant=True)["subscription"]
    return found["tier"], found["status"]
