"""A process of its own that uses a quota: ``python -m tests.support.consuming URL USER LIMIT TIMES [FOLDER]``.

Prints a line for each call that was admitted, when it is; in FOLDER it keeps its journal of blocks.
"""

import asyncio
import sys
from pathlib import Path
from uuid import UUID

from app.db.database import Database
from app.db.repositories import quotas
from app.domain.errors import CallQuotaExceeded, QuotaExceeded
from app.domain.plans import Resource
from app.domain.viewer import Allowance
from app.gateways.block_journal import FileJournal
from app.services.calls import Calls
from tests.support.factories import NOW


async def main(url: str, user_id: str, limit: int, times: int, folder: str | None = None) -> None:
    allowance = Allowance(UUID(user_id), dict.fromkeys(Resource, limit), NOW)
    database = Database(url, pool_size=5)
    if folder is None:
        await asyncio.gather(*(consume(database, allowance) for _ in range(times)))
    else:
        await call(Calls(database, FileJournal(Path(folder), database=url)), allowance, times)
    await database.close()


async def consume(database: Database, allowance: Allowance) -> None:
    try:
        async with database.transaction() as connection:
            await quotas.consume(connection, allowance, Resource.API_CALL, 1, now=NOW)
    except QuotaExceeded:
        return
    tell()


async def call(calls: Calls, allowance: Allowance, times: int) -> None:
    """One after the other, and nothing is given back by itself: whoever started this one kills it."""
    await calls.look(NOW)
    for _ in range(times):
        try:
            await calls.count(allowance, 1, now=NOW)
        except CallQuotaExceeded:
            break
        tell()
    await calls.give_all_back(NOW)


def tell() -> None:
    sys.stdout.write("admitted\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), *sys.argv[5:]))
