"""``revgraph create-admin``: who may administer this server, or help its customers?"""

import asyncio
import sys
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

import typer

from app.cli.reporting import ExitCode, Problem, say


class StaffRole(StrEnum):
    ADMIN = "admin"
    SUPPORT = "support"


def create_admin(
    email: Annotated[str, typer.Option(help="The address to sign in with; taken as verified.")],
    username: Annotated[str, typer.Option(help="3 to 32 letters, digits, '_' and '-'.")],
    password_stdin: Annotated[
        bool,
        typer.Option("--password-stdin", help="Read the password from the first line of standard input."),
    ] = False,
    role: Annotated[
        StaffRole, typer.Option(help="support may look at accounts; admin may do everything.")
    ] = StaffRole.ADMIN,
) -> None:
    """Make an account of the role admin, or support. Its password is asked for, or read from standard input.

    It is never an argument: arguments stand in the shell's history and in the list of processes.

    Example: [bold]revgraph create-admin --email me@example.com --username me[/bold]
    """
    password = _from_stdin() if password_stdin else _asked()
    asyncio.run(_create(email=email, username=username, password=password, role=role))
    say(f"{username} <{email}> has the role {role} now.")


def _from_stdin() -> str:
    try:
        password = sys.stdin.buffer.readline().decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise Problem("The password on standard input is not UTF-8 text.", code=ExitCode.USAGE) from None
    if not password:
        raise Problem("There is no password on standard input.", code=ExitCode.USAGE)
    return password


def _asked() -> str:
    if not sys.stdin.isatty():
        raise Problem(
            "There is nobody to ask for the password.",
            advice="Pipe it: revgraph create-admin … --password-stdin < file",
            code=ExitCode.USAGE,
        )
    return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))


async def _create(*, email: str, username: str, password: str, role: StaffRole) -> None:
    from app.cli.running import opened, quiet_settings
    from app.domain.api_keys import Role
    from app.services import accounts

    settings = quiet_settings()
    async with opened(settings) as deps:
        await accounts.create_with_role(
            database=deps.database,
            passwords=deps.passwords,
            email=email,
            username=username,
            password=password,
            role=Role(role),
            production=settings.production,
            now=datetime.now(UTC),
        )
