"""Any history of money: whatever is bought, declined, changed, refunded, disputed, lost and repeated.

In the end, when everything that was said has been heard, the database says what the provider's ledger says.
On the way nothing is granted before it is paid, and nothing is paid twice.
"""

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import stripe
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select

from app.bootstrap import Settings
from app.db.models import Licence, Payment, Purchase
from app.domain.api_keys import Role
from app.jobs import CHORES
from app.schema.node import global_id
from app.services import housekeeping, reconciliation
from tests.support import factories
from tests.support.agreement import contradictions
from tests.support.buying import BUY
from tests.support.clients import Api, Clock, make_key, served, sign_up_as
from tests.support.histories import Steps
from tests.support.payments import Shop
from tests.support.stand_in import StandIn
from tests.support.subscribing import PLANS, Subscriber, make_subscriber

REFUND = """mutation($input: RefundPaymentInput!) { refundPayment(input: $input) {
    refund { id } errors { code } } }"""
CARDS = ["pm_card_visa", "pm_card_chargeDeclined", "pm_card_authenticationRequired", "pm_usBankAccount"]
FEW = 8
EXAMPLES = int(os.environ.get("MONEY_HISTORIES", FEW))
"""MONEY_HISTORIES=500 looks for new ones for an hour or two; the few of every run are always the same."""
STEPS = 20 if EXAMPLES == FEW else 40
choices = st.integers(0, 50)
WRITES = "/v1/*"


class MoneyHistory(RuleBasedStateMachine):
    """One account with a saved card, two paid packages, a plan; an administrator who refunds."""

    runner: Steps
    shop: Shop
    admin: Api
    packages: list[Any]

    @initialize()
    def open_account(self) -> None:
        self.subscriber: Subscriber = self.runner.run(make_subscriber(self.shop))
        self.card = self.subscriber.save_card()

    def do(self, work: Any) -> Any:
        return self.runner.run(work)

    @property
    def world(self) -> Any:
        return self.shop.stand_in.sandbox.world

    def of_mine(self, kind: str) -> list[Any]:
        return [row for row in self.world.all(kind) if row["customer"] == self.subscriber.customer]

    def intents(self, *statuses: str) -> list[str]:
        return [row["id"] for row in self.of_mine("payment_intent") if row["status"] in statuses]

    @rule(which=st.integers(0, 1))
    def buy(self, which: int) -> None:
        package = global_id("Package", self.packages[which].id)
        given = {"packageId": package, "idempotencyKey": uuid4().hex}
        self.do(self.subscriber.api(BUY, input=given)).payload()

    @rule(which=st.integers(0, 1), when=st.sampled_from(["before", "after"]), path=st.sampled_from([WRITES]))
    def buy_without_an_answer(self, which: int, when: str, path: str) -> None:
        self.shop.lose(path, when=when)
        self.buy(which)
        self.shop.stand_in.control.delete("/_sandbox/faults")

    @rule(
        which=choices,
        action=st.sampled_from(["pay", "pay", "decline", "authenticate", "refuse"]),
        card=st.sampled_from(CARDS),
    )
    def answer_the_bank(self, which: int, action: str, card: str) -> None:
        """Of an intent whose secret was told: of one whose answer was lost, nobody can pay."""
        told = self.do(self.told())
        intents = [
            each for each in self.intents("requires_payment_method", "requires_action") if each in told
        ]
        if intents:
            self.at_the_provider(f"/act/{intents[which % len(intents)]}", action=action, card=card)

    async def told(self) -> set[str]:
        async with self.shop.api.deps.database.read() as connection:
            known = select(Payment.stripe_payment_intent_id).where(Payment.user_id == self.subscriber.user_id)
            return set((await connection.execute(known)).scalars())

    def at_the_provider(self, path: str, **given: Any) -> None:
        """What is not possible there now does not happen."""
        answer = self.shop.stand_in.control.post(f"/_sandbox{path}", json=given)
        assert answer.status_code < 500, answer.text

    @precondition(lambda self: self.intents("succeeded"))
    @rule(which=choices, part=st.sampled_from([1, 2, 3]), ours=st.booleans())
    def refund(self, which: int, part: int, ours: bool) -> None:
        intents = self.intents("succeeded")
        intent = self.world.get("payment_intent", intents[which % len(intents)])
        amount = intent["amount"] // part
        if ours:
            self.do(self.ask_for_a_refund(intent["id"], amount))
        else:
            self.sdk(
                lambda client: client.v1.refunds.create({"payment_intent": intent["id"], "amount": amount})
            )

    async def ask_for_a_refund(self, intent_id: str, amount: int) -> None:
        async with self.shop.api.deps.database.read() as connection:
            payment = select(Payment.id).where(Payment.stripe_payment_intent_id == intent_id)
            payment_id = (await connection.execute(payment)).scalar_one_or_none()
        if payment_id is not None:
            given = {"paymentId": global_id("Payment", payment_id), "amountCents": amount, "reason": "asked"}
            (await self.admin(REFUND, input={**given, "idempotencyKey": uuid4().hex})).payload()

    def sdk(self, call: Any) -> None:
        """Behind the server's back; what is not possible now does not happen."""
        with suppress(stripe.InvalidRequestError):
            call(self.subscriber.client)

    @precondition(lambda self: self.intents("succeeded"))
    @rule(which=choices)
    def dispute(self, which: int) -> None:
        intents = self.intents("succeeded")
        self.at_the_provider("/disputes", payment_intent=intents[which % len(intents)])

    @rule(which=choices, outcome=st.sampled_from(["won", "lost"]))
    def decide_a_dispute(self, which: int, outcome: str) -> None:
        mine = {row["id"] for row in self.of_mine("payment_intent")}
        disputes = [row["id"] for row in self.world.all("dispute") if row["payment_intent"] in mine]
        if disputes:
            self.at_the_provider(f"/disputes/{disputes[which % len(disputes)]}", outcome=outcome)

    @rule(tier=st.sampled_from(["PRO", "ENTERPRISE", "FREE"]), interval=st.sampled_from(["MONTH", "YEAR"]))
    def change_plan(self, tier: str, interval: str) -> None:
        self.do(self.subscriber.change(tier, None if tier == "FREE" else interval))

    @rule(at_period_end=st.booleans())
    def cancel(self, at_period_end: bool) -> None:
        self.do(self.subscriber.cancel(at_period_end=at_period_end))

    @rule()
    def resume(self) -> None:
        self.do(self.subscriber.resume())

    @rule(card=st.sampled_from(["pm_card_visa", "pm_card_chargeCustomerFail"]))
    def the_saved_card_changes(self, card: str) -> None:
        self.at_the_provider(f"/payment_methods/{self.card}", card=card)

    @rule(days=st.sampled_from([1, 3, 8, 32]))
    def time_passes(self, days: int) -> None:
        self.shop.forward(days=days)

    @rule(
        seed=choices,
        times=st.integers(1, 2),
        drop=st.sampled_from([[], [], ["invoice.*"], ["charge.*"], ["*"]]),
    )
    def events_arrive(self, seed: int, times: int, drop: list[str]) -> None:
        self.do(self.shop.deliver(seed=seed, times=times, drop=drop))

    @rule()
    def the_worker_works(self) -> None:
        self.do(self.shop.work())

    @rule()
    def the_sweepers_sweep(self) -> None:
        self.do(self.sweep())

    async def sweep(self) -> None:
        for chore in CHORES:
            await chore(self.shop.api.deps)

    @invariant()
    def nothing_is_granted_before_it_is_paid(self) -> None:
        if hasattr(self, "subscriber"):
            granted = self.do(self.granted())
            paid = set(self.intents("succeeded"))
            assert granted <= paid, granted - paid

    async def granted(self) -> set[str]:
        """The intents of purchases that have a licence."""
        statement = (
            select(Payment.stripe_payment_intent_id)
            .join(Purchase, Purchase.id == Payment.purchase_id)
            .join(Licence, Licence.purchase_id == Purchase.id)
            .where(Purchase.user_id == self.subscriber.user_id)
        )
        async with self.shop.api.deps.database.read() as connection:
            return set((await connection.execute(statement)).scalars())

    def teardown(self) -> None:
        if hasattr(self, "subscriber"):
            self.do(self.end())

    async def end(self) -> None:
        """Everything that was said is heard in the end, by the reconciliation alone if need be."""
        await self.shop.work()
        for _ in range(3):  # what a check finds may need another one: an intent that is then withdrawn
            self.shop.forward(hours=2)
            await self.sweep()
            await self.shop.work()
        since = self.shop.api.clock() - timedelta(days=400)
        for _ in range(2):  # what the first finds paid lets the second see that another intent is not to be
            report = await reconciliation.run(self.shop.api.deps.tools, since=since, dry_run=False)
            assert report.failed == {}
            await self.shop.work()
        ledger = self.shop.stand_in.look("/ledger")
        database, user_id = self.shop.api.deps.database, self.subscriber.user_id
        assert await contradictions(database, ledger, of=user_id) == []


@asynccontextmanager
async def opened(paying: Settings, plans: Path, stand_in: StandIn, clock: Clock) -> AsyncIterator[Any]:
    async with served(paying.model_copy(update={"plans_file": plans}), clock) as api:
        shop, database = Shop(api, stand_in), api.deps.database
        admin = await sign_up_as(api, Role.ADMIN)
        author = await factories.make_author(database, user=await factories.make_user(database))
        packages = []
        for price in (1999, 1):
            made = await factories.make_package(database, author=author, price_cents=price * 100)
            await factories.make_version(database, package=made)
            packages.append(made)
        key = await make_key(admin, "READ", "ADMIN")
        yield {"shop": shop, "admin": api.as_(key), "packages": packages}


async def forget_nothing(**_: Any) -> None:
    """Age is told by ids, which are made by the real clock: after years of this one everything would be old."""


@pytest.fixture
def history(
    paying_settings: Settings,
    stand_in: StandIn,
    clock: Clock,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[type[MoneyHistory]]:
    monkeypatch.setattr(housekeeping, "prune", forget_nothing)
    plans = tmp_path / "plans.toml"
    plans.write_text(PLANS.format(trial_days=0))
    with Steps() as runner:
        opening = opened(paying_settings, plans, stand_in, clock)
        world = runner.run(opening.__aenter__())
        yield type(f"MoneyHistory{uuid4().hex}", (MoneyHistory,), {"runner": runner, **world})
        runner.run(opening.__aexit__(None, None, None))


@pytest.mark.timeout(0 if EXAMPLES > FEW else 600)
def test_any_history_ends_as_the_provider_tells_it(
    history: type[MoneyHistory], request: pytest.FixtureRequest
) -> None:
    examples = settings(
        max_examples=EXAMPLES,
        stateful_step_count=STEPS,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        derandomize=EXAMPLES == FEW,
    )
    run_state_machine_as_test(history, settings=examples)
