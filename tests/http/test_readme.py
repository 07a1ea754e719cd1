"""The README's tour: every block of GraphQL, in its order, does what the text says."""

import re
from pathlib import Path
from typing import Any

import pytest

from app.domain.settlement import Kind, Target
from app.services import imports
from app.settlement.syncing import sync
from tests.support.clients import Api
from tests.support.payments import Shop

README = Path(__file__).parents[2] / "README.md"
BLOCKS = {
    name: text
    for text, name in re.findall(
        r"```graphql\n((?:query|mutation) (\w+).*?)```", README.read_text(), re.DOTALL
    )
}


@pytest.fixture
async def with_sample(api: Api) -> Api:
    await imports.load_sample(database=api.deps.database, store=api.deps.store, now=api.clock())
    return api


async def test_the_tour(with_sample: Api) -> None:
    api = with_sample

    async def run(name: str, **given: str) -> Any:
        text = BLOCKS[name]
        for placeholder, value in given.items():
            text = text.replace(placeholder, value)
        payload = (await api(text)).payload()
        assert payload.get("errors", []) == []
        return payload

    found = await run("Search")
    assert found["edges"][0]["node"]["slug"] == "terraform-landing-zone"
    registered = await run("Register")
    api = api.as_(registered["accessToken"])
    package = await run("Find")
    assert package["price"] == {"formatted": "$0.00"}
    taken = (await run("Take", PACKAGE_ID=package["id"]))["purchase"]
    assert (taken["status"], taken["receiptNumber"]) == ("COMPLETED", "RG-2026-000001")
    assert (await run("Take", PACKAGE_ID=package["id"]))["purchase"] == taken
    download = (await run("Download", PACKAGE_ID=package["id"]))["download"]
    served = await api.http.get(download["url"].removeprefix(api.deps.base_url))
    assert served.headers["x-checksum-sha256"] == download["sha256"]
    assert len(served.content) == download["sizeBytes"]
    made = await run("MakeKey")
    owner, api = api, api.as_(made["key"])
    used = {meter["resource"]: meter["used"] for meter in (await run("Usage"))["usage"]["meters"]}
    assert used == {"API_CALL": 6, "TEMPLATE_INSTALL": 1, "CONCURRENT_INSTALLATION": 0, "STORAGE_BYTES": 0}
    key, api = api, owner
    assert (await run("Revoke", KEY_ID=made["apiKey"]["id"]))["apiKey"][
        "revokedAt"
    ] == "2026-11-22T12:00:00.000Z"
    assert (await key(BLOCKS["Usage"])).code == "UNAUTHENTICATED"
    assert len(BLOCKS) == 11  # with those below


async def test_the_tour_of_a_paid_package(shop: Shop) -> None:
    deps = shop.api.deps
    await imports.load_sample(database=deps.database, store=deps.store, now=deps.clock())
    api = shop.api.as_((await shop.api(BLOCKS["Register"])).payload()["accessToken"])
    found = (await api('{ package(slug: "terraform-landing-zone") { id price { amountCents } } }')).payload()
    assert found["price"]["amountCents"] > 0
    buy = BLOCKS["Buy"].replace("PACKAGE_ID", found["id"])
    begun = (await api(buy)).payload()
    assert (begun["errors"], begun["purchase"]["status"]) == ([], "PENDING")
    intent_id, _, _ = begun["payment"]["clientSecret"].partition("_secret_")
    shop.act(intent_id, "decline")
    shop.act(intent_id, "pay")
    await sync(deps.tools, Target(Kind.PAYMENT, intent_id))
    paid = (await api(buy)).payload()
    assert paid["purchase"] == {
        "id": begun["purchase"]["id"],
        "status": "COMPLETED",
        "receiptNumber": "RG-2026-000001",
        "licence": {"status": "ACTIVE"},
    }
    assert (paid["payment"]["status"], paid["payment"]["attempt"]) == ("SUCCEEDED", 2)


async def test_the_tour_of_a_plan(shop: Shop) -> None:
    api = shop.api.as_((await shop.api(BLOCKS["Register"])).payload()["accessToken"])
    quoted = (await api(BLOCKS["Quote"])).payload()
    assert quoted["errors"] == []
    assert (quoted["quote"]["dueNow"], quoted["quote"]["dueNext"]) == (
        {"formatted": "$0.00"},
        {"formatted": "$29.00"},
    )
    assert quoted["quote"]["trialEnd"] == quoted["quote"]["nextBillingAt"] == "2026-12-06T12:00:00.000Z"
    begun = (await api(BLOCKS["Subscribe"].replace("QUOTE_ID", quoted["quote"]["id"]))).payload()
    assert (begun["errors"], begun["clientSecret"]) == ([], None)
    assert begun["subscription"] == {
        "tier": "PRO",
        "status": "TRIALING",
        "trialEnd": "2026-12-06T12:00:00.000Z",
        "price": {"formatted": "$29.00"},
    }
    intent_id, _, _ = begun["setupClientSecret"].partition("_secret_")
    assert shop.act(intent_id, "pay")["error"] is None
