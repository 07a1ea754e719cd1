"""``revgraph sandbox``: how is the stand-in for Stripe started alone?

It is a program of its own: this one knows how to start it, and nothing of what it does.
"""

import os
import sys

import typer

PROGRAM = (sys.executable, "-P", "-m", "sandbox")
"""``-P``: a folder of that name where the command is given is not meant."""

ALL_ARE_PASSED_ON = {"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []}


def sandbox(context: typer.Context) -> None:
    """Start the stand-in for Stripe on 127.0.0.1, to develop and try payments. Its own --help says more."""
    sys.stdout.flush()
    os.execv(sys.executable, [*PROGRAM, *context.args])  # noqa: S606 - no shell, and this very interpreter
