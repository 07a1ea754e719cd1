"""Documents that ask for too much, however small they are."""

from typing import Any

import pytest
from graphql import GraphQLSyntaxError, build_schema, get_introspection_query
from graphql import parse as parse_document

from app.engine.limits import LimitExceeded, Limits, check
from app.engine.measure import CEILING, Measures
from app.engine.parsing import parse

SCHEMA = build_schema(
    """
    type Query { me: User  users(first: Int, last: Int, after: String): Users  small(first: Int): Users
                 nodes(ids: [ID!]!): [User]  plans: [Plan] }
    type Mutation { login: User  logout: User }
    type User { id: ID! name: String friends(first: Int): Users }
    type Plan { name: String }
    type Users { edges: [Edge] totalCount: Int }
    type Edge { node: User }
    """
)


SCHEMA.query_type.fields["small"].args["first"].default_value = 5  # type: ignore[union-attr]  # it has one


def measured(
    text: str, *, variables: dict[str, Any] | None = None, name: str | None = None, **limits: int
) -> Measures:
    return check(
        parse_document(text),
        schema=SCHEMA,
        variables=variables or {},
        operation_name=name,
        limits=Limits(**limits),
    )


def exceeded(text: str, *, variables: dict[str, Any] | None = None, **limits: int) -> tuple[str, int, int]:
    with pytest.raises(LimitExceeded) as caught:
        measured(text, variables=variables, **limits)
    return caught.value.name, caught.value.limit, caught.value.actual


def doubling(levels: int, *, body: str = "name") -> str:
    fragments = [f"fragment F{i} on User {{ ...F{i + 1} ...F{i + 1} }}" for i in range(levels)]
    return "{ me { ...F0 } } " + " ".join(fragments) + f" fragment F{levels} on User {{ {body} }}"


def refused(text: str) -> tuple[str, int]:
    with pytest.raises(LimitExceeded) as caught:
        parse(text, Limits())
    return caught.value.name, caught.value.actual


def test_counts_of_a_plain_operation() -> None:
    measures = measured(
        "query Q { a: me { id @skip(if: false) name } users(first: 3) { edges { node { id } } } }"
    )
    assert measures == Measures(
        fields=7, depth=4, aliases=1, directives=1, cost=3 + 1 + 3 * 3, introspection=0
    )


def test_a_document_at_the_bound_passes() -> None:
    assert measured("{ me { id } }", depth=2, fields=2, cost=2, root_fields=1) == Measures(2, 2, 0, 0, 2, 0)
    assert exceeded("{ me { id } }", depth=1) == ("depth", 1, 2)
    assert exceeded("{ me { id } }", fields=1) == ("fields", 1, 2)


def test_fragments_count_where_they_are_spread() -> None:
    assert measured(doubling(3)).fields == 1 + 8
    assert measured(doubling(3, body="a: name @skip(if: false)"))[2:4] == (8, 8)


def test_doubling_fragments_stop_at_the_ceiling() -> None:
    assert exceeded(doubling(48)) == ("fields", 2_000, CEILING)
    assert exceeded(doubling(3, body="a: name"), aliases=7) == ("aliases", 7, 8)


def test_depth_counts_through_fragments() -> None:
    chain = " ".join(
        f"fragment F{i} on Users {{ edges {{ node {{ friends(first: 1) {{ ...F{i + 1} }} }} }} }}"
        for i in range(6)
    )
    text = f"{{ users(first: 1) {{ ...F0 }} }} {chain} fragment F6 on Users {{ totalCount }}"
    assert exceeded(text) == ("depth", 15, 20)


@pytest.mark.parametrize(
    "text",
    [
        "{ me { ...A } } fragment A on User { id ...A }",
        "{ me { ...A } } fragment A on User { id ...B } fragment B on User { id ...A }",
        "{ me { ...Missing } }",
        "{ me { nothing { of(first: 2) { this } } } }",
        "{ me { ... on Nothing { id } } }",
        "{ me }",
        "{ me { } }",
        "type A { a: Int }",
    ],
)
def test_documents_that_validation_will_refuse_are_measured_all_the_same(text: str) -> None:
    assert measured(text).fields <= 5


@pytest.mark.parametrize(
    "arguments, variables, factor",
    [
        ("first: 7", {}, 7),
        ("last: 7", {}, 7),
        ("first: 3, last: 7", {}, 7),
        ("first: $n", {"n": 9}, 9),
        ("first: $n", {}, 4),
        ("first: $unknown", {}, 20),
        ("after: null", {}, 20),
        ("first: null", {}, 20),
        ("first: -5", {}, 20),
        ('first: "5"', {}, 20),
        ("first: 0", {}, 1),
        ("first: $n", {"n": -5}, 20),
        ("first: $n", {"n": True}, 20),
        ("first: $n", {"n": 2.5}, 20),
        ("first: $n", {"n": [3]}, 20),
        ("first: $n", {"n": None}, 20),
    ],
)
def test_a_connection_multiplies_by_its_page(arguments: str, variables: dict[str, Any], factor: int) -> None:
    text = f"query ($n: Int = 4, $unknown: Int) {{ users({arguments}) {{ edges {{ node {{ id }} }} }} }}"
    assert measured(text, variables=variables).cost == 1 + 3 * factor


def test_page_sizes_are_known_without_arguments() -> None:
    assert measured("{ users { totalCount } }").cost == 21
    assert measured("{ small { totalCount } }").cost == 6
    assert measured("{ plans { name } }").cost == 2


def test_a_list_of_ids_multiplies_by_its_length() -> None:
    assert measured('{ nodes(ids: ["a", "b", "c"]) { id } }').cost == 4
    text = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    assert measured(text, variables={"ids": ["a"] * 50}).cost == 51
    assert exceeded(text, variables={"ids": ["a"] * 6_000}) == ("cost", 5_000, 6_001)


def test_unknown_fields_multiply_by_what_they_state() -> None:
    assert measured("{ ghosts(first: 50) { id } }").cost == 51
    assert measured("{ ghosts { id } }").cost == 2


def test_nested_and_absurd_pages_exceed_the_cost() -> None:
    nested = "edges { node { friends(first: 100) { edges { node { id } } } } }"
    assert exceeded(f"{{ users(first: 100) {{ {nested} }} }}") == ("cost", 5_000, 1 + 100 * (3 + 300))
    assert exceeded("{ users(first: 2147483648) { totalCount } }") == ("cost", 5_000, CEILING)
    assert exceeded("{ users(first: " + "9" * 4_999 + ") { totalCount } }") == ("cost", 5_000, CEILING)


def test_root_fields_and_mutations() -> None:
    twenty = " ".join(f"a{i}: me {{ id }}" for i in range(20))
    assert measured(f"{{ {twenty} }}").fields == 40
    assert exceeded(f"{{ {twenty} b: me {{ id }} }}") == ("root_fields", 20, 21)
    four = " ".join(f"a{i}: login {{ id }}" for i in range(4))
    assert measured(f"mutation {{ {four} }}").fields == 8
    text = f"mutation {{ {four} ...More }} fragment More on Mutation {{ logout {{ id }} }}"
    assert exceeded(text) == ("mutations", 4, 5)


def test_counts_of_the_whole_document() -> None:
    assert exceeded(" ".join(f"query Q{i} {{ me {{ id }} }}" for i in range(11))) == ("operations", 10, 11)
    unused = " ".join(f"fragment F{i} on User {{ id }}" for i in range(51))
    assert exceeded(f"{{ me {{ id }} }} {unused}") == ("fragments", 50, 51)
    assert exceeded("query @a @b { me @c { id } }", directives=2) == ("directives", 2, 3)
    assert exceeded("query ($a: Int @a @b) { me { id } }", directives=1) == ("directives", 1, 2)
    assert exceeded("{ me { id } }", variables={"a": [0, {"b": [1, 2]}]}, variable_values=5) == (
        "variable_values",
        5,
        6,
    )


def test_operations_that_are_not_selected_keep_the_limits_too() -> None:
    text = "query Small { me { id } } query Large { users(first: 9000) { totalCount } }"
    with pytest.raises(LimitExceeded):
        measured(text, name="Small")
    assert measured(text, name="Small", cost=9_001) == Measures(2, 2, 0, 0, 2, 0)
    assert measured("query A { me { id } } query B { me { id } }") == Measures()


def test_introspection_has_a_measure_of_its_own() -> None:
    measures = measured(get_introspection_query(descriptions=True, input_value_deprecation=True))
    assert (measures.depth, measures.cost) == (0, 0)
    assert 1_000 < measures.introspection < Limits().introspection
    assert measured("{ __typename }").depth == 1
    deep = "{ __schema { types { fields { type { fields { args { type { name } } } } } } } }"
    assert exceeded(deep, introspection=100)[0] == "introspection"


def test_only_introspection_is_left_out_of_the_depth() -> None:
    assert measured("{ __schema { me { me { me { id } } } } }").depth == 0
    assert exceeded("{ x { a { b { c { d } } } } }", depth=3) == ("depth", 3, 5)


def test_introspection_beside_data_is_held_small() -> None:
    text = "{ me { id } __schema { types { name } } }"
    assert measured(text).introspection == 20
    assert exceeded(text, mixed_introspection=19) == ("mixed_introspection", 19, 20)
    assert measured("{ __schema { types { name } } __typename }", mixed_introspection=19).introspection == 20


def test_parse_answers_a_document() -> None:
    assert len(parse("{ me { id } }", Limits()).definitions) == 1


def test_text_is_counted_in_bytes() -> None:
    assert refused("#" + "a" * 50_000) == ("text", 50_001)
    assert refused("#" + "ä" * 25_000) == ("text", 50_001)
    assert refused("#" + "😀" * 12_500) == ("text", 50_001)
    assert len(parse("#" + "a" * 49_991 + "\n{ me }", Limits()).definitions) == 1


def test_tokens_and_comments() -> None:
    assert refused("{" + "a " * 2_000 + "}") == ("tokens", 2_001)
    assert refused("#\n" * 24_000 + "{ me }") == ("comments", 2_001)
    assert len(parse("{" + "a " * 1_998 + "}", Limits()).definitions) == 1


@pytest.mark.parametrize(
    "text",
    [
        "{me" * 16_000,
        "{me" * 300 + "}" * 300,
        "{a(b:" + "[" * 45_000,
        "{a(b:" + "[" * 300 + "]" * 300 + ")}",
        "{a(b:" + "{b:" * 15_000,
        "query($a:" + "[" * 45_000,
        "query($a:" + "[" * 300 + "Int" + "]" * 300 + "){a}",
        "{" + "...on A{" * 6_000,
    ],
)
def test_deep_nesting_is_a_limit_and_no_crash(text: str) -> None:
    assert refused(text) == ("nesting", 201)


@pytest.mark.parametrize(
    "text", ["", " ", "{", "{" * 50_000, "}", "query", "{ a(b: ) }", '{ a(b: "', "\x00", "\ud800"]
)
def test_wrong_syntax_stays_a_syntax_error(text: str) -> None:
    with pytest.raises(GraphQLSyntaxError):
        parse(text, Limits())


def test_the_error_states_its_facts() -> None:
    error = LimitExceeded(name="root_fields", limit=20, actual=21)
    assert str(error) == "The limit of 20 for root fields is exceeded: 21."
