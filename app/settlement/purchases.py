"""Purchases: completed, given up, taken back and given again, each with all that follows, once.

Whoever calls holds the buyer and the purchase; what follows is decided by the state that the purchase leaves.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.repositories import licences, outbox, purchases, reservations
from app.domain.commission import Terms
from app.domain.outbox import Topic
from app.domain.purchases import LicenceStatus, PurchaseStatus, purchase_with
from app.ports import LicenceSigner
from app.settlement import ledger
from app.settlement.licences import issue


async def complete(
    connection: AsyncConnection,
    *,
    signer: LicenceSigner,
    terms: Terms,
    purchase: Row[Any],
    licensee: str,
    now: datetime,
) -> None:
    """Of what is pending, free or paid; of another nothing. The receipt's number comes last."""
    pending, completed = PurchaseStatus.PENDING, PurchaseStatus.COMPLETED
    if not await purchases.turn(connection, purchase.id, before=pending, after=completed, completed_at=now):
        return
    await purchases.count_sale(connection, purchase.package_id)
    if purchase.reservation_id is not None:
        await reservations.use(connection, purchase.reservation_id, now=now)
    goods = await purchases.goods(connection, purchase.id)
    if purchase.amount_cents:
        await _split(connection, terms, purchase, goods.author_id, now=now)
    await issue(connection, signer=signer, goods=goods, user_id=purchase.user_id, licensee=licensee, now=now)
    await outbox.add(
        connection,
        Topic.PURCHASE_COMPLETED,
        {"purchase_id": str(purchase.id)},
        now=now,
        key=f"purchase.completed:{purchase.id}",
    )
    await purchases.give_receipt(connection, purchase.id, year=now.year)


async def _split(
    connection: AsyncConnection, terms: Terms, purchase: Row[Any], author_id: UUID, *, now: datetime
) -> None:
    parts = await ledger.record_sale(
        connection,
        terms=terms,
        purchase_id=purchase.id,
        author_id=author_id,
        amount_cents=purchase.amount_cents,
        currency=purchase.currency,
        now=now,
    )
    await purchases.note_split(
        connection,
        purchase.id,
        commission_cents=parts.commission_cents,
        author_share_cents=parts.author_share_cents,
    )


async def give_up(connection: AsyncConnection, purchase: Row[Any]) -> bool:
    """Nobody paid: the promised template is the buyer's again. False for what is not pending."""
    pending, canceled = PurchaseStatus.PENDING, PurchaseStatus.CANCELED
    if not await purchases.turn(connection, purchase.id, before=pending, after=canceled):
        return False
    if purchase.reservation_id is not None:
        await reservations.release(connection, purchase.reservation_id)
    return True


async def give_rights(
    connection: AsyncConnection, purchase: Row[Any], licence: LicenceStatus, *, now: datetime
) -> bool:
    """Makes purchase and licence of what was sold follow the money.

    False where it came back to a purchase whose package the buyer has bought again meanwhile: it stays
    refunded, because nobody owns a thing twice.
    """
    before, after = PurchaseStatus(purchase.status), purchase_with(licence)
    if before is PurchaseStatus.REFUNDED and after is PurchaseStatus.COMPLETED:
        again = await purchases.open_of(connection, user_id=purchase.user_id, package_id=purchase.package_id)
        if again is not None:
            return False
    if before is not after:
        await purchases.turn(connection, purchase.id, before=before, after=after)
        await _count(connection, purchase, after, now=now)
    await licences.turn(connection, purchase.id, status=licence, now=now)
    return True


async def _count(
    connection: AsyncConnection, purchase: Row[Any], after: PurchaseStatus, *, now: datetime
) -> None:
    gone = after is PurchaseStatus.REFUNDED
    await purchases.count_sale(connection, purchase.package_id, -1 if gone else 1)
    if purchase.reservation_id is None:
        return
    settle = reservations.take_back if gone else reservations.use
    await settle(connection, purchase.reservation_id, now=now)
