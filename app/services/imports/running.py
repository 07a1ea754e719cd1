"""Imports: every pack in a transaction of its own, its files before its rows."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory

from app.db.database import Database
from app.domain import slugs
from app.domain.errors import InvalidInput
from app.domain.lifecycle import PackageStatus
from app.gateways.packs import BadPack, PackSource, read_packs, read_prices, write_archive
from app.ports import ObjectStore
from app.services.imports.changes import (
    AUTHOR_LIMIT,
    Archive,
    Changes,
    Prices,
    Refused,
    compare_versions,
    read_known,
    texts_changed,
)
from app.services.imports.writing import write

READ_CHUNK = 1024 * 1024

Progress = Callable[[int, int, str], None]
"""Is told how many are done, of how many, and the name of the last one."""


@dataclass
class ImportReport:
    """``bad`` has (name, reason) of each pack that was left out, with nothing of it written."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    bad: list[tuple[str, str]] = field(default_factory=list)


async def load_sample(
    *, database: Database, store: ObjectStore, now: datetime, on_progress: Progress | None = None
) -> ImportReport:
    """The catalogue of our own making, for a first look."""
    folder = Path(str(files("app.sample")))
    prices = await asyncio.to_thread(read_prices, folder / "prices.toml")
    return await import_catalog(
        database=database,
        store=store,
        folder=folder / "catalog",
        prices=prices,
        author="revgraph",
        now=now,
        on_progress=on_progress,
    )


async def import_catalog(
    *,
    database: Database,
    store: ObjectStore,
    folder: Path,
    prices: Prices,
    author: str,
    now: datetime,
    on_progress: Progress | None = None,
) -> ImportReport:
    """Every pack below ``folder`` in a transaction of its own; a bad one is reported and the rest goes on.

    ``author`` is whose a pack is that states none. A package without a price in ``prices`` is free when it is
    new and keeps its price when it is known. Raises OSError where ``folder`` cannot be read; StorageError.
    """
    author = slugs.clean_line(author, field="author", limit=AUTHOR_LIMIT)
    packs = await asyncio.to_thread(lambda: list(read_packs(folder)))
    report = ImportReport()
    for done, pack in enumerate(packs, start=1):
        if isinstance(pack, BadPack):
            report.bad.append((pack.name, pack.reason))
        else:
            await _note(report, pack, _Job(database, store, prices, author, now))
        if on_progress:
            on_progress(done, len(packs), pack.name)
    return report


@dataclass(frozen=True)
class _Job:
    """What all packs of one import share."""

    database: Database
    store: ObjectStore
    prices: Prices
    author: str
    now: datetime


async def _note(report: ImportReport, pack: PackSource, job: _Job) -> None:
    try:
        outcome = await _import_pack(pack, job)
    except Refused as refusal:
        report.bad.append((pack.name, str(refusal)))
    except InvalidInput as error:
        report.bad.append((pack.name, f"{error.field}: {error.message}"))
    else:
        setattr(report, outcome, getattr(report, outcome) + 1)


async def _import_pack(pack: PackSource, job: _Job) -> str:
    """'created', 'updated' or 'unchanged'."""
    with TemporaryDirectory(prefix="revgraph-import-") as scratch:
        archives = await asyncio.to_thread(_write_archives, pack, Path(scratch))
        async with job.database.read() as connection:
            known = await read_known(connection, pack.name)
        changes = texts_changed(pack, known, prices=job.prices, author=job.author)
        await compare_versions(pack, known, archives, changes, job.store)
        if changes == Changes():
            return "unchanged"
        if known.package is not None and known.package.status == PackageStatus.YANKED:
            raise Refused("the package is yanked: it cannot change")
        for archive in changes.archives.values():
            await job.store.put(archive.key, _chunks(archive.path))
    async with job.database.transaction() as connection:
        await write(connection, pack, known, changes, now=job.now)
    return "created" if known.package is None else "updated"


def _write_archives(pack: PackSource, folder: Path) -> dict[str, Archive]:
    """The archive of each version that has files. Raises Refused for a file that cannot be read any more."""
    archives = {}
    for number, release in enumerate(pack.versions):
        path = folder / f"{number}.tar.gz"
        try:
            if release.files:
                archives[release.version] = Archive(path, write_archive(pack, release.version, path))
        except OSError as error:
            raise Refused(f"cannot be read: {error}") from error
    return archives


async def _chunks(path: Path) -> AsyncIterator[bytes]:
    file = await asyncio.to_thread(path.open, "rb")
    try:
        while chunk := await asyncio.to_thread(file.read, READ_CHUNK):
            yield chunk
    finally:
        file.close()
