"""The mails that facts bring about: to whom, with what, and what is kept of it."""

import re
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

import pytest
from sqlalchemy import func, select

from app.db.database import Database
from app.db.models import ApiKey, IdempotencyKey, MailedLink, OutboxFact, Session, SignInGuard
from app.db.repositories import api_keys, outbox, sessions, sign_in_guards
from app.domain.accounts import Client
from app.domain.api_keys import Scope
from app.domain.errors import InvalidToken
from app.domain.outbox import Topic
from app.jobs import CHORES, prune
from app.ports import Message
from app.services import accounts
from app.worker import Worker
from tests.support.factories import NOW, make_author, make_package, make_purchase, make_user, make_version
from tests.support.outside import Clock, KeptMail, deps_of

QUOTA = {"resource": "api_call", "used": 1000, "limit": 1000, "percent": 100}


class Post:
    """States facts and lets the worker act on them."""

    def __init__(self, database: Database) -> None:
        self.database, self.clock, self.mailer = database, Clock(), KeptMail()
        self.deps = deps_of(database, clock=self.clock, mailer=self.mailer)

    async def after(self, topic: Topic, **payload: Any) -> list[Message]:
        async with self.database.transaction() as connection:
            self.fact_id = await outbox.add(connection, topic, payload, now=NOW)
        return await self.deliver()

    async def deliver(self) -> list[Message]:
        await Worker(self.deps, chores={}).work_once()
        return self.mailer.messages

    async def verify(self, token: str) -> UUID:
        tokens = self.deps.tokens
        return await accounts.verify_email(
            database=self.database, tokens=tokens, token=token, now=self.clock()
        )

    async def count(self, table: Any) -> int:
        async with self.database.read() as connection:
            return (await connection.execute(select(func.count()).select_from(table))).scalar_one()


@pytest.fixture
def post(database: Database) -> Post:
    return Post(database)


def token_in(message: Message) -> str:
    found = re.search(r"token=([\w-]{43})$", message.text, re.MULTILINE)
    assert found is not None
    return found[1]


async def new_user(post: Post, **given: Any) -> SimpleNamespace:
    return await make_user(post.database, username="ada", **given)


async def test_the_link_that_proves_an_address_works_once(post: Post) -> None:
    user = await new_user(post, email_verified_at=None)
    (message,) = await post.after(Topic.VERIFY_EMAIL, user_id=str(user.id))
    token = token_in(message)
    assert (message.to, message.subject) == ("ada@example.test", "Confirm your e-mail address")
    assert message.key == f"{post.fact_id}-1"
    assert f"    https://shop.test/verify-email?token={token}\n" in message.text
    assert f'verifyEmail(input: {{token: "{token}"}})' in message.text
    assert "18 January 2026, 12:00 UTC" in message.text
    async with post.database.read() as connection:
        (link,) = (await connection.execute(select(MailedLink.token_hash))).all()
    assert link.token_hash == post.deps.tokens.digest(token)
    assert await post.verify(token) == user.id
    with pytest.raises(InvalidToken):
        await post.verify(token)


async def test_a_mail_sent_again_has_a_link_of_its_own(post: Post) -> None:
    user = await new_user(post, email_verified_at=None)
    post.mailer.failures = 1
    assert await post.after(Topic.VERIFY_EMAIL, user_id=str(user.id)) == []
    post.clock.forward(seconds=2)
    (message,) = await post.deliver()
    assert message.key == f"{post.fact_id}-2"
    assert await post.count(MailedLink) == 2
    assert await post.verify(token_in(message)) == user.id


async def test_the_link_that_resets_a_password_ends_the_earlier_one(post: Post) -> None:
    user = await new_user(post)
    await post.after(Topic.RESET_PASSWORD, user_id=str(user.id))
    first, second = await post.after(Topic.RESET_PASSWORD, user_id=str(user.id))
    token = token_in(second)
    assert second.subject == "Set a new password"
    assert f"https://shop.test/reset-password?token={token}\n" in second.text
    assert f'resetPassword(input: {{token: "{token}", newPassword: "..."}})' in second.text
    async with post.database.read() as connection:
        statement = select(MailedLink.token_hash).where(MailedLink.used_at.is_(None))
        (live,) = (await connection.execute(statement)).scalars()
    assert live == post.deps.tokens.digest(token)
    assert token_in(first) != token


async def test_nobody_is_written_to_without_need(post: Post) -> None:
    proved = await new_user(post)
    gone = await make_user(post.database, deleted_at=NOW, password_hash="", email_verified_at=None)
    await post.after(Topic.VERIFY_EMAIL, user_id=str(proved.id))
    for topic in (Topic.VERIFY_EMAIL, Topic.RESET_PASSWORD, Topic.PASSWORD_CHANGED):
        await post.after(topic, user_id=str(gone.id))
    await post.after(Topic.QUOTA_REACHED, user_id=str(gone.id), resets_at=None, **QUOTA)
    await post.after(Topic.PURCHASE_COMPLETED, purchase_id=str(gone.id))
    assert post.mailer.messages == []
    assert await post.count(MailedLink) == 0
    async with post.database.read() as connection:
        assert set((await connection.execute(select(OutboxFact.state))).scalars()) == {"done"}


async def test_a_changed_password_is_told(post: Post) -> None:
    user = await new_user(post)
    (message,) = await post.after(Topic.PASSWORD_CHANGED, user_id=str(user.id))
    assert (message.key, message.subject) == (str(post.fact_id), "Your password was changed")
    assert "was changed on 15 January 2026, 12:00 UTC" in message.text


async def test_the_old_address_hears_of_the_change(post: Post) -> None:
    (message,) = await post.after(Topic.EMAIL_CHANGED, username="ada", email="ada@old.test")
    assert (message.to, message.subject) == ("ada@old.test", "The address of your account was changed")
    assert "on 15 January 2026, 12:00 UTC your account was given another e-mail address" in message.text


async def test_a_reached_and_a_near_limit_are_told(post: Post) -> None:
    user = await new_user(post)
    month = {**QUOTA, "resets_at": (NOW + timedelta(days=31)).isoformat()}
    near = {**QUOTA, "resource": "storage_bytes", "used": 800, "percent": 80, "resets_at": None}
    await post.after(Topic.QUOTA_REACHED, user_id=str(user.id), **month)
    reached, near_full = await post.after(Topic.QUOTA_NEAR, user_id=str(user.id), **near)
    assert reached.subject == "Your limit of API calls is reached"
    assert reached.text == (
        "Hello ada,\n\nyour account has used 1,000 of the 1,000 API calls of its plan. More are refused "
        "until 15 February 2026, 12:00 UTC, when the count starts anew.\n\nA larger plan counts at "
        "once, and what was used stays counted. The query `plans` at https://shop.test/graphql lists them.\n"
    )
    assert near_full.subject == "80 % of your bytes of storage are used"
    assert "has used 800 of the 1,000 bytes of storage of its plan.\n\nA larger plan" in near_full.text


async def test_a_receipt_has_the_number_the_price_and_the_licence(post: Post) -> None:
    user = await new_user(post)
    package = await make_package(
        post.database,
        author=await make_author(post.database),
        slug="theme",
        name="A & B <Theme>",
        price_cents=2900,
    )
    version = await make_version(post.database, package=package, version="1.2.0")
    paid = await make_purchase(
        post.database, user=user, package=package, version=version, receipt_number="R-2026-000001"
    )
    (message,) = await post.after(Topic.PURCHASE_COMPLETED, purchase_id=str(paid.id))
    assert (message.to, message.subject) == (
        "ada@example.test",
        "Your receipt R-2026-000001: A & B <Theme> 1.2.0",
    )
    for line in (
        "    Receipt    R-2026-000001\n",
        "    Package    A & B <Theme> (theme)\n",
        "    Version    1.2.0\n",
        "    Price      $29.00\n",
        "\nlicence\n",
    ):
        assert line in message.text


async def test_housekeeping_forgets_what_has_had_its_time(post: Post) -> None:
    user, database = await new_user(post), post.database
    later = NOW + timedelta(days=31)
    async with database.transaction() as connection:
        for n, expires_at in enumerate([NOW - timedelta(seconds=1), later + timedelta(days=1)]):
            await sessions.open_session(
                connection,
                user_id=user.id,
                token_hash=str(n) * 64,
                client=Client(),
                expires_at=expires_at,
                now=NOW,
            )
        await sign_in_guards.settle(connection, ["account:a"], right=False, now=NOW)
        done = await outbox.add(connection, Topic.PASSWORD_CHANGED, {}, now=NOW)
        assert done is not None
        await outbox.done(connection, done, now=NOW)
        waiting = await outbox.add(connection, Topic.PASSWORD_CHANGED, {}, now=NOW)
    await prune(post.deps, cast(Any, None))
    counts = [await post.count(table) for table in (Session, SignInGuard, OutboxFact, IdempotencyKey)]
    assert counts == [1, 1, 2, 0]
    post.clock.now = later_than_ids()
    await prune(post.deps, cast(Any, None))
    async with database.read() as connection:
        assert list((await connection.execute(select(OutboxFact.id))).scalars()) == [waiting]
    assert await post.count(SignInGuard) == 0


def later_than_ids() -> datetime:
    """Ids carry the machine's time, whatever the clock of the test says."""
    return datetime.now(UTC) + timedelta(days=31)


async def chore(post: Post, name: str) -> None:
    (found,) = [each for each in CHORES if each.__name__ == name]
    await found(post.deps)


async def test_the_last_use_of_keys_is_written_in_batches_and_never_back(post: Post) -> None:
    user = await new_user(post)
    async with post.database.transaction() as connection:
        key_ids = [
            await api_keys.add(
                connection,
                user_id=user.id,
                name="ci",
                prefix="rg_live_abcd",
                key_hash=f"{n:064d}",
                scopes=[Scope.READ],
                expires_at=None,
                replaces_id=None,
                now=NOW,
            )
            for n in range(3)
        ]
    early, late = NOW + timedelta(seconds=1), NOW + timedelta(seconds=9)
    for key_id, at in [(key_ids[0], late), (key_ids[0], early), (key_ids[1], early)]:
        post.deps.last_used.note(key_id, at)
    await chore(post, "write_last_used")
    post.deps.last_used.note(key_ids[0], early)
    await chore(post, "write_last_used")
    async with post.database.read() as connection:
        statement = select(ApiKey.last_used_at).order_by(ApiKey.id)
        assert list((await connection.execute(statement)).scalars()) == [late, early, None]


async def test_what_could_not_be_written_is_noted_again() -> None:
    class Down:
        def transaction(self) -> Any:
            raise ConnectionRefusedError

    deps, key_id = deps_of(Down()), UUID(int=7)
    deps.last_used.note(key_id, NOW)
    (write,) = [each for each in CHORES if each.__name__ == "write_last_used"]
    with pytest.raises(ConnectionRefusedError):
        await write(deps)
    assert deps.last_used.take() == {key_id: NOW}
