"""``revgraph doctor``: what is wrong with this installation, and what is to be done about it?"""

import asyncio
from typing import Annotated

import typer

from app.cli.findings import Finding, Level, fail, ok, show_as_json, show_findings
from app.cli.reporting import ExitCode


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="For machines: one JSON object.")] = False,
    deep: Annotated[
        bool, typer.Option("--deep", help="Read a large database too, however long it takes.")
    ] = False,
) -> None:
    """Check settings, database, migrations, clock, write access and what the server talks to.

    Every finding is OK, WARN or FAIL and says what to do; exit code 1 when anything FAILs.

    Example: [bold]revgraph doctor --json[/bold]
    """
    findings = asyncio.run(_examine(deep=deep))
    (show_as_json if as_json else show_findings)(findings)
    if any(finding.level is Level.FAIL for finding in findings):
        raise typer.Exit(ExitCode.FAILED)


async def _examine(*, deep: bool) -> list[Finding]:
    from sqlalchemy.exc import ArgumentError

    from app.bootstrap import ConfigurationError, build_deps, close_deps
    from app.cli import database_checks, machine_checks, network_checks
    from app.cli.running import quiet_settings
    from app.ports import StorageError

    findings = [machine_checks.python(), machine_checks.env_file()]
    try:
        settings = quiet_settings()
        deps = build_deps(settings)
    except ConfigurationError as error:
        return [*findings, *(_of_setting(problem) for problem in error.problems)]
    except (StorageError, OSError, ArgumentError) as error:
        return [*findings, _of_setting(str(error))]
    findings += [ok("settings", f"{settings.environment}, {settings.base_url}")]
    findings += machine_checks.all_of(settings)
    try:
        findings += await database_checks.all_of(deps, deep=deep)
        findings += await network_checks.all_of(settings, deps)
    finally:
        await close_deps(deps)
    return findings


def _of_setting(problem: str) -> Finding:
    return fail("settings", problem, "Change it in the environment or in .env; .env.example explains each.")
