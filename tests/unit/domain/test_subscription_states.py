"""The life of a subscription: every action in every state, every news after every state."""

from itertools import product

import pytest

from app.domain.errors import Conflict, InvalidState
from app.domain.plans import Interval, Tier
from app.domain.subscription_states import Action, Standing, Turn, action_for, after, turn
from app.domain.subscriptions import LIVE, Offer, Outlook, SubscriptionStatus

STATES = [None, *SubscriptionStatus]
ALLOWED = """
                    start  upgrade  downgrade  cancel  cancel_now  resume
none                yes    -        -          -       -           -
incomplete          yes    -        -          -       yes         -
trialing            -      yes      yes        yes     yes         yes
active              -      yes      yes        yes     yes         yes
past_due            -      -        yes        yes     yes         yes
unpaid              -      -        -          -       yes         -
paused              -      -        -          -       yes         -
canceled            yes    -        -          -       -           -
incomplete_expired  yes    -        -          -       -           -
"""
LEADS_TO = """
            start      upgrade    downgrade  cancel  cancel_now  resume
continues   continues  continues  changes    ends    over        -
changes     continues  continues  changes    ends    over        continues
ends        continues  continues  changes    -       over        continues
"""


def table(text: str) -> dict[tuple[str, str], str]:
    head, *rows = [line.split() for line in text.strip().splitlines()]
    return {(row[0], column): cell for row in rows for column, cell in zip(head, row[1:], strict=True)}


MAY, THEN = table(ALLOWED), table(LEADS_TO)


@pytest.mark.parametrize(("status", "outlook", "action"), list(product(STATES, Outlook, Action)))
def test_every_action_in_every_state(
    status: SubscriptionStatus | None, outlook: Outlook, action: Action
) -> None:
    expected = THEN[outlook, action] if MAY[status or "none", action] == "yes" else "-"
    if (status, action) == (SubscriptionStatus.TRIALING, Action.DOWNGRADE):
        expected = "continues"  # nothing was paid for the period: it changes at once
    if expected == "-":
        with pytest.raises(InvalidState) as refused:
            after(Standing(status, outlook), action)
        assert refused.value.code == "INVALID_STATE"
        return
    reached = after(Standing(status, outlook), action)
    assert (reached or "over") == expected


def test_the_tables_have_every_pair() -> None:
    assert len(MAY) == len(STATES) * len(Action)
    assert len(THEN) == len(Outlook) * len(Action)


@pytest.mark.parametrize(("before", "told"), list(product(STATES, SubscriptionStatus)))
def test_every_news_after_every_state(before: SubscriptionStatus | None, told: SubscriptionStatus) -> None:
    live = ("trialing", "active", "past_due")
    expected = {
        (False, True): Turn.BEGINS,
        (True, False): Turn.STOPS,
        (True, True): Turn.STAYS,
        (False, False): Turn.STAYS,
    }[before in live, told in live]
    assert turn(before, told) is expected


PRO, YEARLY = Offer(Tier.PRO, Interval.MONTH), Offer(Tier.PRO, Interval.YEAR)
ENTERPRISE, FREE = Offer(Tier.ENTERPRISE, Interval.MONTH), Offer(Tier.FREE, Interval.MONTH)


@pytest.mark.parametrize(
    ("current", "wanted", "action"),
    [
        (PRO, YEARLY, Action.UPGRADE),
        (PRO, ENTERPRISE, Action.UPGRADE),
        (YEARLY, ENTERPRISE, Action.UPGRADE),
        (YEARLY, PRO, Action.DOWNGRADE),
        (ENTERPRISE, YEARLY, Action.DOWNGRADE),
        (ENTERPRISE, PRO, Action.DOWNGRADE),
        (PRO, FREE, Action.CANCEL),
    ],
)
@pytest.mark.parametrize("status", LIVE)
def test_what_a_wish_amounts_to(
    current: Offer, wanted: Offer, action: Action, status: SubscriptionStatus
) -> None:
    assert action_for(Standing(status), current=current, wanted=wanted, scheduled=None) is action


@pytest.mark.parametrize("status", [None, "incomplete", "canceled", "incomplete_expired"])
def test_without_a_running_one_a_wish_is_a_start(status: SubscriptionStatus | None) -> None:
    standing = Standing(SubscriptionStatus(status) if status else None)
    assert action_for(standing, current=PRO, wanted=PRO, scheduled=None) is Action.START


def test_changing_back_takes_back_what_was_to_come() -> None:
    changes = Standing(SubscriptionStatus.ACTIVE, Outlook.CHANGES)
    ends = Standing(SubscriptionStatus.ACTIVE, Outlook.ENDS)
    assert action_for(changes, current=YEARLY, wanted=YEARLY, scheduled=PRO) is Action.RESUME
    assert action_for(ends, current=YEARLY, wanted=YEARLY, scheduled=None) is Action.RESUME


def test_what_is_there_or_follows_already_is_no_change() -> None:
    changes = Standing(SubscriptionStatus.ACTIVE, Outlook.CHANGES)
    with pytest.raises(Conflict):
        action_for(changes, current=YEARLY, wanted=PRO, scheduled=PRO)
    with pytest.raises(Conflict):
        action_for(Standing(SubscriptionStatus.ACTIVE), current=PRO, wanted=PRO, scheduled=None)
