"""The outside world as the worker's tests see it: mail that is kept, a clock that tests move."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from importlib import resources
from typing import Any, cast

from app.context import Deps
from app.db.database import Database
from app.domain.plans import load_plans
from app.gateways.keyring import Keyring
from app.gateways.last_used import LastUsedBuffer
from app.gateways.papers import TypstPrinter
from app.gateways.tokens import KeyedTokens
from app.ports import MailError, Message
from tests.support.factories import NOW


@dataclass
class KeptMail:
    """Fails as often as ``failures`` says, then keeps."""

    failures: int = 0
    messages: list[Message] = field(default_factory=list)

    async def send(self, message: Message) -> None:
        if self.failures:
            self.failures -= 1
            raise MailError("mail.example: refused")
        self.messages.append(message)


@dataclass
class Clock:
    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **by: float) -> None:
        self.now += timedelta(**by)


def deps_of(database: Any, *, clock: Clock | None = None, mailer: KeptMail | None = None) -> Deps:
    """What handlers and chores use; the rest is absent."""
    absent = cast(Any, None)
    return Deps(
        database=cast(Database, database),
        calls=absent,
        tokens=KeyedTokens(Keyring(["a secret of the tests, of 32 bytes or more"])),
        passwords=absent,
        limiter=absent,
        mailer=mailer or KeptMail(),
        store=absent,
        signer=absent,
        printer=TypstPrinter(),
        plans=load_plans(resources.files("app.domain").joinpath("plans.toml").read_text()),
        commission=absent,
        last_used=LastUsedBuffer(),
        clock=clock or Clock(),
        base_url="https://shop.test",
        production=False,
        max_upload_bytes=1,
    )
