"""Download links: who gets one, for which file, and what a link is worth by itself."""

import hashlib
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from app.db.database import Database
from app.db.ids import new_id
from app.db.models import Download, Licence, Package
from app.domain.api_keys import Role, Scope
from app.domain.downloads import check_token, filename, new_link
from app.domain.errors import (
    DomainError,
    InvalidInput,
    InvalidState,
    InvalidToken,
    NotFound,
    NotOwned,
    QuotaExceeded,
)
from app.gateways.keyring import Keyring
from app.gateways.tokens import KeyedTokens
from app.services.downloads import NewDownload
from tests.support.factories import (
    NOW,
    make_author,
    make_file,
    make_package,
    make_purchase,
    make_user,
    make_version,
    viewer_of,
)
from tests.support.shop import CONTENT, SHA, TOKENS, Shop, open_shop, rows


@pytest.fixture
async def shop(database: Database) -> Shop:
    return await open_shop(database)


async def test_an_owner_gets_a_link_for_an_hour(shop: Shop) -> None:
    made = await shop.link()
    token = made.url.removeprefix("http://shop.test/downloads/")
    assert made == NewDownload(
        url=f"http://shop.test/downloads/{token}",
        expires_at=NOW + timedelta(hours=1),
        sha256=SHA,
        size_bytes=len(CONTENT),
        filename='thème "1".zip',
    )
    row = await shop.row()
    assert (row.user_id, row.purchase_id) == (shop.user.id, shop.purchase.id)
    assert (row.covered, row.delivered_bytes, row.completed_at) == ([], 0, None)
    assert (row.expires_at, row.reservation_id) == (NOW + timedelta(hours=1), None)
    assert row.token_hash == TOKENS.digest(token)
    assert token not in row.token_hash


async def _refused(shop: Shop, error: type[DomainError], **given: Any) -> DomainError:
    with pytest.raises(error) as refusal:
        await shop.link(**given)
    assert await rows(shop.database, Download) == []
    return refusal.value


@pytest.mark.parametrize(
    "given, error",
    [
        ({"version": "9.9.9"}, NotFound),
        ({"version": "../../etc/passwd"}, InvalidInput),
        ({"path": '../thème "1".zip'}, NotFound),
        ({"path": "' OR 1=1 --"}, NotFound),
    ],
)
async def test_what_there_is_not(shop: Shop, given: dict[str, Any], error: type[DomainError]) -> None:
    await _refused(shop, error, **given)


async def test_an_unknown_package(shop: Shop) -> None:
    await _refused(shop, NotFound, package_id=new_id())


async def test_another_file_by_its_path(shop: Shop) -> None:
    await make_file(shop.database, version=shop.version, content=b"notes", position=1, path="NOTES.md")
    made = await shop.link(path="NOTES.md")
    assert (made.filename, made.size_bytes) == ("NOTES.md", 5)
    assert made.sha256 == hashlib.sha256(b"notes").hexdigest()


async def test_without_a_version_the_latest_that_is_not_yanked(shop: Shop) -> None:
    for version, status in (("1.1.0", "published"), ("2.0.0", "yanked"), ("3.0.0-rc.1", "published")):
        made = await make_version(
            shop.database, package=shop.package, version=version, status=status, with_file=False
        )
        await make_file(shop.database, version=made, path=f"{version}.zip")
    assert (await shop.link(version=None)).filename == "1.1.0.zip"
    assert (await shop.link(version="2.0.0")).filename == "2.0.0.zip"


async def test_a_package_without_a_version(shop: Shop) -> None:
    empty = await make_package(shop.database)
    await make_purchase(shop.database, user=shop.user, package=empty, version=shop.version)
    await _refused(shop, InvalidState, package_id=empty.id, version=None)


@pytest.mark.parametrize("licence", ["suspended", "revoked"])
async def test_a_licence_that_ended_gives_nothing(shop: Shop, licence: str) -> None:
    async with shop.database.transaction() as connection:
        await connection.execute(update(Licence).values(status=licence))
    assert (await _refused(shop, NotOwned)).code == "NOT_OWNED"


async def test_who_has_not_bought_it(shop: Shop) -> None:
    await _refused(shop, NotOwned, viewer=viewer_of(await make_user(shop.database)))
    await _refused(shop, NotOwned, viewer=viewer_of(await make_user(shop.database, role=Role.SUPPORT)))


async def test_an_administrator_needs_no_purchase_but_the_scope(shop: Shop) -> None:
    admin = await make_user(shop.database, role=Role.ADMIN)
    await _refused(shop, NotOwned, viewer=viewer_of(admin, scopes=[Scope.READ]))
    await shop.link(viewer=viewer_of(admin))
    assert ((await shop.row()).user_id, (await shop.row()).purchase_id) == (admin.id, None)


async def test_the_author_gets_drafts_too_and_others_do_not_see_them(shop: Shop) -> None:
    author = await make_user(shop.database, role=Role.AUTHOR)
    draft = await make_package(
        shop.database, author=await make_author(shop.database, user=author), status="draft"
    )
    await make_version(shop.database, package=draft)
    await _refused(shop, NotFound, package_id=draft.id)
    await shop.link(package_id=draft.id, viewer=viewer_of(author))
    assert (await shop.row()).purchase_id is None


async def test_a_yanked_package_stays_with_its_owners(shop: Shop) -> None:
    async with shop.database.transaction() as connection:
        await connection.execute(update(Package).values(status="yanked"))
    assert (await shop.link()).sha256 == SHA


async def test_a_full_house_is_said_before_the_link(shop: Shop) -> None:
    shop.slots = 0
    refusal = await _refused(shop, QuotaExceeded)
    assert refusal.facts() == {
        "resource": "CONCURRENT_INSTALLATION",
        "used": 0,
        "limit": 0,
        "resetsAt": None,
    }


def test_a_token_is_told_without_the_database() -> None:
    link = new_link(TOKENS.digest, now=NOW)
    check_token(link.token, TOKENS.digests, now=NOW + timedelta(minutes=59, seconds=59))
    with pytest.raises(InvalidToken):
        check_token(link.token, TOKENS.digests, now=NOW + timedelta(hours=1))
    for at in range(len(link.token)):
        changed = link.token[:at] + ("A" if link.token[at] != "A" else "B") + link.token[at + 1 :]
        with pytest.raises(NotFound):
            check_token(changed, TOKENS.digests, now=NOW)
    for other in ("", "x", "ä" * 96, link.token[:32], link.token + "0"):
        with pytest.raises(NotFound):
            check_token(other, TOKENS.digests, now=NOW)
    assert new_link(TOKENS.digest, now=NOW).token != link.token


def test_a_rotated_secret_still_knows_its_links() -> None:
    link = new_link(TOKENS.digest, now=NOW)
    check_token(link.token, KeyedTokens(Keyring(["n" * 40, "s" * 40])).digests, now=NOW)


def test_a_file_is_called_by_its_last_name() -> None:
    assert [filename(path) for path in ("a/b/c.zip", "c.zip", "/")] == ["c.zip", "c.zip", "download"]
