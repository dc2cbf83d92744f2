"""Refresh: one at a time, on record, and harmless when cut off."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from kg.errors import KgRiskError, LeaseHeldError, StaleWriterError, StoreError
from kgrisk.api import Graph
from kgrisk.api import open as open_graph
from kgrisk.refresh import RunFile, lock, mark_lost, runs
from kgrisk.settings import Settings
from tests.kgrisk_world import clean_environment, kgrisk, write_registers

HOLD = """
import sys, time
from pathlib import Path
from kgrisk.refresh import lock
with lock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(120)
"""


@pytest.fixture
def graph(tmp_path: Path) -> Iterator[Graph]:
    write_registers(tmp_path / "inputs")
    settings = Settings.load(store=f"arcadedb://{tmp_path / 'home' / 'store'}")
    with open_graph(tmp_path / "home", settings=settings) as made:
        yield made


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[int]:
    """A process that holds the refresh lock of tmp_path/home; gives its id."""
    command = [sys.executable, "-c", HOLD, str(tmp_path / "home")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=clean_environment()) as process:
        assert process.stdout is not None and process.stdout.readline() == b"held\n"
        yield process.pid
        process.kill()


def test_a_second_refresh_is_told_which_process_holds_the_lock(graph: Graph, tmp_path: Path, holder: int) -> None:
    with pytest.raises(LeaseHeldError, match=rf"held for a refresh by process {holder}.*wait for it to end"):
        graph.refresh(tmp_path / "inputs")
    assert graph.ledger.head == 0 and not list(runs(tmp_path / "home" / "runs"))


def test_the_command_fails_in_one_line_while_another_refresh_runs(tmp_path: Path, holder: int) -> None:
    write_registers(tmp_path / "inputs")
    done = kgrisk("refresh", "inputs", "--home", "home", cwd=tmp_path)
    assert done.returncode == 1 and f"process {holder}" in done.stderr and "Traceback" not in done.stderr


@pytest.mark.slow
def test_a_refresh_records_what_it_did_and_the_next_one_adds_nothing(graph: Graph, tmp_path: Path) -> None:
    first = graph.refresh(tmp_path / "inputs")
    assert first["state"] == "done" and first["quarantined"] == 0
    assert [stage["name"] for stage in first["stages"]][:2] == ["ingest", "resolve"]
    assert "train" in first["skipped"], "three firms are too few to learn from, and the run says so"
    head = graph.ledger.head
    second = graph.refresh(tmp_path / "inputs")
    assert graph.ledger.head == head and second["ingest"]["committed"] is False
    told = [json.loads(run.path.read_text()) for run in runs(tmp_path / "home" / "runs")]
    assert [run["state"] for run in told] == ["done", "done"]
    mark = graph.store.mark
    assert mark is not None and mark.commit == head


def test_a_refresh_of_a_folder_that_is_not_there_never_begins(graph: Graph, tmp_path: Path) -> None:
    with pytest.raises(KgRiskError, match="no folder"):
        graph.refresh(tmp_path / "nowhere")
    assert not list(runs(tmp_path / "home" / "runs"))


@pytest.mark.slow
def test_a_refresh_that_fails_is_on_record_with_the_reason(tmp_path: Path) -> None:
    settings = Settings.load(store="bolt://127.0.0.1:1")  # nothing listens there
    with open_graph(tmp_path / "home", settings=settings) as graph:
        with pytest.raises(StoreError, match=r"127\.0\.0\.1:1"):
            graph.refresh(write_registers(tmp_path / "inputs"))
        assert graph.ledger.head == 1, "what was committed before stays"
    (run,) = runs(tmp_path / "home" / "runs")
    assert run.content["state"] == "failed" and run.content["error"].startswith("StoreError: ")
    assert "127.0.0.1:1" in run.content["error"] and "ended" in run.content


def test_a_run_that_was_cut_off_is_marked_lost_by_the_next(tmp_path: Path) -> None:
    folder = tmp_path / "home" / "runs"
    program = (
        "import os, sys; from pathlib import Path; from kgrisk.refresh import RunFile, lock\n"
        "with lock(Path(sys.argv[1])):\n"
        "    RunFile.start(Path(sys.argv[1]) / 'runs', 'refresh'); os.kill(os.getpid(), 9)\n"
    )
    killed = subprocess.run([sys.executable, "-c", program, str(tmp_path / "home")], env=clean_environment())
    assert killed.returncode == -signal.SIGKILL
    assert [run.content["state"] for run in runs(folder)] == ["running"]
    with lock(tmp_path / "home"):  # the lock of the killed process is free again
        assert mark_lost(folder) == 1
    assert [run.content["state"] for run in runs(folder)] == ["lost"]


def test_a_run_file_is_whole_at_every_moment(tmp_path: Path) -> None:
    run, stop, read = RunFile.start(tmp_path, "refresh"), threading.Event(), 0

    def write() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            run.save(number=number, filler="x" * 20_000)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        end = time.monotonic() + 1
        while time.monotonic() < end:
            assert json.loads(run.path.read_text())["kind"] == "refresh"
            read += 1
    finally:
        stop.set()
        writer.join()
    assert read > 10 and run.content["number"] > 3


def test_a_run_that_was_taken_over_from_within_a_stage_commits_nothing(tmp_path: Path) -> None:
    asked = []

    def taken_over() -> None:
        asked.append("check")
        if len(asked) > 1:  # the stage may begin; before its commit another has the token
            raise StaleWriterError("the token of this run is no longer the newest")

    with open_graph(tmp_path / "home", settings=Settings(home=tmp_path / "home")) as graph:
        with pytest.raises(StaleWriterError, match="no longer the newest"):
            graph.refresh(write_registers(tmp_path / "in"), check=taken_over)
        assert len(asked) == 2 and graph.ledger.head == 0
        graph.ingest(tmp_path / "in")
        assert graph.ledger.head == 1 and len(asked) == 2
