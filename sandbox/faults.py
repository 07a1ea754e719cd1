"""Which requests shall fail, how, and how often?"""

from dataclasses import dataclass, fields
from fnmatch import fnmatchcase
from typing import Any

from sandbox.errors import refused

KINDS = ("error", "drop", "rate_limit", "delay")


@dataclass
class Fault:
    """A wish for trouble.

    kind    error: answer `status` (500); drop: close the connection without an answer;
            rate_limit: 429, never executed; delay: wait `seconds`, then go on
    when    before: nothing was executed; after: it was, but the answer is lost
    stored  an idempotency key remembers the error as its answer (as Stripe's own 500s), not the lost one
    """

    id: int
    kind: str
    when: str = "before"
    method: str = "*"
    path: str = "*"
    times: int = 1
    skip: int = 0
    status: int = 500
    seconds: float = 0.0
    stored: bool = False

    def matches(self, method: str, path: str) -> bool:
        return self.times > 0 and fnmatchcase(method, self.method) and fnmatchcase(path, self.path)


WISHES: dict[str, Any] = {entry.name: entry.type for entry in fields(Fault) if entry.name != "id"}


class Faults:
    """The wishes that are left, oldest first. Each request meets at most one of a kind."""

    def __init__(self) -> None:
        self.rows: list[Fault] = []
        self._count = 0

    def add(self, given: dict[str, Any]) -> Fault:
        fault = Fault(**{"id": self._count + 1, "kind": "", **given})
        if fault.kind not in KINDS or fault.when not in ("before", "after"):
            raise refused(f"kind is one of {', '.join(KINDS)}; when is before or after")
        if fault.kind == "rate_limit" and fault.when == "after":
            raise refused("Too many requests are refused before anything was executed.", param="when")
        if (
            fault.times < 1
            or fault.skip < 0
            or not 400 <= fault.status <= 599
            or not 0 <= fault.seconds <= 600
        ):
            raise refused("times is above 0, skip not below; status from 400 to 599; seconds from 0 to 600")
        self._count += 1
        self.rows.append(fault)
        return fault

    def meet(self, method: str, path: str, when: str) -> Fault | None:
        for fault in self.rows:
            if fault.when == when and fault.matches(method, path):
                if fault.skip:
                    fault.skip -= 1
                    continue
                fault.times -= 1
                self.rows = [row for row in self.rows if row.times > 0]
                return fault
        return None
