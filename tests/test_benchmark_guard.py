"""The guard of the benchmarks finds ratios that got worse, and is not moved by a slower machine."""

from __future__ import annotations

import json
import subprocess
import sys
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from benchmarks.guard import compared, ratio

ROOT = Path(__file__).parents[1]


def figure(what: str, value: float, unit: str = "", aim: float | None = None, least: bool = True) -> dict[str, Any]:
    return {"what": what, "value": value, "unit": unit, "aim": aim, "least": least, "note": "", "reached": None}


COMMITTED: dict[str, Any] = {
    "sweep": {
        "figures": [
            figure("times the peer", 10.0),
            figure("exponent of growth", 1.0, aim=1.1, least=False),
            figure("seconds of a sweep", 3.0, "s"),
            figure("memory", 100.0, "MiB", 4096, False),
        ]
    },
    "query": {"figures": [figure("share found", 0.9, aim=0.8)]},
}


def guarded(folder: Path, fresh: object, *options: str) -> subprocess.CompletedProcess[str]:
    (folder / "old.json").write_text(json.dumps(COMMITTED))
    (folder / "new.json").write_text(fresh if isinstance(fresh, str) else json.dumps(fresh))
    files = [str(folder / "new.json"), "--committed", str(folder / "old.json")]
    command = [sys.executable, "-m", "benchmarks.guard", "risk", *files, *options]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)


def with_value(module: str, place: int, value: float) -> dict[str, Any]:
    fresh = deepcopy(COMMITTED)
    fresh[module]["figures"][place]["value"] = value
    return fresh


def test_an_equal_run_is_held(tmp_path: Path) -> None:
    done = guarded(tmp_path, COMMITTED)
    assert done.returncode == 0
    assert done.stdout == "3 ratios of query, sweep held, 0 worse than before by more than 25%\n"


def test_a_ratio_that_fell_is_told_with_both_values_and_the_bound(tmp_path: Path) -> None:
    done = guarded(tmp_path, with_value("sweep", 0, 7.0))
    assert done.returncode == 1
    assert done.stdout.splitlines()[0] == "sweep: times the peer: was 10, is 7, below 7.5"


def test_a_ceiling_that_rose_is_told(tmp_path: Path) -> None:
    done = guarded(tmp_path, with_value("sweep", 1, 1.4))
    assert done.returncode == 1
    assert done.stdout.splitlines()[0] == "sweep: exponent of growth: was 1, is 1.4, above 1.25"


@pytest.mark.parametrize(("module", "place", "value"), [("sweep", 2, 300.0), ("sweep", 3, 4000.0), ("sweep", 0, 7.6)])
def test_seconds_memory_and_what_is_within_the_slack_are_no_regression(module: str, place: int, value: float) -> None:
    assert list(compared(COMMITTED, with_value(module, place, value))) == []


def test_what_is_far_below_its_ceiling_counts_as_nothing() -> None:
    old = {"layers": {"figures": [figure("largest difference", 1e-9, aim=1e-5, least=False) for _ in "ab"]}}
    fresh = deepcopy(old)
    fresh["layers"]["figures"][1]["value"] = 2e-6
    assert list(compared(old, fresh)) == []
    fresh["layers"]["figures"][1]["value"] = 3e-6
    assert [one.now for one in compared(old, fresh)] == [3e-6]


def test_the_slack_can_be_given(tmp_path: Path) -> None:
    assert guarded(tmp_path, with_value("sweep", 0, 9.0)).returncode == 0
    assert guarded(tmp_path, with_value("sweep", 0, 9.0), "--slack", "0.05").returncode == 1
    refused = guarded(tmp_path, COMMITTED, "--slack", "2")
    assert refused.returncode == 2 and "give a share of at least 0 and below 1" in refused.stderr


def test_a_figure_that_is_gone_and_one_that_is_no_number_are_told(tmp_path: Path) -> None:
    fresh = with_value("query", 0, float("nan"))
    del fresh["sweep"]["figures"][0]
    done = guarded(tmp_path, fresh)
    assert done.returncode == 1
    assert "query: share found: was 0.9, is nan" in done.stdout
    assert "sweep: times the peer: was 10 and is gone" in done.stdout


def test_modules_that_were_not_run_again_are_not_judged(tmp_path: Path) -> None:
    done = guarded(tmp_path, {"query": COMMITTED["query"]})
    assert (done.returncode, done.stdout.startswith("1 ratios of query held")) == (0, True)


@pytest.mark.parametrize("fresh", ["{", "[]", '{"sweep": {"figures": [{"what": "x"}]}}', {"other": {"figures": []}}])
def test_what_is_no_run_is_refused_with_what_to_give(tmp_path: Path, fresh: object) -> None:
    done = guarded(tmp_path, fresh)
    assert done.returncode == 2
    assert "give the JSON that" in done.stderr or "was it made for another room?" in done.stderr


@pytest.mark.parametrize("file", ["ingest.json", "learning.json", "risk.json", "scaling.json", "serving.json"])
def test_the_runs_that_are_committed_hold_against_themselves(file: str) -> None:
    run = json.loads((ROOT / "benchmarks/results" / file).read_text())
    assert list(compared(run, run, slack=0)) == []
    assert sum(ratio(figure) for own in run.values() for figure in own["figures"]) > 5
