"""A token that was found genuine is not checked again: do its times still end it, and is every other one checked?"""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from app.domain.accounts import ACCESS_TOKEN_LIFETIME
from app.domain.errors import InvalidToken
from app.gateways.keyring import Keyring
from app.gateways.tokens import VERIFIED_TOKENS, KeyedTokens

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


def tokens(secret: str = "a" * 32) -> KeyedTokens:
    return KeyedTokens(Keyring([secret]))


def test_a_known_token_ends_at_its_time_and_begins_at_it() -> None:
    ours, user_id, session_id = tokens(), uuid4(), uuid4()
    token = ours.issue_access(user_id=user_id, session_id=session_id, now=NOW)
    for _ in range(2):
        claims = ours.read_access(token, now=NOW)
        assert (claims.user_id, claims.session_id) == (user_id, session_id)
        assert claims.expires_at == NOW + ACCESS_TOKEN_LIFETIME
        with pytest.raises(InvalidToken, match="has expired"):
            ours.read_access(token, now=NOW + ACCESS_TOKEN_LIFETIME)
        with pytest.raises(InvalidToken, match="not valid yet"):
            ours.read_access(token, now=NOW - timedelta(seconds=31))


def test_what_resembles_a_known_token_is_another_one() -> None:
    ours = tokens()
    token = ours.issue_access(user_id=uuid4(), session_id=uuid4(), now=NOW)
    ours.read_access(token, now=NOW)
    head, body, signature = token.split(".")
    other = ours.issue_access(user_id=uuid4(), session_id=uuid4(), now=NOW).split(".")
    for forged in (
        f"{head}.{other[1]}.{signature}",
        f"{head}.{body}.{other[2]}",
        f"{head}.{body}.",
        token[:-1],
        tokens("b" * 32).issue_access(user_id=uuid4(), session_id=uuid4(), now=NOW),
        "",
    ):
        for _ in range(2):
            with pytest.raises(InvalidToken, match="not one of ours"):
                ours.read_access(forged, now=NOW)


def test_only_so_many_are_remembered() -> None:
    ours = tokens()
    for _ in range(VERIFIED_TOKENS + 10):
        ours.read_access(ours.issue_access(user_id=uuid4(), session_id=uuid4(), now=NOW), now=NOW)
    assert ours._verified.cache_info().currsize == VERIFIED_TOKENS
