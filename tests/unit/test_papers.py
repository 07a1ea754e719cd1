"""Papers: what stands on them, and that they are set in type whatever stands there."""

import re
import zlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from app.domain.papers import clean, invoice_paper, invoice_receipt, purchase_receipt
from app.domain.seller import Seller
from app.gateways.papers import TypstPrinter

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
SELLER = Seller("Northwind", ("Hafenstraße 12", "20457 Hamburg"), "VAT DE123456789", "billing@northwind.test")
PRINTER = TypstPrinter()
INJECTIONS = [
    '#panic("x")',
    '#import "@preview/tablex:0.0.8": *',
    '#read("/etc/passwd")',
    "*bold* _it_ $x^2$ <label> @ref `code` = Heading // comment \\ #sys.inputs ] ) } \" '",
    "\\u{41} #let x = 1; [",
]


def invoice(**given: Any) -> Any:
    values = {
        "id": "an-id", "number": "ACME-0007", "status": "open", "currency": "EUR", "subtotal_cents": 4_200_00,
        "discount_cents": 200_00, "tax_cents": 760_00, "tax_included_cents": 0, "adjustment_cents": 0,
        "total_cents": 4_760_00, "amount_due_cents": 4_660_00, "amount_paid_cents": 0, "issued_at": NOW,
        "created_at": NOW, "due_at": NOW + timedelta(days=14), "paid_at": None, "period_start": None,
        "period_end": None, "receipt_number": None, "description": "Order 4711", "hosted_url": "https://pay.test/1",
        "username": "ada", "display_name": "Ada Lovelace", "email": "ada@example.test",
    }  # fmt: skip
    return SimpleNamespace(**{**values, **given})


def line(description: str, amount: int = 100, **given: Any) -> Any:
    values = {"quantity": 1, "unit_amount_cents": amount, "period_start": None, "period_end": None}
    return SimpleNamespace(description=description, amount_cents=amount, **{**values, **given})


def pages(pdf: bytes) -> int:
    return sum(len(re.findall(rb"/Type\s*/Page(?![a-zA-Z])", body)) for body in bodies_of(pdf))


def bodies_of(pdf: bytes) -> list[bytes]:
    """Objects may stand in compressed streams."""
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL)
    bodies = [pdf]
    for stream in streams:
        try:
            bodies.append(zlib.decompress(stream))
        except zlib.error:
            continue
    return bodies


def test_a_number_makes_a_safe_filename() -> None:
    paper = invoice_paper(invoice(number='ÄC "/..\r\nX: 1'), [], seller=SELLER)
    assert paper.filename == "invoice-_C_.._X_1"


def test_an_open_invoice_says_what_it_must() -> None:
    year = {"period_start": NOW, "period_end": NOW + timedelta(days=365)}
    lines = [
        line("Support", 2_400_00, quantity=12, unit_amount_cents=200_00, **year),
        line("Training", 1_800_00),
    ]
    paper = invoice_paper(invoice(), lines, seller=SELLER)
    assert (paper.title, paper.number, paper.filename) == ("Invoice", "ACME-0007", "invoice-ACME-0007")
    assert paper.buyer == ["Ada Lovelace", "ada@example.test"]
    assert paper.facts == [
        ("Invoice number", "ACME-0007"), ("Date", "22 November 2026"), ("Due", "6 December 2026"),
    ]  # fmt: skip
    assert (paper.headline, paper.standing) == ("€4,660.00 due", "Please pay by 6 December 2026")
    assert [(i.description, i.quantity, i.unit, i.amount, i.detail) for i in paper.items] == [
        ("Support", "12", "€200.00", "€2,400.00", "22 Nov 2026 – 22 Nov 2027"),
        ("Training", "1", "€1,800.00", "€1,800.00", None),
    ]
    assert [(total.name, total.amount) for total in paper.totals] == [
        ("Subtotal", "€4,200.00"), ("Discount", "-€200.00"), ("Tax", "€760.00"), ("Total", "€4,760.00"),
        ("Balance applied", "-€100.00"), ("Amount due", "€4,660.00"),
    ]  # fmt: skip
    assert (paper.note, paper.pay_at) == ("Order 4711", "https://pay.test/1")


@pytest.mark.parametrize(
    "status, standing",
    [("paid", "Paid on 23 November 2026"), ("void", "Void"), ("uncollectible", "Not collected")],
)
def test_what_became_of_it_stands_on_it(status: str, standing: str) -> None:
    given = invoice(status=status, paid_at=NOW + timedelta(days=1))
    paper = invoice_paper(given, [], seller=SELLER)
    assert (paper.headline, paper.standing, paper.pay_at) == ("€4,660.00", standing, None)
    assert "Due" not in dict(paper.facts)


def test_included_tax_and_other_parts_are_named() -> None:
    given = invoice(
        currency="JPY", subtotal_cents=1190, discount_cents=0, tax_cents=190, tax_included_cents=190,
        adjustment_cents=500, total_cents=1690, amount_due_cents=1690,
    )  # fmt: skip
    assert [(total.name, total.amount) for total in invoice_paper(given, [], seller=SELLER).totals] == [
        ("Subtotal", "¥1,190"), ("Other", "¥500"), ("Total", "¥1,690"), ("of which tax", "¥190"),
    ]  # fmt: skip


def test_receipts_say_what_was_paid_for() -> None:
    paid = invoice(status="paid", paid_at=NOW, receipt_number="RG-2026-000003", amount_paid_cents=4_660_00)
    paper = invoice_receipt(paid, [line("Support")], seller=SELLER)
    assert (paper.number, paper.filename) == ("RG-2026-000003", "receipt-RG-2026-000003")
    assert (paper.headline, paper.standing) == ("€4,660.00 paid", "Received on 22 November 2026")
    assert dict(paper.facts)["Invoice number"] == "ACME-0007"
    assert paper.totals[-1].amount == "€4,660.00"


@pytest.mark.parametrize(
    "cents, headline, standing",
    [
        (12_500, "KWD12.500 paid", "Received on 22 November 2026"),
        (0, "Free of charge", "Delivered on 22 November 2026"),
    ],
)
def test_a_purchase_is_receipted_with_package_and_terms(cents: int, headline: str, standing: str) -> None:
    bought = SimpleNamespace(
        currency="KWD", amount_cents=cents, receipt_number="RG-2026-000042", completed_at=NOW, username="ada",
        display_name=None, email="ada@example.test", package="Dashboard", slug="dash", version="2.1.0", terms="MIT",
    )  # fmt: skip
    paper = purchase_receipt(bought, seller=SELLER)
    assert (paper.headline, paper.standing, paper.buyer[0]) == (headline, standing, "ada")
    assert (paper.items[0].description, paper.items[0].detail) == ("Dashboard", "Version 2.1.0 (dash)")
    assert dict(paper.facts)["Licence"] == "MIT"


def test_what_cannot_be_printed_is_left_out_and_long_words_may_break() -> None:
    assert clean("a\x00b\x07\u202ec\ud800\n") == "abc\n"
    assert clean("W" * 50) == "\u200b".join(["W" * 24, "W" * 24, "WW"])
    assert clean("=" * 50) == "\u200b".join(["=" * 24, "=" * 24, "=="])
    assert clean("क्" * 15) == "\u200b".join(["क्" * 12, "क्" * 3])
    assert (
        clean("e\u0301" + "e" * 23 + "e\u0301" * 2) == "e\u0301" + "e" * 22 + "\u200b" + "e" + "e\u0301" * 2
    )
    assert clean("قالب 😀 ok") == "قالب 😀 ok"


async def test_a_paper_is_the_same_file_each_time() -> None:
    paper = invoice_paper(invoice(), [line("Support")], seller=SELLER)
    first = await PRINTER.pdf(paper)
    assert first.startswith(b"%PDF-")
    assert pages(first) == 1
    assert await PRINTER.pdf(paper) == first


@pytest.mark.parametrize("text", INJECTIONS)
async def test_markup_in_texts_is_text(text: str) -> None:
    seller = Seller(text, (text,), text, text, text)
    given = invoice(display_name=text, email=text, description=text, hosted_url=text, number=text)
    assert pages(await PRINTER.pdf(invoice_paper(given, [line(text)], seller=seller))) == 1


async def test_the_address_to_pay_at_is_a_link_and_whole() -> None:
    """Also where it is longer than a line, as the provider's are."""
    url = "https://pay.test/i/acct_1/" + "live_YWNjdF8xT2" * 12 + "?s=il"
    pdf = await PRINTER.pdf(invoice_paper(invoice(hosted_url=url), [line("Support")], seller=SELLER))
    assert any(url.encode() in body for body in bodies_of(pdf))


async def test_every_script_is_set_and_nothing_is_too_long() -> None:
    texts = [
        "قالب فاتورة 2026",
        "תבנית חשבונית",
        "😀 🚀 日本語",
        "W" * 4000,
        "long " * 800,
        "e\u0301" * 500,
        "",
        "\u200f",
    ]
    pdf = await PRINTER.pdf(invoice_paper(invoice(), [line(text) for text in texts], seller=SELLER))
    assert pages(pdf) > 1


async def test_two_hundred_lines_take_several_pages() -> None:
    lines = [line(f"Day {number}") for number in range(200)]
    assert pages(await PRINTER.pdf(invoice_paper(invoice(), lines, seller=SELLER))) == 8


async def test_a_moment_with_parts_of_a_second_is_printed() -> None:
    """As every real one is."""
    paper = replace(
        invoice_paper(invoice(), [line("Training")], seller=SELLER), dated=NOW + timedelta(microseconds=1)
    )
    assert pages(await PRINTER.pdf(paper)) == 1
