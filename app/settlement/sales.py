"""What the money of a purchase brings about: it came in, it went back, it is disputed."""

from typing import Any

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.repositories import purchases
from app.db.repositories import refunds as asked_refunds
from app.domain.payments import Flag
from app.domain.purchases import PurchaseStatus, licence_of
from app.ports.provider import Object
from app.settlement import books, disputes, refunds
from app.settlement.flags import raise_flag
from app.settlement.purchases import complete, give_rights, give_up
from app.settlement.tools import Tools

SOLD = (PurchaseStatus.COMPLETED, PurchaseStatus.REFUNDED)


async def paid(
    connection: AsyncConnection,
    tools: Tools,
    *,
    payer: Row[Any],
    purchase: Row[Any],
    payment: Row[Any],
    intent: Object,
) -> None:
    """The intent has succeeded: the purchase is complete, or the money goes back, or a person is asked."""
    if purchase.status in SOLD:
        return
    wrong = _mismatch(payer, payment, intent)
    if wrong:
        await give_up(connection, purchase)
        await raise_flag(connection, Flag.MISMATCH, payment_id=payment.id, now=tools.clock(), **wrong)
    elif purchase.status == PurchaseStatus.PENDING and payer.deleted_at is None:
        await complete(
            connection,
            signer=tools.signer,
            terms=tools.commission,
            purchase=purchase,
            licensee=payer.username,
            now=tools.clock(),
        )
    else:
        await _send_back(connection, tools, payer, purchase, payment)


def _mismatch(payer: Row[Any], payment: Row[Any], intent: Object) -> dict[str, Any]:
    """What was asked for and what came, where these are not the same."""
    asked = (payment.amount_cents, payment.currency, payer.stripe_customer_id)
    came = (intent["amount_received"], intent["currency"].upper(), intent["customer"])
    names = ("amount_cents", "currency", "customer")
    compared = zip(names, asked, came, strict=True)
    return {name: {"asked": want, "came": got} for name, want, got in compared if want != got}


async def _send_back(
    connection: AsyncConnection, tools: Tools, payer: Row[Any], purchase: Row[Any], payment: Row[Any]
) -> None:
    """Once: a refund that then fails at the bank is for a person."""
    await give_up(connection, purchase)
    if payment.refunded_cents == 0 and not await asked_refunds.of_payment(connection, payment.id):
        reason = "the account has ended" if payer.deleted_at else "the purchase was given up"
        await refunds.give_back_all(connection, payment, reason=reason, now=tools.clock())


async def follow(
    connection: AsyncConnection,
    tools: Tools,
    *,
    purchase: Row[Any],
    payment: Row[Any],
    refunded: refunds.Mirrored,
    disputed: disputes.Mirrored,
) -> None:
    """Purchase, licence and the author's share follow what went back; of what was never sold nothing does."""
    purchase = await purchases.lock(connection, purchase.id)
    if purchase.status not in SOLD:
        return
    licence = licence_of(
        paid_cents=payment.amount_cents,
        refunded_cents=refunded.refunded_cents,
        disputes=[row.status for row in disputed.rows],
    )
    given = await give_rights(connection, purchase, licence, now=tools.clock())
    # After the package, as when it is sold: the other way round, a sale and a refund wait for one another.
    await books.write(connection, purchase.id, refunded, disputed, now=tools.clock())
    if not given:
        await raise_flag(
            connection,
            Flag.RESTORED_TWICE,
            payment_id=payment.id,
            now=tools.clock(),
            purchase=str(purchase.id),
        )
