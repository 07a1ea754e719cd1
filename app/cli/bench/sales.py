"""What was bought, and what did people think of it? Purchases, licences, reviews; invoices of who pays."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from app.cli.bench.people import subscription_id
from app.cli.bench.plan import ACTIVE_DAYS, Plan, Rows
from app.domain.periods import monthly_period
from app.domain.plans import Tier

AVERAGE_SALES = 20
MOST_BUYERS = 1 << 16
PRO_CENTS = 2900
ENTERPRISE_CENTS = 99_000
BILLED_MONTHS = 10
DOCUMENT = "revgraph licence 1\nname: made for measuring, not signed\n" + "filler: " + "x" * 400 + "\n"


@dataclass(frozen=True)
class Sale:
    """``stars`` 0: bought without a word."""

    buyer: int
    at: datetime
    stars: int


@lru_cache(maxsize=4)
def sales_of(plan: Plan, package: int) -> tuple[Sale, ...]:
    """Few packages sell a lot; nobody buys one twice."""
    random = plan.random(f"sales:{package}")
    wanted = int(AVERAGE_SALES * random.paretovariate(1.5) / 3)
    buyers = random.sample(range(plan.users), min(wanted, plan.users, MOST_BUYERS))
    first = plan.until - timedelta(days=ACTIVE_DAYS)
    return tuple(
        Sale(
            buyer=buyer,
            at=first + timedelta(seconds=random.randrange(ACTIVE_DAYS * 86_400)),
            stars=random.choice((3, 4, 4, 5, 5, 5)) if random.random() < 0.3 else 0,
        )
        for buyer in buyers
    )


def _numbered(plan: Plan) -> Iterator[tuple[int, int, Sale]]:
    """(number of the purchase, package, sale) of all packages."""
    number = 0
    for package in range(plan.packages):
        for sale in sales_of(plan, package):
            yield number, package, sale
            number += 1


PURCHASES = """
id user_id package_id version_id status amount_cents currency receipt_number created_at completed_at
"""


def purchases(plan: Plan) -> Rows:
    from app.cli.bench.goods import price_cents, version_id

    for number, package, sale in _numbered(plan):
        yield (
            plan.id(8, number, sale.at), plan.user_id(sale.buyer), plan.package_id(package),
            version_id(plan, package, 2), "completed", price_cents(package), "USD", f"B-{number + 1:08}",
            sale.at, sale.at,
        )  # fmt: skip


LICENCES = """
id purchase_id user_id status document issued_at revoked_at
"""


def licences(plan: Plan) -> Rows:
    for number, _, sale in _numbered(plan):
        yield (
            plan.id(9, number, sale.at), plan.id(8, number, sale.at), plan.user_id(sale.buyer), "active",
            DOCUMENT, sale.at, None,
        )  # fmt: skip


REVIEWS = """
id package_id user_id rating title body created_at updated_at
"""


def reviews(plan: Plan) -> Rows:
    for number, package, sale in _numbered(plan):
        if sale.stars:
            yield (
                plan.id(10, number, sale.at), plan.package_id(package), plan.user_id(sale.buyer), sale.stars,
                "As described" if sale.stars > 3 else None, "It does what it says.", sale.at, sale.at,
            )  # fmt: skip


def _bills(plan: Plan) -> Iterator[tuple[int, int, datetime, datetime, int]]:
    """(number, user, period start, period end, cents): the last months of everybody who pays."""
    number = 0
    for user in range(plan.users):
        if plan.tier(user) is Tier.FREE:
            return
        cents = ENTERPRISE_CENTS if plan.tier(user) is Tier.ENTERPRISE else PRO_CENTS
        anchor = plan.registered_at(user)
        period = monthly_period(anchor=anchor, now=plan.until)
        for _ in range(BILLED_MONTHS):
            yield number, user, period.start, period.end, cents
            period = monthly_period(anchor=anchor, now=period.start - timedelta(days=1))
            number += 1


INVOICES = """
id user_id subscription_id number status currency subtotal_cents discount_cents tax_cents total_cents
amount_due_cents amount_paid_cents stripe_invoice_id period_start period_end issued_at due_at paid_at
created_at
"""


def invoices(plan: Plan) -> Rows:
    for number, user, start, end, cents in _bills(plan):
        tax = cents * 19 // 100
        yield (
            plan.id(11, number, start), plan.user_id(user), subscription_id(plan, user),
            f"INV-{number + 1:08}", "paid", "USD", cents, 0, tax, cents + tax, cents + tax, cents + tax,
            None,
            start, end, start, start, start, start,
        )  # fmt: skip


INVOICE_LINES = """
id invoice_id position description quantity amount_cents period_start period_end
"""


def invoice_lines(plan: Plan) -> Rows:
    for number, user, start, end, cents in _bills(plan):
        yield (
            plan.id(12, number, start), plan.id(11, number, start), 0, f"Plan {plan.tier(user)}", 1, cents,
            start, end,
        )  # fmt: skip


PAYMENTS = """
id user_id purchase_id invoice_id status amount_cents refunded_cents currency attempt
stripe_payment_intent_id failure_code created_at updated_at
"""


def payments(plan: Plan) -> Rows:
    for number, user, start, _, cents in _bills(plan):
        total = cents + cents * 19 // 100
        yield (
            plan.id(13, number, start), plan.user_id(user), None, plan.id(11, number, start),
            "succeeded", total, 0, "USD", 1, f"pi_bench_{number}", None, start, start,
        )  # fmt: skip
