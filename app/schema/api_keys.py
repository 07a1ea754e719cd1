"""API keys: the type, the inputs, the payloads."""

from datetime import datetime

import strawberry

from app.schema.enums import Scope
from app.schema.node import Node
from app.schema.payloads import Payload
from app.schema.views import View, view


@view(scopes=lambda row: [Scope(scope) for scope in row.scopes])
@strawberry.type(description="A key for programs; its secret is shown once, when it is made.")
class ApiKey(View, Node):
    name: str = strawberry.field(description="What its owner calls it.")
    prefix: str = strawberry.field(description="How the secret begins, to tell keys apart.")
    scopes: list[Scope] = strawberry.field(description="What it may do.")
    created_at: datetime = strawberry.field(description="When it was made.")
    expires_at: datetime | None = strawberry.field(description="When it ends by itself; null: never.")
    revoked_at: datetime | None = strawberry.field(description="When it was revoked.")
    last_used_at: datetime | None = strawberry.field(description="Its last use, a few seconds late.")


@strawberry.input(description="A new API key.")
class CreateApiKeyInput:
    name: str = strawberry.field(description="What the key is for, up to 100 characters.")
    scopes: list[Scope] = strawberry.field(
        description="What it may do: at least one scope, all of them yours."
    )
    expires_at: datetime | None = strawberry.field(
        default=None,
        description="When it ends by itself: a key made by a key ends with that one at the latest.",
    )


@strawberry.type(description="The new key.")
class CreateApiKeyPayload(Payload):
    key: str | None = strawberry.field(default=None, description="The secret: shown now and never again.")
    api_key: ApiKey | None = strawberry.field(default=None, description="The key as it will be listed.")


@strawberry.input(description="A new secret for an API key.")
class RotateApiKeyInput:
    id: strawberry.ID = strawberry.field(description="The key to replace.")
    overlap_seconds: int = strawberry.field(
        default=86_400, description="How long the old secret still works: 0 to 604,800 seconds."
    )


@strawberry.type(description="The key that replaces the old one.")
class RotateApiKeyPayload(Payload):
    key: str | None = strawberry.field(default=None, description="The secret: shown now and never again.")
    api_key: ApiKey | None = strawberry.field(default=None, description="The new key.")


@strawberry.input(description="The key to revoke.")
class RevokeApiKeyInput:
    id: strawberry.ID = strawberry.field(description="The key's id.")


@strawberry.type(description="The revoked key.")
class RevokeApiKeyPayload(Payload):
    api_key: ApiKey | None = strawberry.field(default=None, description="The key, ended.")
