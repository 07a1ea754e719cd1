"""How mail leaves the server: by SMTP, or, while developing, into the log and a folder."""

import asyncio
import socket
from datetime import UTC, datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from pathlib import Path

import aiosmtplib
import structlog

from app.ports import MailError, Message

IMPLICIT_TLS_PORT = 465
TIMEOUT_SECONDS = 15
LONGEST_LINE = 998

log = structlog.get_logger(__name__)


class SmtpMailer:
    """``starttls`` demands TLS after connecting, and refuses a server without it; port 465 is all TLS."""

    def __init__(
        self,
        *,
        host: str,
        port: int,
        username: str | None = None,
        password: str | None = None,
        starttls: bool = True,
        sender: str,
        timeout: float = TIMEOUT_SECONDS,
    ) -> None:
        self._host, self._port = host, port
        self._username, self._password = username, password
        self._use_tls = port == IMPLICIT_TLS_PORT
        self._starttls = starttls and not self._use_tls
        self._sender = sender
        self._timeout = timeout
        self._own_name = socket.gethostname()  # the library would ask DNS for it, and hold the event loop

    async def send(self, message: Message) -> None:
        email = as_email(message, sender=self._sender)
        try:
            async with asyncio.timeout(self._timeout):
                await aiosmtplib.send(
                    email,
                    hostname=self._host,
                    port=self._port,
                    username=self._username,
                    password=self._password,
                    use_tls=self._use_tls,
                    start_tls=self._starttls,
                    local_hostname=self._own_name,
                    timeout=self._timeout,
                )
        except (aiosmtplib.SMTPException, OSError, TimeoutError, ValueError) as error:
            raise MailError(f"{self._host}:{self._port}: {type(error).__name__}: {error}") from error


class DevelopmentMailer:
    """Sends nothing: prints the mail to the log and keeps it in ``folder``, in mail programs' format.

    ``discreet`` keeps its text, which may carry a link that opens an account, out of the log.
    """

    def __init__(self, folder: Path, *, sender: str, discreet: bool = False) -> None:
        self._folder = folder
        self._sender = sender
        self._discreet = discreet

    async def send(self, message: Message) -> None:
        email = as_email(message, sender=self._sender)
        path = self._folder / f"{message.key}.eml"
        try:
            await asyncio.to_thread(_keep, path, email)
        except OSError as error:
            raise MailError(f"{path}: {error}") from error
        shown = {} if self._discreet else {"text": message.text}
        log.info("mail", to=message.to, subject=message.subject, file=str(path), **shown)


def _keep(path: Path, email: EmailMessage) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(email.as_bytes(policy=SMTP))


def as_email(message: Message, *, sender: str) -> EmailMessage:
    """The mail as it is sent; a line break in what becomes a header is refused. Raises MailError."""
    name, address = parseaddr(sender)
    email = EmailMessage(policy=SMTP)
    try:
        email["From"] = Address(display_name=name, addr_spec=address)
        email["To"] = Address(addr_spec=message.to)
        email["Subject"] = message.subject
        email["Date"] = format_datetime(datetime.now(UTC))
        email["Message-ID"] = f"<{message.key}@{address.partition('@')[2]}>"
        email["Auto-Submitted"] = "auto-generated"
    except (ValueError, MessageError, IndexError) as error:
        raise MailError(f"This mail cannot be written: {error}") from error
    _fill(email, message)
    return email


def _fill(email: EmailMessage, message: Message) -> None:
    """Text first, HTML after it: programs show the last form that they understand (RFC 2046, 5.1.4)."""
    email.set_content(message.text, cte=_encoding(message.text))
    if message.html is not None:
        email.add_alternative(message.html, subtype="html", cte="quoted-printable")
    for attachment in message.attachments:
        kind, _, subtype = attachment.media_type.partition("/")
        email.add_attachment(attachment.content, maintype=kind, subtype=subtype, filename=attachment.filename)


def _encoding(text: str) -> str:
    """As it is where that is allowed (RFC 5321, 4.5.3.1.6): links stay whole for who reads the file."""
    plain = text.isascii() and all(len(line) <= LONGEST_LINE for line in text.split("\n"))
    return "7bit" if plain else "quoted-printable"
