"""Which exact packages fulfil pyproject.toml? Writes requirements/runtime.lock and dev.lock, with hashes.

The resolver lives in an environment of its own under .cache, so that it is no dependency of the product.
The locks name no download host: whoever installs chooses where packages come from.
"""

import os
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ROOT / ".cache" / "lock-tools"
RESOLVER = "uv>=0.13,<0.14"
RUNTIME = ROOT / "requirements" / "runtime.lock"
DEV = ROOT / "requirements" / "dev.lock"
FIXED = [
    *("--universal", "--python-version", "3.11", "--generate-hashes"),
    *("--no-emit-index-url", "--no-emit-find-links", "--no-annotate", "--no-header", "--quiet"),
]


def main(extra: list[str]) -> None:
    uv = _resolver()
    _compile(uv, RUNTIME, ["--group", "pyproject.toml:build", *extra])
    # The runtime's pins bind the dev lock: what is tested is what is served.
    dev_groups = ["--group", "pyproject.toml:build", "--group", "pyproject.toml:dev"]
    _compile(uv, DEV, [*dev_groups, "--constraints", str(RUNTIME.relative_to(ROOT)), *extra])


def _resolver() -> Path:
    uv = TOOLS / "bin" / "uv"
    if not uv.exists():
        print("Installing the resolver into .cache", flush=True)
        venv.create(TOOLS, with_pip=True, clear=True)
        subprocess.run([str(TOOLS / "bin" / "pip"), "install", "--quiet", RESOLVER], check=True)
    return uv


def _compile(uv: Path, lock: Path, arguments: list[str]) -> None:
    """Keeps the present pins where they still fit; `make lock ARGS=--upgrade` takes the newest."""
    print(f"Resolving {lock.relative_to(ROOT)}", flush=True)
    command = [str(uv), "pip", "compile", "pyproject.toml", *FIXED, "--output-file", str(lock)]
    environment = {**os.environ, "UV_CACHE_DIR": str(ROOT / ".cache" / "uv"), "UV_NO_CONFIG": "1"}
    subprocess.run([*command, *arguments], cwd=ROOT, env=environment, check=True)


if __name__ == "__main__":
    main(sys.argv[1:])
