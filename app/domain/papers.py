"""Invoices and receipts on paper: what stands on each, as texts that only have to be set in type.

Amounts are shown with their currency's decimals. Foreign text is cleaned of what cannot be printed, and of
what would show a text in another order than it has; very long words may break anywhere.
"""

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from unicodedata import category

from app.domain.money import Money, format_money
from app.domain.payments import InvoiceStatus
from app.domain.seller import Seller

_UNFIT = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069\u2028\u2029\ufeff]")
_LONG_WORD = re.compile(r"[^\s\u200b]{25,}")
_WORD_PART = 24
PAST = {InvoiceStatus.VOID: "Void", InvoiceStatus.UNCOLLECTIBLE: "Not collected"}


@dataclass(frozen=True)
class Item:
    description: str
    quantity: str
    unit: str
    amount: str
    detail: str | None = None


@dataclass(frozen=True)
class Total:
    name: str
    amount: str
    strong: bool = False


@dataclass(frozen=True)
class Paper:
    """``filename`` without its ending; ``dated`` is the moment that the file carries.

    ``pay_at`` is an address whole, for it is clicked and copied: nothing may break it.
    """

    title: str
    number: str
    dated: datetime
    filename: str
    seller: Seller
    buyer: list[str]
    facts: list[tuple[str, str]]
    headline: str
    standing: str | None
    items: list[Item]
    totals: list[Total]
    note: str | None = None
    remarks: list[str] = field(default_factory=list)
    pay_at: str | None = None


def invoice_paper(invoice: Any, lines: list[Any], *, seller: Seller) -> Paper:
    """Of an invoice that has been issued, whatever became of it."""
    money = _Amounts(invoice.currency)
    due = money(invoice.amount_due_cents)
    open_ = invoice.status == InvoiceStatus.OPEN
    facts = [
        ("Invoice number", invoice.number or "none"),
        ("Date", day(invoice.issued_at or invoice.created_at)),
        *([("Due", day(invoice.due_at))] if invoice.due_at and open_ else []),
        *([("For", span(invoice.period_start, invoice.period_end))] if invoice.period_start else []),
        *([("Receipt number", invoice.receipt_number)] if invoice.receipt_number else []),
    ]
    return Paper(
        title="Invoice",
        number=invoice.number or "",
        dated=invoice.issued_at or invoice.created_at,
        filename=_filename(f"invoice-{invoice.number or invoice.id}"),
        seller=seller,
        buyer=_buyer(invoice),
        facts=facts,
        headline=f"{due} due" if open_ else due,
        standing=_standing(invoice),
        items=_items(lines, money),
        totals=_totals(invoice, money),
        note=clean(invoice.description) if invoice.description else None,
        pay_at=_UNFIT.sub("", invoice.hosted_url) or None if open_ and invoice.hosted_url else None,
    )


def invoice_receipt(invoice: Any, lines: list[Any], *, seller: Seller) -> Paper:
    """Of an invoice that was paid, by its receipt number."""
    money, number = _Amounts(invoice.currency), str(invoice.receipt_number)
    return Paper(
        title="Receipt",
        number=number,
        dated=invoice.paid_at or invoice.created_at,
        filename=_filename(f"receipt-{number}"),
        seller=seller,
        buyer=_buyer(invoice),
        facts=[
            ("Receipt number", number),
            ("Paid", day(invoice.paid_at or invoice.created_at)),
            *([("Invoice number", invoice.number)] if invoice.number else []),
        ],
        headline=f"{money(invoice.amount_paid_cents)} paid",
        standing=f"Received on {day(invoice.paid_at or invoice.created_at)}",
        items=_items(lines, money),
        totals=_totals(invoice, money),
        note=clean(invoice.description) if invoice.description else None,
    )


def purchase_receipt(purchase: Any, *, seller: Seller) -> Paper:
    """Of a package that was bought, with the licence's terms; what is free costs nothing."""
    price, number = _Amounts(purchase.currency)(purchase.amount_cents), str(purchase.receipt_number)
    bought = day(purchase.completed_at)
    version = f"Version {purchase.version} ({purchase.slug})"
    return Paper(
        title="Receipt",
        number=number,
        dated=purchase.completed_at,
        filename=_filename(f"receipt-{number}"),
        seller=seller,
        buyer=_buyer(purchase),
        facts=[("Receipt number", number), ("Date", bought), ("Licence", clean(purchase.terms))],
        headline=f"{price} paid" if purchase.amount_cents else "Free of charge",
        standing=f"Received on {bought}" if purchase.amount_cents else f"Delivered on {bought}",
        items=[Item(clean(purchase.package), "1", price, price, detail=clean(version))],
        totals=[Total("Total", price, strong=True)],
        remarks=["The signed licence comes with the purchase and can be verified without us."],
    )


def clean(text: str) -> str:
    """Without what cannot be printed; a word that is too long for a line may break."""
    return _LONG_WORD.sub(_broken, _UNFIT.sub("", text))


def _broken(word: re.Match[str]) -> str:
    """Anywhere but before a mark that belongs to the letter before it."""
    parts, part = [], ""
    for char in word[0]:
        if len(part) >= _WORD_PART and not category(char).startswith("M"):
            parts.append(part)
            part = ""
        part += char
    return "\u200b".join([*parts, part])


def day(moment: datetime) -> str:
    return f"{moment.day} {moment:%B %Y}"


def span(start: datetime, end: datetime) -> str:
    return f"{start.day} {start:%b %Y} – {end.day} {end:%b %Y}"


class _Amounts:
    def __init__(self, currency: str) -> None:
        self._currency = currency

    def __call__(self, cents: int) -> str:
        return format_money(Money(cents, self._currency))


def _filename(name: str) -> str:
    """Safe in a header and in every file system."""
    return re.sub(r"[^A-Za-z0-9._-]+", "_", name)


def _buyer(row: Any) -> list[str]:
    name = row.display_name or row.username
    return [clean(each) for each in (name, row.email)]


def _standing(invoice: Any) -> str | None:
    if invoice.status == InvoiceStatus.PAID:
        return f"Paid on {day(invoice.paid_at or invoice.created_at)}"
    if invoice.status in PAST:
        return PAST[InvoiceStatus(invoice.status)]
    return f"Please pay by {day(invoice.due_at)}" if invoice.due_at else None


def _items(lines: list[Any], money: _Amounts) -> list[Item]:
    return [
        Item(
            description=clean(line.description) or "–",
            quantity=f"{line.quantity:,}",
            unit=money(line.unit_amount_cents) if line.unit_amount_cents is not None else "",
            amount=money(line.amount_cents),
            detail=span(line.period_start, line.period_end) if _takes_time(line) else None,
        )
        for line in lines
    ]


def _takes_time(line: Any) -> bool:
    return bool(line.period_start and line.period_end and line.period_end > line.period_start)


def _totals(invoice: Any, money: _Amounts) -> list[Total]:
    """What does not occur is left out; the balance is what was owed, or credited, before."""
    balance = invoice.amount_due_cents - invoice.total_cents
    added = invoice.tax_cents - invoice.tax_included_cents
    parts = [
        ("Discount", -invoice.discount_cents),
        ("Tax", added),
        ("Other", invoice.adjustment_cents),
    ]
    return [
        Total("Subtotal", money(invoice.subtotal_cents)),
        *(Total(name, money(cents)) for name, cents in parts if cents),
        Total("Total", money(invoice.total_cents), strong=True),
        *([Total("of which tax", money(invoice.tax_included_cents))] if invoice.tax_included_cents else []),
        *([Total("Balance applied", money(balance))] if balance else []),
        *([Total("Amount due", money(invoice.amount_due_cents), strong=True)] if balance else []),
        *([Total("Paid", money(invoice.amount_paid_cents))] if invoice.amount_paid_cents else []),
    ]
