"""Payments of a graph: a detector is trained, kept, asked as of a time, and what it suspects becomes claims."""

from __future__ import annotations

import json
import pickle
import re
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import csv, parquet

from gnn.checkpoint import FACTS
from gnn.payments import Payments, Settings
from gnn.payments.checkpoint import load, settings_of, told
from gnn.payments.run import RAW, Asked, Trained, latest, scored
from kg.errors import KgRiskError, ModelError
from kg.model import AsOf
from kgrisk.api import Graph
from kgrisk.api import open as open_graph
from tests.kgrisk_world import kgrisk_here
from tests.test_gnn_payments_detector import SMALL, START, planted

CUT = START + timedelta(days=80)
LATER = START + timedelta(days=90)
FEW: dict[str, Any] = {"valid": SMALL.valid, "wiring": SMALL.wiring, "course": SMALL.course}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A graph of planted payments, and beside it the labels of its edges."""
    folder = tmp_path_factory.mktemp("payments")
    table = planted()
    names = [f"acct:{n:05d}" for n in range(300)]
    ends = {side: pa.array([names[n] for n in table[side].to_pylist()]) for side in ("source", "target")}
    rows = {"payment_id": table["id"], "time": pa.array([f"{t:%Y-%m-%dT12:00:00Z}" for t in table["time"].to_pylist()])}
    rows |= {"payer_account": ends["source"], "payee_account": ends["target"], "amount": table["amount"]}
    (folder / "in").mkdir()
    csv.write_csv(pa.table(rows | {"currency": pa.array(["EUR"] * len(table))}), folder / "in" / "payments.csv")
    days = [f"{t:%Y-%m-%d}" for t in table["time"].to_pylist()]
    keys = list(zip(ends["source"].to_pylist(), ends["target"].to_pylist(), days, strict=True))
    bad = {key for key, truth in zip(keys, table["truth"].to_pylist(), strict=True) if truth}
    with open_graph(folder / "home") as graph:
        graph.ingest(folder / "in")
        snapshot = graph.snapshot()
        edges = snapshot.edges_of("PAID").to_pylist()
    told = [
        (e["id"], (snapshot.ids[e["source"]], snapshot.ids[e["target"]], f"{e['valid_from']:%Y-%m-%d}")) for e in edges
    ]
    truth = [int(key in bad) for _, key in told]
    parquet.write_table(pa.table({"payment": [id for id, _ in told], "truth": truth}), folder / "labels.parquet")
    return folder


@pytest.fixture(scope="module")
def trained(home: Path) -> Trained:
    with open_graph(home / "home") as graph:
        found: Trained = graph.payments.train(CUT, home / "labels.parquet", **FEW)
    return found


def graph_of(home: Path) -> Graph:
    return open_graph(home / "home")


def figure(trained: Trained, model: str, metric: str) -> dict[str, Any]:
    (row,) = [r for r in trained.metrics.to_pylist() if (r["model"], r["metric"]) == (model, metric)]
    return row


def test_a_detector_trained_on_a_graph_beats_boosting_on_the_columns_of_the_payment_alone(trained: Trained) -> None:
    both, raw = figure(trained, "both", "AUPRC"), figure(trained, RAW, "AUPRC")
    assert both["low"] > raw["high"] and both["count"] == raw["count"] > 200
    assert len(trained.remarks) == 1 and trained.remarks[0].startswith("No-peek certificate:") and both["value"] > 0.5


def test_a_detector_read_back_says_the_same_to_the_bit(home: Path, trained: Trained) -> None:
    again, facts = load(trained.checkpoint)
    assert facts["run"] == trained.run and again.settings == trained.detector.settings
    with graph_of(home) as graph:
        first = graph.payments.score(LATER)
        assert latest(home / "home" / "runs") == trained.checkpoint
    kept, own = trained.detector, again
    assert kept.threshold == own.threshold and kept.scales == own.scales
    with graph_of(home) as graph:
        table = Asked().table(graph.snapshot())
        rows = scored(graph.ledger, trained.checkpoint, since=LATER).table
    payments = Payments.of(table)
    said = {one.id: one for one in kept.score(payments, payments.between(LATER, None))}
    assert {r["statement"]: (r["probability"], r["low"], r["high"]) for r in rows.to_pylist()} == {
        id: (one.probability, one.low, one.high) for id, one in said.items()
    }
    assert first.table.equals(rows)


def test_every_probability_lies_in_its_interval_and_comes_with_members_and_reasons(
    home: Path, trained: Trained
) -> None:
    with graph_of(home) as graph:
        rows = graph.payments.score(LATER).rows()
    assert [r["probability"] for r in rows] == sorted((r["probability"] for r in rows), reverse=True)
    assert all(0 <= r["low"] <= r["probability"] <= r["high"] <= 1 for r in rows)
    assert rows[0]["alert"] and rows[0]["high"] - rows[0]["low"] > 0 and rows[0]["why"]
    assert {"by_boost", "by_network"} <= set(rows[0])


@pytest.mark.slow
def test_suspicions_are_claims_beside_the_payments_they_speak_of(home: Path, trained: Trained, tmp_path: Path) -> None:
    shutil.copytree(home / "home", tmp_path / "home")
    with open_graph(tmp_path / "home") as graph:
        before = graph.ledger.instant()[1].known
        said = graph.payments.score(LATER, publish=True)
        rows = {
            r["edge"]: r
            for r in graph.cypher(
                """MATCH (b:Entity)<-[p:PAID]-(a:Entity)-[s:HAS_SCORE]->(v:Score)
                WHERE s.property = 'laundering' AND s.key = p.statement AND p.known_to > $known AND s.known_to > $known
                RETURN a.id AS payer, b.id AS payee, p.id AS edge, p.amount AS amount, v.number AS probability,
                  s.published AS said"""
            )
        }
        alerts = [r for r in said if r["alert"]]
        assert set(rows) == {r["edge"] for r in alerts} and len(alerts) > 5
        for alert in alerts:
            row = rows[alert["edge"]]
            assert row["probability"] == pytest.approx(alert["probability"]) and row["payer"] == alert["source"]
        best = alerts[0]
        facts = graph.snapshot().facts_of("laundering").to_pylist()
        (statement,) = [f["statement"] for f in facts if f["key"] == best["statement"]]
        proof = graph.explain(statement).evidence.rows()
        assert all(row["read_back"] for row in proof) and len(proof) >= 2
        (run,) = [row for row in proof if row["locator"].startswith("run:")]
        assert repr(best["probability"]) in run["quote"] and repr(best["low"]) in run["quote"]
        trade = next(row for row in proof if row["locator"].startswith("row"))
        assert best["source"].removeprefix("acct:") in trade["quote"] or "sum" in trade["locator"]
        assert graph.explain(statement).run["detector"] == trained.run
        assert not len(graph.snapshot(AsOf(known=before)).facts_of("laundering"))  # as of then nobody had said it
        early = graph.snapshot(AsOf(published=CUT)).facts_of("laundering")
        assert not len(early)
        assert len(graph.scores("laundering")) > 0
        head = graph.ledger.head
        graph.payments.score(LATER, publish=True)
        assert graph.ledger.head == head  # the same again adds nothing
        graph.payments.score(LATER, publish=True, least=1.0)
        assert not len(graph.snapshot().facts_of("laundering"))  # a later run takes the former one's place


def test_scores_as_of_a_time_are_those_of_a_graph_that_ends_there(home: Path, trained: Trained) -> None:
    moment = LATER + timedelta(days=3)
    with graph_of(home) as graph:
        then = graph.payments.score(LATER, AsOf(published=moment)).rows()
        now = {r["statement"]: r for r in graph.payments.score(LATER).rows()}
    assert then and max(r["published"] for r in then) <= moment
    assert all(now[r["statement"]]["probability"] == r["probability"] for r in then)


def test_the_command_line_trains_scores_and_publishes(home: Path, trained: Trained, tmp_path: Path) -> None:
    shutil.copytree(home / "home", tmp_path / "home")
    done = kgrisk_here(
        "payments", "score", "--since", f"{LATER:%Y-%m-%d}", "--publish", "--json", "--home", "home", cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)
    assert rows[0]["probability"] >= rows[-1]["probability"] and "published in commit" in done.stderr
    done = kgrisk_here("scores", "laundering", "--home", "home", "--json", cwd=tmp_path)
    assert done.returncode == 0 and json.loads(done.stdout)[0]["laundering"] == pytest.approx(rows[0]["probability"])


REFUSED = {
    "no account is flagged": ["train", "--cut", "2024-03-21"],
    "cannot be read|no CSV or Parquet": ["train", "--cut", "2024-03-21", "--labels", "nowhere.csv"],
    "columns payment, truth": ["train", "--cut", "2024-03-21", "--labels", "columns.csv"],
    "name no payment of the graph": ["train", "--cut", "2024-03-21", "--labels", "strange.csv"],
    "neither 0 nor 1": ["train", "--cut", "2024-03-21", "--labels", "half.csv"],
    "training part has 0": ["train", "--cut", "2024-03-21", "--labels", "harmless.csv"],
    "no payment is stated": ["train", "--cut", "2001-01-01"],
    "no rate from EUR": ["train", "--cut", "2024-03-21", "--currency", "USD"],
    "no payment from 2030": ["score", "--since", "2030-01-01"],
    "would judge what it learned from": ["score", "--since", "2024-01-05"],
    "runs in .* begin with 'zz'": ["score", "--run", "zz"],
}


@pytest.mark.parametrize("why", REFUSED)
def test_a_wrong_question_is_refused_by_what_is_wrong_with_it(
    why: str, home: Path, trained: Trained, tmp_path: Path
) -> None:
    edges = parquet.read_table(home / "labels.parquet")["payment"].to_pylist()
    (tmp_path / "columns.csv").write_text("id,label\na,1\n")
    (tmp_path / "strange.csv").write_text("payment,truth\nnobody,1\n")
    (tmp_path / "half.csv").write_text(f"payment,truth\n{edges[0]},0.5\n")
    (tmp_path / "harmless.csv").write_text(f"payment,truth\n{edges[0]},0\n")
    done = kgrisk_here("payments", *REFUSED[why], "--home", home / "home", cwd=tmp_path)
    assert done.returncode == 1 and done.stdout == ""
    assert re.search(why, done.stderr.replace("\n", " ")), done.stderr


def test_without_a_detector_scoring_says_what_to_do(home: Path, tmp_path: Path) -> None:
    shutil.copytree(home / "home" / "ledger", tmp_path / "home" / "ledger")
    with open_graph(tmp_path / "home") as graph, pytest.raises(ModelError, match="kgrisk payments train"):
        graph.payments.score()


def broken(folder: Path, what: str) -> None:
    """Spoil a checkpoint in one way."""
    facts = json.loads((folder / FACTS).read_text())
    del facts["of_facts"]  # their digest, which an older version did not write
    weights = folder / facts["weights"]
    if what == "bytes":
        data = bytearray(weights.read_bytes())
        data[-9] ^= 1
        weights.write_bytes(bytes(data))
        return
    facts["facts"] |= {
        "kind": {"kind": "a model of links"},
        "version": {"version": 99},
        "columns": {"names": ["amount"]},
        "settings": {"settings": {}},
        "calibration": {"scales": {}},
    }[what]
    (folder / FACTS).write_text(json.dumps(facts))


SPOILED = {
    "bytes": "another sha256",
    "kind": "no detector of payments",
    "version": "version 99",
    "columns": "no node or column|other columns",
    "settings": "no whole detector",
    "calibration": "whole calibration",
}


@pytest.mark.parametrize("what", SPOILED)
def test_a_broken_or_foreign_checkpoint_is_refused(what: str, trained: Trained, tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    shutil.copytree(trained.checkpoint, folder)
    broken(folder, what)
    with pytest.raises(ModelError, match=SPOILED[what]):
        load(folder)


def test_a_pickle_is_refused_unopened(tmp_path: Path) -> None:
    (tmp_path / "detector.pkl").write_bytes(pickle.dumps({"a": 1}))
    with pytest.raises(ModelError, match="is a pickle"):
        load(tmp_path / "detector.pkl")


def test_settings_that_are_kept_come_back_equal() -> None:
    for settings in (Settings(), SMALL):
        assert settings_of(json.loads(json.dumps(told(settings)))) == settings


def test_a_day_without_a_meaning_is_refused(home: Path) -> None:
    with graph_of(home) as graph, pytest.raises(KgRiskError, match="is no date"):
        graph.payments.train("soon")
    assert datetime.now(UTC) > CUT
