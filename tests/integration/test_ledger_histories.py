"""Whatever happens in whatever order: the books balance, authors have what the model says, nobody is overpaid."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select, update

from app.db.database import Database
from app.db.ids import new_id
from app.db.models import Author, LedgerLine
from app.db.repositories.balances import STATEMENTS, owed
from app.domain.commission import Step
from app.domain.errors import DomainError
from app.domain.ledger import PayoutMethod, PayoutStatus
from app.services import payouts
from app.settlement import ledger, transfers
from app.settlement import payouts as settling
from tests.support import ledger as support
from tests.support.factories import NOW, make_user, viewer_of
from tests.support.histories import Steps
from tests.support.ledger_model import Paid, Sold

TERMS = replace(
    support.TERMS,
    steps=(Step(0, 2_000), Step(2, 1_500), Step(4, 1_000)),
    minimum_payout={"USD": 100, "EUR": 50},
)
CURRENCIES = st.sampled_from(["USD", "EUR"])
PLACES = st.integers(0, 30)


class Books(RuleBasedStateMachine):
    database: Database
    runner: Steps

    @initialize()
    def begin(self) -> None:
        self.now, self.sold, self.paid = NOW, list[Sold](), list[Paid]()
        self.shelf, self.staff = self.runner.run(self.people())
        self.sell(5_000, "USD")
        self.wait(14)

    async def people(self) -> tuple[support.Shelf, Any]:
        shelf = await support.make_shelf(self.database)
        async with self.database.transaction() as connection:
            connected = {"stripe_account_id": f"acct_{shelf.author.id}", "transfers_enabled": True}
            await connection.execute(update(Author).where(Author.id == shelf.author.id).values(connected))
        return shelf, viewer_of(await make_user(self.database, role="admin"))

    @rule(amount=st.one_of(st.integers(1, 12), st.integers(100, 5_000)), currency=CURRENCIES)
    def sell(self, amount: int, currency: str) -> None:
        before = sum(each.taken < each.amount for each in self.sold)
        rate = next(step.basis_points for step in reversed(TERMS.steps) if step.from_sales <= before)
        sold = Sold(
            self.runner.run(self.shelf.purchase()),
            currency,
            amount,
            amount - amount * rate // 10_000,
            self.now,
        )
        for _ in range(2):  # told twice, sold once
            parts = self.write(
                ledger.record_sale, terms=TERMS, purchase_id=sold.id, author_id=self.shelf.author.id,
                amount_cents=amount, currency=currency, now=self.now,
            )  # fmt: skip
            assert parts.author_share_cents == sold.share
        self.sold.append(sold)

    @precondition(lambda self: self.sold)
    @rule(place=PLACES, part=st.integers(1, 100))
    def refund(self, place: int, part: int) -> None:
        sold = self.sold[place % len(self.sold)]
        cents = min(sold.amount - sold.taken, max(1, sold.amount * part // 100))
        if cents <= 0:
            return
        refund_id = new_id()
        self.twice(ledger.record_refund, refund_id=refund_id, purchase_id=sold.id, amount_cents=cents)
        sold.refunds[refund_id] = cents

    @precondition(lambda self: any(each.refunds for each in self.sold))
    @rule(place=PLACES)
    def refund_fails(self, place: int) -> None:
        sold, refund_id = self.one_of((each, key) for each in self.sold for key in each.refunds)(place)
        self.twice(
            ledger.record_refund_failed,
            refund_id=refund_id,
            purchase_id=sold.id,
            first=refund_id not in sold.failed,
        )
        sold.failed.add(refund_id)

    @precondition(lambda self: self.sold)
    @rule(place=PLACES, whole=st.booleans())
    def dispute(self, place: int, whole: bool) -> None:
        """Of the whole amount, although some of it may have been refunded, or of what is left."""
        sold = self.sold[place % len(self.sold)]
        cents, kept = (sold.amount if whole else sold.amount - sold.taken), sold.kept
        if cents <= 0:
            return
        dispute_id = new_id()
        self.twice(
            ledger.record_dispute_opened, dispute_id=dispute_id, purchase_id=sold.id, amount_cents=cents
        )
        sold.disputes[dispute_id] = (cents, 0)
        sold.disputes[dispute_id] = (cents, kept - sold.kept)

    @precondition(lambda self: any(each.disputes for each in self.sold))
    @rule(place=PLACES, won=st.booleans())
    def decide(self, place: int, won: bool) -> None:
        """One that was lost may be won after all."""
        sold, dispute_id = self.one_of((each, key) for each in self.sold for key in each.disputes)(place)
        cents, _ = sold.disputes[dispute_id]
        given = {"dispute_id": dispute_id, "purchase_id": sold.id}
        if won:
            self.twice(ledger.record_dispute_won, **given)
            del sold.disputes[dispute_id]
            sold.lost.discard(dispute_id)
        else:
            first = dispute_id not in sold.lost
            self.twice(ledger.record_dispute_lost, **given, first=first, amount_cents=cents)
            sold.lost.add(dispute_id)

    @rule(
        currency=CURRENCIES,
        part=st.sampled_from([None, 0, 10, 50, 100]),
        beyond=st.sampled_from([-1, 0, 0, 1]),
        method=st.sampled_from(PayoutMethod),
    )
    def pay_out(self, currency: str, part: int | None, beyond: int, method: PayoutMethod) -> None:
        """About the least (part 0), a part of what is available, or one cent beyond either."""
        available, least = self.available(currency), TERMS.minimum_payout[currency]
        cents = None if part is None else (available * part // 100 if part else least) + beyond
        wanted, key = available if cents is None else cents, str(new_id())
        asked = {
            "author_id": self.shelf.author.id,
            "method": method,
            "currency": currency,
            "amount_cents": cents,
        }
        try:
            payout_id, again = (
                self.runner.run(
                    payouts.create(
                        self.database,
                        None,
                        terms=TERMS,
                        viewer=self.staff,
                        idempotency_key=key,
                        now=self.now,
                        **asked,
                    )
                )
                for _ in range(2)
            )
        except DomainError:
            assert not least <= wanted <= available
            return
        assert least <= wanted <= available
        assert payout_id == again
        self.paid.append(Paid(payout_id, currency, wanted, method))

    @precondition(lambda self: any(each.is_open for each in self.paid))
    @rule(place=PLACES)
    def payout_fails(self, place: int) -> None:
        paid = self.one_of(each for each in self.paid if each.is_open)(place)
        self.twice(settling.give_back, paid.id, status=PayoutStatus.FAILED)
        paid.returned, paid.is_open = paid.amount, False

    @precondition(lambda self: any(each.method is PayoutMethod.TRANSFER for each in self.paid))
    @rule(place=PLACES, part=st.sampled_from([0, 0, 33, 100]))
    def transfer_is_told(self, place: int, part: int) -> None:
        """Also of a payout that was given up, and of one of which some came back before."""
        paid = self.one_of(each for each in self.paid if each.method is PayoutMethod.TRANSFER)(place)
        came_back = paid.returned if not paid.is_open and paid.id in self.told else 0
        reversed_ = max(came_back, paid.amount * part // 100)
        told = {
            "id": f"tr_{paid.id}", "amount": paid.amount, "currency": paid.currency.lower(), "created": 1,
            "destination": f"acct_{self.shelf.author.id}", "amount_reversed": reversed_,
            "metadata": {"payout_id": str(paid.id)},
        }  # fmt: skip
        tools: Any = SimpleNamespace(clock=lambda: self.now)
        for _ in range(2):
            self.write(transfers.apply, tools, told)
        self.told.add(paid.id)
        paid.returned, paid.is_open = reversed_, False

    @rule(days=st.sampled_from([1, 7, 14, 40]))
    def wait(self, days: int) -> None:
        self.now += timedelta(days=days)

    @invariant()
    def books_are_as_in_the_model(self) -> None:
        if not hasattr(self, "shelf"):
            return
        sums, sales, statements = self.runner.run(self.written())
        found = {row.currency: (row.available, row.pending, row.withheld) for row in sums}
        for currency in ("USD", "EUR"):
            expected = self.available(currency), self.pending(currency), self.withheld(currency)
            assert found.get(currency, (0, 0, 0)) == expected
            closing = [row.closing for row in statements if row.currency == currency]
            assert (closing[-1] if closing else 0) == sum(expected)
        assert sales == sum(each.taken < each.amount for each in self.sold)
        for row in statements:
            opening = row.closing - row.change
            assert (
                opening + row.sales - row.commission - row.refunds - row.disputes - row.payouts == row.closing
            )

    def teardown(self) -> None:
        self.runner.run(support.assert_books_balance(self.database))

    async def written(self) -> tuple[Any, int, Any]:
        author_id = self.shelf.author.id
        sums = owed(self.now).where(LedgerLine.author_id == author_id)
        statements = (
            select(STATEMENTS).where(STATEMENTS.c.author_id == author_id).order_by(STATEMENTS.c.month)
        )
        async with self.database.read() as connection:
            rows = (await connection.execute(sums)).all()
            months = (await connection.execute(statements)).all()
        return rows, await support.paid_sales(self.database, author_id), months

    def available(self, currency: str) -> int:
        came = sum(each.kept for each in self.of(self.sold, currency) if self.is_free(each))
        return came - sum(each.amount - each.returned for each in self.of(self.paid, currency))

    def pending(self, currency: str) -> int:
        return sum(each.kept for each in self.of(self.sold, currency) if not self.is_free(each))

    def withheld(self, currency: str) -> int:
        return sum(each.withheld for each in self.of(self.sold, currency))

    def is_free(self, sold: Sold) -> bool:
        return sold.at + TERMS.hold <= self.now

    def of(self, things: list[Any], currency: str) -> list[Any]:
        return [each for each in things if each.currency == currency]

    def one_of(self, things: Any) -> Any:
        listed = list(things)
        return lambda place: listed[place % len(listed)]

    def twice(self, action: Any, *given: Any, first: bool = True, **named: Any) -> None:
        assert self.write(action, *given, **named, now=self.now) is first
        assert self.write(action, *given, **named, now=self.now) is False

    def write(self, action: Any, *given: Any, **named: Any) -> Any:
        async def within() -> Any:
            async with self.database.transaction() as connection:
                return await action(connection, *given, **named)

        return self.runner.run(within())

    def __init__(self) -> None:
        super().__init__()
        self.told: set[UUID] = set()


@pytest.fixture
def books(database_url: str) -> Iterator[type[Books]]:
    with Steps() as runner:
        database = Database(database_url)
        yield type(f"Books{uuid4().hex}", (Books,), {"runner": runner, "database": database})
        runner.run(database.close())


def test_any_history_leaves_the_books_right(books: type[Books]) -> None:
    examples = settings(
        max_examples=30,
        stateful_step_count=25,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        derandomize=True,
    )
    run_state_machine_as_test(books, settings=examples)
