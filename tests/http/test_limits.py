"""Hostile requests are refused with their facts, run nothing, and leave the server as it was."""

import json
from typing import Any

import httpx
import pytest

from app.transport.json_text import MAX_VALUES
from tests.http.audits.toy import Toy, build


@pytest.fixture(scope="module")
def toy() -> Toy:
    return build()


async def send(toy: Toy, body: bytes) -> httpx.Response:
    headers = {"content-type": "application/json", "accept": "application/graphql-response+json"}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(toy.app), base_url="http://test") as http:
        return await http.post("/graphql", content=body, headers=headers)


async def refused(toy: Toy, body: bytes) -> dict[str, Any]:
    ran = len(toy.hooks.operations)
    response = await send(toy, body)
    assert response.status_code == 400
    assert len(toy.hooks.operations) == ran
    assert len(response.content) < 20_000
    assert "data" not in response.json()
    facts: dict[str, Any] = response.json()["errors"][0]["extensions"]
    return facts


def document(text: str) -> bytes:
    return json.dumps({"query": text}).encode()


def doubling(levels: int) -> str:
    fragments = [f"fragment F{i} on User {{ ...F{i + 1} ...F{i + 1} }}" for i in range(levels)]
    return "{ me { ...F0 } } " + " ".join(fragments) + f" fragment F{levels} on User {{ name }}"


@pytest.mark.parametrize(
    "text, name",
    [
        (doubling(30), "fields"),
        (doubling(49), "fields"),
        ("{" * 3_000, None),
        ("{me" * 15_000, "nesting"),
        ("{echo(text:" + "[" * 45_000, "nesting"),
        ("query($a:" + "[" * 45_000, "nesting"),
        ("{ me { " + "name " * 1_900 + "} }", "field_comparisons"),
        ("{ " + "me { name } " * 380 + "}", "field_comparisons"),
        ("#\n" * 24_000 + "{ me { name } }", "comments"),
        ("#" + "a" * 50_000, "text"),
        ("{" + "a " * 2_000 + "}", "tokens"),
        ("{ me { " + " ".join(f"a{i}: name" for i in range(31)) + " } }", "aliases"),
        ("{ me { name " + "@skip(if: false) " * 21 + "} }", "directives"),
        ("mutation { " + " ".join(f"a{i}: increase" for i in range(5)) + " }", "mutations"),
        ("{ " + " ".join(f"a{i}: echo(text: 1)" for i in range(21)) + " }", "root_fields"),
        ("{ me { friends(first: 100) { friends(first: 100) { name } } } }", "cost"),
        ("{ me { friends { friends { friends { friends { name } } } } } }", "cost"),
        ("{ me { friends(first: 2147483647) { name } } }", "cost"),
    ],
)
async def test_hostile_documents_are_refused(toy: Toy, text: str, name: str | None) -> None:
    facts = await refused(toy, document(text))
    assert facts.get("name") == name
    assert facts["code"] == ("LIMIT_EXCEEDED" if name else "GRAPHQL_PARSE_FAILED")
    assert toy.hooks.counter.value == 0


@pytest.mark.parametrize(
    "text",
    [
        "{ me { ...A } } " + " ".join(f"fragment {a} on User {{ ...{b} }}" for a, b in ["AB", "BC", "CA"]),
        "{ " + "...Missing " * 900 + "}",
        "query (" + " ".join(f"$v{i}: Int" for i in range(480)) + ") { me { name } }",
        "type A { a: Int } " * 250,
        "{ " + "a" * 49_000 + " }",
        "{ echo(text: " + "9" * 49_000 + ") }",
        "{ me { friends(first: " + "9" * 5_000 + ") { name } } }",
    ],
)
async def test_what_the_gate_lets_pass_validation_ends(toy: Toy, text: str) -> None:
    assert (await refused(toy, document(text)))["code"] in ("GRAPHQL_VALIDATION_FAILED", "LIMIT_EXCEEDED")


@pytest.mark.parametrize("value", [b"[]", b"{}", b"1", b"[[]]", b'""', b'{"a":{}}'])
async def test_bodies_of_countless_values_are_not_built(toy: Toy, value: bytes) -> None:
    values = b",".join([value] * (MAX_VALUES + 1))
    facts = await refused(toy, b'{"query": "{ me { name } }", "variables": {"a": [' + values + b"]}}")
    assert (facts["code"], facts["name"], facts["limit"]) == ("LIMIT_EXCEEDED", "json_values", MAX_VALUES)


async def test_deep_bodies_are_not_built(toy: Toy) -> None:
    body = b'{"query": "{ me { name } }", "variables": {"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}}"
    assert (await refused(toy, body))["name"] == "json_values"


@pytest.mark.parametrize("body", [b'{"query":"' + b'[\\"' * 200_000, b"[" * 60_000 + b'"' * 900_000])
async def test_counting_is_linear_on_broken_strings(toy: Toy, body: bytes) -> None:
    assert (await refused(toy, body))["code"] in ("BAD_REQUEST", "LIMIT_EXCEEDED")


async def test_signs_inside_of_strings_are_no_values(toy: Toy) -> None:
    query = "query ($t: String!) { echo(text: $t) }"
    text = '[{,\\"' * (MAX_VALUES + 1)
    response = await send(toy, json.dumps({"query": query, "variables": {"t": text}}).encode())
    assert response.json()["data"] == {"echo": text}


async def test_variables_of_many_values_are_refused(toy: Toy) -> None:
    query = "query ($w: Filter!) { count(where: $w) }"
    tags = {"query": query, "variables": {"w": {"tags": ["x"] * 20_000, "size": 1}}}
    assert (await refused(toy, json.dumps(tags).encode()))["name"] == "variable_values"
    tags["variables"] = {"w": {"tags": ["x"] * 19_000, "size": 1}}
    assert (await send(toy, json.dumps(tags).encode())).json()["data"] == {"count": 19_000}


async def test_the_memory_of_documents_stays_bounded_under_a_flood(toy: Toy) -> None:
    cache = toy.endpoint.runner.documents.cache
    for number in range(300):
        for _ in range(2):
            assert (await send(toy, document(f"{{ me {{ a{number}: name }} }}"))).status_code == 200
    assert len(cache) <= cache.max_entries
    assert cache.bytes <= cache.max_bytes


async def test_the_server_serves_on(toy: Toy) -> None:
    assert (await send(toy, document("{ me { name } }"))).json()["data"] == {"me": {"name": "Ada"}}
