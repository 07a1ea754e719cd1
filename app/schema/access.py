"""Whose private fields may be read: the owner's, with the scope READ."""

from strawberry import Info

from app.context import Context
from app.domain.api_keys import Scope
from app.domain.errors import Forbidden, Unauthenticated


def check_owner(info: Info[Context, None], owner_id: object) -> None:
    """Raises Unauthenticated or Forbidden unless the viewer is the owner, or staff, and may read."""
    viewer = info.context.viewer
    if viewer is None:
        raise Unauthenticated
    if not viewer.may(Scope.READ):
        raise Forbidden("This needs the scope READ.")
    if viewer.user_id != owner_id and not viewer.is_staff:
        raise Forbidden("This belongs to another account.")
