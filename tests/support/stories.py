"""Stories of purchases as buyers, banks and staff live them; each step may be followed by a delivery."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import update

from app.db.models import Subscription, User
from app.schema.node import global_id, split_id
from tests.support import factories
from tests.support.buying import PRICE, Stall

Step = Callable[["Life"], Awaitable[None]]


@dataclass
class Life:
    """One purchase of a package of its own, by the stall's buyer."""

    stall: Stall
    package_id: str
    intent: str = ""
    disputed: str = ""

    @classmethod
    async def begin(cls, stall: Stall) -> "Life":
        package = await factories.make_package(stall.database, author=stall.author, price_cents=PRICE)
        await factories.make_version(stall.database, package=package)
        return cls(stall, global_id("Package", package.id))

    def act(self, action: str, card: str = "pm_card_visa") -> None:
        self.stall.shop.act(self.intent, action, card=card)

    def give_back(self, amount: int | None = None) -> None:
        given = {"payment_intent": self.intent, **({"amount": str(amount)} if amount else {})}
        answer = self.stall.shop.stand_in.form("POST", "/v1/refunds", given)
        assert answer.status_code == 200, answer.text


async def buys(life: Life) -> None:
    bought = await life.stall.buy(packageId=life.package_id)
    assert bought["errors"] == [], bought
    life.intent = bought["payment"]["clientSecret"].split("_secret")[0]


async def is_declined(life: Life) -> None:
    life.act("decline")


async def pays(life: Life) -> None:
    life.act("pay")


async def pays_by_a_card_whose_refunds_fail(life: Life) -> None:
    life.act("pay", card="pm_card_refundFail")


async def authenticates(life: Life) -> None:
    life.act("authenticate")


async def gets_part_back(life: Life) -> None:
    life.give_back(500)


async def gets_the_rest_back(life: Life) -> None:
    life.give_back()


async def disputes(life: Life) -> None:
    opened = life.stall.shop.stand_in.ask("/disputes", payment_intent=life.intent)
    life.disputed = opened["id"]


async def wins(life: Life) -> None:
    """The shop does."""
    life.stall.shop.stand_in.ask(f"/disputes/{life.disputed}", outcome="won")


async def loses(life: Life) -> None:
    life.stall.shop.stand_in.ask(f"/disputes/{life.disputed}", outcome="lost")


STORIES: dict[str, Sequence[Step]] = {
    "paid": (buys, pays),
    "declined, then paid": (buys, is_declined, pays),
    "authenticated": (buys, authenticates),
    "given back": (buys, pays, gets_the_rest_back),
    "given back in parts": (buys, is_declined, pays, gets_part_back, gets_the_rest_back),
    "a refund that fails": (buys, pays_by_a_card_whose_refunds_fail, gets_the_rest_back),
    "disputed and won": (buys, pays, disputes, wins),
    "disputed and lost": (buys, pays, disputes, loses),
    "given back in part, disputed and won": (buys, is_declined, pays, gets_part_back, disputes, wins),
    "never paid": (buys, is_declined),
}


async def lift_limits(stall: Stall) -> None:
    """The buyer may buy without end."""
    user_id = (split_id(stall.buyer.id) or ("", None))[1]
    async with stall.database.transaction() as connection:
        await connection.execute(update(User).where(User.id == user_id).values(tier="enterprise"))
        await connection.execute(
            update(Subscription).where(Subscription.user_id == user_id).values(tier="enterprise")
        )


async def live(
    life: Life, story: Sequence[Step], *, after_each: Callable[[], Awaitable[Any]] | None = None
) -> None:
    for step in story:
        await step(life)
        if after_each is not None:
            await after_each()
