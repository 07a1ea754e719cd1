"""How a package gets into the search index, and out of it again."""

import json
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Insert, Text, cast, delete, func, insert, literal, select, true
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.models import Author, Package, PackageCategory, PackageTag
from app.db.repositories.search.tables import DOCUMENTS, FIELDS, FULL_TEXT, VECTORS, WORDS
from app.domain.search import words

README_LIMIT = 50_000
"""Characters of a readme that are searched: a longer one has said by then what it is about."""
SHORTEST, LONGEST = 4, 32
"""Letters of a word that slips are looked up for."""


async def index(connection: AsyncConnection, package_id: UUID) -> None:
    """Takes the package as its rows are now; call it in the transaction that changed them."""
    cut = await _cut(connection, package_id)
    if cut is None:
        await remove(connection, package_id)
        return
    if connection.dialect.name == "sqlite":
        await _write_sqlite(connection, package_id, cut)
    else:
        await _write_postgresql(connection, package_id, cut)
    await _learn(connection, {word for found in cut.values() for word in found})


async def _cut(connection: AsyncConnection, package_id: UUID) -> dict[str, list[str]] | None:
    statement = (
        select(Package.slug, Package.name, Package.description, Package.readme, Author.username)
        .join(Author, Author.id == Package.author_id)
        .where(Package.id == package_id)
    )
    row = (await connection.execute(statement)).one_or_none()
    if row is None:
        return None
    labels = [row.slug, row.username, *await _labels(connection, package_id)]
    return {
        "name": words(row.name),
        "labels": words(" ".join(labels)),
        "description": words(row.description),
        "readme": words((row.readme or "")[:README_LIMIT]),
    }


async def _labels(connection: AsyncConnection, package_id: UUID) -> Iterable[str]:
    tags = select(PackageTag.tag).where(PackageTag.package_id == package_id)
    categories = select(PackageCategory.category).where(PackageCategory.package_id == package_id)
    return (await connection.execute(tags.union_all(categories))).scalars().all()


async def _write_sqlite(connection: AsyncConnection, package_id: UUID, cut: Mapping[str, list[str]]) -> None:
    title = " ".join(cut["name"])
    statement = sqlite_insert(DOCUMENTS).values(package_id=package_id, title=title)
    statement = statement.on_conflict_do_update(
        index_elements=[DOCUMENTS.c.package_id], set_={"title": title}
    )
    number = (await connection.execute(statement.returning(DOCUMENTS.c.id))).scalar_one()
    await connection.execute(delete(FULL_TEXT).where(FULL_TEXT.c.rowid == number))
    texts = {field: " ".join(dict.fromkeys(cut[field])) for field in FIELDS}
    await connection.execute(insert(FULL_TEXT).values(rowid=number, **texts))


async def _write_postgresql(
    connection: AsyncConnection, package_id: UUID, cut: Mapping[str, list[str]]
) -> None:
    vectors = {
        field: func.array_to_tsvector(cast(literal(sorted(set(cut[field])), ARRAY(Text)), ARRAY(Text)))
        for field in FIELDS
    }
    values: dict[str, Any] = {"title": " ".join(cut["name"]), **vectors}
    statement = postgresql_insert(VECTORS).values(package_id=package_id, **values)
    await connection.execute(
        statement.on_conflict_do_update(index_elements=[VECTORS.c.package_id], set_=values)
    )


async def _learn(connection: AsyncConnection, found: set[str]) -> None:
    """Words that slips may have meant. In order, so that two who publish never wait for each other's.

    A word stays when its last package goes: whether it still leads somewhere is asked when it is needed.
    """
    worth = sorted(word for word in found if SHORTEST <= len(word) <= LONGEST and not word.isdigit())
    sqlite = connection.dialect.name == "sqlite"
    await connection.execute(_learnt_sqlite(worth) if sqlite else _learnt_postgresql(worth))


def _learnt_sqlite(worth: list[str]) -> Insert:
    each = func.json_each(json.dumps(worth)).table_valued("value")
    # The WHERE keeps SQLite from reading ON CONFLICT as the ON of a join.
    listed = select(each.c.value).where(true())
    return sqlite_insert(WORDS).from_select(["word"], listed).on_conflict_do_nothing()


def _learnt_postgresql(worth: list[str]) -> Insert:
    each = func.unnest(cast(literal(worth, ARRAY(Text)), ARRAY(Text))).column_valued("word")
    return postgresql_insert(WORDS).from_select(["word"], select(each)).on_conflict_do_nothing()


async def remove(connection: AsyncConnection, package_id: UUID) -> None:
    if connection.dialect.name != "sqlite":
        await connection.execute(delete(VECTORS).where(VECTORS.c.package_id == package_id))
        return
    statement = delete(DOCUMENTS).where(DOCUMENTS.c.package_id == package_id).returning(DOCUMENTS.c.id)
    number = (await connection.execute(statement)).scalar_one_or_none()
    if number is not None:
        await connection.execute(delete(FULL_TEXT).where(FULL_TEXT.c.rowid == number))
