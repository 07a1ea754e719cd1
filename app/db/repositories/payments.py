"""Payments and payment methods: as they are shown, what is asked of the provider, and where each stands."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import aliased

from app.db.models import Package, PackageVersion, Payment, PaymentMethod, Purchase, Subscription
from app.domain.payments import UNDECIDED, PaymentStatus
from app.domain.subscriptions import LIVE, SubscriptionStatus

PAYMENT: tuple[Any, ...] = (
    Payment.id,
    Payment.user_id,
    Payment.purchase_id,
    Payment.invoice_id,
    Payment.status,
    Payment.amount_cents,
    Payment.refunded_cents,
    Payment.currency,
    Payment.attempt,
    Payment.failure_code,
    Payment.client_secret,
    Payment.created_at,
)
_OTHER = aliased(PaymentMethod)
_PAYING = (*LIVE, SubscriptionStatus.UNPAID, SubscriptionStatus.PAUSED)
_OF_SUBSCRIPTION = (
    select(_OTHER.stripe_payment_method_id)
    .join(Subscription, Subscription.stripe_default_method_id == _OTHER.stripe_payment_method_id)
    .where(
        Subscription.user_id == PaymentMethod.user_id,
        Subscription.status.in_(_PAYING),
        Subscription.superseded_at.is_(None),
        _OTHER.removed_at.is_(None),
    )
    .order_by(Subscription.status.in_(LIVE).desc(), Subscription.created_at.desc())
    .limit(1)
    .correlate(PaymentMethod)
    .scalar_subquery()
)
"""What pays the account's subscription, where that has a default of its own."""
IS_CHARGED_NEXT = func.coalesce(
    PaymentMethod.stripe_payment_method_id == _OF_SUBSCRIPTION, PaymentMethod.is_default
)
"""The provider's rule: a subscription's own default goes before its customer's."""
PAYMENT_METHOD: tuple[Any, ...] = (
    PaymentMethod.id,
    PaymentMethod.user_id,
    PaymentMethod.kind,
    PaymentMethod.brand,
    PaymentMethod.last4,
    PaymentMethod.exp_month,
    PaymentMethod.exp_year,
    IS_CHARGED_NEXT.label("is_default"),
)
KEPT = PaymentMethod.removed_at.is_(None)
"""What was removed is not shown any more."""
_WHOLE: tuple[Any, ...] = (
    *PAYMENT,
    Payment.stripe_payment_intent_id,
    Payment.failed_charges,
    Payment.updated_at,
)
_ASKED: tuple[Any, ...] = (*_WHOLE, Package.slug, PackageVersion.version)


async def add(
    connection: AsyncConnection,
    *,
    payment_id: UUID,
    user_id: UUID,
    purchase_id: UUID,
    amount_cents: int,
    currency: str,
    check_at: datetime,
    now: datetime,
) -> None:
    """Of a purchase, before the provider is asked for anything."""
    await connection.execute(
        insert(Payment).values(
            id=payment_id,
            user_id=user_id,
            purchase_id=purchase_id,
            status=PaymentStatus.REQUIRES_PAYMENT_METHOD,
            amount_cents=amount_cents,
            refunded_cents=0,
            currency=currency,
            attempt=1,
            created_at=now,
            updated_at=now,
            check_at=check_at,
        )
    )


async def by_id(connection: AsyncConnection, payment_id: UUID) -> Row[Any] | None:
    return (await connection.execute(select(*_WHOLE).where(Payment.id == payment_id))).one_or_none()


async def of_purchase(connection: AsyncConnection, purchase_id: UUID) -> Row[Any] | None:
    """None for what was free."""
    return (await connection.execute(select(*_WHOLE).where(Payment.purchase_id == purchase_id))).one_or_none()


async def of_intent(connection: AsyncConnection, intent_id: str) -> Row[Any] | None:
    statement = select(*_WHOLE).where(Payment.stripe_payment_intent_id == intent_id)
    return (await connection.execute(statement)).one_or_none()


async def asked(connection: AsyncConnection, payment_id: UUID) -> Row[Any]:
    """Of a purchase, with what the provider is told of it."""
    statement = (
        select(*_ASKED)
        .join(Purchase, Purchase.id == Payment.purchase_id)
        .join(Package, Package.id == Purchase.package_id)
        .join(PackageVersion, PackageVersion.id == Purchase.version_id)
        .where(Payment.id == payment_id)
    )
    return (await connection.execute(statement)).one()


async def lock(connection: AsyncConnection, payment_id: UUID) -> Row[Any]:
    return (await connection.execute(select(*_WHOLE).where(Payment.id == payment_id).with_for_update())).one()


async def change(connection: AsyncConnection, payment_id: UUID, *, now: datetime, **values: Any) -> None:
    await connection.execute(update(Payment).where(Payment.id == payment_id).values(updated_at=now, **values))


async def record_intent(
    connection: AsyncConnection,
    payment_id: UUID,
    *,
    intent_id: str,
    client_secret: str | None,
    check_at: datetime,
    now: datetime,
) -> bool:
    """False where there is one already."""
    statement = (
        update(Payment)
        .where(Payment.id == payment_id, Payment.stripe_payment_intent_id.is_(None))
        .values(
            stripe_payment_intent_id=intent_id,
            client_secret=client_secret,
            check_at=check_at,
            updated_at=now,
        )
    )
    return (await connection.execute(statement)).rowcount == 1


async def reserve_refund(connection: AsyncConnection, payment_id: UUID, *, amount_cents: int) -> bool:
    """Sets a part of what was paid aside, in one statement: all refunds never exceed the payment."""
    statement = (
        update(Payment)
        .where(
            Payment.id == payment_id,
            Payment.status == PaymentStatus.SUCCEEDED,
            Payment.refunded_cents + amount_cents <= Payment.amount_cents,
        )
        .values(refunded_cents=Payment.refunded_cents + amount_cents)
    )
    return (await connection.execute(statement)).rowcount == 1


async def free_refund(connection: AsyncConnection, payment_id: UUID, *, amount_cents: int) -> None:
    """What was set aside for a refund that will not be."""
    await connection.execute(
        update(Payment)
        .where(Payment.id == payment_id)
        .values(refunded_cents=Payment.refunded_cents - amount_cents)
    )


async def check_soon(connection: AsyncConnection, *, user_id: UUID, now: datetime) -> None:
    """All of the account's that are not decided."""
    await connection.execute(
        update(Payment)
        .where(Payment.user_id == user_id, Payment.purchase_id.is_not(None), Payment.status.in_(UNDECIDED))
        .values(check_at=now)
    )


async def is_due(connection: AsyncConnection, *, now: datetime) -> bool:
    """Asked first: a claim takes the writer, and mostly nothing is due."""
    return (
        await connection.execute(select(Payment.id).where(Payment.check_at <= now).limit(1))
    ).first() is not None


async def claim_due(
    connection: AsyncConnection, *, limit: int, until: datetime, now: datetime
) -> Sequence[Row[Any]]:
    """Payments to ask the provider about, which nobody else claims before ``until``."""
    due = (
        select(Payment.id)
        .where(Payment.check_at <= now)
        .order_by(Payment.check_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    statement = (
        update(Payment)
        .where(Payment.id.in_(due.scalar_subquery()), Payment.check_at <= now)
        .values(check_at=until)
        .returning(*_WHOLE)
    )
    return (await connection.execute(statement)).all()


async def method_of(connection: AsyncConnection, *, user_id: UUID, method_id: UUID) -> str | None:
    """The provider's id of a method that the account keeps."""
    statement = select(PaymentMethod.stripe_payment_method_id).where(
        PaymentMethod.id == method_id, PaymentMethod.user_id == user_id, KEPT
    )
    return (await connection.execute(statement)).scalar_one_or_none()
