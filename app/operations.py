"""What happens around an operation: who asks, how often, what it takes of the plan, how its errors read."""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache, partial
from ipaddress import ip_address
from time import monotonic
from typing import Any

import structlog
from graphql import GraphQLError, OperationType
from starlette.requests import Request
from strawberry.types import ExecutionResult

from app import metrics
from app.auth import KeyMemory, Proof, authenticate
from app.context import Context, Deps
from app.domain.errors import (
    CallQuotaExceeded,
    DomainError,
    InvalidToken,
    NotAlone,
    RateLimited,
    Refusal,
    Unauthenticated,
)
from app.domain.viewer import Viewer
from app.schema.errors import as_extensions
from app.schema.permissions import Access
from app.transport.hooks import Extras, Operation
from app.transport.presentation import present_field_error
from app.transport.refusal import Refusal as HttpRefusal

SIGN_IN = frozenset(
    ["login", "logout", "refreshSession", "register", "requestPasswordReset", "resetPassword", "verifyEmail"]
)
"""Free of the plan's quota, limited by address, and open to those whose token has just ended."""
ALONE = frozenset(["changePassword", "deleteAccount", "logout", "resetPassword"])
"""They end what the operation's other fields would act for: the viewer is looked up once."""
UNCOUNTED = SIGN_IN | {"validateToken", "__schema", "__type", "__typename"}
PLAN = frozenset(
    [
        *("previewTierChange", "changeTier", "cancelSubscription", "resumeSubscription"),
        *("startAddPaymentMethod", "setDefaultPaymentMethod", "removePaymentMethod"),
    ]
)
"""The way out of a plan's limits, and of the plan: open to those as well who have used up its calls."""
STATUS = {
    "UNAUTHENTICATED": 401,
    "FORBIDDEN": 403,
    "QUOTA_EXCEEDED": 429,
    "RATE_LIMITED": 429,
    "SERVICE_UNAVAILABLE": 503,
}
LONGEST_ADDRESS = 64
"""Of IPv6 with a zone."""
Accesses = Mapping[OperationType, Mapping[str, Access]]

log = structlog.get_logger(__name__)


class Operations:
    """The hooks of the GraphQL route; ``wake`` tells the worker that a mutation may have left it work.

    ``remember_keys``: for how many seconds API keys are good for queries without being looked up again.
    """

    def __init__(
        self,
        deps: Deps,
        accesses: Accesses,
        *,
        wake: Callable[[], None] | None = None,
        remember_keys: float = 0.0,
    ) -> None:
        self.deps = deps
        self.accesses = accesses
        self.wake = wake
        self.keys = KeyMemory(remember_keys)

    async def get_context(self, request: Request) -> Context:
        context = Context(
            deps=self.deps,
            viewer=None,
            now=self.deps.clock(),
            request_id=request.state.request_id,
            address=_address(request),
            user_agent=request.headers.get("user-agent", "")[:255] or None,
        )
        await self._authenticate(context, request)
        return context

    async def _authenticate(self, context: Context, request: Request) -> None:
        context.viewer = context.prove_again = None
        try:
            proof = await authenticate(
                self.deps,
                authorization=request.headers.get("authorization"),
                x_api_key=request.headers.get("x-api-key"),
                now=context.now,
                memory=self.keys,
            )
        except InvalidToken as error:
            context.bad_credentials = error
        except Refusal as refusal:
            raise _http(refusal) from None
        else:
            if proof is not None:
                self._admit(proof, context, request)

    def _admit(self, proof: Proof, context: Context, request: Request) -> None:
        context.viewer = proof.viewer
        request.state.viewer_id = proof.viewer.user_id  # for the access log
        if proof.remembered:
            context.prove_again = partial(self._prove_again, context, request)
        else:
            proof.prime(context.loaders)

    async def _prove_again(self, context: Context, request: Request) -> None:
        self.keys.forget()
        await self._authenticate(context, request)

    async def before_execute(self, context: Context, operation: Operation, extras: Extras) -> None:
        try:
            if context.prove_again is not None and operation.kind is not OperationType.QUERY:
                await context.prove_again()
            self._refuse_bad_credentials(context, operation)
            _refuse_company(operation)
            await self._limit_rate(context, operation)
            await self._count(context, operation, extras)
        except CallQuotaExceeded as refusal:
            extras.headers.update(_quota_headers(refusal.limit, 0, refusal.resets_at))
            raise _http(refusal) from None
        except Refusal as refusal:
            raise _http(refusal) from None

    def _refuse_bad_credentials(self, context: Context, operation: Operation) -> None:
        """Who sends a token means to be somebody: the answer for nobody would mislead."""
        if context.bad_credentials is not None and not UNCOUNTED.issuperset(operation.root_fields):
            raise Unauthenticated(context.bad_credentials.message)

    async def _limit_rate(self, context: Context, operation: Operation) -> None:
        sign_ins = sum(name in SIGN_IN | ALONE for name in operation.root_fields)
        address = context.address or "unknown"
        if sign_ins:
            await self._hit("sign_in", address, sign_ins)
        subject = str(context.viewer.user_id) if context.viewer else address
        await self._hit("requests", subject, max(1, len(operation.root_fields)))

    async def _hit(self, bucket: str, subject: str, cost: int) -> None:
        wait = await self.deps.limiter.hit(bucket, subject, cost=cost)
        if wait:
            if bucket == "sign_in":
                metrics.SIGN_INS.labels("limited").inc()
            raise RateLimited(retry_after=wait)

    async def _count(self, context: Context, operation: Operation, extras: Extras) -> None:
        """One API call a root field that the viewer may use: what is refused anyway costs nothing."""
        calls = self._calls(context.viewer, operation) if context.viewer else 0
        if not calls:
            return
        try:
            meter = await self.deps.calls.count(context.allowance, calls, now=context.now)
        except CallQuotaExceeded as refusal:
            if not (PLAN | UNCOUNTED).issuperset(operation.root_fields):
                raise
            extras.headers.update(_quota_headers(refusal.limit, 0, refusal.resets_at))
        else:
            end = meter.period.end if meter.period else None
            extras.headers.update(_quota_headers(meter.limit, meter.remaining, end))

    def _calls(self, viewer: Viewer, operation: Operation) -> int:
        accesses = self.accesses.get(operation.kind, {})
        return sum(
            name in accesses and accesses[name].admits(viewer)
            for name in operation.root_fields
            if name not in UNCOUNTED
        )

    def present_error(self, error: GraphQLError, request_id: str) -> dict[str, Any]:
        original = error.original_error
        code = original.code if isinstance(original, DomainError) else "INTERNAL_SERVER_ERROR"
        metrics.GRAPHQL_ERRORS.labels(code).inc()
        if isinstance(original, DomainError):
            known = GraphQLError(
                original.message, error.nodes, path=error.path, extensions=as_extensions(original)
            )
            return present_field_error(known, request_id)
        if not isinstance(original, GraphQLError | None):
            log.error("resolver_failed", path=error.path, exc_info=original)
        return present_field_error(error, request_id)

    async def finish(
        self, context: Context, operation: Operation | None, result: ExecutionResult | None, _: Extras
    ) -> None:
        if operation is None:
            return
        outcome = "refused" if result is None else "error" if result.errors else "ok"
        for name in operation.root_fields:
            metrics.root_field(name, outcome, seconds=monotonic() - context.started_at)
        if operation.kind is OperationType.MUTATION:
            self.keys.forget()
            if self.wake is not None:
                self.wake()


def _http(refusal: Refusal) -> HttpRefusal:
    metrics.GRAPHQL_ERRORS.labels(refusal.code).inc()
    headers = {"retry-after": str(refusal.retry_after)} if isinstance(refusal, RateLimited) else {}
    if refusal.code == "UNAUTHENTICATED":
        headers["www-authenticate"] = "Bearer"
    return HttpRefusal(
        refusal.message,
        code=refusal.code,
        status=STATUS.get(refusal.code, 400),
        facts=refusal.facts(),
        headers=headers,
    )


def _refuse_company(operation: Operation) -> None:
    if len(operation.root_fields) > 1 and not ALONE.isdisjoint(operation.root_fields):
        raise NotAlone(min(ALONE.intersection(operation.root_fields)))


def _address(request: Request) -> str | None:
    host = request.client.host if request.client else ""
    return _as_address(host) if len(host) <= LONGEST_ADDRESS else None


@lru_cache(maxsize=1024)
def _as_address(host: str) -> str | None:
    """What a proxy forwards may be anything."""
    try:
        return str(ip_address(host))
    except ValueError:
        return None


def _quota_headers(limit: int | None, remaining: int | None, resets_at: datetime | None) -> dict[str, str]:
    """What is left of the month's API calls; nothing where they are unlimited."""
    if limit is None or resets_at is None:
        return {}
    return {
        "x-quota-limit": str(limit),
        "x-quota-remaining": str(remaining),
        "x-quota-resets-at": resets_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
