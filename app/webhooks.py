"""``POST /webhooks/stripe``: who sent this, is it whole, is it ours? Nothing is acted on here.

200 means that the event is stored for good, for whoever acts on it later; anything else makes the provider
send it again, for three days.
"""

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app import metrics
from app.context import Deps
from app.domain.payments import WebhookStatus
from app.domain.webhooks import TOLERANCE, Event, MalformedEvent, read_event
from app.engine.limits import LimitExceeded
from app.gateways.stripe.signatures import BadSignature, verify
from app.ports.provider import PaymentProvider
from app.services.event_intake import Storing
from app.transport import json_text

PATHS = ("/webhooks/stripe", "/api/v1/webhooks/stripe")
SIGNATURE = "stripe-signature"

log = structlog.get_logger(__name__)


def routes(deps: Deps, storing: Storing) -> list[Route]:
    async def receive(request: Request) -> Response:
        provider = deps.provider
        if provider is None or not deps.webhook_secrets:
            return _not_configured(deps)
        try:
            body = await request.body()  # of bounded size: the middleware refuses larger ones with 413
        except ClientDisconnect:
            return _refused(MalformedEvent("The body ended early."))
        try:
            event = _verified(request.headers.getlist(SIGNATURE), body, deps)
            new = await storing.store(event, _status(event, provider))
        except (BadSignature, MalformedEvent) as error:
            return _refused(error)
        except Exception as error:  # noqa: BLE001 - whatever it is, the event is not stored and must be sent again
            return _not_stored(error)
        metrics.WEBHOOKS_RECEIVED.labels("stored" if new else "duplicate").inc()
        return JSONResponse({"received": True})

    return [Route(path, receive, methods=["POST"]) for path in PATHS]


def _verified(headers: list[str], body: bytes, deps: Deps) -> Event:
    """Raises BadSignature and MalformedEvent."""
    if len(headers) != 1:
        raise BadSignature("Stripe-Signature stands in the request once.")
    verify(body, headers[0], secrets=deps.webhook_secrets, now=deps.clock(), tolerance=TOLERANCE)
    try:
        return read_event(json_text.decode(body))
    except (json_text.MalformedJson, LimitExceeded) as error:
        raise MalformedEvent(str(error)) from None


def _status(event: Event, provider: PaymentProvider) -> WebhookStatus:
    """An event of the other mode is of other people's money: kept for whoever asks, never acted on.

    One of another API version is acted on: only ids are read of it, and the objects are fetched in ours.
    """
    if event.livemode != provider.livemode:
        metrics.WEBHOOKS_RECEIVED.labels("other_mode").inc()
        log.error("webhook_of_other_mode", event_id=event.id, type=event.type, livemode=event.livemode)
        return WebhookStatus.IGNORED
    if event.api_version != provider.api_version:
        metrics.WEBHOOKS_RECEIVED.labels("other_version").inc()
        log.warning("webhook_of_other_version", event_id=event.id, given=event.api_version)
    return WebhookStatus.RECEIVED


def _not_configured(deps: Deps) -> Response:
    missing = "STRIPE_WEBHOOK_SECRET" if deps.provider is not None else "STRIPE_API_KEY"
    metrics.WEBHOOKS_RECEIVED.labels("not_configured").inc()
    log.error("webhook_not_configured", missing=missing)
    return _problem(503, "Webhooks are not configured on this server.")


def _refused(error: Exception) -> Response:
    metrics.WEBHOOKS_RECEIVED.labels("refused").inc()
    log.warning("webhook_refused", reason=str(error))
    return _problem(400, str(error))


def _not_stored(error: Exception) -> Response:
    metrics.WEBHOOKS_RECEIVED.labels("not_stored").inc()
    log.error("webhook_not_stored", error=f"{type(error).__name__}: {error}")
    return _problem(503, "The event could not be stored: send it again.")


def _problem(status: int, message: str) -> Response:
    headers = {"cache-control": "no-store", **({"retry-after": "5"} if status == 503 else {})}
    return JSONResponse({"error": message}, status_code=status, headers=headers)
