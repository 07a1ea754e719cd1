"""Which objects does each type of event make us look at?"""

import re
from pathlib import Path
from typing import Any

import pytest

from app.domain.webhooks import read_event
from app.settlement.events import HANDLINGS, line_of, targets_of

ROOT = Path(__file__).parents[2]
SUBSCRIBED = {"subscription_details": {"subscription": "sub_1"}}
CASES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "payment_intent.created": ({"id": "pi_1", "metadata": {"payment_id": "1"}}, ["payment pi_1"]),
    "payment_intent.succeeded": ({"id": "pi_1"}, ["payment pi_1"]),
    "payment_intent.payment_failed": ({"id": "pi_1"}, ["payment pi_1"]),
    "payment_intent.canceled": ({"id": "pi_1"}, ["payment pi_1"]),
    "payment_intent.requires_action": ({"id": "pi_1"}, ["payment pi_1"]),
    "payment_intent.processing": ({"id": "pi_1"}, ["payment pi_1"]),
    "checkout.session.completed": (
        {
            "id": "cs_1",
            "customer": "cus_1",
            "subscription": "sub_1",
            "invoice": "in_1",
            "payment_intent": None,
        },
        ["customer cus_1", "subscription sub_1", "invoice in_1"],
    ),
    "checkout.session.async_payment_succeeded": (
        {"id": "cs_1", "customer": None, "payment_intent": {"id": "pi_1"}},
        ["payment pi_1"],
    ),
    "checkout.session.expired": ({"id": "cs_1", "customer": None}, []),
    "customer.subscription.created": ({"id": "sub_1"}, ["subscription sub_1"]),
    "customer.subscription.updated": ({"id": "sub_1"}, ["subscription sub_1"]),
    "customer.subscription.deleted": ({"id": "sub_1"}, ["subscription sub_1"]),
    "customer.subscription.paused": ({"id": "sub_1"}, ["subscription sub_1"]),
    "customer.subscription.resumed": ({"id": "sub_1"}, ["subscription sub_1"]),
    "customer.subscription.pending_update_applied": ({"id": "sub_1"}, ["subscription sub_1"]),
    "customer.subscription.pending_update_expired": ({"id": "sub_1"}, ["subscription sub_1"]),
    "customer.subscription.trial_will_end": ({"id": "sub_1"}, ["subscription sub_1"]),
    "subscription_schedule.updated": ({"id": "s", "subscription": "sub_1"}, ["subscription sub_1"]),
    "subscription_schedule.released": (
        {"id": "s", "subscription": None, "released_subscription": "sub_1"},
        ["subscription sub_1"],
    ),
    "invoice.created": ({"id": "in_1", "parent": None}, ["invoice in_1"]),
    "invoice.finalized": ({"id": "in_1", "parent": SUBSCRIBED}, ["subscription sub_1", "invoice in_1"]),
    "invoice.paid": ({"id": "in_1", "parent": SUBSCRIBED}, ["subscription sub_1", "invoice in_1"]),
    "invoice.payment_failed": ({"id": "in_1", "parent": SUBSCRIBED}, ["subscription sub_1", "invoice in_1"]),
    "invoice.payment_action_required": ({"id": "in_1"}, ["invoice in_1"]),
    "invoice.updated": ({"id": "in_1", "subscription": "sub_1"}, ["subscription sub_1", "invoice in_1"]),
    "invoice.deleted": ({"id": "in_1", "parent": None}, ["invoice in_1"]),
    "invoice.voided": ({"id": "in_1"}, ["invoice in_1"]),
    "invoice.marked_uncollectible": ({"id": "in_1"}, ["invoice in_1"]),
    "invoice.upcoming": ({"id": "upcoming_in_1", "parent": SUBSCRIBED}, ["subscription sub_1"]),
    "charge.refunded": ({"id": "ch_1", "payment_intent": "pi_1"}, ["payment pi_1"]),
    "refund.created": ({"id": "re_1", "payment_intent": "pi_1"}, ["payment pi_1"]),
    "refund.updated": ({"id": "re_1", "payment_intent": "pi_1"}, ["payment pi_1"]),
    "refund.failed": ({"id": "re_1", "payment_intent": None}, []),
    "charge.dispute.created": ({"id": "dp_1", "payment_intent": "pi_1"}, ["payment pi_1"]),
    "charge.dispute.funds_withdrawn": ({"id": "dp_1", "payment_intent": "pi_1"}, ["payment pi_1"]),
    "charge.dispute.closed": ({"id": "dp_1", "payment_intent": "pi_1"}, ["payment pi_1"]),
    "payment_method.attached": ({"id": "pm_1", "customer": "cus_1"}, ["customer cus_1"]),
    "payment_method.updated": ({"id": "pm_1", "customer": "cus_1"}, ["customer cus_1"]),
    "setup_intent.succeeded": ({"id": "seti_1", "customer": "cus_1"}, ["customer cus_1"]),
    "customer.updated": ({"id": "cus_1"}, ["customer cus_1"]),
    "customer.deleted": ({"id": "cus_1"}, ["customer cus_1"]),
    "transfer.created": ({"id": "tr_1"}, ["transfer tr_1"]),
    "transfer.updated": ({"id": "tr_1"}, ["transfer tr_1"]),
    "transfer.reversed": ({"id": "tr_1"}, ["transfer tr_1"]),
    "account.updated": ({"id": "acct_1"}, ["account acct_1"]),
}


def targets(event_type: str, obj: dict[str, Any], **data: Any) -> list[str]:
    event = read_event(
        {
            "id": "evt_1",
            "object": "event",
            "type": event_type,
            "created": 1,
            "livemode": False,
            "data": {"object": obj, **data},
        }
    )
    return [f"{target.kind} {target.object_id}" for target in targets_of(event)]


@pytest.mark.parametrize("event_type", CASES)
def test_objects_of(event_type: str) -> None:
    obj, expected = CASES[event_type]
    assert targets(event_type, obj) == expected


def test_what_was_detached_belonged_to_the_earlier_customer() -> None:
    obj = {"id": "pm_1", "customer": None}
    found = targets("payment_method.detached", obj, previous_attributes={"customer": "cus_1"})
    assert found == ["customer cus_1"]
    assert targets("payment_method.detached", obj, previous_attributes=None) == []


@pytest.mark.parametrize("metadata", [{}, {"order": "1"}, None, "payment_id"])
def test_what_was_made_for_others_is_left_to_what_comes_of_it(metadata: Any) -> None:
    assert targets("payment_intent.created", {"id": "pi_1", "metadata": metadata}) == []


@pytest.mark.parametrize(
    "event_type, obj",
    [
        ("invoice.paid", {"parent": "x"}),
        ("invoice.paid", {"parent": {"subscription_details": ["x"]}}),
        ("invoice.paid", {"parent": {"subscription_details": {"subscription": 1}}, "subscription": ["x"]}),
        ("charge.refunded", {"payment_intent": "pi_" + 255 * "1"}),
        ("charge.refunded", {"payment_intent": "../customers"}),
        ("charge.refunded", {"payment_intent": ["pi_1"]}),
        ("charge.refunded", {"payment_intent": {"id": {}}}),
    ],
)
def test_what_cannot_be_an_id_names_nothing(event_type: str, obj: dict[str, Any]) -> None:
    assert targets(event_type, obj) == []


@pytest.mark.parametrize("event_type", ["charge.succeeded", "balance.available", "x"])
def test_other_types_have_no_line(event_type: str) -> None:
    assert line_of(event_type) is None


def test_every_line_is_tried() -> None:
    assert {line_of(event_type) for event_type in CASES} == set(HANDLINGS)


def test_the_types_to_have_sent_are_named_in_the_docs() -> None:
    told = (ROOT / "docs/payments.md").read_text().split("## The webhook")[1].split("\n## ")[0]
    named = {name for name in re.findall("`([^`]+)`", told) if "." in name and "/" not in name}
    assert named == set(HANDLINGS)
