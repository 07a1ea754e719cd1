"""What was used: events in the order of time, and counters that are exactly their sums."""

from array import array
from datetime import datetime, timedelta

from app.cli.bench.plan import ACTIVE_DAYS, MOMENTS, Plan, Rows
from app.domain.periods import monthly_period
from app.domain.plans import Resource
from app.domain.usage import REGISTRATION

RESOURCES = (Resource.API_CALL.value, Resource.TEMPLATE_INSTALL.value)
INSTALL_EVERY = 40
"""One event in so many is an installation, the others are calls."""
PERIODS = ACTIVE_DAYS // 28 + 2
"""That many months touch the active days at most."""
USAGE_EVENTS = "id user_id resource amount period_start occurred_at recorded_at reporter_id event_key"
USAGE_COUNTERS = "user_id resource period_start used reserved"
KIND = 14


class Metering:
    """Memory: a number for each account, resource and period, and no event."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._first = plan.until - timedelta(days=ACTIVE_DAYS)
        self._starts = [self._starts_of(moment) for moment in range(MOMENTS)]
        self._used = array("q", bytes(8 * plan.users * len(RESOURCES) * PERIODS))

    def _starts_of(self, moment: int) -> list[datetime]:
        """When the periods of accounts of that moment began, for as long as there were events."""
        anchor, at = self._plan.moment_at(moment), self._first
        starts: list[datetime] = []
        while at < self._plan.until:
            period = monthly_period(anchor=anchor, now=at)
            starts.append(period.start)
            at = period.end
        return starts

    def registrations(self) -> Rows:
        plan = self._plan
        for user in range(plan.users):
            at = plan.registered_at(user)
            yield plan.id(15, user, at), plan.user_id(user), REGISTRATION, 1, at, at, at, None, None

    def events(self) -> Rows:
        """Evenly through the active days; the first accounts use most, as in any such list."""
        plan, random = self._plan, self._plan.random("events").random
        step = timedelta(days=ACTIVE_DAYS) / max(plan.events, 1)
        for number in range(plan.events):
            user = int(plan.users * random() ** 2)
            at = self._first + step * number
            resource = int(number % INSTALL_EVERY == 0)
            amount = 1 if resource else 1 + int(3 * random())
            starts = self._starts[plan.moment(user)]
            period = len(starts) - 1
            while starts[period] > at:
                period -= 1
            self._used[(user * len(RESOURCES) + resource) * PERIODS + period] += amount
            yield (
                plan.id(KIND, number, at), plan.user_id(user), RESOURCES[resource], amount, starts[period],
                at, at, None, None,
            )  # fmt: skip

    def counters(self) -> Rows:
        """Once ``events`` has been read to its end."""
        for user in range(self._plan.users):
            starts = self._starts[self._plan.moment(user)]
            for number, resource in enumerate(RESOURCES):
                base = (user * len(RESOURCES) + number) * PERIODS
                for period, start in enumerate(starts):
                    if used := self._used[base + period]:
                        yield self._plan.user_id(user), resource, start, used, 0
