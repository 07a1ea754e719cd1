"""Changes of plan, carried out: what was written down is asked of the provider, and its outcome recorded.

Everything here may run again after a crash or a lost answer. Each call has a key that is derived from the
change's row, and before it comes a look at how things stand, for keys are forgotten after a day.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.repositories import tier_changes
from app.db.rows import Row
from app.domain.errors import Unauthenticated
from app.domain.settlement import Kind, Target
from app.domain.subscription_changes import CHECKED_AGAIN_AFTER
from app.domain.subscription_states import Action
from app.domain.subscriptions import ChangeStatus
from app.ports.provider import Declined, ProviderRefused
from app.settlement import subscription_calls, subscription_start
from app.settlement.subscription_news import moment
from app.settlement.sweeping import guarded
from app.settlement.syncing import sync
from app.settlement.tools import Tools

AT_ONCE = 10

log = structlog.get_logger(__name__)


async def carry_out(tools: Tools, change_id: UUID) -> None:
    """Settles the change unless it is settled, or waits for its payer still.

    Raises ProviderError, leases.Busy: then it is open still.
    """
    async with tools.database.read() as connection:
        change = await tier_changes.by_id(connection, change_id)
    if change.status not in (ChangeStatus.REQUESTED, ChangeStatus.WAITING):
        return
    try:
        found = await _ask(tools, change)
    except Unauthenticated:
        await _record(tools, change, failed="account_ended", found={"message": "The account has ended."})
    except Declined as declined:
        await _record(tools, change, failed=declined.code or "declined", found={"declined": True})
    except ProviderRefused as refused:
        log.warning("change_refused", change=str(change_id), code=refused.code, error=str(refused))
        found = {"message": str(refused)}
        await _record(tools, change, failed=refused.code or "refused", found=found)
    else:
        await _record(tools, change, failed=None, found=found)


async def _ask(tools: Tools, change: Row) -> Mapping[str, Any]:
    """What is to be remembered of the answer."""
    if change.details["action"] == Action.START:
        return await subscription_start.start(tools, change)
    return await subscription_calls.change(tools, change)


async def _record(tools: Tools, change: Row, *, failed: str | None, found: Mapping[str, Any]) -> None:
    """In one transaction with what has become of the subscription, where there is one."""
    details, now = {**change.details, **found}, tools.clock()
    status, check_at = ChangeStatus.FAILED if failed else ChangeStatus.APPLIED, None
    if "waits_until" in found:
        status = ChangeStatus.WAITING
        check_at = max(moment(found["waits_until"]), now + CHECKED_AGAIN_AFTER)

    async def finish(connection: AsyncConnection) -> None:
        await tier_changes.settle(
            connection,
            change.id,
            status=status,
            details=details,
            failure_code=failed[:64] if failed else None,
            check_at=check_at,
            now=now,
        )

    if details.get("subscription"):
        await sync(tools, Target(Kind.SUBSCRIPTION, details["subscription"]), finish=finish)
        return
    async with tools.database.transaction() as connection:
        await finish(connection)


async def settle_due(tools: Tools) -> int:
    """Carries out what nobody has settled in time; how many were looked at."""
    now = tools.clock()
    async with tools.database.read() as connection:
        if not await tier_changes.is_due(connection, now=now):
            return 0
    async with tools.database.transaction() as connection:
        due = await tier_changes.claim_due(
            connection, limit=AT_ONCE, until=now + CHECKED_AGAIN_AFTER, now=now
        )
    for change_id in due:
        await guarded("change_not_settled", change_id, carry_out(tools, change_id))
    return len(due)
