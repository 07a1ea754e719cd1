"""A long walk of random requests, faults and days: nothing breaks, and every sum agrees with every other."""

import random
from typing import Any

import pytest

from tests.support.stand_in import StandIn

CARDS = (
    "pm_card_visa", "pm_card_visa", "pm_card_visa", "pm_card_chargeDeclined", "pm_card_chargeCustomerFail",
    "pm_card_authenticationRequired", "pm_card_authenticationRequiredOnSetup", "pm_usBankAccount",
    "pm_usBankAccount_insufficientFunds", "pm_card_createDispute", "pm_card_refundFail",
)  # fmt: skip
BEHAVIORS = ("allow_incomplete", "default_incomplete", "error_if_incomplete")
STEPS = 250


class Walker:
    def __init__(self, stand_in: StandIn, seed: int) -> None:
        self.stand_in = stand_in
        self.random = random.Random(seed)
        self.pick = self.random.choice
        self.customers = [self.post("/v1/customers", name=str(n))["id"] for n in range(3)]
        self.prices = [
            self.post(
                "/v1/prices",
                currency="usd",
                unit_amount=amount,
                **{"recurring[interval]": interval, "product_data[name]": "P"},
            )["id"]
            for amount, interval in ((0, "month"), (999, "month"), (3333, "month"), (9990, "year"))
        ]

    def post(self, path: str, **given: Any) -> Any:
        answer = self.stand_in.form("POST", path, {name: str(value) for name, value in given.items()})
        assert answer.status_code in (200, 400, 402, 404), answer.text
        return answer.json()

    def some(self, kind: str, default: str = "none") -> Any:
        rows = list(self.stand_in.sandbox.world.tables[kind].values())
        return self.pick(rows) if rows else {"id": default, "items": {"data": [{"id": default}]}}

    def step(self) -> None:
        self.pick((
            self.pay, self.confirm, self.capture, self.cancel, self.refund, self.refund, self.dispute,
            self.attach, self.subscribe, self.subscribe, self.upgrade, self.upgrade, self.end, self.pause,
            self.resume, self.invoice, self.settle_invoice, self.preview, self.act, self.wait, self.wait,
            self.schedule, self.switch_card,
        ))()  # fmt: skip

    def pay(self) -> None:
        self.post(
            "/v1/payment_intents", amount=self.random.randint(50, 9999), currency="usd", confirm="true",
            customer=self.pick(self.customers), payment_method=self.pick(CARDS), return_url="http://shop.test/",
            capture_method=self.pick(("automatic", "manual")),
        )  # fmt: skip

    def confirm(self) -> None:
        intent = self.some("payment_intent")["id"]
        self.post(
            f"/v1/payment_intents/{intent}/confirm",
            payment_method=self.pick(CARDS),
            return_url="http://s.test/",
        )

    def capture(self) -> None:
        self.post(f"/v1/payment_intents/{self.some('payment_intent')['id']}/capture")

    def cancel(self) -> None:
        self.post(f"/v1/payment_intents/{self.some('payment_intent')['id']}/cancel")

    def refund(self) -> None:
        self.post("/v1/refunds", charge=self.some("charge")["id"], amount=self.random.randint(1, 2000))

    def dispute(self) -> None:
        charge = self.some("charge")["id"]
        self.stand_in.control.post("/_sandbox/disputes", json={"charge": charge})
        dispute = self.some("dispute")["id"]
        if self.random.random() < 0.5:
            outcome = self.pick(("won", "lost"))
            self.stand_in.control.post(f"/_sandbox/disputes/{dispute}", json={"outcome": outcome})

    def attach(self) -> None:
        customer = self.pick(self.customers)
        method = self.post(f"/v1/payment_methods/{self.pick(CARDS)}/attach", customer=customer)
        if "id" in method:
            key = "invoice_settings[default_payment_method]"
            self.post(f"/v1/customers/{customer}", **{key: method["id"]})

    def subscribe(self) -> None:
        trial = {"trial_period_days": self.random.randint(1, 20)} if self.random.random() < 0.3 else {}
        self.post(
            "/v1/subscriptions", customer=self.pick(self.customers), payment_behavior=self.pick(BEHAVIORS),
            **{"items[0][price]": self.pick(self.prices)}, **trial,
        )  # fmt: skip

    def upgrade(self) -> None:
        found = self.some("subscription")
        self.post(
            f"/v1/subscriptions/{found['id']}",
            proration_behavior=self.pick(("always_invoice", "create_prorations", "none")),
            payment_behavior=self.pick(BEHAVIORS),
            **{
                "items[0][id]": found["items"]["data"][0]["id"], "items[0][price]": self.pick(self.prices),
                "items[0][quantity]": self.random.randint(1, 3),
            },
        )  # fmt: skip

    def end(self) -> None:
        key = self.some("subscription")["id"]
        if self.random.random() < 0.3:
            self.stand_in.form("DELETE", f"/v1/subscriptions/{key}")
        else:
            self.post(f"/v1/subscriptions/{key}", cancel_at_period_end=self.pick(("true", "false")))

    def pause(self) -> None:
        self.post(f"/v1/subscriptions/{self.some('subscription')['id']}/pause")

    def resume(self) -> None:
        kind = {"billing_cycle_anchor[type]": self.pick(("now", "unchanged"))}
        self.post(f"/v1/subscriptions/{self.some('subscription')['id']}/resume", **kind)

    def invoice(self) -> None:
        customer = self.pick(self.customers)
        self.post(
            "/v1/invoiceitems", customer=customer, amount=self.random.randint(-500, 5000), currency="usd"
        )
        self.post("/v1/invoices", customer=customer, pending_invoice_items_behavior="include")

    def settle_invoice(self) -> None:
        verb = self.pick(("finalize", "pay", "void", "mark_uncollectible"))
        self.post(f"/v1/invoices/{self.some('invoice')['id']}/{verb}")

    def preview(self) -> None:
        self.post("/v1/invoices/create_preview", subscription=self.some("subscription")["id"])

    def act(self) -> None:
        action = self.pick(("pay", "decline", "authenticate", "refuse", "settle", "fail"))
        answer = self.stand_in.control.post(
            f"/_sandbox/act/{self.some('payment_intent')['id']}", json={"action": action}
        )
        assert answer.status_code in (200, 400, 404), answer.text

    def wait(self) -> None:
        self.stand_in.ask("/clock", days=self.random.randint(0, 12), advance=self.random.randint(0, 86400))

    def schedule(self) -> None:
        self.post("/v1/subscription_schedules", from_subscription=self.some("subscription")["id"])

    def switch_card(self) -> None:
        method = self.some("payment_method")["id"]
        self.stand_in.control.post(f"/_sandbox/payment_methods/{method}", json={"card": self.pick(CARDS)})


@pytest.mark.parametrize("seed", range(4))
def test_whatever_happens_the_ledger_is_consistent(stand_in: StandIn, seed: int) -> None:
    walker = Walker(stand_in, seed)
    for number in range(STEPS):
        walker.step()
        if number % 25 == 0:
            assert stand_in.look("/ledger")["problems"] == []
    ledger = stand_in.look("/ledger")
    assert ledger["problems"] == []
    assert ledger["totals"]["usd"]["charged"] > 0
    assert not [row for row in ledger["payments"] if row["succeeded_charges"] > 1]
