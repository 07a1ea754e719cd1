import asyncio
import gzip
import io
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, update

from app.db.database import Database
from app.db.models import (
    AuditEntry,
    Author,
    Category,
    Package,
    PackageCategory,
    PackageFile,
    PackageTag,
    PackageVersion,
    UsageCounter,
)
from app.gateways.storage import open_store
from app.ports import ObjectStore
from app.services.imports import ImportReport, import_catalog, load_sample
from tests.support.factories import NOW, make_author, make_package, make_user
from tests.support.statements import counted

LATER = NOW + timedelta(days=1)


@dataclass
class Catalogue:
    """A folder of packs, and what becomes of it."""

    database: Database
    store: ObjectStore
    folder: Path
    kept: Path

    def write(self, name: str, files: Mapping[str, str] | None = None, **pack: Any) -> None:
        given = {"name": name, "version": "1.0.0", "description": "What it is.", **pack}
        lines = [f"{key} = {value!r}" for key, value in given.items() if key != "versions"]
        for version in given.get("versions", []):
            lines += ["[[pack.versions]]", *(f"{key} = {value!r}" for key, value in version.items())]
        self.put(name, "pack.toml", "\n".join(["[pack]", *lines]))
        for path, content in (files or {"data.txt": "some data"}).items():
            self.put(name, path, content)

    def put(self, name: str, path: str, content: str) -> None:
        target = self.folder / name / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content)

    async def load(self, *, now: datetime = NOW, author: str = "somebody", **given: Any) -> ImportReport:
        return await import_catalog(
            database=self.database,
            store=self.store,
            folder=self.folder,
            prices=given.pop("prices", {}),
            author=author,
            now=now,
            **given,
        )

    async def rows(self, model: Any, *order: str) -> list[Any]:
        statement = select(model.__table__).order_by(*(model.__table__.c[name] for name in order))
        async with self.database.read() as connection:
            return list((await connection.execute(statement)).all())

    async def package(self, slug: str) -> Any:
        async with self.database.read() as connection:
            statement = select(Package.__table__, Author.username.label("author")).join(Author)
            return (await connection.execute(statement.where(Package.slug == slug))).one()

    async def everything(self) -> list[list[Any]]:
        tables = {
            Author: "id",
            Package: "id",
            PackageVersion: "id",
            PackageFile: "id",
            Category: "slug",
            AuditEntry: "id",
        }
        rows = [await self.rows(model, order) for model, order in tables.items()]
        rows.append(await self.rows(PackageCategory, "package_id", "category"))
        return [*rows, await self.rows(PackageTag, "package_id", "tag")]

    def objects(self) -> dict[str, tuple[bytes, int]]:
        """Content and time of each object: another time would be another writing."""
        found = (path for path in self.kept.rglob("*") if path.is_file())
        return {
            path.relative_to(self.kept).as_posix(): (path.read_bytes(), path.stat().st_mtime_ns)
            for path in found
        }


@pytest.fixture
def catalogue(database: Database, tmp_path: Path) -> Catalogue:
    folder, kept = tmp_path / "packs", tmp_path / "kept"
    folder.mkdir()
    return Catalogue(database, open_store(str(kept)), folder, kept)


def members(archive: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(archive))) as opened:
        return {member.name: opened.extractfile(member).read() for member in opened}  # type: ignore[union-attr]  # files only


async def test_a_pack_becomes_a_published_package(catalogue: Catalogue) -> None:
    catalogue.write(
        "invoice-pack",
        {"README.md": "# How to", "src/a.txt": "content"},
        license="MIT",
        author="Ada Lovelace",
        categories=["Web Shop", "ai"],
        tags=["PDF", "pdf", "tax"],
        versions=[{"version": "1.0.0", "changelog": "The first.", "released": "2025-03-01"}],
    )
    report = await catalogue.load(prices={"invoice-pack": ("29.00", "EUR"), "other": ("1", "USD")})
    assert report == ImportReport(created=1, updated=0, unchanged=0, bad=[])
    package = await catalogue.package("invoice-pack")
    assert (package.name, package.name_key) == ("Invoice Pack", "invoice pack")
    assert (package.description, package.readme, package.license) == ("What it is.", "# How to", "MIT")
    assert (package.price_cents, package.currency) == (2900, "EUR")
    assert (package.status, package.published_at) == ("published", datetime(2025, 3, 1, tzinfo=UTC))
    assert (package.created_at, package.updated_at) == (NOW, NOW)
    assert (package.downloads, package.sales, package.rating_sum, package.rating_count) == (0, 0, 0, 0)
    assert package.rating_score == 0
    (author,) = await catalogue.rows(Author)
    assert (author.username, author.user_id) == ("Ada Lovelace", None)
    assert [row.category for row in await catalogue.rows(PackageCategory, "category")] == ["ai", "web-shop"]
    assert [(row.slug, row.name) for row in await catalogue.rows(Category, "slug")] == [
        ("ai", "AI"),
        ("web-shop", "Web Shop"),
    ]
    assert [row.tag for row in await catalogue.rows(PackageTag, "tag")] == ["pdf", "tax"]
    (version,) = await catalogue.rows(PackageVersion)
    assert (version.version, version.changelog, version.status) == ("1.0.0", "The first.", "published")
    (file,) = await catalogue.rows(PackageFile)
    ((key, (content, _)),) = catalogue.objects().items()
    assert (file.path, file.position) == ("invoice-pack-1.0.0.tar.gz", 0)
    assert (file.media_type, file.size_bytes) == ("application/gzip", len(content))
    assert file.sha256 == sha256(content).hexdigest()
    assert file.storage_key == key == f"archives/{file.sha256[:2]}/{file.sha256}.tar.gz"
    assert members(content).keys() == {
        "invoice-pack-1.0.0/README.md",
        "invoice-pack-1.0.0/pack.toml",
        "invoice-pack-1.0.0/src/a.txt",
    }
    assert [entry.action for entry in await catalogue.rows(AuditEntry)] == ["import_package"]
    assert await catalogue.rows(UsageCounter) == []


async def test_what_a_pack_does_not_say(catalogue: Catalogue) -> None:
    catalogue.write("bare-pack")
    await catalogue.load(author="The Operator")
    package = await catalogue.package("bare-pack")
    assert (package.license, package.readme, package.author) == ("unspecified", None, "The Operator")
    assert (package.price_cents, package.currency) == (0, "USD")
    assert package.published_at == NOW


async def test_the_second_time_nothing_is_written(catalogue: Catalogue) -> None:
    for name in ("one-pack", "two-pack"):
        catalogue.write(name, {"a.txt": name, "README.md": "read"}, tags=["x"], author="Ada")
    prices = {"one-pack": ("1.00", "USD")}
    assert await catalogue.load(prices=prices) == ImportReport(created=2)
    rows, objects = await catalogue.everything(), catalogue.objects()
    with counted(catalogue.database) as statements:
        assert await catalogue.load(prices=prices, now=LATER) == ImportReport(unchanged=2)
    assert [text for text in statements if not text.lstrip().startswith("SELECT")] == []
    assert await catalogue.everything() == rows
    assert catalogue.objects() == objects


async def test_changed_texts_update_the_package_and_not_its_goods(catalogue: Catalogue) -> None:
    catalogue.write("one-pack", {"a.txt": "a", "README.md": "old"}, tags=["x"])
    await catalogue.load()
    objects, files = catalogue.objects(), await catalogue.rows(PackageFile)
    catalogue.write(
        "one-pack",
        {"a.txt": "a", "README.md": "new"},
        description="Better said.",
        license="MIT",
        tags=["y", "z"],
        categories=["ai"],
        versions=[{"version": "1.0.0", "changelog": "Told later."}],
    )
    assert await catalogue.load(now=LATER) == ImportReport(updated=1)
    package = await catalogue.package("one-pack")
    assert (package.description, package.readme, package.license) == ("Better said.", "new", "MIT")
    assert (package.created_at, package.updated_at, package.published_at) == (NOW, LATER, NOW)
    assert [row.tag for row in await catalogue.rows(PackageTag, "tag")] == ["y", "z"]
    assert [row.category for row in await catalogue.rows(PackageCategory)] == ["ai"]
    assert [row.changelog for row in await catalogue.rows(PackageVersion)] == ["Told later."]
    assert await catalogue.rows(PackageFile) == files
    assert catalogue.objects() == objects
    assert await catalogue.load(now=LATER) == ImportReport(unchanged=1)


async def test_a_new_version_stands_beside_the_old_one(catalogue: Catalogue) -> None:
    catalogue.write("one-pack", {"a.txt": "one"})
    await catalogue.load()
    catalogue.write("one-pack", {"a.txt": "two"}, version="1.1.0")
    assert await catalogue.load(now=LATER) == ImportReport(updated=1)
    versions = await catalogue.rows(PackageVersion, "sort_key")
    assert [(row.version, row.published_at) for row in versions] == [("1.0.0", NOW), ("1.1.0", LATER)]
    files = {row.version_id: row for row in await catalogue.rows(PackageFile)}
    assert [files[row.id].path for row in versions] == ["one-pack-1.0.0.tar.gz", "one-pack-1.1.0.tar.gz"]
    contents = [members(catalogue.objects()[files[row.id].storage_key][0]) for row in versions]
    assert contents[0]["one-pack-1.0.0/a.txt"] == b"one"
    assert contents[1]["one-pack-1.1.0/a.txt"] == b"two"
    assert (await catalogue.package("one-pack")).published_at == NOW


async def test_other_goods_under_a_known_version_are_refused(catalogue: Catalogue) -> None:
    catalogue.write("one-pack", {"a.txt": "one"})
    catalogue.write("other-pack")
    await catalogue.load()
    rows, objects = await catalogue.everything(), catalogue.objects()
    catalogue.write("one-pack", {"a.txt": "two"}, description="Also changed.")
    report = await catalogue.load(now=LATER)
    reason = "version 1.0.0 was imported with other content: raise its version"
    assert report == ImportReport(unchanged=1, bad=[("one-pack", reason)])
    assert await catalogue.everything() == rows
    assert catalogue.objects() == objects


@pytest.mark.parametrize(
    "files", [{"a.txt": "one", "b.txt": "new"}, {"A.txt": "one"}, {"a.txt": "one", "sub/pack.toml": "x"}]
)
async def test_goods_are_all_but_the_shown_texts(catalogue: Catalogue, files: dict[str, str]) -> None:
    catalogue.write("one-pack", {"a.txt": "one"})
    await catalogue.load()
    (catalogue.folder / "one-pack" / "a.txt").unlink()
    catalogue.write("one-pack", files)
    assert [name for name, _ in (await catalogue.load()).bad] == ["one-pack"]


async def test_older_versions_with_and_without_files(catalogue: Catalogue) -> None:
    versions = [
        {"version": "0.9.0", "changelog": "Only told.", "released": "2024-01-01"},
        {"version": "1.0.0", "changelog": "Kept.", "released": "2024-06-01"},
        {"version": "2.0.0", "released": "2999-01-01"},
    ]
    files = {"a.txt": "two", "versions/1.0.0/a.txt": "one"}
    catalogue.write("one-pack", files, version="2.0.0", versions=versions)
    assert await catalogue.load() == ImportReport(created=1)
    rows = await catalogue.rows(PackageVersion, "sort_key")
    assert [(row.version, row.changelog, row.published_at.year) for row in rows] == [
        ("0.9.0", "Only told.", 2024),
        ("1.0.0", "Kept.", 2024),
        ("2.0.0", "", 2026),
    ]
    assert rows[2].published_at == NOW
    with_file = {row.version_id for row in await catalogue.rows(PackageFile)}
    assert with_file == {rows[1].id, rows[2].id}
    assert (await catalogue.package("one-pack")).published_at == datetime(2024, 1, 1, tzinfo=UTC)
    assert await catalogue.load(now=LATER) == ImportReport(unchanged=1)
    catalogue.put("one-pack", "versions/0.9.0/a.txt", "found again")
    assert await catalogue.load(now=LATER) == ImportReport(updated=1)
    assert len(await catalogue.rows(PackageFile)) == 3
    assert await catalogue.load(now=LATER) == ImportReport(unchanged=1)


async def test_bad_packs_are_told_and_the_others_go_on(catalogue: Catalogue) -> None:
    catalogue.write("a-good-pack")
    catalogue.write("bad-price")
    catalogue.write("dear-pack")
    catalogue.write("long-author", author="x" * 65)
    catalogue.write("long-license", license="x" * 101)
    catalogue.put("no-toml", "pack.toml", "[pack\n")
    catalogue.write("z-good-pack")
    seen: list[tuple[int, int, str]] = []
    prices = {"bad-price": ("1.999", "USD"), "dear-pack": ("1000000.01", "USD")}
    report = await catalogue.load(prices=prices, on_progress=lambda *told: seen.append(told))
    assert report.created == 2
    assert [name for name, _ in report.bad] == [
        "bad-price",
        "dear-pack",
        "long-author",
        "long-license",
        "no-toml",
    ]
    reasons = dict(report.bad)
    assert reasons["bad-price"] == "price: USD has 2 decimals: this amount has 3."
    assert reasons["dear-pack"].startswith("priceCents: A price is from 0 to 100,000,000")
    assert reasons["long-author"] == "author: At most 64 characters are allowed: these are 65."
    assert reasons["long-license"] == "license: At most 100 characters are allowed: these are 101."
    assert reasons["no-toml"].startswith("pack.toml is not valid TOML")
    assert seen[0] == (1, 7, "a-good-pack")
    assert seen[-1] == (7, 7, "z-good-pack")
    assert [row.slug for row in await catalogue.rows(Package, "slug")] == ["a-good-pack", "z-good-pack"]
    assert len(catalogue.objects()) == 2


async def test_a_price_that_is_not_stated_stays(catalogue: Catalogue) -> None:
    """Importing once more without the table must not give everything away."""
    catalogue.write("one-pack")
    await catalogue.load(prices={"one-pack": ("29", "USD")})
    assert await catalogue.load() == ImportReport(unchanged=1)
    assert (await catalogue.package("one-pack")).price_cents == 2900
    assert await catalogue.load(prices={"one-pack": ("3000", "JPY")}) == ImportReport(updated=1)
    package = await catalogue.package("one-pack")
    assert (package.price_cents, package.currency) == (3000, "JPY")
    assert await catalogue.load(prices={"one-pack": ("0", "JPY")}) == ImportReport(updated=1)
    assert (await catalogue.package("one-pack")).price_cents == 0


async def test_no_package_is_taken_from_an_account(catalogue: Catalogue) -> None:
    user = await make_user(catalogue.database, username="grace", role="author")
    author = await make_author(catalogue.database, user=user)
    await make_package(catalogue.database, author=author, slug="one-pack", name="Mine")
    catalogue.write("one-pack", author="Mallory")
    rows = await catalogue.everything()
    report = await catalogue.load()
    assert report == ImportReport(bad=[("one-pack", "the name 'one-pack' belongs to a package of grace")])
    assert await catalogue.everything() == rows
    assert catalogue.objects() == {}


async def test_an_imported_package_may_change_its_author(catalogue: Catalogue) -> None:
    catalogue.write("one-pack", author="Ada")
    await catalogue.load()
    catalogue.write("one-pack", author="Grace")
    assert await catalogue.load() == ImportReport(updated=1)
    assert (await catalogue.package("one-pack")).author == "Grace"


async def test_a_pack_may_be_of_an_account(catalogue: Catalogue) -> None:
    user = await make_user(catalogue.database, username="grace", role="author")
    author = await make_author(catalogue.database, user=user)
    catalogue.write("one-pack", author="Grace")
    await catalogue.load()
    assert (await catalogue.package("one-pack")).author_id == author.id


async def test_a_yanked_package_stays_as_it_is(catalogue: Catalogue) -> None:
    catalogue.write("one-pack")
    await catalogue.load()
    async with catalogue.database.transaction() as connection:
        await connection.execute(update(Package).values(status="yanked"))
    assert await catalogue.load() == ImportReport(unchanged=1)
    catalogue.write("one-pack", description="Changed.")
    assert await catalogue.load() == ImportReport(
        bad=[("one-pack", "the package is yanked: it cannot change")]
    )
    assert (await catalogue.package("one-pack")).description == "What it is."


async def test_a_lost_archive_is_told(catalogue: Catalogue) -> None:
    catalogue.write("one-pack")
    await catalogue.load()
    (key,) = catalogue.objects()
    await catalogue.store.delete(key)
    catalogue.write("one-pack", description="Changed.")
    ((name, reason),) = (await catalogue.load()).bad
    assert name == "one-pack"
    assert reason.startswith("the archive that was imported cannot be read: archives/")


async def test_two_imports_at_once_make_each_package_once(catalogue: Catalogue) -> None:
    for number in range(5):
        catalogue.write(f"pack-{number}")
    reports = await asyncio.gather(catalogue.load(), catalogue.load())
    assert sum(report.created for report in reports) == 5
    assert {reason for report in reports for _, reason in report.bad} <= {
        "the package was changed while it was imported: import it again",
        "the package was made while it was imported: import it again",
    }
    async with catalogue.database.read() as connection:
        assert (await connection.execute(select(func.count()).select_from(PackageFile))).scalar_one() == 5
    assert await catalogue.load() == ImportReport(unchanged=5)


async def test_a_folder_that_is_none(catalogue: Catalogue) -> None:
    catalogue.folder.rmdir()
    with pytest.raises(FileNotFoundError):
        await catalogue.load()


async def test_the_sample_loads_and_loads_again(catalogue: Catalogue) -> None:
    report = await load_sample(database=catalogue.database, store=catalogue.store, now=NOW)
    assert report == ImportReport(created=14)
    paid = {
        row.slug: (row.price_cents, row.currency)
        for row in await catalogue.rows(Package, "slug")
        if row.price_cents
    }
    assert len(paid) == 9
    assert paid["qualified-invoice-japan"] == (3200, "JPY")
    assert paid["nextjs-storefront-theme"] == (5900, "EUR")
    assert await load_sample(database=catalogue.database, store=catalogue.store, now=LATER) == ImportReport(
        unchanged=14
    )
