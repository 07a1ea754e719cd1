"""Connected accounts: who is paid by transfers, once they were onboarded on the page they are sent to."""

from urllib.parse import urlencode

import stripe
from stripe import params as sdk

from sandbox.errors import refused
from sandbox.objects.fields import base, taken, update
from sandbox.paging import page
from sandbox.routes import delete, listing, one, post
from sandbox.world import Obj, World

ASKED = ["external_account", "tos_acceptance.date", "tos_acceptance.ip"]


def create(world: World, params: Obj) -> Obj:
    account = base(world, "account", "acct_", params)
    account["id"] = account["id"][:21]
    wanted = params.get("capabilities", {}).get("transfers", {}).get("requested", False)
    account |= {
        "business_type": None, "capabilities": {"transfers": "inactive"} if wanted else {},
        "charges_enabled": False, "country": "US", "default_currency": "usd", "details_submitted": False,
        "email": None, "payouts_enabled": False, "type": "express", "settings": settings(),
        "requirements": {
            "currently_due": [*ASKED], "disabled_reason": "requirements.past_due", "past_due": [*ASKED],
        },
        **taken(params, "business_type country email type"),
    }  # fmt: skip
    del account["livemode"]
    world.insert(account)
    world.emit("account.updated", account)
    return account


def settings() -> Obj:
    """As nobody chose anything."""
    parts = stripe.Account.Settings
    shown = {
        "branding": parts.Branding, "card_payments": parts.CardPayments, "dashboard": parts.Dashboard,
        "payments": parts.Payments,
    }  # fmt: skip
    return {name: dict.fromkeys(part.__annotations__) for name, part in shown.items()}


def onboard(world: World, account: Obj) -> None:
    """Its owner told everything that was asked: what was requested becomes active."""
    told: Obj = {"currently_due": [], "disabled_reason": None, "past_due": []}
    world.change(
        account,
        capabilities=dict.fromkeys(account["capabilities"], "active"),
        payouts_enabled=True,
        details_submitted=True,
        requirements=told,
    )
    world.emit("account.updated", account)


def restrict(world: World, account: Obj) -> None:
    """Stripe wants to know more, and pays nothing until then."""
    world.change(
        account,
        capabilities=dict.fromkeys(account["capabilities"], "inactive"),
        payouts_enabled=False,
        requirements={
            "currently_due": ["individual.verification.document"],
            "disabled_reason": "requirements.past_due",
            "past_due": ["individual.verification.document"],
        },
    )
    world.emit("account.updated", account)


def change(world: World, params: Obj, key: str) -> Obj:
    account = update(world, world.get("account", key), params, "business_type email")
    world.emit("account.updated", account)
    return account


def remove(world: World, params: Obj, key: str) -> Obj:
    world.remove(world.get("account", key))
    return {"id": key, "object": "account", "deleted": True}


def create_link(world: World, params: Obj) -> Obj:
    """To the page on which the owner is onboarded, which leads back to `return_url`."""
    account = world.get("account", params["account"], "account")
    for name in ("refresh_url", "return_url"):
        if params["type"] == "account_onboarding" and not params.get(name, "").startswith("http"):
            raise refused("Not a valid URL", code="url_invalid", param=name)
    now = world.now()
    back = urlencode({"return_url": params.get("return_url", "")})
    url = f"{world.address}/connect/{account['id']}?{back}"
    return {"object": "account_link", "created": now, "expires_at": now + 300, "url": url}


ROUTES = (
    post(
        "/v1/accounts",
        create,
        sdk.AccountCreateParams,
        "business_type capabilities.transfers country email metadata type",
    ),
    one("/v1/accounts/{id}", "account", sdk.AccountRetrieveParams),
    post("/v1/accounts/{id}", change, sdk.AccountUpdateParams, "business_type email metadata"),
    delete("/v1/accounts/{id}", remove, sdk.AccountDeleteParams),
    listing(
        "/v1/accounts",
        lambda world, params: page(world.all("account"), params, "/v1/accounts"),
        sdk.AccountListParams,
    ),
    post(
        "/v1/account_links", create_link, sdk.AccountLinkCreateParams, "account refresh_url return_url type"
    ),
)
