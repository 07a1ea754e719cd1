"""How do tests and people steer the stand-in? (JSON in, JSON out, under /_sandbox.)"""

from collections.abc import Callable, Coroutine
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.cards import known
from sandbox.clock import FARTHEST, advance
from sandbox.errors import ApiError, refused
from sandbox.faults import WISHES
from sandbox.http.actions import act
from sandbox.http.given import Types, read
from sandbox.ledger import ledger
from sandbox.objects import disputes
from sandbox.objects.coupons import discounts_of
from sandbox.objects.registry import ROUTES as API
from sandbox.objects.registry import TIMERS
from sandbox.rendering import API_VERSION, render
from sandbox.settings import TYPES

if TYPE_CHECKING:
    from sandbox.program import Sandbox

Answer = dict[str, Any]
Control = Callable[["Sandbox", Answer, dict[str, str]], Any]
Endpoint = Callable[[Request], Coroutine[Any, Any, Response]]


def controlled(control: Control, takes: Types) -> Endpoint:
    """A control as an HTTP endpoint: one transaction, its events sent, its errors in the API's envelope."""

    async def endpoint(request: Request) -> Response:
        sandbox: Sandbox = request.app.state.sandbox
        try:
            given = read(orjson.loads(await request.body() or b"{}"), takes)
            with sandbox.world.transaction():
                found = control(sandbox, given, request.path_params)
            sandbox.deliveries.take()
            if isinstance(found, Coroutine):
                found = await found
        except ApiError as error:
            sandbox.deliveries.take()
            return Response(orjson.dumps({"error": error.error}), error.status, media_type="application/json")
        except orjson.JSONDecodeError:
            return Response(b'{"error":{"message":"not JSON"}}', 400, media_type="application/json")
        return Response(orjson.dumps(found), media_type="application/json")

    return endpoint


def overview(sandbox: "Sandbox", given: Answer, path: dict[str, str]) -> Answer:
    world = sandbox.world
    shown = {kind: len(rows) for kind, rows in sorted(world.tables.items()) if rows and kind[0] != "_"}
    return {
        "api_version": API_VERSION, "now": world.now(), "frozen": world.clock.frozen_at is not None,
        "objects": shown, "settings": world.settings.as_dict(), "holding": sandbox.deliveries.holding,
        "next_due": min((timer[0] for timer in world.timers.values()), default=None),
    }  # fmt: skip


def coverage(sandbox: "Sandbox", given: Answer, path: dict[str, str]) -> list[Answer]:
    return [{"method": row.method, "path": row.path, "covers": sorted(row.covers)} for row in API]


def set_clock(sandbox: "Sandbox", given: Answer, path: dict[str, str]) -> Answer:
    """`advance` in seconds and/or `days`, or `now` as a moment; `frozen` stops and starts it."""
    world = sandbox.world
    before = world.now()
    to = given.get("now", before) + given.get("advance", 0) + 86400 * given.get("days", 0)
    if to < before:
        raise refused("Time does not run backwards.")
    if to > FARTHEST:
        raise refused("The clock does not go beyond the year 8999.")
    if "frozen" in given:
        world.clock.freeze(given["frozen"])
    passed = advance(world, to, TIMERS)
    return {**asdict(passed), "now": world.now(), "frozen": world.clock.frozen_at is not None}


def reset(sandbox: "Sandbox", given: Answer, path: dict[str, str]) -> Answer:
    """Forget everything but the webhook endpoints; `now` freezes the clock there."""
    moment = given.get("now")
    if moment is not None and not 0 <= moment <= FARTHEST:
        raise refused("The clock stands between the years 1970 and 8999.", param="now")
    sandbox.reset(moment)
    return overview(sandbox, given, path)


def settings(sandbox: "Sandbox", given: Answer, path: dict[str, str]) -> Answer:
    sandbox.world.settings.update(given)
    return sandbox.world.settings.as_dict()


def add_fault(sandbox: "Sandbox", given: Answer, path: dict[str, str]) -> Answer:
    return vars(sandbox.faults.add(given))


def list_faults(sandbox: "Sandbox", given: Answer, path: dict[str, str]) -> list[Answer]:
    return [vars(row) for row in sandbox.faults.rows]


def clear_faults(sandbox: "Sandbox", given: Answer, path: dict[str, str]) -> list[Answer]:
    sandbox.faults.rows.clear()
    return []


def list_requests(sandbox: "Sandbox", given: Answer, path: dict[str, str]) -> list[Answer]:
    return list(sandbox.requests)


def clear_requests(sandbox: "Sandbox", given: Answer, path: dict[str, str]) -> list[Answer]:
    sandbox.requests.clear()
    return []


def show_ledger(sandbox: "Sandbox", given: Answer, path: dict[str, str]) -> Answer:
    return ledger(sandbox.world)


def act_on(sandbox: "Sandbox", given: Answer, path: dict[str, str]) -> Answer:
    world = sandbox.world
    error = act(world, path["id"], given.get("action", "pay"), given.get("card", "pm_card_visa"))
    obj = next(rows[path["id"]] for rows in world.tables.values() if path["id"] in rows)
    return {"object": render(obj), "error": error.error if error else None}


def change_card(sandbox: "Sandbox", given: Answer, path: dict[str, str]) -> Answer:
    """A saved payment method behaves differently from now on: it declines, or works again."""
    card = known(given.get("card", ""))
    if card is None:
        raise refused("card is the name of a test card, such as pm_card_chargeCustomerFail.", param="card")
    method = sandbox.world.get("payment_method", path["id"])
    sandbox.world.change(method, _card=card.as_dict())
    return method


def give_discount(sandbox: "Sandbox", given: Answer, path: dict[str, str]) -> Any:
    """A customer's own discount, which the dashboard gives and this version of the API does not."""
    world = sandbox.world
    customer = world.get("customer", path["id"])
    [key] = discounts_of(world, [{"coupon": given.get("coupon", "")}], customer)
    world.change(customer, discount=world.get("discount", key))
    world.emit("customer.discount.created", customer["discount"])
    return render(customer)


def open_dispute(sandbox: "Sandbox", given: Answer, path: dict[str, str]) -> Any:
    world = sandbox.world
    key = given.get("charge")
    if "payment_intent" in given:
        key = world.get("payment_intent", given["payment_intent"], "payment_intent")["latest_charge"]
    charge = world.get("charge", key or "", "charge")
    reason = given.get("reason", "fraudulent")
    return render(disputes.open_dispute(world, charge, reason=reason, amount=given.get("amount")))


def conclude_dispute(sandbox: "Sandbox", given: Answer, path: dict[str, str]) -> Any:
    if given.get("outcome") not in ("won", "lost"):
        raise refused("outcome is won or lost", param="outcome")
    dispute = sandbox.world.get("dispute", path["id"])
    return render(disputes.conclude(sandbox.world, dispute, won=given["outcome"] == "won"))


DISPUTE = {"payment_intent": str, "charge": str, "reason": str, "amount": int}
ROUTES = [
    Route(f"/_sandbox{path}", controlled(control, takes), methods=[method])
    for method, path, control, takes in (
        ("GET", "", overview, {}),
        ("GET", "/coverage", coverage, {}),
        ("POST", "/clock", set_clock, {"advance": int, "days": int, "now": int, "frozen": bool}),
        ("POST", "/settings", settings, TYPES),
        ("POST", "/reset", reset, {"now": int}),
        ("POST", "/faults", add_fault, WISHES),
        ("GET", "/faults", list_faults, {}),
        ("DELETE", "/faults", clear_faults, {}),
        ("GET", "/requests", list_requests, {}),
        ("DELETE", "/requests", clear_requests, {}),
        ("GET", "/ledger", show_ledger, {}),
        ("POST", "/act/{id}", act_on, {"action": str, "card": str}),
        ("POST", "/payment_methods/{id}", change_card, {"card": str}),
        ("POST", "/customers/{id}/discount", give_discount, {"coupon": str}),
        ("POST", "/disputes", open_dispute, DISPUTE),
        ("POST", "/disputes/{id}", conclude_dispute, {"outcome": str}),
    )
]
