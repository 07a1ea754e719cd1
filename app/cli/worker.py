"""``revgraph worker``: who acts on mails, expiries and other facts when the servers only serve?"""

import asyncio
import signal


def worker() -> None:
    """Do the background work in a process of its own, beside servers started with --no-worker.

    SIGTERM or Ctrl+C stops it after the work in hand.

    Example: [bold]revgraph worker[/bold]
    """
    asyncio.run(_work())


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
