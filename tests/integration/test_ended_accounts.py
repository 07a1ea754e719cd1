"""An account that is deleted while it pays: everything ends at the provider, the books stay."""

import pytest

from app.settlement.tier_changes import settle_due
from tests.support.subscribing import Subscriber, new_key

DELETE = """mutation($input: DeleteAccountInput!) { deleteAccount(input: $input) { done errors { code } } }"""


async def delete(subscriber: Subscriber) -> None:
    assert (await subscriber.session(DELETE, password="correct horse battery"))["errors"] == []


async def test_what_it_pays_for_ends_and_the_books_stay(subscriber: Subscriber) -> None:
    subscriber.save_card()
    await subscriber.change()
    await subscriber.hear()
    await delete(subscriber)
    assert [each.status for each in subscriber.subscriptions()] == ["active"]
    assert await subscriber.hear() == []
    assert [each.status for each in subscriber.subscriptions()] == ["canceled"]
    rows = await subscriber.rows()
    assert [(row.tier, row.status) for row in rows] == [("free", "canceled"), ("pro", "canceled")]
    assert await subscriber.tier() == "free"
    assert len(subscriber.invoices()) == 1
    assert subscriber.client.v1.customers.retrieve(subscriber.customer).email is not None
    assert subscriber.client.v1.payment_methods.list({"customer": subscriber.customer}).data == []
    subscriber.shop.forward(days=40)
    assert await subscriber.hear() == []
    assert len(subscriber.invoices()) == 1


async def test_one_that_was_not_paid_yet_cannot_be_paid_any_more(subscriber: Subscriber) -> None:
    await subscriber.change()
    await delete(subscriber)
    await subscriber.hear()
    assert [each.status for each in subscriber.subscriptions()] == ["incomplete_expired"]
    assert [invoice.status for invoice in subscriber.invoices()] == ["void"]


async def test_an_account_without_a_subscription_is_the_providers_business_no_more(
    subscriber: Subscriber,
) -> None:
    await delete(subscriber)
    await subscriber.hear()
    assert [row.status for row in await subscriber.rows()] == ["canceled"]


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_start_that_was_under_way_ends_too(subscriber: Subscriber, when: str) -> None:
    subscriber.save_card()
    quote = (await subscriber.preview())["quote"]["id"]
    subscriber.shop.lose("/v1/subscriptions", when=when)
    await subscriber.change(quote=quote, key=new_key())
    await delete(subscriber)
    subscriber.shop.forward(minutes=3)
    await settle_due(subscriber.shop.api.deps.tools)
    await subscriber.hear()
    assert {each.status for each in subscriber.subscriptions()} <= {"canceled", "incomplete_expired"}
    assert await subscriber.tier() == "free"
