"""The log: what it takes, how it is seen at an instant, and what never changes."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from deltalake import DeltaTable

from kg.ledger import Ledger
from kg.model import AsOf, Claim, ClaimBatch, Edge, Judgement, Node
from kg.project import project
from tests.ledger_world import RUN, amounts, bank, evidence, loan, two_banks
from tests.operations import START, Ticking, World, instants
from tests.replay import answer_of


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return two_banks(tmp_path / "ledger")


def test_the_same_batch_twice_makes_one_commit(ledger: Ledger) -> None:
    batch = ClaimBatch.of([loan(10)])
    assert ledger.commit(batch, RUN) == 2
    assert ledger.commit(batch, RUN) == 2
    assert ledger.events().num_rows == 5


@pytest.mark.parametrize("name", ["a b", "größer", "#1?", "100%"])
def test_a_ledger_may_lie_in_a_folder_of_any_name(tmp_path: Path, name: str) -> None:
    with two_banks(tmp_path / name) as ledger:
        ledger.commit(ClaimBatch.of([loan(10)]), RUN)
        told = ledger.alive()
    with Ledger.open(tmp_path / name) as again:
        assert again.alive().equals(told) and len(amounts(again, AsOf())) == 1
        again.compact()
        assert again.alive().equals(told)


def test_a_new_extractor_version_says_the_same_claim(ledger: Ledger) -> None:
    ledger.commit(ClaimBatch.of([loan(10, extractor="registers.csv@1")]), RUN)
    assert ledger.commit(ClaimBatch.of([loan(10, extractor="registers.csv@2")]), RUN) == 2


def test_two_documents_that_say_one_thing_are_two_claims_and_one_edge(ledger: Ledger) -> None:
    ledger.commit(ClaimBatch.of([loan(10, "doc1"), loan(10, "doc2")]), RUN)
    edges = ledger.view().edges
    assert edges.num_rows == 1
    assert ledger.evidence(edges["statement"][0].as_py()).num_rows == 2
    version = next(v for v in ledger.delta(0).opens.to_pylist() if v["type"] == "LENDS_TO")
    assert len(version["claims"]) == 2 and version["conflict"] == 0


def test_a_retracted_claim_is_gone_after_its_commit_and_can_come_back(ledger: Ledger) -> None:
    batch = ClaimBatch.of([loan(10)])
    ledger.commit(batch, RUN)
    claim = ledger.view().edges["claim"][0].as_py()
    ledger.retract([claim], RUN)
    ledger.commit(batch, RUN)
    seen = [len(amounts(ledger, AsOf(known=ledger.known(k)))) for k in (1, 2, 3, 4)]
    assert seen == [0, 1, 0, 1]


def test_rereading_a_document_is_a_diff_in_one_commit(ledger: Ledger) -> None:
    other = Claim(Edge("OWNS", "lei:A", "lei:B", {"share": 0.5}), evidence("news"), START)
    ledger.commit(ClaimBatch.of([loan(10, "news"), other]), RUN)
    ledger.commit(ClaimBatch.of([loan(12, "news"), other]), RUN, replaces=["news"])
    counts = ledger.commits().to_pylist()[-1]
    assert (counts["asserted"], counts["retracted"]) == (1, 1)
    assert [e for e in ledger.view().edges["value_decimal"].to_pylist() if e] == [12]


def test_a_restated_value_and_the_original_are_each_returned_for_their_date(ledger: Ledger) -> None:
    first, later = START + timedelta(days=60), START + timedelta(days=400)
    ledger.commit(ClaimBatch.of([loan(10, "10-K", first), loan(13, "10-K/A", later)]), RUN)
    assert amounts(ledger, AsOf(published=first)) == [10]
    assert amounts(ledger, AsOf(published=later - timedelta(seconds=1))) == [10]
    assert amounts(ledger, AsOf(published=later)) == [13]


def test_the_more_reliable_source_wins_and_the_loser_stays_in_the_ledger(ledger: Ledger) -> None:
    rumour = loan(99, "news", START + timedelta(days=900), "news.relations@1")
    ledger.commit(ClaimBatch.of([loan(10), rumour]), RUN)
    assert amounts(ledger, AsOf()) == [10]
    assert 99 in ledger.alive()["value_decimal"].to_pylist()


def test_a_merge_renames_only_from_its_commit_on(ledger: Ledger) -> None:
    edge = Edge("LENDS_TO", "lei:A", "name:beta bank", {"amount": Decimal(5), "currency": "EUR"})
    news = Claim(Node("Company", "name:beta bank"), evidence("news"), START)
    ledger.commit(ClaimBatch.of([news, Claim(edge, evidence("news"), START)]), RUN)
    ledger.commit(ClaimBatch.of([Claim(Judgement("name:beta bank", "lei:B"), evidence("run"), START)]), RUN)

    def targets(commit: int) -> list[str]:
        view = ledger.view(AsOf(known=ledger.known(commit)))
        return [view.ids[t] for t in view.edges["target"].to_pylist()]

    assert (targets(2), targets(3)) == (["name:beta bank"], ["lei:B"])


def test_a_not_same_judgement_keeps_two_entities_apart(ledger: Ledger) -> None:
    judged = [Claim(Judgement("lei:A", "lei:B", same), evidence("run"), START) for same in (True, False)]
    ledger.commit(ClaimBatch.of(judged), RUN)
    assert ledger.view().ids == ["lei:A", "lei:B"]


def test_compaction_and_vacuum_change_no_view(tmp_path: Path) -> None:
    world = World(Ledger.open(tmp_path / "ledger", clock=Ticking()), seed=3)
    world.start()
    world.run(60)
    asked = instants(world.ledger, 20, seed=4)
    before = [answer_of(world.ledger.view(AsOf(*at))) for at in asked]
    versions = world.ledger.delta(0).opens
    files = len(list((tmp_path / "ledger" / "table").glob("*.parquet")))
    world.ledger.compact(keep_hours=0)
    assert len(list((tmp_path / "ledger" / "table").glob("*.parquet"))) == 1 < files
    for cached in (tmp_path / "cache").glob("*"):
        for file in cached.iterdir():
            file.unlink()
        cached.rmdir()
    reopened = Ledger.open(tmp_path / "ledger", clock=Ticking())
    assert [answer_of(reopened.view(AsOf(*at))) for at in asked] == before
    assert reopened.delta(0).opens.equals(versions)
    world.run(5)


def test_every_hundred_files_the_table_is_compacted(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kg.ledger.COMPACT_AFTER", 5)
    for amount in range(1, 8):
        ledger.commit(ClaimBatch.of([loan(amount, f"doc {amount}")]), RUN)
    assert len(DeltaTable(ledger.folder / "table").file_uris()) < 5
    assert ledger.head == 8


def test_a_reader_in_the_middle_of_a_question_survives_a_compaction(ledger: Ledger) -> None:
    ledger.commit(ClaimBatch.of([loan(10)]), RUN)
    reader = Ledger.open(ledger.folder)
    cursor = reader.cursor()
    ledger.compact()
    assert project(cursor, 0, 2).opens.num_rows == reader.delta(0).opens.num_rows > 0


def test_a_view_asked_twice_is_read_from_disk_and_equal(ledger: Ledger) -> None:
    ledger.commit(ClaimBatch.of([loan(10)]), RUN)
    first = ledger.view()
    assert len(list((ledger.folder.parent / "cache").iterdir())) == 1
    again = ledger.view()
    assert (first.nodes, first.edges, first.facts) == (again.nodes, again.edges, again.facts)


def test_paths_come_shortest_first(ledger: Ledger) -> None:
    extra = [bank("lei:C", "Gamma"), loan(10)]
    edges = [Edge("OWNS", "lei:A", "lei:C", {"share": 0.5}), Edge("OWNS", "lei:C", "lei:B", {"share": 0.5})]
    ledger.commit(ClaimBatch.of(extra + [Claim(e, evidence("doc3"), START) for e in edges]), RUN)
    view = ledger.view()
    assert [len(p) for p in view.paths("lei:A", "lei:B", 3)] == [1, 2]
    assert view.names[view.index["lei:C"]] == "Gamma"


def test_the_existence_of_a_merged_entity_carries_the_label_it_goes_by(ledger: Ledger) -> None:
    ledger.commit(ClaimBatch.of([Claim(Node("Company", "name:beta bank"), evidence("news"), START)]), RUN)
    ledger.commit(ClaimBatch.of([Claim(Judgement("name:beta bank", "lei:B"), evidence("run"), START)]), RUN)
    existence = [v for v in ledger.delta(0).opens.to_pylist() if v["property"] == "label" and v["source"] == "lei:B"]
    assert {v["value_text"] for v in existence} == {"Bank"}


def test_a_contradiction_that_comes_later_is_counted_from_its_commit_on(ledger: Ledger) -> None:
    ledger.commit(ClaimBatch.of([loan(10)]), RUN)
    ledger.commit(ClaimBatch.of([loan(11, "news", START, "news.relations@1")]), RUN)
    loans = [v for v in ledger.delta(0).opens.to_pylist() if v["type"] == "LENDS_TO"]
    assert [
        (v["known_from"], v["value_decimal"], v["conflict"]) for v in sorted(loans, key=lambda v: v["known_from"])
    ] == [
        (ledger.known(2), 10, 0),
        (ledger.known(3), 10, 1),
    ]
