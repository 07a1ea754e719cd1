"""Does the database say what the stand-in's ledger says, and did everything that follows follow once?

Written without the program's own rules: what is expected stands here once more, in the plainest words.
"""

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.db.database import Database
from app.db.models import (
    Dispute,
    Invoice,
    LedgerEntry,
    LedgerLine,
    Licence,
    OutboxFact,
    Package,
    Payment,
    Purchase,
    Refund,
    Subscription,
    TierChange,
    UsageCounter,
    User,
    WebhookEvent,
)
from tests.support.agreement_on_plans import plans

TABLES: tuple[Any, ...] = (
    Dispute, Invoice, LedgerEntry, LedgerLine, Licence, OutboxFact, Package, Payment, Purchase, Refund,
    Subscription, TierChange, UsageCounter, User, WebhookEvent,
)  # fmt: skip
Rows = Mapping[str, Sequence[Any]]
Told = Mapping[str, Any]


async def read(database: Database) -> Rows:
    """Every row that money has to do with, by table."""
    found = {}
    async with database.read() as connection:
        for model in TABLES:
            rows = await connection.execute(select(*model.__table__.columns))
            found[model.__tablename__] = rows.all()
    return found


async def contradictions(
    database: Database, ledger: Told, *, settled: bool = True, of: UUID | None = None
) -> list[str]:
    """What does not agree; nothing may wait any more where all is ``settled``.

    ``of``: of this account alone, where others live on without anybody telling of it.
    """
    return differences(await read(database), ledger, settled=settled, of=of)


def differences(rows: Rows, ledger: Told, *, settled: bool = True, of: UUID | None = None) -> list[str]:
    """The same, of rows that were read."""
    found = [*ledger["problems"], *_entries(rows), *_receipts(rows), *_sales(rows), *_templates(rows)]
    found += list(_unsettled(rows)) if settled else []
    if of is not None:
        rows, ledger = _only(rows, ledger, of)
    found += [*_payments(rows, ledger), *_purchases(rows, ledger)]
    return [*found, *plans(rows, ledger), *_customers(rows, ledger)]


def _only(rows: Rows, ledger: Told, user_id: UUID) -> tuple[Rows, Told]:
    """What is the account's, and what hangs on it in other tables."""

    def is_theirs(row: Any) -> bool:
        return bool(getattr(row, "user_id", user_id) == user_id)

    theirs = {name: list(filter(is_theirs, found)) for name, found in rows.items()}
    [user] = theirs["users"] = [row for row in rows["users"] if row.id == user_id]
    paid = [told for told in ledger["payments"] if told["customer"] == user.stripe_customer_id]
    return theirs, {**ledger, "payments": paid}


def _payments(rows: Rows, ledger: Told) -> Iterator[str]:
    """Each intent that names a payment of ours is that payment's, and stands here as it stands there.

    Or it is cancelled, where the payment has another one: nobody was told of it until its key was forgotten.
    """
    ours = {row.stripe_payment_intent_id: row for row in rows["payments"] if row.stripe_payment_intent_id}
    theirs = {told["payment_intent"]: told for told in ledger["payments"]}
    customers = {row.stripe_customer_id for row in rows["users"]}
    paid_otherwise = {str(row.id) for row in ours.values()}
    for intent in ours.keys() - theirs.keys():
        yield f"{intent}: is not at the provider"
    for intent, told in theirs.items():
        if intent not in ours:
            ours_to_know = told["status"] == "succeeded" and told["invoice"] and told["customer"] in customers
            given_up = told["status"] == "canceled" and told["metadata"].get("payment_id") in paid_otherwise
            if ("payment_id" in told["metadata"] and not given_up) or ours_to_know:
                yield f"{intent}: nobody here knows it, {told['status']}"
            continue
        row = ours[intent]
        expected = (told["status"], told["amount"], told["currency"].upper(), told["amount_refunded"])
        found = (row.status, row.amount_cents, row.currency, row.refunded_cents)
        if found != expected:
            yield f"{intent}: here {found}, there {expected}"
        disputes = sorted(each.status for each in rows["disputes"] if each.payment_id == row.id)
        if disputes != sorted(told["disputes"]):
            yield f"{intent}: disputes here {disputes}, there {told['disputes']}"
        returned = sum(
            each.amount_cents
            for each in rows["refunds"]
            if each.payment_id == row.id and each.status in ("pending", "requires_action", "succeeded")
        )
        if returned != told["amount_refunded"]:
            yield f"{intent}: refunds here {returned}, there {told['amount_refunded']}"


def _purchases(rows: Rows, ledger: Told) -> Iterator[str]:
    """Entitled if and only if paid and not fully refunded, lost or suspended; one charge, one of everything."""
    theirs = {told["payment_intent"]: told for told in ledger["payments"]}
    paying = {row.purchase_id: row.stripe_payment_intent_id for row in rows["payments"]}
    licences = {row.purchase_id: row.status for row in rows["licences"]}
    for purchase in rows["purchases"]:
        if purchase.amount_cents == 0:
            continue
        told = theirs.get(paying[purchase.id])
        statuses, licence = _expected(told)
        found = (purchase.status, licences.get(purchase.id))
        if found[0] not in statuses or found[1] != licence:
            yield f"{purchase.id}: {found}, expected {statuses} {licence}"
        yield from _counted(rows, ledger, purchase, once=int(_is_paid(told)))


def _is_paid(told: Told | None) -> bool:
    return told is not None and told["status"] == "succeeded"


def _expected(told: Told | None) -> tuple[tuple[str, ...], str | None]:
    """What a purchase may be, and what its licence is."""
    if told is None or not _is_paid(told):
        return ("pending", "canceled"), None
    if told["amount_refunded"] >= told["amount"] or "lost" in told["disputes"]:
        return ("refunded",), "revoked"
    held = any(status in ("needs_response", "under_review") for status in told["disputes"])
    return ("completed",), "suspended" if held else "active"


def _counted(rows: Rows, ledger: Told, purchase: Any, *, once: int) -> Iterator[str]:
    """How often a purchase was charged, told of, split and numbered."""
    name = str(purchase.id)
    charges = sum(
        told["succeeded_charges"]
        for told in ledger["payments"]
        if told["metadata"].get("purchase_id") == name
    )
    told = [row for row in rows["outbox"] if row.topic == "purchase.completed"]
    receipts = sum(row.payload["purchase_id"] == name for row in told)
    sales = sum(row.kind == "sale" and row.purchase_id == purchase.id for row in rows["ledger_entries"])
    found = (charges, receipts, sales, int(purchase.receipt_number is not None))
    if found != (once,) * 4:
        yield f"{purchase.id}: charged, told, split, numbered {found}, not {once}"


def _sales(rows: Rows) -> Iterator[str]:
    sold = Counter(row.package_id for row in rows["purchases"] if row.status == "completed")
    for package in rows["packages"]:
        if package.price_cents and package.sales != sold[package.id]:
            yield f"package {package.slug}: {package.sales} sales, not {sold[package.id]}"


def _templates(rows: Rows) -> Iterator[str]:
    """Of each buyer's templates as many are used as were bought and kept, and as many promised as are open."""
    states = Counter((row.user_id, row.status) for row in rows["purchases"])
    counted: Counter[Any] = Counter()
    for row in rows["usage_counters"]:
        if row.resource == "template_install":
            counted[row.user_id, "used"] += row.used
            counted[row.user_id, "reserved"] += row.reserved
    for user in {row.user_id for row in rows["purchases"]}:
        found = (counted[user, "used"], counted[user, "reserved"])
        expected = (states[user, "completed"], states[user, "pending"])
        if found != expected:
            yield f"templates of {user}: {found}, not {expected}"


def _entries(rows: Rows) -> Iterator[str]:
    """Every entry sums to zero."""
    sums: Counter[Any] = Counter()
    for line in rows["ledger_lines"]:
        sums[line.entry_id] += line.amount_cents
    for entry, amount in sums.items():
        if amount:
            yield f"ledger entry {entry}: {amount}"


def _receipts(rows: Rows) -> Iterator[str]:
    """Every year's receipts are numbered without a gap."""
    numbered = [row.receipt_number for name in ("purchases", "invoices") for row in rows[name]]
    numbers = sorted(number for number in numbered if number is not None)
    for year, given in itertools.groupby(numbers, lambda number: number[:-6]):
        places = [int(number[-6:]) for number in given]
        if places != list(range(1, len(places) + 1)):
            yield f"receipts {year}: {places}"


def _customers(rows: Rows, ledger: Told) -> Iterator[str]:
    """Who pays here is one customer there."""
    paying = {told["customer"] for told in ledger["payments"] if "payment_id" in told["metadata"]}
    for customer in paying - {row.stripe_customer_id for row in rows["users"]}:
        yield f"{customer}: no account's"


def _unsettled(rows: Rows) -> Iterator[str]:
    """What still waits, was given up, or stands twice."""
    for event_id, times in Counter(row.payload["id"] for row in rows["webhook_events"]).items():
        if times > 1:
            yield f"{event_id}: stored {times} times"
    for event in rows["webhook_events"]:
        if event.status not in ("processed", "ignored"):
            yield f"{event.stripe_event_id} {event.event_type}: {event.status}, {event.last_error}"
    for fact in rows["outbox"]:
        if fact.state != "done":
            yield f"fact {fact.topic}: {fact.state}, {fact.last_error}"
    for change in rows["tier_changes"]:
        if change.status == "requested":
            yield f"change {change.id} to {change.tier}: open still"
    yield from _never_asked(rows)


def _never_asked(rows: Rows) -> Iterator[str]:
    for payment in rows["payments"]:
        if payment.stripe_payment_intent_id is None and payment.status != "canceled":
            yield f"payment {payment.id}: {payment.status}, and was never asked for"
    for refund in rows["refunds"]:
        if refund.stripe_refund_id is None and refund.status not in ("failed", "canceled"):
            yield f"refund {refund.id}: {refund.status}, and was never asked for"
