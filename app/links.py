"""The pages that mailed links open: verify an address, set a new password.

Opening a page does nothing, since mail programs open links on their own to look for harm; its button does.
"""

from collections.abc import Awaitable, Callable, Mapping
from html import escape
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from app.context import Deps
from app.domain.errors import DomainError
from app.services import accounts, passwords

POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
MAX_FIELDS = 10
_NEW_ONE = (
    '<label>New password <input type="password" name="password" autocomplete="new-password" '
    'minlength="8" maxlength="128" required autofocus></label>'
)
_STYLE = (
    "body{font:1rem/1.5 system-ui,sans-serif;max-width:26rem;margin:4rem auto;padding:0 1rem;color:#1b1f24}"
    "input,button{font:inherit;display:block;width:100%;box-sizing:border-box;padding:.6rem;"
    "margin:.5rem 0 1rem}"
    "button{background:#1b1f24;color:#fff;border:0;border-radius:.4rem;cursor:pointer}"
)
Form = Mapping[str, str]
Act = Callable[[Form], Awaitable[str]]


def routes(deps: Deps) -> list[Route]:
    async def verify(form: Form) -> str:
        await accounts.verify_email(
            database=deps.database, tokens=deps.tokens, token=form.get("token", ""), now=deps.clock()
        )
        return "Your address is verified. You can close this page."

    async def reset(form: Form) -> str:
        await passwords.reset(
            database=deps.database,
            passwords=deps.passwords,
            tokens=deps.tokens,
            token=form.get("token", ""),
            new=form.get("password", ""),
            production=deps.production,
            now=deps.clock(),
        )
        return "Your new password is set. Sign in with it."

    return [
        _page(deps, "/verify-email", "Verify your address", "Verify", "", verify),
        _page(deps, "/reset-password", "Set a new password", "Set the password", _NEW_ONE, reset),
    ]


def _page(deps: Deps, path: str, title: str, button: str, fields: str, act: Act) -> Route:
    async def answer(request: Request) -> Response:
        if request.method == "GET":
            return _html(title, _form(request.query_params.get("token", ""), button, fields))
        wait = await deps.limiter.hit("sign_in", request.client.host if request.client else "unknown")
        if wait:
            return _html(title, f"<p>Too many requests: try again in {wait} seconds.</p>", status=429)
        form = _fields(await request.body())
        try:
            return _html(title, f"<p>{escape(await act(form))}</p>")
        except DomainError as error:
            again = f'<p role="alert">{escape(error.message)}</p>' + _form(
                form.get("token", ""), button, fields
            )
            return _html(title, again, status=400)

    return Route(path, answer, methods=["GET", "POST"])


def _fields(body: bytes) -> Form:
    try:
        return dict(parse_qsl(body.decode(errors="replace"), max_num_fields=MAX_FIELDS))
    except ValueError:  # more fields than any page of ours has
        return {}


def _form(token: str, button: str, fields: str) -> str:
    hidden = f'<input type="hidden" name="token" value="{escape(token)}">'
    return f'<form method="post">{hidden}{fields}<button>{escape(button)}</button></form>'


def _html(title: str, body: str, *, status: int = 200) -> Response:
    page = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)} · revgraph</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style>'
        f"<h1>{escape(title)}</h1>{body}</html>"
    )
    headers = {
        "content-security-policy": POLICY,
        "cache-control": "no-store",
        "referrer-policy": "no-referrer",
    }
    return HTMLResponse(page, status_code=status, headers=headers)
