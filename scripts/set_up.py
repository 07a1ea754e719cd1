"""Is .venv what the lock says? If not, make it so: `set_up.py [--this-python] runtime|dev`.

Runs on the standard library alone, because it is what installs everything else.
"""

import sys

SUPPORTED = ((3, 11), (3, 12), (3, 13))

# Above the imports, so that an old Python says this instead of failing on one of them.
if sys.version_info[:2] not in SUPPORTED:
    sys.exit(
        "revgraph needs Python 3.11, 3.12 or 3.13; %s is Python %d.%d.\n"
        "Name another one: make PYTHON=/path/to/python3.11 <target>"
        % ((sys.executable, *sys.version_info[:2]))
    )

import hashlib
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
VENV_PYTHON = VENV / "bin" / "python"
PIP = [str(VENV_PYTHON), "-m", "pip", "--disable-pip-version-check", "--no-input", "install"]
# The dev lock holds every pin of the runtime lock, so installing it settles both.
SETTLES = {"runtime": ("runtime",), "dev": ("runtime", "dev")}


def main(level: str, *, this_python: bool) -> None:
    found = _venv_version()
    if found not in SUPPORTED or (this_python and found != sys.version_info[:2]):
        _create_venv()
    if _stamp(level) != _lock_hash(level):
        _install_lock(level)
    if _stamp("project") != _project_hash():
        _install_project()


def _venv_version() -> tuple[int, int]:
    """Zeros when there is none, when it was moved here from elsewhere, or when its Python has gone."""
    if not VENV_PYTHON.exists():
        return (0, 0)
    probe = "import sys; print(*sys.version_info[:2], sys.prefix)"
    answer = subprocess.run([str(VENV_PYTHON), "-c", probe], capture_output=True, text=True, check=False)
    if answer.returncode:
        return (0, 0)
    major, minor, prefix = answer.stdout.rstrip("\n").split(" ", 2)
    return (int(major), int(minor)) if Path(prefix).resolve() == VENV else (0, 0)


def _create_venv() -> None:
    print(f"Creating .venv with Python {sys.version.split()[0]}", flush=True)
    shutil.rmtree(VENV, ignore_errors=True)
    made = subprocess.run(
        [sys.executable, "-m", "venv", str(VENV)], capture_output=True, text=True, check=False
    )
    if made.returncode:
        shutil.rmtree(VENV, ignore_errors=True)
        sys.exit(
            f"{made.stdout}{made.stderr}\nPython could not create a virtual environment. "
            f"On Debian and Ubuntu: apt-get install python3-venv"
        )


def _install_lock(level: str) -> None:
    lock = _lock_path(level)
    total = len(re.findall(r"^[A-Za-z0-9].*==", lock.read_text(), flags=re.MULTILINE))
    for settled in SETTLES[level]:
        _stamp_path(settled).unlink(missing_ok=True)
    _run_pip(["--no-deps", "--require-hashes", "-r", str(lock)], title=f"Installing {total} locked packages")
    for settled in SETTLES[level]:
        _stamp_path(settled).write_text(_lock_hash(settled))


def _install_project() -> None:
    _run_pip(["--no-deps", "--no-build-isolation", "--editable", str(ROOT)], title="Installing revgraph")
    _stamp_path("project").write_text(_project_hash())


def _run_pip(arguments: list[str], *, title: str) -> None:
    print(title, end="", flush=True)
    log: list[str] = []
    with subprocess.Popen(
        [*PIP, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT
    ) as pip:
        for line in pip.stdout or ():
            log.append(line)
            if line.startswith(("Collecting", "Installing collected")):
                print(".", end="", flush=True)
    print(" done" if pip.returncode == 0 else " failed", flush=True)
    if pip.returncode:
        sys.exit("".join(log[-40:]) + f"\npip ended with code {pip.returncode}; its last lines are above.")


def _stamp(name: str) -> str:
    path = _stamp_path(name)
    return path.read_text() if path.exists() else ""


def _stamp_path(name: str) -> Path:
    return VENV / f".installed-{name}"


def _lock_hash(level: str) -> str:
    return hashlib.sha256(_lock_path(level).read_bytes()).hexdigest()


def _lock_path(level: str) -> Path:
    return ROOT / "requirements" / f"{level}.lock"


def _project_hash() -> str:
    """Covers what ends up in the installed metadata; the tools' settings do not."""
    document = tomllib.loads((ROOT / "pyproject.toml").read_text())
    told = [document["project"], document["build-system"], document.get("tool", {}).get("setuptools")]
    return hashlib.sha256(repr(told).encode()).hexdigest()


if __name__ == "__main__":
    if sys.argv[-1] not in SETTLES:
        sys.exit("usage: set_up.py [--this-python] runtime|dev")
    main(sys.argv[-1], this_python="--this-python" in sys.argv)
