"""A PostgreSQL of one test's own, which may be stopped and started again on the same port."""

import os
import signal
import time
from pathlib import Path

from tests.support.servers.postgres import SETTINGS, PostgresServer, answers, command, installed
from tests.support.servers.shared import free_port, launch

PATIENCE_SECONDS = 30


class OwnPostgres:
    """``folder``: of ``server_folder``, whose end also ends the server."""

    def __init__(self, folder: Path) -> None:
        self.server = PostgresServer("127.0.0.1", free_port())
        self._home = folder / "postgres"
        self.start()

    def start(self) -> None:
        binaries, user = installed(self._home)
        launch(
            self._home.parent,
            "postgres",
            lambda _: command(binaries, self._home, self.server.port, SETTINGS),
            ready=lambda _: answers(self.server.port),
            user=user,
        )

    def stop(self) -> None:
        """Fast: whoever is connected is cut off."""
        told = self._home / "data" / "postmaster.pid"
        os.kill(int(told.read_text().split()[0]), signal.SIGINT)
        end = time.monotonic() + PATIENCE_SECONDS
        while told.exists() or (self._home.parent / "postgres.running").exists():
            assert time.monotonic() < end, "PostgreSQL does not stop"
            time.sleep(0.05)
