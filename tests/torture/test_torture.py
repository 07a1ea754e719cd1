"""A few kill rounds on each database; `make torture` runs hundreds."""

from pathlib import Path

import pytest

from tests.torture.points import POINTS, Point, arm
from tests.torture.rounds import Torture


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_few_rounds(database_url: str, tmp_path: Path) -> None:
    figures = Torture(database_url, tmp_path).run(5)
    assert figures.rounds == 5
    assert figures.kills.total() >= 5
    assert len(figures.kills.keys() & {point.name for point in POINTS}) >= 3


@pytest.mark.parametrize("point", POINTS, ids=lambda point: point.name)
def test_every_point_is_a_place_of_the_program(point: Point, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that was renamed would never be reached."""
    places: list[str] = []
    monkeypatch.setattr(
        "tests.torture.points.setattr", lambda _, name, __: places.append(name), raising=False
    )
    arm(point, time=1)
    assert len(places) == 1
