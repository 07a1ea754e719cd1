"""Where do payments go while somebody tries the server, and has no account at Stripe?

To the stand-in (``sandbox/``), a process beside the server for as long as that one lives: it ends when the
pipe does that the server holds, which no kind of death leaves open.
"""

import os
import secrets
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

from app.bootstrap import Settings
from app.cli.reporting import Problem
from app.cli.sandbox import PROGRAM

LOOPBACK = "127.0.0.1"
PORT = 12111
STATE = "stripe-stand-in.json"
WEBHOOKS = "/webhooks/stripe"
START_SECONDS, STOP_SECONDS = 60, 10


@contextmanager
def beside(settings: Settings, listener: socket.socket, *, wanted: bool) -> Iterator[str | None]:
    """The stand-in's address; None where Stripe itself is set, or nobody wants one. Raises Problem."""
    if not wanted or settings.stripe_api_key.get_secret_value():
        yield None
        return
    with _listening() as own:
        address = f"http://{LOOPBACK}:{own.getsockname()[1]}"
        _set(address)
        process = _start(settings.var_dir, own, webhooks=_reached(listener) + WEBHOOKS)
    try:
        _wait_until_it_answers(address)
        yield address
    finally:
        _stop(process)


def _listening() -> socket.socket:
    """Where it was the last time, so that links which were given then still lead there; else anywhere."""
    try:
        return socket.create_server((LOOPBACK, PORT))
    except OSError:
        return socket.create_server((LOOPBACK, 0))


def _set(address: str) -> None:
    """Through the environment, so that every process of the server reads the same, and the stand-in too."""
    os.environ["STRIPE_API_KEY"] = "sk_test_stand_in"
    os.environ["STRIPE_API_BASE"] = address
    os.environ["STRIPE_WEBHOOK_SECRET"] = f"whsec_{secrets.token_urlsafe(24)}"


def _reached(listener: socket.socket) -> str:
    """The server's address as this machine reaches it."""
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": LOOPBACK, "::": "::1"}.get(host, host)  # noqa: S104 - compared, not listened on
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _start(folder: Path, own: socket.socket, *, webhooks: str) -> "subprocess.Popen[bytes]":
    """In a session of its own: Ctrl+C is the server's, which may still need it for what it began."""
    folder.mkdir(parents=True, exist_ok=True)
    options = ["--listen-fd", str(own.fileno()), "--until-stdin-ends"]
    options += ["--state", str(folder / STATE), "--webhook-url", webhooks]
    return subprocess.Popen(  # noqa: S603 - this very interpreter, and words of our own
        [*PROGRAM, *options], stdin=subprocess.PIPE, pass_fds=[own.fileno()], start_new_session=True
    )


def _wait_until_it_answers(address: str) -> None:
    """The port is taken since before it began, so that a first request waits in line."""
    try:
        with urlopen(f"{address}/_sandbox", timeout=START_SECONDS) as answer:  # noqa: S310 - our own address
            answer.read()
    except OSError:
        raise Problem(
            "The stand-in for Stripe did not start: it says why above.",
            advice=f"Its state is {STATE} in VAR_DIR. With STRIPE_API_KEY in .env the server needs none.",
        ) from None


def _stop(process: "subprocess.Popen[bytes]") -> None:
    """Gracefully: what it knows is in its file afterwards."""
    try:
        process.communicate(timeout=STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
