"""One round after the other: something is bought, something is killed, and all must agree in the end."""

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from multiprocessing import get_context
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
from pydantic import SecretStr
from sqlalchemy import update

from app.bootstrap import Settings
from app.db.database import Database
from app.db.migrate import upgrade
from app.db.models import Subscription, User
from app.domain.api_keys import Role
from app.schema.node import global_id
from tests.support import factories
from tests.support.agreement import contradictions
from tests.support.buying import BUY
from tests.support.clients import Clock, make_key, served, sign_up, sign_up_as
from tests.support.commands import ROOT, free_port
from tests.support.subscribing import PLANS
from tests.torture import plans, serving
from tests.torture.points import POINTS, Point

SECRET = "a secret of the tests that is long enough"
PATIENCE = 300.0
"""Seconds: of a machine that has much else to do, too."""
REFUND = """mutation($input: RefundPaymentInput!) { refundPayment(input: $input) {
    refund { status } errors { code message } } }"""
ENDS = ("paid", "declined first", "given back", "given back in part", "disputed", "disputed and lost")


class Unsettled(Exception):
    """After a round something still did not agree; the message says what."""


@dataclass
class Figures:
    rounds: int = 0
    kills: Counter[str] = field(default_factory=Counter)
    seconds_to_agree: list[float] = field(default_factory=list)


@dataclass
class Torture:
    """``url``: an empty database; ``folder``: for logs and files."""

    url: str
    folder: Path
    seed: int = 7
    figures: Figures = field(default_factory=Figures)
    on_round: Callable[[int, Point], None] = lambda _, __: None

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.port, self.provider_port = free_port(), free_port()
        self.provider = httpx.Client(base_url=f"http://127.0.0.1:{self.provider_port}", timeout=60)
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=60)
        self.processes: dict[str, ForkServerProcess] = {}
        self.apart = False
        self.context = get_context("forkserver")
        self.context.set_forkserver_preload(["tests.torture.serving"])
        (self.folder / "var").mkdir(parents=True, exist_ok=True)
        (self.folder / "plans.toml").write_text(PLANS.format(trial_days=0))

    @property
    def settings(self) -> dict[str, str]:
        return {
            "DATABASE_URL": self.url,
            "VAR_DIR": str(self.folder / "var"),
            "JWT_SECRET": SECRET,
            "STRIPE_API_KEY": "sk_test_torture",
            "STRIPE_API_BASE": str(self.provider.base_url).rstrip("/"),
            "STRIPE_WEBHOOK_SECRET": "whsec_torture",
            "WORKER_LEASE_SECONDS": "3",
            "LOG_LEVEL": "WARNING",
            "PLANS_FILE": str(self.folder / "plans.toml"),
        }

    def run(self, rounds: int) -> Figures:
        with asyncio.Runner() as runner, self._provider_running():
            self.loop, self.database = runner, Database(self.url)
            try:
                runner.run(self._furnish(rounds))
                for number in range(rounds):
                    self._round(number)
            finally:
                self._kill_all()
                runner.run(self.database.close())
                self.http.close()
                self.provider.close()
        return self.figures

    @contextmanager
    def _provider_running(self) -> Iterator[None]:
        hook = f"http://127.0.0.1:{self.port}/webhooks/stripe"
        command = [sys.executable, "-m", "sandbox", "--port", str(self.provider_port), "--webhook-url", hook]
        command += ["--webhook-secret", "whsec_torture", "--retry-base", "0.05"]
        with (self.folder / "provider.log").open("w") as log:
            process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
            try:
                self.until(self._provider_answers, "the stand-in starts")
                yield
            finally:
                process.kill()
                process.wait()

    def _provider_answers(self) -> bool:
        try:
            return self.provider.get("/_sandbox").status_code == 200
        except httpx.TransportError:
            return False

    async def _furnish(self, rounds: int) -> None:
        """Buyers without limits, subscribers, an admin, and a package for each round."""
        await upgrade(self.database)
        settings = Settings(
            _env_file=None,
            database_url=self.url,
            var_dir=self.folder / "var",
            jwt_secret=SecretStr(SECRET),
            rate_limit_sign_in="10000/minute",
        )
        async with served(settings, Clock(datetime.now(UTC))) as api:
            admin = await sign_up_as(api, Role.ADMIN)
            self.admin = await make_key(admin, "ADMIN", "READ", "WRITE")
            buyers = [await sign_up(api) for _ in range(rounds // len(POINTS) + 1)]
            self.buyers = [await make_key(buyer, "READ", "PURCHASE") for buyer in buyers]
            async with self.database.transaction() as connection:
                for model in (User, Subscription):
                    await connection.execute(update(model).values(tier="enterprise"))
            about_plans = sum(POINTS[number % len(POINTS)].of_plans for number in range(rounds))
            subscribers = [await sign_up(api) for _ in range(about_plans)]
            self.subscribers = [await make_key(each, "READ", "PURCHASE") for each in subscribers]
        author = await factories.make_author(self.database, user=await factories.make_user(self.database))
        self.packages = []
        for _ in range(rounds):
            package = await factories.make_package(self.database, author=author, price_cents=1999)
            await factories.make_version(self.database, package=package)
            self.packages.append(global_id("Package", package.id))

    def _round(self, number: int) -> None:
        point = POINTS[number % len(POINTS)]
        self.apart = number % 3 == 2
        self._kill_all()
        self._start(armed=(point, self.chance.randint(1, point.most)))
        before = self.figures.kills.total()
        if point.of_plans:
            plans.live(self, self.subscribers.pop(), plans.end_for(point, number))
        else:
            refund = point.target.startswith("app.gateways.stripe.refunds:")
            buyer = self.buyers[number // len(POINTS)]
            self._live(buyer, self.packages[number], "given back" if refund else ENDS[number % len(ENDS)])
        self.until(lambda: self._agrees() or self.figures.kills.total() > before, "the round's end")
        if self.figures.kills.total() == before:
            self._kill("any moment")
        begun = time.monotonic()
        self.until(self._agrees, f"round {number} ({point.name}) agrees")
        self.figures.seconds_to_agree.append(time.monotonic() - begun)
        self.figures.rounds += 1
        self.on_round(number, point)

    def _live(self, buyer: str, package: str, end: str) -> None:
        """As a buyer, and then staff or the buyer's bank, would: whoever gets no answer asks again."""
        bought = self.ask(buyer, BUY, {"packageId": package, "idempotencyKey": str(uuid4())})
        payment = bought["payment"]
        intent = payment["clientSecret"].split("_secret")[0]
        if end == "declined first":
            self.act(f"/act/{intent}", action="decline")
        self.act(f"/act/{intent}", action="pay", card="pm_card_visa")
        if end.startswith("disputed"):
            dispute = self.act("/disputes", payment_intent=intent)
            if end == "disputed and lost":
                self.act(f"/disputes/{dispute['id']}", outcome="lost")
        elif end.startswith("given back"):
            amount = {"amountCents": 500} if end == "given back in part" else {}
            order = {"paymentId": payment["id"], "reason": "asked for", **amount}
            self._refund(order)

    def _refund(self, order: dict[str, Any]) -> None:
        """Refused until the server has heard of the payment."""
        given = {**order, "idempotencyKey": str(uuid4())}
        self.until(
            lambda: self.ask(self.admin, REFUND, given, tolerant=True)["refund"], "the refund is taken"
        )

    def ask(self, key: str, document: str, given: dict[str, Any] | None, *, tolerant: bool = False) -> Any:
        """Whoever gets no answer asks again; so does who is told of errors, unless ``tolerant``."""
        body = {"query": document, "variables": {} if given is None else {"input": given}}
        end, last = time.monotonic() + PATIENCE, "nobody answered"
        while time.monotonic() < end:
            self._revive()
            try:
                answer = self.http.post("/graphql", json=body, headers={"authorization": f"Bearer {key}"})
            except httpx.TransportError:
                time.sleep(0.05)
                continue
            (payload,) = answer.json()["data"].values() if answer.json().get("data") else (None,)
            if payload is not None and (tolerant or not payload["errors"]):
                return payload
            last = answer.text
            time.sleep(0.1)
        raise Unsettled(f"no good answer: {last}")

    def act(self, path: str, **given: str) -> Any:
        return self.provider.post(f"/_sandbox{path}", json=given).raise_for_status().json()

    def _agrees(self) -> bool:
        self._revive()
        ledger = self.provider.get("/_sandbox/ledger").json()
        self.last = self.loop.run(contradictions(self.database, ledger))
        return self.last == []

    def until(self, condition: Any, what: str) -> None:
        end = time.monotonic() + PATIENCE
        while not condition():
            if time.monotonic() > end:
                raise Unsettled(f"{what}: not within {PATIENCE:g} s: {getattr(self, 'last', '')}")
            time.sleep(0.05)

    def _start(self, *, armed: serving.Armed = None) -> None:
        for name in ("server", "worker") if self.apart else ("server",):
            self._start_one(name, armed)

    def _start_one(self, name: str, armed: serving.Armed) -> None:
        if name == "server":
            process = self.context.Process(
                target=serving.serve, args=(self.settings, armed, self.port), kwargs={"work": not self.apart}
            )
        else:
            process = self.context.Process(target=serving.work, args=(self.settings, armed))
        process.start()
        process.armed = armed  # type: ignore[attr-defined]  # for the figures
        self.processes[name] = process

    def _revive(self) -> None:
        """As a supervisor does: what has died is started again, and dies no more."""
        for name, process in list(self.processes.items()):
            if process.is_alive():
                continue
            if process.exitcode != -signal.SIGKILL:
                raise Unsettled(f"the {name} ended with {process.exitcode}: see {self.folder}/var/log")
            armed = process.armed  # type: ignore[attr-defined]  # set where it was started
            self.figures.kills[armed[0].name if armed else "any moment"] += 1
            self._start_one(name, None)

    def _kill(self, _: str) -> None:
        process = self.processes[self.chance.choice(sorted(self.processes))]
        process.armed = None  # type: ignore[attr-defined]  # it did not die by itself
        os.kill(process.pid or 0, signal.SIGKILL)
        process.join(10)
        self._revive()

    def _kill_all(self) -> None:
        for process in self.processes.values():
            process.kill()
            process.join(10)
        self.processes.clear()


def summary(figures: Figures, points: Sequence[Point] = POINTS) -> dict[str, Any]:
    ordered = sorted(figures.seconds_to_agree)
    return {
        "rounds": figures.rounds,
        "kills": figures.kills.total(),
        "points reached": len({point.name for point in points} & figures.kills.keys()),
        "seconds until all agreed, median": round(ordered[len(ordered) // 2], 1),
        "at most": round(ordered[-1], 1),
    }
