"""Declared reads: the same rows as SQLAlchemy's, and what happens when the server or a caller goes away."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Integer, func, make_url, select, text

from app.db.database import Database
from app.db.models import ApiKey, Author, User
from app.db.reads import Query, among, given
from app.db.reads.postgresql import PostgresReads
from app.db.repositories import api_keys
from app.db.repositories.api_keys import API_KEY
from app.domain.api_keys import Scope
from tests.support.factories import NOW, make_author, make_user
from tests.support.statements import counted

BY_ID = Query(select(*API_KEY).where(among(ApiKey.id, "ids")).order_by(ApiKey.id))
ONE = Query(select(func.count(User.id)))


async def _keys(database: Database) -> list[UUID]:
    user = await make_user(database)
    made = []
    async with database.transaction() as connection:
        for scopes, expires_at in (([Scope.READ], NOW + timedelta(days=1)), ([], None)):
            made.append(
                await api_keys.add(
                    connection,
                    user_id=user.id,
                    name="key",
                    prefix="rg",
                    key_hash=f"{len(made):064x}",
                    scopes=scopes,
                    expires_at=expires_at,
                    replaces_id=None,
                    now=NOW,
                )
            )
    return made


async def test_rows_are_those_of_sqlalchemy(database: Database) -> None:
    ids = await _keys(database)
    rows = await database.rows(BY_ID, ids=ids)
    async with database.read() as connection:
        statement = select(*API_KEY).where(ApiKey.id.in_(ids)).order_by(ApiKey.id)
        expected = (await connection.execute(statement)).all()
    assert [row._asdict() for row in rows] == [dict(row._mapping) for row in expected]
    first = rows[0]
    assert (first.scopes, first.revoked_at, first.expires_at.tzinfo) == (["read"], None, UTC)
    assert isinstance(first.id, UUID)
    assert first.id in set(ids)


@pytest.mark.parametrize("number", [0, 1, 3, 5_000])
async def test_a_list_of_any_length_is_one_statement(database: Database, number: int) -> None:
    authors = [await make_author(database) for _ in range(3)]
    ids = [author.id for author in authors[:number]] + [UUID(int=n) for n in range(number - 3)]
    query = Query(select(Author.id).where(among(Author.id, "ids")))
    with counted(database) as sent:
        rows = await database.rows(query, ids=ids)
    assert {row.id for row in rows} == {author.id for author in authors[:number]}
    assert len(sent) == 1


async def test_values_are_converted_as_the_models_say(database: Database) -> None:
    user = await make_user(database)
    moment = given("at", User.created_at.type)
    before = Query(select(User.username).where(User.created_at < moment, among(User.created_at, "ats")))
    at, elsewhere = user.created_at, user.created_at.astimezone(datetime.now().astimezone().tzinfo)
    ats = [elsewhere, NOW + timedelta(days=9)]
    assert await database.rows(before, at=at + timedelta(seconds=1), ats=ats) == [(user.username,)]
    assert await database.rows(before, at=at, ats=ats) == []
    with pytest.raises(ValueError, match="time zone"):
        await database.rows(before, at=at.replace(tzinfo=None), ats=ats)


async def test_what_stands_in_the_statement_stays_apart_from_what_is_given(database: Database) -> None:
    for name in ("ann", "ben", "cem"):
        await make_user(database, username=name)
    wanted = select(User.username).where(User.username.in_(["ann", "cem"]), User.deleted_at.is_(None))
    query = Query(wanted.order_by(User.username).limit(given("size", Integer())))
    assert await database.rows(query, size=1) == [("ann",)]
    assert await database.rows(query, size=5) == [("ann",), ("cem",)]


async def test_a_statement_that_fails_says_so_and_the_next_is_answered(database: Database) -> None:
    with pytest.raises(Exception, match="no_such_table"):
        await database.rows(Query(select(text("x")).select_from(text("no_such_table"))))
    assert await database.rows(ONE) == [(0,)]


async def test_more_callers_than_connections_are_all_answered(database_url: str) -> None:
    database = Database(database_url, pool_size=2)
    assert await asyncio.gather(*(database.rows(ONE) for _ in range(20))) == [[(0,)]] * 20
    assert database.pools()["read"] == (0, 2)
    await database.close()


@pytest.mark.parametrize("dialect", ["sqlite"])
async def test_what_takes_long_does_not_hold_the_event_loop(database: Database) -> None:
    numbers = text(
        "(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 1000000) SELECT i FROM n)"
    )
    slow = Query(select(func.count()).select_from(numbers))
    await database.rows(ONE)
    longest = 0.0

    async def watch() -> None:
        nonlocal longest
        while True:
            begun = asyncio.get_running_loop().time()
            await asyncio.sleep(0)
            longest = max(longest, asyncio.get_running_loop().time() - begun)

    watching = asyncio.create_task(watch())
    begun = asyncio.get_running_loop().time()
    assert await database.rows(slow) == [(1_000_000,)]
    took = asyncio.get_running_loop().time() - begun
    watching.cancel()
    assert longest < took / 3
    assert await database.rows(ONE) == [(0,)]


@pytest.mark.parametrize("dialect", ["postgresql"])
async def test_a_caller_who_leaves_takes_the_connection_along(database: Database) -> None:
    waiting = asyncio.ensure_future(database.rows(Query(select(func.pg_sleep(30)))))
    await asyncio.sleep(0.1)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert await asyncio.gather(*(database.rows(ONE) for _ in range(12))) == [[(0,)]] * 12
    assert database.pools()["read"] == (0, 10)


@pytest.mark.parametrize("dialect", ["postgresql"])
async def test_ended_connections_are_replaced_unseen(database: Database) -> None:
    await asyncio.gather(*(database.rows(ONE) for _ in range(5)))
    others = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'revgraph reads'"
    )
    async with database.read() as connection:
        ended = (await connection.execute(text(f"{others} AND datname = current_database()"))).all()
    assert len(ended) == 5
    assert await asyncio.gather(*(database.rows(ONE) for _ in range(12))) == [[(0,)]] * 12


@asynccontextmanager
async def forwarding(to: tuple[str, int], port: int = 0) -> AsyncIterator[int]:
    """A server that can be stopped with all of its connections, and passes on what comes until then."""
    writers: set[asyncio.StreamWriter] = set()

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            writer.write(data)
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        back, forth = await asyncio.open_connection(*to)
        writers.update((writer, forth))
        await asyncio.gather(pass_on(reader, forth), pass_on(back, writer), return_exceptions=True)

    server = await asyncio.start_server(serve, "127.0.0.1", port)
    yield server.sockets[0].getsockname()[1]
    server.close()
    for writer in writers:
        writer.transport.abort()


@pytest.mark.parametrize("dialect", ["postgresql"])
async def test_reads_survive_a_server_that_restarts(database_url: str) -> None:
    url = make_url(database_url)
    behind = (str(url.host), int(url.port or 0))
    async with forwarding(behind) as port:
        database = Database(url.set(host="127.0.0.1", port=port).render_as_string(hide_password=False))
        assert await database.rows(ONE) == [(0,)]
    waiting = [asyncio.ensure_future(database.rows(ONE)) for _ in range(15)]
    await asyncio.sleep(0.4)
    assert not any(each.done() for each in waiting)
    async with forwarding(behind, port):
        assert await asyncio.gather(*waiting) == [[(0,)]] * 15
        await database.close()


@pytest.mark.parametrize("dialect", ["postgresql"])
async def test_a_server_that_stays_away_is_given_up(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.db.reads.postgresql.PAUSES", (0, 0.01))
    tried: list[Any] = []
    connect = PostgresReads._connect

    async def counting(reads: PostgresReads) -> Any:
        tried.append(None)
        return await connect(reads)

    monkeypatch.setattr(PostgresReads, "_connect", counting)
    database = Database(make_url(database_url).set(port=1).render_as_string(hide_password=False))
    with pytest.raises(ConnectionError):
        await database.rows(ONE)
    assert len(tried) == 3
    await database.close()
