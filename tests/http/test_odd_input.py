"""Odd input to what writes: control characters, look-alikes and giants are refused with a code, never a failure."""

from typing import Any

import pytest

from app.domain.api_keys import Role
from tests.support.clients import Api, sign_up_as

VALUES: list[Any] = [
    None,
    0,
    "",
    "\x00",
    "a\x00b",
    "1.0.0\x00",
    "a\nb\x1b",
    "\u202e",
    "раураl",  # Cyrillic
    "1.0.0",
    "١.٠.٠",  # Arabic digits, which are decimal to str.isdigit
    "%00",
    "x" * 10_000,
]
VERSION = '{version: "1.0.0", changelog: "", files: [{uploadId: $id, path: $v}]}'
DOCUMENTS = {
    "createDownload.file": "createDownload(input: {packageId: $id, file: $v})",
    "createDownload.version": "createDownload(input: {packageId: $id, version: $v, file: $v})",
    "createUpload": "createUpload(input: {filename: $v, sizeBytes: 3, mediaType: $v, sha256: $v})",
    "createUpload.sha256": 'createUpload(input: {filename: "a", sizeBytes: 3, sha256: $v})',
    "createUpload.mediaType": 'createUpload(input: {filename: "a", sizeBytes: 3, mediaType: $v})',
    "reviewPackage": "reviewPackage(input: {packageId: $id, rating: 5, title: $v, body: $v})",
    "reviewPackage.body": "reviewPackage(input: {packageId: $id, rating: 5, body: $v})",
    "purchasePackage.version": 'purchasePackage(input: {packageId: $id, version: $v, idempotencyKey: "k"})',
    "purchasePackage.key": "purchasePackage(input: {packageId: $id, idempotencyKey: $v})",
    "publishPackage": "publishPackage(input: {slug: $v, name: $v, description: $v, readme: $v, license: $v})",
    "publishPackage.texts": 'publishPackage(input: {slug: "s-s", name: $v, description: $v, license: "MIT"})',
    "publishPackage.labels": 'publishPackage(input: {slug: "s-t", name: "n", description: "d", license: "MIT",'
    " categories: [$v], tags: [$v], currency: $v})",
    "publishPackage.file": 'publishPackage(input: {slug: "s-u", name: "n", description: "d", license: "MIT",'
    f" version: {VERSION}}})",
    "publishVersion": "publishVersion(input: {packageId: $id, version: $v, changelog: $v, files: []})",
    "publishVersion.file": 'publishVersion(input: {packageId: $id, version: "2.0.0", changelog: $v,'
    " files: [{uploadId: $id, path: $v}]})",
    "updatePackage": "updatePackage(input: {packageId: $id, name: $v, description: $v, readme: $v,"
    " license: $v, categories: [$v], tags: [$v], currency: $v})",
    "updatePackage.readme": "updatePackage(input: {packageId: $id, readme: $v})",
    "yankVersion": "yankVersion(input: {versionId: $version, reason: $v})",
    "verifyEmail": "verifyEmail(input: {token: $v})",
    "deleteAccount": "deleteAccount(input: {password: $v})",
    "changePassword": "changePassword(input: {currentPassword: $v, newPassword: $v})",
    "ids": "createDownload(input: {packageId: $w})",
}
RECORD = """mutation($v: String!, $w: ID!) { recordUsage(input: {events: [
    {eventId: $v, userId: $w, resource: API_CALL, amount: 1, occurredAt: "2026-11-22T12:00:00Z"}]}) {
    results { status error { code } } errors { code } } }"""
PUBLISH = """mutation($slug: String!) { publishPackage(input: {slug: $slug, name: "n", description: "d", license: "MIT"}) {
    package { id } errors { code } } }"""


def document(call: str) -> str:
    names = {"$id": "ID!", "$version": "ID!", "$v": "String!", "$w": "ID!"}
    declared = ", ".join(f"{name}: {kind}" for name, kind in names.items() if _uses(call, name))
    return f"mutation({declared}) {{ {call} {{ errors {{ code }} }} }}"


def _uses(call: str, name: str) -> bool:
    return any(f"{name}{end}" in call for end in ",)]}")


@pytest.mark.parametrize("name", sorted(DOCUMENTS))
async def test_no_input_makes_what_writes_fail(api: Api, name: str) -> None:
    author = await sign_up_as(api, Role.ADMIN)
    await author.api("mutation { becomeAuthor { errors { code } } }")
    made = (await author.api(PUBLISH, slug="a-package")).payload()
    assert made["errors"] == []
    for value in VALUES:
        answer = await author.api(
            document(DOCUMENTS[name]), id=made["package"]["id"], version="x", v=value, w=value
        )
        assert answer.response.status_code == 200
        assert answer.code != "INTERNAL_SERVER_ERROR", (value, answer.errors)


async def test_no_event_makes_recording_fail(api: Api) -> None:
    admin = await sign_up_as(api, Role.ADMIN)
    for value in VALUES:
        for given in ({"v": value, "w": admin.id}, {"v": "e", "w": value}):
            answer = await admin.api(RECORD, **given)
            assert answer.response.status_code == 200
            assert answer.code != "INTERNAL_SERVER_ERROR", (given, answer.errors)
