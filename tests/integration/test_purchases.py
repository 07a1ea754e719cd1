"""Purchases of free packages: complete at once or not at all, once, and replayed by their key."""

import asyncio
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select, update

from app.db.database import Database
from app.db.ids import new_id
from app.db.models import (
    IdempotencyKey,
    Licence,
    OutboxFact,
    Package,
    Purchase,
    ReceiptCounter,
    UsageCounter,
    UsageEvent,
    User,
)
from app.domain.api_keys import Role
from app.domain.errors import (
    AlreadyOwned,
    DomainError,
    IdempotencyMismatch,
    InvalidInput,
    InvalidState,
    NotFound,
    PaymentsNotConfigured,
    QuotaExceeded,
    Unauthenticated,
)
from app.domain.plans import Resource
from app.domain.viewer import Allowance
from app.gateways.licences import Ed25519Signer, verify
from app.services.purchases import Shop, Wish, purchase
from tests.support.factories import (
    NOW,
    make_author,
    make_package,
    make_purchase,
    make_user,
    make_version,
    viewer_of,
)
from tests.support.ledger import TERMS

SIGNER = Ed25519Signer(bytes(32))
TABLES = (Purchase, Licence, IdempotencyKey, OutboxFact, UsageCounter, UsageEvent, ReceiptCounter)


async def buy(
    database: Database,
    user: SimpleNamespace,
    package: Any,
    *,
    limit: int = 5,
    version: str | None = None,
    idempotency_key: str | None = None,
    now: datetime = NOW,
) -> UUID:
    bought = await purchase(
        Shop(database=database, signer=SIGNER, commission=TERMS, tools=None),
        Wish(package.id, version, str(new_id()) if idempotency_key is None else idempotency_key),
        viewer=viewer_of(user),
        allowance=Allowance(user.id, dict.fromkeys(Resource, limit), NOW),
        now=now,
    )
    assert bought.problem is None
    return bought.purchase_id


async def rows(database: Database, model: Any) -> list[Any]:
    async with database.read() as connection:
        return list((await connection.execute(select(*model.__table__.columns))).all())


async def everything(database: Database) -> list[list[Any]]:
    """What a refused purchase must leave as it was."""
    return [await rows(database, model) for model in (*TABLES, Package)]


async def test_a_free_package_is_complete_at_once(database: Database) -> None:
    user = await make_user(database, username="ada")
    package = await make_package(database, slug="docs-theme", name="Docs\u00a0 theme", license="MIT")
    version = await make_version(database, package=package, version="1.2.0")
    purchase_id = await buy(database, user, package, idempotency_key="k")

    [bought] = await rows(database, Purchase)
    assert bought._mapping == {
        "id": purchase_id,
        "user_id": user.id,
        "package_id": package.id,
        "version_id": version.id,
        "status": "completed",
        "amount_cents": 0,
        "currency": "USD",
        "receipt_number": "RG-2026-000001",
        "created_at": NOW,
        "completed_at": NOW,
        "commission_cents": None,
        "author_share_cents": None,
        "reservation_id": None,
    }
    [licence] = await rows(database, Licence)
    assert (licence.purchase_id, licence.user_id, licence.status) == (purchase_id, user.id, "active")
    assert (licence.issued_at, licence.revoked_at) == (NOW, None)
    assert verify(licence.document, SIGNER.public_keys) == {
        "licence": str(licence.id),
        "package": "docs-theme",
        "package-name": "Docs theme",
        "version": "1.2.0",
        "licensee": "ada",
        "licensee-id": str(user.id),
        "terms": "MIT",
        "purchase": str(purchase_id),
        "issued-at": "2026-01-15T12:00:00Z",
        "key": next(iter(SIGNER.public_keys)),
    }
    [counter] = await rows(database, UsageCounter)
    assert (counter.user_id, counter.resource, counter.used, counter.reserved) == (
        user.id,
        "template_install",
        1,
        0,
    )
    [event] = await rows(database, UsageEvent)
    assert (event.resource, event.amount) == ("template_install", 1)
    [fact] = await rows(database, OutboxFact)
    assert (fact.topic, fact.payload) == ("purchase.completed", {"purchase_id": str(purchase_id)})
    [key] = await rows(database, IdempotencyKey)
    assert (key.user_id, key.operation, key.key, key.result_id) == (
        user.id,
        "purchasePackage",
        "k",
        purchase_id,
    )
    assert (await rows(database, Package))[0].sales == 1


async def test_receipts_count_by_the_year_without_gaps(database: Database) -> None:
    user = await make_user(database)
    free = [await _free(database) for _ in range(3)]
    paid = await _free(database, price_cents=100)
    await buy(database, user, free[0], now=datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC))
    with pytest.raises(PaymentsNotConfigured):
        await buy(database, user, paid, now=datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC))
    with pytest.raises(QuotaExceeded):
        await buy(database, user, free[1], limit=0)
    await buy(database, user, free[1], now=datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC))
    await buy(database, user, free[2], now=datetime(2027, 1, 1, tzinfo=UTC))
    assert sorted(row.receipt_number for row in await rows(database, Purchase)) == [
        "RG-2026-000001",
        "RG-2026-000002",
        "RG-2027-000001",
    ]


async def _free(database: Database, **given: Any) -> SimpleNamespace:
    package = await make_package(database, **given)
    await make_version(database, package=package)
    return package


@pytest.mark.parametrize(
    "versions, wanted, bought",
    [
        (["1.0.0", "1.10.0", "1.9.0"], None, "1.10.0"),
        (["1.0.0", "2.0.0-rc.1"], None, "1.0.0"),
        (["1.0.0-alpha", "1.0.0-beta"], None, "1.0.0-beta"),
        (["1.0.0", "2.0.0"], "1.0.0", "1.0.0"),
        (["1.0.0", "!2.0.0"], None, "1.0.0"),
    ],
)
async def test_the_version(database: Database, versions: list[str], wanted: str | None, bought: str) -> None:
    package, user = await make_package(database), await make_user(database)
    made = {}
    for version in versions:
        status = "yanked" if version.startswith("!") else "published"
        name = version.lstrip("!")
        made[name] = await make_version(database, package=package, version=name, status=status)
    await buy(database, user, package, version=wanted)
    assert [row.version_id for row in await rows(database, Purchase)] == [made[bought].id]


async def _refused(
    database: Database, error: type[DomainError], user: SimpleNamespace, package: Any, **given: Any
) -> DomainError:
    before = await everything(database)
    with pytest.raises(error) as refusal:
        await buy(database, user, package, **given)
    assert await everything(database) == before
    return refusal.value


@pytest.mark.parametrize(
    "package, version, wanted, error",
    [
        ({"status": "draft"}, {}, None, NotFound),
        ({"status": "yanked"}, {}, None, InvalidState),
        ({}, {"status": "yanked"}, None, InvalidState),
        ({}, {"status": "yanked"}, "1.0.0", InvalidState),
        ({}, {}, "9.9.9", NotFound),
        ({}, {}, "latest", InvalidInput),
        ({}, {}, "' OR 1=1 --", InvalidInput),
        ({"price_cents": 1}, {}, None, PaymentsNotConfigured),
    ],
)
async def test_what_cannot_be_bought(
    database: Database,
    package: dict[str, Any],
    version: dict[str, Any],
    wanted: str | None,
    error: type[DomainError],
) -> None:
    user, made = await make_user(database), await make_package(database, **package)
    await make_version(database, package=made, **version)
    await _refused(database, error, user, made, version=wanted)


async def test_an_unknown_package(database: Database) -> None:
    refusal = await _refused(database, NotFound, await make_user(database), SimpleNamespace(id=new_id()))
    assert refusal.path == ("input", "packageId")


async def test_a_deprecated_package_is_still_to_be_had(database: Database) -> None:
    await buy(database, await make_user(database), await _free(database, status="deprecated"))
    assert [row.status for row in await rows(database, Purchase)] == ["completed"]


async def test_staff_sees_a_draft_but_cannot_buy_it(database: Database) -> None:
    admin, draft = await make_user(database, role=Role.ADMIN), await _free(database, status="draft")
    await _refused(database, InvalidState, admin, draft)


async def test_the_author_owns_the_package_already(database: Database) -> None:
    user = await make_user(database, role=Role.AUTHOR)
    package = await _free(database, author=await make_author(database, user=user))
    await _refused(database, AlreadyOwned, user, package)


async def test_what_is_owned_is_not_bought_again(database: Database) -> None:
    user, package = await make_user(database), await _free(database)
    await buy(database, user, package)
    await _refused(database, AlreadyOwned, user, package)


async def test_what_was_refunded_may_be_bought_again(database: Database) -> None:
    user, package = await make_user(database), await make_package(database)
    version = await make_version(database, package=package)
    await make_purchase(
        database, user=user, package=package, version=version, status="refunded", licence="revoked"
    )
    await buy(database, user, package)
    assert sorted(row.status for row in await rows(database, Purchase)) == ["completed", "refunded"]


async def test_the_quota_refuses_with_its_facts(database: Database) -> None:
    user = await make_user(database)
    await buy(database, user, await _free(database), limit=1)
    refusal = await _refused(database, QuotaExceeded, user, await _free(database), limit=1)
    assert refusal.facts() == {
        "resource": "TEMPLATE_INSTALL",
        "used": 1,
        "limit": 1,
        "resetsAt": "2026-02-15T12:00:00.000Z",
    }


@pytest.mark.parametrize("key", ["", "x" * 256, "two\nlines", "\x00", "\u202e"])
async def test_an_unfit_key(database: Database, key: str) -> None:
    user, package = await make_user(database), await _free(database)
    refusal = await _refused(database, InvalidInput, user, package, idempotency_key=key)
    assert refusal.path == ("input", "idempotencyKey")


async def test_the_same_key_replays_the_first_answer(database: Database) -> None:
    user, package = await make_user(database), await _free(database)
    first = await buy(database, user, package, idempotency_key="x" * 255)
    before = await everything(database)
    assert await buy(database, user, package, idempotency_key="x" * 255) == first
    assert await everything(database) == before


async def test_the_same_key_with_other_input(database: Database) -> None:
    user, package = await make_user(database), await _free(database)
    await buy(database, user, package, idempotency_key="k")
    await _refused(database, IdempotencyMismatch, user, await _free(database), idempotency_key="k")
    await _refused(database, IdempotencyMismatch, user, package, idempotency_key="k", version="1.0.0")


async def test_keys_of_two_accounts_have_nothing_to_do_with_each_other(database: Database) -> None:
    package = await _free(database)
    for _ in range(2):
        await buy(database, await make_user(database), package, idempotency_key="k")
    assert len(await rows(database, Purchase)) == 2


async def test_a_refused_request_does_not_spend_its_key(database: Database) -> None:
    user, package = await make_user(database), await _free(database)
    await _refused(database, QuotaExceeded, user, package, limit=0, idempotency_key="k")
    await buy(database, user, package, idempotency_key="k")
    assert len(await rows(database, Purchase)) == 1


async def test_twenty_purchases_at_once_are_one(database: Database) -> None:
    user, package = await make_user(database), await _free(database)
    outcomes = await asyncio.gather(
        *(buy(database, user, package, limit=50) for _ in range(20)), return_exceptions=True
    )
    [purchase_id] = [outcome for outcome in outcomes if isinstance(outcome, UUID)]
    assert [type(outcome) for outcome in outcomes].count(AlreadyOwned) == 19
    assert [row.id for row in await rows(database, Purchase)] == [purchase_id]
    assert [row.used for row in await rows(database, UsageCounter)] == [1]
    assert (await rows(database, Package))[0].sales == 1
    assert [row.last_number for row in await rows(database, ReceiptCounter)] == [1]


async def test_one_key_at_once_is_one_purchase(database: Database) -> None:
    user, package = await make_user(database), await _free(database)
    outcomes = await asyncio.gather(*(buy(database, user, package, idempotency_key="k") for _ in range(20)))
    assert outcomes == [outcomes[0]] * 20
    assert [row.id for row in await rows(database, Purchase)] == [outcomes[0]]
    assert [row.used for row in await rows(database, UsageCounter)] == [1]


async def test_a_quota_of_five_admits_exactly_five_of_twenty(database: Database) -> None:
    user = await make_user(database)
    packages = [await _free(database) for _ in range(20)]
    outcomes = await asyncio.gather(
        *(buy(database, user, package) for package in packages), return_exceptions=True
    )
    assert sum(isinstance(outcome, UUID) for outcome in outcomes) == 5
    assert [type(outcome) for outcome in outcomes].count(QuotaExceeded) == 15
    assert [row.used for row in await rows(database, UsageCounter)] == [5]
    assert sorted(row.receipt_number for row in await rows(database, Purchase)) == [
        f"RG-2026-00000{number}" for number in range(1, 6)
    ]
    async with database.read() as connection:
        assert (await connection.execute(select(func.sum(Package.sales)))).scalar_one() == 5


async def test_buyers_of_one_package_at_once_all_get_it(database: Database) -> None:
    package = await _free(database)
    users = [await make_user(database) for _ in range(20)]
    await asyncio.gather(*(buy(database, user, package) for user in users))
    assert (await rows(database, Package))[0].sales == 20
    assert {row.receipt_number for row in await rows(database, Purchase)} == {
        f"RG-2026-{number:06d}" for number in range(1, 21)
    }


async def test_an_account_that_has_ended_meanwhile_buys_nothing(database: Database) -> None:
    user, package = await make_user(database), await make_package(database)
    await make_version(database, package=package)
    async with database.transaction() as connection:
        await connection.execute(
            update(User).where(User.id == user.id).values(deleted_at=NOW, password_hash="")
        )
    before = await everything(database)
    with pytest.raises(Unauthenticated):
        await buy(database, user, package)
    assert await everything(database) == before
