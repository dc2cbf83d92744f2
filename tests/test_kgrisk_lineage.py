"""A number is followed back to its documents, and every count, digest and share on the way is that of the ledger."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from hashlib import sha256
from pathlib import Path

import pytest

from kg.errors import KgRiskError
from kg.model import AsOf, as_time
from kgrisk.api import Graph
from kgrisk.api import open as open_graph
from kgrisk.lineage import digest, lines
from kgrisk.risk import run_of
from kgrisk.settings import Settings
from tests.kgrisk_world import BIG, FIRM, SMALL, kgrisk_here, write_registers


@pytest.fixture
def graph(tmp_path: Path) -> Iterator[Graph]:
    with open_graph(tmp_path / "home", settings=Settings(home=tmp_path / "home")) as made:
        made.ingest(write_registers(tmp_path / "in"))
        yield made


def test_a_number_of_a_document_leads_to_its_claims_and_the_document(graph: Graph) -> None:
    steps = graph.lineage(f"equity:{BIG}")
    claims = graph.ledger.evidence(steps["number"]["statement"])
    assert "run" not in steps and steps["statements"]["count"] == steps["claims"]["count"] == claims.num_rows == 1
    assert steps["claims"]["digest"] == sha256(claims["claim"][0].as_py().encode()).hexdigest()
    assert steps["documents"] == {"count": 1, "digest": digest(claims["document"].to_pylist())}
    assert steps["complete"] == {
        "documents_kept": 1.0, "read_back": 1.0, "read_back_of": 1, "of_more_than_one_document": 0.0,
    }  # fmt: skip
    assert steps["claims"]["published"][0].startswith("2020-02-2")


def test_a_loss_leads_through_its_run_and_snapshot_to_every_claim_that_was_public(graph: Graph) -> None:
    found = graph.risk("debtrank", {FIRM: 1.0}, publish=True)
    later = graph.lineage(f"contagion_loss:{SMALL}")
    run = later["run"]
    assert run["id"] == run_of(found) and (run["kind"], run["commit"]) == ("risk", 1)
    assert later["model"]["measure"] == "debtrank" and later["number"]["subject"] == SMALL
    seen, alive = graph.ledger.view(found.snapshot.at), graph.ledger.alive(1)
    counts = {"nodes": len(seen), "edges": seen.edges.num_rows, "facts": seen.facts.num_rows}
    assert {name: later["snapshot"][name] for name in counts} == counts and min(counts.values()) > 1
    assert later["claims"]["count"] == alive.num_rows and later["claims"]["by_models"] == 0
    assert later["claims"]["digest"] == digest(alive["claim"].to_pylist())
    assert later["statements"]["count"] == len(set(alive["statement"].to_pylist()))
    assert later["documents"]["count"] == 3 and later["complete"]["read_back"] == 1.0
    assert later["claims"]["extractors"] == {"registers.rows@3": alive.num_rows}


def test_a_run_is_named_by_its_first_digits_and_a_run_of_reading_has_documents_alone(graph: Graph) -> None:
    run = graph.ledger.commits()["run"][0].as_py()
    steps = graph.lineage(run[:12])
    assert steps["run"]["kind"] == "ingest" and "snapshot" not in steps and steps["number"] == {}
    assert steps["claims"]["digest"] == digest(graph.ledger.alive(1)["claim"].to_pylist())
    with pytest.raises(KgRiskError, match="no edge, fact or score"):
        graph.lineage("equity:nobody")


def test_what_was_published_later_is_no_part_of_it_and_other_data_has_another_digest(graph: Graph) -> None:
    early, late = (as_time(date(2020, 2, day)) for day in (10, 25))
    asked = {day: AsOf(valid=day, published=day) for day in (early, late)}
    runs = {day: run_of(graph.risk("debtrank", {FIRM: 1.0}, publish=True, at=at)) for day, at in asked.items()}
    before, after = (graph.lineage(runs[day]) for day in (early, late))
    alive = graph.ledger.alive(1)
    public = [claim["claim"] for claim in alive.to_pylist() if claim["published"] <= early]
    assert 0 < len(public) < alive.num_rows and before["claims"]["digest"] == digest(public)
    assert after["claims"]["digest"] == digest(alive["claim"].to_pylist())
    assert before["documents"]["count"] == 2 and after["documents"]["count"] == 3  # the balances came last


def test_a_document_that_is_lost_lowers_the_shares(graph: Graph) -> None:
    document = graph.ledger.evidence(graph.lineage(f"equity:{BIG}")["number"]["statement"])["document"][0].as_py()
    graph.files.path(document).unlink()
    complete = graph.lineage(f"equity:{BIG}")["complete"]
    assert complete["documents_kept"] == complete["read_back"] == 0.0


def test_the_command_tells_a_line_a_step_and_json_on_request(graph: Graph, tmp_path: Path) -> None:
    found = graph.risk("debtrank", {FIRM: 1.0}, publish=True)
    told = list(lines(graph.lineage(f"contagion_loss:{SMALL}")))
    heads = [line.split()[0] for line in told if not line.startswith(" ")]
    assert heads == ["number", "run", "model", "snapshot", "statements", "claims", "documents", "complete"]
    graph.close()
    done = kgrisk_here("lineage", run_of(found)[:10], "--home", tmp_path / "home", "--json", cwd=tmp_path)
    assert done.returncode == 0 and json.loads(done.stdout)["run"]["id"] == run_of(found)
    text = kgrisk_here("lineage", f"contagion_loss:{SMALL}", "--home", tmp_path / "home", cwd=tmp_path)
    assert "100.0% of documents kept" in text.stdout and text.returncode == 0
