"""Tax rates: a percentage that invoices add."""

from stripe import params as sdk

from sandbox.objects.fields import base, taken, update
from sandbox.paging import matching, page
from sandbox.routes import listing, one, post
from sandbox.world import Obj, World

NAMES = "active country description display_name inclusive jurisdiction percentage state tax_type"


def create(world: World, params: Obj) -> Obj:
    rate = base(world, "tax_rate", "txr_", params)
    rate |= {"active": True, "rate_type": "percentage", **taken(params, NAMES)}
    rate["percentage"] = float(rate["percentage"])
    rate["effective_percentage"] = rate["percentage"]
    world.insert(rate)
    world.emit("tax_rate.created", rate)
    return rate


def change(world: World, params: Obj, key: str) -> Obj:
    rate = update(world, world.get("tax_rate", key), params, "active description display_name")
    world.emit("tax_rate.updated", rate)
    return rate


def listed(world: World, params: Obj) -> Obj:
    return page(matching(world.all("tax_rate"), params, "active", "inclusive"), params, "/v1/tax_rates")


ROUTES = (
    post("/v1/tax_rates", create, sdk.TaxRateCreateParams, f"{NAMES} metadata"),
    one("/v1/tax_rates/{id}", "tax_rate", sdk.TaxRateRetrieveParams),
    post("/v1/tax_rates/{id}", change, sdk.TaxRateUpdateParams, "active description display_name metadata"),
    listing("/v1/tax_rates", listed, sdk.TaxRateListParams, "active inclusive"),
)
