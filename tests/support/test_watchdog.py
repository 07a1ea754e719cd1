"""A test that swallows its time limit ends the process; among several workers, that one of them."""

import os
import subprocess
import sys
from pathlib import Path

from tests.support.commands import ROOT
from tests.support.watchdog import GRACE

STUCK = """
import contextlib, time
def test_again():  # as Hypothesis does
    for _ in range(2):
        with contextlib.suppress(BaseException):
            time.sleep(30)
"""


def test_a_swallowed_time_limit_ends_the_process(tmp_path: Path) -> None:
    (tmp_path / "test_stuck.py").write_text(STUCK)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    command = [sys.executable, "-m", "pytest", "-p", "tests.support.watchdog", "--timeout=0.5"]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    ran = subprocess.run(
        [*command, str(tmp_path)], cwd=tmp_path, env={**kept, "PYTHONPATH": str(ROOT), GRACE: "0.5"},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert ran.returncode == 1
    assert "Timeout (0:00:01)!" in ran.stderr
    assert f'File "{tmp_path / "test_stuck.py"}", line 6 in test_again' in ran.stderr
