"""``python -m tests.torture``: how often is the server killed, and does everything agree each time?"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from app.gateways import logs
from tests.support.servers.postgres import postgres_server
from tests.support.servers.shared import server_folder
from tests.torture.rounds import Torture, Unsettled, summary


def main() -> None:
    parser = argparse.ArgumentParser(prog="make torture", description=__doc__)
    parser.add_argument("--rounds", type=int, default=200, help="on each database (200)")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), action="append")
    options = parser.parse_args()
    logs.configure(json=False, level="ERROR")
    with server_folder() as servers, tempfile.TemporaryDirectory(prefix="revgraph-torture-") as folder:
        for dialect in options.database or ("sqlite", "postgresql"):
            place = Path(folder) / dialect
            place.mkdir()
            url = (
                f"sqlite:///{place}/torture.db"
                if dialect == "sqlite"
                else postgres_server(servers).create_database("torture")
            )
            _torture(dialect, Torture(url, place, options.seed), options.rounds)


def _torture(dialect: str, torture: Torture, rounds: int) -> None:
    begun = time.monotonic()
    torture.on_round = lambda number, point: sys.stderr.write(
        f"{dialect} {number + 1}/{rounds} {time.monotonic() - begun:.0f} s: {point.name}\n"
    )
    try:
        torture.run(rounds)
    except Unsettled as unsettled:
        log = (torture.folder / "var" / "log").read_text()[-5000:]
        sys.exit(
            f"{dialect}, after {torture.figures.rounds} rounds (seed {torture.seed}): {unsettled}\n{log}"
        )
    told = summary(torture.figures)
    sys.stdout.write(f"{dialect}: {', '.join(f'{name} {value}' for name, value in told.items())}, ")
    sys.stdout.write(f"{time.monotonic() - begun:.0f} s\n")
    for name, times in sorted(torture.figures.kills.items()):
        sys.stdout.write(f"  {times:4d}  {name}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
