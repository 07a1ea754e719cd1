"""Who is who: when are two e-mail addresses or usernames the same, and which password may guard them?"""

import re
from typing import NamedTuple

from email_validator import EmailNotValidError, validate_email

from app.domain.common_passwords import is_common
from app.domain.errors import InvalidInput
from app.domain.unicode_text import normalise

EMAIL_LIMIT = 254
"""RFC 5321, 4.5.3.1.3: a path of 256 octets with its angle brackets."""
PASSWORD_MINIMUM, PRODUCTION_MINIMUM, PASSWORD_LIMIT = 8, 12, 128

RESERVED = frozenset(
    [
        "about",
        "admin",
        "administrator",
        "anonymous",
        "api",
        "billing",
        "deleted",
        "graphql",
        "help",
        "me",
        "null",
        "official",
        "owner",
        "postmaster",
        "revgraph",
        "root",
        "security",
        "staff",
        "support",
        "system",
        "webmaster",
    ]
)

_USERNAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{2,31}")


class Username(NamedTuple):
    """``display`` as it was chosen; ``key`` is unique among accounts."""

    display: str
    key: str


def normalise_email(text: str, *, field: str = "email") -> str:
    """The one spelling of an address: ASCII, lower case, at most 254 characters; InvalidInput for others.

    The domain is written as DNS has it (IDNA 'xn--'), and the part before the @ must be ASCII: every mail
    server takes such an address, and all databases compare it alike. Case is dropped before the @ too, where
    RFC 5321 lets it matter, because no provider in use does. Nobody is asked whether it delivers.
    """
    text = normalise(text.strip(" "), field=field)
    if len(text) > EMAIL_LIMIT:
        raise InvalidInput(field, f"An e-mail address has at most {EMAIL_LIMIT} characters.")
    try:
        # test_environment: names under .test, reserved by RFC 2606, are what demonstrations and tests use.
        parts = validate_email(
            text, strict=True, allow_smtputf8=False, check_deliverability=False, test_environment=True
        )
    except EmailNotValidError as error:
        raise InvalidInput(field, f"This is no e-mail address we can write to. {error}") from error
    if "." not in parts.ascii_domain:
        raise InvalidInput(field, "The part after the @ needs a dot, as in name@example.com.")
    return f"{parts.local_part}@{parts.ascii_domain}".lower()


def username(text: str, *, field: str = "username") -> Username:
    """3 to 32 of A-Z a-z 0-9 _ - beginning with a letter or digit; ASCII only, because others look alike."""
    if not _USERNAME.fullmatch(text):
        raise InvalidInput(
            field, "Use 3 to 32 letters A-Z, digits, '_' and '-', beginning with a letter or digit."
        )
    key = text.casefold()
    if key in RESERVED or key.startswith(("deleted-", "deleted_")):
        raise InvalidInput(field, "This name is reserved: choose another one.")
    return Username(display=text, key=key)


def check_password(
    text: str,
    *,
    production: bool,
    email: str | None = None,
    username: str | None = None,
    field: str = "password",
) -> str:
    """The password as it is to be hashed; InvalidInput for what OWASP ASVS 5.0, 6.2 refuses.

    8 to 128 characters, in production 12 or more, counted after NFC. Not NFKC, which NIST SP 800-63B allows
    as well: it makes different characters equal, and a password should lose nothing. In production it is none
    of the common ones and neither the address nor the username, without regard to case.
    """
    password = normalise(text, field=field)
    least = PRODUCTION_MINIMUM if production else PASSWORD_MINIMUM
    if not least <= len(password) <= PASSWORD_LIMIT:
        raise InvalidInput(field, f"A password has {least} to {PASSWORD_LIMIT} characters.")
    if production:
        _refuse_guessable(password, names=(email, email and email.partition("@")[0], username), field=field)
    return password


def _refuse_guessable(password: str, *, names: tuple[str | None, ...], field: str) -> None:
    if password.casefold() in {name.casefold() for name in names if name}:
        raise InvalidInput(field, "The password must not be your e-mail address or username.")
    if is_common(password):
        raise InvalidInput(field, "This password is among the first that are guessed: choose another one.")
