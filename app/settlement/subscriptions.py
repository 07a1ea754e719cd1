"""Subscriptions: what the provider says of one, and what follows for the account's tier.

An account has one live row at any time. When a paid subscription begins to give its tier, the row of the free
plan ends in the same transaction, and when it stops, a new one begins. The anchor of the account's months
passes from each to the next, so that no change resets what was used.

A customer may have several at the provider, for somebody made one in its dashboard. The newest that is live
gives the tier; the others are marked as superseded and flagged, for a person to end them and pay back what is
due. When the one that gives the tier ends, the newest of those takes its place.
"""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from app import metrics
from app.db.repositories import audit, invoices, outbox, subscriptions, tier_changes
from app.db.rows import Row
from app.domain.outbox import Topic
from app.domain.periods import monthly_period
from app.domain.plans import Tier
from app.domain.subscription_notices import notices_of
from app.domain.subscription_states import Turn, turn
from app.domain.subscriptions import OVER, SubscriptionStatus
from app.ports.provider import Object, PaymentProvider
from app.settlement.subscription_news import values_of
from app.settlement.tools import Tools

log = structlog.get_logger(__name__)

_ENDED: Mapping[str, Any] = MappingProxyType(
    {
        "cancel_at_period_end": False,
        "past_due_since": None,
        "scheduled_tier": None,
        "scheduled_interval": None,
        "stripe_schedule_id": None,
        "stripe_default_method_id": None,
    }
)
_TOLD = ("stripe_subscription_id", "created_at", "current_period_end")


async def fetch(provider: PaymentProvider, subscription_id: str) -> Object | None:
    return await provider.subscriptions.get(subscription_id)


async def apply(connection: AsyncConnection, tools: Tools, told: Object) -> None:
    now = tools.clock()
    holder = await subscriptions.hold_customer(connection, told["customer"])
    if holder is None:
        await _flag_unless_over(connection, told)
        return
    row = await subscriptions.by_provider_id(connection, told["id"])
    values = await values_of(connection, told, row=row, now=now)
    if values is None:
        _flag("unknown_plan", told["id"], user_id=holder.id)
        return
    await _Account(connection, holder, now).follow(row, values)
    if told["pending_update"] is None:
        await tier_changes.look_again(connection, holder.id, now=now)
    if holder.deleted_at is not None and values["status"] not in OVER:
        await _end_for_an_ended_account(connection, told, now=now)


async def _flag_unless_over(connection: AsyncConnection, told: Object) -> None:
    """Of a customer that was deleted nothing is left to do, once its subscription has ended."""
    row = await subscriptions.by_provider_id(connection, told["id"])
    if row is None or row.status not in OVER:
        _flag("no_account", told["id"])


async def end_all(connection: AsyncConnection, holder: Row, *, now: datetime) -> None:
    """Of a customer that was deleted, with which the provider ends its subscriptions at once."""
    for row in await subscriptions.started_of(connection, holder.id):
        values = {name: getattr(row, name) for name in _TOLD}
        ended = {**values, "status": SubscriptionStatus.CANCELED, **_ENDED, "ended_at": now}
        await _Account(connection, holder, now).follow(row, ended)


async def _end_for_an_ended_account(connection: AsyncConnection, told: Object, *, now: datetime) -> None:
    """Whatever was begun while the account ended is not to be paid by anybody."""
    await outbox.add(
        connection,
        Topic.ACCOUNT_ENDED,
        {"customer_id": told["customer"]},
        now=now,
        key=f"{Topic.ACCOUNT_ENDED}:{told['id']}",
    )


class _Account:
    """The account's rows, held until the transaction ends."""

    def __init__(self, connection: AsyncConnection, holder: Row, now: datetime) -> None:
        self._connection, self._user_id, self._now = connection, holder.id, now
        self._ended = holder.deleted_at is not None

    async def follow(self, row: Row | None, values: Mapping[str, Any]) -> None:
        live = await subscriptions.live_of(self._connection, self._user_id)
        before = SubscriptionStatus(row.status) if row and row.superseded_at is None else None
        which = turn(before, values["status"])
        if which is Turn.BEGINS and not _gives_way(live, values):
            await self._write(row, values, superseded_at=(row and row.superseded_at) or self._now)
            if row is None or row.superseded_at is None:
                await self._flag_superseded(values["stripe_subscription_id"])
            return
        if which is Turn.BEGINS and live is not None:
            await self._end(live)
        row_id = await self._write(row, values, anchor_at=live.anchor_at if live else None)
        if which is Turn.STOPS and row is not None:
            await self._succeed(row)
        await self._derive_tier()
        for topic, key in notices_of(row_id, row if before else None, values, which, now=self._now):
            facts = {"subscription_id": str(row_id)}
            await outbox.add(self._connection, topic, facts, now=self._now, key=key)

    async def _end(self, live: Row) -> None:
        """Makes room for another one."""
        if live.stripe_subscription_id is not None:
            await subscriptions.change(
                self._connection, live.id, {"superseded_at": self._now, "updated_at": self._now}
            )
            await self._flag_superseded(live.stripe_subscription_id)
            return
        ended = {"status": SubscriptionStatus.CANCELED, "ended_at": self._now, "updated_at": self._now}
        await subscriptions.change(self._connection, live.id, ended)

    async def _write(
        self,
        row: Row | None,
        values: Mapping[str, Any],
        *,
        anchor_at: datetime | None = None,
        superseded_at: datetime | None = None,
    ) -> UUID:
        written = {**values, "superseded_at": superseded_at, "updated_at": self._now}
        anchor = anchor_at or (row.anchor_at if row else values["created_at"])
        if row is None:
            added = await subscriptions.add(
                self._connection, user_id=self._user_id, anchor_at=anchor, **written
            )
            named = values["stripe_subscription_id"]
            await invoices.adopt(self._connection, subscription_id=added, stripe_subscription_id=named)
            return added
        await subscriptions.change(self._connection, row.id, {**written, "anchor_at": anchor})
        return row.id  # type: ignore[no-any-return]  # a row's columns are not typed

    async def _succeed(self, stopped: Row) -> None:
        """What gives the tier now that one has stopped: another that still runs, else the free plan."""
        other = await subscriptions.newest_superseded(self._connection, self._user_id)
        if other is not None:
            taken = {"superseded_at": None, "anchor_at": stopped.anchor_at, "updated_at": self._now}
            await subscriptions.change(self._connection, other.id, taken)
        elif not self._ended:
            await subscriptions.start(
                self._connection,
                user_id=self._user_id,
                tier=Tier.FREE,
                anchor_at=stopped.anchor_at,
                period=monthly_period(anchor=stopped.anchor_at, now=self._now),
                now=self._now,
            )

    async def _derive_tier(self) -> None:
        live = await subscriptions.live_of(self._connection, self._user_id)
        tier = Tier(live.tier) if live else Tier.FREE
        await subscriptions.set_tier(self._connection, self._user_id, tier, now=self._now)

    async def _flag_superseded(self, subscription_id: str) -> None:
        _flag("superseded", subscription_id, user_id=self._user_id)
        await audit.note(
            self._connection,
            "subscription_superseded",
            actor_id=None,
            subject_id=self._user_id,
            now=self._now,
            subscription=subscription_id,
        )


def _gives_way(live: Row | None, values: Mapping[str, Any]) -> bool:
    """The free plan gives way to any, a paid one to what was made after it."""
    if live is None or live.stripe_subscription_id in (None, values["stripe_subscription_id"]):
        return True
    newer: bool = (values["created_at"], values["stripe_subscription_id"]) > (
        live.created_at,
        live.stripe_subscription_id,
    )
    return newer


def _flag(reason: str, subscription_id: str, *, user_id: UUID | None = None) -> None:
    """A person should look at it, at the provider."""
    metrics.SUBSCRIPTIONS_FLAGGED.labels(reason).inc()
    log.warning("subscription_flagged", reason=reason, subscription=subscription_id, user_id=user_id)
