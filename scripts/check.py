"""Is the tree fit to be merged? Runs every check, tells all that fail: `check.py [name...]`."""

import difflib
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
SCHEMA = ROOT / "schema.graphql"


def main(wanted: list[str]) -> int:
    unknown = set(wanted) - set(CHECKS)
    if unknown:
        print(f"There is no check {', '.join(sorted(unknown))}; there are: {', '.join(CHECKS)}")
        return 2
    failed = [name for name in CHECKS if (not wanted or name in wanted) and not _passes(name)]
    if failed:
        print(f"\nNot fit: {', '.join(failed)}")
    return 1 if failed else 0


def _passes(name: str) -> bool:
    print(f"{name:<10} ", end="", flush=True)
    began = time.monotonic()
    told = CHECKS[name]()
    print(f"{'FAILED' if told else 'ok':<6} {time.monotonic() - began:5.1f} s", flush=True)
    if told:
        print(f"{told.rstrip()}\n", flush=True)
    return not told


def _tool(*command: str) -> Callable[[], str]:
    """A check that fails when the command does; what it tells is the command's output."""
    return lambda: _complaint([str(BIN / command[0]), *command[1:]])


def _complaint(command: list[str]) -> str:
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return (ran.stdout + ran.stderr or f"ended with code {ran.returncode}") if ran.returncode else ""


def _schema_is_fresh() -> str:
    printed = subprocess.run(
        [BIN / "revgraph", "schema"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if printed.returncode:
        return printed.stdout + printed.stderr
    kept = SCHEMA.read_text().splitlines() if SCHEMA.exists() else []
    diff = list(
        difflib.unified_diff(kept, printed.stdout.splitlines(), "schema.graphql", "the code", lineterm="")
    )
    if not diff:
        return ""
    return "\n".join(
        [*diff[:80], "schema.graphql is what clients are written against, and it is stale: make schema"]
    )


CHECKS: dict[str, Callable[[], str]] = {
    "lint": _tool("ruff", "check", "."),
    "format": _tool("ruff", "format", "--check", "."),
    "types": _tool("mypy"),
    "imports": _tool("lint-imports"),
    "schema": _schema_is_fresh,
    "docker": _tool("hadolint", "Dockerfile"),
    "tree": _tool("python", "scripts/check_tree.py"),
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
