"""What is due at a time is settled one after the other, whatever happens to one of them."""

from typing import Any

import pytest
from structlog.testing import capture_logs

from app import metrics
from app.db.models import Payment
from app.domain.settlement import Kind
from app.settlement import payments, syncing
from app.settlement.syncing import Following
from tests.support import factories
from tests.support.buying import PRICE, Stall


@pytest.mark.parametrize("failing", [0, 1])
async def test_what_nobody_has_thought_of_holds_up_nothing_else(
    stall: Stall, monkeypatch: pytest.MonkeyPatch, failing: int
) -> None:
    """In whatever order they are looked at."""
    intents = []
    for _ in range(2):
        await stall.buy()
        intents.append(await stall.intent_id())
        stall.shop.act(intents[-1], "pay")
        stall.package = await factories.make_package(stall.database, price_cents=PRICE)
        await factories.make_version(stall.database, package=stall.package)

    async def fetch(provider: Any, intent_id: str) -> Any:
        if intent_id == intents[failing]:
            raise ValueError("a state that nobody has thought of")
        return await payments.fetch(provider, intent_id)

    following = Following(fetch, payments.apply)
    monkeypatch.setattr(syncing, "FOLLOWINGS", {**syncing.FOLLOWINGS, Kind.PAYMENT: following})
    labels = {"part": "payment_not_settled"}
    before = metrics.REGISTRY.get_sample_value("revgraph_worker_failures_total", labels) or 0
    with capture_logs() as logs:
        assert await stall.sweep(minutes=10) == 2
    expected = {intents[failing]: "requires_payment_method", intents[1 - failing]: "succeeded"}
    rows = await stall.rows(Payment)
    assert {row.stripe_payment_intent_id: row.status for row in rows} == expected
    told = [line for line in logs if line["event"] == "payment_not_settled"]
    assert [(line["log_level"], str(line["exc_info"])) for line in told] == [
        ("error", "a state that nobody has thought of")
    ]
    assert metrics.REGISTRY.get_sample_value("revgraph_worker_failures_total", labels) == before + 1
