"""``revgraph worker``: who acts on mails, expiries and other facts when the servers only serve?"""

import asyncio
import signal
from types import FrameType

from app.cli.reporting import ExitCode


def worker() -> None:
    """Do the background work in a process of its own, beside servers started with --no-worker.

    SIGTERM or Ctrl+C stops it after the work in hand.

    Example: [bold]revgraph worker[/bold]
    """
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, _stop_at_once)
    asyncio.run(_work())


def _stop_at_once(_: int, __: FrameType | None) -> None:
    """While nothing is in hand yet."""
    raise SystemExit(ExitCode.OK)


async def _work() -> None:
    from app.bootstrap import load_settings
    from app.cli.running import opened
    from app.gateways import logs
    from app.worker import Worker

    settings = load_settings()
    logs.configure(json=settings.production, level=settings.log_level)
    async with opened(settings) as deps:
        running = Worker(deps)
        for each in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(each, running.stop)
        await running.run()
