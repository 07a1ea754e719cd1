"""Which settings there are: typed, read from the environment and ``.env``, checked before anything starts."""

import secrets
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

MIN_SECRET_BYTES = 32


class Environment(StrEnum):
    DEVELOPMENT = "development"
    PRODUCTION = "production"


class ConfigurationError(Exception):
    """Settings with which the server must not start; one sentence a problem, each names its setting."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class Settings(BaseSettings):
    """The settings as they stand in ``.env.example``, in its order."""

    model_config = SettingsConfigDict(env_file=".env", env_ignore_empty=True, extra="ignore")

    environment: Environment = Environment.DEVELOPMENT
    api_host: str = "127.0.0.1"
    api_port: int = Field(default=3000, ge=0, le=65535)
    base_url: str = ""
    forwarded_allow_ips: str = "127.0.0.1"
    cors_origins: Annotated[list[str], NoDecode] = []
    var_dir: Path = Path("var")

    jwt_secret: SecretStr = SecretStr("")
    jwt_previous_secrets: Annotated[list[SecretStr], NoDecode] = []
    api_key_pepper: SecretStr = SecretStr("")
    licence_signing_key: SecretStr = SecretStr("")

    database_url: str = ""
    database_pool_size: int = Field(default=10, ge=1, le=200)
    redis_url: str = ""
    storage_url: str = ""
    max_upload_bytes: int = Field(default=500_000_000, ge=1)
    plans_file: Path | None = None
    commission_file: Path | None = None

    stripe_api_key: SecretStr = SecretStr("")
    stripe_webhook_secret: Annotated[list[SecretStr], NoDecode] = []
    stripe_api_base: str = ""

    smtp_host: str = ""
    smtp_port: int = Field(default=587, ge=1, le=65535)
    smtp_username: str = ""
    smtp_password: SecretStr = SecretStr("")
    smtp_starttls: bool = True
    mail_from: str = "revgraph <no-reply@revgraph.example>"

    worker_lease_seconds: int = Field(default=60, ge=1, le=3600)

    seller_name: str = "revgraph"
    seller_address: str = ""
    seller_tax_id: str = ""
    seller_email: str = ""
    seller_note: str = ""

    graphql_introspection: bool | None = None
    rate_limit_sign_in: str = "30/minute"
    rate_limit_requests: str = "6000/minute"
    remember_api_keys_seconds: float = Field(default=0.0, ge=0, le=60, allow_inf_nan=False)
    otel_exporter_otlp_endpoint: str = ""
    log_level: str = Field(default="INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$")

    @field_validator("cors_origins", "jwt_previous_secrets", "stripe_webhook_secret", mode="before")
    @classmethod
    def split_on_commas(cls, value: object) -> object:
        return (
            [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value
        )

    @field_validator("log_level", mode="before")
    @classmethod
    def upper(cls, value: object) -> object:
        return value.upper() if isinstance(value, str) else value

    @model_validator(mode="after")
    def fill_in(self) -> Self:
        host = f"[{self.api_host}]" if ":" in self.api_host else self.api_host
        self.base_url = (self.base_url or f"http://{host}:{self.api_port}").rstrip("/")
        self.database_url = self.database_url or f"sqlite+aiosqlite:///{self.var_dir}/revgraph.db"
        self.storage_url = self.storage_url or f"file://{(self.var_dir / 'storage').absolute()}"
        if self.graphql_introspection is None:
            self.graphql_introspection = not self.production
        return self

    @property
    def production(self) -> bool:
        return self.environment is Environment.PRODUCTION


def load_settings() -> Settings:
    """The checked settings. Raises ConfigurationError with every problem at once."""
    try:
        settings = Settings()
    except ValidationError as error:
        raise ConfigurationError([_sentence(problem) for problem in error.errors()]) from None
    except UnicodeDecodeError as error:
        raise ConfigurationError([f".env: is not UTF-8 text (byte {error.start})."]) from None
    problems = _problems(settings)
    if problems:
        raise ConfigurationError(problems)
    if not settings.jwt_secret.get_secret_value():
        settings.jwt_secret = SecretStr(_development_secret(settings.var_dir))
    return settings


def _sentence(problem: object) -> str:
    assert isinstance(problem, dict)
    name = str(problem["loc"][0]).upper() if problem["loc"] else "settings"
    return f"{name}: {problem['msg']} (given: {problem.get('input')!r})."


def _problems(settings: Settings) -> list[str]:
    problems = [
        f"{name}: too short ({len(value.encode())} bytes): at least {MIN_SECRET_BYTES} random bytes are "
        f"needed, or tokens and keys can be guessed. Make one with: openssl rand -base64 48"
        for name, value in _secrets(settings)
        if value and len(value.encode()) < MIN_SECRET_BYTES
    ]
    problems += [
        f"{name}: '{value}' is no web address such as https://shop.example: links would lead nowhere."
        for name, value in [
            ("BASE_URL", settings.base_url),
            *(("CORS_ORIGINS", origin) for origin in settings.cors_origins),
        ]
        if not _is_web_address(value)
    ]
    problems += _payment_problems(settings)
    if settings.production and not settings.jwt_secret.get_secret_value():
        problems.append(
            "JWT_SECRET: missing. In production it signs every session and must be the same on all replicas. "
            "Make one with: openssl rand -base64 48"
        )
    return problems


def _payment_problems(settings: Settings) -> list[str]:
    key, base = settings.stripe_api_key.get_secret_value(), settings.stripe_api_base
    problems = [problem for problem in (_of_the_key(key), _of_the_base(settings, key, base)) if problem]
    if not all(each.get_secret_value().startswith("whsec_") for each in settings.stripe_webhook_secret):
        problems.append("STRIPE_WEBHOOK_SECRET: a signing secret of Stripe begins with whsec_.")
    if settings.production and key and not settings.stripe_webhook_secret:
        problems.append(
            "STRIPE_WEBHOOK_SECRET: missing although STRIPE_API_KEY is set: payments would be taken and "
            "their outcome never be heard. Copy it from the webhook endpoint's page."
        )
    return problems


def _of_the_key(key: str) -> str:
    if not key or key.startswith(("sk_", "rk_")):
        return ""
    if key.startswith("pk_"):
        return (
            "STRIPE_API_KEY: this is the publishable key (pk_): the server needs the secret one (sk_ or rk_)."
        )
    return "STRIPE_API_KEY: a secret key of Stripe begins with sk_ or rk_."


def _of_the_base(settings: Settings, key: str, base: str) -> str:
    if not base:
        return ""
    if not _is_web_address(base):
        return f"STRIPE_API_BASE: '{base}' is no web address such as http://127.0.0.1:12111."
    if not key:
        return (
            "STRIPE_API_BASE: set without STRIPE_API_KEY: nothing would be asked there. Set both or neither."
        )
    if not base.startswith("https://") and (settings.production or "_live_" in key):
        return f"STRIPE_API_BASE: '{base}' is not https: in production, and with a live key, it must be."
    return ""


def _is_web_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return False


def _secrets(settings: Settings) -> list[tuple[str, str]]:
    return [
        ("JWT_SECRET", settings.jwt_secret.get_secret_value()),
        *(("JWT_PREVIOUS_SECRETS", secret.get_secret_value()) for secret in settings.jwt_previous_secrets),
        ("API_KEY_PEPPER", settings.api_key_pepper.get_secret_value()),
        ("LICENCE_SIGNING_KEY", settings.licence_signing_key.get_secret_value()),
    ]


def _development_secret(var_dir: Path) -> str:
    """Made once and kept, so that sign-ins survive a restart while developing."""
    path = var_dir / "jwt-secret"
    try:
        if not path.exists():
            _make_secret(path)
        secret = path.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError([f"VAR_DIR: {path} cannot be made or read: {error}."]) from None
    if len(secret.encode()) < MIN_SECRET_BYTES:
        raise ConfigurationError([f"VAR_DIR: {path} is too short: delete it, and a new one is made."])
    return secret


def _make_secret(path: Path) -> None:
    """Appears as a whole: of several processes that start together, the first one's is everybody's."""
    path.parent.mkdir(parents=True, exist_ok=True)
    made = path.with_suffix(f".{secrets.token_hex(8)}")
    made.touch(mode=0o600)
    try:
        made.write_text(secrets.token_urlsafe(48))
        with suppress(FileExistsError):
            path.hardlink_to(made)
    finally:
        made.unlink()
