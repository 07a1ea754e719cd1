"""A state of the application and of the stand-in, to go back to: what follows from it is tried many times."""

import shutil
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from app.db.database import Database
from sandbox import snapshot
from tests.support.payments import Shop

COLUMNS = """SELECT table_name, string_agg(quote_ident(column_name), ',' ORDER BY ordinal_position)
    FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
    WHERE table_schema = 'public' AND table_type = 'BASE TABLE' AND is_generated = 'NEVER'
    AND identity_generation IS NULL GROUP BY 1 ORDER BY 1"""
UNCHECKED = "SET LOCAL session_replication_role = replica"
"""Neither foreign keys nor triggers look: what is put back was whole."""


class KeptState:
    """``back`` puts everything back: the rows, the stand-in's world, and no mail is written yet."""

    def __init__(self, shop: Shop, folder: Path) -> None:
        self._shop, self._folder = shop, folder
        self._tables: Sequence[Any] = ()

    async def keep(self) -> None:
        self._folder.mkdir(exist_ok=True)
        sandbox = self._shop.stand_in.sandbox
        snapshot.save(self._folder / "world", sandbox.world, sandbox.keys, sandbox.deliveries)
        self._changes = sandbox.world.changes
        if self._database.dialect == "sqlite":
            _copy(self._file, self._folder / "rows")
        else:
            await self._keep_rows()

    async def back(self) -> None:
        if self._database.dialect == "sqlite":
            _copy(self._folder / "rows", self._file)
        else:
            await self._put_rows_back()
        self._put_world_back()
        shutil.rmtree(self._mails, ignore_errors=True)

    @property
    def _database(self) -> Database:
        return self._shop.api.deps.database

    @property
    def _file(self) -> Path:
        return Path(str(self._database.url.database))

    @property
    def _mails(self) -> Path:
        return self._shop.api.deps.mailer._folder  # type: ignore[attr-defined,no-any-return]  # the one for developing

    def _put_world_back(self) -> None:
        """Only where somebody has changed it since."""
        sandbox = self._shop.stand_in.sandbox
        if sandbox.world.changes == self._changes:
            return
        sandbox.world.tables.clear()
        sandbox.world.timers.clear()
        sandbox.keys.clear()
        assert snapshot.load(self._folder / "world", sandbox.world, sandbox.keys, sandbox.deliveries)
        sandbox.world.changes = self._changes

    async def _keep_rows(self) -> None:
        async with self._database.transaction() as connection:
            self._tables = (await connection.exec_driver_sql(COLUMNS)).all()
            await connection.exec_driver_sql("DROP SCHEMA IF EXISTS kept CASCADE")
            await connection.exec_driver_sql("CREATE SCHEMA kept")
            for name, columns in self._tables:
                await connection.exec_driver_sql(f"CREATE TABLE kept.{name} AS SELECT {columns} FROM {name}")

    async def _put_rows_back(self) -> None:
        async with self._database.transaction() as connection:
            raw = (await connection.get_raw_connection()).driver_connection
            assert raw is not None
            await raw.execute(
                ";".join(
                    [UNCHECKED]
                    + [
                        f"DELETE FROM {name}; INSERT INTO {name} ({columns}) SELECT {columns} FROM kept.{name}"
                        for name, columns in self._tables
                    ]
                )
            )


def _copy(source: Path, target: Path) -> None:
    """Also into a database that is open elsewhere."""
    with sqlite3.connect(source) as read, sqlite3.connect(target) as written:
        read.backup(written)
    read.close()
    written.close()
