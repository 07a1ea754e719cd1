"""What do the rounds say? Medians, and ratios of what was measured in the same round."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import median

from bench.rounds import Sample

Place = tuple[str, str, int]
"""Server, operation, connections."""


@dataclass(frozen=True)
class Spread:
    middle: float
    lowest: float
    highest: float

    @classmethod
    def of(cls, values: Iterable[float]) -> "Spread":
        kept = sorted(values)
        return cls(median(kept), kept[0], kept[-1])


class Figures:
    """Samples by place, in the order of the rounds."""

    def __init__(self, samples: Iterable[Sample]) -> None:
        self._by_place: Mapping[Place, list[Sample]] = defaultdict(list)
        self.samples = list(samples)
        for each in self.samples:
            self._by_place[each.server, each.operation, each.connections].append(each)

    def servers(self) -> list[str]:
        return list(dict.fromkeys(each.server for each in self.samples))

    def operations(self) -> list[str]:
        return list(dict.fromkeys(each.operation for each in self.samples))

    def concurrency(self) -> list[int]:
        return sorted({each.connections for each in self.samples})

    def at(self, server: str, operation: str, connections: int) -> list[Sample]:
        return self._by_place.get((server, operation, connections), [])

    def rate(self, server: str, operation: str, connections: int) -> Spread | None:
        return self._spread(each.outcome.rate for each in self.at(server, operation, connections))

    def ratio(self, one: str, other: str, operation: str, connections: int) -> Spread | None:
        """How many times as many requests a second ``one`` answers as ``other``, round by round."""
        pairs = zip(
            self.at(one, operation, connections), self.at(other, operation, connections), strict=False
        )
        return self._spread(a.outcome.rate / b.outcome.rate for a, b in pairs if b.outcome.requests)

    def cost_ratio(self, one: str, other: str, operation: str, connections: int) -> Spread | None:
        """How many times as much processor time a request takes ``other`` as ``one``, database included."""
        pairs = zip(
            self.at(one, operation, connections), self.at(other, operation, connections), strict=False
        )
        return self._spread(b.cost / a.cost for a, b in pairs if a.cost and b.cost)

    def processor(self, server: str, operation: str, connections: int) -> tuple[float, float] | None:
        """Milliseconds a request: the server's and the database's."""
        found = self.at(server, operation, connections)
        if not found:
            return None
        return median(each.server_cpu for each in found), median(each.database_cpu for each in found)

    def failures(self) -> list[Sample]:
        return [each for each in self.samples if each.outcome.wrong or each.outcome.errors]

    @staticmethod
    def _spread(values: Iterable[float]) -> Spread | None:
        kept = list(values)
        return Spread.of(kept) if kept else None
