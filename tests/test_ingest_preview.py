"""A preview says what a judgement will change, on the ledger and on both stores; taking it back leaves no trace."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from ingest.preview import Difference, differences, preview
from ingest.resolve import forbid
from ingest.rulings import Author, Ruling, merging, parting, undoing
from kg.files import Files
from kg.ledger import Ledger
from kg.model import AsOf, Claim, ClaimBatch, Edge, Evidence, Facts, Judgement, Node, RunManifest, day
from kg.store import GraphStore
from kg.vectors import address, put_vectors

WHO = Author("Iris Hallam", "one address")
AT = AsOf(valid=day("2021-06-01"))
BIG, SMALL, ALIAS, FIRM = "lei:BIG", "lei:SMALL", "name:big bank", "lei:FIRM"


@pytest.fixture
def banks(tmp_path: Path, files: Files) -> Iterator[Ledger]:
    """Two banks, a name that may be one of them, loans, distress scores and vectors."""
    digest = put_vectors(files, np.eye(4, dtype=np.float32))

    def scored(id: str, distress: float, row: int) -> list[Claim]:
        told = Evidence("m" * 64, f"row:{row}", "scored", "model.risk@1")
        key = {"key": "model a"}
        return [
            Claim(Facts(id, {"distress": distress}, **key), told, day("2021-01-01")),
            Claim(Facts(id, {"embedding": address(digest, row)}, **key), told, day("2021-01-01")),
        ]

    def loan(a: str, b: str, amount: int) -> Edge:
        return Edge("LENDS_TO", a, b, {"amount": Decimal(amount), "currency": "EUR"}, "f1")

    said = [
        *(Node("Bank", id, {"name": name}) for id, name in ((BIG, "Big Bank AG"), (SMALL, "Small Bank plc"))),
        Node("Bank", ALIAS, {"name": "Big Bank"}),
        Node("Company", FIRM, {"name": "Steel Works SA"}),
        *(loan(BIG, FIRM, 40), loan(ALIAS, FIRM, 25), loan(SMALL, ALIAS, 7)),
    ]
    told = Evidence("d" * 64, "row:1", "a row", "registers.rows@1")
    scores = [c for n, (id, p) in enumerate(((BIG, 0.1), (SMALL, 0.2), (ALIAS, 0.9))) for c in scored(id, p, n)]
    with Ledger.open(tmp_path / "ledger") as ledger:
        batch = ClaimBatch.of([*(Claim(what, told, day("2020-01-01")) for what in said), *scores])
        ledger.commit(batch, RunManifest("test", {}))
        yield ledger


def plain(table: pa.Table) -> list[dict[str, Any]]:
    """Versions without the known clock, which a preview can only guess."""
    return [{k: v for k, v in row.items() if not k.startswith("known")} for row in table.to_pylist()]


def carried_out(ledger: Ledger, files: Files, ruling: Ruling) -> list[Difference]:
    """Commit a ruling after its preview, and hold the preview to what came of it."""
    head, before = ledger.head, ledger.view(AT)
    foretold = preview(ledger, ruling, AT)
    assert ledger.head == head
    ruling.commit(ledger, files)
    real, delta = differences(before, ledger.view(AT)), ledger.delta(head)
    assert tuple(real) == foretold.differences
    assert plain(delta.opens) == plain(foretold.delta.opens)
    assert plain(delta.closes) == plain(foretold.delta.closes)
    assert delta.nodes.equals(foretold.delta.nodes)
    return real


def test_a_preview_writes_nothing_and_names_every_score_vector_and_edge(banks: Ledger, files: Files) -> None:
    before, kept = banks.events(), sorted(p.name for p in files.folder.rglob("*"))
    found = preview(banks, merging(banks, BIG, ALIAS, WHO), AT)
    assert banks.events().equals(before) and sorted(p.name for p in files.folder.rglob("*")) == kept
    by = {(d.what, d.id, d.name, d.key): (d.before, d.after) for d in found.differences}
    assert by["entity", ALIAS, "Bank", ""] == ("Bank", None)
    assert by["score", ALIAS, "distress", "model a"] == (0.9, None)
    assert ("embedding", ALIAS, "embedding", "model a") in by
    assert by["edge", SMALL, "LENDS_TO", f"{BIG} f1"] == (None, Decimal(7))
    assert by["name", BIG, "name", "Big Bank"] == (None, "Big Bank")


def test_a_number_that_changes_says_by_how_much(banks: Ledger, files: Files) -> None:
    merging(banks, BIG, ALIAS, WHO).commit(banks, files)
    (loan,) = [d for d in preview(banks, undoing(banks, BIG, ALIAS), AT).differences if d.key == f"{FIRM} f1" and d.by]
    assert (loan.id, loan.before, loan.after, loan.by) in (
        (BIG, Decimal(25), Decimal(40), 15.0),
        (BIG, Decimal(40), Decimal(25), -15.0),
    )


@pytest.mark.parametrize("act", ["merge", "part", "undo"])
def test_what_comes_is_what_was_foretold(banks: Ledger, files: Files, act: str) -> None:
    found = carried_out(banks, files, merging(banks, BIG, ALIAS, WHO))
    assert found
    if act == "part":
        assert carried_out(banks, files, parting(banks, BIG, ALIAS, WHO))
    if act == "undo":
        back = carried_out(banks, files, undoing(banks, BIG, ALIAS))
        assert {(d.id, d.name, d.key, d.before, d.after) for d in back} == {
            (d.id, d.name, d.key, d.after, d.before) for d in found
        }


def test_forbidding_what_was_never_joined_changes_nothing_now(banks: Ledger, files: Files) -> None:
    assert carried_out(banks, files, parting(banks, SMALL, ALIAS)) == []


def state(store: GraphStore, ledger: Ledger) -> tuple[str, list[dict[str, Any]], list[dict[str, Any]]]:
    """Graph hash, every score, and the vectors nearest to one direction."""
    store.sync(ledger)
    clocks = "r.valid_from <= $valid AND r.valid_to > $valid AND r.known_from <= $known AND r.known_to > $known"
    text = f"""MATCH (n:Entity)-[r:HAS_SCORE]->(v:Score) WHERE {clocks}
      AND r.published <= $published AND r.published_to > $published
      RETURN n.id AS id, v.property AS property, v.number AS number, r.statement AS said ORDER BY id, property, said"""
    near = store.nearest("Bank", [1.0, 0.5, 0.25, 0.0], 5, AT)
    return store.graph_hash(), store.query(text, {}, AT).to_pylist(), near.to_pylist()


def test_a_merge_that_is_undone_leaves_hash_scores_and_vectors_as_they_were(
    banks: Ledger, files: Files, store: GraphStore
) -> None:
    before = state(store, banks)
    merging(banks, BIG, ALIAS, WHO).commit(banks, files)
    merged = state(store, banks)
    assert all(one != other for one, other in zip(before, merged, strict=True))
    undoing(banks, BIG, ALIAS).commit(banks, files)
    assert state(store, banks) == before
    assert store.rebuild(banks).opened and state(store, banks) == before


def test_a_forbidden_pair_stays_two_on_the_store_though_third_ids_join_both(
    banks: Ledger, files: Files, store: GraphStore
) -> None:
    forbid(banks, files, BIG, SMALL)
    told = Evidence("s" * 64, "row:1", "one", "registers.rows@1")
    judged = [Claim(Judgement(ALIAS, id), told, day("2020-01-01")) for id in (BIG, SMALL)]
    banks.commit(ClaimBatch.of(judged), RunManifest("test", {}))  # a source that judges without asking
    store.sync(banks)
    text = "MATCH (n:Bank)-[r:HAS_NAME]->(v) WHERE r.known_to > $known RETURN n.id AS id, v.text AS name ORDER BY name"
    found = {row["name"]: row["id"] for row in store.query(text, {}).to_pylist()}
    assert found == {"Big Bank": BIG, "Big Bank AG": BIG, "Small Bank plc": SMALL}
    assert {BIG, SMALL} <= set(banks.view(AT).ids)
