"""Of whom and of what is asked? The same of every server, and taken in turn."""

from dataclasses import dataclass
from uuid import UUID, uuid4

from app.cli.bench import goods, people
from app.cli.bench.plan import Plan
from app.schema.node import global_id

ACCOUNTS, AUTHORS, PACKAGES = 16, 50, 64
QUESTIONS = (
    "invoice dashboard",
    "kubernetes",
    "react starter",
    "payment web",
    "audit toolkit",
    "chat agent",
    "storage kit",
    "landing theme",
)


@dataclass(frozen=True)
class Account:
    """On the plan with limits that are counted (``pro``), with an API key and ten invoices."""

    user_id: UUID
    api_key: str


@dataclass(frozen=True)
class Subjects:
    """``to_buy``: the package that the account of the same place, taken in turn, does not own; each once."""

    accounts: list[Account]
    authors: list[UUID]
    packages: list[UUID]
    to_buy: list[UUID]
    run: str
    questions: tuple[str, ...] = QUESTIONS

    @staticmethod
    def global_id(kind: str, uuid: UUID) -> str:
        return global_id(kind, uuid)


def subjects_of(plan: Plan, *, bought: set[tuple[UUID, UUID]]) -> Subjects:
    """``bought``: (user, package) of all purchases so far."""
    accounts = _accounts(plan)
    step = max(1, plan.packages // PACKAGES)
    return Subjects(
        accounts=accounts,
        authors=[people.author_id(plan, each) for each in range(min(AUTHORS, plan.authors))],
        packages=[plan.package_id(each) for each in range(0, plan.packages, step)][:PACKAGES],
        to_buy=_to_buy(plan, accounts, bought),
        run=str(uuid4()),
    )


def _accounts(plan: Plan) -> list[Account]:
    first = max(plan.users // 100 + 1, plan.authors)
    first += first % people.KEY_EVERY
    numbers = range(first, plan.users // 5, people.KEY_EVERY)[:ACCOUNTS]
    return [Account(plan.user_id(each), people.api_key(plan, each)) for each in numbers]


def _to_buy(plan: Plan, accounts: list[Account], bought: set[tuple[UUID, UUID]]) -> list[UUID]:
    """As long as every account still has one."""
    free = [plan.package_id(each) for each in range(plan.packages) if goods.price_cents(each) == 0]
    left = [[each for each in free if (account.user_id, each) not in bought] for account in accounts]
    return [package for turn in zip(*left, strict=False) for package in turn]
