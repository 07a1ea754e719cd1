"""Who has an account: users, their subscriptions and API keys, and the authors among them."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from app.cli.bench.plan import Plan, Rows
from app.domain.api_keys import ALPHABET, RANDOM_LENGTH, Role, Scope, display_prefix, format_key, grantable
from app.domain.periods import Period, monthly_period

PASSWORD = "bench-password-1"  # noqa: S105 - of accounts that exist for measuring only
KEY_EVERY = 2
"""One account in so many has an API key."""


def email(user: int) -> str:
    return f"user{user}@bench.example"


USERS = """
id email username username_key display_name password_hash role tier email_verified_at created_at
updated_at deleted_at
"""


def users(plan: Plan, password_hash: str) -> Rows:
    for user in range(plan.users):
        at, name = plan.registered_at(user), f"user{user}"
        role = Role.AUTHOR if user < plan.authors else Role.CUSTOMER
        yield (
            plan.user_id(user), email(user), name, name, None, password_hash, role, plan.tier(user),
            at, at, at, None,
        )  # fmt: skip


def period_of(plan: Plan, user: int) -> Period:
    return monthly_period(anchor=plan.registered_at(user), now=plan.until)


SUBSCRIPTIONS = """
id user_id tier status anchor_at current_period_start current_period_end cancel_at_period_end
stripe_subscription_id created_at updated_at ended_at
"""


def subscriptions(plan: Plan) -> Rows:
    for user in range(plan.users):
        at, period = plan.registered_at(user), period_of(plan, user)
        yield (
            subscription_id(plan, user), plan.user_id(user), plan.tier(user), "active", at,
            period.start, period.end, False, None, at, at, None,
        )  # fmt: skip


def subscription_id(plan: Plan, user: int) -> object:
    return plan.id(3, user, plan.registered_at(user))


def api_key(plan: Plan, user: int) -> str:
    random = plan.random(f"key:{user}")
    return format_key("".join(random.choices(ALPHABET, k=RANDOM_LENGTH)))


API_KEYS = """
id user_id name prefix key_hash scopes replaces_id created_at expires_at revoked_at last_used_at
"""


def api_keys(plan: Plan, digest: Callable[[str], str]) -> Rows:
    """``digest`` is the server's: the keys work on a server with these settings."""
    for user in range(0, plan.users, KEY_EVERY):
        at, key = plan.registered_at(user), api_key(plan, user)
        role = Role.AUTHOR if user < plan.authors else Role.CUSTOMER
        scopes = sorted(scope for scope in grantable(role) if scope is not Scope.ADMIN)
        yield (
            plan.id(4, user, at), plan.user_id(user), "bench", display_prefix(key), digest(key),
            scopes, None, at, None, None, None,
        )  # fmt: skip


AUTHORS = """
id user_id username username_key created_at
"""


def authors(plan: Plan) -> Rows:
    """The first accounts; more are needed only where there are fewer accounts than authors."""
    for author in range(plan.authors):
        at: datetime = plan.registered_at(author % plan.users)
        name = f"user{author}"
        user_id = plan.user_id(author) if author < plan.users else None
        yield (author_id(plan, author), user_id, name, name, at)


def author_id(plan: Plan, author: int) -> UUID:
    return plan.id(5, author, plan.registered_at(author % plan.users))
