"""Settings -> Deps: which gateway stands behind which port. The one reader of settings."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from importlib import resources

from app.config import ConfigurationError, Settings, load_settings
from app.context import Deps
from app.db.database import Database
from app.domain.commission import Terms, load_terms, merge_terms
from app.domain.errors import InvalidInput
from app.domain.plans import Plan, Tier, load_plans, merge_plans
from app.domain.seller import Seller
from app.gateways.block_journal import FileJournal
from app.gateways.keyring import Keyring
from app.gateways.last_used import LastUsedBuffer
from app.gateways.licences import Ed25519Signer
from app.gateways.mail import DevelopmentMailer, SmtpMailer
from app.gateways.papers import TypstPrinter
from app.gateways.passwords import SlowHashes
from app.gateways.rate_limits import RateLimits
from app.gateways.storage import open_store
from app.gateways.stripe import StripeGateway
from app.gateways.tokens import KeyedTokens
from app.ports import Mailer
from app.services.calls import Calls

__all__ = ["ConfigurationError", "Settings", "build_deps", "close_deps", "load_settings"]


def build_deps(settings: Settings) -> Deps:
    """Connects to nothing yet: that is done when it is first needed. Raises ConfigurationError."""
    masters = [settings.jwt_secret, *settings.jwt_previous_secrets]
    keyring = Keyring([secret.get_secret_value() for secret in masters])
    try:
        database = Database(settings.database_url, pool_size=settings.database_pool_size)
        return Deps(
            database=database,
            calls=Calls(database, _journal(settings, database)),
            tokens=KeyedTokens(keyring, pepper=settings.api_key_pepper.get_secret_value() or None),
            passwords=SlowHashes(),
            limiter=_rate_limits(settings),
            mailer=_mailer(settings),
            store=open_store(settings.storage_url),
            signer=_signer(settings, keyring),
            printer=TypstPrinter(),
            last_used=LastUsedBuffer(),
            plans=_plans(settings),
            commission=_commission(settings),
            clock=lambda: datetime.now(UTC),
            base_url=settings.base_url,
            production=settings.production,
            max_upload_bytes=settings.max_upload_bytes,
            provider=_provider(settings),
            webhook_secrets=tuple(secret.get_secret_value() for secret in settings.stripe_webhook_secret),
            lease=timedelta(seconds=settings.worker_lease_seconds),
            seller=_seller(settings),
        )
    except ValueError as error:
        raise ConfigurationError([str(error)]) from None


def _journal(settings: Settings, database: Database) -> FileJournal:
    """Of this database: the folder may have served another one before."""
    name = database.url.render_as_string(hide_password=True)
    return FileJournal(settings.var_dir / "call-blocks", database=name)


def _rate_limits(settings: Settings) -> RateLimits:
    rates = {"sign_in": settings.rate_limit_sign_in, "requests": settings.rate_limit_requests}
    try:
        limits = RateLimits(rates)
    except ValueError as error:
        raise ConfigurationError(
            [f"RATE_LIMIT_SIGN_IN, RATE_LIMIT_REQUESTS: {error}: write 30/minute."]
        ) from None
    try:
        return RateLimits(rates, redis_url=settings.redis_url) if settings.redis_url else limits
    except ValueError as error:
        raise ConfigurationError([f"REDIS_URL: {error}."]) from None


def _provider(settings: Settings) -> StripeGateway | None:
    key = settings.stripe_api_key.get_secret_value()
    return StripeGateway(key, api_base=settings.stripe_api_base) if key else None


def _seller(settings: Settings) -> Seller:
    lines = (line.strip() for line in settings.seller_address.split("|"))
    return Seller(
        name=settings.seller_name,
        address=tuple(line for line in lines if line),
        tax_id=settings.seller_tax_id or None,
        email=settings.seller_email or None,
        note=settings.seller_note or None,
    )


def _mailer(settings: Settings) -> Mailer:
    if not settings.smtp_host:
        return DevelopmentMailer(
            settings.var_dir / "mail", sender=settings.mail_from, discreet=settings.production
        )
    return SmtpMailer(
        host=settings.smtp_host,
        port=settings.smtp_port,
        username=settings.smtp_username or None,
        password=settings.smtp_password.get_secret_value() or None,
        starttls=settings.smtp_starttls,
        sender=settings.mail_from,
    )


def _signer(settings: Settings, keyring: Keyring) -> Ed25519Signer:
    given = settings.licence_signing_key.get_secret_value()
    current, *retired = keyring.keys("licence")
    if given:
        current, retired = sha256(given.encode()).digest(), [current, *retired]
    return Ed25519Signer(current, retired=retired)


def _plans(settings: Settings) -> Mapping[Tier, Plan]:
    defaults = load_plans(resources.files("app.domain").joinpath("plans.toml").read_text())
    if settings.plans_file is None:
        return defaults
    try:
        return merge_plans(defaults, settings.plans_file.read_text())
    except (OSError, UnicodeDecodeError, InvalidInput) as error:
        raise ConfigurationError([f"PLANS_FILE: {error}"]) from None


def _commission(settings: Settings) -> Terms:
    defaults = resources.files("app.domain").joinpath("commission.toml").read_text()
    if settings.commission_file is None:
        return load_terms(defaults)
    try:
        return merge_terms(defaults, settings.commission_file.read_text())
    except (OSError, UnicodeDecodeError, InvalidInput) as error:
        raise ConfigurationError([f"COMMISSION_FILE: {error}"]) from None


async def close_deps(deps: Deps) -> None:
    deps.passwords.close()
    await deps.limiter.close()
    if deps.provider is not None:
        await deps.provider.close()
    await deps.database.close()
