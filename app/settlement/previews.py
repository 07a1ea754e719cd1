"""What would a change of plan cost? As the provider computes it, in the terms of a quote."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from app.domain.money import Money
from app.domain.periods import Period
from app.domain.tier_quotes import QuoteLine
from app.ports.provider import Object
from app.settlement.subscription_news import moment
from app.settlement.tools import Tools


@dataclass(frozen=True)
class Preview:
    """``due`` is what would be collected, after the customer's credit; ``total`` is before it."""

    lines: tuple[QuoteLine, ...]
    due: Money
    total: Money


async def of_plan(
    tools: Tools, *, customer_id: str, price_id: str, trial_end: datetime | None = None
) -> Preview:
    """The first invoice of the plan alone, begun now. Raises ProviderError."""
    details: dict[str, Any] = {"items": [{"price": price_id}]}
    if trial_end is not None:
        details["trial_end"] = int(trial_end.timestamp())
    asked = {"customer": customer_id, "subscription_details": details}
    return _read(await tools.provider.invoices.preview(asked))


async def of_upgrade(
    tools: Tools, *, subscription_id: str, item_id: str, price_id: str, proration_at: datetime
) -> Preview:
    """The invoice that an upgrade makes at once. Raises ProviderError."""
    details = {
        "items": [{"id": item_id, "price": price_id}],
        "proration_behavior": "always_invoice",
        "proration_date": int(proration_at.timestamp()),
    }
    asked = {"subscription": subscription_id, "subscription_details": details}
    return _read(await tools.provider.invoices.preview(asked))


async def of_renewal(tools: Tools, *, subscription_id: str, item_id: str, price_id: str) -> Preview:
    """The invoice of the period after the running one, of which nothing changes. Raises ProviderError."""
    details = {
        "items": [{"id": item_id, "price": price_id}],
        "proration_behavior": "none",
        "cancel_at_period_end": False,
    }
    asked = {"subscription": subscription_id, "subscription_details": details}
    return _read(await tools.provider.invoices.preview(asked))


def placed(lines: Iterable[QuoteLine], period: Period) -> tuple[QuoteLine, ...]:
    """The lines of a plan that begins later than the provider was asked for."""
    return tuple(replace(line, period_start=period.start, period_end=period.end) for line in lines)


def _read(invoice: Object) -> Preview:
    currency = invoice["currency"].upper()
    return Preview(
        lines=tuple(_line(line, currency) for line in invoice["lines"]["data"]),
        due=Money(max(invoice["amount_due"], 0), currency),
        total=Money(max(invoice["total"], 0), currency),
    )


def _line(line: Object, currency: str) -> QuoteLine:
    parent = line["parent"] or {}
    details = parent.get("subscription_item_details") or parent.get("invoice_item_details") or {}
    return QuoteLine(
        description=line["description"] or "",
        amount=Money(line["amount"], currency),
        period_start=moment(line["period"]["start"]),
        period_end=moment(line["period"]["end"]),
        is_proration=bool(details.get("proration")),
    )
