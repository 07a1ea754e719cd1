"""Is this machine, and are these settings, fit for the server?"""

import platform
import sys
from datetime import UTC, datetime
from pathlib import Path
from tempfile import NamedTemporaryFile

from app.bootstrap import Settings
from app.cli.findings import Finding, fail, ok, warn

SUPPORTED = ((3, 11), (3, 12), (3, 13))
BUILT = datetime(2026, 11, 1, tzinfo=UTC)
"""No clock that is right shows less than the time at which this was written."""


def python() -> Finding:
    found = platform.python_version()
    if sys.version_info[:2] in SUPPORTED:
        return ok("python", found)
    return fail(
        "python", f"{found} is not supported", "Use Python 3.11, 3.12 or 3.13: PYTHON=python3.12 make setup."
    )


def env_file() -> Finding:
    path = Path(".env")
    if not path.exists():
        return ok("env file", "none here: settings come from the environment and defaults")
    try:
        path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        return fail("env file", f"{path.absolute()} cannot be read: {error}", "Make it readable UTF-8 text.")
    return ok("env file", str(path.absolute()))


def all_of(settings: Settings) -> list[Finding]:
    return [*_secrets(settings), _var_dir(settings.var_dir), _mail(settings), _payments(settings), _clock()]


def _secrets(settings: Settings) -> list[Finding]:
    """Their lengths were checked when the settings were read; here is which are set."""
    found = [ok("jwt secret", f"{len(settings.jwt_secret.get_secret_value().encode())} bytes")]
    for name, value, without in (
        ("api key pepper", settings.api_key_pepper, "changing JWT_SECRET ends every API key"),
        (
            "licence signing key",
            settings.licence_signing_key,
            "changing JWT_SECRET changes the key of licences",
        ),
    ):
        if value.get_secret_value():
            found.append(ok(name, f"{len(value.get_secret_value().encode())} bytes"))
        elif settings.production:
            setting = name.replace(" ", "_").upper()
            found.append(
                warn(
                    name,
                    f"derived from JWT_SECRET: {without}",
                    f"Set {setting} before the first key or licence.",
                )
            )
        else:
            found.append(ok(name, "derived from JWT_SECRET"))
    if settings.production and not settings.base_url.startswith("https://"):
        found.append(
            warn("base url", f"{settings.base_url} is not https", "Set BASE_URL to the public address.")
        )
    return found


def _var_dir(folder: Path) -> Finding:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=folder):
            return ok("var dir", f"{folder.absolute()} is writable")
    except OSError as error:
        return fail(
            "var dir",
            f"{folder.absolute()} cannot be written: {error.strerror}",
            "Set VAR_DIR, or its owner.",
        )


def _mail(settings: Settings) -> Finding:
    if settings.smtp_host:
        return ok("mail", f"through {settings.smtp_host}:{settings.smtp_port}")
    if settings.production:
        return warn("mail", f"is only kept in {settings.var_dir}/mail", "Set SMTP_HOST, or nobody gets any.")
    return ok("mail", f"printed to the log and kept in {settings.var_dir}/mail")


def _payments(settings: Settings) -> Finding:
    key = settings.stripe_api_key.get_secret_value()
    if not key:
        return ok("payments", "off: what costs money says so; set STRIPE_API_KEY to take any")
    place = settings.stripe_api_base or "Stripe"
    if not settings.stripe_webhook_secret:
        advice = "Set STRIPE_WEBHOOK_SECRET, or their outcome is heard late."
        return warn("payments", f"through {place}, without webhooks", advice)
    if settings.production and "_live_" not in key:
        return warn("payments", f"through {place} with a test key", "Set a live key, or no money moves.")
    return ok("payments", f"through {place} with a {'live' if '_live_' in key else 'test'} key")


def _clock() -> Finding:
    now = datetime.now(UTC)
    shown = now.strftime("%Y-%m-%d %H:%M:%S UTC")
    if now < BUILT:
        return fail("clock", f"{shown} is in the past", "Set the clock: tokens and periods depend on it.")
    return ok("clock", shown)
