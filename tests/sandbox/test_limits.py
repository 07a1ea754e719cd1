"""What is too large, too deep or of another kind is refused by name, and never breaks anything."""

from typing import Any, get_args

import pytest
import stripe

from sandbox.objects.registry import ROUTES
from sandbox.params import fields
from tests.sandbox.test_subscriptions import Shop
from tests.support.stand_in import NEW_YEAR, StandIn

BIG = "999999999999999999"


@pytest.fixture
def shop(stand_in: StandIn) -> Shop:
    shop = Shop(stand_in)
    shop.save_card()
    return shop


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("items[0][quantity]", BIG), ("items[0][quantity]", "-1"), ("trial_period_days", "253402300799"),
        ("trial_period_days", "0"), ("trial_end", BIG), ("cancel_at", "253402300800"),
        ("days_until_due", "99999999999"), (f"items[{'9' * 5000}][price]", "x"),
        ("metadata" + "[a]" * 3000, "1"), ("metadata[" + "k" * 41 + "]", "v"), ("metadata[k]", "v" * 501),
    ],
)  # fmt: skip
def test_a_subscription_beyond_all_bounds_is_refused(shop: Shop, name: str, value: str) -> None:
    given = {"customer": shop.customer.id, "items[0][price]": shop.pro.id, name: value}
    answer = shop.stand_in.form("POST", "/v1/subscriptions", given)
    assert (answer.status_code, answer.json()["error"]["type"]) == (400, "invalid_request_error")
    assert "subscription" not in shop.stand_in.look("")["objects"]


@pytest.mark.parametrize(
    ("path", "given", "param"),
    [
        ("prices", {"unit_amount_decimal": "1e999999"}, "unit_amount_decimal"),
        ("prices", {"unit_amount": "100000000"}, "unit_amount"),
        ("prices", {"unit_amount": "100", "currency": "xyz"}, "currency"),
        ("coupons", {"amount_off": "-5"}, "amount_off"),
        ("coupons", {"percent_off": "5", "duration": "repeating", "duration_in_months": BIG}, "duration_in_months"),
        ("tax_rates", {"display_name": "V", "inclusive": "true", "percentage": "101"}, "percentage"),
        ("customers", {"email": "nobody"}, "email"),
        ("customers", {f"metadata[{number}]": "v" for number in range(51)}, "metadata"),
        ("webhook_endpoints", {"url": "shop.test", "enabled_events[0]": "*"}, "url"),
        ("webhook_endpoints", {"url": "http://[", "enabled_events[0]": "*"}, "url"),
        ("webhook_endpoints", {"url": "http://a.test", "enabled_events[0]": "*", "api_version": "2020-08-27"}, "api_version"),
        ("subscription_schedules", {}, "phases"),
        ("transfers", {"currency": "usd", "destination": "acct_none"}, "amount"),
        ("subscription_schedules", {"phases[0][items][0][quantity]": "1"}, "customer"),
    ],
)  # fmt: skip
def test_other_nonsense_is_refused_by_name(
    stand_in: StandIn, path: str, given: dict[str, str], param: str
) -> None:
    own = {"prices": {"currency": "usd", "product_data[name]": "P"}, "coupons": {"currency": "usd"}}
    answer = stand_in.form("POST", f"/v1/{path}", {**own.get(path, {}), **given})
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)
    assert stand_in.look("")["objects"] == {}


def test_a_preview_of_half_an_item_and_a_longer_key_are_refused(shop: Shop) -> None:
    preview = {"customer": shop.customer.id, "invoice_items[0][currency]": "usd"}
    answer = shop.stand_in.form("POST", "/v1/invoices/create_preview", preview)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "amount")
    for length, status in ((255, 200), (256, 400)):
        headers = {"Idempotency-Key": "k" * length}
        assert shop.stand_in.form("POST", "/v1/customers", {}, **headers).status_code == status


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("invoices/create_preview", "invoice_items[0][tax_rates][0]"),
        ("subscriptions", "add_invoice_items[0][discounts][0][coupon]"),
        ("payment_intents", "payment_method_options[card][request_three_d_secure]"),
        ("accounts", "capabilities[card_payments][requested]"),
        ("products", "default_price_data[currency_options][eur][unit_amount]"),
        ("checkout/sessions", "allow_promotion_codes"),
        ("customers", "tax_exempt"),
        ("payment_intents", "confirmation_method"),
    ],
)
def test_what_would_be_ignored_is_refused(stand_in: StandIn, path: str, name: str) -> None:
    word = {"request_three_d_secure]": "any", "allow_promotion_codes": "true", "requested]": "true"}
    value = next((text for end, text in word.items() if name.endswith(end)), "1")
    value = {"tax_exempt": "exempt", "confirmation_method": "manual"}.get(name, value)
    needed = {"payment_intents": {"amount": "500", "currency": "usd"}, "products": {"name": "P"}}
    given = {**needed.get(path, {}), name: value}
    if path == "products":
        given["default_price_data[currency]"] = "usd"
    answer = stand_in.form("POST", f"/v1/{path}", given)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "sandbox_not_covered")


def test_what_is_covered_exists() -> None:
    """Every parameter that is said to have an effect is one of the SDK's."""
    unknown = [
        f"{route.method} {route.path} {name}"
        for route in ROUTES
        for name in route.covers - {"expand"}
        if not exists(name.split("."), route.takes)
    ]
    assert unknown == []


def exists(names: list[str], shape: Any) -> bool:
    known = fields(shape) if hasattr(shape, "__required_keys__") else {}
    if names[0] not in known:
        return False
    inner = [known[names[0]]]
    while inner and not any(hasattr(each, "__required_keys__") for each in inner):
        inner = [part for each in inner for part in get_args(each)]
    shapes = [each for each in inner if hasattr(each, "__required_keys__")]
    return len(names) == 1 or any(exists(names[1:], each) for each in shapes)


def test_a_path_of_five_steps_is_one_too_many_to_expand(shop: Shop) -> None:
    shop.subscribe()
    four, five = ["data.latest_invoice.lines.data"], ["data.items.data.price.product"]
    assert shop.client.v1.subscriptions.list({"expand": four}).data
    with pytest.raises(stripe.InvalidRequestError, match="more than 4 levels"):
        shop.client.v1.subscriptions.list({"expand": five})


@pytest.mark.parametrize(
    ("control", "given"),
    [
        ("/clock", {"days": 10**9}), ("/clock", {"now": 2**62}), ("/clock", {"days": True}),
        ("/clock", {"frozen": 1}), ("/reset", {"now": "today"}), ("/reset", {"now": -5}),
        ("/faults", {"kind": "error", "times": "2"}), ("/faults", {"kind": "delay", "seconds": -1}),
        ("/faults", {"kind": "error", "status": 200}), ("/faults", {"kind": "rate_limit", "when": "after"}),
        ("/settings", {"retry_days": ["2"]}), ("/settings", {"finalize_after": -1}),
        ("/webhooks/release", {"seed": [1]}), ("/webhooks/duplicate", {"event": "evt", "times": "2"}),
        ("/webhooks/drain", {"timeout": "2"}), ("/webhooks/hold", {"held": True}),
        ("/disputes", {"charge": []}), ("/act/pi_none", {"card": 5}),
    ],
)  # fmt: skip
def test_controls_refuse_what_they_do_not_understand(stand_in: StandIn, control: str, given: Any) -> None:
    answer = stand_in.control.post(f"/_sandbox{control}", json=given)
    assert (answer.status_code, answer.json()["error"]["type"]) == (400, "invalid_request_error")
    assert stand_in.look("")["now"] == NEW_YEAR
    assert stand_in.look("/faults") == []


def test_the_pages_survive_what_no_browser_sends(stand_in: StandIn) -> None:
    intent = stand_in.client().v1.payment_intents.create({"amount": 500, "currency": "jpy"})
    page = f"/pay/{intent.id}"
    assert ">500 JPY<" in stand_in.control.get(page, params={"return_url": "http://["}).text
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    for body in (b"action=\xff", b"", b"action=fly"):
        assert stand_in.control.post(page, content=body, headers=form).status_code == 400


def test_what_cannot_happen_does_not_stop_the_clock(shop: Shop) -> None:
    """A renewal beyond the largest charge is given up, and said; everything behind it goes on."""
    huge = shop.subscribe(shop.price(99_999_999, "month", "Huge"))
    shop.client.v1.invoice_items.create({"customer": shop.customer.id, "amount": 500, "currency": "usd"})
    passed = shop.stand_in.ask("/clock", days=35)
    assert passed["refused"] == [
        f"finalize:{shop.get(huge).latest_invoice}: Amount must be no more than 999,999.99"
    ]
    assert shop.stand_in.ask("/clock", days=35)["refused"] == []
    assert [row.status for row in shop.invoices(huge)] == ["paid", "draft", "paid"]
