"""Accounts and sessions: decode, call one use case, wrap."""

from typing import Annotated
from uuid import UUID

import strawberry
from strawberry import Info

from app.auth import prove
from app.context import Context
from app.domain.accounts import Client
from app.domain.api_keys import Scope
from app.domain.errors import InvalidToken
from app.schema.access import readable
from app.schema.accounts import User
from app.schema.sign_in import (
    ChangePasswordInput,
    ChangePasswordPayload,
    DeleteAccountInput,
    DeleteAccountPayload,
    LoginInput,
    LoginPayload,
    LogoutInput,
    LogoutPayload,
    RefreshSessionInput,
    RefreshSessionPayload,
    RegisterInput,
    RegisterPayload,
    RequestPasswordResetInput,
    RequestPasswordResetPayload,
    ResetPasswordInput,
    ResetPasswordPayload,
    TokenValidity,
    UpdateProfileInput,
    UpdateProfilePayload,
    VerifyEmailInput,
    VerifyEmailPayload,
)
from app.schema.subscriptions import Subscription
from app.services import accounts, passwords, sessions

Request = Info[Context, None]


async def viewer(info: Request) -> User | None:
    return await _user(info.context, info.context.me.user_id)


async def register(info: Request, input: RegisterInput) -> RegisterPayload | None:
    context = info.context
    session = await accounts.register(
        database=context.deps.database,
        passwords=context.deps.passwords,
        tokens=context.deps.tokens,
        email=input.email,
        username=input.username,
        password=input.password,
        client=_client(context),
        production=context.deps.production,
        now=context.now,
    )
    return RegisterPayload.of(session, await _user(context, session.user_id, proven=True))


async def login(info: Request, input: LoginInput) -> LoginPayload | None:
    context = info.context
    session = await sessions.login(
        database=context.deps.database,
        passwords=context.deps.passwords,
        tokens=context.deps.tokens,
        email=input.email,
        password=input.password,
        client=_client(context),
        now=context.now,
    )
    return LoginPayload.of(session, await _user(context, session.user_id, proven=True))


async def refresh_session(info: Request, input: RefreshSessionInput) -> RefreshSessionPayload | None:
    context = info.context
    session = await sessions.refresh(
        database=context.deps.database,
        tokens=context.deps.tokens,
        refresh_token=input.refresh_token,
        now=context.now,
    )
    return RefreshSessionPayload.of(session, await _user(context, session.user_id, proven=True))


async def logout(info: Request, input: LogoutInput | None = None) -> LogoutPayload | None:
    context, given = info.context, input or LogoutInput()
    await sessions.logout(
        database=context.deps.database,
        tokens=context.deps.tokens,
        user_id=context.viewer.user_id if context.viewer else None,
        session_id=context.viewer.session_id if context.viewer else None,
        refresh_token=given.refresh_token,
        everywhere=given.everywhere,
        now=context.now,
    )
    return LogoutPayload(done=True)


async def change_password(info: Request, input: ChangePasswordInput) -> ChangePasswordPayload | None:
    context = info.context
    await passwords.change(
        database=context.deps.database,
        passwords=context.deps.passwords,
        user_id=context.me.user_id,
        session_id=context.me.session_id,
        current=input.current_password,
        new=input.new_password,
        production=context.deps.production,
        now=context.now,
    )
    return ChangePasswordPayload(user=await _user(context, context.me.user_id))


async def request_password_reset(
    info: Request, input: RequestPasswordResetInput
) -> RequestPasswordResetPayload | None:
    await passwords.request_reset(
        database=info.context.deps.database, email=input.email, now=info.context.now
    )
    return RequestPasswordResetPayload(done=True)


async def reset_password(info: Request, input: ResetPasswordInput) -> ResetPasswordPayload | None:
    context = info.context
    await passwords.reset(
        database=context.deps.database,
        passwords=context.deps.passwords,
        tokens=context.deps.tokens,
        token=input.token,
        new=input.new_password,
        production=context.deps.production,
        now=context.now,
    )
    return ResetPasswordPayload(done=True)


async def verify_email(info: Request, input: VerifyEmailInput) -> VerifyEmailPayload | None:
    context = info.context
    user_id = await accounts.verify_email(
        database=context.deps.database, tokens=context.deps.tokens, token=input.token, now=context.now
    )
    return VerifyEmailPayload(user=await _user(context, user_id, proven=True))


async def update_profile(info: Request, input: UpdateProfileInput) -> UpdateProfilePayload | None:
    context = info.context
    await accounts.update_profile(
        database=context.deps.database,
        user_id=context.me.user_id,
        username=input.username,
        email=input.email,
        display_name=input.display_name,
        now=context.now,
    )
    return UpdateProfilePayload(user=await _user(context, context.me.user_id))


async def delete_account(info: Request, input: DeleteAccountInput) -> DeleteAccountPayload | None:
    context = info.context
    await accounts.delete(
        database=context.deps.database,
        passwords=context.deps.passwords,
        user_id=context.me.user_id,
        password=input.password,
        now=context.now,
    )
    return DeleteAccountPayload(done=True)


async def validate_token(
    info: Request, token: Annotated[str, strawberry.argument(description="An access token or an API key.")]
) -> TokenValidity:
    """The answer never says why a token is not good."""
    try:
        proof = await prove(info.context.deps, token, now=info.context.now)
    except InvalidToken:
        return TokenValidity(valid=False)
    row = await info.context.loaders.accounts.users.load(proof.viewer.user_id)
    user = User.from_row(row, proven=proof.viewer.may(Scope.READ)) if row else None
    return TokenValidity(valid=user is not None, user=user, expires_at=proof.expires_at)


async def load_users(context: Context, ids: list[UUID]) -> list[User | None]:
    return readable(context.viewer, await context.loaders.accounts.users(ids), User.from_row, owner="id")


async def load_subscriptions(context: Context, ids: list[UUID]) -> list[Subscription | None]:
    rows = await context.loaders.accounts.subscriptions(ids)
    return readable(context.viewer, rows, lambda row: Subscription.at(row, context.now))


async def _user(context: Context, user_id: UUID, *, proven: bool = False) -> User:
    row = await context.loaders.accounts.users.load(user_id)
    if row is None:
        raise InvalidToken("This account has ended.")
    return User.from_row(row, proven=proven)


def _client(context: Context) -> Client:
    return Client(address=context.address, user_agent=context.user_agent)
