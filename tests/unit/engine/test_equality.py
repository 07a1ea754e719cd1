"""The engine answers as graphql-core does: data, errors and order, on generated schemas, data and documents.

500 cases; ENGINE_CASES=20000 for a long run.
"""

import asyncio
import gc
import json
import os
import warnings
from collections import defaultdict
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
from graphql import ExecutionResult, execute, parse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app import engine
from tests.unit.engine.cases import Case

CASES = int(os.environ.get("ENGINE_CASES", "500"))
FORGIVING = "@experimental_disableErrorPropagation"


def run(executes: Any, case: Case, document: Any) -> ExecutionResult:
    """Twice by the engine, as a plan that is found again must do the same."""

    async def once() -> ExecutionResult:
        result = executes(case.schema, document, case.root, None, case.variables)
        return result if isinstance(result, ExecutionResult) else await result

    return asyncio.run(once())


def told(result: ExecutionResult) -> tuple[str, list[Any]]:
    """Data as text, as the order of keys counts; errors as message, path and places in the document."""
    return json.dumps(result.data, default=repr), [tell(error) for error in result.errors or ()]


def tell(error: Any) -> tuple[str, tuple[Any, ...], tuple[Any, ...], str]:
    places = tuple((place.line, place.column) for place in error.locations or ())
    return error.message, tuple(error.path or ()), places, type(error.original_error).__name__


def by_null(data: Any, errors: list[Any]) -> dict[tuple[Any, ...], list[Any]]:
    """Errors by the place at which they end in null."""
    found = defaultdict(list)
    for error in errors:
        value, place = data, []
        for key in error[1]:
            if value is None:
                break
            value = value[key]
            place.append(key)
        found[tuple(place)].append(error)
    return found


def compare_unordered(ours: ExecutionResult, core: ExecutionResult, possible: list[Any]) -> None:
    """Errors below a place that has become null may be cut short by one another; timing decides which."""
    (our_data, our_errors), (core_data, core_errors) = told(ours), told(core)
    assert our_data == core_data
    our_places, core_places = by_null(ours.data, our_errors), by_null(core.data, core_errors)
    assert set(our_places) == set(core_places)
    for place, errors in our_places.items():
        if all(error[1] == place for error in (*errors, *core_places[place])):
            assert sorted(errors) == sorted(core_places[place])
        else:
            # A list that fails half-way takes the errors of its items with it when they came too late.
            cut = [error[1] for error in (*errors, *possible) if error[0] == "no more"]
            kept = [error for error in errors if not any(is_below(error[1], path) for path in cut)]
            assert set(kept) <= set(possible)


def is_below(path: tuple[Any, ...], other: tuple[Any, ...]) -> bool:
    return len(path) > len(other) and path[: len(other)] == other


@pytest.fixture(autouse=True, scope="module")
def abandoned_coroutines() -> Iterator[None]:
    """Values that neither engine gets to, as an error came first: they need not be told of one by one."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        gc.collect()


@pytest.mark.filterwarnings("ignore")
@settings(max_examples=CASES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(st.integers(min_value=0, max_value=2**48))
def test_answers_equal_those_of_graphql_core(seed: int) -> None:
    case = Case(Random(seed))
    document = parse(case.document)
    expected = told(run(execute, case, document))
    for _ in range(4):  # the third time the plan comes from the cache
        assert told(run(engine.execute, case, document)) == expected
    forgiving = parse(case.document.replace(")\n", f") {FORGIVING}\n", 1))
    possible = told(run(execute, case, forgiving))[1]
    case.mixed = True
    possible += told(run(execute, case, forgiving))[1]
    compare_unordered(run(engine.execute, case, document), run(execute, case, document), possible)
