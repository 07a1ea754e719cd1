"""A process of its own that uses a quota: ``python -m tests.support.consuming URL USER LIMIT TIMES``.

Prints a line for each call that was admitted, after its commit.
"""

import asyncio
import sys
from uuid import UUID

from app.db.database import Database
from app.db.repositories import quotas
from app.domain.errors import QuotaExceeded
from app.domain.plans import Resource
from app.domain.viewer import Allowance
from tests.support.factories import NOW


async def main(url: str, user_id: str, limit: int, times: int) -> None:
    allowance = Allowance(UUID(user_id), dict.fromkeys(Resource, limit), NOW)
    database = Database(url, pool_size=5)
    await asyncio.gather(*(consume(database, allowance) for _ in range(times)))
    await database.close()


async def consume(database: Database, allowance: Allowance) -> None:
    try:
        async with database.transaction() as connection:
            await quotas.consume(connection, allowance, Resource.API_CALL, 1, now=NOW)
    except QuotaExceeded:
        return
    sys.stdout.write("admitted\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
