"""Authors: who publishes, with an account or imported from elsewhere."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.ids import new_id
from app.db.models import Author, Package
from app.db.repositories import search
from app.domain.errors import Conflict

AUTHOR: tuple[Any, ...] = (Author.id, Author.user_id, Author.username, Author.created_at)


async def ensure(connection: AsyncConnection, *, user_id: UUID | None, username: str, now: datetime) -> UUID:
    """The author's id, made where there is none. Raises Conflict where the name is another author's.

    Without ``user_id`` (an import), whoever has the name is meant, account or not.
    """
    dialect_insert = postgresql_insert if connection.dialect.name == "postgresql" else sqlite_insert
    statement = (
        dialect_insert(Author)
        .values(
            id=new_id(), user_id=user_id, username=username, username_key=name_key(username), created_at=now
        )
        .on_conflict_do_nothing()
        .returning(Author.id)
    )
    made: UUID | None = (await connection.execute(statement)).scalar_one_or_none()
    if made is not None:
        return made
    found = await (
        by_user(connection, user_id) if user_id else by_username_key(connection, name_key(username))
    )
    if found is None:
        raise Conflict(f"An author is called '{username}' already: change your username first.")
    author_id: UUID = found.id
    return author_id


def name_key(username: str) -> str:
    """What is unique among authors."""
    return username.casefold()


async def by_user(connection: AsyncConnection, user_id: UUID) -> Row[Any] | None:
    return (await connection.execute(select(*AUTHOR).where(Author.user_id == user_id))).one_or_none()


async def by_username_key(connection: AsyncConnection, username_key: str) -> Row[Any] | None:
    statement = select(*AUTHOR).where(Author.username_key == username_key)
    return (await connection.execute(statement)).one_or_none()


async def rename(connection: AsyncConnection, user_id: UUID, *, username: str) -> None:
    """Follows the account's name. Raises Conflict where the name is another author's."""
    holder = await by_username_key(connection, name_key(username))
    if holder is not None and holder.user_id != user_id:
        raise Conflict("This username is an author's: choose another.", field="username")
    await _change(connection, user_id, username=username)


async def anonymise(connection: AsyncConnection, user_id: UUID) -> None:
    """Takes the person out of the row; what was published stays."""
    await _change(connection, user_id, username=f"deleted-{user_id.hex}")


async def _change(connection: AsyncConnection, user_id: UUID, *, username: str) -> None:
    statement = update(Author).where(Author.user_id == user_id)
    await connection.execute(statement.values(username=username, username_key=name_key(username)))
    theirs = select(Package.id).join(Author, Author.id == Package.author_id).where(Author.user_id == user_id)
    for package_id in (await connection.execute(theirs)).scalars().all():
        await search.index(connection, package_id)  # packages are found by their author's name too
