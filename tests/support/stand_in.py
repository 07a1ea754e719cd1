"""A stand-in for Stripe on a free port, in a thread; and a receiver of its events."""

import json
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlencode

import httpx
import stripe
import uvicorn

from sandbox.clock import Clock
from sandbox.http.drop import Dropping
from sandbox.program import Sandbox, create_app
from sandbox.webhooks import Deliveries
from sandbox.world import World

SECRET = "whsec_test"
NEW_YEAR = 1767225600  # 2026-01-01 00:00 UTC


class StandIn:
    """The program, as the command starts it, with a clock that stands still at New Year 2026."""

    def __init__(self, *, now: int | None = NEW_YEAR, webhook_url: str | None = None) -> None:
        listening = socket.create_server(("127.0.0.1", 0))
        port = listening.getsockname()[1]
        world = World(clock=Clock(frozen_at=now), seed=7)
        world.address = self.address = f"http://127.0.0.1:{port}"
        self.sandbox = Sandbox(world, Deliveries(world, retry_base=0.02))
        if webhook_url:
            self.sandbox.receive_at(webhook_url, SECRET)
        config = uvicorn.Config(Dropping(create_app(self.sandbox)), log_level="error", access_log=False)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([listening],), daemon=True)
        self._thread.start()
        while not self._server.started:
            assert self._thread.is_alive(), "the stand-in did not start"
            time.sleep(0.005)
        self._listening = listening
        self.control = httpx.Client(base_url=self.address, timeout=20)

    def client(self, *, retries: int = 0) -> stripe.StripeClient:
        return stripe.StripeClient(
            "sk_test_123", base_addresses={"api": self.address}, max_network_retries=retries,
            http_client=stripe.RequestsClient(timeout=5),
        )  # fmt: skip

    def ask(self, path: str, /, **given: Any) -> Any:
        """A control: POST with what is given."""
        return self.control.post(f"/_sandbox{path}", json=given).raise_for_status().json()

    def look(self, path: str) -> Any:
        return self.control.get(f"/_sandbox{path}").raise_for_status().json()

    def form(
        self, method: str, path: str, given: dict[str, str] | None = None, **headers: str
    ) -> httpx.Response:
        """A bare request, for what the SDK would not send."""
        all_headers = {"Authorization": "Bearer sk_test_123", **headers}
        if method == "GET":
            return self.control.get(path, params=given, headers=all_headers)
        all_headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
        return self.control.request(method, path, content=urlencode(given or {}), headers=all_headers)

    def pass_days(self, days: int) -> None:
        self.ask("/clock", days=days)

    def leave(self) -> None:
        """It ends by itself: the server looks only ten times a second for whether it should."""
        self.control.close()
        self._server.should_exit = True

    def stop(self) -> None:
        self.leave()
        self._thread.join(10)
        self._listening.close()


class Receiver:
    """Keeps what arrives, and answers as it was told to: with the next of `answers`, else 200."""

    def __init__(self) -> None:
        self.arrived: list[tuple[bytes, str]] = []
        self.answers: list[int] = []
        kept = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                kept.arrived.append((body, self.headers["Stripe-Signature"]))
                self.send_response(kept.answers.pop(0) if kept.answers else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/webhooks/stripe"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @property
    def types(self) -> list[str]:
        return [json.loads(body)["type"] for body, _ in self.arrived]

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)
