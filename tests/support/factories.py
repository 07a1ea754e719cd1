"""Rows for tests, inserted as they are: each factory fills in what the test does not say.

Each takes the database and keyword overrides by column name, inserts through Core and gives the values back
as attributes (``package.id``). Ids are UUIDv7, so rows made later sort later.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import count
from types import SimpleNamespace
from typing import Any

from sqlalchemy import insert, select

from app.db.database import Database
from app.db.ids import new_id
from app.db.models import (
    Author,
    Base,
    Category,
    Dispute,
    Invoice,
    InvoiceLine,
    Licence,
    Package,
    PackageCategory,
    PackageFile,
    PackageTag,
    PackageVersion,
    Payment,
    Purchase,
    Refund,
    Review,
    Subscription,
    User,
)
from app.domain.api_keys import Role, Scope, grantable
from app.domain.periods import monthly_period
from app.domain.plans import Tier
from app.domain.versions import sort_key
from app.domain.viewer import Viewer

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
_numbers = count(1)


async def make_user(
    database: Database, *, subscribed: bool = True, anchor_at: datetime = NOW, **given: Any
) -> SimpleNamespace:
    """An account with its live subscription; no password fits."""
    username = given.pop("username", f"user-{next(_numbers)}")
    user = await _insert(
        database,
        User,
        {
            "id": new_id(),
            "email": f"{username.lower()}@example.test",
            "username": username,
            "username_key": username.casefold(),
            "display_name": None,
            "password_hash": "!",
            "role": Role.CUSTOMER,
            "tier": Tier.FREE,
            "email_verified_at": NOW,
            "created_at": NOW,
            "updated_at": NOW,
            "deleted_at": None,
        },
        given,
    )
    if subscribed:
        await _make_subscription(database, user, anchor_at=anchor_at)
    return user


async def _make_subscription(database: Database, user: SimpleNamespace, *, anchor_at: datetime) -> None:
    period = monthly_period(anchor=anchor_at, now=max(anchor_at, NOW))
    values = {
        "id": new_id(),
        "user_id": user.id,
        "tier": user.tier,
        "status": "active",
        "anchor_at": anchor_at,
        "current_period_start": period.start,
        "current_period_end": period.end,
        "cancel_at_period_end": False,
        "stripe_subscription_id": None,
        "created_at": NOW,
        "updated_at": NOW,
        "ended_at": None,
    }
    await _insert(database, Subscription, values, {})


def viewer_of(user: SimpleNamespace, *, scopes: Iterable[Scope] | None = None, **given: Any) -> Viewer:
    """The account as it asks: with every scope of its role unless ``scopes`` says otherwise."""
    role = Role(user.role)
    return Viewer(
        **{
            "user_id": user.id,
            "username": user.username,
            "role": role,
            "tier": Tier(user.tier),
            "anchor_at": NOW,
            "scopes": grantable(role) if scopes is None else frozenset(scopes),
            **given,
        }
    )


async def make_author(
    database: Database, *, user: SimpleNamespace | None = None, **given: Any
) -> SimpleNamespace:
    """With ``user`` the author is that account; without, one imported from elsewhere."""
    username = given.pop("username", user.username if user else f"author-{next(_numbers)}")
    return await _insert(
        database,
        Author,
        {
            "id": new_id(),
            "user_id": user.id if user else None,
            "username": username,
            "username_key": username.casefold(),
            "created_at": NOW,
        },
        given,
    )


async def make_package(
    database: Database,
    *,
    author: SimpleNamespace | None = None,
    categories: Iterable[str] = (),
    tags: Iterable[str] = (),
    ratings: Iterable[int] = (),
    **given: Any,
) -> SimpleNamespace:
    """Published and free unless said. ``ratings`` fill the sums only, without rows of reviews."""
    slug, stars = given.pop("slug", f"package-{next(_numbers)}"), list(ratings)
    name = given.pop("name", slug.replace("-", " ").title())
    draft = given.get("status") == "draft"
    package = await _insert(
        database,
        Package,
        {
            "id": new_id(),
            "author_id": given.pop("author_id", None) or (author or await make_author(database)).id,
            "slug": slug,
            "name": name,
            "name_key": name.casefold(),
            "description": "",
            "readme": None,
            "license": "MIT",
            "price_cents": 0,
            "currency": "USD",
            "status": "published",
            "downloads": 0,
            "sales": 0,
            "rating_sum": sum(stars),
            "rating_count": len(stars),
            "rating_score": (200 * sum(stars) + len(stars)) // (2 * len(stars)) if stars else 0,
            "created_at": NOW,
            "updated_at": NOW,
            "published_at": None if draft else NOW,
        },
        given,
    )
    await _label(database, package, categories=list(categories), tags=list(tags))
    return package


async def _label(
    database: Database, package: SimpleNamespace, *, categories: list[str], tags: list[str]
) -> None:
    for slug in categories:
        await make_category(database, slug)
    async with database.transaction() as connection:
        for category in categories:
            row = {"package_id": package.id, "category": category}
            await connection.execute(insert(PackageCategory).values(row))
        for tag in tags:
            await connection.execute(insert(PackageTag).values({"package_id": package.id, "tag": tag}))


async def make_category(database: Database, slug: str, *, name: str | None = None) -> None:
    """Nothing happens where there is such a category."""
    async with database.transaction() as connection:
        if (await connection.execute(select(Category).where(Category.slug == slug))).first() is None:
            values = {"slug": slug, "name": name or slug.replace("-", " ").capitalize()}
            await connection.execute(insert(Category).values(values))


async def make_version(
    database: Database,
    *,
    package: SimpleNamespace,
    version: str = "1.0.0",
    with_file: bool = True,
    **given: Any,
) -> SimpleNamespace:
    """With one file of 3 bytes unless told otherwise."""
    yanked = given.get("status") == "yanked"
    made = await _insert(
        database,
        PackageVersion,
        {
            "id": new_id(),
            "package_id": package.id,
            "version": version,
            "sort_key": sort_key(version),
            "changelog": "",
            "status": "published",
            "yank_reason": None,
            "published_at": NOW,
            "yanked_at": NOW if yanked else None,
        },
        given,
    )
    if with_file:
        await make_file(database, version=made)
    return made


async def make_file(
    database: Database, *, version: SimpleNamespace, content: bytes = b"abc", **given: Any
) -> SimpleNamespace:
    """The row only: nothing is put into a store."""
    position = given.pop("position", 0)
    file_id = new_id()
    return await _insert(
        database,
        PackageFile,
        {
            "id": file_id,
            "version_id": version.id,
            "position": position,
            "path": f"file-{position}.tar.gz",
            "media_type": "application/gzip",
            "size_bytes": len(content),
            "sha256": sha256(content).hexdigest(),
            "storage_key": f"packages/{file_id.hex}",
        },
        given,
    )


async def make_purchase(
    database: Database,
    *,
    user: SimpleNamespace,
    package: SimpleNamespace,
    version: SimpleNamespace,
    licence: str | None = "active",
    **given: Any,
) -> SimpleNamespace:
    """Completed unless said, with a licence of the state ``licence``; None: without one."""
    purchase = await _insert(
        database,
        Purchase,
        {
            "id": new_id(),
            "user_id": user.id,
            "package_id": package.id,
            "version_id": version.id,
            "status": "completed",
            "amount_cents": package.price_cents,
            "currency": package.currency,
            "receipt_number": None,
            "created_at": NOW,
            "completed_at": NOW,
        },
        given,
    )
    if licence is not None:
        values = {
            "id": new_id(),
            "purchase_id": purchase.id,
            "user_id": user.id,
            "status": licence,
            "document": "licence",
            "issued_at": NOW,
            "revoked_at": None,
        }
        await _insert(database, Licence, values, {})
    return purchase


async def make_invoice(
    database: Database, *, user: SimpleNamespace, lines: Iterable[str] = ("Training",), **given: Any
) -> SimpleNamespace:
    """Open, of $34.51 with $5.51 of tax, unless said; each line is of $29.00."""
    number = next(_numbers)
    values = {
        "id": new_id(),
        "user_id": user.id,
        "subscription_id": None,
        "number": f"ACME-{number:04d}",
        "status": "open",
        "currency": "USD",
        "subtotal_cents": 2900,
        "discount_cents": 0,
        "tax_cents": 551,
        "tax_included_cents": 0,
        "adjustment_cents": 0,
        "total_cents": 3451,
        "amount_due_cents": 3451,
        "amount_paid_cents": 0,
        "stripe_invoice_id": None,
        "period_start": None,
        "period_end": None,
        "issued_at": NOW,
        "due_at": NOW + timedelta(days=14),
        "paid_at": None,
        "created_at": NOW,
        "receipt_number": None,
        "description": None,
        "attempt_count": 0,
        "next_attempt_at": None,
        "hosted_url": "https://pay.test/in_1",
        "created_by": None,
    }
    invoice = await _insert(database, Invoice, values, given)
    for position, description in enumerate(lines):
        line = {
            "id": new_id(),
            "invoice_id": invoice.id,
            "position": position,
            "description": description,
            "quantity": 1,
            "unit_amount_cents": 2900,
            "amount_cents": 2900,
            "period_start": None,
            "period_end": None,
        }
        await _insert(database, InvoiceLine, line, {})
    return invoice


async def make_payment(
    database: Database, *, user: SimpleNamespace, refunded: Iterable[int] = (), **given: Any
) -> SimpleNamespace:
    """Of a purchase of a package of its own, paid, with its refunds, each disputed at the same time."""
    package = await make_package(database, price_cents=1999)
    version = await make_version(database, package=package)
    purchase = await make_purchase(database, user=user, package=package, version=version)
    refunds = list(refunded)
    values = {
        "id": new_id(),
        "user_id": user.id,
        "purchase_id": purchase.id,
        "status": "succeeded",
        "amount_cents": purchase.amount_cents,
        "refunded_cents": sum(refunds),
        "currency": "USD",
        "attempt": 1,
        "created_at": NOW,
        "updated_at": NOW,
    }
    payment = await _insert(database, Payment, values, given)
    for cents in refunds:
        money = {"id": new_id(), "payment_id": payment.id, "amount_cents": cents, "currency": "USD"}
        asked = {"status": "succeeded", "reason": "asked for", "created_at": NOW, "updated_at": NOW}
        await _insert(database, Refund, {**money, **asked}, {})
        opened = {"stripe_dispute_id": f"du_{new_id()}", "status": "won", "opened_at": NOW}
        await _insert(database, Dispute, {**money, **opened, "reason": "fraudulent", "updated_at": NOW}, {})
    return payment


async def make_review(
    database: Database, *, user: SimpleNamespace, package: SimpleNamespace, rating: int = 5, **given: Any
) -> SimpleNamespace:
    """The row only: the package's sums stay as they are."""
    values = {
        "id": new_id(),
        "package_id": package.id,
        "user_id": user.id,
        "rating": rating,
        "title": None,
        "body": "",
        "created_at": NOW,
        "updated_at": NOW,
    }
    return await _insert(database, Review, values, given)


async def _insert(
    database: Database, model: type[Base], values: dict[str, Any], given: dict[str, Any]
) -> SimpleNamespace:
    unknown = given.keys() - values.keys()
    assert not unknown, f"{model.__name__} has no {sorted(unknown)}"
    row = {**values, **given}
    async with database.transaction() as connection:
        await connection.execute(insert(model).values(**row))
    return SimpleNamespace(**row)


async def user_named(database: Database, username: str) -> SimpleNamespace:
    """An account that exists already."""
    async with database.read() as connection:
        row = (await connection.execute(select(User.__table__).where(User.username == username))).one()
    return SimpleNamespace(**row._mapping)
