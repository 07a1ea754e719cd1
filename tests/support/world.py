"""A small world, and one operation for every root field in it: for tests that hold each field to something."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from app.db.database import Database
from app.db.ids import new_id
from app.db.repositories import authors
from app.domain.api_keys import Role, Scope
from app.schema.node import global_id
from tests.support import factories
from tests.support.background import make_event, make_job
from tests.support.clients import PASSWORD, Account, Answer, Api, make_key, sign_up, sign_up_as
from tests.support.ledger import open_by_hand

Variables = Callable[["World"], dict[str, Any]]


@dataclass
class World:
    """An author with a package, a version, a key, money and open payouts; a stranger; an admin; and keys of the
    author, one a scope."""

    api: Api
    owner: Account
    stranger: Account
    admin: Account
    keys: dict[Scope, str]
    key_id: str
    package_id: str
    free_package_id: str
    version_id: str
    event_id: str
    job_id: str
    invoice_id: str
    author_id: str
    payout_ids: list[str]
    payment_id: str
    """Of the owner's, paid; the server of this world has no provider."""
    reviewed_id: str = ""


@dataclass(frozen=True)
class Case:
    """``stranger``: what another account hears: None for success, a code, or ``null`` for nothing to see."""

    document: str
    variables: Variables = lambda world: {}
    stranger: str | None = None


MUTATION = "mutation($input: {name}Input!) {{ {field}(input: $input) {{ errors {{ code path }} }} }}"


def change(field: str, variables: Variables, *, stranger: str | None = None) -> tuple[str, Case]:
    document = MUTATION.format(name=field[0].upper() + field[1:], field=field)
    return field, Case(document, lambda world: {"input": variables(world)}, stranger)


QUERIES: dict[str, Case] = {
    "viewer": Case("{ viewer { id } }"),
    "validateToken": Case('{ validateToken(token: "x") { valid } }'),
    "node": Case(
        "query($id: ID!) { node(id: $id) { id } }", lambda world: {"id": world.owner.id}, stranger="null"
    ),
    "nodes": Case(
        "query($id: ID!) { nodes(ids: [$id]) { id } }", lambda world: {"id": world.key_id}, stranger="null"
    ),
    "package": Case('{ package(slug: "owned") { slug } }'),
    "packages": Case("{ packages { totalCount } }"),
    "categories": Case("{ categories { slug } }"),
    "plans": Case("{ plans { tier } }"),
    "webhookEvents": Case("{ webhookEvents(status: DEAD) { totalCount edges { node { id status } } } }"),
    "jobs": Case("{ jobs { totalCount edges { node { id topic state } } } }"),
    "invoice": Case(
        "query($id: ID!) { invoice(id: $id) { id } }",
        lambda world: {"id": world.invoice_id},
        stranger="null",
    ),
    "payableAuthors": Case('{ payableAuthors(currency: "USD") { totalCount edges { node { username } } } }'),
    "payouts": Case("{ payouts(status: PENDING) { totalCount edges { node { status } } } }"),
    "licenceKeys": Case("{ licenceKeys { algorithm } }"),
}
NEW_VERSION = {"version": "9.0.0", "files": [{"uploadId": global_id("Upload", new_id()), "path": "a.zip"}]}
UNPAYABLE = "PAYMENTS_NOT_CONFIGURED"
"""Of a server that takes no payments; with a payment provider, the tests of payments ask the same."""
MUTATIONS: dict[str, Case] = dict(
    [
        change("register", lambda world: {"email": "x@x.test", "username": "newcomer", "password": PASSWORD}),
        change("login", lambda world: {"email": world.owner.email, "password": PASSWORD}),
        change("refreshSession", lambda world: {"refreshToken": world.stranger.refresh_token}),
        change("requestPasswordReset", lambda world: {"email": world.owner.email}),
        change(
            "resetPassword", lambda world: {"token": "x", "newPassword": PASSWORD}, stranger="INVALID_TOKEN"
        ),
        change("verifyEmail", lambda world: {"token": "x"}, stranger="INVALID_TOKEN"),
        change("logout", lambda world: {}),
        change("changePassword", lambda world: {"currentPassword": PASSWORD, "newPassword": PASSWORD + "!"}),
        change("updateProfile", lambda world: {"displayName": "somebody"}),
        change("deleteAccount", lambda world: {"password": PASSWORD}),
        change("createApiKey", lambda world: {"name": "k", "scopes": ["WRITE"]}),
        change("rotateApiKey", lambda world: {"id": world.key_id}, stranger="NOT_FOUND"),
        change("revokeApiKey", lambda world: {"id": world.key_id}, stranger="NOT_FOUND"),
        ("becomeAuthor", Case("mutation { becomeAuthor { errors { code path } } }")),
        change("createUpload", lambda world: {"filename": "a.zip", "sizeBytes": 3}),
        change(
            "publishPackage",
            lambda world: {
                "slug": "fresh",
                "name": "Fresh",
                "description": "New.",
                "license": "MIT",
                "categories": ["misc"],
            },
        ),
        change(
            "publishVersion",
            lambda world: {"packageId": world.package_id, **NEW_VERSION},
            stranger="FORBIDDEN",
        ),
        change(
            "updatePackage",
            lambda world: {"packageId": world.package_id, "name": "Taken"},
            stranger="FORBIDDEN",
        ),
        change(
            "yankVersion",
            lambda world: {"versionId": world.version_id, "reason": "because"},
            stranger="FORBIDDEN",
        ),
        change(
            "purchasePackage", lambda world: {"packageId": world.free_package_id, "idempotencyKey": "k-1"}
        ),
        change("previewTierChange", lambda world: {"tier": "PRO"}, stranger=UNPAYABLE),
        change(
            "changeTier",
            lambda world: {
                "tier": "PRO",
                "quoteId": global_id("TierQuote", new_id()),
                "idempotencyKey": "k-2",
            },
            stranger=UNPAYABLE,
        ),
        change("cancelSubscription", lambda world: {"idempotencyKey": "k-3"}, stranger=UNPAYABLE),
        change(
            "createServiceInvoice",
            lambda world: {
                "userId": world.owner.id,
                "lines": [{"description": "Training", "unitAmountCents": 100}],
                "currency": "USD",
                "idempotencyKey": "k-5",
            },
        ),
        change("voidInvoice", lambda world: {"id": world.invoice_id}),
        change("resumeSubscription", lambda world: {"idempotencyKey": "k-4"}, stranger=UNPAYABLE),
        change("startAddPaymentMethod", lambda world: {"idempotencyKey": "k-5"}, stranger=UNPAYABLE),
        change(
            "setDefaultPaymentMethod",
            lambda world: {"paymentMethodId": global_id("PaymentMethod", new_id())},
            stranger=UNPAYABLE,
        ),
        change(
            "removePaymentMethod",
            lambda world: {"paymentMethodId": global_id("PaymentMethod", new_id())},
            stranger=UNPAYABLE,
        ),
        change("createDownload", lambda world: {"packageId": world.package_id}, stranger="NOT_OWNED"),
        change(
            "reviewPackage",
            lambda world: {"packageId": world.reviewed_id or world.package_id, "rating": 1, "body": "bad"},
            stranger="NOT_OWNED",
        ),
        change("replayWebhookEvent", lambda world: {"id": world.event_id}),
        change("replayJob", lambda world: {"id": world.job_id}),
        change(
            "connectPayouts",
            lambda world: {"returnUrl": "https://shop.test/back"},
            stranger="PAYMENTS_NOT_CONFIGURED",
        ),
        change(
            "requestPayout",
            lambda world: {"currency": "USD", "idempotencyKey": "k-1"},
            stranger="PAYMENTS_NOT_CONFIGURED",
        ),
        change(
            "createPayout",
            lambda world: {
                "authorId": world.author_id,
                "method": "MANUAL",
                "currency": "USD",
                "idempotencyKey": "k-1",
            },
        ),
        change(
            "markPayoutPaid",
            lambda world: {"payoutId": world.payout_ids[0], "reference": "x", "idempotencyKey": "k-1"},
        ),
        change(
            "cancelPayout",
            lambda world: {"payoutId": world.payout_ids[1], "reason": "x", "idempotencyKey": "k-1"},
        ),
        change(
            "refundPayment",
            lambda world: {"paymentId": world.payment_id, "reason": "asked for", "idempotencyKey": "k-1"},
        ),
        change(
            "recordUsage",
            lambda world: {
                "events": [
                    {
                        "eventId": "e-1",
                        "userId": world.owner.id,
                        "resource": "API_CALL",
                        "amount": 1,
                        "occurredAt": "2026-11-22T12:00:00Z",
                    }
                ]
            },
        ),
    ]
)
CASES = {**QUERIES, **MUTATIONS}
LISTS = {
    "packages": """{ packages(first: 100) { totalCount facets { categories { value count } } edges { node {
        id slug summary categories tags rating author { username } price { formatted } viewerOwns
        latestVersion { version files { path sha256 } } versions(first: 3) { edges { node { version } } }
        viewerReview { rating } reviews(first: 2) { edges { node { rating } } } } } } }""",
    "viewer": """{ viewer { apiKeys(first: 100) { totalCount edges { node { name scopes } } }
        purchases(first: 100) { totalCount edges { node { status package { slug author { username } }
            version { version files { path } } licence { document } } } } } }""",
    "books": """{ viewer { payments(first: 100) { totalCount edges { node { status attempt failureCode clientSecret
        refunds { status amount { formatted } } disputes { status } purchase { status package { slug } }
        invoiceId } } } refunds(first: 100) { totalCount edges { node { status reason } } } } }""",
    "nodes": """query($ids: [ID!]!) { nodes(ids: $ids) { id ... on Package { slug author { username } tags
        latestVersion { version } } } }""",
}
"""Documents that ask of many rows all that hangs on them."""


@pytest.fixture
async def world(api: Api, database: Database) -> World:
    owner, stranger = await sign_up(api, name="olive"), await sign_up(api, name="stran")
    admin = await sign_up_as(api, Role.ADMIN, name="boss")
    for account in (owner, stranger, admin):
        (await account.api("mutation { becomeAuthor { errors { code } } }")).payload()
    async with database.read() as connection:
        author = await authors.by_username_key(connection, "olive")
    package = await factories.make_package(database, author=author, slug="owned")
    await factories.make_version(database, package=package, version="0.9.0")
    version = await factories.make_version(database, package=package)
    free = await factories.make_package(database, slug="free-one")
    payment = await factories.make_payment(database, user=await factories.user_named(database, "olive"))
    await factories.make_version(database, package=free)
    opened = [await open_by_hand(database, author) for _ in range(2)]
    await make_key(owner, "WRITE")
    user = await factories.user_named(database, "olive")
    keys = (await owner.api("{ viewer { apiKeys { edges { node { id } } } } }")).payload()
    return World(
        api=api,
        owner=owner,
        stranger=stranger,
        admin=admin,
        keys={scope: await make_key(admin, scope.name) for scope in Scope},
        key_id=keys["apiKeys"]["edges"][0]["node"]["id"],
        package_id=global_id("Package", package.id),
        free_package_id=global_id("Package", free.id),
        version_id=global_id("PackageVersion", version.id),
        invoice_id=global_id("Invoice", (await factories.make_invoice(database, user=user)).id),
        event_id=global_id("WebhookEvent", (await make_event(database)).id),
        job_id=global_id("Job", (await make_job(database)).id),
        author_id=global_id("Author", author.id),
        payout_ids=[global_id("Payout", payout_id) for payout_id in opened],
        payment_id=global_id("Payment", payment.id),
    )


async def ask(api: Api, world: World, field: str) -> Answer:
    case = CASES[field]
    return await api(case.document, **case.variables(world))
