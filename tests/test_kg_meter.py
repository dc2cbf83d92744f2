"""What a stage cost is its own: seconds and the most memory held while it ran; every report tells it."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from kg.executor import Pool
from kg.meter import Meter
from kgrisk.api import open as open_graph
from kgrisk.serve.app import build
from kgrisk.settings import Settings
from tests.busy import held
from tests.kgrisk_world import BIG, FIRM, kgrisk_here, write_registers


def told(stages: list[dict[str, Any]]) -> list[str]:
    """The names of stages that tell what they cost."""
    for stage in stages:
        assert stage["seconds"] >= 0 and stage.get("peak_mb", stage.get("peak_bytes")) > 1
    return [stage["name"] for stage in stages]


def test_the_peak_of_a_stage_is_that_of_no_other() -> None:
    meter = Meter()
    with meter.stage("small"):
        time.sleep(0.12)
    with meter.stage("large"):
        held = np.ones(200 * 2**17)  # 200 MiB
        time.sleep(0.12)
        del held
    with meter.stage("small again"):
        time.sleep(0.12)
    small, large, again = (stage.peak_mb for stage in meter.stages)
    assert large - small > 150 and large - again > 150
    assert meter.seconds >= 0.36


def test_a_stage_that_fails_is_told_as_well() -> None:
    meter = Meter()
    with pytest.raises(ZeroDivisionError), meter.stage("halved"):
        1 / 0  # noqa: B018
    assert told(meter.rows()) == ["halved"]


def test_what_other_processes_work_and_hold_for_a_stage_is_told_while_they_still_run() -> None:
    meter = Meter()
    with Pool(2) as pool:
        list(pool.map(held, [1, 1], 0.0))
        with meter.stage("busy"):
            assert list(pool.map(held, [100, 100], 0.8)) == [100 << 17] * 2
        with meter.stage("idle"):
            time.sleep(0.12)
    busy, idle = meter.stages
    assert busy.cpu_seconds > 1.3 > idle.cpu_seconds, "two processes of 0.8 s, none of which has ended"
    assert busy.workers_mb - idle.workers_mb > 150 and busy.peak_mb < busy.workers_mb + idle.peak_mb


def test_an_ingest_report_and_an_answer_about_risk_tell_time_and_memory_of_each_stage(tmp_path: Path) -> None:
    folder = write_registers(tmp_path / "in")
    with open_graph(tmp_path / "home", settings=Settings(home=tmp_path / "home")) as graph:
        report = graph.ingest(folder)
        names = told(report.to_dict()["stages"])
        assert {"read registers", "check", "commit"} <= set(names) and names[-1] == "commit"
        assert "stages" not in json.dumps(json.loads(graph.files.get(report.run))), "a run again has the same id"
        found = graph.risk("eisenberg_noe", shock=FIRM, publish=True)
        assert [stage.name for stage in found.stages] == ["snapshot", "spread", "publish"]
        assert graph.ingest(folder).run == report.run
    asked = ("risk", "eisenberg_noe", "--shock", FIRM, "--home", "home", "--json")
    answer = json.loads(kgrisk_here(*asked, cwd=tmp_path).stdout)
    assert told(answer["stages"]) == ["snapshot", "spread"]


def test_scenarios_and_the_http_api_tell_time_and_memory_of_each_stage(tmp_path: Path) -> None:
    folder = write_registers(tmp_path / "in")
    with open_graph(tmp_path / "home", settings=Settings(home=tmp_path / "home")) as graph:
        graph.ingest(folder)
        one = graph.suppose("banks_lose_three_tenths").risk("debtrank")
        assert told([asdict(stage) for stage in one.stages]) == ["snapshot", "change", "spread"]
        with TestClient(build(graph), base_url="http://127.0.0.1") as client:
            for asked, stages in (
                ({"shock": {BIG: 1.0}}, ["snapshot", "spread", "tables"]),
                ({"shock": {BIG: 1.0}, "draws": 3}, ["snapshot", "spread", "range", "tables"]),
                ({"scenario": "banks_lose_three_tenths"}, ["snapshot", "change", "spread", "tables"]),
            ):
                assert told(client.post("/v1/risk", json=asked).json()["stages"]) == stages
    drawn = ("suppose-many", "--draw", "20", "--measure", "debtrank", "--workers", "2", "--home", "home", "--json")
    many = json.loads(kgrisk_here(*drawn, cwd=tmp_path).stdout)["stages"]
    assert told(many) == ["snapshot", "scenarios", "without", "spread"]
    assert many[-1]["workers_mb"] > 10 > many[0]["workers_mb"], "a process of its own: nothing else that it started"


@pytest.mark.slow
def test_a_refresh_tells_time_and_memory_of_each_stage(tmp_path: Path) -> None:
    folder = write_registers(tmp_path / "in")
    kgrisk_here("refresh", folder, "--home", "home", "--json", cwd=tmp_path)
    (path,) = (tmp_path / "home" / "runs").glob("*-refresh.json")
    run = json.loads(path.read_text())
    assert {"ingest", "resolve", "monitor", "sync"} <= set(told(run["stages"]))
    assert {"read registers", "commit"} <= set(told(run["ingest"]["stages"]))
