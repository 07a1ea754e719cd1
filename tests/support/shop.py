"""A shop with one package and one owner, and the endpoint of its download links."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import httpx
from sqlalchemy import select
from starlette.applications import Starlette

from app.context import Deps
from app.db.database import Database
from app.db.models import Download, Package, UsageCounter
from app.domain.plans import Kind, Plan, Resource, Tier
from app.domain.viewer import Allowance
from app.gateways.keyring import Keyring
from app.gateways.licences import Ed25519Signer
from app.gateways.tokens import KeyedTokens
from app.ports import StorageError
from app.services import downloads
from app.services.downloads import NewDownload
from app.transfers import downloads as transfers
from app.transfers import licence_keys
from tests.support.factories import (
    NOW,
    make_file,
    make_package,
    make_purchase,
    make_user,
    make_version,
    viewer_of,
)

TOKENS = KeyedTokens(Keyring(["s" * 40]))
CONTENT = bytes(range(256)) * 40
SHA = hashlib.sha256(CONTENT).hexdigest()
CHUNK = 1000


@dataclass
class Store:
    """A store of one file that gives small chunks; ``gate`` holds each chunk after the first back."""

    content: bytes = CONTENT
    fails_at: int | None = None
    gate: asyncio.Event | None = None
    given: int = 0
    closed: int = 0

    async def get(self, key: str, *, start: int, end: int) -> AsyncIterator[bytes]:
        try:
            for at in range(start, end, CHUNK):
                if self.fails_at is not None and at >= self.fails_at:
                    raise StorageError(key)
                if self.gate is not None and at > start:
                    await self.gate.wait()
                self.given += 1
                yield self.content[at : min(at + CHUNK, end)]
        finally:
            self.closed += 1


@dataclass
class Shop:
    """An owner of a package with one file, and a server of its links."""

    database: Database
    user: SimpleNamespace
    package: SimpleNamespace
    version: SimpleNamespace
    purchase: SimpleNamespace
    store: Store = field(default_factory=Store)
    now: datetime = NOW
    slots: int | None = 2

    @property
    def allowance(self) -> Allowance:
        return Allowance(self.user.id, self.limits, NOW)

    @property
    def limits(self) -> dict[Resource, int | None]:
        return {each: self.slots if each.kind is Kind.GAUGE else 1000 for each in Resource}

    def deps(self) -> Deps:
        unused: Any = None
        return Deps(
            database=self.database,
            calls=unused,
            tokens=TOKENS,
            passwords=unused,
            limiter=unused,
            mailer=unused,
            store=self.store,  # type: ignore[arg-type]  # reading is all that downloads do
            signer=Ed25519Signer(bytes(32)),
            printer=unused,
            plans={tier: Plan(tier, "", "", None, self.limits) for tier in Tier},
            commission=unused,
            last_used=unused,
            clock=lambda: self.now,
            base_url="http://shop.test",
            production=False,
            max_upload_bytes=0,
        )

    async def link(self, **given: Any) -> NewDownload:
        return await downloads.create(
            **{
                "database": self.database,
                "tokens": TOKENS,
                "viewer": viewer_of(self.user),
                "allowance": self.allowance,
                "package_id": self.package.id,
                "version": "1.0.0",
                "path": None,
                "base_url": "http://shop.test",
                "now": self.now,
                **given,
            }
        )

    def client(self) -> httpx.AsyncClient:
        app = Starlette(routes=[*transfers.routes(self.deps()), *licence_keys.routes(self.deps())])
        return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://shop.test")

    async def get(self, url: str, method: str = "GET", **headers: str) -> httpx.Response:
        async with self.client() as client:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            return await client.request(method, url, headers=named)

    async def row(self) -> Any:
        """The only link."""
        [row] = await rows(self.database, Download)
        return row

    async def downloads(self) -> int:
        return int((await rows(self.database, Package))[0].downloads)

    async def reserved(self) -> int:
        return sum(
            row.reserved
            for row in await rows(self.database, UsageCounter)
            if row.resource == Resource.CONCURRENT_INSTALLATION
        )


async def rows(database: Database, model: Any) -> list[Any]:
    async with database.read() as connection:
        return list((await connection.execute(select(*model.__table__.columns))).all())


async def open_shop(database: Database) -> Shop:
    user, package = await make_user(database), await make_package(database, slug="theme")
    version = await make_version(database, package=package, with_file=False)
    await make_file(database, version=version, content=CONTENT, path='dist/thème "1".zip')
    purchase = await make_purchase(database, user=user, package=package, version=version)
    return Shop(database, user, package, version, purchase)
