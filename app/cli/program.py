"""Which commands are there? One line each; what they do stands in the module of the same name."""

from typing import Annotated

import typer

from app.cli import (
    bench_database,
    catalogs,
    create_admin,
    doctor,
    licences,
    migrate,
    reconcile,
    sandbox,
    schema,
    serve,
    worker,
)
from app.cli.leaving import leave
from app.cli.reporting import ExitCode, explain

EXIT_CODES = "Exit codes: 0 done, 1 a problem was found or the work failed, 2 wrong usage, 3 wrong settings."

program = typer.Typer(
    name="revgraph",
    help="The revenue server for people who sell templates and API tiers.",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
program.command("serve", epilog=EXIT_CODES)(serve.serve)
program.command("worker", epilog=EXIT_CODES)(worker.worker)
program.command("migrate", epilog=EXIT_CODES)(migrate.migrate)
program.command("doctor", epilog=EXIT_CODES)(doctor.doctor)
program.command("reconcile", epilog=EXIT_CODES)(reconcile.reconcile)
program.command("import-catalog", epilog=EXIT_CODES)(catalogs.import_catalog)
program.command("create-admin", epilog=EXIT_CODES)(create_admin.create_admin)
program.command("verify-licence", epilog=EXIT_CODES)(licences.verify_licence)
program.command("schema", epilog=EXIT_CODES)(schema.schema)
program.command("sandbox", add_help_option=False, context_settings=sandbox.ALL_ARE_PASSED_ON)(sandbox.sandbox)
program.command("bench-database", epilog=EXIT_CODES, hidden=True)(bench_database.bench_database)


@program.callback(invoke_without_command=True)
def options(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
) -> None:
    if version:
        from importlib.metadata import version as version_of

        typer.echo(f"revgraph {version_of('revgraph')}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(2)


def run() -> None:
    try:
        program()
    except SystemExit as end:
        leave(end.code if isinstance(end.code, int) else int(end.code is not None))
    except Exception as error:  # noqa: BLE001 - the last place: who typed a command reads a sentence, no traceback
        leave(explain(error))
    leave(ExitCode.OK)
