"""What buying, settling and giving back send to the database: how many statements, and none that scans."""

from typing import Any

import pytest

from app.domain.api_keys import Role
from tests.integration.test_query_plans import refuse_scans
from tests.integration.test_refunds import give_back
from tests.integration.test_service_invoices import LINES, create
from tests.support.buying import Stall
from tests.support.clients import Account, sign_up_as
from tests.support.invoicing import make_billed
from tests.support.statements import counted, recorded

MOST = {"buy": 25, "decline": 7, "pay": 25, "settle": 10, "refund": 36, "dispute": 20, "sweep": 2}
"""Of a signed-in operation three are the viewer, the counter of API calls, the raw event."""
SERVICE_INVOICE = 31
"""With its issue at the provider and its mirror, and however many lines it has."""


@pytest.fixture
async def staff(stall: Stall) -> Account:
    return await sign_up_as(stall.shop.api, Role.SUPPORT)


async def steps(stall: Stall, staff: Account) -> Any:
    """The life of a purchase, one step after the other, each by its name."""
    yield "buy", stall.buy
    intent_id = await stall.intent_id()
    stall.shop.act(intent_id, "decline")
    settle = stall.settler(intent_id)
    yield "decline", settle
    stall.shop.act(intent_id, "pay")
    yield "pay", settle
    yield "settle", settle
    yield "refund", lambda: give_back(stall, staff.api, amountCents=500)
    stall.shop.stand_in.ask("/disputes", payment_intent=intent_id, amount=1000)
    yield "dispute", settle
    stall.shop.forward(days=1)
    yield "sweep", stall.sweep


@pytest.mark.parametrize("lines", [1, 3])
async def test_an_invoice_for_a_service_sends_as_many_whatever_it_holds(stall: Stall, lines: int) -> None:
    admin, billed = await sign_up_as(stall.shop.api, Role.ADMIN), await make_billed(stall.shop)
    with counted(stall.database) as seen:
        made = await create(admin, billed, lines=LINES[:lines])
    assert made["errors"] == []
    assert made["invoice"]["status"] == "OPEN"
    assert len(seen) == SERVICE_INVOICE


@pytest.mark.parametrize("dialect", ["sqlite"])
async def test_an_invoice_for_a_service_scans_no_table(stall: Stall) -> None:
    admin, billed = await sign_up_as(stall.shop.api, Role.ADMIN), await make_billed(stall.shop)
    with recorded(stall.database) as seen:
        assert (await create(admin, billed))["errors"] == []
    await refuse_scans(stall.database, seen)


async def test_no_step_sends_more(stall: Stall, staff: Account) -> None:
    counts = {}
    async for name, step in steps(stall, staff):
        with counted(stall.database) as seen:
            await step()
        counts[name] = len(seen)
    assert {name: count for name, count in counts.items() if count > MOST[name]} == {}
    assert sorted(counts) == sorted(MOST)


@pytest.mark.parametrize("dialect", ["sqlite"])
async def test_no_step_scans_a_table(stall: Stall, staff: Account) -> None:
    sent: list[tuple[str, Any]] = []
    async for _, step in steps(stall, staff):
        with recorded(stall.database) as seen:
            await step()
        sent += seen
    await refuse_scans(stall.database, sent)
