"""Do the benchmark's own programs work? Every server is started and compared; nothing is timed."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bench import data, node
from bench.asking import Differing, compare
from bench.load import Load, Outcome, put, sent
from bench.node import Node
from bench.operations import DASHBOARD, NODE, OPERATIONS
from bench.postgres import Postgres
from bench.report import BY_HAND, Found, write
from bench.rounds import Sample
from bench.run import NOTHING, Bench
from bench.sameness import difference, plain
from bench.servers import Running, all_running, ours
from bench.statistics import Figures, Spread
from bench.subjects import Subjects, subjects_of
from bench.webhooks import Place, take_in
from scripts.nodejs import NoNode
from tests.support.servers.postgres import PostgresServer, find_binaries


@pytest.fixture(scope="module")
def installed() -> Node:
    try:
        return node.installed()
    except (NoNode, node.Unreachable) as error:
        pytest.skip(f"the peers cannot be installed: {error}")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("bench")


@pytest.mark.slow
@pytest.mark.timeout(400)  # thirteen servers start at once
def test_all_servers_say_the_same(installed: Node, folder: Path, postgres_server: PostgresServer) -> None:
    postgres = Postgres(postgres_server, pid=0, binaries=find_binaries(), home=folder)
    try:
        found = Bench(NOTHING, OPERATIONS, [], folder, installed).run(postgres)
    finally:
        postgres_server.drop_database("bench_tiny")
    assert [each.name for each in found.servers] == [
        *(
            "revgraph",
            "revgraph, keys remembered",
            "revgraph, bare",
            "revgraph, engine off",
            "stock Strawberry",
        ),
        *("Mercurius", "PostGraphile", "Yoga", "one statement"),
    ]
    # 30 requests to be compared with each of eight others and of three variants on SQLite; two purchases of those that can.
    assert found.compared == 30 * (8 + 3) + 2 * (4 + 3)


@pytest.fixture(scope="module")
def served(folder: Path) -> Iterator[tuple[Running, Subjects]]:
    """revgraph on SQLite."""
    made = data.on_sqlite(folder, data.TINY)
    with all_running(ours(made, folder)[:1], folder) as (running,):
        yield running, subjects_of(made.plan, bought=made.bought)


def test_answers_that_differ_end_the_run(served: tuple[Running, Subjects]) -> None:
    running, subjects = served
    other = replace(running, server=replace(running.server, name="other", postgraphile=True))
    same = replace(NODE, theirs=NODE.document)
    assert compare([running, other], [same], subjects) == 16
    with pytest.raises(Differing, match=r"node: other says something else at \.data\.node\.name: "):
        compare(
            [running, other], [replace(same, theirs=NODE.document.replace("name", "name: slug", 1))], subjects
        )
    with pytest.raises(Differing, match=r"node: revgraph says .*nosuch"):
        compare([running], [replace(NODE, document="{ nosuch }")], subjects)


@pytest.mark.parametrize("rate", [None, 40], ids=["busy", "paced"])
def test_the_load_arrives_and_is_counted(
    installed: Node, folder: Path, served: tuple[Running, Subjects], rate: int | None
) -> None:
    running, subjects = served
    asked = DASHBOARD.requests(subjects)
    outcome = put(Load(sent(asked), 2, 1, rate=rate), running.url, node=installed, folder=folder)
    assert (outcome.wrong, outcome.errors) == (0, 0)
    assert outcome.requests == rate if rate else outcome.requests > 0

    spoilt = [replace(each, api_key="rg_live_none") for each in asked]
    outcome = put(Load(sent(spoilt), 2, 1, rate=rate), running.url, node=installed, folder=folder)
    assert outcome.wrong == outcome.requests > 0


def test_the_webhooks_benchmark_counts_what_is_stored(installed: Node, tmp_path: Path) -> None:
    place = Place("SQLite", f"sqlite:///{tmp_path / 'webhooks.db'}", tmp_path, pid=None)
    paced, busy = take_in(place, installed, processes=1, seconds=1)
    assert (paced.outcome.requests, paced.outcome.wrong, paced.stored) == (500, 0, 500)
    assert (busy.outcome.wrong, busy.outcome.errors) == (0, 0)
    assert 0 < busy.outcome.requests <= busy.stored


def sample(server: str, *, requests: int, cpu: float) -> Sample:
    outcome = Outcome(requests=requests, seconds=2, wrong=0, errors=0, p50=1, p95=None, p99=2)
    return Sample(server, "dashboard", 16, outcome, server_cpu=cpu, database_cpu=1)


def test_ratios_are_of_the_same_round() -> None:
    figures = Figures(
        [
            *(sample("revgraph", requests=100, cpu=1), sample("other", requests=50, cpu=3)),
            *(sample("revgraph", requests=10, cpu=2), sample("other", requests=40, cpu=2)),
            *(sample("revgraph", requests=80, cpu=3), sample("other", requests=80, cpu=7)),
        ]
    )
    assert figures.ratio("revgraph", "other", "dashboard", 16) == Spread(1.0, 0.25, 2.0)
    assert figures.cost_ratio("revgraph", "other", "dashboard", 16) == Spread(2.0, 1.0, 2.0)
    assert figures.rate("revgraph", "dashboard", 16) == Spread(40, 5, 50)
    assert figures.rate("revgraph", "catalogue", 16) is None


def test_a_new_page_keeps_what_a_person_wrote(installed: Node, tmp_path: Path) -> None:
    from bench.machine import Facts

    figures = Figures(
        [
            sample("revgraph", requests=2000, cpu=1),
            sample("revgraph, bare", requests=900, cpu=1),
            sample("stock Strawberry", requests=100, cpu=9),
        ]
    )
    found = Found(Facts(data.FULL, installed, "18.6", "1 of 2 s"), postgres=figures)
    page = tmp_path / "results.md"
    page.write_text(f"old figures\n{BY_HAND}\n\nThe pool.\n")
    write(found, page)
    text = page.read_text()
    real, bare, cost = (f"{each:.2f} ({each:.2f}–{each:.2f})" for each in (20, 9, 5))
    assert f"| dashboard: times stock Strawberry | 10 | {real} | met | {bare} | **missed** | {cost} |" in text
    assert text.endswith(f"\n{BY_HAND}\n\nThe pool.\n")
    assert "old figures" not in text


@pytest.mark.parametrize(
    ("ours", "theirs", "at"),
    [
        ({"rating": 5.0}, {"rating": 5}, ""),
        ({"flag": True}, {"flag": 1}, ".flag: True and 1"),
        ({"rows": [1, 2]}, {"rows": [1]}, ".rows: 2 and 1 items"),
        ({"rows": [{"a": 1}]}, {"rows": [{"a": 2}]}, ".rows[0].a: 1 and 2"),
        ({"a": 1}, {"b": 1}, ": fields ['a'] and ['b']"),
        ({"a": None}, {"a": ""}, ".a: None and ''"),
    ],
)
def test_a_difference_is_found_and_named(ours: object, theirs: object, at: str) -> None:
    assert difference(ours, theirs) == at


def test_only_matters_of_taste_are_left_out() -> None:
    written = {
        "id": "UGFja2FnZToBmOnDncBwAIACAAAAAAAF",
        "tier": "PRO",
        "scopes": ["USAGE_WRITE"],
        "price": {"amountCents": 2900, "currency": "USD"},
        "createdAt": "2025-09-03T06:00:00.000Z",
    }
    otherwise = {
        "id": "0198e9c3-9dc0-7000-8002-000000000005",
        "tier": "pro",
        "scopes": ["usage:write"],
        "amountCents": "2900",
        "currency": "USD",
        "createdAt": "2025-09-03T08:00:00+02:00",
    }
    assert plain(written) == plain(otherwise)
    assert plain({**written, "createdAt": "2025-09-03T06:00:01.000Z"}) != plain(otherwise)
    assert plain({"data": {"nodes": {"nodes": [{"name": "A"}]}}}) == plain(
        {"data": {"nodes": [{"name": "A"}]}}
    )
