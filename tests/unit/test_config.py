"""Are settings read, checked and refused as an operator needs it?"""

import os
import stat
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from app.bootstrap import build_deps
from app.config import ConfigurationError, Environment, Settings, load_settings

SECRET = "s" * 32
NAMES = [name.upper() for name in Settings.model_fields]


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a folder of its own, without a setting of whoever runs the tests."""
    monkeypatch.chdir(tmp_path)
    for name in [*NAMES, *map(str.lower, NAMES)]:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def problems_of(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    def refused(**settings: str) -> list[str]:
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        with pytest.raises(ConfigurationError) as refusal:
            load_settings()
        assert str(refusal.value) == "\n".join(refusal.value.problems)
        return refusal.value.problems

    return refused


def test_the_defaults_serve_a_developer_on_sqlite(tmp_path: Path) -> None:
    settings = load_settings()

    assert settings.environment is Environment.DEVELOPMENT
    assert (settings.api_host, settings.api_port) == ("127.0.0.1", 3000)
    assert settings.base_url == "http://127.0.0.1:3000"
    assert settings.database_url == "sqlite+aiosqlite:///var/revgraph.db"
    assert settings.storage_url == f"file://{tmp_path}/var/storage"
    assert settings.graphql_introspection is True
    assert settings.stripe_webhook_secret == []


def test_values_come_from_env_file_and_the_environment_overrules_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text(f"API_PORT=4000\nAPI_HOST=0.0.0.0\nJWT_SECRET={SECRET}\nUNKNOWN=1\n")
    monkeypatch.setenv("API_PORT", "5000")

    settings = load_settings()

    assert (settings.api_host, settings.api_port) == ("0.0.0.0", 5000)
    assert settings.jwt_secret.get_secret_value() == SECRET
    assert not (tmp_path / "var").exists(), "with a secret given, none is made"


def test_an_empty_value_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_PORT", "")
    monkeypatch.setenv("STRIPE_WEBHOOK_SECRET", "")

    settings = load_settings()

    assert settings.api_port == 3000
    assert settings.stripe_webhook_secret == []


def test_an_env_file_that_is_no_text_is_named(tmp_path: Path, problems_of: Callable[..., list[str]]) -> None:
    (tmp_path / ".env").write_bytes(b"API_PORT=\xff\xfe\n")

    assert problems_of() == [".env: is not UTF-8 text (byte 9)."]


def test_several_webhook_secrets_are_told_apart_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRIPE_WEBHOOK_SECRET", "whsec_new, whsec_old ,")

    secrets = [secret.get_secret_value() for secret in load_settings().stripe_webhook_secret]

    assert secrets == ["whsec_new", "whsec_old"]


def test_earlier_secrets_and_origins_are_lists_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JWT_PREVIOUS_SECRETS", f"{SECRET},{'t' * 40}")
    monkeypatch.setenv("CORS_ORIGINS", "https://a.example,https://b.example")

    settings = load_settings()

    assert [each.get_secret_value() for each in settings.jwt_previous_secrets] == [SECRET, "t" * 40]
    assert settings.cors_origins == ["https://a.example", "https://b.example"]


def test_the_level_of_the_log_may_be_written_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOG_LEVEL", "debug")

    assert load_settings().log_level == "DEBUG"


def test_every_wrong_value_is_named_at_once(problems_of: Callable[..., list[str]]) -> None:
    problems = problems_of(
        API_PORT="eighty", ENVIRONMENT="staging", LOG_LEVEL="loud", SMTP_STARTTLS="perhaps"
    )

    assert [problem.split(":")[0] for problem in problems] == [
        "ENVIRONMENT",
        "API_PORT",
        "SMTP_STARTTLS",
        "LOG_LEVEL",
    ]
    assert "given: 'eighty'" in problems[1]


@pytest.mark.parametrize("port", ["-1", "65536", "3000.5", "port"])
def test_a_port_is_a_port(port: str, problems_of: Callable[..., list[str]]) -> None:
    assert [problem.split(":")[0] for problem in problems_of(API_PORT=port)] == ["API_PORT"]


def test_short_secrets_are_all_named_and_never_shown(problems_of: Callable[..., list[str]]) -> None:
    problems = problems_of(
        JWT_SECRET="tooshort",
        JWT_PREVIOUS_SECRETS=f"{SECRET},old",
        API_KEY_PEPPER="p" * 31,
        LICENCE_SIGNING_KEY="l",
    )

    assert [problem.split("(")[0] for problem in problems] == [
        "JWT_SECRET: too short ",
        "JWT_PREVIOUS_SECRETS: too short ",
        "API_KEY_PEPPER: too short ",
        "LICENCE_SIGNING_KEY: too short ",
    ]
    assert "8 bytes" in problems[0]
    assert "tooshort" not in "".join(problems)


def test_a_secret_counts_in_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JWT_SECRET", "ä" * 16)

    assert load_settings().jwt_secret.get_secret_value() == "ä" * 16


def test_production_refuses_to_start_without_a_secret(
    tmp_path: Path, problems_of: Callable[..., list[str]]
) -> None:
    problems = problems_of(ENVIRONMENT="production")

    assert len(problems) == 1
    assert problems[0].startswith("JWT_SECRET: missing. In production it signs every session")
    assert not (tmp_path / "var").exists(), "production makes no secret of its own"


def test_production_refuses_a_short_secret_and_says_why(problems_of: Callable[..., list[str]]) -> None:
    problems = problems_of(ENVIRONMENT="production", JWT_SECRET="x" * 31)

    assert len(problems) == 1
    assert problems[0].startswith("JWT_SECRET: too short (31 bytes): at least 32 random bytes are needed")


def test_production_refuses_payments_whose_outcome_it_would_not_hear(
    problems_of: Callable[..., list[str]],
) -> None:
    problems = problems_of(ENVIRONMENT="production", JWT_SECRET=SECRET, STRIPE_API_KEY="sk_live_x")

    assert [problem.split(":")[0] for problem in problems] == ["STRIPE_WEBHOOK_SECRET"]


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"STRIPE_API_KEY": "pk_live_x"}, "STRIPE_API_KEY: this is the publishable key"),
        ({"STRIPE_API_KEY": "secret"}, "STRIPE_API_KEY: a secret key of Stripe begins with"),
        ({"STRIPE_WEBHOOK_SECRET": "whsec_a,secret"}, "STRIPE_WEBHOOK_SECRET: a signing secret"),
        ({"STRIPE_API_BASE": "http://127.0.0.1:1"}, "STRIPE_API_BASE: set without STRIPE_API_KEY"),
        (
            {"STRIPE_API_KEY": "sk_test_x", "STRIPE_API_BASE": "ftp://x"},
            "STRIPE_API_BASE: 'ftp://x' is no web",
        ),
        (
            {"STRIPE_API_KEY": "sk_live_x", "STRIPE_API_BASE": "http://x"},
            "STRIPE_API_BASE: 'http://x' is not https",
        ),
        (
            {
                "ENVIRONMENT": "production",
                "JWT_SECRET": SECRET,
                "STRIPE_API_KEY": "sk_test_x",
                "STRIPE_WEBHOOK_SECRET": "whsec_x",
                "STRIPE_API_BASE": "http://127.0.0.1:12111",
            },
            "STRIPE_API_BASE: 'http://127.0.0.1:12111' is not https",
        ),
    ],
)
def test_payments_that_could_not_work_or_would_tell_a_secret(
    problems_of: Callable[..., list[str]], settings: dict[str, str], problem: str
) -> None:
    (found,) = problems_of(**settings)
    assert found.startswith(problem)
    assert "secret" not in found.partition(":")[2].replace("secret key", "").replace(
        "signing secret", ""
    ).replace("the secret one", "")


def test_a_stand_in_may_be_spoken_to_while_developing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRIPE_API_KEY", "sk_test_x")
    monkeypatch.setenv("STRIPE_API_BASE", "http://127.0.0.1:12111")
    assert load_settings().stripe_api_base == "http://127.0.0.1:12111"


def test_production_starts_with_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENVIRONMENT", "production")
    monkeypatch.setenv("JWT_SECRET", SECRET)

    settings = load_settings()

    assert settings.production is True
    assert settings.graphql_introspection is False


def test_production_may_allow_introspection(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "ENVIRONMENT": "production",
        "JWT_SECRET": SECRET,
        "GRAPHQL_INTROSPECTION": "true",
    }.items():
        monkeypatch.setenv(name, value)

    assert load_settings().graphql_introspection is True


def test_the_development_secret_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    first = load_settings().jwt_secret.get_secret_value()
    second = load_settings().jwt_secret.get_secret_value()

    kept = tmp_path / "var" / "jwt-secret"
    assert first == second == kept.read_text()
    assert len(first.encode()) >= 32
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert [path.name for path in kept.parent.iterdir()] == ["jwt-secret"]


def test_processes_that_start_together_share_one_secret(tmp_path: Path) -> None:
    with ProcessPoolExecutor(4) as processes:
        secrets = list(processes.map(_secret_made_in, [str(tmp_path)] * 16))

    assert len(set(secrets)) == 1


def _secret_made_in(folder: str) -> str:
    os.chdir(folder)
    return load_settings().jwt_secret.get_secret_value()


def test_a_spoilt_development_secret_is_not_used(
    tmp_path: Path, problems_of: Callable[..., list[str]]
) -> None:
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "jwt-secret").write_text("")

    assert problems_of() == ["VAR_DIR: var/jwt-secret is too short: delete it, and a new one is made."]


def test_a_folder_that_cannot_be_written_is_named(
    tmp_path: Path, problems_of: Callable[..., list[str]]
) -> None:
    (tmp_path / "file").write_text("")

    (problem,) = problems_of(VAR_DIR="file/var")

    assert problem.startswith("VAR_DIR: file/var/jwt-secret cannot be made or read: ")


def test_secrets_are_not_shown_by_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JWT_SECRET", SECRET)

    assert SECRET not in repr(load_settings())


@pytest.mark.parametrize(
    ("name", "value"),
    [("BASE_URL", "nonsense"), ("BASE_URL", "ftp://a.test"), ("CORS_ORIGINS", "https://a.test,x")],
)
def test_addresses_must_be_web_addresses(
    problems_of: Callable[..., list[str]], name: str, value: str
) -> None:
    (problem,) = problems_of(**{name: value})
    assert problem.startswith(f"{name}: '{value.rsplit(',', maxsplit=1)[-1]}' is no web address")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("REDIS_URL", "foo"),
        ("RATE_LIMIT_REQUESTS", "abc"),
        ("PLANS_FILE", "missing.toml"),
        ("COMMISSION_FILE", "missing.toml"),
    ],
)
def test_what_a_gateway_refuses_names_the_setting(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError) as refusal:
        build_deps(load_settings())
    assert name in refusal.value.problems[0]


def test_an_ipv6_host_makes_an_address_that_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_HOST", "::1")
    assert load_settings().base_url == "http://[::1]:3000"
