"""Node.js with the packages of the peers and the load generator, installed anew when their lock changed."""

import json
import subprocess
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from bench.settings import ROOT
from scripts import nodejs

NODE_PEERS = ROOT / "bench" / "peers" / "node"


@dataclass(frozen=True)
class Node:
    program: Path

    def version(self) -> str:
        command = [str(self.program), "--version"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    def version_of(self, package: str) -> str:
        described = NODE_PEERS / "node_modules" / package / "package.json"
        return str(json.loads(described.read_text())["version"])


class Unreachable(Exception):
    """The packages could not be installed; the message is npm's."""


def installed() -> Node:
    """Raises Unreachable, and NoNode where there is no Node.js at all."""
    node, npm = nodejs.find()
    mark = NODE_PEERS / "node_modules" / ".lock-of-these"
    wanted = sha256((NODE_PEERS / "package-lock.json").read_bytes()).hexdigest()
    if not mark.exists() or mark.read_text() != wanted:
        _install(node, npm)
        mark.write_text(wanted)
    return Node(node)


def _install(node: Path, npm: Path) -> None:
    command = [str(node), str(npm), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    settings = {"npm_config_cache": str(ROOT / ".cache" / "npm"), **nodejs.environment(node)}
    ran = subprocess.run(command, cwd=NODE_PEERS, env=settings, capture_output=True, text=True, check=False)
    if ran.returncode:
        raise Unreachable(ran.stderr[-2000:])
