"""How is a request to the API answered?"""

import asyncio
import logging
from base64 import b64decode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from sandbox.errors import ApiError, ParameterError
from sandbox.expand import expanded
from sandbox.forms import decode
from sandbox.http.drop import Cut, Dropped
from sandbox.objects.registry import ROUTES
from sandbox.rendering import API_VERSION
from sandbox.routes import Route, find
from sandbox.world import Caller

if TYPE_CHECKING:
    from sandbox.program import Sandbox

log = logging.getLogger("sandbox")
LONGEST_KEY = 255


@dataclass
class Call:
    """One request, read as far as its route and parameters."""

    id: str
    method: str
    path: str
    key: str | None = None
    params: Any = None
    route: Route | None = None
    keys: tuple[str, ...] = ()
    replayed: str | None = None  # the first request under this key
    held: bool = False  # the key is ours until an answer is stored


async def endpoint(request: Request) -> Response:
    sandbox: Sandbox = request.app.state.sandbox
    call = Call(sandbox.world.new_id("req_", 14), request.method, request.url.path)
    try:
        status, body = await answer(sandbox, request, call)
    except ApiError as error:
        release(sandbox, call)
        status, body = error.status, orjson.dumps(error.envelope())
    except Dropped:
        note(sandbox, call, 0)
        return Cut()
    except Exception:
        log.exception("request %s failed", call.id)
        release(sandbox, call)
        broken = ApiError(500, "api_error", "The stand-in failed at this request; its log says why.")
        status, body = 500, orjson.dumps(broken.envelope())
    sandbox.deliveries.take()
    note(sandbox, call, status)
    return Response(body, status, headers(call), media_type="application/json")


async def answer(sandbox: "Sandbox", request: Request, call: Call) -> tuple[int, bytes]:
    check_key(request)
    check_version(request)
    call.key = idempotency_key(request) if call.method == "POST" else None
    raw = await request.body() if call.method == "POST" else request.url.query.encode()
    if call.method == "POST" and raw and "json" in request.headers.get("content-type", ""):
        raise ApiError(400, "invalid_request_error", "This endpoint takes form-encoded parameters, not JSON.")
    call.route, call.keys = find(ROUTES, call.method, call.path)
    call.params = call.route.read(decode(raw))
    if call.key:
        found = sandbox.keys.begin(
            call.key, call.method, call.path, plain(call.params), request=call.id, now=sandbox.world.now()
        )
        if found:
            call.replayed = found.request
            await trouble(sandbox, call, "after", found.status, found.body.encode())
            return found.status, found.body.encode()
        call.held = True
    await trouble(sandbox, call, "before")
    status, body = execute(sandbox, call)
    await trouble(sandbox, call, "after", status, body)
    store(sandbox, call, status, body)
    return status, body


def check_key(request: Request) -> None:
    if not key_of(request).startswith(("sk_test_", "rk_test_")):
        message = "You did not provide an API key of the stand-in: any that begins with sk_test_ will do."
        raise ApiError(401, "invalid_request_error", message)
    if "stripe-account" in request.headers:
        raise ApiError(
            400, "invalid_request_error", "The stand-in does not cover requests for connected accounts."
        )


def key_of(request: Request) -> str:
    """As a token, or as the user's name (`curl -u sk_test_1:`)."""
    kind, _, given = request.headers.get("authorization", "").partition(" ")
    if kind.lower() == "basic":
        try:
            return b64decode(given).decode().partition(":")[0]
        except ValueError:
            return ""
    return given if kind.lower() == "bearer" else ""


def check_version(request: Request) -> None:
    version = request.headers.get("stripe-version", API_VERSION)
    if version != API_VERSION:
        message = f"The stand-in speaks {API_VERSION}, the version of the installed SDK, not {version[:40]}."
        raise ApiError(400, "invalid_request_error", message, code="sandbox_not_covered")


def idempotency_key(request: Request) -> str | None:
    key = request.headers.get("idempotency-key")
    if key and len(key) > LONGEST_KEY:
        message = f"Idempotency keys have at most {LONGEST_KEY} characters, this one {len(key)}."
        raise ApiError(400, "idempotency_error", message)
    return key


def plain(params: Any) -> Any:
    """Decimals as text, for a fingerprint."""
    return orjson.loads(orjson.dumps(params, default=str))


def execute(sandbox: "Sandbox", call: Call) -> tuple[int, bytes]:
    """All of it happens, or nothing; a declined payment is recorded and answered with its error."""
    world = sandbox.world
    assert call.route is not None
    world.caller = Caller(call.id, call.key)
    try:
        with world.transaction():
            found = call.route.call(world, call.params, call.keys)
            return 200, orjson.dumps(expanded(world, found, call.params.get("expand", [])))
    except ParameterError:
        raise
    except ApiError as error:
        return error.status, orjson.dumps(error.envelope())
    finally:
        world.caller = Caller()


async def trouble(sandbox: "Sandbox", call: Call, when: str, status: int = 0, body: bytes = b"") -> None:
    """The fault that was wished for this request, if any.

    After the execution the real answer is stored first.
    """
    fault = sandbox.faults.meet(call.method, call.path, when)
    if fault is None:
        return
    failure = ApiError(fault.status, "api_error", "An error that was asked for by a test.")
    if fault.kind == "delay":
        await asyncio.sleep(fault.seconds)
        return
    if when == "after":
        sandbox.deliveries.take()
        lost = (fault.status, orjson.dumps(failure.envelope())) if fault.stored else (status, body)
        store(sandbox, call, *lost)
    if fault.kind == "drop":
        release(sandbox, call)
        raise Dropped
    if fault.kind == "rate_limit":
        raise ApiError(429, "invalid_request_error", "Too many requests.", code="rate_limit")
    raise failure


def store(sandbox: "Sandbox", call: Call, status: int, body: bytes) -> None:
    if call.key and call.held:
        sandbox.keys.finish(call.key, status, body)
        call.held = False


def release(sandbox: "Sandbox", call: Call) -> None:
    if call.key and call.held:
        sandbox.keys.release(call.key)
        call.held = False


def note(sandbox: "Sandbox", call: Call, status: int) -> None:
    sandbox.requests.append({
        "id": call.id, "method": call.method, "path": call.path, "status": status,
        "idempotency_key": call.key,
        "replayed": call.replayed is not None, "params": plain(call.params),
    })  # fmt: skip


def headers(call: Call) -> dict[str, str]:
    given = {"Request-Id": call.id, "Stripe-Version": API_VERSION}
    if call.key:
        given["Idempotency-Key"] = call.key
    if call.replayed:
        given |= {"Idempotent-Replayed": "true", "Original-Request": call.replayed}
    return given
