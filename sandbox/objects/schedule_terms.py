"""What holds for a whole subscription in a phase: discounts and tax rates, which end where it names none."""

from sandbox.objects.coupons import discounts_of
from sandbox.objects.subscriptions import tax_rates
from sandbox.world import Obj, World

COVERED = "phases.discounts.discount phases.default_tax_rates"


def present_terms(subscription: Obj) -> Obj:
    return {
        "discounts": [{"discount": key} for key in subscription["discounts"]],
        "default_tax_rates": [rate["id"] for rate in subscription["default_tax_rates"]],
    }


def terms_of(world: World, subscription: Obj, entry: Obj) -> Obj:
    keys = discounts_of(world, entry.get("discounts"), world.get("customer", subscription["customer"]))
    return {
        "discounts": [{"coupon": None, "discount": key, "promotion_code": None} for key in keys],
        "default_tax_rates": tax_rates(world, entry),
    }


def put_terms(world: World, subscription: Obj, phase: Obj) -> None:
    world.change(
        subscription,
        discounts=[entry["discount"] for entry in phase["discounts"]],
        default_tax_rates=[dict(rate) for rate in phase["default_tax_rates"]],
    )
