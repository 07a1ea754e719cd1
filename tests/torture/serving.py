"""The processes under torture: the server and the worker as they are, with shorter pauses, and a point to die at."""

import asyncio
import os
import sys
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import uvicorn

import app.main
import app.services.purchases.entering
import app.services.refunds
import app.services.tier_changes
import app.settlement.tier_changes
import app.worker.claims
from app.api import build_schema
from app.bootstrap import build_deps, load_settings
from app.domain import payments
from app.gateways import logs
from app.jobs import CHORES
from app.settlement import checks
from app.worker import Worker
from tests.torture.points import Point, arm

build_schema(suggestions=True)  # once, in the process that the others are forked from
SOON, LATER = timedelta(seconds=0.4), timedelta(seconds=2)
Armed = tuple[Point, int] | None


def serve(settings: Mapping[str, str], armed: Armed, port: int, *, work: bool) -> None:
    _prepare(settings, armed)
    uvicorn.run(
        app.main.create_app(load_settings(), work=work), port=port, log_level="error", access_log=False
    )


def work(settings: Mapping[str, str], armed: Armed) -> None:
    _prepare(settings, armed)

    async def run() -> None:
        await _hurried(build_deps(load_settings())).run()

    asyncio.run(run())


def _prepare(settings: Mapping[str, str], armed: Armed) -> None:
    os.environ.update(settings)
    log = Path(settings["VAR_DIR"]) / "log"
    sys.stderr = log.open("a", buffering=1)
    os.dup2(sys.stderr.fileno(), 2)
    logs.configure(json=True, level="WARNING")
    _hurry()
    if armed is not None:
        arm(armed[0], time=armed[1])


def _hurry() -> None:
    """What waits for minutes because a provider may be slow waits for parts of a second here."""
    app.services.purchases.entering.FIRST_CHECK = SOON
    app.services.refunds.FIRST_CHECK = SOON
    payments._SHORTEST_PAUSE = SOON
    checks.CLAIMED_FOR = timedelta(seconds=1)
    app.services.tier_changes.CHECKED_AFTER = LATER
    app.settlement.tier_changes.CHECKED_AGAIN_AFTER = LATER
    app.worker.claims.retry_delay = lambda _: SOON
    app.main.Worker = _hurried


def _hurried(deps: object) -> Worker:
    return Worker(deps, chores=dict.fromkeys(CHORES, 0.3), poll_seconds=0.05)
