"""What a resolver may see, and no more."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from time import monotonic

from app.dataloaders import Loaders
from app.db.database import Database
from app.domain.commission import Terms
from app.domain.errors import InvalidToken, PaymentsNotConfigured, Unauthenticated
from app.domain.outbox import LEASE
from app.domain.plans import Plan, Tier
from app.domain.seller import Seller
from app.domain.viewer import Allowance, Viewer
from app.ports import LastUsed, LicenceSigner, Mailer, ObjectStore, Passwords, Printer, RateLimiter, Tokens
from app.ports.provider import PaymentProvider
from app.services.calls import Calls
from app.services.notices.post import Post
from app.settlement.tools import Tools


@dataclass(frozen=True)
class Deps:
    """What the process holds for its whole life. ``max_upload_bytes`` is of one file.

    Without ``provider`` nothing can be paid; ``webhook_secrets`` sign what it sends us.
    ``lease``: for how long what a killed process had in hand stays untouched, before another takes it over.
    """

    database: Database
    calls: Calls
    tokens: Tokens
    passwords: Passwords
    limiter: RateLimiter
    mailer: Mailer
    store: ObjectStore
    signer: LicenceSigner
    printer: Printer
    plans: Mapping[Tier, Plan]
    commission: Terms
    last_used: LastUsed
    clock: Callable[[], datetime]
    base_url: str
    production: bool
    max_upload_bytes: int
    provider: PaymentProvider | None = None
    webhook_secrets: tuple[str, ...] = ()
    lease: timedelta = LEASE
    seller: Seller = field(default_factory=Seller)

    @property
    def post(self) -> Post:
        """For notices by mail."""
        return Post(
            database=self.database,
            mailer=self.mailer,
            printer=self.printer,
            seller=self.seller,
            plans=self.plans,
            base_url=self.base_url,
        )

    @property
    def tools(self) -> Tools:
        """For settling what the provider says. Raises PaymentsNotConfigured."""
        if self.provider is None:
            raise PaymentsNotConfigured
        return Tools(
            database=self.database,
            provider=self.provider,
            signer=self.signer,
            plans=self.plans,
            commission=self.commission,
            clock=self.clock,
            lease=self.lease,
        )


@dataclass
class Context:
    """One request. ``address`` and ``user_agent`` are the client's.

    ``prove_again`` looks the viewer up, where who asks was remembered.
    """

    deps: Deps
    viewer: Viewer | None
    now: datetime
    request_id: str
    bad_credentials: InvalidToken | None = None
    address: str | None = None
    user_agent: str | None = None
    prove_again: Callable[[], Awaitable[None]] | None = None
    started_at: float = field(default_factory=monotonic)

    @cached_property
    def loaders(self) -> Loaders:
        return Loaders(self.deps.database)

    def renew_loaders(self) -> None:
        """What was loaded before a mutation may not be so after it."""
        self.__dict__.pop("loaders", None)

    @property
    def me(self) -> Viewer:
        """The viewer of a field that is guarded. Raises Unauthenticated."""
        if self.viewer is None:
            raise Unauthenticated
        return self.viewer

    @property
    def allowance(self) -> Allowance:
        return allowance_of(self.me, self.deps.plans)


def allowance_of(viewer: Viewer, plans: Mapping[Tier, Plan]) -> Allowance:
    return Allowance(user_id=viewer.user_id, limits=plans[viewer.tier].limits, anchor_at=viewer.anchor_at)
