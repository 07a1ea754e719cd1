"""Sweeping: of what is due at a time, one that fails does not hold up the others; it is due again later."""

from collections.abc import Awaitable
from uuid import UUID

import structlog

from app import metrics
from app.ports.provider import ProviderError
from app.settlement import leases

log = structlog.get_logger(__name__)


async def guarded(still_open: str, row_id: UUID, work: Awaitable[None]) -> None:
    """``still_open``: what the log says of one that could not be settled now."""
    try:
        await work
    except (ProviderError, leases.Busy, leases.Lost) as error:
        log.warning(still_open, id=str(row_id), error=f"{type(error).__name__}: {error}")
    except Exception as error:
        # What nobody has thought of would keep those behind it from ever being settled.
        metrics.WORKER_FAILURES.labels(still_open).inc()
        log.error(still_open, id=str(row_id), exc_info=error)
