"""How is the stand-in started? `python -m sandbox --port 12111 --webhook-url … --webhook-secret …`"""

import argparse
import logging
from pathlib import Path

import uvicorn

from sandbox import snapshot
from sandbox.clock import Clock
from sandbox.http.drop import Dropping
from sandbox.program import Sandbox, create_app
from sandbox.webhooks import Deliveries
from sandbox.world import World

LOOPBACK = "127.0.0.1"  # never anything else: there is no authentication worth the name


def arguments(given: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m sandbox", description="A stateful stand-in for Stripe's API."
    )
    parser.add_argument("--port", type=int, default=12111, help="on 127.0.0.1 (default 12111)")
    parser.add_argument(
        "--webhook-url", action="append", default=[], help="receives every event; may be repeated"
    )
    parser.add_argument("--webhook-secret", default="whsec_sandbox", help="signs the events")
    parser.add_argument(
        "--retry-base", type=float, default=1.0, help="seconds before the first repeated delivery"
    )
    parser.add_argument("--state", type=Path, help="a file that keeps the state over a restart")
    parser.add_argument("--now", type=int, help="begin at this moment (seconds since 1970), and stand still")
    parser.add_argument("--seed", type=int, help="make the same ids every time")
    parser.add_argument("--log-level", default="warning", choices=["debug", "info", "warning", "error"])
    return parser.parse_args(given)


def build(options: argparse.Namespace) -> Sandbox:
    world = World(clock=Clock(frozen_at=options.now), seed=options.seed)
    world.address = f"http://{LOOPBACK}:{options.port}"
    sandbox = Sandbox(world, Deliveries(world, retry_base=options.retry_base), state=options.state)
    if options.state:
        snapshot.load(options.state, world, sandbox.keys, sandbox.deliveries)
    for url in options.webhook_url:
        sandbox.receive_at(url, options.webhook_secret)
    return sandbox


def main(given: list[str] | None = None) -> None:
    options = arguments(given)
    logging.basicConfig(level=options.log_level.upper())
    app = Dropping(create_app(build(options)))
    uvicorn.run(app, host=LOOPBACK, port=options.port, log_level=options.log_level, access_log=False)


if __name__ == "__main__":
    main()
