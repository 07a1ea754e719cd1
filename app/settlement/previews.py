"""What would a change of plan cost? As the provider computes it, in the terms of a quote."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from app.domain.money import Money
from app.domain.periods import Period
from app.domain.smallest_charge import collected
from app.domain.tier_quotes import QuoteLine
from app.ports.provider import Object
from app.settlement.subscription_news import moment
from app.settlement.tools import Tools

EXPANDED = ["discounts.source.coupon"]


@dataclass(frozen=True)
class Discount:
    """``is_once``: for one invoice; ``ends_at``: None where it has no end of its own."""

    id: str
    is_once: bool
    ends_at: datetime | None


@dataclass(frozen=True)
class Preview:
    """``due`` is what would be collected, with the customer's balance; ``period_cents`` is before that.

    The latter is the plan's whole period alone, with discounts and taxes, without what is invoiced once.
    ``balance_cents`` is the customer's after this invoice, negative for a credit. ``discounts`` are those
    taken off, be they the subscription's or the customer's; ``asked`` got the answer.
    """

    lines: tuple[QuoteLine, ...]
    due: Money
    period_cents: int
    balance_cents: int
    discounts: tuple[Discount, ...]
    asked: Mapping[str, Any]

    @property
    def period_end(self) -> datetime | None:
        """Of the whole period; None where there is none."""
        return max((line.period_end for line in self.lines if line.is_period), default=None)

    def due_after(self, earlier: "Preview") -> Money:
        """What would be collected of a period with the balance that ``earlier`` leaves.

        That one has taken along whatever waited for the next invoice.
        """
        left = self.period_cents + earlier.balance_cents
        return Money(collected(left, self.due.currency), self.due.currency)


async def of_plan(
    tools: Tools, *, customer_id: str, price_id: str, trial_end: datetime | None = None
) -> Preview:
    """The first invoice of the plan alone, begun now. Raises ProviderError."""
    details: dict[str, Any] = {"items": [{"price": price_id}]}
    if trial_end is not None:
        details["trial_end"] = int(trial_end.timestamp())
    return await _ask(tools, {"customer": customer_id, "subscription_details": details})


async def of_upgrade(
    tools: Tools, *, subscription_id: str, item_id: str, price_id: str, proration_at: datetime
) -> Preview:
    """The invoice that an upgrade makes at once. Raises ProviderError."""
    details = {
        "items": [{"id": item_id, "price": price_id}],
        "proration_behavior": "always_invoice",
        "proration_date": int(proration_at.timestamp()),
    }
    return await _ask(tools, {"subscription": subscription_id, "subscription_details": details})


async def of_period(
    tools: Tools, *, subscription_id: str, item_id: str, price_id: str, is_on_trial: bool = False
) -> Preview:
    """A whole period of the plan on this subscription, with its taxes and discounts, as if it began now.

    Raises ProviderError.
    """
    begins = {"trial_end": "now"} if is_on_trial else {"billing_cycle_anchor": {"type": "now"}}
    details = {"items": [{"id": item_id, "price": price_id}], "proration_behavior": "none", **begins}
    return await _ask(tools, {"subscription": subscription_id, "subscription_details": details})


async def of_renewal(tools: Tools, *, subscription_id: str, item_id: str, price_id: str) -> Preview:
    """The invoice of the period after the running one, of which nothing changes. Raises ProviderError."""
    details = {
        "items": [{"id": item_id, "price": price_id}],
        "proration_behavior": "none",
        "cancel_at_period_end": False,
    }
    return await _ask(tools, {"subscription": subscription_id, "subscription_details": details})


async def invoiced_at(tools: Tools, told: Preview, at: datetime, *, is_next: bool) -> Preview:
    """The same with those discounts alone that are left then. Raises ProviderError.

    ``is_next``: no invoice comes before, so that what holds once holds for this one. The provider is asked
    again only where something is gone by then.
    """
    left = [row for row in told.discounts if (is_next or not row.is_once) and _lasts(row, at)]
    if len(left) == len(told.discounts):
        return told
    return await _ask(tools, {**told.asked, "discounts": [{"discount": row.id} for row in left] or ""})


def _lasts(discount: Discount, at: datetime) -> bool:
    return discount.ends_at is None or discount.ends_at > at


def placed(lines: Iterable[QuoteLine], period: Period) -> tuple[QuoteLine, ...]:
    """The lines, with those of a plan that begins later than the provider was asked for."""

    def at(line: QuoteLine) -> QuoteLine:
        return replace(line, period_start=period.start, period_end=period.end) if line.is_period else line

    return tuple(map(at, lines))


async def _ask(tools: Tools, asked: Mapping[str, Any]) -> Preview:
    return _read(await tools.provider.invoices.preview({**asked, "expand": EXPANDED}), asked)


def _read(invoice: Object, asked: Mapping[str, Any]) -> Preview:
    currency, told = invoice["currency"].upper(), invoice["lines"]["data"]
    return Preview(
        lines=tuple(_line(line, currency) for line in told),
        due=Money(max(invoice["amount_due"], 0), currency),
        period_cents=sum(_cents(line) for line in told if _is_period(line)),
        balance_cents=invoice["starting_balance"] + invoice["total"] - invoice["amount_due"],
        discounts=tuple(map(_discount, invoice["discounts"])),
        asked=asked,
    )


def _cents(line: Object) -> int:
    """What the line adds to the invoice's total."""
    off = sum(each["amount"] for each in line["discount_amounts"] or ())
    taxes = [each["amount"] for each in line["taxes"] or () if each["tax_behavior"] == "exclusive"]
    return int(line["amount"] - off + sum(taxes))


def _details(line: Object) -> Object:
    """Of the plan's item, or of an amount that waited for the next invoice."""
    parent = line["parent"] or {}
    details: Object = parent.get("subscription_item_details") or parent.get("invoice_item_details") or {}
    return details


def _is_period(line: Object) -> bool:
    of_plan = (line["parent"] or {}).get("subscription_item_details")
    return bool(of_plan and not of_plan["proration"])


def _discount(told: Object) -> Discount:
    coupon, end = told["source"]["coupon"], told["end"]
    is_once = coupon is not None and coupon["duration"] == "once"
    return Discount(told["id"], is_once, None if end is None else moment(end))


def _line(line: Object, currency: str) -> QuoteLine:
    return QuoteLine(
        description=line["description"] or "",
        amount=Money(line["amount"], currency),
        period_start=moment(line["period"]["start"]),
        period_end=moment(line["period"]["end"]),
        is_proration=bool(_details(line).get("proration")),
        is_period=_is_period(line),
    )
