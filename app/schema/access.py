"""Whose private fields may be read: the owner's, with the scope READ."""

from uuid import UUID

from strawberry import Info

from app.context import Context
from app.domain.api_keys import Scope
from app.domain.errors import Forbidden, Unauthenticated
from app.domain.viewer import Viewer


def check_owner(info: Info[Context, None], owner_id: UUID) -> None:
    """Raises Unauthenticated or Forbidden unless the viewer is the owner, or staff, and may read."""
    viewer = info.context.viewer
    if viewer is None:
        raise Unauthenticated
    if not viewer.may(Scope.READ):
        raise Forbidden("This needs a key with the scope READ.")
    if not may_read(viewer, owner_id):
        raise Forbidden("This belongs to another account.")


def may_read(viewer: Viewer | None, owner_id: UUID) -> bool:
    return viewer is not None and viewer.may(Scope.READ) and (viewer.user_id == owner_id or viewer.is_staff)
