"""Which options does the command have, and which values does it refuse?"""

import argparse
import os
from pathlib import Path

from sandbox.clock import FARTHEST
from sandbox.webhooks import is_web_address

EPILOG = """Example: revgraph sandbox --webhook-url http://127.0.0.1:3000/webhooks/stripe

Exit codes: 0 done, 1 it could not start, 2 wrong usage."""
SECRET = "whsec_sandbox"  # noqa: S105 - signs the events of money that does not exist


def arguments(given: list[str] | None = None) -> argparse.Namespace:
    """Ends the process with code 2 where an option is wrong."""
    parser = argparse.ArgumentParser(
        prog="revgraph sandbox",
        description="A stateful stand-in for Stripe's API, on 127.0.0.1 alone. No money moves.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--port", type=port, default=12111, help="0 takes a free one (default 12111)")
    parser.add_argument(
        "--webhook-url", action="append", default=[], type=web_address, metavar="URL",
        help="receives every event; may be repeated. Those of an earlier start end.",
    )  # fmt: skip
    parser.add_argument(
        "--webhook-secret", default=_secret(), metavar="SECRET",
        help=f"signs the events (default: the first of STRIPE_WEBHOOK_SECRET, else {SECRET})",
    )  # fmt: skip
    parser.add_argument(
        "--retry-base",
        type=seconds,
        default=1.0,
        help="seconds before the first repeated delivery (default 1)",
    )
    parser.add_argument("--state", type=state_file, metavar="FILE", help="keeps the state over a restart")
    parser.add_argument(
        "--now", type=moment, help="begin at this moment (seconds since 1970), and stand still"
    )
    parser.add_argument("--seed", type=int, help="make the same ids every time")
    parser.add_argument("--log-level", default="warning", choices=["debug", "info", "warning", "error"])
    parser.add_argument("--listen-fd", type=int, help=argparse.SUPPRESS)  # taken by who starts it
    parser.add_argument("--until-stdin-ends", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args(given)


def _secret() -> str:
    """Not only as an option: those are seen by everybody on the machine."""
    return os.environ.get("STRIPE_WEBHOOK_SECRET", "").split(",")[0].strip() or SECRET


def port(text: str) -> int:
    return within(int(text), 0, 65535)


def moment(text: str) -> int:
    return within(int(text), 0, FARTHEST)


def within(number: int, least: int, most: int) -> int:
    if not least <= number <= most:
        raise argparse.ArgumentTypeError(f"{number} is not between {least} and {most}")
    return number


def seconds(text: str) -> float:
    number = float(text)
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is no number of seconds above 0")
    return number


def web_address(text: str) -> str:
    if not is_web_address(text):
        raise argparse.ArgumentTypeError(
            f"'{text}' is no web address such as http://127.0.0.1:3000/webhooks/stripe"
        )
    return text


def state_file(text: str) -> Path:
    path = Path(text)
    if path.is_dir() or not path.parent.is_dir():
        raise argparse.ArgumentTypeError(f"'{text}' is no file in an existing folder")
    return path
