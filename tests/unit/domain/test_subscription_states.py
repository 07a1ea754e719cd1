"""The life of a subscription, as the page draws it: every action in every state, all news after every state."""

from itertools import product, takewhile
from pathlib import Path

import pytest

from app.domain.errors import Conflict, InvalidState
from app.domain.plans import Interval, Tier
from app.domain.subscription_states import Action, Standing, Turn, action_for, after, turn
from app.domain.subscriptions import LIVE, Offer, Outlook, SubscriptionStatus

STATES = [None, *SubscriptionStatus]
PAGE = Path(__file__).parents[3] / "docs" / "subscriptions.md"


def table(name: str) -> dict[tuple[str, str], str]:
    """(row, column) -> cell of the page's table whose first column is headed ``name``, but the first of all."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith(f"| {name} | start"))
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in takewhile(lambda line: line.startswith("|"), lines[start:])
    ]
    head, _, *body = rows
    return {(row[0], column): cell for row in body for column, cell in zip(head[1:], row[1:], strict=True)}


MAY, THEN = table("state"), table("outlook")


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


def test_the_tables_of_the_page_have_every_pair() -> None:
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
    for status in (None, SubscriptionStatus.CANCELED, SubscriptionStatus.INCOMPLETE_EXPIRED):
        with pytest.raises(Conflict):
            action_for(Standing(status), current=FREE, wanted=FREE, scheduled=None)


@pytest.mark.parametrize("status", [SubscriptionStatus.UNPAID, SubscriptionStatus.PAUSED])
def test_what_gives_no_plan_is_not_the_plan_that_is_there(status: SubscriptionStatus) -> None:
    standing = Standing(status)
    action = action_for(standing, current=PRO, wanted=PRO, scheduled=None)
    with pytest.raises(InvalidState, match=f"is {status}: it cannot be changed until it runs again"):
        after(standing, action)


def test_how_to_end_what_has_no_period_that_was_paid() -> None:
    hint = "cancel it at once, with atPeriodEnd: false"
    with pytest.raises(InvalidState, match=hint):
        after(Standing(SubscriptionStatus.INCOMPLETE), Action.CANCEL)
    with pytest.raises(InvalidState, match=r"^The plan is free: it cannot be cancelled[^:]*$"):
        after(Standing(None), Action.CANCEL)
