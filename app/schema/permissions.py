"""Who may use a field: one ``Access`` stands on the line of every root field."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from strawberry import Info
from strawberry.extensions import FieldExtension

from app import metrics
from app.domain.api_keys import Role, Scope, grantable
from app.domain.errors import DomainError, Forbidden, Refusal, Unauthenticated
from app.domain.viewer import STAFF, Viewer
from app.schema.errors import as_data


@dataclass(frozen=True)
class Access:
    """``scope`` None: everybody. ``session_only``: no API key, whatever its scopes.

    ``in_session``: what a session needs in place of ``scope``, where the role is what matters.
    """

    scope: Scope | None = None
    roles: frozenset[Role] = frozenset(Role)
    session_only: bool = False
    in_session: Scope | None = None

    def check(self, viewer: Viewer | None) -> None:
        """Raises Unauthenticated or Forbidden."""
        if self.scope is None:
            return
        if viewer is None:
            raise Unauthenticated
        if self.session_only and viewer.session_id is None:
            raise Forbidden("An API key cannot do this: sign in with e-mail and password.")
        if viewer.role not in self.roles:
            raise Forbidden(f"This needs the role {' or '.join(sorted(role.name for role in self.roles))}.")
        scope = self.in_session if self.in_session and viewer.session_id else self.scope
        if scope not in grantable(viewer.role):
            hint = ": become an author first, with becomeAuthor" if scope is Scope.PUBLISH else ""
            raise Forbidden(f"An account of the role {viewer.role.name} cannot do this{hint}.")
        if scope not in viewer.scopes:
            raise Forbidden(f"This needs a key with the scope {scope.name}.")

    def admits(self, viewer: Viewer | None) -> bool:
        try:
            self.check(viewer)
        except Refusal:
            return False
        return True

    @property
    def description(self) -> str:
        if self.scope is None:
            return "Public."
        kind = "Session only, no API key." if self.session_only else f"Scope {self.scope.name}."
        if self.in_session is not None:
            kind = f"Session, or a key with the scope {self.scope.name}."
        return (
            kind
            if self.roles == frozenset(Role)
            else f"{kind} Role {' or '.join(sorted(r.name for r in self.roles))}."
        )


PUBLIC = Access()
READ = Access(Scope.READ)
WRITE = Access(Scope.WRITE)
SESSION = Access(Scope.WRITE, session_only=True)
PURCHASE = Access(Scope.PURCHASE)
PUBLISH = Access(Scope.PUBLISH)
ADMIN = Access(Scope.ADMIN, roles=frozenset({Role.ADMIN}))
STAFF_ONLY = Access(Scope.ADMIN, roles=STAFF, in_session=Scope.WRITE)
REPORT_USAGE = Access(Scope.USAGE_WRITE, roles=frozenset({Role.ADMIN}))


class Guard(FieldExtension):
    """Refuses before the resolver runs."""

    def __init__(self, access: Access) -> None:
        self.access = access

    async def resolve_async(
        self, next_: Callable[..., Awaitable[Any]], source: Any, info: Info[Any, Any], **arguments: Any
    ) -> Any:
        self.access.check(info.context.viewer)
        return await next_(source, info, **arguments)


class ErrorsAsData(FieldExtension):
    """A refused business action becomes the payload's ``errors``; a refused operation stays an error."""

    def __init__(self, payload: Callable[..., Any]) -> None:
        self.payload = payload

    async def resolve_async(
        self, next_: Callable[..., Awaitable[Any]], source: Any, info: Info[Any, Any], **arguments: Any
    ) -> Any:
        info.context.renew_loaders()
        try:
            return await next_(source, info, **arguments)
        except Refusal:
            raise
        except DomainError as error:
            metrics.GRAPHQL_ERRORS.labels(error.code).inc()
            return self.payload(errors=[as_data(error)])
