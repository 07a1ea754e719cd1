"""The ledger's entries: what a sale, a refund, a dispute or a payout does to what authors are owed.

Each is written once for its source, whoever asks how often; each takes the author's row, so that an author's
books change one at a time: it comes after the package's in the order of locks. Money of payments that never
became a sale is not in these books: of such a purchase nothing is written.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.repositories import ledger
from app.domain import ledger as books
from app.domain.commission import Split, Terms, split
from app.domain.ledger import EntryKind, Line, Sale

Writing = Callable[[Sale], Sequence[Line]]


async def record_sale(
    connection: AsyncConnection,
    *,
    terms: Terms,
    purchase_id: UUID,
    author_id: UUID,
    amount_cents: int,
    currency: str,
    now: datetime,
) -> Split:
    """Of a purchase whose money came in: ``amount_cents`` of 1 or more. Asked again, the first answer.

    The commission is that of the author's sales before this one, also when several complete at once.
    """
    sales_before = await ledger.hold_author(connection, author_id)
    parts = split(terms, amount_cents=amount_cents, sales_before=sales_before)
    posted = await ledger.post(
        connection,
        kind=EntryKind.SALE,
        source=str(purchase_id),
        purchase_id=purchase_id,
        currency=currency,
        lines=books.sale(parts=parts, author_id=author_id, available_at=now + terms.hold),
        now=now,
    )
    if not posted:
        return await _earlier(connection, purchase_id)
    await ledger.count_sales(connection, author_id, 1)
    return parts


async def _earlier(connection: AsyncConnection, purchase_id: UUID) -> Split:
    sold = books.standing(await ledger.of_purchase(connection, purchase_id))
    assert sold is not None  # its entry is there
    return Split(sold.amount_cents - sold.share_cents, sold.share_cents)


async def record_refund(
    connection: AsyncConnection, *, refund_id: UUID, purchase_id: UUID, amount_cents: int, now: datetime
) -> bool:
    """Takes the author's part of it back, also of what was paid out already. False: nothing to write."""
    return await _take(
        connection,
        EntryKind.REFUND,
        str(refund_id),
        purchase_id,
        lambda sold: books.refund(sold, amount_cents),
        now=now,
    )


async def record_refund_failed(
    connection: AsyncConnection, *, refund_id: UUID, purchase_id: UUID, now: datetime
) -> bool:
    """Of a refund that is in the books; of another nothing is written."""
    refunded = await ledger.of_entry(connection, kind=EntryKind.REFUND, source=str(refund_id))
    if not refunded:
        return False
    return await _take(
        connection,
        EntryKind.REFUND_FAILED,
        str(refund_id),
        purchase_id,
        lambda sold: books.refund(sold, -books.amount_of(refunded)),
        now=now,
    )


async def record_dispute_opened(
    connection: AsyncConnection, *, dispute_id: UUID, purchase_id: UUID, amount_cents: int, now: datetime
) -> bool:
    """Of a dispute for which the bank took the money: not of an inquiry. Withholds the author's part."""
    return await _take(
        connection,
        EntryKind.DISPUTE_OPENED,
        str(dispute_id),
        purchase_id,
        lambda sold: books.dispute_opened(sold, amount_cents),
        now=now,
    )


async def record_dispute_won(
    connection: AsyncConnection, *, dispute_id: UUID, purchase_id: UUID, now: datetime
) -> bool:
    """Gives back what was withheld, or taken when it was lost before; once, whichever it was.

    Of one that never was in the books nothing is written.
    """
    opened = await _undecided(connection, dispute_id)
    if opened:
        return await _take(
            connection,
            EntryKind.DISPUTE_WON,
            str(dispute_id),
            purchase_id,
            lambda sold: books.dispute_won(sold, opened),
            now=now,
        )
    if not await ledger.of_entry(connection, kind=EntryKind.DISPUTE_LOST, source=str(dispute_id)):
        return False
    lost = await ledger.of_entry(connection, kind=EntryKind.DISPUTE_OPENED, source=str(dispute_id))
    return await _take(
        connection,
        EntryKind.DISPUTE_REVERSED,
        str(dispute_id),
        purchase_id,
        lambda sold: books.dispute_reversed(sold, lost),
        now=now,
    )


async def record_dispute_lost(
    connection: AsyncConnection, *, dispute_id: UUID, purchase_id: UUID, amount_cents: int, now: datetime
) -> bool:
    """Takes for good what was withheld; one that was never seen open is opened by the way."""
    await record_dispute_opened(
        connection, dispute_id=dispute_id, purchase_id=purchase_id, amount_cents=amount_cents, now=now
    )
    opened = await _undecided(connection, dispute_id)
    if not opened:
        return False
    return await _take(
        connection,
        EntryKind.DISPUTE_LOST,
        str(dispute_id),
        purchase_id,
        lambda sold: books.dispute_lost(sold, opened),
        now=now,
    )


async def _undecided(connection: AsyncConnection, dispute_id: UUID) -> Sequence[Line]:
    """How it was opened; nothing where it was not, or is decided."""
    for decided in (EntryKind.DISPUTE_WON, EntryKind.DISPUTE_LOST):
        if await ledger.of_entry(connection, kind=decided, source=str(dispute_id)):
            return ()
    return await ledger.of_entry(connection, kind=EntryKind.DISPUTE_OPENED, source=str(dispute_id))


async def _take(
    connection: AsyncConnection,
    kind: EntryKind,
    source: str,
    purchase_id: UUID,
    writing: Writing,
    *,
    now: datetime,
) -> bool:
    """A sale that goes back as a whole counts no more for the commission, and one that comes again does."""
    known = await ledger.sold_by(connection, purchase_id)
    if known is None:
        return False
    author_id, currency = known
    await ledger.hold_author(connection, author_id)
    before = books.standing(await ledger.of_purchase(connection, purchase_id))
    assert before is not None  # its sale is there
    lines = writing(before)
    posted = await ledger.post(
        connection,
        kind=kind,
        source=source,
        purchase_id=purchase_id,
        currency=currency,
        lines=lines,
        now=now,
    )
    gone = before.after(books.amount_of(lines)).is_gone
    if posted and gone != before.is_gone:
        await ledger.count_sales(connection, author_id, -1 if gone else 1)
    return posted


async def record_payout(
    connection: AsyncConnection,
    *,
    source: str,
    author_id: UUID,
    amount_cents: int,
    currency: str,
    now: datetime,
) -> bool:
    """When it is asked for, so that nothing is promised twice; whoever asks holds the author."""
    return await ledger.post(
        connection,
        kind=EntryKind.PAYOUT,
        source=source,
        purchase_id=None,
        currency=currency,
        lines=books.payout(amount_cents=amount_cents, author_id=author_id),
        now=now,
    )


async def record_payout_returned(
    connection: AsyncConnection,
    *,
    source: str,
    author_id: UUID,
    amount_cents: int,
    currency: str,
    now: datetime,
) -> bool:
    """What came back, or was never sent, is the author's again."""
    await ledger.hold_author(connection, author_id)
    return await ledger.post(
        connection,
        kind=EntryKind.PAYOUT_FAILED,
        source=source,
        purchase_id=None,
        currency=currency,
        lines=books.payout(amount_cents=-amount_cents, author_id=author_id),
        now=now,
    )
