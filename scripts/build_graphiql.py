"""How is the GraphiQL page built?"""

import subprocess
import sys
from pathlib import Path

import nodejs

ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    try:
        node, npm = nodejs.find()
    except nodejs.NoNode as error:
        sys.exit(str(error))
    for arguments in (["ci", "--no-audit", "--no-fund", "--loglevel=error"], ["run", "build"]):
        print(f"npm {arguments[0]} {arguments[1]}", flush=True)
        command = [str(node), str(npm), *arguments]
        ended = subprocess.run(command, cwd=ROOT / "graphiql", env=nodejs.environment(node), check=False)
        if ended.returncode:
            return ended.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main())
