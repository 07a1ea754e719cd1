"""What is for sale: packages with texts that can be searched, versions, files, labels."""

from hashlib import sha256

from app.cli.bench.people import author_id
from app.cli.bench.plan import Plan, Rows
from app.cli.bench.sales import sales_of
from app.domain.versions import sort_key

CATEGORIES = (
    "ai",
    "billing",
    "data",
    "design",
    "devops",
    "docs",
    "frontend",
    "mobile",
    "security",
    "testing",
)
KINDS = (
    "template",
    "starter",
    "dashboard",
    "pipeline",
    "theme",
    "toolkit",
    "workflow",
    "module",
    "runbook",
    "kit",
)
_TOPICS = """
invoice analytics kubernetes terraform react python webhook payment subscription email report search
graph metrics logging cache queue storage image video chat prompt agent support onboarding pricing
catalog audit compliance backup migration schema testing landing blog portfolio booking inventory
shipping tax ledger
"""
_WORDS = """
ready to use with clear defaults and tests for teams that ship often it covers setup deployment
monitoring rollback explains every choice keeps secrets out of the repository works offline scales
from one person to many includes examples diagrams checklists and a guide for the first week so that
nothing is left to chance
"""
TOPICS, WORDS = _TOPICS.split(), _WORDS.split()
VERSIONS = ("1.0.0", "1.1.0", "2.0.0")
PRICES = (0, 0, 0, 900, 1900, 2900, 4900, 9900)
LICENSES = ("MIT", "Apache-2.0", "BSD-3-Clause", "Proprietary")


def name(plan: Plan, package: int) -> str:
    random = plan.random(f"name:{package}")
    first, second = random.sample(TOPICS, 2)
    return f"{first} {second} {random.choice(KINDS)}".title()


def slug(plan: Plan, package: int) -> str:
    return f"{name(plan, package).lower().replace(' ', '-')}-{package}"


def price_cents(package: int) -> int:
    return PRICES[package % len(PRICES)]


PACKAGES = """
id author_id slug name name_key description readme license price_cents currency status downloads
sales rating_sum rating_count rating_score created_at updated_at published_at
"""


def packages(plan: Plan) -> Rows:
    for package in range(plan.packages):
        random, at, title = plan.random(f"text:{package}"), plan.published_at(package), name(plan, package)
        sold = sales_of(plan, package)
        stars = [sale.stars for sale in sold if sale.stars]
        total, count = sum(stars), len(stars)
        yield (
            plan.package_id(package), author_id(plan, package % plan.authors), slug(plan, package), title,
            title.casefold(), _prose(random.choices(WORDS, k=60), title),
            _prose(random.choices(WORDS, k=300), title), random.choice(LICENSES), price_cents(package), "USD",
            "deprecated" if package % 50 == 49 else "published",
            3 * len(sold), len(sold), total, count, (200 * total + count) // (2 * count) if count else 0,
            at, at, at,
        )  # fmt: skip


def _prose(words: list[str], title: str) -> str:
    return f"{title}: {' '.join(words)}."


PACKAGE_VERSIONS = """
id package_id version sort_key changelog status yank_reason published_at yanked_at
"""


def versions(plan: Plan) -> Rows:
    for package in range(plan.packages):
        at = plan.published_at(package)
        for number, version in enumerate(VERSIONS):
            yield (
                version_id(plan, package, number), plan.package_id(package), version, sort_key(version),
                f"What is new in {version}.", "published", None, at, None,
            )  # fmt: skip


def version_id(plan: Plan, package: int, number: int) -> object:
    return plan.id(6, package * len(VERSIONS) + number, plan.published_at(package))


PACKAGE_FILES = """
id version_id position path media_type size_bytes sha256 storage_key
"""


def files(plan: Plan) -> Rows:
    """Rows only: no byte of theirs is in the storage."""
    for package in range(plan.packages):
        for number in range(len(VERSIONS)):
            row = package * len(VERSIONS) + number
            digest = sha256(f"{plan.seed}:{row}".encode()).hexdigest()
            path = f"{slug(plan, package)}-{VERSIONS[number]}.tar.gz"
            yield (
                plan.id(7, row, plan.published_at(package)), version_id(plan, package, number), 0, path,
                "application/gzip", 10_000 + row % 90_000, digest, f"bench/{digest}",
            )  # fmt: skip


CATEGORY = """
slug name
"""


def categories(_: Plan) -> Rows:
    yield from ((each, each.capitalize()) for each in CATEGORIES)


PACKAGE_CATEGORIES = """
package_id category
"""


def package_categories(plan: Plan) -> Rows:
    for package in range(plan.packages):
        chosen = plan.random(f"categories:{package}").sample(CATEGORIES, 1 + package % 2)
        yield from ((plan.package_id(package), each) for each in sorted(chosen))


PACKAGE_TAGS = """
package_id tag
"""


def package_tags(plan: Plan) -> Rows:
    for package in range(plan.packages):
        chosen = plan.random(f"tags:{package}").sample(TOPICS, 3)
        yield from ((plan.package_id(package), each) for each in sorted(chosen))
