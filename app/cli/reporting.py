"""How does a command speak? Results to standard output, troubles to standard error, a code for scripts."""

import os
import sys
import traceback
from enum import IntEnum

from rich.console import Console
from rich.table import Table


class ExitCode(IntEnum):
    OK = 0
    FAILED = 1
    USAGE = 2
    CONFIGURATION = 3


class Problem(Exception):
    """Ends a command with a sentence; ``advice`` says what to do about it."""

    def __init__(self, message: str, *, advice: str = "", code: ExitCode = ExitCode.FAILED) -> None:
        super().__init__(message)
        self.message, self.advice, self.code = message, advice, code


PIPE_WIDTH = 200
"""Columns where there is no screen: a cut cell is no use to grep."""

out = Console(emoji=False, highlight=False, width=None if sys.stdout.isatty() else PIPE_WIDTH)
err = Console(stderr=True, emoji=False, highlight=False)


def say(text: str) -> None:
    """Texts of others stand in it as they are: neither marked up nor cut at the width of the screen."""
    out.print(text, markup=False, soft_wrap=True)


def complain(text: str, *, style: str = "red") -> None:
    err.print(text, markup=False, soft_wrap=True, style=style)


def show(table: Table) -> None:
    out.print(table)


def explain(error: Exception) -> int:
    """Says what went wrong; the exit code."""
    problem = _as_problem(error)
    for line in problem.message.splitlines() or [type(error).__name__]:
        complain(line)
    if problem.advice:
        complain(problem.advice, style="")
    if os.environ.get("LOG_LEVEL", "").upper() == "DEBUG":
        complain("".join(traceback.format_exception(error)), style="dim")
    return problem.code


def explained(error: Exception) -> str:
    """In one line."""
    return _as_problem(error).message.splitlines()[0]


def _as_problem(error: Exception) -> Problem:
    if isinstance(error, Problem):
        return error
    return _of_ours(error) or _of_the_database(error) or _of_the_machine(error)


def _of_ours(error: Exception) -> Problem | None:
    from app.bootstrap import ConfigurationError
    from app.domain.errors import DomainError, InvalidInput
    from app.ports import StorageError

    if isinstance(error, ConfigurationError):
        return _of_settings(error.problems)
    if isinstance(error, InvalidInput):
        return Problem(f"{error.field}: {error.message}", code=ExitCode.USAGE)
    if isinstance(error, DomainError):
        return Problem(error.message)
    if isinstance(error, StorageError):
        if str(error).startswith("STORAGE_URL"):
            return _of_settings([str(error)])
        return Problem(
            f"The storage cannot be used: {error}", advice="Look at STORAGE_URL; 'revgraph doctor' tests it."
        )
    return None


def _of_settings(problems: list[str]) -> Problem:
    return Problem(
        "\n".join(problems),
        advice="Settings come from the environment and from .env; .env.example explains each.",
        code=ExitCode.CONFIGURATION,
    )


def _of_the_database(error: Exception) -> Problem | None:
    from sqlalchemy.exc import ArgumentError, SQLAlchemyError

    if isinstance(error, ArgumentError):
        return _of_settings([f"DATABASE_URL: {_first_line(error)}"])
    from_driver = type(error).__module__.startswith("asyncpg")  # while connecting, SQLAlchemy wraps nothing
    if isinstance(error, SQLAlchemyError | ConnectionError | TimeoutError) or from_driver:
        advice = "Look at DATABASE_URL; 'revgraph doctor' says more."
        return Problem(f"The database cannot be used: {_first_line(error)}", advice=advice)
    return None


def _of_the_machine(error: Exception) -> Problem:
    if isinstance(error, OSError):
        return Problem(_first_line(error))
    return Problem(
        f"This should not have happened: {type(error).__name__}: {_first_line(error)}",
        advice="LOG_LEVEL=DEBUG shows where.",
    )


def _first_line(error: Exception) -> str:
    from app.gateways.redaction import without_secrets

    text = str(getattr(error, "orig", None) or error) or type(error).__name__
    return without_secrets(text.splitlines()[0])
