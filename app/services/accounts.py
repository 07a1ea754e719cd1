"""Accounts: opened, changed, verified, closed."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.database import Database
from app.db.repositories import (
    accounts,
    api_keys,
    audit,
    authors,
    customers,
    outbox,
    payments,
    quotas,
    sessions,
    sign_in_guards,
    subscriptions,
)
from app.domain import identity, slugs
from app.domain.accounts import SESSION_LIFETIME, Client, LinkPurpose, SignedIn
from app.domain.api_keys import Role
from app.domain.errors import AccountLocked, Conflict, InvalidCredentials, InvalidToken
from app.domain.outbox import Topic
from app.domain.periods import monthly_period
from app.domain.plans import Tier
from app.ports import Passwords, Tokens


async def register(
    *,
    database: Database,
    passwords: Passwords,
    tokens: Tokens,
    email: str,
    username: str,
    password: str,
    client: Client,
    production: bool,
    now: datetime,
) -> SignedIn:
    """A new account on the free plan, signed in. Raises InvalidInput, Conflict."""
    refresh_token = tokens.new_secret()
    values = _identity(email=email, username=username)
    password = identity.check_password(
        password, production=production, email=values["email"], username=username
    )
    values["password_hash"] = await passwords.hash(password)
    async with database.transaction() as connection:
        user_id = await create(connection, values=values, role=Role.CUSTOMER, now=now)
        session_id = await sessions.open_session(
            connection,
            user_id=user_id,
            token_hash=tokens.digest(refresh_token),
            client=client,
            expires_at=now + SESSION_LIFETIME,
            now=now,
        )
        await outbox.add(connection, Topic.VERIFY_EMAIL, {"user_id": str(user_id)}, now=now)
        await audit.note(
            connection, "register", actor_id=user_id, subject_id=user_id, address=client.address, now=now
        )
    access_token = tokens.issue_access(user_id=user_id, session_id=session_id, now=now)
    return SignedIn(user_id, session_id, access_token, refresh_token)


async def create(connection: AsyncConnection, *, values: dict[str, Any], role: Role, now: datetime) -> UUID:
    """The rows that every account has: itself, its free subscription, the event of its beginning."""
    if await authors.by_username_key(connection, values["username_key"]) is not None:
        raise Conflict("This username is an author's: choose another.", field="username")
    user_id = await accounts.create(connection, values={**values, "role": role, "tier": Tier.FREE}, now=now)
    period = monthly_period(anchor=now, now=now)
    await subscriptions.start(
        connection, user_id=user_id, tier=Tier.FREE, anchor_at=now, period=period, now=now
    )
    await quotas.record_registration(connection, user_id=user_id, now=now)
    return user_id


async def create_with_role(
    *,
    database: Database,
    passwords: Passwords,
    email: str,
    username: str,
    password: str,
    role: Role,
    production: bool,
    now: datetime,
) -> UUID:
    """An account made by an operator, its address taken as verified. Raises InvalidInput, Conflict."""
    values = _identity(email=email, username=username)
    password = identity.check_password(
        password, production=production, email=values["email"], username=username
    )
    values |= {"password_hash": await passwords.hash(password), "email_verified_at": now}
    async with database.transaction() as connection:
        user_id = await create(connection, values=values, role=role, now=now)
        if role is Role.AUTHOR:
            await authors.ensure(connection, user_id=user_id, username=values["username"], now=now)
        await audit.note(connection, "create_account", actor_id=None, subject_id=user_id, now=now, role=role)
    return user_id


def _identity(*, email: str, username: str) -> dict[str, Any]:
    display, key = identity.username(username)
    return {"email": identity.normalise_email(email), "username": display, "username_key": key}


async def update_profile(
    *,
    database: Database,
    user_id: UUID,
    username: str | None,
    email: str | None,
    display_name: str | None,
    now: datetime,
) -> None:
    """Changes what is given; a new address must be verified anew, and the old one is told.

    Raises InvalidInput, Conflict.
    """
    values: dict[str, Any] = {}
    if username is not None:
        values["username"], values["username_key"] = identity.username(username)
    if display_name is not None:
        values["display_name"] = (
            slugs.clean_line(display_name, field="displayName", limit=100, minimum=0) or None
        )
    async with database.transaction() as connection:
        user = await accounts.by_id(connection, user_id)
        new_email = identity.normalise_email(email) if email is not None else None
        if user is not None and new_email not in (None, user.email):
            values |= {"email": new_email, "email_verified_at": None}
            told = {"username": user.username, "email": user.email}
            await outbox.add(connection, Topic.EMAIL_CHANGED, told, now=now)
            await outbox.add(connection, Topic.VERIFY_EMAIL, {"user_id": str(user_id)}, now=now)
        if values:
            await accounts.change(connection, user_id, values=values, now=now)
            await _tell_provider(connection, user_id, now=now)
            if username is not None:
                await authors.rename(connection, user_id, username=values["username"])
            await audit.note(
                connection,
                "update_profile",
                actor_id=user_id,
                subject_id=user_id,
                now=now,
                changed=sorted(values),
            )


async def _tell_provider(connection: AsyncConnection, user_id: UUID, *, now: datetime) -> None:
    """Asked after the change, whose lock lets nobody become a customer in between."""
    user = await customers.of_user(connection, user_id)
    if user is not None and user.stripe_customer_id is not None:
        await outbox.add(connection, Topic.CUSTOMER_CHANGED, {"user_id": str(user_id)}, now=now)


async def verify_email(*, database: Database, tokens: Tokens, token: str, now: datetime) -> UUID:
    """Takes the mailed link; the account's id. Raises InvalidToken."""
    async with database.transaction() as connection:
        link = await sessions.use_link(
            connection, token_hashes=tokens.digests(token), purpose=LinkPurpose.VERIFY_EMAIL, now=now
        )
        if link is None:
            raise InvalidToken
        if (await accounts.hold(connection, link.user_id)).email != link.email:
            raise InvalidToken  # the address changed while the link was taken
        await accounts.change(connection, link.user_id, values={"email_verified_at": now}, now=now)
    return link.user_id  # type: ignore[no-any-return]  # a row's columns are not typed


async def delete(
    *, database: Database, passwords: Passwords, user_id: UUID, password: str, now: datetime
) -> None:
    """Anonymises the account, ends its sessions and keys, keeps the books. Raises InvalidCredentials.

    What it pays for at the provider is ended there by a job.
    """
    async with database.read() as connection:
        user = await accounts.by_id(connection, user_id)
        hashed = await accounts.password_hash(connection, user_id)
        subjects = sign_in_guards.subjects_of(user.email if user else "")
        until = await sign_in_guards.locked_until(connection, subjects, now=now)
    if until is not None:
        raise AccountLocked(until=until)
    right, _ = await passwords.verify(password, hashed)
    async with database.transaction() as connection:
        refusal = await sign_in_guards.settle(connection, subjects, right=right, now=now)
        if refusal is None:
            await _close(connection, user_id, verified=hashed, now=now)
    if refusal is not None:
        raise refusal


async def _close(connection: AsyncConnection, user_id: UUID, *, verified: str | None, now: datetime) -> None:
    if (await accounts.hold(connection, user_id)).password_hash != verified:
        raise InvalidCredentials  # it was changed while this was under way
    await sessions.revoke_all(connection, user_id, reason="account deleted", now=now)
    await sessions.forget_person(connection, user_id)
    await api_keys.revoke_all(connection, user_id, now=now)
    await authors.anonymise(connection, user_id)
    await subscriptions.end_free(connection, user_id, now=now)
    await payments.check_soon(connection, user_id=user_id, now=now)
    customer = await customers.of_user(connection, user_id)
    if customer is not None and customer.stripe_customer_id is not None:
        ended = {"customer_id": customer.stripe_customer_id}
        await outbox.add(connection, Topic.ACCOUNT_ENDED, ended, now=now)
    await accounts.anonymise(connection, user_id, now=now)
    await audit.note(connection, "delete_account", actor_id=user_id, subject_id=user_id, now=now)
