import asyncio
from datetime import timedelta
from hashlib import sha256
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, insert, select

from app.db.database import Database
from app.db.ids import new_id
from app.db.models import (
    AuditEntry,
    Author,
    Category,
    Package,
    PackageCategory,
    PackageFile,
    PackageTag,
    PackageVersion,
    Upload,
    UsageCounter,
    UsageReservation,
    User,
)
from app.db.repositories import reservations
from app.db.repositories.search.tables import DOCUMENTS, VECTORS
from app.domain.api_keys import Role, Scope
from app.domain.errors import Conflict, DomainError, Forbidden, InvalidInput, InvalidState, NotFound
from app.domain.lifecycle import PackageAction
from app.domain.plans import Resource
from app.domain.publishing import Texts
from app.domain.viewer import Allowance, Viewer
from app.services import accounts, authors, publishing
from app.services.publishing import NewFile, NewVersion
from tests.support.factories import NOW, make_author, make_package, make_user, make_version, viewer_of
from tests.support.statements import counted

LATER = NOW + timedelta(days=1)
TEXTS = Texts(
    name="Invoice PDF",
    description="Invoices as PDF.",
    readme="# Use",
    license="MIT",
    categories=["Web Shop"],
    tags=["pdf", "PDF", "a b"],
    price_cents=1900,
    currency="eur",
)
TABLES: tuple[Any, ...] = (
    AuditEntry,
    Author,
    Category,
    Package,
    PackageCategory,
    PackageFile,
    PackageTag,
    PackageVersion,
    Upload,
    UsageCounter,
    UsageReservation,
    User,
)


class Press:
    """One author at work."""

    def __init__(self, database: Database, viewer: Viewer) -> None:
        self.database, self.viewer = database, viewer

    def as_(self, viewer: Viewer) -> "Press":
        return Press(self.database, viewer)

    async def upload(self, *, state: str = "received", content: bytes = b"x" * 10, **given: Any) -> UUID:
        """A row as a received file has left it, with its bytes reserved."""
        owner = given.pop("user_id", self.viewer.user_id)
        allowance = Allowance(user_id=owner, limits=dict.fromkeys(Resource), anchor_at=NOW)
        values = {
            "id": new_id(),
            "user_id": owner,
            "filename": "a.bin",
            "media_type": "application/zip",
            "size_bytes": len(content),
            "token_hash": uuid4().hex,
            "expected_sha256": None,
            "sha256": sha256(content).hexdigest() if state != "announced" else None,
            "storage_key": f"uploads/{uuid4().hex}",
            "state": state,
            "created_at": NOW,
            "expires_at": NOW + timedelta(days=7),
            **given,
        }
        async with self.database.transaction() as connection:
            values["reservation_id"] = await reservations.reserve(
                connection,
                allowance,
                Resource.STORAGE_BYTES,
                len(content),
                expires_at=values["expires_at"],
                now=NOW - timedelta(days=1),
            )
            await connection.execute(insert(Upload).values(**values))
        upload_id: UUID = values["id"]
        return upload_id

    async def version(self, number: str = "1.0.0", *paths: str, changelog: str = "") -> NewVersion:
        files = [NewFile(await self.upload(), path) for path in paths or ("a.zip",)]
        return NewVersion(version=number, changelog=changelog, files=files)

    async def publish(
        self,
        slug: str = "invoice-pdf",
        *,
        texts: Texts = TEXTS,
        version: NewVersion | None = None,
        draft: bool = False,
    ) -> UUID:
        return await publishing.publish_package(
            database=self.database,
            viewer=self.viewer,
            slug=slug,
            texts=texts,
            version=version,
            draft=draft,
            now=NOW,
        )

    async def add(self, package_id: UUID, version: NewVersion) -> UUID:
        return await publishing.publish_version(
            database=self.database, viewer=self.viewer, package_id=package_id, version=version, now=LATER
        )

    async def update(
        self, package_id: UUID, action: PackageAction | None = None, *, texts: Texts | None = None
    ) -> None:
        await publishing.update_package(
            database=self.database,
            viewer=self.viewer,
            package_id=package_id,
            texts=texts or Texts(),
            action=action,
            now=LATER,
        )

    async def yank(self, version_id: UUID, reason: str = "It was broken.") -> UUID:
        return await publishing.yank_version(
            database=self.database, viewer=self.viewer, version_id=version_id, reason=reason, now=LATER
        )

    async def rows(self, model: Any) -> list[Any]:
        table = model.__table__
        async with self.database.read() as connection:
            return list((await connection.execute(select(table).order_by(*table.primary_key))).all())

    async def everything(self) -> list[list[Any]]:
        return [await self.rows(model) for model in TABLES]

    async def one(self, model: Any) -> Any:
        (row,) = await self.rows(model)
        return row

    async def storage(self) -> tuple[int, int]:
        row = await self.one(UsageCounter)
        return row.used, row.reserved

    async def notes(self) -> list[str]:
        return [row.action for row in await self.rows(AuditEntry)]


@pytest.fixture
async def user(database: Database) -> SimpleNamespace:
    return await make_user(database, username="Ada", role=Role.AUTHOR)


@pytest.fixture
def press(database: Database, user: SimpleNamespace) -> Press:
    return Press(database, viewer_of(user))


async def another(press: Press, role: Role = Role.AUTHOR) -> Press:
    return press.as_(viewer_of(await make_user(press.database, role=role)))


async def test_becoming_an_author_is_done_once(database: Database) -> None:
    user = await make_user(database, username="Ada")
    press = Press(database, viewer_of(user))
    for _ in range(2):
        await authors.become(database=database, viewer=press.viewer, now=NOW)
    author, account = await press.one(Author), await press.one(User)
    assert (author.user_id, author.username, author.username_key) == (user.id, "Ada", "ada")
    assert account.role == "author"
    assert await press.notes() == ["become_author"]


@pytest.mark.parametrize("role", [Role.SUPPORT, Role.ADMIN])
async def test_staff_who_publish_stay_staff(database: Database, role: Role) -> None:
    user = await make_user(database, role=role)
    await authors.become(database=database, viewer=viewer_of(user), now=NOW)
    assert (await Press(database, viewer_of(user)).one(User)).role == role


async def test_a_name_of_an_imported_author_is_not_taken_over(database: Database) -> None:
    await make_author(database, username="ADA")
    press = Press(database, viewer_of(await make_user(database, username="Ada")))
    before = await press.everything()
    with pytest.raises(Conflict):
        await authors.become(database=database, viewer=press.viewer, now=NOW)
    assert await press.everything() == before


async def test_an_author_is_renamed_with_the_account(press: Press) -> None:
    await press.publish()
    await make_author(press.database, username="Taken")

    async def rename(username: str) -> None:
        await accounts.update_profile(
            database=press.database,
            user_id=press.viewer.user_id,
            username=username,
            email=None,
            display_name=None,
            now=LATER,
        )

    await rename("Lovelace")
    assert [row.username for row in await press.rows(Author)] == ["Lovelace", "Taken"]
    before = await press.everything()
    with pytest.raises(Conflict):
        await rename("TAKEN")
    assert await press.everything() == before


async def test_a_package_without_a_version_is_a_draft(press: Press) -> None:
    package_id = await press.publish()
    package = await press.one(Package)
    assert (package.id, package.slug, package.name, package.name_key) == (
        package_id,
        "invoice-pdf",
        "Invoice PDF",
        "invoice pdf",
    )
    assert (package.description, package.readme, package.license) == ("Invoices as PDF.", "# Use", "MIT")
    assert (package.price_cents, package.currency) == (1900, "EUR")
    assert (package.status, package.published_at) == ("draft", None)
    assert (package.created_at, package.updated_at) == (NOW, NOW)
    assert (package.downloads, package.sales) == (0, 0)
    assert (package.rating_sum, package.rating_count, package.rating_score) == (0, 0, 0)
    author = await press.one(Author)
    assert (author.id, author.user_id, author.username) == (package.author_id, press.viewer.user_id, "Ada")
    assert [row.category for row in await press.rows(PackageCategory)] == ["web-shop"]
    category = await press.one(Category)
    assert (category.slug, category.name) == ("web-shop", "Web Shop")
    assert [row.tag for row in await press.rows(PackageTag)] == ["a-b", "pdf"]
    assert await press.notes() == ["create_package"]


async def test_a_package_with_a_version_is_published(press: Press) -> None:
    version = await press.version("1.0.0-rc.1", "a.zip", "docs/guide.pdf", changelog="First.\r\n")
    assert await press.storage() == (0, 20)
    package_id = await press.publish(version=version)
    package, row = await press.one(Package), await press.one(PackageVersion)
    assert (package.status, package.published_at) == ("published", NOW)
    assert (row.package_id, row.version, row.changelog) == (package_id, "1.0.0-rc.1", "First.")
    assert (row.status, row.published_at, row.yank_reason, row.yanked_at) == ("published", NOW, None, None)
    files, uploads = await press.rows(PackageFile), await press.rows(Upload)
    assert [(file.path, file.position, file.version_id) for file in files] == [
        ("a.zip", 0, row.id),
        ("docs/guide.pdf", 1, row.id),
    ]
    assert [(file.storage_key, file.sha256, file.size_bytes, file.media_type) for file in files] == [
        (upload.storage_key, upload.sha256, 10, "application/zip") for upload in uploads
    ]
    assert [upload.state for upload in uploads] == ["taken", "taken"]
    assert await press.storage() == (20, 0)
    assert await press.notes() == ["create_package", "publish_version", "publish_package"]


async def test_a_draft_with_a_version_is_published_later(press: Press) -> None:
    package_id = await press.publish(version=await press.version(), draft=True)
    assert (await press.one(Package)).status == "draft"
    await press.update(package_id, PackageAction.PUBLISH)
    package = await press.one(Package)
    assert (package.status, package.published_at, package.created_at) == ("published", LATER, NOW)


async def test_a_published_package_is_found(press: Press) -> None:
    await press.publish(version=await press.version())
    async with press.database.read() as connection:
        indexed = await connection.scalar(_indexed(press.database))
    assert indexed == 1


def _indexed(database: Database) -> Any:
    return select(func.count()).select_from(DOCUMENTS if database.dialect == "sqlite" else VECTORS)


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 121}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"name": "a\u202eb"}, "name"),
        ({"description": " \n "}, "description"),
        ({"description": "x" * 50_001}, "description"),
        ({"description": "a\x00b"}, "description"),
        ({"readme": "x" * 1_000_001}, "readme"),
        ({"license": ""}, "license"),
        ({"license": "x" * 101}, "license"),
        ({"categories": ["ünï"]}, "categories"),
        ({"categories": ["../etc"]}, "categories"),
        ({"categories": ["a"] * 31}, "categories"),
        ({"tags": [""]}, "tags"),
        ({"tags": ["x" * 41]}, "tags"),
        ({"tags": ["a"] * 31}, "tags"),
        ({"price_cents": -1}, "priceCents"),
        ({"price_cents": 100_000_001}, "priceCents"),
        ({"currency": "ISK"}, "currency"),
        ({"currency": "EURO"}, "currency"),
        ({"currency": "DEM"}, "currency"),
        ({"currency": "€"}, "currency"),
    ],
)
async def test_unfit_texts_write_nothing(press: Press, changed: dict[str, Any], field: str) -> None:
    package_id = await press.publish("other-package")
    version = await press.version()
    before = await press.everything()
    texts = Texts(**{**vars(TEXTS), **changed})
    with pytest.raises(InvalidInput) as refused:
        await press.publish(texts=texts, version=version)
    assert refused.value.field == field
    with pytest.raises(InvalidInput) as refused:
        await press.update(package_id, texts=Texts(**changed))
    assert refused.value.field == field
    assert await press.everything() == before


@pytest.mark.parametrize("slug", ["", "a", "A-b", "a--b", "-ab", "a b", "a/../b", "ünï", "x" * 81, "a\x00b"])
async def test_unfit_slugs_write_nothing(press: Press, slug: str) -> None:
    version = await press.version()
    before = await press.everything()
    with pytest.raises(InvalidInput) as refused:
        await press.publish(slug, version=version)
    assert refused.value.field == "slug"
    assert await press.everything() == before


async def test_a_slug_is_given_once(press: Press) -> None:
    await press.publish()
    other = await another(press)
    version = await other.version()
    before = await press.everything()
    with pytest.raises(Conflict) as refused:
        await other.publish(version=version)
    assert refused.value.path == ("input", "slug")
    assert await press.everything() == before


async def test_of_many_at_once_one_gets_the_slug(press: Press) -> None:
    results = await asyncio.gather(*(press.publish() for _ in range(8)), return_exceptions=True)
    assert sorted(type(result).__name__ for result in results) == ["Conflict"] * 7 + ["UUID"]
    await press.one(Package)


async def test_prices_at_their_limits(press: Press) -> None:
    for number, price in enumerate((0, 100_000_000)):
        await press.publish(f"package-{number}", texts=Texts(**{**vars(TEXTS), "price_cents": price}))
    assert [row.price_cents for row in await press.rows(Package)] == [0, 100_000_000]


@pytest.mark.parametrize(
    ("number", "paths", "field"),
    [
        ("1.0", ["a.zip"], "version"),
        ("v1.0.0", ["a.zip"], "version"),
        ("01.0.0", ["a.zip"], "version"),
        ("1.0.0" + "0" * 64, ["a.zip"], "version"),
        ("1.0.0", [], "files"),
        ("1.0.0", [f"{number}.zip" for number in range(101)], "files"),
        ("1.0.0", ["a.zip", "a.zip"], "files"),
        ("1.0.0", ["a.zip", "A.ZIP"], "files"),
        ("1.0.0", [""], "files"),
        ("1.0.0", ["/etc/passwd"], "files"),
        ("1.0.0", ["../a.zip"], "files"),
        ("1.0.0", ["a/../../b"], "files"),
        ("1.0.0", ["a/./b"], "files"),
        ("1.0.0", ["a//b"], "files"),
        ("1.0.0", ["a/"], "files"),
        ("1.0.0", ["..\\a.zip"], "files"),
        ("1.0.0", ["C:a.zip"], "files"),
        ("1.0.0", ["a. /b"], "files"),
        ("1.0.0", ["a\x00b"], "files"),
        ("1.0.0", ["a\u202egpj.exe"], "files"),
        ("1.0.0", ["x" * 256], "files"),
    ],
)
async def test_unfit_versions_write_nothing(press: Press, number: str, paths: list[str], field: str) -> None:
    package_id = await press.publish()
    upload_ids = [await press.upload() for _ in paths[:2]] + [uuid4() for _ in paths[2:]]
    files = [NewFile(upload_id, path) for upload_id, path in zip(upload_ids, paths, strict=True)]
    before = await press.everything()
    for attempt in (
        press.add(package_id, NewVersion(number, "", files)),
        press.publish("other", version=NewVersion(number, "", files)),
    ):
        with pytest.raises(InvalidInput) as refused:
            await attempt
        assert refused.value.field == field
    assert await press.everything() == before


async def test_one_upload_is_one_file(press: Press) -> None:
    package_id, upload_id = await press.publish(), await press.upload()
    before = await press.everything()
    files = [NewFile(upload_id, "a.zip"), NewFile(upload_id, "b.zip")]
    with pytest.raises(InvalidInput):
        await press.add(package_id, NewVersion("1.0.0", "", files))
    assert await press.everything() == before


async def test_versions_come_in_any_order_and_each_once(press: Press) -> None:
    package_id = await press.publish(version=await press.version("2.0.0"))
    await press.add(package_id, await press.version("1.9.9"))
    await press.add(package_id, await press.version("2.0.0-beta.1"))
    assert (await press.one(Package)).updated_at == LATER
    for number in ("2.0.0", "2.0.0+other.build", "1.9.9", "2.0.0-beta.1"):
        version = await press.version(number)
        before = await press.everything()
        with pytest.raises(Conflict) as refused:
            await press.add(package_id, version)
        assert refused.value.path == ("input", "version")
        assert await press.everything() == before
    assert len(await press.rows(PackageVersion)) == 3


async def test_of_the_same_version_at_once_one_is_made(press: Press) -> None:
    package_id = await press.publish()
    versions = [await press.version() for _ in range(6)]
    results = await asyncio.gather(
        *(press.add(package_id, version) for version in versions), return_exceptions=True
    )
    assert sorted(type(result).__name__ for result in results) == ["Conflict"] * 5 + ["UUID"]
    assert await press.storage() == (10, 50)
    assert sorted(upload.state for upload in await press.rows(Upload)) == ["received"] * 5 + ["taken"]


async def test_of_two_versions_at_once_one_gets_the_upload(press: Press) -> None:
    package_id, upload_id = await press.publish(), await press.upload()
    numbers = ["1.0.0", "2.0.0", "3.0.0", "4.0.0"]
    results = await asyncio.gather(
        *(press.add(package_id, NewVersion(number, "", [NewFile(upload_id, "a")])) for number in numbers),
        return_exceptions=True,
    )
    assert sorted(type(result).__name__ for result in results) == ["NotFound"] * 3 + ["UUID"]
    await press.one(PackageFile)
    assert await press.storage() == (10, 0)


@pytest.mark.parametrize("kind", ["unknown", "announced", "taken", "expired", "another's", "given back"])
async def test_uploads_that_cannot_be_taken(press: Press, kind: str) -> None:
    package_id = await press.publish()
    good = await press.upload()
    match kind:
        case "unknown":
            bad = uuid4()
        case "announced" | "taken":
            bad = await press.upload(state=kind)
        case "expired":
            bad = await press.upload(expires_at=LATER)
        case "another's":
            bad = await press.upload(user_id=(await make_user(press.database, role="author")).id)
        case _:
            bad = await press.upload()
            row = next(row for row in await press.rows(Upload) if row.id == bad)
            async with press.database.transaction() as connection:
                await reservations.release(connection, row.reservation_id)
    before = await press.everything()
    files = [NewFile(good, "a.zip"), NewFile(bad, "b.zip")]
    with pytest.raises(NotFound) as refused:
        await press.add(package_id, NewVersion("1.0.0", "", files))
    assert refused.value.path == ("input", "files")
    assert await press.everything() == before


async def test_only_what_is_given_changes(press: Press) -> None:
    package_id = await press.publish()
    before = await press.one(Package)
    await press.update(package_id, texts=Texts(name="Better", readme="", price_cents=0, tags=[]))
    after = await press.one(Package)
    assert (after.name, after.name_key, after.readme, after.price_cents) == ("Better", "better", None, 0)
    assert after.updated_at == LATER
    kept = ("slug", "description", "license", "currency", "status", "created_at", "author_id")
    assert all(getattr(after, name) == getattr(before, name) for name in kept)
    assert await press.rows(PackageTag) == []
    assert [row.category for row in await press.rows(PackageCategory)] == ["web-shop"]
    note = (await press.rows(AuditEntry))[-1]
    assert (note.action, note.actor_id, note.subject_id) == (
        "update_package",
        press.viewer.user_id,
        package_id,
    )
    assert note.details == {"changed": ["name", "readme", "tags", "price_cents"]}


async def test_the_life_of_a_package(press: Press) -> None:
    package_id = await press.publish(version=await press.version())
    for action, status in [
        (PackageAction.DEPRECATE, "deprecated"),
        (PackageAction.UNDEPRECATE, "published"),
        (PackageAction.DEPRECATE, "deprecated"),
        (PackageAction.YANK, "yanked"),
    ]:
        await press.update(package_id, action)
        package = await press.one(Package)
        assert (package.status, package.published_at) == (status, NOW)
    assert (await press.notes())[-4:] == [
        "deprecate_package",
        "undeprecate_package",
        "deprecate_package",
        "yank_package",
    ]


@pytest.mark.parametrize(
    ("made", "action"),
    [
        ("draft", PackageAction.PUBLISH),
        ("draft", PackageAction.DEPRECATE),
        ("draft", PackageAction.YANK),
        ("published", PackageAction.PUBLISH),
        ("published", PackageAction.UNDEPRECATE),
        ("yanked", PackageAction.PUBLISH),
        ("yanked", PackageAction.UNDEPRECATE),
        ("yanked", PackageAction.YANK),
    ],
)
async def test_what_a_state_does_not_allow_changes_nothing(
    press: Press, made: str, action: PackageAction
) -> None:
    """The draft has no version: nobody could download it."""
    package_id = await press.publish(version=None if made == "draft" else await press.version())
    if made == "yanked":
        await press.update(package_id, PackageAction.YANK)
    before = await press.everything()
    with pytest.raises(InvalidState) as refused:
        await press.update(package_id, action)
    assert refused.value.facts()["state"] == made
    with pytest.raises(InvalidState):  # the texts stand and fall with the action
        await press.update(package_id, action, texts=Texts(name="Other"))
    assert await press.everything() == before


async def test_a_yanked_package_is_final(press: Press) -> None:
    package_id = await press.publish(version=await press.version())
    await press.update(package_id, PackageAction.YANK)
    version = await press.version("2.0.0")
    before = await press.everything()
    with pytest.raises(InvalidState):
        await press.update(package_id, texts=Texts(name="Other"))
    with pytest.raises(InvalidState):
        await press.add(package_id, version)
    assert await press.everything() == before


async def test_a_version_is_yanked_once_with_its_reason(press: Press) -> None:
    package_id = await press.publish(version=await press.version(), draft=True)
    version_id = (await press.one(PackageVersion)).id
    before = await press.everything()
    for reason in ("", " ", "x" * 501, "a\nb"):
        with pytest.raises(InvalidInput) as unfit:
            await press.yank(version_id, reason)
        assert unfit.value.field == "reason"
    assert await press.everything() == before
    assert await press.yank(version_id, " It was broken. ") == package_id
    row = await press.one(PackageVersion)
    assert (row.status, row.yank_reason, row.yanked_at) == ("yanked", "It was broken.", LATER)
    assert (await press.rows(AuditEntry))[-1].details == {"version": "1.0.0", "reason": "It was broken."}
    assert await press.storage() == (10, 0)
    before = await press.everything()
    with pytest.raises(InvalidState):
        await press.yank(version_id)
    assert await press.everything() == before


async def test_the_last_version_of_a_listed_package_is_not_yanked_alone(press: Press) -> None:
    package_id = await press.publish(version=await press.version())
    first = (await press.one(PackageVersion)).id
    before = await press.everything()
    with pytest.raises(InvalidState) as refused:
        await press.yank(first)
    assert refused.value.facts() == {
        "state": "the last of its package",
        "action": "be yanked without the package",
    }
    assert await press.everything() == before
    second = await press.add(package_id, await press.version("2.0.0"))
    assert await press.yank(second) == package_id
    with pytest.raises(InvalidState):
        await press.yank(first)
    await press.update(package_id, PackageAction.YANK)
    assert await press.yank(first) == package_id


async def test_a_package_whose_only_version_is_yanked_is_not_published(press: Press) -> None:
    package_id = await press.publish(version=await press.version(), draft=True)
    await press.yank((await press.one(PackageVersion)).id)
    with pytest.raises(InvalidState):
        await press.update(package_id, PackageAction.PUBLISH)
    assert (await press.one(Package)).status == "draft"


@pytest.mark.parametrize("who", ["author", "support", "admin's narrow key"])
@pytest.mark.parametrize(("draft", "error"), [(True, NotFound), (False, Forbidden)])
async def test_others_change_nothing(press: Press, who: str, draft: bool, error: type[DomainError]) -> None:
    package_id = await press.publish(version=await press.version(), draft=draft)
    version_id = (await press.one(PackageVersion)).id
    other = await another(press, Role.ADMIN if "admin" in who else Role(who))
    if "admin" in who:
        narrow = viewer_of(
            SimpleNamespace(
                id=other.viewer.user_id, username=other.viewer.username, role=Role.ADMIN, tier="free"
            ),
            scopes=[Scope.PUBLISH, Scope.WRITE],
        )
        other = press.as_(narrow)
    version = await other.version("2.0.0")
    before = await press.everything()
    for attempt in (
        other.update(package_id, texts=Texts(name="Mine")),
        other.update(package_id, PackageAction.DEPRECATE),
        other.add(package_id, version),
        other.yank(version_id),
    ):
        with pytest.raises(error):
            await attempt
    assert await press.everything() == before


async def test_an_admin_may_change_all(press: Press) -> None:
    package_id = await press.publish(version=await press.version(), draft=True)
    version_id = (await press.one(PackageVersion)).id
    admin = await another(press, Role.ADMIN)
    await admin.add(package_id, await admin.version("2.0.0"))
    await admin.update(package_id, PackageAction.PUBLISH, texts=Texts(name="Checked"))
    await admin.yank(version_id)
    package = await press.one(Package)
    assert (package.name, package.status) == ("Checked", "published")
    assert (await press.one(Author)).user_id == press.viewer.user_id
    assert {row.actor_id for row in (await press.rows(AuditEntry))[3:]} == {admin.viewer.user_id}


async def test_what_does_not_exist(press: Press) -> None:
    version = await press.version()
    before = await press.everything()
    for attempt, field in (
        (press.update(uuid4(), texts=Texts(name="x")), "packageId"),
        (press.add(uuid4(), version), "packageId"),
        (press.yank(uuid4()), "versionId"),
    ):
        with pytest.raises(NotFound) as refused:
            await attempt
        assert refused.value.path == ("input", field)
    assert await press.everything() == before


async def test_an_imported_package_is_an_admins_alone(press: Press) -> None:
    package = await make_package(press.database, author=await make_author(press.database))
    await make_version(press.database, package=package)
    with pytest.raises(Forbidden):
        await press.update(package.id, texts=Texts(name="Mine"))
    admin = await another(press, Role.ADMIN)
    await admin.update(package.id, texts=Texts(name="Checked"))
    assert (await press.one(Package)).name == "Checked"


async def test_publishing_takes_as_many_statements_for_the_hundredth_version(press: Press) -> None:
    package_id = await press.publish()
    counts = []
    for number in range(4):
        version = await press.version(f"1.{number}.0")
        with counted(press.database) as statements:
            await press.add(package_id, version)
        counts.append(len(statements))
    assert len(set(counts)) == 1
