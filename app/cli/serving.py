"""How does the server run, in one process or in several, until it is told to stop?

Everything that a process of the server needs is made in it, from the environment, by ``application``.
"""

import errno
import os
import signal
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import parent_process
from types import FrameType

import uvicorn
from starlette.applications import Starlette
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess

from app.bootstrap import Settings, load_settings
from app.cli.leaving import leave
from app.cli.reporting import ExitCode, Problem
from app.gateways import logs

BACKLOG = 2048
SILENT_SECONDS = 30
"""After which a process that says nothing is replaced. On a busy machine one may need more than the library's
five seconds to begin, and was replaced for ever."""
METRICS = "PROMETHEUS_MULTIPROC_DIR"


@contextmanager
def listening(host: str, port: int) -> Iterator[socket.socket]:
    """The port, taken before anything else is done. Raises Problem where it is not to be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except OSError as error:
            raise _refused(host, port, error) from None
        listener.set_inheritable(True)
        yield listener


def _refused(host: str, port: int, error: OSError) -> Problem:
    if error.errno == errno.EADDRINUSE:
        advice = "Stop what listens there, or choose another one: --port 3001, for the server also API_PORT."
        return Problem(f"Port {port} of {host} is in use.", advice=advice)
    advice = "Look at --host and --port (of the server also API_HOST and API_PORT)."
    return Problem(f"{host}:{port} cannot be listened on: {error.strerror}.", advice=advice)


def run(settings: Settings, listener: socket.socket, *, workers: int, work: bool, grace: int) -> None:
    config = _Config(
        "app.cli.serving:application" if work else "app.cli.serving:application_without_worker",
        factory=True,
        workers=workers,
        backlog=BACKLOG,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=grace,
        timeout_worker_healthcheck=SILENT_SECONDS,
        forwarded_allow_ips=settings.forwarded_allow_ips,
    )
    if workers > 1:
        _run_several(config, listener)
    else:
        uvicorn.Server(config).run(sockets=[listener])


class _Config(uvicorn.Config):
    def configure_logging(self) -> None:
        """The first thing that uvicorn does in a process of its own.

        After a graceful stop it raises the signal again, for whoever handled it before: that is a success.
        """
        settings = load_settings()
        logs.configure(json=settings.production, level=settings.log_level)
        for each in (signal.SIGINT, signal.SIGTERM):
            signal.signal(each, _stopped)


def _stopped(_: int, __: FrameType | None) -> None:
    if parent_process() is not None:
        leave(ExitCode.OK)
    raise SystemExit(ExitCode.OK)


def _run_several(config: _Config, listener: socket.socket) -> None:
    with tempfile.TemporaryDirectory(prefix="revgraph-metrics-") as folder:
        os.environ[METRICS] = folder
        supervisor = Multiprocess(config, sockets=[listener])
        supervisor.run()
    if any(process.exitcode == STARTUP_FAILURE for process in supervisor.processes):
        raise Problem("A server process did not start: the log above says why.")


def application(*, work: bool = True) -> Starlette:
    """Made in the process that serves it."""
    from app.main import create_app

    app = create_app(load_settings(), work=work)
    _drain_on_stop(app)
    return app


def application_without_worker() -> Starlette:
    return application(work=False)


def _drain_on_stop(app: Starlette) -> None:
    """Between the signal and the closing of the port new requests still come in: they are refused at once."""
    for each in (signal.SIGINT, signal.SIGTERM):
        handler = signal.getsignal(each)

        def stop(number: int, frame: FrameType | None, handler: object = handler) -> None:
            app.state.drain.stop()
            if callable(handler):
                handler(number, frame)

        signal.signal(each, stop)
