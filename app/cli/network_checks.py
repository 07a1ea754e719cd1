"""Do the services that the settings name answer: storage, Redis, the mail server?"""

import asyncio
import smtplib
from urllib.parse import urlsplit

from app.bootstrap import Settings
from app.cli.findings import Finding, fail, ok
from app.context import Deps
from app.gateways.redaction import without_secrets
from app.ports import StorageError

SECONDS = 5


async def all_of(settings: Settings, deps: Deps) -> list[Finding]:
    checks = [_storage(settings, deps)]
    if settings.redis_url:
        checks.append(_redis(settings.redis_url))
    if settings.smtp_host:
        checks.append(asyncio.to_thread(_smtp, settings))
    return list(await asyncio.gather(*checks))


async def _storage(settings: Settings, deps: Deps) -> Finding:
    place = without_secrets(settings.storage_url.partition("?")[0])
    try:
        async with asyncio.timeout(SECONDS):
            await deps.store.check()
    except (StorageError, TimeoutError) as error:
        said = str(error) or f"no answer within {SECONDS} seconds"
        return fail(
            "storage", f"{place} cannot be written: {said}", "Look at STORAGE_URL, rights and free space."
        )
    return ok("storage", f"{place} is writable")


async def _redis(url: str) -> Finding:
    from redis.asyncio import Redis
    from redis.exceptions import RedisError

    place, advice = (
        urlsplit(url).hostname,
        "Look at REDIS_URL; without Redis each process limits rates alone.",
    )
    try:
        async with asyncio.timeout(SECONDS), Redis.from_url(url) as client:
            await client.get("revgraph")
    except (RedisError, OSError, TimeoutError, ValueError) as error:
        return fail("redis", f"{place} does not answer: {without_secrets(str(error))}", advice)
    return ok("redis", f"{place} answers")


def _smtp(settings: Settings) -> Finding:
    """Greets, goes over to TLS and signs in as the server does; sends nothing."""
    place = f"{settings.smtp_host}:{settings.smtp_port}"
    try:
        kind = smtplib.SMTP_SSL if settings.smtp_port == smtplib.SMTP_SSL_PORT else smtplib.SMTP
        with kind(settings.smtp_host, settings.smtp_port, timeout=SECONDS) as connection:
            if settings.smtp_starttls and kind is smtplib.SMTP:
                connection.starttls()
            if settings.smtp_username:
                connection.login(settings.smtp_username, settings.smtp_password.get_secret_value())
    except (smtplib.SMTPException, OSError) as error:
        advice = "Look at the SMTP_ settings; mail waits in the outbox meanwhile."
        return fail("smtp", f"{place}: {type(error).__name__}: {without_secrets(str(error))}", advice)
    return ok("smtp", f"{place} answers")
