"""Early warning: a planted sign is found in time, noise is called noise, and nothing published later is looked at."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from kg.errors import MeasureError
from kg.model import AsOf, Claim, ClaimBatch, Edge, Evidence, Node, RunManifest, digest
from kgrisk.api import Graph
from kgrisk.settings import Settings
from kgrisk.warning import warnings
from queries.warning.alarm import auroc, fit, judge, panel, ranked
from queries.warning.signals import READERS, Signals, failures, signals
from tests.kgrisk_world import kgrisk_here

START, DAYS, FIRMS = datetime(2020, 1, 1, tzinfo=UTC), 1_400, 80
CUT = START + timedelta(days=900)


def said(what: Node | Edge, when: datetime, quote: str = "a line") -> Claim:
    return Claim(what, Evidence(digest(quote.encode()), "row:1", quote, "news.test@1"), when, when)


def world(seed: int, planted: bool) -> Iterator[Claim]:
    """Firms spoken of every month; those that fail are spoken of badly for half a year before, if it is planted."""
    rng = np.random.default_rng(seed)
    fails = {firm: START + timedelta(days=int(d)) for firm, d in enumerate(rng.integers(200, DAYS, FIRMS // 2))}
    for firm in range(FIRMS):
        id = f"lei:F{firm:03}"
        yield said(Node("Company", id, {"name": f"Firm {firm}"}), START)
        for month in range(0, DAYS, 30):
            when = START + timedelta(days=month)
            if firm in fails and when >= fails[firm]:
                break
            doomed = planted and firm in fails and when > fails[firm] - timedelta(days=180)
            tone = float(np.clip(rng.normal(-0.5 if doomed else 0.2, 0.25), -1, 1))
            yield said(Node("Company", id, {"sentiment": tone}, f"doc{firm}-{month}"), when, f"of {firm} in {month}")
        if firm in fails:
            event = f"event:{firm}"
            yield said(Node("Event", event, {"event_type": "bankruptcy"}), fails[firm])
            yield said(Edge("AFFECTED_BY", id, event, {"role": "subject"}, "subject"), fails[firm])


def home_of(folder: Path, claims: Iterator[Claim]) -> Path:
    with Graph(folder, Settings.load(home=folder)) as graph:
        graph.ledger.commit(ClaimBatch.of(claims), RunManifest("ingest"))
    return folder


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return home_of(tmp_path_factory.mktemp("planted") / "home", world(1, planted=True))


@pytest.fixture
def graph(planted: Path) -> Iterator[Graph]:
    with Graph(planted, Settings.load(home=planted)) as graph:
        yield graph


def test_a_planted_sign_warns_months_ahead_and_seldom_in_vain(graph: Graph) -> None:
    found = warnings(graph, CUT, every=60, horizon=180)
    verdict = found.verdict
    assert verdict.events >= 10 and verdict.warned >= 0.8 * verdict.events
    assert np.median(verdict.lead_days) > 60 and verdict.false_alarms < 0.12
    assert verdict.low > 0.8 and verdict.skill.startswith("AUROC")
    assert max(found.weights, key=lambda name: found.weights[name]) == "tone"


def test_an_alert_says_why_and_leads_to_the_words(graph: Graph) -> None:
    alert = warnings(graph, CUT, every=60, horizon=180).alerts.rows()[0]
    assert alert["alarm"] and alert["why"][0].startswith("tone ")
    evidence = graph.explain(alert["statements"][0]).evidence.rows()
    assert evidence[0]["quote"] == f"of {int(alert['name'].split()[1])} in {evidence[0]['quote'].split()[-1]}"


def test_noise_is_called_no_skill(tmp_path: Path) -> None:
    with Graph(home_of(tmp_path / "home", world(2, planted=False)), Settings.load(home=tmp_path / "home")) as graph:
        verdict = warnings(graph, CUT, every=60, horizon=180).verdict
    assert verdict.events >= 10 and verdict.skill.startswith("no skill")


def test_what_is_published_after_a_date_moves_no_signal_of_it(graph: Graph, tmp_path: Path) -> None:
    """The same world with what is after the date told otherwise: every bit of the signals at the date is the same."""
    date = START + timedelta(days=600)

    def rewritten() -> Iterator[Claim]:
        for claim in world(1, planted=True):
            if claim.published <= date:
                yield claim
            elif isinstance(claim.what, Node) and "sentiment" in claim.what.props:
                node = Node(claim.what.label, claim.what.id, {"sentiment": 0.9}, claim.what.key)
                yield said(node, claim.published, claim.evidence.quote)

    before = signals(graph.snapshot(AsOf(date, published=date)), date)
    with Graph(home_of(tmp_path / "home", rewritten()), Settings.load(home=tmp_path / "home")) as other:
        after = signals(other.snapshot(AsOf(date, published=date)), date)
    assert before.ids == after.ids and before.value.tobytes() == after.value.tobytes()
    assert not np.isnan(before.value[:, list(READERS).index("tone")]).all()


def test_a_firm_in_distress_is_no_longer_at_risk_and_its_lender_and_buyer_are_touched(tmp_path: Path) -> None:
    ids = [f"lei:{letter}" for letter in "ABC"]
    claims = [said(Node("Company", id, {"name": id}), START) for id in ids]
    claims += [
        said(Node("Event", "event:1", {"event_type": "default"}), START + timedelta(days=10)),
        said(Edge("AFFECTED_BY", ids[0], "event:1", {"role": "subject"}, "subject"), START + timedelta(days=10)),
        said(Edge("LENDS_TO", ids[1], ids[0], {"amount": Decimal(30), "currency": "EUR"}, "l"), START, "thirty"),
        said(Edge("LENDS_TO", ids[1], ids[2], {"amount": Decimal(10), "currency": "EUR"}, "m"), START),
        said(Edge("SUPPLIES", ids[0], ids[2]), START),
    ]
    with Graph(home_of(tmp_path / "home", iter(claims)), Settings.load(home=tmp_path / "home")) as graph:
        date = START + timedelta(days=20)
        found = signals(graph.snapshot(AsOf(date, published=date)), date)
        assert failures(graph.snapshot())
    names = list(READERS)
    told = {id: dict(zip(names, row, strict=True)) for id, row in zip(found.ids, found.value.tolist(), strict=True)}
    assert set(told) == {ids[1], ids[2]}
    assert told[ids[1]]["debtors"] == 0.75 and told[ids[2]]["suppliers"] == 1
    assert ids[1] in found.statement[names.index("debtors")]


def test_ranks_know_no_unit_and_what_is_unknown_stands_in_the_middle() -> None:
    value = np.array([[1.0, np.nan], [3.0, 5.0], [2.0, 7.0], [2.0, np.nan]])
    assert ranked(value).tolist() == [[0.125, 0.5], [0.875, 0.25], [0.5, 0.75], [0.5, 0.5]]
    assert (ranked(value * 1_000) == ranked(value)).all()


def test_more_trouble_never_lowers_the_index_even_where_luck_says_so() -> None:
    rng = np.random.default_rng(0)
    value = rng.random((400, len(READERS)))
    ids = tuple(f"lei:{row}" for row in range(400))
    one = Signals(START, ids, value, ({},) * len(READERS))
    failed = {ids[row]: START + timedelta(days=5) for row in np.argsort(value[:, 0])[:40].tolist()}
    alarm = fit(panel([one], failed, timedelta(days=30)))
    assert (alarm.weight >= 0).all() and alarm.weight[0] == 0


def test_the_area_is_that_of_every_pair() -> None:
    rng = np.random.default_rng(3)
    truth, score = rng.random(60) < 0.3, rng.integers(0, 9, 60).astype(float)
    pairs = [(a > b) + (a == b) / 2 for a in score[truth] for b in score[~truth]]
    assert auroc(truth, score) == pytest.approx(np.mean(pairs), abs=1e-12)


def test_too_few_events_are_said_to_be_too_few() -> None:
    ids = tuple(f"lei:{row}" for row in range(50))
    one = Signals(START, ids, np.random.default_rng(1).random((50, len(READERS))), ({},) * len(READERS))
    failed = {ids[0]: START + timedelta(days=5), ids[1]: START + timedelta(days=6)}
    found = panel([one], failed, timedelta(days=30))
    assert "2 events in the test are too few" in judge(fit(found), found).skill


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"cut": "2020-02-01"}, "no date to learn from"),
        ({"cut": "2035-01-01"}, "no date to test on"),
        ({"cut": CUT, "every": 0}, "numbers of days of at least 1"),
        ({"cut": CUT, "false_alarms": 2.0, "every": 90, "horizon": 180}, "a share between 0 and 1"),
    ],
)
def test_a_question_that_cannot_be_answered_says_why(graph: Graph, options: dict[str, object], told: str) -> None:
    with pytest.raises(MeasureError, match=told):
        graph.warnings(**options)  # type: ignore[arg-type]


def test_the_command_gives_alerts_weights_and_the_test(planted: Path, tmp_path: Path) -> None:
    words = ("warn", "--cut", f"{CUT:%Y-%m-%d}", "--every", "90", "--horizon", "180", "--home", str(planted), "--json")
    found = kgrisk_here(*words, cwd=tmp_path)
    assert found.returncode == 0, found.stderr
    told = json.loads(found.stdout)
    assert told["alerts"][0]["alarm"] and told["test"]["events"] >= 10 and set(told["weights"]) == set(READERS)


def test_published_alerts_are_read_back_in_cypher_and_by_nobody_earlier(planted: Path, tmp_path: Path) -> None:
    with Graph(tmp_path / "home", Settings.load(home=tmp_path / "home")) as graph:
        graph.ledger.commit(ClaimBatch.of(world(1, planted=True)), RunManifest("ingest"))
        found = graph.warnings(CUT, every=60, horizon=180, publish=True)
        first, last = found.alerts.rows()[0], found.dates[-1]
        (row,) = graph.query("warnings_of", AsOf(valid=last, published=last), id=first["id"]).rows()
        assert (row["warning"], row["threshold"], row["alarm"]) == (first["index"], found.threshold, first["alarm"])
        assert first["why"][0] in row["why"] and json.loads(row["question"])["horizon"] == 180
        assert not len(graph.query("warnings_of", AsOf(published=last - timedelta(days=1)), id=first["id"]))
        assert graph.warnings(CUT, every=60, horizon=180, publish=True).alerts.rows() == found.alerts.rows()
        again = graph.replay(row["run"])
        assert again.kind == "warning" and again.same and again.commit == 1
        assert graph.replay(f"warning:{first['id']}", AsOf(valid=last, published=last)).same


def test_an_index_carries_the_proof_that_nothing_later_was_read(graph: Graph) -> None:
    found = warnings(graph, CUT, every=120, horizon=180, certify=True)
    assert found.certificate.holds and found.certificate.changed > 500
    assert any(remark.startswith("No-peek certificate") for remark in found.alerts.remarks)


def test_an_index_that_reads_later_publications_is_refused_the_proof(
    graph: Graph, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = timedelta(days=60)
    monkeypatch.setattr("kgrisk.warning.AsOf", lambda valid, published: AsOf(valid + late, published=published + late))
    found = warnings(graph, CUT, every=120, horizon=180, certify=True)
    assert not found.certificate.holds and "REFUSED" in found.alerts.remarks[-1]


def test_a_published_risk_run_moves_no_warning(tmp_path: Path) -> None:
    lent = Edge("LENDS_TO", "lei:F001", "lei:F000", {"amount": Decimal(30), "currency": "EUR"}, "loan")
    claims = [*world(1, planted=True), said(lent, START)]
    with Graph(home_of(tmp_path / "home", iter(claims)), Settings.load(home=tmp_path / "home")) as graph:
        before = warnings(graph, CUT, every=60, horizon=180)
        graph.risk("eisenberg_noe", "lei:F000", publish=True)
        assert graph.snapshot().facts_of("contagion_loss").num_rows
        after = warnings(graph, CUT, every=60, horizon=180)
    assert after.dates == before.dates and after.alerts.rows() == before.alerts.rows()
    assert (after.weights, after.threshold) == (before.weights, before.threshold)
    assert after.alerts.remarks == before.alerts.remarks
