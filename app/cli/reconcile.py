"""``revgraph reconcile``: is everything here as it is at Stripe, and if not, make it so."""

import asyncio
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from app.cli.progress import shown
from app.cli.reporting import ExitCode, Problem, complain, say, show

if TYPE_CHECKING:
    from app.context import Deps
    from app.services.reconciliation import Report

SHOWN = 200
_AGO = re.compile(r"([0-9]{1,4})([hd])", re.ASCII)
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1)}


def reconcile(
    since: Annotated[
        str,
        typer.Option(help="How far back: 12h, 30d, or a moment such as 2026-11-01 or 2026-11-01T12:00Z."),
    ] = "30d",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Change nothing; exit 1 if something would be changed.")
    ] = False,
) -> None:
    """Fetch the events that never arrived, compare payments, subscriptions, invoices, customers, and mend.

    Looks at what was made since then, and at everything that is unfinished, however old. Stripe tells of
    events for 30 days. Runs by itself once a day; may run at any time, beside servers and workers, one at a
    time.

    Examples: [bold]revgraph reconcile --dry-run[/bold], [bold]revgraph reconcile --since 7d[/bold]
    """
    report = asyncio.run(_reconcile(_moment(since), dry_run=dry_run))
    _tell(report, dry_run=dry_run)
    if report.failed or (dry_run and (report.missed or report.drifts)):
        raise typer.Exit(ExitCode.FAILED)


def _moment(since: str) -> datetime:
    now = datetime.now(UTC)
    if ago := _AGO.fullmatch(since):
        return now - int(ago[1]) * _UNITS[ago[2]]
    try:
        given = datetime.fromisoformat(since)
        moment = given if given.tzinfo else given.replace(tzinfo=UTC)
    except ValueError:
        advice = "Write 12h, 30d, or a moment such as 2026-11-01 or 2026-11-01T12:00Z."
        raise Problem(f"--since: '{since}' is no moment.", advice=advice, code=ExitCode.USAGE) from None
    if moment > now:
        raise Problem(f"--since: {since} is still to come.", code=ExitCode.USAGE)
    return moment


async def _reconcile(since: datetime, *, dry_run: bool) -> "Report":
    from app.cli.running import opened, quiet_settings
    from app.ports.provider import ProviderError
    from app.services import reconciliation

    async with opened(quiet_settings()) as deps:
        if deps.provider is None:
            raise Problem(
                "There is nothing to compare with: STRIPE_API_KEY is not set.", code=ExitCode.CONFIGURATION
            )
        with shown("Comparing", every=100) as step:
            try:
                return await reconciliation.run(
                    deps.tools,
                    since=since,
                    dry_run=dry_run,
                    on_progress=step,
                    act_on_events=lambda: _act_on_events(deps),
                )
            except reconciliation.AlreadyRunning:
                raise Problem(
                    "Another reconciliation is running.", advice=_when_free(deps.lease.total_seconds())
                ) from None
            except reconciliation.Interrupted:
                raise Problem(
                    "The database was away for too long, and another reconciliation may have begun.",
                    advice="What was mended stays so; run it again for the rest.",
                ) from None
            except ProviderError as error:
                raise Problem(
                    f"Stripe cannot be asked: {error}", advice="Look at STRIPE_API_KEY and STRIPE_API_BASE."
                ) from None


def _when_free(lease_seconds: float) -> str:
    return (
        f"Wait until it has ended; if it was killed, another one may begin after {lease_seconds:g} seconds."
    )


async def _act_on_events(deps: "Deps") -> None:
    """As a worker would, beside those that run; what fails now is tried again by them."""
    from app.worker.events import Events

    desk = Events(deps)
    while await desk.work_once():
        pass


def _tell(report: "Report", *, dry_run: bool) -> None:
    say(f"{len(report.missed)} events had not arrived{'' if dry_run else _became(report)}.")
    if report.drifts:
        show(_table(report, dry_run=dry_run))
    for target, reason in report.failed.items():
        complain(f"{target.kind} {target.object_id} could not be compared: {reason}")
    summary = [
        f"{report.compared[kind]} {kind}s ({number} differed)" for kind, number in report.drifted().items()
    ]
    say(f"Compared: {', '.join(summary)}.")


def _became(report: "Report") -> str:
    """What an event is about was compared as well: where that failed, so did acting on the event."""
    return "; they have been acted on" if not report.failed else "; a worker tries again what failed of them"


def _table(report: "Report", *, dry_run: bool) -> Table:
    table = Table("object", "what", "here", "would be" if dry_run else "now", box=None)
    for drift in report.drifts[:SHOWN]:
        cells = (drift.object_id, drift.what, _shown(drift.before), _shown(drift.now))
        table.add_row(*(Text(cell) for cell in cells))
    if len(report.drifts) > SHOWN:
        table.add_row(f"… and {len(report.drifts) - SHOWN} more", "", "", "")
    return table


def _shown(value: object) -> str:
    return "—" if value is None else str(value)
