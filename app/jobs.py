"""What is done about each fact of the outbox, and at regular times? Two tables, one function a line."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Protocol
from uuid import UUID

from app.context import Deps
from app.domain.outbox import Topic
from app.domain.plans import Resource
from app.domain.settlement import Kind, Target
from app.services import housekeeping, reconciliation, uploads
from app.services.notices import accounts, invoices, quotas, receipts, subscriptions
from app.services.notices import payouts as payout_notices
from app.services.notices.post import Post
from app.settlement import (
    checks,
    customers,
    ended_accounts,
    lost_answers,
    payment_methods,
    payouts,
    service_invoices,
    tier_changes,
)
from app.settlement.syncing import sync


@dataclass(frozen=True)
class Fact:
    """A claimed fact; ``attempts`` counts this one."""

    id: UUID
    topic: str
    payload: Mapping[str, Any]
    attempts: int
    created_at: datetime

    @property
    def key(self) -> str:
        return str(self.id)

    @property
    def attempt_key(self) -> str:
        """For what differs from attempt to attempt."""
        return f"{self.id}-{self.attempts}"


RECONCILED = timedelta(days=3)
"""How far back the daily reconciliation looks: a day that it could not run makes no gap."""
Handler = Callable[[Deps, Fact], Awaitable[None]]
Chore = Callable[[Deps], Awaitable[None]]


async def verify_email(deps: Deps, fact: Fact) -> None:
    await accounts.confirm_address(
        deps.post,
        tokens=deps.tokens,
        user_id=UUID(fact.payload["user_id"]),
        key=fact.attempt_key,
        now=deps.clock(),
    )


async def reset_password(deps: Deps, fact: Fact) -> None:
    await accounts.reset_password(
        deps.post,
        tokens=deps.tokens,
        user_id=UUID(fact.payload["user_id"]),
        key=fact.attempt_key,
        now=deps.clock(),
    )


async def password_changed(deps: Deps, fact: Fact) -> None:
    await accounts.password_changed(
        deps.post, user_id=UUID(fact.payload["user_id"]), changed_at=fact.created_at, key=fact.key
    )


async def email_changed(deps: Deps, fact: Fact) -> None:
    await accounts.email_changed(
        deps.post,
        username=fact.payload["username"],
        email=fact.payload["email"],
        changed_at=fact.created_at,
        key=fact.key,
    )


async def quota(deps: Deps, fact: Fact) -> None:
    resets_at = fact.payload["resets_at"]
    await quotas.quota(
        deps.post,
        user_id=UUID(fact.payload["user_id"]),
        resource=Resource(fact.payload["resource"]),
        used=fact.payload["used"],
        limit=fact.payload["limit"],
        percent=fact.payload["percent"],
        resets_at=datetime.fromisoformat(resets_at) if resets_at else None,
        key=fact.key,
    )


async def payment_failed(deps: Deps, fact: Fact) -> None:
    await invoices.payment_failed(
        deps.post, UUID(fact.payload["invoice_id"]), attempt=fact.payload["attempt"], key=fact.key
    )


class Tell(Protocol):
    async def __call__(self, post: Post, of: UUID, /, *, key: str) -> None: ...


def told(tell: Tell, of: str) -> Handler:
    """For a notice that needs no more than the id which stands in the payload as ``of``."""

    async def handler(deps: Deps, fact: Fact) -> None:
        await tell(deps.post, UUID(fact.payload[of]), key=fact.key)

    return handler


async def customer_changed(deps: Deps, fact: Fact) -> None:
    if deps.provider is not None:
        await customers.pass_on(deps.tools, UUID(fact.payload["user_id"]))


async def account_ended(deps: Deps, fact: Fact) -> None:
    await ended_accounts.end_all(deps.tools, fact.payload["customer_id"])


async def default_missing(deps: Deps, fact: Fact) -> None:
    for target in await payment_methods.choose_default(deps.tools, fact.payload["customer_id"]):
        await sync(deps.tools, target)


async def method_removed(deps: Deps, fact: Fact) -> None:
    given = fact.payload
    for target in await payment_methods.detach(deps.tools, given["customer_id"], given["method_id"]):
        await sync(deps.tools, target)


async def invoice_collectable(deps: Deps, fact: Fact) -> None:
    given = fact.payload
    target = await payment_methods.collect(deps.tools, given["subscription_id"], given["method_id"])
    if target is not None:
        await sync(deps.tools, target)


async def intent_abandoned(deps: Deps, fact: Fact) -> None:
    intent_id = fact.payload["intent_id"]
    await lost_answers.cancel(deps.tools, intent_id)
    await sync(deps.tools, Target(Kind.PAYMENT, intent_id))


async def write_last_used(deps: Deps) -> None:
    await housekeeping.write_last_used(database=deps.database, last_used=deps.last_used)


async def expire_reservations(deps: Deps) -> None:
    await housekeeping.expire_reservations(database=deps.database, now=deps.clock())


async def expire_uploads(deps: Deps) -> None:
    await uploads.expire(database=deps.database, store=deps.store, now=deps.clock())


async def state_schedules(deps: Deps) -> None:
    await housekeeping.state_schedules(database=deps.database, schedules=SCHEDULES, now=deps.clock())


async def settle_tier_changes(deps: Deps) -> None:
    if deps.provider is not None:
        await tier_changes.settle_due(deps.tools)


async def settle_service_invoices(deps: Deps) -> None:
    if deps.provider is not None:
        await service_invoices.settle_due(deps.tools)


async def prune(deps: Deps, _: Fact) -> None:
    await housekeeping.prune(database=deps.database, now=deps.clock())


async def settle_payouts(deps: Deps) -> None:
    if deps.provider is not None:
        await payouts.sweep(deps.tools)


async def reconcile(deps: Deps, _: Fact) -> None:
    """Without a provider there is nothing to compare with. The events are left to the workers.

    After one that somebody began by hand, which may have looked less far back.
    """
    if deps.provider is not None:
        await reconciliation.run(
            deps.tools, since=deps.clock() - RECONCILED, dry_run=False, waits=LONG[Topic.RECONCILE] / 2
        )


async def settle_payments(deps: Deps) -> None:
    if deps.provider is not None:
        await checks.settle_due(deps.tools)


HANDLERS: Mapping[Topic, Handler] = MappingProxyType(
    {
        Topic.VERIFY_EMAIL: verify_email,
        Topic.RESET_PASSWORD: reset_password,
        Topic.PASSWORD_CHANGED: password_changed,
        Topic.EMAIL_CHANGED: email_changed,
        Topic.QUOTA_NEAR: quota,
        Topic.QUOTA_REACHED: quota,
        Topic.CUSTOMER_CHANGED: customer_changed,
        Topic.ACCOUNT_ENDED: account_ended,
        Topic.DEFAULT_MISSING: default_missing,
        Topic.METHOD_REMOVED: method_removed,
        Topic.INVOICE_COLLECTABLE: invoice_collectable,
        Topic.INTENT_ABANDONED: intent_abandoned,
        Topic.PURCHASE_COMPLETED: told(receipts.purchased, "purchase_id"),
        Topic.INVOICE_ISSUED: told(invoices.issued, "invoice_id"),
        Topic.INVOICE_OVERDUE: told(invoices.overdue, "invoice_id"),
        Topic.INVOICE_PAID: told(invoices.paid, "invoice_id"),
        Topic.INVOICE_PAYMENT_FAILED: payment_failed,
        Topic.TRIAL_ENDING: told(subscriptions.trial_ending, "subscription_id"),
        Topic.SUBSCRIPTION_CHANGED: told(subscriptions.changed, "subscription_id"),
        Topic.SUBSCRIPTION_ENDED: told(subscriptions.ended, "subscription_id"),
        Topic.REFUND_ISSUED: told(receipts.refunded, "refund_id"),
        Topic.PAYOUT_PAID: told(payout_notices.paid, "payout_id"),
        Topic.PAYOUT_RETURNED: told(payout_notices.returned, "payout_id"),
        Topic.PRUNE: prune,
        Topic.RECONCILE: reconcile,
    }
)
SCHEDULES: Mapping[Topic, timedelta] = MappingProxyType(
    {
        Topic.PRUNE: timedelta(hours=1),
        Topic.RECONCILE: timedelta(days=1),
    }
)
"""What is done once in each slot of this length, by one of all processes: a fact like any other."""
LONG: Mapping[Topic, timedelta] = MappingProxyType({Topic.RECONCILE: timedelta(hours=6)})
"""Topics whose handling takes longer than a moment, by how long at most."""
CHORES: Mapping[Chore, float] = MappingProxyType(
    {
        write_last_used: 5,
        expire_reservations: 60,
        expire_uploads: 60,
        state_schedules: 30,
        settle_tier_changes: 30,
        settle_payouts: 60,
        settle_payments: 15,
        settle_service_invoices: 30,
    }
)
"""What every process does again and again, by the seconds in between: cheap where nothing is due."""
