"""Accounts: users as they are found, made, changed and anonymised."""

from collections import namedtuple
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.ids import new_id
from app.db.models import ApiKey, Session, Subscription, User
from app.db.models.subscriptions import LIVE_ROW
from app.db.reads import Query, among, given
from app.db.repositories.subscriptions import SUBSCRIPTION
from app.db.rows import Row
from app.domain.api_keys import Role
from app.domain.errors import Conflict, Unauthenticated

USER = (
    User.id,
    User.email,
    User.username,
    User.display_name,
    User.role,
    User.tier,
    User.email_verified_at,
    User.created_at,
)

_LIVE = tuple(column.label(f"live_{column.key}") for column in SUBSCRIPTION)
_Live = namedtuple("_Live", [column.key for column in SUBSCRIPTION])  # type: ignore[misc]  # as they are selected
_VIEWER = select(*USER, *_LIVE).join(Subscription, Subscription.user_id == User.id)

VIEWER_BY_SESSION = Query(
    _VIEWER.join(Session, Session.user_id == User.id).where(
        User.id == given("user_id", User.id.type),
        User.deleted_at.is_(None),
        Session.id == given("session_id", Session.id.type),
        Session.revoked_at.is_(None),
        LIVE_ROW,
    )
)
"""The account of a session that was not ended, with its `live_subscription`."""
VIEWER_BY_KEY = Query(
    _VIEWER.add_columns(ApiKey.id.label("api_key_id"), ApiKey.scopes, ApiKey.expires_at)
    .join(ApiKey, ApiKey.user_id == User.id)
    .where(
        among(ApiKey.key_hash, "key_hashes"),
        ApiKey.revoked_at.is_(None),
        ApiKey.expires_at.is_(None) | (ApiKey.expires_at > given("now", ApiKey.expires_at.type)),
        User.deleted_at.is_(None),
        LIVE_ROW,
    )
)
"""The account of an API key that is neither revoked nor expired, with its `live_subscription`."""


def live_subscription(viewer: Row) -> Any:
    """The subscription that a row of these two has beside the account."""
    row: Any = _Live._make(viewer[len(USER) : len(USER) + len(SUBSCRIPTION)])
    return row


async def by_id(connection: AsyncConnection, user_id: UUID) -> Row | None:
    statement = select(*USER).where(User.id == user_id, User.deleted_at.is_(None))
    return (await connection.execute(statement)).one_or_none()


async def by_email(connection: AsyncConnection, email: str) -> Row | None:
    statement = select(*USER, User.password_hash).where(User.email == email, User.deleted_at.is_(None))
    return (await connection.execute(statement)).one_or_none()


async def password_hash(connection: AsyncConnection, user_id: UUID) -> str | None:
    statement = select(User.password_hash).where(User.id == user_id, User.deleted_at.is_(None))
    return (await connection.execute(statement)).scalar_one_or_none()


async def hold(connection: AsyncConnection, user_id: UUID) -> Row:
    """Locks the account until the transaction ends. Raises Unauthenticated when it has ended meanwhile."""
    held = (
        select(User.email, User.password_hash)
        .where(User.id == user_id, User.deleted_at.is_(None))
        .with_for_update()
    )
    row = (await connection.execute(held)).one_or_none()
    if row is None:
        raise Unauthenticated("This account has ended.")
    return row


async def hold_payer(connection: AsyncConnection, user_id: UUID) -> Row:
    """Locks the account until the transaction ends, also one that has ended: its money is still its own."""
    statement = (
        select(User.id, User.username, User.deleted_at, User.stripe_customer_id)
        .where(User.id == user_id)
        .with_for_update()
    )
    return (await connection.execute(statement)).one()


async def create(connection: AsyncConnection, *, values: dict[str, Any], now: datetime) -> UUID:
    """The new user's id. Raises Conflict where the e-mail or the username is taken."""
    user_id = new_id()
    statement = insert(User).values(id=user_id, created_at=now, updated_at=now, **values)
    await _writing(connection, statement)
    return user_id


async def change(
    connection: AsyncConnection, user_id: UUID, *, values: dict[str, Any], now: datetime
) -> None:
    """Raises Conflict where the e-mail or the username is taken."""
    statement = (
        update(User).where(User.id == user_id, User.deleted_at.is_(None)).values(updated_at=now, **values)
    )
    await _writing(connection, statement)


async def promote(
    connection: AsyncConnection, user_id: UUID, *, before: Role, after: Role, now: datetime
) -> None:
    """Whoever has another role than ``before`` keeps it."""
    await connection.execute(
        update(User).where(User.id == user_id, User.role == before).values(role=after, updated_at=now)
    )


async def _writing(connection: AsyncConnection, statement: Any) -> None:
    try:
        async with connection.begin_nested():
            await connection.execute(statement)
    except IntegrityError as error:
        constraint = str(error.orig)
        if "username" in constraint:
            raise Conflict("This username is taken: choose another.", field="username") from None
        if "email" in constraint:
            raise Conflict(
                "An account with this e-mail exists: sign in, or reset its password.", field="email"
            ) from None
        raise


async def anonymise(connection: AsyncConnection, user_id: UUID, *, now: datetime) -> None:
    """Takes the person out of the row and leaves the row to the books."""
    name = f"deleted-{user_id.hex}"
    await connection.execute(
        update(User)
        .where(User.id == user_id)
        .values(
            email=f"{name}@deleted.invalid",
            username=name,
            username_key=name,
            display_name=None,
            password_hash="",
            email_verified_at=None,
            deleted_at=now,
            updated_at=now,
        )
    )
