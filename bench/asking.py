"""Does every server say the same? One request after the other, before anything is timed."""

import json
import urllib.error
import urllib.request
from collections.abc import Sequence
from typing import Any

from app.cli.bench import goods
from app.cli.bench.plan import Plan
from bench.load import headers
from bench.operations import PURCHASE, Operation, Request
from bench.purchases import Purchases
from bench.sameness import difference, plain
from bench.servers import Running
from bench.subjects import Subjects

COMPARED = 16
"""Requests of an operation, at most."""


class Differing(Exception):
    """Servers that do not say the same; the message says which, of what, and where."""


def compare(servers: Sequence[Running], operations: Sequence[Operation], subjects: Subjects) -> int:
    """How many answers were the same as the first server's. Raises Differing."""
    compared, (first, *others) = 0, servers
    for operation in operations:
        asked = [_requests(each, operation, subjects) for each in servers]
        for same, *requests in zip(*asked, strict=True):
            expected = plain(ask(first, same))
            _require_data(operation, first, expected)
            for server, request in zip(others, requests, strict=True):
                _require_same(operation, server, expected, plain(ask(server, request)))
                compared += 1
    return compared


def _requests(server: Running, operation: Operation, subjects: Subjects) -> list[Request]:
    return operation.requests(subjects, postgraphile=server.server.postgraphile)[:COMPARED]


def compare_purchases(servers: Sequence[Running], purchases: Purchases, plan: Plan) -> int:
    """Each buys something else, so the answers are held against what was to be expected."""
    slugs = {plan.package_id(each): each for each in range(plan.packages)}
    for server in servers:
        for request, package_id in purchases.take(2):
            _require_same(PURCHASE, server, _bought(plan, slugs[package_id]), plain(ask(server, request)))
    return 2 * len(servers)


def _bought(plan: Plan, package: int) -> dict[str, Any]:
    return {
        "data": {
            "purchasePackage": {
                "errors": [],
                "purchase": {
                    "status": "COMPLETED",
                    "amountCents": 0,
                    "currency": "USD",
                    "package": {"id": str(plan.package_id(package)), "slug": goods.slug(plan, package)},
                    "version": {"version": goods.VERSIONS[-1]},
                },
            }
        }
    }


def ask(server: Running, request: Request) -> Any:
    asked = urllib.request.Request(
        f"{server.url}/graphql", json.dumps(request.body).encode(), headers(request)
    )
    try:
        with urllib.request.urlopen(asked, timeout=30) as response:
            return json.load(response)
    except urllib.error.HTTPError as error:
        return {"status": error.code, "said": error.read().decode(errors="replace")[:500]}


def _require_data(operation: Operation, server: Running, answer: Any) -> None:
    if set(answer) != {"data"} or not all(answer["data"].values()):
        raise Differing(f"{operation.name}: {server.server.name} says {str(answer)[:500]}")


def _require_same(operation: Operation, server: Running, expected: Any, said: Any) -> None:
    if parts := difference(expected, said):
        raise Differing(f"{operation.name}: {server.server.name} says something else at {parts[:500]}")
