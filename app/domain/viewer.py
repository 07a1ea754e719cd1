"""Who is asking, and what they may do."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.domain.api_keys import Role, Scope, grantable
from app.domain.plans import Resource, Tier

STAFF = frozenset({Role.SUPPORT, Role.ADMIN})


@dataclass(frozen=True)
class Viewer:
    """A signed-in account: by session (``session_id``) or by API key (``api_key_id``), never both."""

    user_id: UUID
    username: str
    role: Role
    tier: Tier
    anchor_at: datetime
    scopes: frozenset[Scope]
    session_id: UUID | None = None
    api_key_id: UUID | None = None

    @property
    def is_staff(self) -> bool:
        return self.role in STAFF

    def may(self, scope: Scope) -> bool:
        """The key's scope and the role's right: a demoted admin's key is an admin's no more."""
        return scope in self.scopes and scope in grantable(self.role)


@dataclass(frozen=True)
class Allowance:
    """What an account may use: its plan's limits (None: unlimited) and the anchor of its months."""

    user_id: UUID
    limits: Mapping[Resource, int | None]
    anchor_at: datetime
