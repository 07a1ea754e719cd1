"""Password hashes: argon2id at OWASP's floor (19 MiB, t=2, p=1); bcrypt is read, and replaced at sign-in.

The hash functions release the GIL, so threads really run beside the event loop; as many at once as there are
CPUs, because each takes 19 MiB and more threads would only share the same cores.
"""

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar
from unicodedata import normalize

from passlib.context import CryptContext

T = TypeVar("T")
LONGEST = 256
"""Characters that are read at all: no password is longer, and a normal form takes its time."""

COST = {"argon2__memory_cost": 19_456, "argon2__time_cost": 2, "argon2__parallelism": 1}
_CONTEXT = CryptContext(
    schemes=["argon2", "bcrypt"],
    deprecated=["bcrypt"],
    argon2__type="ID",
    **COST,
)


class SlowHashes:
    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(max_workers=os.cpu_count() or 1, thread_name_prefix="passwords")
        self._dummy: str = _CONTEXT.hash("nobody has this password")

    async def hash(self, password: str) -> str:
        return await self._run(_CONTEXT.hash, password)

    async def verify(self, password: str, hashed: str | None) -> tuple[bool, str | None]:
        """Unknown accounts meet a dummy, so that they take the same time (OWASP, Authentication)."""
        right, better = await self._run(_verify, password, hashed or self._dummy)
        return (right, better) if hashed else (False, None)

    async def _run(self, function: Callable[..., T], *arguments: str) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, function, *arguments)

    def close(self) -> None:
        self._threads.shutdown(wait=False)


def _verify(password: str, hashed: str) -> tuple[bool, str | None]:
    password = normalize("NFC", password[:LONGEST])  # as it was hashed, however this keyboard composes it
    if "\0" in password:  # no hash takes it: spend the time, and it is wrong
        _verify(password.replace("\0", ""), hashed)
        return False, None
    if hashed.startswith("$2"):
        # bcrypt reads 72 bytes; older programs cut silently where today's library raises
        right = bool(_CONTEXT.verify(password.encode()[:72], hashed))
        return right, str(_CONTEXT.hash(password)) if right else None
    right, better = _CONTEXT.verify_and_update(password, hashed)
    return bool(right), better
