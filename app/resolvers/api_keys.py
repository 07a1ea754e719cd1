"""API keys: decode, call one use case, wrap."""

from datetime import timedelta
from uuid import UUID

from strawberry import Info

from app.context import Context
from app.db.repositories import api_keys as repository
from app.domain.api_keys import Scope
from app.domain.errors import NotFound
from app.schema.access import readable
from app.schema.api_keys import (
    ApiKey,
    CreateApiKeyInput,
    CreateApiKeyPayload,
    RevokeApiKeyInput,
    RevokeApiKeyPayload,
    RotateApiKeyInput,
    RotateApiKeyPayload,
)
from app.schema.node import read_id
from app.services import api_keys

Request = Info[Context, None]


async def create_api_key(info: Request, input: CreateApiKeyInput) -> CreateApiKeyPayload | None:
    context = info.context
    made = await api_keys.create(
        database=context.deps.database,
        tokens=context.deps.tokens,
        viewer=context.me,
        name=input.name,
        scopes=frozenset(Scope(scope) for scope in input.scopes),
        expires_at=input.expires_at,
        now=context.now,
    )
    return CreateApiKeyPayload(key=made.secret, api_key=await _api_key(context, made.id))


async def rotate_api_key(info: Request, input: RotateApiKeyInput) -> RotateApiKeyPayload | None:
    context = info.context
    made = await api_keys.rotate(
        database=context.deps.database,
        tokens=context.deps.tokens,
        viewer=context.me,
        key_id=read_id(input.id, of=ApiKey, field="id"),
        overlap=timedelta(seconds=input.overlap_seconds),
        now=context.now,
    )
    return RotateApiKeyPayload(key=made.secret, api_key=await _api_key(context, made.id))


async def revoke_api_key(info: Request, input: RevokeApiKeyInput) -> RevokeApiKeyPayload | None:
    context = info.context
    key_id = read_id(input.id, of=ApiKey, field="id")
    await api_keys.revoke(database=context.deps.database, viewer=context.me, key_id=key_id, now=context.now)
    return RevokeApiKeyPayload(api_key=await _api_key(context, key_id))


async def load_api_keys(context: Context, ids: list[UUID]) -> list[ApiKey | None]:
    return readable(context.viewer, await context.loaders.accounts.api_keys(ids), ApiKey.from_row)


async def _api_key(context: Context, key_id: UUID) -> ApiKey:
    async with context.deps.database.read() as connection:
        row = await repository.by_id(connection, key_id=key_id, user_id=context.me.user_id)
    if row is None:
        raise NotFound("An API key of yours with this id")
    return ApiKey.from_row(row)
