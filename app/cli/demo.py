"""What does ``serve --demo`` put into an empty database, for a first look?"""

from datetime import UTC, datetime
from importlib import resources

from app.bootstrap import Settings
from app.cli.progress import shown
from app.cli.reporting import ExitCode, Problem, say
from app.cli.running import opened
from app.context import Deps
from app.db.migrate import upgrade
from app.db.repositories import health
from app.domain.api_keys import Role
from app.services import accounts, imports

PASSWORD = "demo-password-1"  # noqa: S105 - printed and documented; made only while developing
EMAILS = {
    Role.CUSTOMER: "demo@revgraph.example",
    Role.AUTHOR: "author@revgraph.example",
    Role.ADMIN: "admin@revgraph.example",
}
USERNAMES = {Role.CUSTOMER: "demo", Role.AUTHOR: "demo-author", Role.ADMIN: "demo-admin"}


async def prepare(settings: Settings, *, payments: str | None) -> None:
    """Migrates; loads the sample and the accounts where there is nobody and nothing but the sample yet.

    ``payments``: the address of the stand-in that they go to, for people to know.
    """
    if settings.production:
        raise Problem(
            "--demo makes accounts with a known password: not in production.",
            advice="Leave --demo out; 'revgraph create-admin' makes the first account.",
            code=ExitCode.CONFIGURATION,
        )
    async with opened(settings, migrated=False) as deps:
        await upgrade(deps.database)
        if await _is_fresh(deps):
            await _load(deps, now=datetime.now(UTC))
        async with deps.database.read() as connection:
            known = await health.knows_any(connection, EMAILS.values())
    _tell(settings.base_url, signed_in_as=EMAILS[Role.CUSTOMER] if known else None, payments=payments)


async def _is_fresh(deps: Deps) -> bool:
    """The accounts come last, so that a start that was broken off begins again."""
    sample = {path.name for path in resources.files("app.sample").joinpath("catalog").iterdir()}
    async with deps.database.read() as connection:
        if await health.has_users(connection):
            return False
        return await health.package_slugs(connection, limit=len(sample) + 1) <= sample


async def _load(deps: Deps, *, now: datetime) -> None:
    with shown("Loading the sample catalogue") as step:
        await imports.load_sample(database=deps.database, store=deps.store, now=now, on_progress=step)
    for role, email in EMAILS.items():
        await accounts.create_with_role(
            database=deps.database,
            passwords=deps.passwords,
            email=email,
            username=USERNAMES[role],
            password=PASSWORD,
            role=role,
            production=False,
            now=now,
        )


def _tell(base_url: str, *, signed_in_as: str | None, payments: str | None) -> None:
    say(f"\n  revgraph       {base_url}/graphql   (GraphiQL in a browser)")
    if signed_in_as:
        say(f"  demo sign-in   {signed_in_as}   password {PASSWORD}")
        say(f"  the same for   {EMAILS[Role.AUTHOR]}, {EMAILS[Role.ADMIN]}")
    if payments:
        say(
            f"  payments       {payments}   (a stand-in for Stripe: its pages pay or decline, no money moves)"
        )
    say("  stop           Ctrl+C\n")
