"""How many statements may each root field send? Its number stands here, and does not grow with the rows."""

import pytest

from app.api import Mutation, Query, accesses
from app.db.database import Database
from app.domain.api_keys import Role
from app.schema.node import global_id
from tests.support import factories
from tests.support.clients import Api, make_key
from tests.support.statements import counted
from tests.support.world import LISTS, World, ask

MOST = {
    # Of every signed-in operation three: the viewer, the counter of API calls, the raw event.
    "viewer": 3,
    "validateToken": 1,
    "node": 4,
    "nodes": 4,
    "package": 4,
    "packages": 5,
    "categories": 4,
    "plans": 3,
    "invoice": 4,
    "licenceKeys": 3,
    "webhookEvents": 5,
    "jobs": 5,
    "register": 10,
    "login": 12,
    "refreshSession": 6,
    "requestPasswordReset": 3,
    "resetPassword": 2,
    "verifyEmail": 2,
    "changePassword": 15,
    "updateProfile": 8,
    "createApiKey": 8,
    "rotateApiKey": 12,
    "revokeApiKey": 8,
    "becomeAuthor": 7,
    "createUpload": 8,
    "publishPackage": 18,
    "publishVersion": 7,
    "updatePackage": 13,
    "createDownload": 11,
    "purchasePackage": 22,
    "reviewPackage": 12,
    "previewTierChange": 3,
    "changeTier": 3,
    "cancelSubscription": 3,
    "resumeSubscription": 3,
    "refundPayment": 3,
    "startAddPaymentMethod": 3,
    "setDefaultPaymentMethod": 3,
    "removePaymentMethod": 3,
    "createServiceInvoice": 3,
    "voidInvoice": 3,
    "recordUsage": 6,
    "replayWebhookEvent": 7,
    "replayJob": 7,
    "payableAuthors": 5,
    "payouts": 5,
    "connectPayouts": 3,
    "requestPayout": 3,
    "createPayout": 13,
    "markPayoutPaid": 10,
    "cancelPayout": 13,
    "yankVersion": 19,
    "logout": 3,
    "deleteAccount": 21,
}
"""In an order in which each finds what it needs: the last of them end things."""
ACCESS = {**accesses(Query), **accesses(Mutation)}
REFUSED = [
    "createServiceInvoice",
    "voidInvoice",
    "publishVersion",
    "previewTierChange",
    "changeTier",
    "cancelSubscription",
    "resumeSubscription",
    "connectPayouts",
    "requestPayout",
    "refundPayment",
    "startAddPaymentMethod",
    "setDefaultPaymentMethod",
    "removePaymentMethod",
]
"""Asked without an upload or without a payment provider; what they send otherwise is counted where there are."""


def test_every_root_field_has_its_number() -> None:
    assert sorted(MOST) == sorted([*accesses(Query), *accesses(Mutation)])


def sender(world: World, field: str) -> Api:
    if field == "deleteAccount" or not ACCESS[field].roles >= {Role.AUTHOR}:
        return world.admin.api
    return world.stranger.api if field in ("purchasePackage", "reviewPackage", "logout") else world.owner.api


async def test_no_root_field_sends_more(world: World) -> None:
    world.reviewed_id = world.free_package_id
    counts: dict[str, int] = {}
    for field in MOST:
        with counted(world.api.deps.database) as seen:
            answer = await ask(sender(world, field), world, field)
        assert answer.errors == [], field
        value = answer.data[field]
        if field not in REFUSED and isinstance(value, dict) and field not in ("resetPassword", "verifyEmail"):
            assert not value.get("errors"), (field, value)
        counts[field] = len(seen)
    assert {field: counts[field] for field in counts if counts[field] > MOST[field]} == {}


@pytest.mark.parametrize("field", sorted(LISTS))
async def test_lists_send_as_much_for_many_rows_as_for_two(
    world: World, database: Database, field: str
) -> None:
    async def sent() -> int:
        ids = {"ids": [global_id("Package", package.id) for package in packages]} if field == "nodes" else {}
        with counted(world.api.deps.database) as seen:
            answer = await world.owner.api(LISTS[field], **ids)
        assert answer.errors == []
        return len(seen)

    user = await factories.user_named(database, "olive")
    packages = []

    async def grow(rows: int) -> None:
        for _ in range(rows):
            package = await factories.make_package(database, categories=["ui"], tags=["one"], ratings=[5])
            version = await factories.make_version(database, package=package)
            await factories.make_purchase(database, user=user, package=package, version=version)
            await factories.make_payment(database, user=user, refunded=[1, 2])
            await make_key(world.owner, "READ")
            packages.append(package)

    await grow(2)
    before = await sent()
    await grow(10)
    assert await sent() == before
