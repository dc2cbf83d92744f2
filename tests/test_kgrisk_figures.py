"""Figures of plain files and of a graph: one command, one Python door, and claims only where they are asked for."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

import kgrisk
from ingest.locate import locate
from kg.errors import MeasureError
from kg.model import AsOf, Claim, ClaimBatch, Edge, Evidence, Node, RunManifest
from kgrisk.api import Graph
from kgrisk.figures import again, listing, of_table
from queries.figure import params
from tests.kgrisk_world import BIG, FIRM, SMALL, kgrisk_here, write_registers
from tests.market_prices import days, ohlcv, walk

SCORED = datetime(2020, 3, 1, tzinfo=UTC)
LATER = datetime(2021, 3, 1, tzinfo=UTC)
RUN = RunManifest("train", {"rows": ["said"]})
FUND, OTHER = "lei:9KGR00FUND0000000021", "lei:9KGR00FUND0000000118"


def said(what: Node | Edge, published: datetime, row: int = 0) -> Claim:
    return Claim(what, Evidence(RUN.id, f"run:{RUN.id} row:{row}", "said", "model.test@1", 1.0), published, published)


def scored(id: str, label: str, value: float, low: float, high: float, published: datetime = SCORED) -> list[Claim]:
    range_ = {"distress": value, "distress_low": low, "distress_high": high}
    return [said(Node(label, id, {name: number}), published) for name, number in range_.items()]


def held(holder: str, asset: str, amount: int, key: str = "2020-06-30", role: str = "SH") -> Claim:
    return said(Edge("HOLDS", holder, asset, {"amount": amount, "currency": "EUR", "role": role}, key), SCORED)


def world() -> list[Claim]:
    """Scores, a fund and its positions, and losses by fraud."""
    made = [*scored(BIG, "Bank", 0.01, 0.005, 0.03), *scored(FIRM, "Company", 0.1, 0.05, 0.2)]
    made += scored(FIRM, "Company", 0.4, 0.3, 0.5, LATER)
    made += [said(Node("Fund", id, {"name": name}), SCORED) for id, name in ((FUND, "Wide Fund"), (OTHER, "Deep Fund"))]
    papers = {"isin:XX0000000001": FIRM, "isin:XX0000000002": BIG, "isin:XX0000000003": OTHER}
    for paper, issuer in papers.items():
        made += [
            said(Node("Security", paper, {"name": paper}), SCORED),
            said(Edge("ISSUED", issuer, paper, {}), SCORED),
        ]
    one, two, three = papers
    made += [held(FUND, one, 60), held(FUND, three, 40), held(FUND, two, 500, "2020-06-30/Put", "PUT")]
    made += [held(OTHER, one, 10), held(OTHER, two, 30)]
    made += [said(Edge("SUBSIDIARY_OF", FIRM, SMALL, {}), SCORED)]
    for month in range(1, 13):
        event = f"event:{month:02}"
        made.append(said(Node("Event", event, {"event_type": "fraud", "title": "A loss"}), SCORED))
        when = datetime(2019, month, 5, tzinfo=UTC)
        hit = Edge("AFFECTED_BY", BIG, event, {"amount": 100 * month, "currency": "EUR", "role": "subject"}, "subject")
        made.append(Claim(hit, Evidence(RUN.id, "run:x row:0", "said", "model.test@1", 1.0), SCORED, when))
    return made


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_registers(tmp_path_factory.mktemp("files"))
    (folder / "market").mkdir()
    for seed, ticker in enumerate(("AAA", "BBB")):
        (folder / "market" / f"{ticker}.csv").write_bytes(ohlcv(days(300), walk(300, seed + 5)))
    home = tmp_path_factory.mktemp("home")
    with kgrisk.open(home) as graph:
        assert not graph.ingest(folder).quarantined
        graph.files.put(RUN.to_bytes())
        graph.ledger.commit(ClaimBatch.of(world()), RUN)
    return home


@pytest.fixture(scope="module")
def graph(home: Path) -> Iterator[Graph]:
    with kgrisk.open(home) as opened:
        yield opened


# ---- plain files


def test_the_command_computes_a_figure_of_a_csv_file(tmp_path: Path) -> None:
    (tmp_path / "loans.csv").write_text("id,pd,lgd,ead\na,0.01,0.45,100\nb,0.05,0.4,50\n")
    ran = kgrisk_here("figure", "expected_loss", "--table", "loans.csv", "--param", "rho=0.2", "--json", cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    told = json.loads(ran.stdout)
    assert told["params"] == {"rho": 0.2, "doubt": "together"}
    assert [row["el"] for row in told["rows"]] == pytest.approx([0.45, 1.0, 1.45])
    shown = kgrisk_here("figure", "expected_loss", "--table", "loans.csv", cwd=tmp_path)
    assert "portfolio" in shown.stdout


def test_one_figure_is_handed_to_the_next_by_a_file(tmp_path: Path) -> None:
    closes = "".join(f"{day},{price}\n" for day, price in zip(days(600), walk(600, 3), strict=True))
    (tmp_path / "prices.csv").write_text("date,close\n" + closes)
    asked = ("--param", "rolling=true", "--param", "level=0.95", "--out", "days.parquet")
    ran = kgrisk_here("figure", "var_es", "--table", "prices.csv", *asked, "--json", cwd=tmp_path)
    assert len(json.loads(ran.stdout)["rows"]) == 349
    tested = kgrisk_here("figure", "kupiec", "--table", "days.parquet", "--param", "level=0.95", "--json", cwd=tmp_path)
    row = json.loads(tested.stdout)["rows"][0]
    assert row["days"] == 349
    assert 0 < row["breaches"] < 60


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (("no_such", "--table", "loans.csv"), "no_such"),
        (("expected_loss", "--table", "loans.csv", "--param", "rhoo=1"), "did you mean rho"),
        (("expected_loss", "--table", "loans.csv", "--param", "rho=2"), "number from 0 to 1"),
        (("expected_loss", "--table", "loans.csv"), "column 'pd' is empty in row 2"),
        (("expected_loss", "--table", "none.csv"), "cannot be read"),
        (("merton", "--table", "loans.csv"), "needs column 'equity'"),
    ],
)
def test_bad_input_is_told_in_one_line(args: tuple[str, ...], told: str, tmp_path: Path) -> None:
    (tmp_path / "loans.csv").write_text("id,pd,lgd,ead\na,0.01,0.45,100\nb,,0.4,50\n")
    ran = kgrisk_here("figure", *args, cwd=tmp_path)
    assert ran.returncode == 1
    assert told in ran.stderr
    assert not ran.stdout


def test_figures_are_listed_with_columns_and_parameters(tmp_path: Path) -> None:
    told = {row["name"]: row for row in json.loads(kgrisk_here("figures", "--json", cwd=tmp_path).stdout)}
    assert {"expected_loss", "irb", "var_es", "srisk", "operational_loss"} <= set(told)
    assert told["irb"]["columns"] == "id, pd, lgd"
    assert "accord=basel3" in told["irb"]["parameters"]
    assert told["expected_loss"]["of_graph"] and not told["kupiec"]["of_graph"]
    assert listing() == list(told.values())


def test_parquet_keeps_times_and_decimals(tmp_path: Path) -> None:
    table = pa.table({"id": ["a"], "pd": pa.array([0.5]), "lgd": [1.0], "ead": pa.array([Decimal("30.10")])})
    parquet.write_table(table, tmp_path / "t.parquet")
    assert of_table("expected_loss", tmp_path / "t.parquet")["el"] == [15.05, 15.05]


# ---- the graph


def test_expected_loss_of_a_graph_is_that_of_its_loans_and_published_scores(graph: Graph) -> None:
    at = AsOf(valid=SCORED, published=SCORED)
    found = graph.figure("expected_loss", {"rho": 0.1}, at)
    rows = {row["id"]: row for row in found}
    assert (rows[FIRM]["ead"], rows[BIG]["ead"]) == (40.0, 100.0)
    assert rows[FIRM]["el"] == pytest.approx(40 * 0.1 * 0.45)
    assert (rows[FIRM]["el_low"], rows[FIRM]["el_high"]) == pytest.approx((40 * 0.05 * 0.45, 40 * 0.2 * 0.45))
    assert rows[""]["el"] == pytest.approx(1.8 + 0.45)
    assert rows[""]["el_high"] == pytest.approx(3.6 + 100 * 0.03 * 0.45)
    assert params(found.table)["rho"] == 0.1
    assert any("LGD is taken as 0.45" in remark for remark in found.remarks)


def test_a_score_published_later_does_not_reach_an_earlier_question(graph: Graph) -> None:
    early, late = (
        {row["id"]: row["pd"] for row in graph.figure("vasicek", None, AsOf(valid=when, published=when))}
        for when in (SCORED, LATER)
    )
    assert (early[FIRM], late[FIRM]) == (0.1, 0.4)


def test_the_loans_of_one_holder(graph: Graph) -> None:
    found = graph.figure("irb", {"accord": "basel2"}, holder=BIG)
    assert found["id"] == [FIRM]
    assert graph.figure("concentration")["names"] == [2]
    with pytest.raises(MeasureError, match="is not in the graph"):
        graph.figure("irb", holder="lei:none")
    with pytest.raises(MeasureError, match="did you mean holder"):
        graph.figure("irb", holdr=BIG)
    with pytest.raises(MeasureError, match="no loan"):
        graph.figure("irb", holder=FIRM)


def test_value_at_risk_of_the_closes_in_the_graph(graph: Graph) -> None:
    found = graph.figure("var_es", {"method": "historical", "window": 0}).rows()[0]
    prices = np.array([walk(300, 5), walk(300, 6)])
    portfolio = (prices[:, 1:] / prices[:, :-1] - 1).mean(axis=0)
    assert found["var"] == pytest.approx(np.sort(-portfolio)[int(np.ceil(0.99 * 299)) - 1], rel=1e-9)
    assert found["days"] == 299
    assert graph.figure("var_es", {"window": 250}).rows()[0]["days"] == 250, "those that were looked back at"


def test_closes_published_after_an_instant_change_no_answer_before_it(graph: Graph) -> None:
    day = days(300)[200]
    instant = datetime(day.year, day.month, day.day, 23, 30, tzinfo=UTC)
    found = graph.figure("var_es", {"window": 0}, AsOf(valid=instant, published=instant)).rows()[0]
    prices = np.array([walk(300, 5), walk(300, 6)])[:, :201]
    portfolio = (prices[:, 1:] / prices[:, :-1] - 1).mean(axis=0)
    assert (found["days"], found["var"]) == (200, pytest.approx(np.sort(-portfolio)[197], rel=1e-9))
    rolling = graph.figure("var_es", {"rolling": True, "window": 199}).rows()
    assert (
        rolling[1]["var"] == graph.figure("var_es", {"window": 199}, AsOf(valid=instant, published=instant))["var"][0]
    )


def test_systemic_figures_stand_beside_the_market(graph: Graph) -> None:
    found = graph.figure("mes").rows()
    assert [row["id"] for row in found] == ["ticker:AAA@XNYS", "ticker:BBB@XNYS"]
    assert all(row["mes"] > 0 for row in found)
    alone = graph.figure("covar", market="ticker:AAA@XNYS").rows()
    assert [row["id"] for row in alone] == ["ticker:BBB@XNYS"]


def test_look_through_goes_through_funds_to_groups(graph: Graph) -> None:
    found = {row["group"]: row for row in graph.figure("look_through", holder=FUND)}
    # a quarter of the fund below is paper of the firm, which the small bank controls; puts are no ownership
    assert found[SMALL]["amount"] == pytest.approx(60 + 40 * 0.25)
    assert found[BIG]["amount"] == pytest.approx(30)
    assert found[SMALL]["direct"] == 60
    with pytest.raises(MeasureError, match="needs a holder"):
        graph.figure("look_through")


def test_operational_losses_and_indicators_come_from_events(graph: Graph) -> None:
    found = graph.figure("operational_loss", {"level": 0.9, "years": 1}, holder=BIG).rows()
    assert (found[0]["category"], found[0]["events"], found[0]["rate"]) == ("fraud", 12, 12)
    assert found[0]["mu"] == pytest.approx(np.log(100 * np.arange(1, 13)).mean())
    light = graph.figure("kri").rows()[0]
    assert (light["id"], light["value"], light["status"]) == ("fraud", 1.0, "green")


def test_nothing_is_written_until_it_is_asked_for_and_then_with_evidence(graph: Graph) -> None:
    at, before = AsOf(valid=SCORED, published=SCORED), graph.ledger.head
    graph.figure("expected_loss", None, at)
    assert graph.ledger.head == before
    graph.figure("expected_loss", None, at, publish=True)
    assert graph.ledger.head == before + 1
    graph.figure("expected_loss", None, AsOf(valid=SCORED, published=SCORED), publish=True)
    assert graph.ledger.head <= before + 2
    facts = [
        row for row in graph.snapshot(at).facts_of("figure").to_pylist() if row["key"].startswith("expected_loss.")
    ]
    el = next(row for row in facts if row["key"].startswith("expected_loss.el|"))
    assert el["value_real"] in (pytest.approx(1.8), pytest.approx(0.45))
    claim = next(row for row in graph.ledger.alive().to_pylist() if row["claim"] == el["claim"])
    assert locate(graph.files.get(claim["document"]), claim["locator"]) == claim["quote"]
    assert "expected_loss el" in claim["quote"]
    shown = graph.query("entity_profile", id=FIRM, at=at)
    assert el["key"] in [row["period"] for row in shown]


def test_a_published_figure_is_asked_again_to_the_bit(graph: Graph) -> None:
    at = AsOf(valid=SCORED, published=SCORED)
    asked: dict[str, Any] = {"lgd_high": 0.7, "holder": SMALL}
    graph.figure("expected_loss", {"rho": 0.2}, at, publish=True, **asked)
    claim = next(
        row for row in graph.ledger.alive().to_pylist() if "expected_loss" in row["quote"] and BIG in row["quote"]
    )
    told = json.loads(graph.files.get(claim["document"]))["details"]
    assert again(graph.ledger, told, told["commit"]).id == claim["document"]


def test_the_command_asks_the_graph(home: Path, graph: Graph) -> None:
    asked = ("--home", home, "--valid", "2020-03-01", "--published", "2020-03-02", "--lgd", "0.4", "--json")
    ran = kgrisk_here("figure", "expected_loss", *asked, cwd=home)
    assert ran.returncode == 0, ran.stderr
    told = json.loads(ran.stdout)
    assert {row["id"]: row["el"] for row in told["rows"]}[FIRM] == pytest.approx(40 * 0.1 * 0.4)
    refused = kgrisk_here("figure", "kupiec", "--home", home, cwd=home)
    assert refused.returncode == 1
    assert "give one (--table)" in refused.stderr
