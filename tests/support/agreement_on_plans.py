"""Do subscriptions and their invoices stand here as they stand in the stand-in's ledger?

In the plainest words once more, without the program's own rules.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Rows = Mapping[str, Sequence[Any]]
Told = Mapping[str, Any]
LIVE = ("trialing", "active", "past_due")
OVER = ("canceled", "incomplete_expired")


def plans(rows: Rows, ledger: Told) -> Iterator[str]:
    customers = {row.stripe_customer_id for row in rows["users"]}
    theirs = [told for told in ledger["subscriptions"] if told["customer"] in customers]
    yield from _subscriptions(rows, theirs)
    yield from _tiers(rows, theirs)
    yield from _invoices(rows, [told for told in ledger["invoices"] if told["customer"] in customers])


def _subscriptions(rows: Rows, theirs: Sequence[Told]) -> Iterator[str]:
    """State, plan, price, interval, period and whether it ends with it."""
    ours = {row.stripe_subscription_id: row for row in rows["subscriptions"]}
    for told in theirs:
        row = ours.get(told["subscription"])
        if row is None:
            yield f"{told['subscription']}: nobody here knows it"
            continue
        ends = bool(told["cancel_at"] or told["cancel_at_period_end"]) and told["status"] not in OVER
        expected = (
            told["status"], _tier(told), told["interval"], told["amount"], told["currency"].upper(),
            told["current_period_start"], told["current_period_end"], ends,
        )  # fmt: skip
        found = (
            row.status, row.tier, row.billing_interval, row.price_cents, row.currency,
            row.current_period_start.timestamp(), row.current_period_end.timestamp(), row.cancel_at_period_end,
        )  # fmt: skip
        if found != expected:
            yield f"{told['subscription']}: here {found}, there {expected}"


def _tier(told: Told) -> str:
    """``revgraph-pro-month-2900-usd`` is what its price is called."""
    return str(told["lookup_key"]).split("-")[1]


def _tiers(rows: Rows, theirs: Sequence[Told]) -> Iterator[str]:
    """Every account has one live row and its tier: the plan's where one is paid for, which goes on from it."""
    live = [row for row in rows["subscriptions"] if row.status in LIVE and row.superseded_at is None]
    numbers, of_user = Counter(row.user_id for row in live), {row.user_id: row for row in live}
    paid_for = {told["customer"]: told for told in theirs if told["status"] in LIVE}
    for user in rows["users"]:
        if user.deleted_at is not None:
            continue
        if numbers[user.id] != 1:
            yield f"user {user.username}: {numbers[user.id]} live subscriptions"
            continue
        row, told = of_user[user.id], paid_for.get(user.stripe_customer_id)
        expected = (told["subscription"], _tier(told)) if told else (None, row.tier)
        if (row.stripe_subscription_id, user.tier) != expected:
            yield f"user {user.username}: {row.stripe_subscription_id} {user.tier}, expected {expected}"
    for user_id, number in Counter(
        (row.user_id, row.anchor_at) for row in live if row.stripe_subscription_id is None
    ).items():
        if number > 1:
            yield f"user {user_id}: {number} free plans"
    yield from _anchors(rows)


def _anchors(rows: Rows) -> Iterator[str]:
    """What was used is counted on through every change of an account's plan."""
    started = [row for row in rows["subscriptions"] if row.status not in ("incomplete", "incomplete_expired")]
    anchors: dict[Any, set[Any]] = {}
    for row in started:
        if row.superseded_at is None:
            anchors.setdefault(row.user_id, set()).add(row.anchor_at)
    for user_id, found in anchors.items():
        if len(found) > 1:
            yield f"user {user_id}: months from {sorted(map(str, found))}"


def _invoices(rows: Rows, theirs: Sequence[Told]) -> Iterator[str]:
    ours = {row.stripe_invoice_id: row for row in rows["invoices"] if row.stripe_invoice_id}
    facts = Counter(
        (row.topic, row.payload["invoice_id"], row.payload.get("attempt"))
        for row in rows["outbox"]
        if row.topic.startswith("invoice.") and "invoice_id" in row.payload
    )
    for told in theirs:
        row = ours.get(told["invoice"])
        if row is None:
            yield f"{told['invoice']}: nobody here knows it, {told['status']}"
            continue
        names = ("status", "number", "attempt_count", "subtotal", "total", "amount_due", "amount_paid")
        expected = (told["currency"].upper(), told["subscription"], *(told[name] for name in names))
        found = (
            row.currency, row.stripe_subscription_id, row.status, row.number, row.attempt_count,
            row.subtotal_cents, row.total_cents, row.amount_due_cents, row.amount_paid_cents,
        )  # fmt: skip
        if found != expected:
            yield f"{told['invoice']}: here {found}, there {expected}"
        yield from _told_once(row, told, facts)
    for key, times in facts.items():
        if times > 1:
            yield f"{key}: told {times} times"


def _told_once(row: Any, told: Told, facts: Counter[Any]) -> Iterator[str]:
    """A receipt, its number and its mail for what was paid; a mail for the last attempt of a renewal."""
    once = int(told["status"] == "paid" and told["amount_paid"] > 0)
    found = (int(row.receipt_number is not None), facts["invoice.paid", str(row.id), None])
    if found != (once, once):
        yield f"{told['invoice']}: numbered, told {found}, not {once}"
    retried = told["billing_reason"] not in ("subscription_create", "manual") and told["attempt_count"] > 0
    attempt = facts["invoice.payment_failed", str(row.id), told["attempt_count"]]
    if told["status"] == "open" and retried and attempt != 1:
        yield f"{told['invoice']}: attempt {told['attempt_count']} told {attempt} times"
