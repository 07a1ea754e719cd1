"""What does a person see who is sent here to pay?"""

from html import escape
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from sandbox.currencies import spelled
from sandbox.errors import ApiError
from sandbox.http.actions import act
from sandbox.objects.accounts import onboard
from sandbox.objects.subscription_changes import change
from sandbox.webhooks import is_web_address
from sandbox.world import Obj, World

if TYPE_CHECKING:
    from sandbox.program import Sandbox

STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:26rem;margin:10vh auto;padding:0 1rem;color:#1a1a2e;"
    "background:#f6f7fb}main{background:#fff;padding:1.5rem 2rem 2rem;border-radius:12px;"
    "box-shadow:0 4px 24px #0001}h1{font-size:2rem;margin:.2em 0}button{font:inherit;width:100%;padding:.7em;"
    "margin:.3em 0;border:1px solid #c9cbe0;border-radius:8px;background:#fff;cursor:pointer}"
    "button.main{background:#4b4ae0;border-color:#4b4ae0;color:#fff}small,p.note{color:#5b5d76}"
    "p.error{color:#a3002c;background:#fff0f3;padding:.6em 1em;border-radius:8px}"
    "@media(prefers-color-scheme:dark){body{background:#14141f;color:#e8e8f2}main{background:#20202f}"
    "button{background:#2a2a3d;color:inherit;border-color:#44465f}small,p.note{color:#a5a7c0}}"
)
CHOICES = (
    ("pay", "pm_card_visa", "Pay", "main"),
    ("decline", "", "Card is declined", ""),
    ("authenticate", "", "Pay with authentication", ""),
    ("pay", "pm_usBankAccount", "Pay by bank debit (settles later)", ""),
)
ASKED = (("authenticate", "", "Authenticate", "main"), ("refuse", "", "Fail authentication", ""))
DONE = ("succeeded", "canceled", "processing", "requires_capture", "complete", "expired")
LISTED = 50
KINDS = {"cs_": "checkout.session", "seti_": "setup_intent", "in_": "invoice", "pi_": "payment_intent"}


def page(title: str, body: str, status: int = 200) -> HTMLResponse:
    html = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style><main>'
        f"<small>Payment stand-in — no money moves</small>{body}</main></html>"
    )
    policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'"
    return HTMLResponse(html, status, {"Content-Security-Policy": policy, "Referrer-Policy": "no-referrer"})


def found(world: World, key: str) -> Obj:
    kind = next((kind for prefix, kind in KINDS.items() if key.startswith(prefix)), "payment_intent")
    return world.get(kind, key)


async def index(request: Request) -> Response:
    """What waits for somebody to pay, newest first."""
    world = request.app.state.sandbox.world
    open_ones = [obj for kind in KINDS.values() for obj in world.all(kind) if waits(obj)]
    rows = "".join(
        f'<li><a href="/pay/{escape(obj["id"])}">{escape(amount(obj))}</a> {escape(about(obj))}</li>'
        for obj in sorted(open_ones, key=lambda obj: -int(obj["created"]))[:LISTED]
    )
    listed = f"<ul>{rows}</ul>" if rows else "<p>Nothing waits to be paid.</p>"
    return page("Payments", f"<h1>Payments</h1>{listed}")


def waits(obj: Obj) -> bool:
    """An invoice is paid by its intent, which stands in the list itself."""
    return obj["object"] != "invoice" and obj["status"] not in DONE


async def show(request: Request) -> Response:
    sandbox: Sandbox = request.app.state.sandbox
    try:
        obj = found(sandbox.world, request.path_params["id"])
    except ApiError as error:
        return page("Not found", f"<h1>Not found</h1><p>{escape(str(error))}</p>", 404)
    if obj["object"] == "invoice" and obj["_intent"]:
        return RedirectResponse(f"/pay/{obj['_intent']}", 303)
    return paying_page(obj, safe_url(request.query_params.get("return_url")))


def paying_page(obj: Obj, back: str | None, error: ApiError | None = None) -> HTMLResponse:
    parts = [f"<h1>{escape(amount(obj))}</h1><p>{escape(about(obj))}</p>"]
    if error:
        parts.append(f'<p class="error" role="alert">{escape(str(error))}</p>')
    if obj["object"] == "invoice" or obj["status"] in DONE:
        parts.append(f"<p>This payment is <strong>{escape(obj['status'])}</strong>.</p>")
    else:
        choices = ASKED if obj["status"] == "requires_action" else CHOICES
        parts.append(form(choices, back))
    leave = obj.get("cancel_url")
    if leave and obj["status"] == "open" and safe_url(leave):
        parts.append(f'<p><a href="{escape(leave)}">Back without paying</a></p>')
    return page("Pay", "".join(parts), 402 if error else 200)


def amount(obj: Obj) -> str:
    value = obj.get("amount", obj.get("amount_total", obj.get("total")))
    if value is None:
        return "Save a payment method"
    return spelled(value, obj["currency"])


def about(obj: Obj) -> str:
    sold = ", ".join(row["description"] for row in obj.get("_lines", []))
    return str(obj.get("description") or sold or obj["id"])


def form(choices: tuple[tuple[str, str, str, str], ...], back: str | None) -> str:
    buttons = "".join(
        f'<button name="action" value="{action} {card}" class="{style}">{escape(words)}</button>'
        for action, card, words, style in choices
    )
    kept = f'<input type="hidden" name="return_url" value="{escape(back)}">' if back else ""
    return f'<form method="post">{kept}{buttons}</form>'


async def press(request: Request) -> Response:
    sandbox: Sandbox = request.app.state.sandbox
    fields = await pressed(request)
    action, _, card = fields.get("action", "").partition(" ")
    world, back = sandbox.world, safe_url(fields.get("return_url"))
    try:
        obj = found(world, request.path_params["id"])
        with world.transaction():
            error = act(world, obj["id"], action, card or "pm_card_visa")
    except ApiError as refusal:
        return page(
            "Not possible",
            f'<h1>Not possible</h1><p class="error">{escape(str(refusal))}</p>',
            refusal.status,
        )
    finally:
        sandbox.deliveries.take()
    if error:
        return paying_page(obj, back, error)
    return RedirectResponse(next_stop(obj, back), 303)


async def pressed(request: Request) -> dict[str, str]:
    """The form's fields; whoever sends something else pressed no button."""
    return dict(parse_qsl((await request.body()).decode(errors="replace")))


def next_stop(obj: Obj, back: str | None) -> str:
    """Where the person goes after paying: back to the shop, with the parameters that Stripe adds."""
    if obj["object"] == "checkout.session":
        url = obj.get("success_url") or obj.get("return_url") or ""
        return url.replace("{CHECKOUT_SESSION_ID}", obj["id"]) if safe_url(url) else f"/pay/{obj['id']}"
    target = safe_url(obj["_return_url"]) or back
    if obj["status"] not in DONE or target is None:
        return f"/pay/{obj['id']}" + (f"?{urlencode({'return_url': back})}" if back else "")
    kind = obj["object"]
    given = {kind: obj["id"], f"{kind}_client_secret": obj["client_secret"], "redirect_status": obj["status"]}
    return target + ("&" if urlsplit(target).query else "?") + urlencode(given)


def safe_url(url: str | None) -> str | None:
    return url if url and is_web_address(url) else None


async def portal(request: Request) -> Response:
    sandbox: Sandbox = request.app.state.sandbox
    world = sandbox.world
    try:
        session = world.get("billing_portal.session", request.path_params["id"])
        if request.method == "POST":
            fields = await pressed(request)
            await switch(sandbox, session, fields.get("subscription", ""))
            return RedirectResponse(f"/portal/{session['id']}", 303)
    except ApiError as error:
        return page("Not found", f"<h1>Not found</h1><p>{escape(str(error))}</p>", error.status)
    mine = [row for row in world.all("subscription") if row["customer"] == session["customer"]]
    rows = "".join(portal_row(row) for row in mine if row["status"] not in ("canceled", "incomplete_expired"))
    back = safe_url(session["return_url"])
    link = f'<p><a href="{escape(back)}">Back</a></p>' if back else ""
    return page("Billing", f"<h1>Billing</h1>{rows or '<p>No subscriptions.</p>'}{link}")


def portal_row(row: Obj) -> str:
    price = row["items"]["data"][0]["price"]
    word = "Keep it" if row["cancel_at_period_end"] else "Cancel at the end of the period"
    return (
        f"<p>{escape(price['nickname'] or price['id'])} — {escape(row['status'])}</p><form method='post'>"
        f'<button name="subscription" value="{escape(row["id"])}">{word}</button></form>'
    )


async def switch(sandbox: "Sandbox", session: Obj, key: str) -> None:
    world = sandbox.world
    subscription = world.get("subscription", key, "subscription")
    if subscription["customer"] == session["customer"]:
        with world.transaction():
            change(world, subscription, {"cancel_at_period_end": not subscription["cancel_at_period_end"]})
        sandbox.deliveries.take()


async def connect(request: Request) -> Response:
    """The owner of a connected account tells what is asked, by one button."""
    sandbox: Sandbox = request.app.state.sandbox
    world, back = sandbox.world, safe_url(request.query_params.get("return_url"))
    try:
        account = world.get("account", request.path_params["id"])
        if request.method == "POST":
            with world.transaction():
                onboard(world, account)
            sandbox.deliveries.take()
            return RedirectResponse(back or f"/connect/{account['id']}", 303)
    except ApiError as error:
        return page("Not found", f"<h1>Not found</h1><p>{escape(str(error))}</p>", error.status)
    if account["details_submitted"]:
        return page("Get paid", "<h1>Get paid</h1><p>This account can be paid.</p>")
    button = '<form method="post"><button class="main">Tell everything that is asked</button></form>'
    return page("Get paid", f"<h1>Get paid</h1><p>{escape(account['id'])}</p>{button}")


ROUTES = [
    Route("/", index, methods=["GET"]),
    Route("/pay/{id}", show, methods=["GET"]),
    Route("/pay/{id}", press, methods=["POST"]),
    Route("/connect/{id}", connect, methods=["GET", "POST"]),
    Route("/portal/{id}", portal, methods=["GET", "POST"]),
]
