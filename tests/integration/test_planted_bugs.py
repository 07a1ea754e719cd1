"""Six bugs that systems like this one have had, planted one at a time: the proof must notice each.

A proof lives through something and tells what does not agree in the end. Without a bug that is nothing.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextvars import ContextVar
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.repositories import accounts, purchases, webhook_events
from app.domain.settlement import Kind, Target
from app.domain.webhooks import Event
from app.gateways.stripe import caller
from app.services import event_intake
from app.settlement import inbox, leases, paying, payments, syncing
from app.settlement.purchases import complete
from app.settlement.syncing import Following
from app.settlement.tools import Tools
from tests.support.agreement import contradictions
from tests.support.buying import Stall
from tests.support.stories import STORIES, Life, buys, is_declined, live, pays

Proof = Callable[[Stall, pytest.MonkeyPatch], Awaitable[None]]
Bug = Callable[[pytest.MonkeyPatch], None]


async def doubled_and_turned_round(stall: Stall, _: pytest.MonkeyPatch) -> None:
    """Every event twice, the last one first."""
    await live(await Life.begin(stall), STORIES["declined, then paid"])
    number = len(stall.shop.events())
    await stall.shop.deliver(permutation=range(number - 1, -1, -1), times=2)
    await stall.shop.work()


async def two_at_once(stall: Stall, monkeypatch: pytest.MonkeyPatch) -> None:
    """One looks at the object, and is slow; meanwhile it is paid, and another one looks."""
    life = await Life.begin(stall)
    await buys(life)
    looked, go = asyncio.Event(), asyncio.Event()
    follow = syncing.FOLLOWINGS[Kind.PAYMENT]

    async def fetch_slowly(provider: Any, object_id: str) -> Any:
        found = await follow.fetch(provider, object_id)
        if not looked.is_set():
            looked.set()
            await go.wait()
        return found

    followings = {**syncing.FOLLOWINGS, Kind.PAYMENT: Following(fetch_slowly, follow.apply)}
    monkeypatch.setattr(syncing, "FOLLOWINGS", followings)
    tools, target = stall.shop.api.deps.tools, Target(Kind.PAYMENT, life.intent)
    first = asyncio.create_task(syncing.sync(tools, target))
    await looked.wait()
    await pays(life)
    second = asyncio.create_task(syncing.sync(tools, target))
    await asyncio.wait([second], timeout=1)
    go.set()
    await asyncio.gather(first, second)
    await stall.shop.deliver(drop=["*"])
    await stall.shop.work()


async def the_database_is_away_for_a_while(stall: Stall, _: pytest.MonkeyPatch) -> None:
    """What was not answered with 200 comes again, as the provider does it."""
    await live(await Life.begin(stall), STORIES["paid"])
    events = stall.shop.events()
    await stall.shop.deliver(drop=["*"])
    async with stall.database.transaction() as connection:
        await connection.exec_driver_sql("ALTER TABLE webhook_events RENAME TO elsewhere")
    again = [event for event in events if (await stall.shop.post(event)).status_code != 200]
    await asyncio.sleep(0.3)
    async with stall.database.transaction() as connection:
        await connection.exec_driver_sql("ALTER TABLE elsewhere RENAME TO webhook_events")
    for event in again:
        assert (await stall.shop.post(event)).status_code == 200
    await stall.shop.work()


async def an_answer_is_lost(stall: Stall, _: pytest.MonkeyPatch) -> None:
    """The intent is made, and nobody hears of it; the sweeper asks again."""
    life = await Life.begin(stall)
    stall.shop.lose("/v1/payment_intents", when="after")
    await stall.buy(packageId=life.package_id)
    assert await stall.sweep(minutes=2) == 1
    await stall.shop.deliver()
    await stall.shop.work()


async def nobody_pays(stall: Stall, _: pytest.MonkeyPatch) -> None:
    await live(await Life.begin(stall), (buys, is_declined))
    await stall.shop.deliver()
    await stall.shop.work()


def no_dedupe(monkeypatch: pytest.MonkeyPatch) -> None:
    """What comes again is stored again."""
    row = webhook_events._row

    def another(event: Event, *given: Any) -> dict[str, Any]:
        return {**row(event, *given), "stripe_event_id": f"{event.id}-{uuid4().hex}"}

    monkeypatch.setattr(webhook_events, "_row", another)


def payload_instead_of_refetch(monkeypatch: pytest.MonkeyPatch) -> None:
    """The object is taken as the event shows it."""
    shown: ContextVar[Mapping[str, Any]] = ContextVar("shown")
    act_on = inbox.act_on

    async def remember(tools: Tools, received: Sequence[inbox.Received]) -> Any:
        for each in received:
            shown.set(each.event.object)
            status = await act_on(tools, [each])
        return status

    async def take(*_: object) -> Any:
        return {**shown.get(), "charges": [], "disputes": []}

    followings = {**syncing.FOLLOWINGS, Kind.PAYMENT: Following(take, payments.apply)}
    monkeypatch.setattr(inbox, "act_on", remember)
    monkeypatch.setattr(syncing, "FOLLOWINGS", followings)


def fetch_before_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    async def sync(tools: Tools, target: Target, *, finish: syncing.Finish | None = None) -> None:
        following = syncing.FOLLOWINGS[target.kind]
        found = await following.fetch(tools.provider, target.object_id)
        lease = await leases.take(tools.database, target.object_id, clock=tools.clock)
        async with tools.database.transaction() as connection:
            await leases.prove(connection, lease)
            if found is not None:
                await following.apply(connection, tools, found)
            if finish is not None:
                await finish(connection)

    monkeypatch.setattr(syncing, "sync", sync)


def answer_before_insert(monkeypatch: pytest.MonkeyPatch) -> None:
    store, tasks = event_intake.Storing.store, set()

    async def promise(self: event_intake.Storing, *given: Any) -> bool:
        task = asyncio.create_task(store(self, *given))
        task.add_done_callback(lambda done: done.exception())
        tasks.add(task)
        return True

    monkeypatch.setattr(event_intake.Storing, "store", promise)


def random_key_per_try(monkeypatch: pytest.MonkeyPatch) -> None:
    call = caller.call

    async def anew(*given: Any, key: str | None = None, **more: Any) -> Any:
        return await call(*given, key=key and f"{key}-{random.random()}", **more)

    for module in ("payment_intents", "customers", "refunds"):
        monkeypatch.setattr(f"app.gateways.stripe.{module}.call", anew)


def grant_before_payment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever has begun to pay has it."""
    begin = paying.begin

    async def give(tools: Tools, payment_id: Any) -> str:
        intent_id = await begin(tools, payment_id)
        async with tools.database.transaction() as connection:
            await _give(connection, tools, payment_id)
        return intent_id

    monkeypatch.setattr(paying, "begin", give)


async def _give(connection: AsyncConnection, tools: Tools, payment_id: Any) -> None:
    from app.db.repositories import payments as rows

    payment = await rows.lock(connection, payment_id)
    payer = await accounts.hold_payer(connection, payment.user_id)
    await complete(
        connection,
        signer=tools.signer,
        terms=tools.commission,
        purchase=await purchases.lock(connection, payment.purchase_id),
        licensee=payer.username,
        now=tools.clock(),
    )


CASES: dict[str, tuple[Bug, Proof, str]] = {
    "no dedupe": (no_dedupe, doubled_and_turned_round, "stored 2 times"),
    "payload instead of refetch": (
        payload_instead_of_refetch,
        doubled_and_turned_round,
        "here ('requires_payment_method'",
    ),
    "fetch before lease": (fetch_before_lease, two_at_once, "here ('requires_payment_method'"),
    "answer before insert": (
        answer_before_insert,
        the_database_is_away_for_a_while,
        "here ('requires_payment_method'",
    ),
    "random key per try": (random_key_per_try, an_answer_is_lost, "nobody here knows it"),
    "grant before payment": (grant_before_payment, nobody_pays, "expected ('pending', 'canceled') None"),
}
"""Bug, what would show it, and how it shows."""


@pytest.mark.parametrize("name", CASES)
async def test_the_bug_is_caught(stall: Stall, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    plant, proof, shown = CASES[name]
    plant(monkeypatch)
    await proof(stall, monkeypatch)
    found = await contradictions(stall.database, stall.shop.stand_in.look("/ledger"))
    assert any(shown in each for each in found), found


@pytest.mark.parametrize(
    "proof",
    {proof.__name__: proof for _, proof, _ in CASES.values()}.values(),
    ids=lambda each: each.__name__,
)
async def test_without_a_bug_the_proof_holds(
    stall: Stall, monkeypatch: pytest.MonkeyPatch, proof: Proof
) -> None:
    await proof(stall, monkeypatch)
    assert await contradictions(stall.database, stall.shop.stand_in.look("/ledger")) == []
