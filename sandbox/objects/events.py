"""Events and the endpoints that receive them."""

from fnmatch import fnmatchcase

from stripe import params as sdk

from sandbox.errors import missing, refused
from sandbox.objects.fields import base, update
from sandbox.paging import page
from sandbox.periods import days
from sandbox.rendering import API_VERSION
from sandbox.routes import delete, get, listing, not_covered, one, post
from sandbox.webhooks import is_web_address
from sandbox.world import Obj, World

KEPT_DAYS = 30


def listed(world: World, params: Obj) -> Obj:
    """As far back as Stripe's list goes: 30 days."""
    oldest = world.now() - days(KEPT_DAYS)
    if "type" in params and "types" in params:
        raise refused("You may only specify one of type and types.", param="types")
    rows = [row for row in world.all("event") if row["created"] >= oldest]
    patterns = params.get("types") or ([params["type"]] if "type" in params else ["*"])
    rows = [row for row in rows if any(fnmatchcase(row["type"], pattern) for pattern in patterns)]
    if "delivery_success" in params:
        rows = [row for row in rows if (row["pending_webhooks"] == 0) == params["delivery_success"]]
    return page(rows, params, "/v1/events")


def retrieve(world: World, params: Obj, key: str) -> Obj:
    event = world.get("event", key)
    if event["created"] < world.now() - days(KEPT_DAYS):
        raise missing("event", key, None)
    return event


def create_endpoint(world: World, params: Obj) -> Obj:
    """The secret is told once, in this answer."""
    if params.get("api_version", API_VERSION) != API_VERSION:
        not_covered("api_version")
    check_url(params)
    endpoint = new_endpoint(world, params["url"], world.new_id("whsec_", 32), params["enabled_events"])
    update(world, endpoint, params, "description")
    return {**endpoint, "secret": endpoint["_secret"]}


def new_endpoint(world: World, url: str, secret: str, types: list[str]) -> Obj:
    endpoint = base(world, "webhook_endpoint", "we_", {})
    endpoint |= {
        "api_version": API_VERSION, "application": None, "description": None, "enabled_events": types,
        "status": "enabled", "url": url, "_secret": secret,
    }  # fmt: skip
    return world.insert(endpoint)


def check_url(params: Obj) -> None:
    if "url" in params and not is_web_address(params["url"]):
        raise refused("Invalid URL: An explicit scheme (such as https) must be provided.", param="url")


def change_endpoint(world: World, params: Obj, key: str) -> Obj:
    check_url(params)
    endpoint = update(world, world.get("webhook_endpoint", key), params, "description enabled_events url")
    if "disabled" in params:
        world.change(endpoint, status="disabled" if params["disabled"] else "enabled")
    return endpoint


def delete_endpoint(world: World, params: Obj, key: str) -> Obj:
    world.remove(world.get("webhook_endpoint", key))
    return {"id": key, "object": "webhook_endpoint", "deleted": True}


def list_endpoints(world: World, params: Obj) -> Obj:
    return page(world.all("webhook_endpoint"), params, "/v1/webhook_endpoints")


ROUTES = (
    get("/v1/events/{id}", retrieve, sdk.EventRetrieveParams),
    listing("/v1/events", listed, sdk.EventListParams, "type types delivery_success"),
    post(
        "/v1/webhook_endpoints",
        create_endpoint,
        sdk.WebhookEndpointCreateParams,
        "description enabled_events metadata url api_version",
    ),
    one("/v1/webhook_endpoints/{id}", "webhook_endpoint", sdk.WebhookEndpointRetrieveParams),
    post(
        "/v1/webhook_endpoints/{id}",
        change_endpoint,
        sdk.WebhookEndpointUpdateParams,
        "description disabled enabled_events metadata url",
    ),
    delete("/v1/webhook_endpoints/{id}", delete_endpoint, sdk.WebhookEndpointDeleteParams),
    listing("/v1/webhook_endpoints", list_endpoints, sdk.WebhookEndpointListParams),
)
