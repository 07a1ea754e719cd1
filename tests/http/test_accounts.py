"""Accounts through the front door: register, sign in, be locked out, change, reset, verify, leave."""

from datetime import timedelta
from typing import Any

import pytest
from passlib.hash import bcrypt
from sqlalchemy import func, select, update

from app.db.database import Database
from app.db.models import ApiKey, AuditEntry, OutboxFact, Session, Subscription, UsageEvent, User
from app.db.repositories import sessions
from app.domain.accounts import Client, LinkPurpose
from app.domain.errors import InvalidCredentials
from app.services.sessions import login
from tests.support.clients import LOGIN, PASSWORD, REGISTER, Account, Api, sign_up
from tests.support.factories import make_author

VIEWER = "{ viewer { id email username tier createdAt subscription { tier status currentPeriodEnd } } }"


async def count(database: Database, table: Any) -> int:
    async with database.read() as connection:
        return int((await connection.execute(select(func.count()).select_from(table))).scalar_one())


async def test_registering_makes_an_account_a_subscription_and_an_event(api: Api, database: Database) -> None:
    given = {"email": " Ada@Example.TEST", "username": "Ada", "password": PASSWORD}
    made = (await api(REGISTER, input=given)).payload()
    assert made["errors"] == []
    assert made["expiresIn"] == 900
    assert made["user"] == {
        "id": made["user"]["id"],
        "email": "ada@example.test",
        "username": "Ada",
        "tier": "FREE",
    }
    viewer = (await api.as_(made["accessToken"])(VIEWER)).payload()
    assert viewer["subscription"] == {
        "tier": "FREE",
        "status": "ACTIVE",
        "currentPeriodEnd": "2026-12-22T12:00:00.000Z",
    }
    async with database.read() as connection:
        (hashed,) = (await connection.execute(select(User.password_hash))).scalars()
        events = (await connection.execute(select(UsageEvent.resource, UsageEvent.amount))).all()
        topics = (await connection.execute(select(OutboxFact.topic))).scalars().all()
    assert hashed.startswith("$argon2id$v=19$")
    assert sorted(tuple(event) for event in events) == [("api_call", 1), ("registration", 1)]
    assert topics == ["account.verify_email"]


@pytest.mark.parametrize(
    ("changed", "code", "path"),
    [
        ({"email": "ADA@example.test"}, "CONFLICT", ["input", "email"]),
        ({"username": "aDA"}, "CONFLICT", ["input", "username"]),
        ({"password": "short"}, "BAD_USER_INPUT", ["input", "password"]),
        ({"password": "x" * 129}, "BAD_USER_INPUT", ["input", "password"]),
        ({"password": "nul\0 in the middle"}, "BAD_USER_INPUT", ["input", "password"]),
        ({"email": "not an address"}, "BAD_USER_INPUT", ["input", "email"]),
        ({"email": "a@b@c.test"}, "BAD_USER_INPUT", ["input", "email"]),
        ({"email": "x" * 300 + "@example.test"}, "BAD_USER_INPUT", ["input", "email"]),
        ({"username": "аdа"}, "BAD_USER_INPUT", ["input", "username"]),
        ({"username": "a\u202eb\u202d"}, "BAD_USER_INPUT", ["input", "username"]),
        ({"username": "'; DROP TABLE users; --"}, "BAD_USER_INPUT", ["input", "username"]),
        ({"username": "../../etc"}, "BAD_USER_INPUT", ["input", "username"]),
        ({"username": "admin"}, "BAD_USER_INPUT", ["input", "username"]),
    ],
)
async def test_bad_registrations_say_what_is_wrong_and_leave_nothing(
    api: Api, database: Database, changed: dict[str, str], code: str, path: list[str]
) -> None:
    await sign_up(api, name="Ada")
    before = [
        await count(database, table)
        for table in (User, Subscription, Session, UsageEvent, OutboxFact, AuditEntry)
    ]
    given = {"email": "new@example.test", "username": "newcomer", "password": PASSWORD} | changed
    refused = (await api(REGISTER, input=given)).payload()
    assert [(error["code"], error["path"]) for error in refused["errors"]] == [(code, path)]
    assert refused["accessToken"] is refused["refreshToken"] is refused["user"] is None
    after = [
        await count(database, table)
        for table in (User, Subscription, Session, UsageEvent, OutboxFact, AuditEntry)
    ]
    assert after == before


async def test_signing_in_ignores_the_case_of_the_address(api: Api) -> None:
    account = await sign_up(api, name="ada")
    session = (await api(LOGIN, input={"email": "ADA@EXAMPLE.test", "password": PASSWORD})).payload()
    assert session["errors"] == []
    assert session["user"]["id"] == account.id
    assert session["refreshToken"] != account.refresh_token


async def test_unknown_and_wrong_get_the_same_answer(api: Api) -> None:
    await sign_up(api, name="ada")
    answers = [
        (await api(LOGIN, input={"email": email, "password": password})).payload()
        for email, password in [
            ("ada@example.test", "wrong password"),
            ("nobody@example.test", PASSWORD),
            ("no address", "x"),
        ]
    ]
    expected = {"code": "INVALID_CREDENTIALS", "message": "E-mail or password is wrong.", "path": []}
    assert [answer["errors"] for answer in answers] == [[expected]] * 3


async def test_five_failures_lock_the_account_for_thirty_minutes(api: Api) -> None:
    await sign_up(api, name="ada")

    async def attempt(password: str) -> list[str]:
        answer = (await api(LOGIN, input={"email": "ada@example.test", "password": password})).payload()
        return [error["code"] for error in answer["errors"]]

    for _ in range(5):
        assert await attempt("wrong password") == ["INVALID_CREDENTIALS"]
    assert await attempt("wrong password") == ["ACCOUNT_LOCKED"]
    assert await attempt(PASSWORD) == ["ACCOUNT_LOCKED"]
    api.clock.forward(minutes=29, seconds=59)
    assert await attempt(PASSWORD) == ["ACCOUNT_LOCKED"]
    api.clock.forward(seconds=1)
    assert await attempt(PASSWORD) == []


async def test_failures_lock_the_address_too_and_say_until_when(api: Api) -> None:
    await sign_up(api, name="ada")
    for number in range(5):
        await api(LOGIN, input={"email": f"guess{number}@example.test", "password": "wrong password"})
    document = """mutation($input: LoginInput!) { login(input: $input) { accessToken
        errors { __typename code ... on AccountLocked { lockedUntil } } } }"""
    locked = (await api(document, input={"email": "ada@example.test", "password": PASSWORD})).payload()
    assert locked == {
        "accessToken": None,
        "errors": [
            {
                "__typename": "AccountLocked",
                "code": "ACCOUNT_LOCKED",
                "lockedUntil": "2026-11-22T12:30:00.000Z",
            }
        ],
    }


async def test_a_success_forgives_the_account(api: Api) -> None:
    await sign_up(api, name="ada")
    for _ in range(2):
        for _ in range(2):
            await api(LOGIN, input={"email": "ada@example.test", "password": "wrong password"})
        fine = (await api(LOGIN, input={"email": "ada@example.test", "password": PASSWORD})).payload()
        assert fine["errors"] == []


async def test_a_bcrypt_hash_is_read_and_replaced(api: Api, database: Database) -> None:
    await sign_up(api, name="ada")
    async with database.transaction() as connection:
        await connection.execute(update(User).values(password_hash=bcrypt.using(rounds=4).hash(PASSWORD)))
    fine = (await api(LOGIN, input={"email": "ada@example.test", "password": PASSWORD})).payload()
    assert fine["errors"] == []
    async with database.read() as connection:
        (hashed,) = (await connection.execute(select(User.password_hash))).scalars()
    assert hashed.startswith("$argon2id$")
    again = (await api(LOGIN, input={"email": "ada@example.test", "password": PASSWORD})).payload()
    assert again["errors"] == []


REFRESH = """mutation($token: String!) { refreshSession(input: {refreshToken: $token}) {
    accessToken refreshToken expiresIn user { username } errors { code } } }"""


async def refresh(api: Api, token: str) -> dict[str, Any]:
    return dict((await api(REFRESH, token=token)).payload())


async def works(account: Account, access_token: str) -> bool:
    return (await account.api.as_(access_token)("{ viewer { id } }")).code is None


async def test_a_refresh_token_rotates_and_its_reuse_ends_the_session(api: Api) -> None:
    account = await sign_up(api, name="ada")
    second = await refresh(api, account.refresh_token)
    assert second["errors"] == []
    assert second["user"] == {"username": "ada"}
    assert second["refreshToken"] != account.refresh_token
    api.clock.forward(seconds=10)
    assert (await refresh(api, account.refresh_token))["refreshToken"] == second["refreshToken"]
    api.clock.forward(seconds=1)
    assert (await refresh(api, account.refresh_token))["errors"] == [{"code": "INVALID_TOKEN"}]
    assert (await refresh(api, second["refreshToken"]))["errors"] == [{"code": "INVALID_TOKEN"}]
    assert not await works(account, second["accessToken"])


async def test_an_access_token_lasts_fifteen_minutes(api: Api) -> None:
    account = await sign_up(api)
    api.clock.forward(minutes=14, seconds=59)
    assert await works(account, account.access_token)
    api.clock.forward(seconds=1)
    refused = await account.api("{ viewer { id } }")
    assert refused.code == "UNAUTHENTICATED"
    assert "refreshSession" in refused.errors[0]["message"]
    assert (await refresh(account.api, account.refresh_token))["errors"] == []


async def test_signing_out_works_at_once(api: Api) -> None:
    account = await sign_up(api, name="ada")
    other = (await api(LOGIN, input={"email": "ada@example.test", "password": PASSWORD})).payload()
    assert (await account.api("mutation { logout { done errors { code } } }")).payload() == {
        "done": True,
        "errors": [],
    }
    assert not await works(account, account.access_token)
    assert (await refresh(api, account.refresh_token))["errors"] == [{"code": "INVALID_TOKEN"}]
    assert await works(account, other["accessToken"])


async def test_signing_out_everywhere_ends_all_sessions(api: Api) -> None:
    account = await sign_up(api, name="ada")
    other = (await api(LOGIN, input={"email": "ada@example.test", "password": PASSWORD})).payload()
    await account.api("mutation { logout(input: {everywhere: true}) { done } }")
    assert not await works(account, account.access_token)
    assert not await works(account, other["accessToken"])


CHANGE = """mutation($old: String!, $new: String!) {
    changePassword(input: {currentPassword: $old, newPassword: $new}) { user { username } errors { code path } } }"""


async def test_changing_the_password_keeps_this_session_only(api: Api) -> None:
    account = await sign_up(api, name="ada")
    other = (await api(LOGIN, input={"email": "ada@example.test", "password": PASSWORD})).payload()
    wrong = (await account.api(CHANGE, old="not it at all", new="another good password")).payload()
    assert wrong["errors"] == [{"code": "INVALID_CREDENTIALS", "path": []}]
    assert await works(account, other["accessToken"])
    done = (await account.api(CHANGE, old=PASSWORD, new="another good password")).payload()
    assert done == {"user": {"username": "ada"}, "errors": []}
    assert await works(account, account.access_token)
    assert not await works(account, other["accessToken"])
    old = (await api(LOGIN, input={"email": "ada@example.test", "password": PASSWORD})).payload()
    assert [error["code"] for error in old["errors"]] == ["INVALID_CREDENTIALS"]


async def mailed_link(api: Api, purpose: LinkPurpose) -> str:
    """What the mail would carry."""
    token = api.deps.tokens.new_secret()
    async with api.deps.database.transaction() as connection:
        user = (await connection.execute(select(User.id, User.email))).one()
        await sessions.add_link(
            connection,
            user_id=user.id,
            purpose=purpose,
            email=user.email,
            token_hash=api.deps.tokens.digest(token),
            now=api.clock(),
        )
    return token


RESET = """mutation($token: String!, $new: String!) {
    resetPassword(input: {token: $token, newPassword: $new}) { done errors { code } } }"""


async def test_a_reset_link_works_once_and_ends_every_session(api: Api) -> None:
    account = await sign_up(api, name="ada")
    token = await mailed_link(api, LinkPurpose.RESET_PASSWORD)
    assert (await api(RESET, token=token, new="short")).payload()["errors"] == [{"code": "BAD_USER_INPUT"}]
    assert (await api(RESET, token=token, new="a brand new one")).payload() == {"done": True, "errors": []}
    assert not await works(account, account.access_token)
    again = (await api(RESET, token=token, new="a second new one")).payload()
    assert again == {"done": False, "errors": [{"code": "INVALID_TOKEN"}]}
    fine = (await api(LOGIN, input={"email": "ada@example.test", "password": "a brand new one"})).payload()
    assert fine["errors"] == []


async def test_a_reset_link_ends_after_an_hour_and_is_replaced_by_the_next(api: Api) -> None:
    await sign_up(api, name="ada")
    first = await mailed_link(api, LinkPurpose.RESET_PASSWORD)
    second = await mailed_link(api, LinkPurpose.RESET_PASSWORD)
    assert (await api(RESET, token=first, new="a brand new one")).payload()["errors"] == [
        {"code": "INVALID_TOKEN"}
    ]
    api.clock.forward(hours=1)
    assert (await api(RESET, token=second, new="a brand new one")).payload()["errors"] == [
        {"code": "INVALID_TOKEN"}
    ]


async def test_asking_for_a_reset_tells_nothing(api: Api, database: Database) -> None:
    await sign_up(api, name="ada")
    before = await count(database, OutboxFact)
    ask = (
        "mutation($email: String!) { requestPasswordReset(input: {email: $email}) { done errors { code } } }"
    )
    assert (await api(ask, email="nobody@example.test")).payload() == {"done": True, "errors": []}
    assert await count(database, OutboxFact) == before
    assert (await api(ask, email="ADA@example.test")).payload() == {"done": True, "errors": []}
    async with database.read() as connection:
        facts = select(OutboxFact.topic, OutboxFact.payload).order_by(OutboxFact.id.desc()).limit(1)
        topic, payload = (await connection.execute(facts)).one()
    assert topic == "account.reset_password"
    assert list(payload) == ["user_id"]


async def test_verifying_the_address(api: Api) -> None:
    account = await sign_up(api, name="ada")
    token = await mailed_link(api, LinkPurpose.VERIFY_EMAIL)
    verify = (
        "mutation($t: String!) { verifyEmail(input: {token: $t}) { user { emailVerified } errors { code } } }"
    )
    assert (await api(RESET, token=token, new="a brand new one")).payload()["errors"] == [
        {"code": "INVALID_TOKEN"}
    ]
    assert (await api(verify, t=token)).payload() == {"user": {"emailVerified": True}, "errors": []}
    assert (await api(verify, t=token)).payload() == {"user": None, "errors": [{"code": "INVALID_TOKEN"}]}
    change = 'mutation { updateProfile(input: {email: "ada@new.test"}) { user { email emailVerified } errors { code } } }'
    changed = (await account.api(change)).payload()
    assert changed == {"user": {"email": "ada@new.test", "emailVerified": False}, "errors": []}
    async with api.deps.database.read() as connection:
        told = select(OutboxFact.payload).where(OutboxFact.topic == "account.email_changed")
        assert (await connection.execute(told)).scalars().all() == [
            {"username": "ada", "email": "ada@example.test"}
        ]


async def test_a_link_of_an_address_that_was_changed_is_void(api: Api) -> None:
    account = await sign_up(api, name="ada")
    token = await mailed_link(api, LinkPurpose.VERIFY_EMAIL)
    await account.api('mutation { updateProfile(input: {email: "ada@new.test"}) { errors { code } } }')
    verify = "mutation($t: String!) { verifyEmail(input: {token: $t}) { errors { code } } }"
    assert (await api(verify, t=token)).payload()["errors"] == [{"code": "INVALID_TOKEN"}]


async def test_the_profile_changes_what_is_given_only(api: Api) -> None:
    await sign_up(api, name="grace")
    account = await sign_up(api, name="ada")
    change = """mutation($input: UpdateProfileInput!) { updateProfile(input: $input) {
        user { username email displayName } errors { code path } } }"""
    named = (await account.api(change, input={"displayName": "Ada L."})).payload()
    assert named == {
        "user": {"username": "ada", "email": "ada@example.test", "displayName": "Ada L."},
        "errors": [],
    }
    taken = (await account.api(change, input={"username": "GRACE", "displayName": "not stored"})).payload()
    assert taken == {"user": None, "errors": [{"code": "CONFLICT", "path": ["input", "username"]}]}
    unchanged = (await account.api("{ viewer { username displayName } }")).payload()
    assert unchanged == {"username": "ada", "displayName": "Ada L."}


async def test_deleting_an_account_takes_the_person_out_and_keeps_the_books(
    api: Api, database: Database
) -> None:
    account = await sign_up(api, name="ada")
    leave = "mutation($p: String!) { deleteAccount(input: {password: $p}) { done errors { code } } }"
    assert (await account.api(leave, p="wrong password")).payload()["errors"] == [
        {"code": "INVALID_CREDENTIALS"}
    ]
    assert await works(account, account.access_token)
    assert (await account.api(leave, p=PASSWORD)).payload() == {"done": True, "errors": []}
    assert not await works(account, account.access_token)
    async with database.read() as connection:
        user = (
            await connection.execute(select(User.email, User.username, User.password_hash, User.deleted_at))
        ).one()
        status = (await connection.execute(select(Subscription.status))).scalar_one()
    assert user.email.endswith("@deleted.invalid")
    assert "ada" not in user.username
    assert user.password_hash == ""
    assert user.deleted_at == api.clock()
    assert status == "canceled"
    assert await count(database, UsageEvent) >= 2
    gone = (await api(LOGIN, input={"email": "ada@example.test", "password": PASSWORD})).payload()
    assert [error["code"] for error in gone["errors"]] == ["INVALID_CREDENTIALS"]
    again = await sign_up(api, name="ada")
    assert again.id != account.id


async def test_a_token_is_validated_with_its_account_and_end(api: Api) -> None:
    account = await sign_up(api, name="ada")
    ask = "query($t: String!) { validateToken(token: $t) { valid expiresAt user { username email } } }"
    assert (await api(ask, t=account.access_token)).payload() == {
        "valid": True,
        "expiresAt": (api.clock() + timedelta(minutes=15)).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "user": {"username": "ada", "email": "ada@example.test"},
    }
    nothing = {"valid": False, "expiresAt": None, "user": None}
    tampered = account.access_token[:-3] + ("abc" if account.access_token[-3:] != "abc" else "abd")
    for token in ("", "x", tampered, "rg_live_nonsense", "a.b.c", "é" * 5000):
        assert (await api(ask, t=token)).payload() == nothing
    api.clock.forward(minutes=15)
    assert (await api(ask, t=account.access_token)).payload() == nothing


async def test_a_password_is_the_same_however_it_is_composed(api: Api) -> None:
    composed, apart = "caf\u00e9 passphrase", "cafe\u0301 passphrase"
    given = {"email": "ada@example.test", "username": "ada", "password": apart}
    assert (await api(REGISTER, input=given)).payload()["errors"] == []
    for password in (composed, apart):
        session = (await api(LOGIN, input={"email": "ada@example.test", "password": password})).payload()
        assert session["errors"] == []


@pytest.mark.parametrize("field", ["changePassword", "deleteAccount"])
async def test_a_stolen_session_cannot_guess_the_password(api: Api, field: str) -> None:
    account = await sign_up(api, name="ada")
    guess = {
        "changePassword": 'mutation { changePassword(input: {currentPassword: "wrong one", newPassword: "another good one"}) { errors { code } } }',
        "deleteAccount": 'mutation { deleteAccount(input: {password: "wrong one"}) { errors { code } } }',
    }[field]
    for _ in range(5):
        assert (await account.api(guess)).payload()["errors"] == [{"code": "INVALID_CREDENTIALS"}]
    right = guess.replace("wrong one", PASSWORD)
    assert (await account.api(right)).payload()["errors"] == [{"code": "ACCOUNT_LOCKED"}]
    assert await works(account, account.access_token)
    locked = (await api(LOGIN, input={"email": "ada@example.test", "password": PASSWORD})).payload()
    assert [error["code"] for error in locked["errors"]] == ["ACCOUNT_LOCKED"]


async def test_what_ends_a_session_stands_alone(api: Api, database: Database) -> None:
    account = await sign_up(api, name="ada")
    leave = f'a: deleteAccount(input: {{password: "{PASSWORD}"}}) {{ done }}'
    make = 'b: createApiKey(input: {name: "left behind", scopes: [READ]}) { key }'
    for document in (
        f"mutation {{ {leave} {make} }}",
        "mutation { a: logout { done } b: becomeAuthor { errors { code } } }",
    ):
        answer = await account.api(document)
        assert (answer.code, answer.data) == ("BAD_USER_INPUT", None)
    assert await works(account, account.access_token)
    assert await count(database, ApiKey) == 0


class ResetWhileHashing:
    """A password store during whose verification somebody resets the password."""

    def __init__(self, api: Api, token: str) -> None:
        self.api, self.token, self.passwords = api, token, api.deps.passwords

    async def hash(self, password: str) -> str:
        return await self.passwords.hash(password)

    async def verify(self, password: str, hashed: str | None) -> tuple[bool, str | None]:
        verified = await self.passwords.verify(password, hashed)
        assert (await self.api(RESET, token=self.token, new="a brand new one")).payload()["errors"] == []
        return verified


async def test_a_sign_in_that_began_before_a_reset_does_not_survive_it(api: Api, database: Database) -> None:
    await sign_up(api, name="ada")
    async with database.transaction() as connection:
        await connection.execute(update(User).values(password_hash=bcrypt.using(rounds=4).hash(PASSWORD)))
    token = await mailed_link(api, LinkPurpose.RESET_PASSWORD)
    with pytest.raises(InvalidCredentials):
        await login(
            database=database,
            passwords=ResetWhileHashing(api, token),
            tokens=api.deps.tokens,
            email="ada@example.test",
            password=PASSWORD,
            client=Client(),
            now=api.clock(),
        )
    for password, expected in (("a brand new one", []), (PASSWORD, ["INVALID_CREDENTIALS"])):
        answer = (await api(LOGIN, input={"email": "ada@example.test", "password": password})).payload()
        assert [error["code"] for error in answer["errors"]] == expected
    async with database.read() as connection:
        alive = select(func.count()).select_from(Session).where(Session.revoked_at.is_(None))
        assert (await connection.execute(alive)).scalar_one() == 1


async def test_the_running_period_is_the_running_one(api: Api) -> None:
    account = await sign_up(api)
    api.clock.forward(days=45)
    async with api.deps.database.transaction() as connection:
        await connection.execute(update(Session).values(expires_at=api.clock() + timedelta(days=1)))
    session = await refresh(api, account.refresh_token)
    document = "{ viewer { subscription { currentPeriodStart currentPeriodEnd } usage { periodStart } } }"
    seen = (await api.as_(session["accessToken"])(document)).payload()
    assert seen == {
        "subscription": {
            "currentPeriodStart": "2026-12-22T12:00:00.000Z",
            "currentPeriodEnd": "2027-01-22T12:00:00.000Z",
        },
        "usage": {"periodStart": "2026-12-22T12:00:00.000Z"},
    }


async def test_a_catalogue_authors_name_is_not_to_be_had(api: Api, database: Database) -> None:
    await make_author(database, username="northbeam")
    given = {"email": "ada@example.test", "username": "NorthBeam", "password": PASSWORD}
    refused = (await api(REGISTER, input=given)).payload()
    assert [(error["code"], error["path"]) for error in refused["errors"]] == [
        ("CONFLICT", ["input", "username"])
    ]
    assert await count(database, User) == 0
