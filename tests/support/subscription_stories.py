"""Stories of plans as subscribers, their banks and the calendar tell them; each step may be followed by a delivery."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tests.support.payments import Shop
from tests.support.subscribing import Subscriber, make_subscriber

Step = Callable[["Plan"], Awaitable[None]]
WORKING, FAILING = "pm_card_visa", "pm_card_chargeCustomerFail"
RUNNING = ("trialing", "active", "past_due", "incomplete", "unpaid")


@dataclass
class Plan:
    """One subscription of an account of its own; ``secret`` pays its first invoice."""

    subscriber: Subscriber
    method: str = ""
    secret: str = ""

    @classmethod
    async def begin(cls, shop: Shop) -> "Plan":
        return cls(await make_subscriber(shop))

    def passes(self, **by: float) -> None:
        self.subscriber.shop.forward(**by)

    async def end(self) -> None:
        """Nothing of it goes on, so that another story may take its time."""
        for told in self.subscriber.subscriptions():
            if told.status in RUNNING:
                self.subscriber.client.v1.subscriptions.cancel(told.id)


def done(payload: Any) -> Any:
    assert payload["errors"] == [], payload
    return payload


async def saves_a_card(plan: Plan) -> None:
    plan.method = plan.subscriber.save_card()


async def starts(plan: Plan) -> None:
    plan.secret = done(await plan.subscriber.change())["clientSecret"] or ""


async def starts_at_the_top(plan: Plan) -> None:
    done(await plan.subscriber.change("ENTERPRISE"))


async def is_declined(plan: Plan) -> None:
    plan.subscriber.pay(plan.secret, "decline")


async def pays(plan: Plan) -> None:
    assert plan.subscriber.pay(plan.secret)["error"] is None


async def half_a_month_passes(plan: Plan) -> None:
    plan.passes(days=15)


async def upgrades(plan: Plan) -> None:
    done(await plan.subscriber.change("ENTERPRISE"))


async def downgrades(plan: Plan) -> None:
    done(await plan.subscriber.change("PRO"))


async def a_month_passes(plan: Plan) -> None:
    """One renewal, whatever the month; its invoice is final an hour after the period's end."""
    plan.passes(days=31, hours=2)


async def the_card_stops_working(plan: Plan) -> None:
    plan.subscriber.shop.stand_in.ask(f"/payment_methods/{plan.method}", card=FAILING)


async def the_card_works_again(plan: Plan) -> None:
    plan.subscriber.shop.stand_in.ask(f"/payment_methods/{plan.method}", card=WORKING)


async def it_is_tried_again(plan: Plan) -> None:
    plan.passes(days=2)


async def every_retry_passes(plan: Plan) -> None:
    plan.passes(days=20)


async def cancels(plan: Plan) -> None:
    done(await plan.subscriber.cancel())


async def cancels_at_once(plan: Plan) -> None:
    done(await plan.subscriber.cancel(at_period_end=False))


async def resumes(plan: Plan) -> None:
    done(await plan.subscriber.resume())


STORIES: dict[str, tuple[Sequence[Step], tuple[str, str, int]]] = {
    "started": ((saves_a_card, starts), ("pro", "active", 2900)),
    "declined, then paid": ((starts, is_declined, pays), ("pro", "active", 2900)),
    "never paid": ((starts, is_declined), ("free", "incomplete", 0)),
    "upgraded": (
        (saves_a_card, starts, half_a_month_passes, upgrades), ("enterprise", "active", 2900 + 3500)
    ),
    "downgraded": (
        (saves_a_card, starts_at_the_top, downgrades, a_month_passes), ("pro", "active", 9900 + 2900)
    ),
    "renewed": ((saves_a_card, starts, a_month_passes), ("pro", "active", 2 * 2900)),
    "behind, then recovered": (
        (
            saves_a_card, starts, the_card_stops_working, a_month_passes, it_is_tried_again,
            the_card_works_again, every_retry_passes,
        ),
        ("pro", "active", 2 * 2900),
    ),
    "behind to the end": (
        (saves_a_card, starts, the_card_stops_working, a_month_passes, it_is_tried_again, every_retry_passes),
        ("free", "canceled", 2900),
    ),
    "cancelled and resumed": ((saves_a_card, starts, cancels, resumes, a_month_passes), ("pro", "active", 5800)),
    "cancelled, and over": ((saves_a_card, starts, cancels, a_month_passes), ("free", "canceled", 2900)),
    "cancelled at once": ((saves_a_card, starts, cancels_at_once), ("free", "canceled", 2900)),
}  # fmt: skip
"""The steps; then the account's tier, the subscription's state, and what was paid, in cents."""


async def live(
    plan: Plan, steps: Sequence[Step], *, after_each: Callable[[], Awaitable[Any]] | None = None
) -> None:
    for step in steps:
        await step(plan)
        if after_each is not None:
            await after_each()
