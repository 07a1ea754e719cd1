"""An account with invoices at the provider, mirrored here."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from app.db.models import Invoice, InvoiceLine, OutboxFact, Payment
from app.domain.settlement import Kind, Target
from app.settlement.syncing import sync
from tests.support.payments import Shop
from tests.support.subscribing import Subscriber, make_subscriber


@dataclass
class Billed(Subscriber):
    """``make`` and ``subscribe`` act at the provider, as its dashboard would; ``mirror`` brings it here."""

    def make(self, *amounts: int, finalize: bool = True, **given: Any) -> str:
        """An invoice by mail with a line of each amount; its id."""
        params: Any = {"collection_method": "send_invoice", "days_until_due": 14, **given}
        made = self.client.v1.invoices.create({"customer": self.customer, **params})
        for number, amount in enumerate(amounts):
            self.client.v1.invoice_items.create(
                {
                    "customer": self.customer,
                    "invoice": made.id,
                    "amount": amount,
                    "currency": made.currency,
                    "description": f"Day {number + 1}",
                }
            )
        if finalize:
            self.client.v1.invoices.finalize_invoice(made.id)
        return str(made.id)

    async def subscribe(self, **given: Any) -> tuple[str, str]:
        """(subscription, its first invoice), by their ids."""
        items: Any = [{"price": await self.price()}]
        made = self.client.v1.subscriptions.create({"customer": self.customer, "items": items, **given})
        return str(made.id), str(made.latest_invoice)

    async def mirror(self, invoice_id: str) -> Any:
        """The row, after it was brought up to date."""
        await sync(self.shop.api.deps.tools, Target(Kind.INVOICE, invoice_id))
        (row,) = [row for row in await self.all(Invoice) if row.stripe_invoice_id == invoice_id]
        return row

    async def lines(self, invoice: Any) -> list[Any]:
        rows = [row for row in await self.all(InvoiceLine) if row.invoice_id == invoice.id]
        return sorted(rows, key=lambda row: row.position)

    async def payments(self) -> list[Any]:
        return await self.all(Payment)

    async def facts(self, prefix: str = "invoice.") -> list[tuple[str, dict[str, Any]]]:
        """Those to be acted on at once, or by now."""
        rows = [row for row in await self.all(OutboxFact) if row.available_at <= self.shop.api.clock()]
        stated = sorted(rows, key=lambda row: row.id)
        return [(row.topic, row.payload) for row in stated if row.topic.startswith(prefix)]

    async def all(self, model: Any) -> list[Any]:
        async with self.shop.api.deps.database.read() as connection:
            return list((await connection.execute(select(*model.__table__.columns))).all())


async def make_billed(shop: Shop) -> Billed:
    return Billed(**vars(await make_subscriber(shop)))
