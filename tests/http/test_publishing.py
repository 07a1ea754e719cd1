"""An author's way over HTTP: becoming one, sending files, publishing; and what is refused on it."""

import asyncio
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from app.db.models import Package, PackageFile, Upload, UsageCounter
from app.domain.api_keys import Role
from app.transfers import uploads
from tests.support.clients import Account, Answer, Api, make_key, sign_up, sign_up_as

CONTENT = b"PK" + b"\x00\xff" * 499_999  # a megabyte: more than other bodies may have
BECOME = "mutation { becomeAuthor { user { username role } errors { code message path } } }"
ANNOUNCE = """mutation($input: CreateUploadInput!) { createUpload(input: $input) {
    upload { id url expiresAt }
    errors { code message path ... on QuotaExceeded { resource used limit resetsAt } } } }"""
PUBLISH = """mutation($input: PublishPackageInput!) { publishPackage(input: $input) {
    package { id slug status price { amountCents currency formatted } author { username } tags readme
        latestVersion { id version changelog files { path sha256 sizeBytes mediaType } } }
    errors { code message path } } }"""
VERSION = """mutation($input: PublishVersionInput!) { publishVersion(input: $input) {
    version { version changelog } package { latestVersion { version } } errors { code message path } } }"""
UPDATE = """mutation($input: UpdatePackageInput!) { updatePackage(input: $input) {
    package { name status } errors { code message path ... on InvalidState { state action } } } }"""
YANK = """mutation($input: YankVersionInput!) { yankVersion(input: $input) {
    version { status yankReason } package { latestVersion { version } } errors { code message path } } }"""
PACKAGE = {
    "slug": "invoice-pdf",
    "name": "Invoice PDF",
    "description": "Invoices.",
    "readme": "# Use",
    "license": "MIT",
    "categories": ["documents"],
    "tags": ["pdf"],
    "priceCents": 1900,
}


async def announce(account: Account, content: bytes = CONTENT, **given: Any) -> Any:
    values = {"filename": "a.zip", "sizeBytes": len(content), "mediaType": "application/zip", **given}
    made = (await account.api(ANNOUNCE, input=values)).payload()
    assert made["errors"] == []
    return made["upload"]


async def send(api: Api, upload: Any, content: Any = CONTENT, **headers: str) -> Answer:
    path = upload["url"].removeprefix(api.deps.base_url)
    return Answer(await api.http.put(path, content=content, headers=headers))


async def uploaded(account: Account, content: bytes = CONTENT) -> str:
    upload = await announce(account, content)
    assert (await send(account.api, upload, content)).response.status_code == 201
    return str(upload["id"])


async def counted(api: Api, model: Any) -> int:
    async with api.deps.database.read() as connection:
        return (await connection.execute(select(func.count()).select_from(model))).scalar_one()


def stored(tmp_path: Path) -> list[bytes]:
    folder = tmp_path / "var" / "storage"
    return [path.read_bytes() for path in folder.rglob("*") if path.is_file()]


def break_store(tmp_path: Path) -> None:
    folder = tmp_path / "var" / "storage"
    folder.rename(folder.with_name("away"))
    folder.touch()


async def test_from_customer_to_published_package(api: Api, tmp_path: Path) -> None:
    ada = await sign_up(api, name="Ada")
    assert (await ada.api(ANNOUNCE, input={"filename": "a", "sizeBytes": 1})).code == "FORBIDDEN"
    assert (await ada.api(BECOME)).payload() == {"user": {"username": "Ada", "role": "AUTHOR"}, "errors": []}

    upload = await announce(ada, sha256=sha256(CONTENT).hexdigest())
    assert upload["expiresAt"] == "2026-11-22T13:00:00.000Z"
    answer = await send(api, upload)
    assert answer.response.status_code == 201
    assert answer.response.json() == {
        "upload": {"id": upload["id"], "sizeBytes": 1_000_000, "sha256": sha256(CONTENT).hexdigest()}
    }
    assert stored(tmp_path) == [CONTENT]

    version = {
        "version": "1.0.0",
        "changelog": "First.",
        "files": [{"uploadId": upload["id"], "path": "dist/a.zip"}],
    }
    made = (await ada.api(PUBLISH, input={**PACKAGE, "version": version})).payload()
    assert made["errors"] == []
    package = made["package"]
    version_id = package["latestVersion"].pop("id")
    assert package == {
        "id": package["id"],
        "slug": "invoice-pdf",
        "status": "PUBLISHED",
        "price": {"amountCents": 1900, "currency": "USD", "formatted": "$19.00"},
        "author": {"username": "Ada"},
        "tags": ["pdf"],
        "readme": "# Use",
        "latestVersion": {
            "version": "1.0.0",
            "changelog": "First.",
            "files": [
                {
                    "path": "dist/a.zip",
                    "sha256": sha256(CONTENT).hexdigest(),
                    "sizeBytes": 1_000_000,
                    "mediaType": "application/zip",
                }
            ],
        },
    }

    files = [{"uploadId": await uploaded(ada, b"newer"), "path": "dist/a.zip"}]
    added = (
        await ada.api(VERSION, input={"packageId": package["id"], "version": "1.1.0", "files": files})
    ).payload()
    assert added == {
        "version": {"version": "1.1.0", "changelog": ""},
        "package": {"latestVersion": {"version": "1.1.0"}},
        "errors": [],
    }
    changed = await ada.api(UPDATE, input={"packageId": package["id"], "name": "Bill", "action": "DEPRECATE"})
    assert changed.payload() == {"package": {"name": "Bill", "status": "DEPRECATED"}, "errors": []}
    again = await ada.api(UPDATE, input={"packageId": package["id"], "action": "DEPRECATE"})
    (error,) = again.payload()["errors"]
    assert (error["code"], error["state"], error["action"]) == ("INVALID_STATE", "deprecated", "deprecate")
    yanked = await ada.api(YANK, input={"versionId": version_id, "reason": "Wrong tax."})
    assert yanked.payload() == {
        "version": {"status": "YANKED", "yankReason": "Wrong tax."},
        "package": {"latestVersion": {"version": "1.1.0"}},
        "errors": [],
    }


async def test_no_other_than_an_author_publishes(api: Api) -> None:
    """Anonymous, a customer, a key without the scope, another author: nothing is written by any of them."""
    ada = await sign_up_as(api, Role.AUTHOR)
    made = (await ada.api(PUBLISH, input=PACKAGE)).payload()["package"]
    other = await sign_up_as(api, Role.AUTHOR)
    reader = await make_key(ada, "READ", "WRITE")
    publisher = await make_key(ada, "PUBLISH")
    version = {"packageId": made["id"], "version": "1.0.0", "files": []}
    inputs = {
        ANNOUNCE: {"filename": "a", "sizeBytes": 1},
        PUBLISH: {**PACKAGE, "slug": "another-one"},
        VERSION: version,
        UPDATE: {"packageId": made["id"], "name": "Mine"},
        YANK: {"versionId": made["id"], "reason": "None."},
    }
    customer = await sign_up(api)
    for document, given in inputs.items():
        assert (await api(document, input=given)).code == "UNAUTHENTICATED"
        assert (await customer.api(document, input=given)).code == "FORBIDDEN"
        assert (await api.as_(reader)(document, input=given)).code == "FORBIDDEN"
    assert (await api(BECOME)).code == "UNAUTHENTICATED"
    assert (await api.as_(publisher)(BECOME)).code == "FORBIDDEN"
    refused = (await other.api(UPDATE, input=inputs[UPDATE])).payload()
    assert [error["code"] for error in refused["errors"]] == ["NOT_FOUND"]
    assert (await counted(api, Package), await counted(api, Upload)) == (1, 0)
    by_key = await api.as_(publisher)(UPDATE, input=inputs[UPDATE])
    assert by_key.payload()["package"]["name"] == "Mine"


@pytest.mark.parametrize(
    ("document", "given", "path"),
    [
        (PUBLISH, {**PACKAGE, "slug": "../x"}, ["input", "slug"]),
        (PUBLISH, {**PACKAGE, "priceCents": 2**53 - 1}, ["input", "priceCents"]),
        (VERSION, {"packageId": "no id", "version": "1.0.0", "files": []}, ["input", "packageId"]),
        (UPDATE, {"packageId": "VXNlcjowMTIzNDU2Nzg5YWJjZGVm"}, ["input", "packageId"]),
        (YANK, {"versionId": "", "reason": "x"}, ["input", "versionId"]),
        (ANNOUNCE, {"filename": "a/b", "sizeBytes": 1}, ["input", "filename"]),
        (ANNOUNCE, {"filename": "a", "sizeBytes": 500_000_001}, ["input", "sizeBytes"]),
    ],
)
async def test_unfit_input_is_told_with_its_place(
    api: Api, document: str, given: dict[str, Any], path: list[str]
) -> None:
    ada = await sign_up_as(api, Role.AUTHOR)
    (error,) = (await ada.api(document, input=given)).payload()["errors"]
    assert (error["code"], error["path"]) == ("BAD_USER_INPUT", path)
    assert (await counted(api, Package), await counted(api, Upload)) == (0, 0)


async def test_an_id_of_something_else_is_no_upload(api: Api) -> None:
    ada = await sign_up_as(api, Role.AUTHOR)
    version = {"version": "1.0.0", "files": [{"uploadId": ada.id, "path": "a"}]}
    (error,) = (await ada.api(PUBLISH, input={**PACKAGE, "version": version})).payload()["errors"]
    assert (error["code"], error["path"]) == ("BAD_USER_INPUT", ["input", "files"])
    assert await counted(api, Package) == 0


async def test_the_plan_limits_storage(api: Api) -> None:
    ada = await sign_up_as(api, Role.AUTHOR)
    for _ in range(2):
        await announce(ada, sizeBytes=500_000_000)
    (error,) = (await ada.api(ANNOUNCE, input={"filename": "a", "sizeBytes": 100_000_000})).payload()[
        "errors"
    ]
    assert error["code"] == "QUOTA_EXCEEDED"
    assert (error["resource"], error["used"], error["resetsAt"]) == ("STORAGE_BYTES", 1_000_000_000, None)
    assert await counted(api, Upload) == 2


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (CONTENT + b"x", 413, "BAD_USER_INPUT"),
        (CONTENT[:-1], 400, "BAD_USER_INPUT"),
        (b"", 400, "BAD_USER_INPUT"),
        (CONTENT[:-1] + b"?", 400, "BAD_USER_INPUT"),
    ],
)
@pytest.mark.parametrize("chunked", [True, False])
async def test_other_bytes_are_refused_and_may_be_sent_again(
    api: Api, tmp_path: Path, content: bytes, status: int, code: str, chunked: bool
) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for at in range(0, len(content), 65_536):
            yield content[at : at + 65_536]

    ada = await sign_up_as(api, Role.AUTHOR)
    upload = await announce(ada, sha256=sha256(CONTENT).hexdigest())
    answer = await send(api, upload, pieces() if chunked else content)
    assert (answer.response.status_code, answer.code) == (status, code)
    assert answer.response.headers["connection"] == "close"
    assert stored(tmp_path) == []
    assert (await send(api, upload)).response.status_code == 201
    gone = await send(api, upload)
    assert (gone.response.status_code, gone.code) == (410, "INVALID_TOKEN")
    assert stored(tmp_path) == [CONTENT]


async def test_links_that_are_none_or_too_old(api: Api, tmp_path: Path) -> None:
    ada = await sign_up_as(api, Role.AUTHOR)
    upload = await announce(ada)
    unknown = await send(api, {"url": f"{api.deps.base_url}/uploads/unknown"})
    assert (unknown.response.status_code, unknown.code) == (410, "INVALID_TOKEN")
    api.clock.forward(hours=1)
    late = await send(api, upload)
    assert (late.response.status_code, late.code) == (410, "INVALID_TOKEN")
    assert (await api.http.get("/uploads/unknown")).status_code == 405
    assert stored(tmp_path) == []


async def test_a_length_that_is_no_number(api: Api, tmp_path: Path) -> None:
    ada = await sign_up_as(api, Role.AUTHOR)
    upload = await announce(ada)
    for length in ("9" * 5_000, "-1", "²"):
        answer = await call(api, upload, [(b"content-length", length.encode())], [])
        assert answer in (400, 413)
    assert stored(tmp_path) == []


async def call(
    api: Api, upload: Any, headers: list[tuple[bytes, bytes]], messages: list[dict[str, Any]]
) -> int | None:
    """The application as a server calls it, with a client that goes away after these messages."""
    waiting, sent = [*messages, {"type": "http.disconnect"}], []

    async def receive() -> dict[str, Any]:
        return waiting.pop(0) if len(waiting) > 1 else waiting[0]

    async def deliver(message: Any) -> None:
        sent.append(message)

    path = upload["url"].removeprefix(api.deps.base_url)
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "PUT",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": headers,
        "client": ("127.0.0.1", 50_000),
        "server": ("test", 80),
    }
    await api.app(scope, receive, deliver)
    return next((message["status"] for message in sent if message["type"] == "http.response.start"), None)


async def test_a_client_that_goes_away_leaves_nothing(api: Api, tmp_path: Path) -> None:
    ada = await sign_up_as(api, Role.AUTHOR)
    upload = await announce(ada)
    part = {"type": "http.request", "body": CONTENT[:500_000], "more_body": True}
    await call(api, upload, [(b"content-length", b"1000000")], [part])
    assert stored(tmp_path) == []
    assert (await send(api, upload)).response.status_code == 201
    assert stored(tmp_path) == [CONTENT]


async def test_a_client_that_falls_silent_is_let_go(
    api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "IDLE_SECONDS", 0.05)

    async def stalling() -> AsyncIterator[bytes]:
        yield CONTENT[:10]
        await asyncio.sleep(30)

    ada = await sign_up_as(api, Role.AUTHOR)
    upload = await announce(ada)
    answer = await send(api, upload, stalling())
    assert (answer.response.status_code, answer.code) == (400, "BAD_USER_INPUT")
    assert stored(tmp_path) == []


async def test_a_store_that_fails_is_told(api: Api, tmp_path: Path) -> None:
    ada = await sign_up_as(api, Role.AUTHOR)
    upload = await announce(ada)
    break_store(tmp_path)
    answer = await send(api, upload)
    assert (answer.response.status_code, answer.code) == (503, "SERVICE_UNAVAILABLE")
    async with api.deps.database.read() as connection:
        assert (await connection.execute(select(UsageCounter.reserved))).scalars().all().count(1_000_000) == 1
        assert (await connection.execute(select(Upload.state))).scalars().all() == ["announced"]
    assert await counted(api, PackageFile) == 0
