"""Each monitor is silent while all is well and an alert once its fault is there, with since when and what to do."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import chi2

from gnn.drift import Bins, by_then, decay, psi
from kg.meter import Meter
from kgrisk import relearning
from kgrisk.api import Graph
from kgrisk.champion import champion
from kgrisk.monitor import at_hand, fresh, latency, model, monitors
from kgrisk.monitor_drift import decayed, drifted
from kgrisk.relearning import asked, drift
from kgrisk.runfile import RunFile, runs
from tests.champion_world import LAST, accounts, fails, firms, reopened, said, served, tell
from tests.kgrisk_world import kgrisk_here

SOON, LATER = LAST + timedelta(days=20), LAST + timedelta(days=120)


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Graph]:
    """A graph to which only an ordinary year's end came after its champion."""
    with served(tmp_path_factory.mktemp("home")) as graph:
        firm = firms(said(graph))[0]
        tell(graph, LATER, accounts(firm, 40_000_000, 100_000_000))
        yield graph


def of(found: Any, monitor: str) -> dict[str, Any]:
    """Rows of one monitor by what they look at."""
    return {row["what"]: row for row in found if row["monitor"] == monitor}


# ---- the index itself


def test_the_index_is_the_sum_that_is_made_by_hand() -> None:
    """Shares (10.5, 20.5, 30.5) / 61.5 then, (30.5, 20.5, 10.5) / 61.5 now: 2 * (20 / 61.5) * ln(30.5 / 10.5)."""
    value, chance = psi((10, 20, 30), (30, 20, 10))
    assert value == pytest.approx(2 * 20 / 61.5 * math.log(30.5 / 10.5))
    assert chance == pytest.approx(float(chi2.ppf(0.999, 2)) * (1 / 60 + 1 / 60))
    assert psi((5, 5, 0), (5, 5, 0))[0] == 0.0 and psi((0, 9), (0, 9)) == (0.0, 0.0)


def test_what_is_missing_has_a_bin_of_its_own_and_equal_values_are_not_parted() -> None:
    values = np.array([1.0] * 50 + [2.0] * 50)
    bins = Bins.of(np.append(values, [np.nan] * 10))
    assert bins.edges == (2.0,) and bins.counts == (50, 50, 10)
    assert bins.moved(values)[0] > 0.05 > bins.moved(np.append(values, [np.nan] * 10))[0]
    assert Bins.of(np.full(7, np.nan)).counts == (0, 7)


def test_chance_alone_stays_below_what_is_told_of_it_and_a_shift_does_not() -> None:
    draw = np.random.default_rng(0)
    over = 0
    for _ in range(300):
        value, chance = Bins.of(draw.normal(size=200)).moved(draw.normal(size=200))
        over += value > chance
    assert over <= 3, "of 300, one in a thousand is expected"
    value, chance = Bins.of(draw.normal(size=200)).moved(draw.normal(1.0, size=200))
    assert value > 2 * chance


def test_a_probability_of_a_year_says_less_of_a_quarter() -> None:
    quarter = by_then(np.array([0.0, 0.5, 1.0]), 0.25)
    assert quarter.tolist() == pytest.approx([0.0, 1 - 0.5**0.25, 1.0])
    assert (1 - (1 - quarter[1]) ** 4) == pytest.approx(0.5)


def test_true_probabilities_are_within_what_chance_does_and_false_ones_are_not() -> None:
    draw = np.random.default_rng(3)
    p = draw.uniform(0.05, 0.5, 300)
    error, chance, _ = decay(p, (draw.random(300) < p) * 1.0)
    assert error <= chance
    error, chance, brier = decay(p, (draw.random(300) < np.clip(2 * p, 0, 1)) * 1.0)
    assert error > chance and brier > 0.1


# ---- drift


def test_nothing_has_drifted_where_an_ordinary_year_went_on(calm: Graph) -> None:
    found = drifted(calm)
    assert len(found) > 5 and {"scores", "feature equity/assets"} <= {one.what for one in found}
    assert not [one.what for one in found if one.alert] and not [one.what for one in model(calm) if one.alert]


def test_accounts_of_another_kind_are_drift_and_drift_asks_for_a_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with served(tmp_path) as graph:
        assert drift(graph) == ""
        tell(graph, SOON, *(accounts(firm, 90_000_000, 91_000_000) for firm in firms(said(graph))))
        found = {one.what: one for one in drifted(graph)}
        own = found["feature equity/assets"]
        assert (
            own.alert
            and own.value is not None
            and own.limit is not None
            and own.value > own.limit >= graph.settings.psi
        )
        assert not found["feature edges SUPPLIES"].alert and "--whole" in own.row()["todo"]
        assert drift(graph) == "", "a training of a moment ago has outlived no drift"
        monkeypatch.setattr(relearning, "REST", timedelta(0))
        assert "feature equity/assets" in drift(graph) and asked(graph, whole=False) == ""


def test_age_of_the_last_training_asks_for_another_and_so_does_whoever_wants_one(tmp_path: Path) -> None:
    with served(tmp_path) as graph:
        assert asked(graph, whole=False) == "" and "asked for" in asked(graph, whole=True)
        for path in (graph.home / "runs").glob("*/run.json"):
            told = json.loads(path.read_text())
            path.write_text(json.dumps({**told, "ended": (datetime.now(UTC) - timedelta(days=31)).isoformat()}))
        assert "older than 30 days" in asked(graph, whole=False)
    with reopened(tmp_path, retrain_days=0) as graph:
        assert asked(graph, whole=False) == ""


# ---- calibration


def test_probabilities_that_come_true_are_no_alert(calm: Graph) -> None:
    (one,) = decayed(calm)
    assert one.value is not None and one.limit is not None and not one.alert and "were expected" in one.note


def test_failures_that_nobody_expected_are_decay(tmp_path: Path) -> None:
    with served(tmp_path) as graph:
        assert decayed(graph)[0].value is None, "on the day of the training snapshot nothing is known yet"
        for number, firm in enumerate(firms(said(graph))[::2]):
            tell(graph, LATER, *fails(firm, LATER), name=f"failure {number}")
        (one,) = decayed(graph)
        assert one.alert and "20 fell" in one.note and "at training ECE" in one.note


# ---- freshness


def test_a_source_is_late_by_its_own_rhythm_or_by_the_setting(calm: Graph, tmp_path: Path) -> None:
    last = LATER
    (one,) = fresh(calm, last + timedelta(days=5))
    assert one.what == "registers" and not one.alert and one.value == 5 and one.limit is not None
    (late,) = fresh(calm, last + timedelta(days=one.limit + 1))
    assert late.alert and late.dated(datetime.now(UTC)).since == last + timedelta(days=one.limit)
    with reopened(calm.home, fresh={"registers": 3}) as strict:
        (asked_for,) = fresh(strict, last + timedelta(days=5))
    assert asked_for.limit == 3 and asked_for.alert


# ---- latency


def ran(folder: Path, *seconds: float, stage: str = "score") -> None:
    for number in seconds:
        run = RunFile.start(folder, "refresh")
        run.save(state="done", stages=[{"name": "ingest", "seconds": 1.0}, {"name": stage, "seconds": number}])


def test_a_stage_that_takes_three_times_what_is_usual_is_an_alert(calm: Graph, tmp_path: Path) -> None:
    ran(tmp_path, *[2.0, 2.1, 1.9, 2.0, 2.2, 2.0])
    past = [run.content for run in runs(tmp_path)]
    quiet = {one.what: one for one in latency(calm, past)}
    assert not any(one.alert for one in quiet.values()) and "p50 2.00 s" in quiet["score"].note
    ran(tmp_path, 9.0)
    slow = {one.what: one for one in latency(calm, [run.content for run in runs(tmp_path)])}
    assert slow["score"].alert and slow["refresh"].alert and not slow["ingest"].alert
    assert slow["score"].limit == pytest.approx(6.0) and "p99" in slow["score"].note


def test_a_refresh_that_trained_is_no_measure_for_one_that_did_not(calm: Graph, tmp_path: Path) -> None:
    ran(tmp_path, *[2.0] * 6)
    ran(tmp_path, 500.0, stage="train")
    assert not any(one.alert for one in latency(calm, [run.content for run in runs(tmp_path)]))


# ---- the model itself, and how alerts are told


def test_a_champion_that_cannot_be_asked_is_an_alert(tmp_path: Path) -> None:
    with served(tmp_path / "home") as graph:
        assert of(monitors(graph), "model")["champion"]["alert"] is False
        now = champion(graph)
        assert now is not None
        (graph.home / "runs" / now.run).rename(tmp_path / "gone")
        row = of(monitors(graph), "model")["champion"]
        assert row["alert"] and "restore that folder" in row["note"] and "rollback" in row["todo"]


def test_an_alert_says_since_which_refresh_it_has_stood_without_a_break(calm: Graph, tmp_path: Path) -> None:
    moment = LATER + timedelta(days=900)
    since = {row["what"]: row["since"] for row in monitors(calm, moment) if row["alert"]}
    assert since["registers"] < moment
    first = datetime(2024, 6, 1, tzinfo=UTC)
    alert = {"monitor": "model", "what": "champion", "alert": True, "since": first.isoformat()}
    RunFile.start(calm.home / "runs", "refresh").save(
        state="failed", monitors=[{**alert, "alert": False, "since": None}]
    )
    RunFile.start(calm.home / "runs", "refresh").save(state="failed", monitors=[alert])
    now = champion(calm)
    assert now is not None
    folder = calm.home / "runs" / now.run
    folder.rename(tmp_path / "gone")
    try:
        assert of(monitors(calm), "model")["champion"]["since"] == first
        assert of(at_hand(calm), "model")["champion"]["since"] == first
    finally:
        (tmp_path / "gone").rename(folder)
    assert of(monitors(calm), "model")["champion"]["since"] is None


def test_the_command_tells_alerts_and_fails_only_when_asked_to(tmp_path: Path) -> None:
    served(tmp_path / "home").close()
    told = kgrisk_here("monitor", "--home", "home", "--json", cwd=tmp_path)
    rows = json.loads(told.stdout)
    assert told.returncode == 0 and rows[0]["monitor"] == "freshness" and rows[0]["alert"]
    assert "alert: freshness registers" in told.stderr and "kgrisk.toml" in told.stderr
    assert kgrisk_here("monitor", "--fail", "--home", "home", cwd=tmp_path).returncode == 1
    (tmp_path / "kgrisk.toml").write_text("[fresh]\nregisters = 100000\n")
    assert kgrisk_here("monitor", "--fail", "--home", "home", cwd=tmp_path).returncode == 0


def test_the_server_tells_what_is_watched_and_who_is_served(calm: Graph) -> None:
    pytest.importorskip("fastapi")
    from fastapi.testclient import TestClient

    from kgrisk.serve.app import build

    with TestClient(build(calm), base_url="http://127.0.0.1") as client:
        answer = client.get("/v1/monitors")
        assert answer.status_code == 200, answer.text
        body = answer.json()
        assert body["raised"] == sum(row["alert"] for row in body["rows"]) >= 1 and body["rows"][0]["todo"]
        assert {row["monitor"] for row in body["rows"]} >= {"freshness", "latency"}
        only = client.get("/v1/monitors", params={"alerts": True}).json()["rows"]
        assert [row["what"] for row in only] == [row["what"] for row in body["rows"] if row["alert"]]
        (row,) = client.get("/v1/champions").json()["rows"]
        now = champion(calm)
        assert now is not None and (row["run"], row["role"]) == (now.run, "champion")


def test_what_a_stage_costs_is_counted_in_processor_time_and_bytes(tmp_path: Path) -> None:
    meter = Meter()
    with meter.stage("writes"):
        (tmp_path / "big").write_bytes(b"x" * 3_000_000)
        sum(range(2_000_000))
    (row,) = meter.rows()
    assert row["written_bytes"] is None or row["written_bytes"] >= 3_000_000
    assert row["cpu_seconds"] > 0 and set(row) >= {"name", "seconds", "peak_mb", "read_bytes"}
