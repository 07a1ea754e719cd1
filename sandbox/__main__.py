"""How is the stand-in started? `revgraph sandbox --port 12111 --webhook-url …`, or `python -m sandbox`."""

import argparse
import contextlib
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from types import FrameType

import uvicorn

from sandbox import snapshot
from sandbox.arguments import arguments
from sandbox.clock import Clock
from sandbox.http.drop import Dropping
from sandbox.program import Sandbox, create_app
from sandbox.webhooks import Deliveries
from sandbox.world import World

LOOPBACK = "127.0.0.1"  # never anything else: there is no authentication worth the name


def main(given: list[str] | None = None) -> None:
    options = arguments(given)
    logging.basicConfig(level=options.log_level.upper())
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, _stopped)
    try:
        with _listening(options) as listener, snapshot.owned(options.state):
            sandbox = build(options, port=listener.getsockname()[1])
            _serve(sandbox, listener, options)
    except (OSError, snapshot.Unreadable) as error:
        sys.exit(f"The stand-in cannot start: {error}")


def _stopped(_: int, __: FrameType | None) -> None:
    """Uvicorn, when all is done, raises the signal again that it stopped for: that is a success."""
    raise SystemExit(0)


@contextlib.contextmanager
def _listening(options: argparse.Namespace) -> Iterator[socket.socket]:
    if options.listen_fd is not None:
        listener = socket.socket(fileno=options.listen_fd)
    else:
        try:
            listener = socket.create_server((LOOPBACK, options.port))
        except OSError as error:
            raise OSError(
                f"port {options.port} of {LOOPBACK}: {os.strerror(error.errno or 0)}. Choose another --port."
            ) from None
    with listener:
        yield listener


def build(options: argparse.Namespace, *, port: int) -> Sandbox:
    world = World(clock=Clock(frozen_at=options.now), seed=options.seed)
    world.address = f"http://{LOOPBACK}:{port}"
    sandbox = Sandbox(world, Deliveries(world, retry_base=options.retry_base), state=options.state)
    if options.state:
        snapshot.load(options.state, world, sandbox.keys, sandbox.deliveries)
    sandbox.receive_only_at(options.webhook_url, options.webhook_secret)
    return sandbox


def _serve(sandbox: Sandbox, listener: socket.socket, options: argparse.Namespace) -> None:
    app = Dropping(create_app(sandbox))
    server = uvicorn.Server(
        uvicorn.Config(app, log_level=options.log_level, access_log=False, timeout_graceful_shutdown=5)
    )
    if options.until_stdin_ends:
        _stop_at_the_end_of_input(server)
    else:
        sys.stdout.write(f"The stand-in for Stripe: {sandbox.world.address} (Ctrl+C stops it)\n")
        sys.stdout.flush()
    server.run(sockets=[listener])


def _stop_at_the_end_of_input(server: uvicorn.Server) -> None:
    """Whoever started it holds the other end of a pipe, which closes however that process ends."""

    def watch() -> None:
        while os.read(sys.stdin.fileno(), 1024):
            continue
        server.should_exit = True

    threading.Thread(target=watch, daemon=True).start()


if __name__ == "__main__":
    main()
