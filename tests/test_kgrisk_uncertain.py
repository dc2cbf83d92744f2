"""From claims of unequal confidence to the range of an answer, on a real ledger and from the command line."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from kg.model import Claim, ClaimBatch, Edge, Evidence, Node, RunManifest, digest
from kgrisk.api import Graph
from kgrisk.settings import Settings
from tests.kgrisk_world import kgrisk_here

THEN = datetime(2024, 1, 1, tzinfo=UTC)
A, B, C = "lei:A", "lei:B", "lei:C"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report (0.8) says what B lent to A, a rumour (0.6) what C lent to B; a paper (0.5) agrees, a rival not."""
    home = tmp_path_factory.mktemp("doubt") / "home"
    with Graph(home, Settings.load(home=home)) as graph:
        claims = [
            said(Node("Bank", id, money(equity="30", external_assets="90"), "FY2023"), "books") for id in (A, B, C)
        ]
        claims += [
            said(Edge("LENDS_TO", B, A, money(amount="60"), ""), "report", 0.8),
            said(Edge("LENDS_TO", C, B, money(amount="40"), ""), "rumour", 0.6),
            said(Edge("LENDS_TO", C, B, money(amount="40"), ""), "paper", 0.5, datetime(2023, 6, 1, tzinfo=UTC)),
            said(Edge("LENDS_TO", C, B, money(amount="99"), ""), "rival", 0.5, datetime(2023, 6, 1, tzinfo=UTC)),
        ]
        graph.ledger.commit(ClaimBatch.of(claims), RunManifest("ingest"))
    return home


def money(**amounts: str) -> Mapping[str, Any]:
    return {name: Decimal(value) for name, value in amounts.items()} | {"currency": "EUR"}


def said(what: Node | Edge, document: str, confidence: float = 1.0, since: datetime = THEN) -> Claim:
    quote = f"{document} says so"
    evidence = Evidence(digest(document.encode()), "row:1", quote, "registers.test@1", confidence)
    return Claim(what, evidence, THEN, since)


@pytest.fixture
def graph(home: Path) -> Iterator[Graph]:
    with Graph(home, Settings.load(home=home)) as graph:
        yield graph


def test_an_answer_carries_the_range_that_its_claims_allow(graph: Graph) -> None:
    risk = graph.risk("debtrank", A, draws=100)
    assert risk.uncertain is not None and risk.uncertain.exact
    place = risk.losses.exposures.index
    # B loses 60 with probability 0.8 and then fails, so C loses 40 with probability 0.8 x (1 - 0.4 x 0.5)
    each = risk.uncertain.each
    assert each.mean[[place[B], place[C]]].tolist() == pytest.approx([0.8 * 60, 0.8 * 0.8 * 40])
    rows = {row["id"]: row for row in risk.table()}
    assert (rows[B]["low"], rows[B]["loss"], rows[B]["high"]) == pytest.approx((0, 60, 60))
    assert risk.range["mean"] == pytest.approx(30 + 48 + 25.6) and risk.range["worlds"] == 4
    assert graph.risk("debtrank", A).range == {} and "low" not in graph.risk("debtrank", A).table().columns


def test_the_document_that_would_change_most_leads_to_its_words(graph: Graph) -> None:
    (row,) = graph.telling(graph.risk("debtrank", A)).rows()  # two papers say what C lent: it hangs on neither
    assert row["document"] == digest(b"report") and row["quote"] == "report says so" and row["locator"] == "row:1"
    assert row["change"] == pytest.approx(-100) and row["without"] == pytest.approx(30) and row["statements"] == 1
    assert graph.explain(row["statement"]).what["target"] == A
    assert graph.telling(graph.risk("debtrank", A), C).rows()[0]["change"] == pytest.approx(-40)


def test_the_command_shows_ranges_and_documents(home: Path) -> None:
    args = ("risk", "debtrank", "--shock", A, "--home", str(home), "--draws", "100")
    told = json.loads(kgrisk_here(*args, "--json", cwd=home).stdout)
    assert {row["id"]: row["low"] for row in told["losses"]} == pytest.approx({A: 30, B: 0, C: 0})
    assert told["range"]["high"] == pytest.approx(130) and told["telling"][0]["document"] == digest(b"report")
    text = kgrisk_here(*args, cwd=home)
    assert text.returncode == 0, text.stderr
    assert "from 30 to 130" in text.stdout and "report says so" in text.stdout and "high" in text.stdout
    assert "worlds" not in kgrisk_here(*args[:-2], cwd=home).stdout
