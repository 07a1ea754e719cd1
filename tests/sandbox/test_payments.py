"""Payment intents, setup intents, payment methods, refunds and disputes through their lives."""

from typing import Any

import pytest
import stripe

from tests.support.stand_in import StandIn

NO_REDIRECTS: Any = {"enabled": True, "allow_redirects": "never"}


@pytest.fixture
def customer(client: stripe.StripeClient) -> stripe.Customer:
    return client.v1.customers.create({"email": "buyer@example.com"})


def intent(client: stripe.StripeClient, **given: Any) -> stripe.PaymentIntent:
    return client.v1.payment_intents.create(
        {"amount": 1999, "currency": "usd", "automatic_payment_methods": NO_REDIRECTS, **given}  # type: ignore[typeddict-item]  # given is Any
    )


def event_types(client: stripe.StripeClient) -> list[str]:
    return [str(event.type) for event in client.v1.events.list({"limit": 100}).data][::-1]


def test_a_purchase_succeeds_and_says_so_in_order(
    client: stripe.StripeClient, customer: stripe.Customer
) -> None:
    made = intent(client, customer=customer.id, metadata={"purchase": "p1"})
    assert (made.status, made.amount, made.amount_received) == ("requires_payment_method", 1999, 0)
    assert made.client_secret is not None
    assert made.client_secret.startswith(f"{made.id}_secret_")
    paid = client.v1.payment_intents.confirm(made.id, {"payment_method": "pm_card_visa"})
    assert (paid.status, paid.amount_received) == ("succeeded", 1999)
    charge = client.v1.charges.retrieve(str(paid.latest_charge))
    assert (charge.amount_captured, charge.paid, charge.captured) == (1999, True, True)
    assert charge.payment_intent == made.id
    assert charge.metadata.to_dict() == {"purchase": "p1"}
    assert event_types(client) == [
        "customer.created", "payment_intent.created", "charge.succeeded", "payment_intent.succeeded",
    ]  # fmt: skip
    with pytest.raises(stripe.InvalidRequestError) as again:
        client.v1.payment_intents.confirm(made.id, {"payment_method": "pm_card_visa"})
    assert again.value.code == "payment_intent_unexpected_state"


@pytest.mark.parametrize(
    ("card", "code", "decline_code"),
    [
        ("pm_card_chargeDeclined", "card_declined", "generic_decline"),
        ("pm_card_visa_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card", "expired_card"),
        ("pm_card_chargeDeclinedIncorrectCvc", "incorrect_cvc", "incorrect_cvc"),
        ("pm_card_chargeDeclinedLostCard", "card_declined", "lost_card"),
    ],
)
def test_a_decline_leaves_the_intent_for_another_try(
    client: stripe.StripeClient, card: str, code: str, decline_code: str
) -> None:
    made = intent(client)
    with pytest.raises(stripe.CardError) as declined:
        client.v1.payment_intents.confirm(made.id, {"payment_method": card})
    error = declined.value.error
    assert error is not None
    assert (declined.value.http_status, error.code, error.decline_code) == (402, code, decline_code)
    assert error.payment_intent is not None
    assert error.payment_intent.id == made.id
    found = client.v1.payment_intents.retrieve(made.id)
    assert (found.status, found.payment_method) == ("requires_payment_method", None)
    assert found.last_payment_error is not None
    assert found.last_payment_error.decline_code == decline_code
    assert client.v1.charges.retrieve(str(found.latest_charge)).status == "failed"
    paid = client.v1.payment_intents.confirm(made.id, {"payment_method": "pm_card_visa"})
    assert (paid.status, paid.last_payment_error) == ("succeeded", None)


def test_authentication_is_asked_for_given_and_refused(
    stand_in: StandIn, client: stripe.StripeClient
) -> None:
    asked = intent(
        client, payment_method="pm_card_authenticationRequired", confirm=True,
        automatic_payment_methods={"enabled": True}, return_url="http://shop.test/back",
    )  # fmt: skip
    assert asked.status == "requires_action"
    assert asked.next_action is not None
    assert asked.next_action.redirect_to_url is not None
    assert asked.next_action.redirect_to_url.url == f"{stand_in.address}/pay/{asked.id}"
    stand_in.ask(f"/act/{asked.id}", action="refuse")
    refused = client.v1.payment_intents.retrieve(asked.id)
    assert refused.status == "requires_payment_method"
    assert refused.last_payment_error is not None
    assert refused.last_payment_error.code == "payment_intent_authentication_failure"
    stand_in.ask(f"/act/{asked.id}", action="authenticate")
    assert client.v1.payment_intents.retrieve(asked.id).status == "succeeded"


def test_off_session_a_card_that_wants_authentication_is_declined(
    client: stripe.StripeClient, customer: stripe.Customer
) -> None:
    method = client.v1.payment_methods.attach("pm_card_authenticationRequired", {"customer": customer.id})
    with pytest.raises(stripe.CardError) as declined:
        intent(client, customer=customer.id, payment_method=method.id, confirm=True, off_session=True)
    assert declined.value.code == "authentication_required"


def test_a_return_url_is_needed_where_methods_may_redirect(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError) as needed:
        intent(
            client, payment_method="pm_card_visa", confirm=True, automatic_payment_methods={"enabled": True}
        )
    assert needed.value.param == "return_url"
    assert client.v1.payment_intents.list().data == []
    assert event_types(client) == []


def test_capture_takes_a_part_and_cancel_gives_back(client: stripe.StripeClient) -> None:
    held = intent(client, capture_method="manual", payment_method="pm_card_visa", confirm=True)
    assert (held.status, held.amount_capturable, held.amount_received) == ("requires_capture", 1999, 0)
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.payment_intents.capture(held.id, {"amount_to_capture": 2000})
    taken = client.v1.payment_intents.capture(held.id, {"amount_to_capture": 1500})
    assert (taken.status, taken.amount_received, taken.amount_capturable) == ("succeeded", 1500, 0)
    other = intent(client, capture_method="manual", payment_method="pm_card_visa", confirm=True)
    gone = client.v1.payment_intents.cancel(other.id, {"cancellation_reason": "abandoned"})
    assert (gone.status, gone.cancellation_reason, gone.amount_received) == ("canceled", "abandoned", 0)
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.payment_intents.cancel(taken.id)


def test_a_bank_debit_is_processing_for_days(stand_in: StandIn, client: stripe.StripeClient) -> None:
    good = intent(client, payment_method="pm_usBankAccount", confirm=True)
    bad = intent(client, payment_method="pm_usBankAccount_insufficientFunds", confirm=True)
    assert (good.status, bad.status) == ("processing", "processing")
    stand_in.pass_days(2)
    assert client.v1.payment_intents.retrieve(good.id).status == "processing"
    stand_in.pass_days(1)
    assert client.v1.payment_intents.retrieve(good.id).status == "succeeded"
    assert client.v1.payment_intents.retrieve(bad.id).status == "requires_payment_method"


def test_payment_methods_come_from_tokens_never_from_numbers(client: stripe.StripeClient) -> None:
    made = client.v1.payment_methods.create({"type": "card", "card": {"token": "tok_mastercard"}})
    assert made.card is not None
    assert (made.card.brand, made.card.last4) == ("mastercard", "4444")
    number: Any = {"number": "4242424242424242", "exp_month": 1, "exp_year": 2030, "cvc": "123"}
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.payment_methods.create({"type": "card", "card": number})
    assert "unsafe" in str(refused.value)


def test_payment_methods_of_all_kinds_are_changed(
    client: stripe.StripeClient, customer: stripe.Customer
) -> None:
    bank = client.v1.payment_methods.attach("pm_usBankAccount", {"customer": customer.id})
    changed = client.v1.payment_methods.update(bank.id, {"metadata": {"a": "b"}, "allow_redisplay": "always"})
    assert (changed.metadata["a"], changed.card) == ("b", None)
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.payment_methods.update(bank.id, {"card": {"exp_year": 2040}})
    client.v1.payment_methods.attach("pm_card_visa", {"customer": customer.id})
    shown = client.v1.payment_methods.list({"customer": customer.id, "allow_redisplay": "always"})
    assert [row.id for row in shown.data] == [bank.id]


def test_what_an_intent_asks_for_is_checked_at_each_change(client: stripe.StripeClient) -> None:
    made = intent(client)
    assert client.v1.payment_intents.update(made.id, {"currency": "EUR"}).currency == "eur"
    for wrong in ({"currency": "xyz"}, {"amount": 49}, {"amount": 0}):
        with pytest.raises(stripe.InvalidRequestError):
            client.v1.payment_intents.update(made.id, wrong)  # type: ignore[arg-type]  # on purpose
    same = client.v1.payment_intents.retrieve(made.id)
    assert (same.amount, same.currency) == (1999, "eur")
    with pytest.raises(stripe.InvalidRequestError) as ignored:
        intent(client, automatic_payment_methods={"enabled": False})
    assert ignored.value.code == "sandbox_not_covered"


def test_payment_methods_are_attached_listed_and_detached(
    client: stripe.StripeClient, customer: stripe.Customer
) -> None:
    method = client.v1.payment_methods.attach("pm_card_visa", {"customer": customer.id})
    client.v1.customers.update(customer.id, {"invoice_settings": {"default_payment_method": method.id}})
    assert [row.id for row in client.v1.customers.payment_methods.list(customer.id).data] == [method.id]
    with pytest.raises(stripe.CardError):
        client.v1.payment_methods.attach("pm_card_chargeDeclined", {"customer": customer.id})
    other = client.v1.customers.create()
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.payment_methods.attach(method.id, {"customer": other.id})
    assert client.v1.payment_methods.detach(method.id).customer is None
    settings = client.v1.customers.retrieve(customer.id).invoice_settings
    assert settings is not None
    assert settings.default_payment_method is None
    assert client.v1.payment_methods.list({"customer": customer.id}).data == []
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.payment_methods.attach(method.id, {"customer": customer.id})


def test_a_setup_intent_saves_a_card_that_then_needs_no_authentication(
    stand_in: StandIn, client: stripe.StripeClient, customer: stripe.Customer
) -> None:
    made = client.v1.setup_intents.create(
        {"customer": customer.id, "automatic_payment_methods": {"enabled": True}}
    )
    asked = client.v1.setup_intents.confirm(
        made.id,
        {"payment_method": "pm_card_authenticationRequiredOnSetup", "return_url": "http://shop.test/cards"},
    )
    assert asked.status == "requires_action"
    stand_in.ask(f"/act/{made.id}", action="authenticate")
    done = client.v1.setup_intents.retrieve(made.id)
    assert done.status == "succeeded"
    assert client.v1.payment_methods.retrieve(str(done.payment_method)).customer == customer.id
    paid = intent(
        client, customer=customer.id, payment_method=done.payment_method, confirm=True, off_session=True
    )
    assert paid.status == "succeeded"
    assert event_types(client)[1:6] == [
        "setup_intent.created", "setup_intent.requires_action", "payment_method.attached",
        "setup_intent.succeeded", "payment_intent.created",
    ]  # fmt: skip


def test_a_declined_setup_intent_can_be_tried_again(client: stripe.StripeClient) -> None:
    made = client.v1.setup_intents.create({"automatic_payment_methods": NO_REDIRECTS})
    with pytest.raises(stripe.CardError):
        client.v1.setup_intents.confirm(made.id, {"payment_method": "pm_card_chargeDeclined"})
    assert client.v1.setup_intents.retrieve(made.id).status == "requires_payment_method"
    assert client.v1.setup_intents.confirm(made.id, {"payment_method": "pm_card_visa"}).status == "succeeded"
    other = client.v1.setup_intents.create({"automatic_payment_methods": NO_REDIRECTS})
    assert client.v1.setup_intents.cancel(other.id).status == "canceled"


def test_refunds_add_up_and_never_exceed_the_charge(stand_in: StandIn, client: stripe.StripeClient) -> None:
    paid = intent(client, payment_method="pm_card_visa", confirm=True)
    part = client.v1.refunds.create(
        {"payment_intent": paid.id, "amount": 700, "reason": "requested_by_customer"}
    )
    assert (part.amount, part.status, part.reason) == (700, "succeeded", "requested_by_customer")
    with pytest.raises(stripe.InvalidRequestError) as over:
        client.v1.refunds.create({"payment_intent": paid.id, "amount": 1300})
    assert over.value.param == "amount"
    charge = client.v1.charges.retrieve(str(paid.latest_charge), {"expand": ["refunds"]})
    assert (charge.amount_refunded, charge.refunded) == (700, False)
    assert charge.refunds is not None
    assert [row.id for row in charge.refunds.data] == [part.id]
    rest = client.v1.refunds.create({"charge": charge.id})
    assert rest.amount == 1299
    assert client.v1.charges.retrieve(charge.id).refunded is True
    with pytest.raises(stripe.InvalidRequestError) as nothing:
        client.v1.refunds.create({"charge": charge.id})
    assert nothing.value.code == "charge_already_refunded"
    ledger = stand_in.look("/ledger")
    assert (ledger["consistent"], ledger["totals"]["usd"]["net"]) == (True, 0)
    refunded = client.v1.events.list({"type": "charge.refunded"}).data
    assert len(refunded) == 2
    assert refunded[0].data.object["amount_refunded"] == 1999


def test_of_three_decimals_the_last_stays_empty(client: stripe.StripeClient) -> None:
    paid = intent(client, payment_method="pm_card_visa", confirm=True, amount=12_340, currency="kwd")
    with pytest.raises(stripe.InvalidRequestError) as odd:
        client.v1.refunds.create({"payment_intent": paid.id, "amount": 2_345})
    assert (odd.value.code, odd.value.param) == ("parameter_invalid_integer", "amount")
    assert client.v1.refunds.create({"payment_intent": paid.id, "amount": 2_340}).amount == 2_340


def test_a_refund_that_the_bank_rejects_fails_and_returns(client: stripe.StripeClient) -> None:
    paid = intent(client, payment_method="pm_card_refundFail", confirm=True)
    refund = client.v1.refunds.create({"payment_intent": paid.id})
    assert refund.status == "failed"
    assert client.v1.charges.retrieve(str(paid.latest_charge)).amount_refunded == 0
    assert "refund.failed" in event_types(client)


@pytest.mark.parametrize(("outcome", "net"), [("won", 1999), ("lost", 0)])
def test_disputes_are_won_and_lost(
    stand_in: StandIn, client: stripe.StripeClient, outcome: str, net: int
) -> None:
    paid = intent(client, payment_method="pm_card_visa", confirm=True)
    made = stand_in.ask("/disputes", payment_intent=paid.id, reason="product_not_received")
    dispute = client.v1.disputes.retrieve(made["id"])
    assert (dispute.status, dispute.amount) == ("needs_response", 1999)
    assert client.v1.charges.retrieve(str(paid.latest_charge)).disputed is True
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.refunds.create({"payment_intent": paid.id})
    assert refused.value.code == "charge_disputed"
    stand_in.ask(f"/disputes/{dispute.id}", outcome=outcome)
    assert client.v1.disputes.retrieve(dispute.id).status == outcome
    assert stand_in.look("/ledger")["totals"]["usd"]["net"] == net
    assert "charge.dispute.closed" in event_types(client)
    assert ("charge.dispute.funds_reinstated" in event_types(client)) is (outcome == "won")


def test_a_card_can_dispute_by_itself_and_evidence_decides(client: stripe.StripeClient) -> None:
    paid = intent(client, payment_method="pm_card_createDispute", confirm=True)
    dispute = client.v1.disputes.list({"payment_intent": paid.id}).data[0]
    assert (dispute.reason, dispute.status) == ("fraudulent", "needs_response")
    answered = client.v1.disputes.update(dispute.id, {"evidence": {"uncategorized_text": "winning_evidence"}})
    assert answered.status == "won"
    assert answered.evidence_details.submission_count == 1
