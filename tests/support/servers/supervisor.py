"""Who stops a test server when the tests have ended, however they ended?

A process of its own: it runs one server and watches the lifeline, a file that the test run holds locked.
The kernel frees that lock when the test run ends or is killed; the supervisor then stops the server and
removes its traces.

    python supervisor.py FOLDER NAME USER COMMAND...
"""

import fcntl
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

LIFELINE = "lifeline"
PATIENCE_SECONDS = 10


def main(folder: Path, name: str, user: str, command: list[str]) -> int:
    for interruption in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(
            interruption, signal.SIG_IGN
        )  # the lifeline alone decides, so that the order of ends is known
    server = subprocess.Popen(command, cwd=folder / name, **as_user(user))
    try:
        with (folder / LIFELINE).open() as lifeline:
            while server.poll() is None and _held(lifeline.fileno()):
                time.sleep(0.2)
    finally:
        _stop(server)
        _tidy(folder, name)
    return server.returncode


def as_user(user: str) -> dict[str, object]:
    """Arguments for Popen; an empty name changes nothing."""
    if not user:
        return {}
    import pwd

    entry = pwd.getpwnam(user)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def _held(lifeline: int) -> bool:
    try:
        fcntl.flock(lifeline, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    return False


def _stop(server: subprocess.Popen[bytes]) -> None:
    if server.poll() is None:
        server.send_signal(signal.SIGINT)  # PostgreSQL's "fast" stop; the others end on it too
    try:
        server.wait(PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def _tidy(folder: Path, name: str) -> None:
    """The last one out removes the folder; while tests run, a server's data waits for the next attempt."""
    (folder / f"{name}.running").unlink(missing_ok=True)
    with (folder / LIFELINE).open() as lifeline:
        if not _held(lifeline.fileno()) and not list(folder.glob("*.running")):
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4:]))
