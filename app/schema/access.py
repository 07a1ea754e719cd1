"""Whose private fields may be read: the owner's, with the scope READ."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import wraps
from typing import Any, TypeVar
from uuid import UUID

from strawberry import Info

from app.context import Context
from app.domain.api_keys import Scope
from app.domain.errors import Forbidden, Refusal, Unauthenticated
from app.domain.viewer import Viewer

Thing = TypeVar("Thing")


def check_owner(info: Info[Context, None], owner_id: UUID | None) -> None:
    """Raises Unauthenticated or Forbidden unless the viewer is the owner, or staff, and may read.

    What has no owner is staff's alone.
    """
    viewer = info.context.viewer
    if viewer is None:
        raise Unauthenticated
    if not viewer.may(Scope.READ):
        raise Forbidden("This needs a key with the scope READ.")
    if not may_read(viewer, owner_id):
        raise Forbidden("This belongs to another account.")


def may_read(viewer: Viewer | None, owner_id: UUID | None) -> bool:
    return viewer is not None and viewer.may(Scope.READ) and (viewer.user_id == owner_id or viewer.is_staff)


def checked(load: Callable[..., Awaitable[Sequence[Any]]]) -> Callable[..., Awaitable[list[Any]]]:
    """For `batched`: ``load`` gets the parents whose ``check(info)`` passes, others get what it raised."""

    @wraps(load)
    async def load_allowed(parents: Sequence[Any], info: Info[Context, None], **arguments: Any) -> list[Any]:
        refusals = [_refusal(parent, info) for parent in parents]
        allowed = [parent for parent, refusal in zip(parents, refusals, strict=True) if refusal is None]
        found = iter(await load(allowed, info, **arguments) if allowed else [])
        return [next(found) if refusal is None else refusal for refusal in refusals]

    return load_allowed


def readable(
    viewer: Viewer | None, rows: Iterable[Any], wrap: Callable[[Any], Thing], *, owner: str = "user_id"
) -> list[Thing | None]:
    """The things of the rows that the viewer may read; None for a row that is another's or None."""
    return [wrap(row) if row and may_read(viewer, getattr(row, owner)) else None for row in rows]


def _refusal(parent: Any, info: Info[Context, None]) -> Refusal | None:
    try:
        parent.check(info)
    except Refusal as refusal:
        return refusal
    return None
