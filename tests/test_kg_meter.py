"""What a stage cost is its own: seconds and the most memory held while it ran; every report tells it."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kg.meter import Meter
from kgrisk.api import open as open_graph
from kgrisk.settings import Settings
from tests.kgrisk_world import FIRM, kgrisk_here, write_registers


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


@pytest.mark.slow
def test_a_refresh_tells_time_and_memory_of_each_stage(tmp_path: Path) -> None:
    folder = write_registers(tmp_path / "in")
    kgrisk_here("refresh", folder, "--home", "home", "--json", cwd=tmp_path)
    (path,) = (tmp_path / "home" / "runs").glob("*-refresh.json")
    run = json.loads(path.read_text())
    assert {"ingest", "resolve", "monitor", "sync"} <= set(told(run["stages"]))
    assert {"read registers", "commit"} <= set(told(run["ingest"]["stages"]))
