"""``revgraph worker``: who acts on mails, expiries and other facts when the servers only serve?"""

import asyncio
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.reporting import ExitCode

if TYPE_CHECKING:
    from starlette.applications import Starlette

    from app.context import Deps


def worker(
    port: Annotated[
        int | None,
        typer.Option(
            min=0, max=65535, help="Answer /metrics, /health and /ready there; without it, nowhere."
        ),
    ] = None,
    host: Annotated[str, typer.Option(help="The address of --port.")] = "127.0.0.1",
) -> None:
    """Do the background work in a process of its own, beside servers started with --no-worker.

    SIGTERM or Ctrl+C stops it after the work in hand.

    Examples: [bold]revgraph worker[/bold], [bold]revgraph worker --port 9100[/bold]
    """
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, _stop_at_once)
    from app.cli.serving import listening

    with nullcontext() if port is None else listening(host, port) as listener:
        asyncio.run(_work(listener))


def _stop_at_once(_: int, __: FrameType | None) -> None:
    """While nothing is in hand yet; and after it, for the server of ``--port`` raises the signal again."""
    raise SystemExit(ExitCode.OK)


async def _work(listener: socket.socket | None) -> None:
    from app.bootstrap import load_settings
    from app.cli.running import opened
    from app.gateways import logs

    settings = load_settings()
    logs.configure(json=settings.production, level=settings.log_level)
    async with opened(settings) as deps:
        await (_work_alone(deps) if listener is None else _work_watched(deps, listener))


async def _work_alone(deps: "Deps") -> None:
    from app.worker import Worker

    running = Worker(deps)
    for each in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(each, running.stop)
    await running.run()


async def _work_watched(deps: "Deps", listener: socket.socket) -> None:
    import uvicorn

    config = uvicorn.Config(_watched(deps), log_config=None, access_log=False, server_header=False)
    await uvicorn.Server(config).serve(sockets=[listener])


def _watched(deps: "Deps") -> "Starlette":
    """Works for as long as it is served."""
    from starlette.applications import Starlette

    from app import ops
    from app.transport.draining import Drain
    from app.worker import Worker

    running = Worker(deps)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        working = asyncio.create_task(running.run())
        yield
        running.stop()
        await working

    return Starlette(routes=ops.routes(deps, Drain()), lifespan=lifespan)
