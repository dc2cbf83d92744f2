"""Owners out of a graph: stakes with their ranges, sanctions as of a day, and the evidence of every hop."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

import kgrisk
from kg.errors import KgRiskError, MeasureError
from kg.model import AsOf, Edge, Facts, Node
from kg.snapshot import Snapshot
from kgrisk import patterns
from kgrisk.owners import owners
from queries.ownership.stakes import listed, stakes
from tests.kgrisk_world import kgrisk_here
from tests.laundering_world import CYCLE, Book, drawn, made

PERSON, MIDDLE, FIRM, OTHER = "person:x1", "reg:XX/1", "reg:XX/2", "person:y1"


def held(book: Book, owner: str, owned: str, share: float | None, day: float = 0) -> None:
    """A stake from a day on."""
    book.say(Edge("OWNS", owner, owned, {} if share is None else {"share": share}), day)


@pytest.fixture
def book() -> Book:
    """X has half of a holding that has half of a firm; a range, an unknown share, and a seat on the board."""
    book = Book()
    for id in (PERSON, OTHER):
        book.say(Node("Person", id, {"name": id[-2:].upper()}))
    for id in (MIDDLE, FIRM, "reg:XX/3"):
        book.say(Node("Company", id, {"name": f"Firm {id[-1]} Ltd"}))
    held(book, PERSON, MIDDLE, 0.5)
    held(book, MIDDLE, FIRM, 0.5)
    held(book, OTHER, "reg:XX/3", 0.25)
    book.say(Facts("reg:XX/3", {"statement": "shareholding over 25 to 50 %"}, "interest|r/0"))
    held(book, PERSON, "reg:XX/3", None)
    book.say(Edge("OFFICER_OF", OTHER, FIRM, {"role": "board member"}, "board member"))
    book.say(Edge("OFFICER_OF", OTHER, MIDDLE, {"role": "voting rights 30 %"}, "voting rights"))
    book.say(Edge("SUBSIDIARY_OF", "reg:XX/3", FIRM))
    return book


@pytest.fixture
def snapshot(book: Book, tmp_path: Path) -> Snapshot:
    return book.snapshot(tmp_path / "ledger")


def test_stakes_carry_their_range_kind_and_statement(snapshot: Snapshot) -> None:
    rows = {(row["owner"], row["owned"], row["kind"]): row for row in stakes(snapshot).to_pylist()}
    assert (rows[PERSON, MIDDLE, "capital"]["share"], rows[PERSON, MIDDLE, "capital"]["high"]) == (0.5, 0.5)
    ranged = rows[OTHER, "reg:XX/3", "capital"]
    assert 0.25 < ranged["share"] < 0.2501
    assert (ranged["high"], ranged["told"]) == (0.5, "shareholding over 25 to 50 %")
    unknown = rows[PERSON, "reg:XX/3", "capital"]
    assert (unknown["share"], unknown["high"], unknown["told"]) == (0, 1, "share not told")
    assert rows[OTHER, MIDDLE, "votes"]["share"] == 0.3
    assert rows[FIRM, "reg:XX/3", "control"]["told"] == "subsidiary of"
    assert len(rows) == 6
    known = {*snapshot.edges["statement"].to_pylist()}
    assert all(row["statement"] in known for row in rows.values())


def test_sanctions_reach_a_firm_over_stakes_with_evidence(book: Book, tmp_path: Path) -> None:
    book.say(Facts(PERSON, {"flag": "sanctioned: TEST"}), 10)
    snapshot = book.snapshot(tmp_path / "ledger")
    found = owners(snapshot, FIRM, "ofac")
    assert found.status == "blocked"
    assert [(hop["owner"], hop["owned"]) for hop in found.reached_by] == [(MIDDLE, FIRM), (PERSON, MIDDLE)]
    edges = {edge["id"]: edge["statement"] for edge in snapshot.edges.to_pylist()}
    assert all(edges[hop["edge"]] == hop["statement"] for hop in found.reached_by)
    assert found.reached_by[1]["listed"] in snapshot.facts["statement"].to_pylist()
    assert owners(snapshot, FIRM, "uk").status == "clear"
    assert owners(snapshot, FIRM, "eu", date(2024, 7, 2)).status == "clear"
    assert owners(snapshot, FIRM, "eu", date(2024, 7, 3)).status == "blocked"


def test_the_answer_differs_before_and_after_the_listing(book: Book, tmp_path: Path) -> None:
    book.say(Facts(PERSON, {"flag": "sanctioned: TEST"}), 10)
    folder = tmp_path / "ledger"
    before = book.snapshot(folder, AsOf(valid=datetime(2023, 1, 5, tzinfo=UTC)))
    assert not listed(before)
    assert owners(before, FIRM).status == "clear"
    assert owners(before, FIRM, more=[PERSON]).status == "blocked"


def test_an_unknown_share_is_possible_and_the_unlisted_part_takes_it_back(book: Book, tmp_path: Path) -> None:
    found = owners(book.snapshot(tmp_path / "one"), "reg:XX/3", more=[PERSON])
    assert (found.status, found.low) == ("possible", 0)
    assert found.high == pytest.approx(0.75, abs=1e-6)
    held(book, "person:z1", "reg:XX/3", 0.3)
    book.say(Node("Person", "person:z1"))
    assert owners(book.snapshot(tmp_path / "two"), "reg:XX/3", more=[PERSON]).status == "clear"


def test_beneficial_owners_come_with_their_heaviest_path(snapshot: Snapshot) -> None:
    found = owners(snapshot, FIRM, "ofac")
    (row,) = found.owners
    assert (row["owner"], row["low"], row["by_share"], row["by_control"]) == (PERSON, 0.25, "yes", "no")
    assert [(hop["owner_name"], hop["owned_name"]) for hop in row["path"]] == [
        ("X1", "Firm 1 Ltd"),
        ("Firm 1 Ltd", "Firm 2 Ltd"),
    ]
    assert owners(snapshot, FIRM, "uk").owners == []


def test_an_entity_that_nobody_owns_or_knows_is_said(snapshot: Snapshot) -> None:
    assert owners(snapshot, PERSON).remarks == ("no stake in it is told",)
    with pytest.raises(KgRiskError, match="reg:none is not in the graph"):
        owners(snapshot, "reg:none")


@pytest.fixture
def payments(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "payments.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "source", "target", "amount", "time"])
        writer.writerows([f"e{k}", a, b, x, f"2023-01-0{t}T00:00:00Z"] for k, (a, b, x, t) in enumerate(CYCLE))
    yield path


def test_patterns_are_found_in_a_plain_file_with_parameters_as_text(payments: Path) -> None:
    (row,) = patterns.find_in(payments, "cycles", {"days": "5", "tolerance": "0.05"}).rows()
    assert row["edges"] == ["e0", "e1", "e2", "e3"]
    assert not len(patterns.find_in(payments, "cycles", {"tolerance": "0.01"}))
    with pytest.raises(MeasureError, match="mule_ring needs more than payments"):
        patterns.find_in(payments, "mule_ring")
    with pytest.raises(MeasureError, match="no parameter 'dayz'"):
        patterns.find_in(payments, "cycles", {"dayz": "5"})


def test_patterns_are_found_in_a_graph_and_in_payments_as_they_come(tmp_path: Path) -> None:
    found = patterns.find(made(CYCLE).snapshot(tmp_path / "ledger"), "cycles")
    assert [row["subject"] for row in found] == ["acct:a"]
    watch = patterns.watch(["fan_in", "cycles"], drawn(1))
    assert watch.payments.num_rows == 60
    assert {row["name"] for row in patterns.listing()} >= {"taint", "cycles"}


def test_the_command_line_tells_owners_with_evidence_and_findings_of_a_file(
    book: Book, payments: Path, tmp_path: Path
) -> None:
    book.say(Facts(PERSON, {"flag": "sanctioned: TEST"}), 10)
    book.snapshot(tmp_path / "home" / "ledger")
    asked = ("owners", FIRM, "--regime", "ofac", "--home", tmp_path / "home")
    told = json.loads(kgrisk_here(*asked, "--at", "2023-06-01", "--json", cwd=tmp_path).stdout)
    assert (told["status"], told["on"], told["low"]) == ("blocked", "2023-06-01", 0.5)
    assert all(hop["statement"] for hop in told["reached_by"])
    early = json.loads(kgrisk_here(*asked, "--at", "2023-01-05", "--json", cwd=tmp_path).stdout)
    assert early["status"] == "clear"
    assert "Firm 2 Ltd" in kgrisk_here(*asked, cwd=tmp_path).stdout
    found = json.loads(kgrisk_here("patterns", "cycles", "--payments", payments, "--json", cwd=tmp_path).stdout)
    assert found["found"] == 1
    wrong = kgrisk_here("patterns", "cycle", "--payments", payments, cwd=tmp_path)
    assert (wrong.returncode, "did you mean cycles?" in wrong.stderr) == (1, True)


@pytest.mark.real
def test_the_statements_of_the_real_examples_give_the_owners_they_tell(real_data: Path, tmp_path: Path) -> None:
    with kgrisk.open(tmp_path / "home") as graph:
        graph.ingest(real_data / "ownership" / "bods")
        snapshot = graph.snapshot()
    found = {
        id: {row["name"]: (row["low"], row["by_share"], row["by_control"]) for row in owners(snapshot, id, "uk").owners}
        for id in set(stakes(snapshot)["owned"].to_pylist())
    }
    half = (0.5, "yes", "no")
    assert found["reg:GB-COH/07444723"] == {"Natalie Coleman": half, "Roberto Lopez": half}
    assert [row[1:] for row in found["reg:GB-COH/10970413"].values()] == [("yes", "yes")]  # told as over 25 %
    assert {*found["reg:GB-COH/03209885"].values()} == {(0.75, "yes", "yes")}
    state = found["reg:FI-PRO/3007894-1"]
    assert [(by_share, by_control) for _, by_share, by_control in state.values()] == [("no", "yes")]
    assert sum(bool(rows) for rows in found.values()) >= 15


@pytest.mark.real
def test_the_real_sample_of_payments_has_its_cycles_found(real_data: Path, tmp_path: Path) -> None:
    """The whole way: tar file, ledger, snapshot, pattern. All planted ones come in no order of time."""
    with kgrisk.open(tmp_path / "home") as graph:
        graph.ingest(real_data / "aml")
        found = patterns.find(graph.snapshot(), "cycles", {"days": "150", "tolerance": "0.02", "ordered": "no"})
        flags = graph.snapshot().facts_of("flag")
        bad = {graph.snapshot().ids[row] for row in flags["subject"].to_pylist()}
    hits = [row for row in found.rows() if {*row["parties"]} <= bad]
    assert len(hits) >= 20
    assert len(hits) / len(found) > 0.9
    assert json.dumps(found.remarks)
