"""``revgraph serve``: how does the server start, and refuse to?"""

import asyncio
import os
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.reporting import complain

if TYPE_CHECKING:
    from app.bootstrap import Settings

GRACE_SECONDS = 30


def serve(
    demo: Annotated[
        bool,
        typer.Option(
            "--demo",
            help="Migrate; fill an empty database with a sample and demo accounts; without STRIPE_API_KEY "
            "start a stand-in for Stripe beside the server, for payments.",
        ),
    ] = False,
    host: Annotated[str | None, typer.Option(help="Instead of API_HOST.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Instead of API_PORT.")] = None,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Server processes on the one port.")] = 1,
    work: Annotated[
        bool,
        typer.Option(
            "--worker/--no-worker", help="Do the background work too, or leave it to 'revgraph worker'."
        ),
    ] = True,
    grace: Annotated[
        int, typer.Option(min=0, max=3600, help="Seconds that requests in flight get when the server stops.")
    ] = GRACE_SECONDS,
) -> None:
    """Start the server. SIGTERM or Ctrl+C stops it: requests in flight finish, new ones are refused.

    Examples: [bold]revgraph serve --demo[/bold], [bold]revgraph serve --workers 4 --no-worker[/bold]
    """
    _override("API_HOST", host)
    _override("API_PORT", port)
    settings = _prepared(workers=workers)
    from app.cli import serving, stand_in

    with (
        serving.listening(settings.api_host, settings.api_port) as listener,
        stand_in.beside(settings, listener, wanted=demo and not settings.production) as payments,
    ):
        asyncio.run(_ready(settings, demo=demo, payments=payments))
        serving.run(settings, listener, workers=workers, work=work, grace=grace)


def _override(name: str, value: str | int | None) -> None:
    """Through the environment, so that the server's processes read the same."""
    if value is not None:
        os.environ[name] = str(value)


def _prepared(*, workers: int) -> "Settings":
    from app.bootstrap import load_settings
    from app.gateways import logs

    settings = load_settings()
    logs.configure(json=settings.production, level=settings.log_level)
    if workers > 1 and settings.database_url.startswith("sqlite"):
        complain(
            "SQLite lets one process write at a time: several workers mostly help reading.", style="yellow"
        )
    return settings


async def _ready(settings: "Settings", *, demo: bool, payments: str | None) -> None:
    """Everything that can be wrong is said now, not by the first request."""
    from app.cli.running import opened

    if demo:
        from app.cli.demo import prepare

        await prepare(settings, payments=payments)
        return
    async with opened(settings):
        return
