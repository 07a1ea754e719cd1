"""What did the program really send by mail? A real SMTP server that keeps every message."""

import time
from email import message_from_bytes, policy
from email.message import EmailMessage

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.support.servers.shared import free_port


class SmtpServer:
    """Listens while started. Messages are refused with `refusal` where it is set ("451 try later")."""

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []
        self.logins: list[tuple[str, str]] = []
        self.refusal = ""
        self._controller = Controller(
            self,
            hostname="127.0.0.1",
            port=free_port(),
            authenticator=self._authenticate,
            auth_require_tls=False,
        )

    @property
    def host(self) -> str:
        return "127.0.0.1"

    @property
    def port(self) -> int:
        port: int = self._controller.port
        return port

    def start(self) -> None:
        self._controller.start()

    def stop(self) -> None:
        self._controller.stop()

    def clear(self) -> None:
        self.messages.clear()
        self.logins.clear()
        self.refusal = ""

    def to(self, address: str) -> list[EmailMessage]:
        """The messages to this address, oldest first."""
        return [message for message in self.messages if address in message["X-Envelope-To"].split(", ")]

    def wait_for(self, address: str, *, count: int = 1, seconds: float = 10) -> list[EmailMessage]:
        """Messages are sent by a worker, a moment after the answer to the client."""
        end = time.monotonic() + seconds
        while len(self.to(address)) < count:
            if time.monotonic() > end:
                raise AssertionError(
                    f"{len(self.to(address))} of {count} messages to {address} within {seconds} s"
                )
            time.sleep(0.02)
        return self.to(address)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        if self.refusal:
            return self.refusal
        message = message_from_bytes(envelope.original_content or b"", policy=policy.default)
        message["X-Envelope-From"] = envelope.mail_from or ""
        message["X-Envelope-To"] = ", ".join(envelope.rcpt_tos)
        assert isinstance(message, EmailMessage)
        self.messages.append(message)
        return "250 kept"

    def _authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object
    ) -> AuthResult:
        if isinstance(data, LoginPassword):
            self.logins.append((data.login.decode(), data.password.decode()))
        return AuthResult(success=True)
