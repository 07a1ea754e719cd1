"""API calls: counted one by one, or from a block that this process holds for a busy account.

A call from a block costs no statement: it is noted in the process's journal, and written together with the
others when the block is used up, idle or old. ``domain.call_blocks`` says who gets blocks, and how large.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass, field
from datetime import datetime
from time import monotonic
from uuid import UUID

import structlog

from app import metrics
from app.db.database import Database
from app.db.ids import new_id
from app.db.repositories import call_blocks, quotas
from app.domain.call_blocks import BUSY, Block, Demand, Patience, block_size
from app.domain.errors import CallQuotaExceeded
from app.domain.plans import Resource
from app.domain.quota import Meter
from app.domain.viewer import Allowance
from app.ports import BlockJournal

CALL = Resource.API_CALL
LOOK_SECONDS = 0.5
"""Between two looks for blocks that are idle or old."""
RECOVERY_SECONDS = 5.0
"""Between two looks for blocks that ended processes left behind."""
PATIENCE_SECONDS, PAUSE_SECONDS, RETRY_SECONDS = 3.0, 30.0, 0.1
"""How long a call waits for blocks that others hold before it is refused, how long none waits after one that
waited in vain, and how often it looks."""

log = structlog.get_logger(__name__)


@dataclass
class _Account:
    demand: Demand
    block: Block | None = None
    last: Meter | None = None
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    patience: Patience = field(default_factory=lambda: Patience(PATIENCE_SECONDS, PAUSE_SECONDS))


class Calls:
    """Those of the whole process. ``run`` gives back what is not used, until ``stop``."""

    def __init__(self, database: Database, journal: BlockJournal) -> None:
        self._database = database
        self._journal = journal
        self._accounts: dict[UUID, _Account] = {}
        self._ending: dict[UUID, Block] = {}
        self._recovered_at = float("-inf")
        self._stopped = asyncio.Event()

    async def count(self, allowance: Allowance, amount: int, *, now: datetime) -> Meter:
        """Uses ``amount`` (1 or more) of the month's calls, whole or not at all. Raises CallQuotaExceeded."""
        account = self._accounts.get(allowance.user_id)
        if account is None:
            account = self._accounts[allowance.user_id] = _Account(Demand(began=now))
        account.demand.note(amount, now=now)
        meter = self._from_block(account, allowance, amount, now=now)
        if meter is not None:
            return meter
        async with account.lock:
            meter = self._from_block(account, allowance, amount, now=now)  # somebody else took one meanwhile
            return meter or await self._from_database(account, allowance, amount, now=now)

    def _from_block(
        self, account: _Account, allowance: Allowance, amount: int, *, now: datetime
    ) -> Meter | None:
        """Noted before it is admitted: what a killed process admitted stands in its journal."""
        block = account.block
        if block is None or not block.admits(allowance, amount, now=now):
            return None
        block.used += amount
        self._journal.note(block.slot, block.used)
        return block.meter

    async def _from_database(
        self, account: _Account, allowance: Allowance, amount: int, *, now: datetime
    ) -> Meter:
        await self._give_back(account, now=now)
        recent = account.demand.recent(now=now)
        if recent >= BUSY and _may_have_a_block(account.last, allowance, recent, amount, now=now):
            account.block = await self._take(account, allowance, recent, amount, now=now)
            meter = self._from_block(account, allowance, amount, now=now)
            if meter is not None:
                return meter
        return await self._single(account, allowance, amount, now=now)

    async def _take(
        self, account: _Account, allowance: Allowance, recent: int, amount: int, *, now: datetime
    ) -> Block | None:
        limit, block_id = allowance.limits[CALL], new_id()
        slot = self._journal.open(block_id, limit=limit)
        if slot is None:
            return None
        unknown = Meter(CALL, used=0, reserved=0, limit=limit, period=None)
        block = Block(block_id, slot, 0, allowance.anchor_at, unknown, now)
        try:
            async with self._database.transaction() as connection:
                block.size, block.before = await call_blocks.take(
                    connection, allowance, block_id, recent=recent, amount=amount, now=now
                )
        except BaseException:
            self._ending[block_id] = block  # whose commit failed may be there, or not
            raise
        account.last = block.before
        if block.size == 0:
            self._journal.close(slot)
            return None
        metrics.CALL_BLOCKS.labels("taken").inc()
        return block

    async def _single(self, account: _Account, allowance: Allowance, amount: int, *, now: datetime) -> Meter:
        while (meter := await self._counted(allowance, amount, now=now)) is None:
            await self._hope(account, allowance, amount, now=now)
        account.patience.rewarded()
        account.last = meter
        return meter

    async def _counted(self, allowance: Allowance, amount: int, *, now: datetime) -> Meter | None:
        async with self._database.transaction() as connection:
            meter = await quotas.try_to_admit(connection, allowance, CALL, now=now, used=amount)
            if meter is not None:
                await quotas.record(connection, allowance.user_id, meter, amount, occurred_at=now, now=now)
            return meter

    async def _hope(self, account: _Account, allowance: Allowance, amount: int, *, now: datetime) -> None:
        """Blocks of other processes may come back within a moment: the last calls are nobody's to keep."""
        async with self._database.read() as connection:
            meter = await quotas.standing(connection, allowance, CALL, now=now)
        if meter.reserved and account.patience.lasts(monotonic()):
            await self._recover(now=now, every=RETRY_SECONDS)
            await asyncio.sleep(0 if meter.admits(amount) else RETRY_SECONDS)
        elif not meter.admits(amount):
            metrics.QUOTA_REFUSALS.labels(CALL).inc()
            raise _refusal(meter)

    async def _give_back(self, account: _Account, *, now: datetime) -> None:
        block, account.block = account.block, None
        if block is not None:
            self._ending[block.id] = block
            await self._settle(block, now=now)

    async def _settle(self, block: Block, *, now: datetime) -> None:
        """Once, though it may be tried again after a commit that failed or seemed to."""
        async with self._database.transaction() as connection:
            await call_blocks.settle(connection, block.id, used=block.used, limit=block.before.limit, now=now)
        if self._ending.pop(block.id, None) is not None:
            self._journal.close(block.slot)
            metrics.CALL_BLOCKS.labels("settled").inc()

    @asynccontextmanager
    async def held_still(self, user_ids: Iterable[UUID]) -> AsyncIterator[Callable[[UUID, Meter], Meter]]:
        """Yields what adds this process's calls to an account's meter that was read inside."""
        known = {user_id: self._accounts[user_id] for user_id in user_ids if user_id in self._accounts}
        async with AsyncExitStack() as locks:
            for _, account in sorted(known.items()):  # one order for all, so that none waits in a circle
                if account.block is not None:
                    await locks.enter_async_context(account.lock)
            yield lambda user_id, meter: _seen(known.get(user_id), meter)

    async def run(self, clock: Callable[[], datetime]) -> None:
        """Gives back what is idle or old, and at the end everything; what fails is logged and tried again."""
        while not self._stopped.is_set():
            await self._guarded(self.look, clock())
            try:
                await asyncio.wait_for(self._stopped.wait(), LOOK_SECONDS)
            except TimeoutError:
                continue
        await self._guarded(self.give_all_back, clock())
        self._journal.end()

    def stop(self) -> None:
        """Ends ``run``, for when no more calls come."""
        self._stopped.set()

    async def look(self, now: datetime) -> None:
        await self._recover(now=now)
        for block in list(self._ending.values()):
            await self._settle(block, now=now)
        for user_id, account in list(self._accounts.items()):
            if account.block is not None:
                if account.block.is_due(now=now):
                    async with account.lock:
                        await self._give_back(account, now=now)
            elif not account.lock.locked() and not account.demand.recent(now=now):
                del self._accounts[user_id]

    async def give_all_back(self, now: datetime) -> None:
        for account in list(self._accounts.values()):
            async with account.lock:
                await self._give_back(account, now=now)
        for block in list(self._ending.values()):
            await self._settle(block, now=now)

    async def _recover(self, *, now: datetime, every: float = RECOVERY_SECONDS) -> None:
        """Settles what ended processes left behind, with what they used."""
        if monotonic() - self._recovered_at < every:
            return
        self._recovered_at = monotonic()
        with closing(self._journal.left_behind()) as processes:
            for blocks in processes:
                for left in blocks:
                    async with self._database.transaction() as connection:
                        there = await call_blocks.settle(
                            connection, left.id, used=left.used, limit=left.limit, now=now
                        )
                    metrics.CALL_BLOCKS.labels("recovered").inc(there)

    async def _guarded(self, work: Callable[[datetime], Awaitable[None]], now: datetime) -> None:
        try:
            await work(now)
        except Exception as error:  # noqa: BLE001 - blocks stay reserved, and are tried again
            log.warning("call_blocks_not_settled", error=f"{type(error).__name__}: {error}")


def _seen(account: _Account | None, meter: Meter) -> Meter:
    return meter if account is None or account.block is None else account.block.seen_in(meter)


def _may_have_a_block(
    last: Meter | None, allowance: Allowance, recent: int, amount: int, *, now: datetime
) -> bool:
    """By the last that was seen of the account: near the limit, asking for a block would be in vain."""
    if last is None or last.period is None or last.limit != allowance.limits[CALL] or now >= last.period.end:
        return True
    return block_size(recent=recent, amount=amount, meter=last) > 0


def _refusal(meter: Meter) -> CallQuotaExceeded:
    return CallQuotaExceeded(
        resource=CALL,
        used=meter.used + meter.reserved,
        limit=meter.limit or 0,
        resets_at=meter.period.end if meter.period else None,
    )
