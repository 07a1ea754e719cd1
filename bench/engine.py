"""How much faster is the engine than graphql-core, on answers made in memory?

    python -m bench.engine [seconds for each]

Rounds of both are interleaved; printed are medians and their ratios.
"""

# a command prints
import asyncio
import sys
from collections.abc import Callable
from statistics import median
from time import perf_counter
from typing import Any

import strawberry
from graphql import ExecutionResult, GraphQLSchema, build_schema, parse
from graphql import execute as execute_with_graphql_core

from app.engine import execute
from app.engine.strawberry_schema import EngineSchema, batched

QUERY = """
{ packages { id slug name summary downloads featured rating
  author { id name slug }
  versions { id number size released } } }
"""


@strawberry.type
class Author:
    id: strawberry.ID
    name: str
    slug: str


@strawberry.type
class Version:
    id: strawberry.ID
    number: str
    size: int
    released: str


async def load_authors(parents: list["Package"], _info: Any) -> list[Author]:
    return [AUTHORS[int(parent.id) % 10] for parent in parents]


async def load_versions(parents: list["Package"], _info: Any) -> list[list[Version]]:
    return [VERSIONS] * len(parents)


@strawberry.type
class Package:
    id: strawberry.ID
    slug: str
    name: str
    summary: str | None
    downloads: int
    featured: bool
    rating: float | None
    author: Author = batched(load_authors)
    versions: list[Version] = batched(load_versions)


AUTHORS = [Author(id=strawberry.ID(str(n)), name=f"Author {n}", slug=f"author-{n}") for n in range(10)]
VERSIONS = [
    Version(id=strawberry.ID(str(n)), number=f"1.{n}", size=n, released="2026-01-01") for n in range(3)
]
PACKAGES = [
    Package(
        id=strawberry.ID(str(n)),
        slug=f"package-{n}",
        name=f"Package {n}",
        summary="What it is for.",
        downloads=n * 1000,
        featured=n % 2 == 0,
        rating=4.5,
    )
    for n in range(50)
]


@strawberry.type
class Query:
    @strawberry.field
    async def packages(self) -> list[Package]:
        return PACKAGES


SDL = """
type Query { packages: [Package!]! }
type Package { id: ID! slug: String! name: String! summary: String downloads: Int! featured: Boolean!
  rating: Float  author: Author! versions: [Version!]! }
type Author { id: ID! name: String! slug: String! }
type Version { id: ID! number: String! size: Int! released: String! }
"""


def plain_root() -> dict[str, Any]:
    """The same as dicts, everything there already, for a schema without any resolver."""
    authors = [vars(author) for author in AUTHORS]
    versions = [vars(version) for version in VERSIONS]
    packages = [
        {**vars(package), "author": authors[number % 10], "versions": versions}
        for number, package in enumerate(PACKAGES)
    ]
    return {"packages": packages}


async def measure(runs: dict[str, Callable[[], Any]], seconds: float) -> dict[str, float]:
    """Median milliseconds of each, in turns."""
    taken: dict[str, list[float]] = {name: [] for name in runs}
    end = perf_counter() + seconds * len(runs)
    while perf_counter() < end:
        for name, run in runs.items():
            start = perf_counter()
            await run()
            taken[name].append(perf_counter() - start)
    return {name: median(times) * 1000 for name, times in taken.items()}


def by_plain_schema(executes: Callable[..., Any]) -> Callable[[], Any]:
    schema: GraphQLSchema = build_schema(SDL)
    document, root = parse(QUERY), plain_root()

    async def run() -> ExecutionResult:
        result: ExecutionResult = executes(schema, document, root)
        return result

    return run


def by_strawberry(schema: strawberry.Schema, executes: Callable[..., Any]) -> Callable[[], Any]:
    document = parse(QUERY)

    async def run() -> ExecutionResult:
        result: ExecutionResult = await executes(
            schema._schema, document, executor_class=schema.execution_context_class, operation_extensions=None
        )
        return result

    return run


async def main(seconds: float) -> None:
    schema = EngineSchema(Query)
    cases = {
        "plain schema, dicts": (by_plain_schema(execute_with_graphql_core), by_plain_schema(execute)),
        "Strawberry, batched fields": (
            by_strawberry(schema, execute_with_graphql_core),
            by_strawberry(schema, execute),
        ),
    }
    print(f"{'':28}{'graphql-core':>14}{'engine':>12}{'ratio':>9}")
    for name, (core, engine) in cases.items():
        expected, ours = await core(), await engine()
        assert expected.errors is None
        assert str(expected.data) == str(ours.data)
        times = await measure({"core": core, "engine": engine}, seconds)
        ratio = times["core"] / times["engine"]
        print(f"{name:28}{times['core']:11.2f} ms{times['engine']:9.2f} ms{ratio:9.1f}")


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1]) if len(sys.argv) > 1 else 2.0))
