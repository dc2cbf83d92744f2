"""A named query loads only when all three clocks bind all it walks, and takes only what it declares."""

from __future__ import annotations

from pathlib import Path

import pytest

from kg.errors import CatalogError
from kg.model import AsOf
from queries.catalog import Catalog, load
from queries.cypher import Text

CLOCKS = (
    "{v}.valid_from <= $valid AND {v}.valid_to > $valid AND {v}.known_from <= $known AND {v}.known_to > $known "
    "AND {v}.published <= $published AND {v}.published_to > $published"
)


def bound(variable: str = "r") -> str:
    return CLOCKS.format(v=variable)


def write(folder: Path, body: str, head: str = "// What it tells.", name: str = "asked.cypher") -> Path:
    file = folder / name
    file.write_text(f"{head}\n{body}\n")
    return file


# ---- the catalogue as it is


def test_at_least_sixteen_queries_load_and_each_says_what_it_tells() -> None:
    queries = list(Catalog())
    assert len(queries) >= 16
    assert all(query.tells.endswith(".") and query.examples for query in queries)
    assert all(item.doc for query in queries for item in query.inputs.values())


def test_every_example_is_accepted_by_its_own_query() -> None:
    for query in Catalog():
        for example in query.examples:
            given: dict[str, str] = {}
            for word in example.split():  # a word without = goes on with the value before it
                name, equals, value = word.partition("=")
                given |= {name: value} if equals else {list(given)[-1]: f"{list(given.values())[-1]} {word}"}
            assert query.values(given).keys() == query.inputs.keys(), query.name


def test_no_two_queries_share_their_pattern() -> None:
    shapes = {query.name: tuple(sorted(edge.shape for edge in query.relationships)) for query in Catalog()}
    assert len(set(shapes.values())) == len(shapes)


def test_enough_queries_walk_paths_sum_money_and_compare_dates() -> None:
    queries = list(Catalog())

    def chained(query: object) -> bool:
        edges = query.relationships  # type: ignore[attr-defined]  # a NamedQuery
        starts = [edge.start for edge in edges]
        return any(edge.many for edge in edges) or len(set(starts)) < len(starts)

    assert sum(chained(query) for query in queries) >= 6
    assert sum("sum(" in query.text() and "amount_minor" in query.text() for query in queries) >= 3
    assert sum(bool(query.clocks) for query in queries) >= 2


def test_the_body_is_the_file_to_the_letter() -> None:
    catalog = Catalog()
    for query in catalog:
        assert query.text() == (catalog.folder / f"{query.name}.cypher").read_text()


# ---- clocks


@pytest.mark.parametrize("clock", ["valid", "known", "published"])
@pytest.mark.parametrize("end", [0, 1])
def test_a_query_that_forgets_one_comparison_does_not_load(clock: str, end: int, tmp_path: Path) -> None:
    parts = bound().split(" AND ")
    gone = [part for part in parts if part.endswith(f"${clock}")][end]
    body = f"MATCH (a)-[r:OWNS]->(b) WHERE {' AND '.join(p for p in parts if p != gone)} RETURN a.id AS one"
    with pytest.raises(CatalogError, match=rf"asked.cypher line 2: r in -\[:OWNS\]-> is not bound by \${clock}"):
        load(write(tmp_path, body))


@pytest.mark.parametrize(
    "condition",
    [
        f"{bound()} OR true",
        f"NOT ({bound()})",
        f"({bound()}) XOR false",
        f"a.id = '{bound()}'",
        f"a.id = 1 // {bound()}",
        f"a.id = 1 /* AND {bound()} */",
        f"CASE WHEN false AND {bound()} AND false THEN true ELSE true END",
        f"any(x IN [1] WHERE {bound()})",
        bound().replace("r.valid_from <=", "r.valid_from <") + " AND r.valid_from >= $valid",
        bound().replace("$known", "$valid"),
        bound("q"),
    ],
)
def test_a_clock_that_can_be_argued_away_does_not_count(condition: str, tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="is not bound by"):
        load(write(tmp_path, f"MATCH (a)-[r:OWNS]->(b)\nWHERE {condition}\nRETURN a.id AS one"))


@pytest.mark.parametrize(
    "body",
    [
        "MATCH (a)-->(b) RETURN a",
        "MATCH (a)--(b) RETURN a",
        "MATCH (a)<--(b) RETURN a",
        "MATCH (a)-[:OWNS]->(b) RETURN a",
        "MATCH (a)-[:OWNS*1..4]->(b) RETURN a",
        f"MATCH (a)-[r]->(b)-[:HOLDS]->(c) WHERE {bound()} RETURN a",
        f"MATCH (a)-[r]->(b) WHERE {bound()} AND (a)-[:OWNS]->(b) RETURN a",
        f"MATCH (a)-[r]->(b) WHERE {bound()} AND EXISTS {{ (a)<-[:OWNS]-(b) }} RETURN a",
        f"MATCH (a)-[r]->(b) WHERE {bound()} RETURN size([(a)-[:OWNS]->(c) | c.id]) AS n",
        f"MATCH (a {{id: 1}})-[r]->(b) WHERE {bound()} RETURN COUNT {{ (a)-->(b) }} AS n",
    ],
)
def test_a_relationship_without_a_variable_does_not_load(body: str, tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="has no variable, so no clock can bind it"):
        load(write(tmp_path, body))


@pytest.mark.parametrize(
    "body",
    [
        "MATCH (a)-[r]->(b)-[q]->(c) WHERE {r} RETURN a",
        "MATCH (a)-[r]->(b), (c)<-[q:OWNS|HOLDS]-(d) WHERE {r} RETURN a",
        "MATCH (a)-[r]->(b) WHERE {r} OPTIONAL MATCH (a)-[q]->(c) RETURN a",
        "MATCH (a)-[r]->(b) WHERE {r} AND NOT EXISTS {{ MATCH (a)-[q]->(b) WHERE q.id = r.id }} RETURN a",
        "MATCH (a)-[r]->(b) WHERE {r} RETURN [(a)-[q]->(c) WHERE q.x = 1 | c.id] AS list",
        "MATCH (a)-[r]->(b) WHERE {r} RETURN COUNT {{ MATCH (a)-[q]->(b) }} AS n",
        "MATCH p = (a)-[q:OWNS*1..4]->(b) WHERE any(x IN relationships(p) WHERE {x}) RETURN a",
        "MATCH p = (a)-[q:OWNS*1..4]->(b) WHERE all(x IN nodes(p) WHERE {x}) RETURN a",
        "MATCH p = (a)-[q*]->(b), o = (a)-[*]->(b) WHERE all(x IN relationships(o) WHERE {x}) RETURN a",
        "MATCH (a)-[q:OWNS]->(b) WITH a, q WHERE {q} RETURN a",
    ],
)
def test_each_relationship_wants_its_own_clocks(body: str, tmp_path: Path) -> None:
    text = body.format(r=bound("r"), x=bound("x"), q=bound("q"))
    with pytest.raises(CatalogError, match="is not bound by"):
        load(write(tmp_path, text))


@pytest.mark.parametrize(
    "body",
    [
        "MATCH (a)-[r:A|B]->(b) WHERE {r} RETURN a",
        "MATCH (a)-[r:A {{key: 'x) -[q]-> ('}}]->(b) WHERE a.id = '-[q]->' AND ({r}) RETURN a // (x)-[q]->(y)",
        "MATCH p = (a)-[:A|B*1..4]->(b) WHERE all(x IN relationships(p) WHERE {x} AND x.share > 0) RETURN a",
        "MATCH (a)-[r:A*1..4]->(b) WHERE all(x IN r WHERE {x}) RETURN a",
        "MATCH (a)-[r]->(b) WHERE {r} AND EXISTS {{ (a)-[q]->(b) WHERE {q} }} RETURN a",
        "MATCH (a)-[r]->(b) WHERE {r} RETURN [(a)-[q]->(c) WHERE {q} | c.id] AS list",
        "MATCH (a) WHERE a.x - (a.y) - 1 > 0 AND a.list[0] - (2) = 1 RETURN a",
    ],
)
def test_a_query_whose_clocks_all_stand_loads(body: str, tmp_path: Path) -> None:
    load(write(tmp_path, body.format(r=bound("r"), x=bound("x"), q=bound("q"))))


def test_a_declared_clock_takes_the_place_of_the_one_it_is_compared_with(tmp_path: Path) -> None:
    body = f"MATCH (a)-[r]->(b) WHERE {bound().replace('$known', '$known_before')} RETURN a.id AS one"
    query = load(write(tmp_path, body, "// Tells.\n// @clock known_before  the earlier date"))
    assert [clock.name for clock in query.clocks] == ["known_before"]
    with pytest.raises(CatalogError, match="known"):
        load(write(tmp_path, body))  # not declared
    with pytest.raises(CatalogError, match=r"expected valid_\.\.\., known_"):
        load(write(tmp_path, body, "// Tells.\n// @clock before  the earlier date"))


def test_the_two_ends_of_one_clock_may_not_be_of_two_dates(tmp_path: Path) -> None:
    mixed = bound().replace("r.known_from <= $known", "r.known_from <= $known_before")
    with pytest.raises(CatalogError, match=r"not bound by \$known"):
        load(
            write(tmp_path, f"MATCH (a)-[r]->(b) WHERE {mixed} RETURN a", "// Tells.\n// @clock known_before  earlier")
        )


# ---- what else does not load


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("CREATE (a) RETURN a", "CREATE is not allowed: a named query only reads"),
        ("MATCH (a) SET a.x = 1 RETURN a", "SET is not allowed"),
        ("MATCH (a) DETACH DELETE a", "DETACH is not allowed"),
        ("LOAD CSV FROM 'file:///etc/hosts' AS row RETURN row", "LOAD is not allowed"),
        ("CALL db.labels() RETURN 1 AS x", "CALL of a procedure is not allowed"),
        ("MATCH p = shortestPath((a)-[r*]->(b)) RETURN p", "shortestPath is not allowed: it finds a path before"),
        ("MATCH (a WHERE a.x = $x) RETURN a", r"\$x is used but not declared"),
        ("MATCH (a RETURN a", "is never closed"),
        ("MATCH (a)) RETURN a", "closes nothing"),
        ("MATCH (a) WHERE a.x = 'open RETURN a", "not closed"),
    ],
)
def test_a_query_that_writes_or_cannot_be_read_does_not_load(body: str, why: str, tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match=why):
        load(write(tmp_path, body))


@pytest.mark.parametrize(
    ("head", "why"),
    [
        ("", "must be a comment that says what the query tells"),
        ("// Tells.\n// @param id: number  who", "type 'number' is unknown; known: string, int"),
        ("// Tells.\n// @param id  who", "expected `name: type = default"),
        ("// Tells.\n// @param top: int = many  rows", "'many' is no int"),
        ("// Tells.\n// @returns id", "@returns is unknown; known: @param, @clock, @example"),
        ("// Tells.\n// @param idle: int = 1  never used", "idle is declared but not used"),
    ],
)
def test_a_wrong_head_does_not_load(head: str, why: str, tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match=why):
        load(write(tmp_path, "MATCH (a) RETURN a.id AS one", head))


def test_an_engine_may_have_its_own_text_which_is_checked_too(tmp_path: Path) -> None:
    write(tmp_path, f"MATCH (a)-[r]->(b) WHERE {bound()} RETURN a.id AS one")
    write(tmp_path, f"MATCH (b)<-[r]-(a) WHERE {bound()} RETURN a.id AS one", name="asked.neo4j.cypher")
    query = Catalog(tmp_path)["asked"]
    assert "(b)<-[r]-(a)" in query.text("neo4j")
    assert "(a)-[r]->(b)" in query.text("arcadedb") == query.text()
    write(tmp_path, "MATCH (b)<-[r]-(a) RETURN a.id AS one", name="asked.neo4j.cypher")
    with pytest.raises(CatalogError, match=r"asked.neo4j.cypher line 2: r in .* is not bound"):
        Catalog(tmp_path)
    (tmp_path / "asked.neo4j.cypher").rename(tmp_path / "asked.oracle.cypher")
    with pytest.raises(CatalogError, match="'oracle' is none of neo4j, arcadedb"):
        Catalog(tmp_path)


def test_relationships_are_read_with_direction_types_and_hops() -> None:
    text = Text("MATCH p = (a)<-[:B|A*1..3]-(b)-[r]-(c), (x)-[`odd name`:T]->() RETURN [(a)-->(b) | 1] AS l")
    found = [(e.shape, e.variable, e.path, e.many) for e in text.relationships()]
    assert found == [
        ("<-[:A|B*1..3]-", None, "p", True),
        ("-[:]-", "r", "p", False),
        ("-[:T]->", "odd name", None, False),
        ("-[]->", None, None, False),
    ]


# ---- calling


@pytest.mark.parametrize(
    ("name", "given", "why"),
    [
        ("hit_if_fail", {}, "query 'hit_if_fail' is unknown; .* did you mean hit_if_fails?"),
        ("hit_if_fails", {"ids": "x"}, "parameter 'ids' is unknown; known: id, currency; did you mean id?"),
        ("hit_if_fails", {}, "hit_if_fails: parameter id is missing .*; for example id="),
        ("hit_if_fails", {"id": 7}, "hit_if_fails: parameter id: 7 is no string"),
        ("distress_ranking", {"top": "ten"}, "parameter top: 'ten' is no int"),
        ("distress_ranking", {"top": 2.5}, "parameter top: 2.5 is no int"),
        ("ownership_chain", {"id": "x", "at_least": float("nan")}, "parameter at_least: nan is no float"),
        (
            "exposure_by_counterparty",
            {"id": "x", "at_least": "1.005"},
            "'1.005' is no money; write 1250.50 or 1250.50 EUR",
        ),
        ("exposure_by_counterparty", {"id": "x", "at_least": 1.5}, "1.5 is no money"),
        ("believed_at", {"id": "x"}, "parameter known_then is missing"),
        ("believed_at", {"id": "x", "known_then": "last year"}, "'last year' is no time; write 2024-09-28"),
        ("exposure_to_distressed", {"kinds": 3}, "parameter kinds: 3 is no list<string>"),
    ],
)
def test_a_wrong_call_is_answered_before_any_store_is_asked(name: str, given: dict[str, object], why: str) -> None:
    with pytest.raises(CatalogError, match=why):
        Catalog().run(None, name, given, AsOf())  # type: ignore[arg-type]  # no store: it must not be reached


def test_values_reach_the_store_in_the_form_it_holds_them() -> None:
    values = Catalog()["exposure_by_counterparty"].values({"id": "lei:x", "at_least": "1250.50 EUR"})
    assert values == {"id": "lei:x", "at_least": 125050}
    assert Catalog()["exposure_by_counterparty"].values({"id": "x", "at_least": "900 JPY"})["at_least"] == 900
    trail = Catalog()["payment_trail"].values({"id": "x", "since": "2024-02-29"})
    assert trail["since"] == "2024-02-29T00:00:00.000000Z"
    kinds = Catalog()["exposure_to_distressed"].values({"kinds": "default, lawsuit"})["kinds"]
    assert kinds == ["default", "lawsuit"]


@pytest.mark.parametrize("top", [-1, 0, "-1"])
def test_a_number_of_rows_is_at_least_one(top: object) -> None:
    with pytest.raises(CatalogError, match=r"risk_runs: parameter top: -?\d rows are none; give at least 1"):
        Catalog()["risk_runs"].values({"top": top})
    assert Catalog()["risk_runs"].values({"top": 1})["top"] == 1
