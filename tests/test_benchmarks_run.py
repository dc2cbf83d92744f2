"""Every benchmark can be run as it stands: on a small graph stages and stores are measured, and failures are told."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

import pytest

from benchmarks.growth import Line, exponent
from benchmarks.machine import described, processor
from benchmarks.pages import PAGE, page
from benchmarks.record import merged
from benchmarks.running import NotMeasured, measured, names
from benchmarks.scale import claims, error
from benchmarks.scale_stages import STAGES
from benchmarks.scaling.ingest import said
from benchmarks.storing import arcadedb, whole
from ingest.pipeline import run as read
from kg.files import Files
from kg.ledger import Ledger
from kgrisk.neo4j_local import LocalNeo4j
from tests.ingest_reading import DATA
from tests.neo4j_server import own_jars

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "benchmarks"
MODULES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for path in FOLDER.rglob("*.py")
    if not path.name.startswith("__")
)
EDGES = 2_000
DESCRIBED = {"cpu", "cores", "memory_gib", "free_gib", "load", "system", "python", "versions"}


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *words], cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_every_module_can_be_imported_and_every_one_of_a_room_measures() -> None:
    assert len(MODULES) > 90
    for module in MODULES:
        import_module(module)
    rooms = {path.parent.name for path in FOLDER.glob("*/__main__.py")}
    measuring = [import_module(f"benchmarks.{room}.{name}") for room in rooms for name in names(room)]
    assert all(callable(module.measure) for module in measuring)


@pytest.mark.slow
def test_a_small_graph_goes_through_every_stage_in_the_order_in_which_they_are_run(tmp_path: Path) -> None:
    told = {name: stage(tmp_path, EDGES) for name, stage in STAGES.items()}
    assert told["commit"]["claims"] == len(claims(EDGES // 10, 0, EDGES))
    assert told["increment"]["equal"] is True
    assert told["reopen"]["raw_seconds"] > 0 < told["build"]["edges"] < EDGES
    assert told["sync"]["opened"] >= told["project"]["versions"] > EDGES / 2
    assert all("cpu_seconds" in own for own in told.values())


def test_stages_see_the_graph_before_the_change_whichever_ran_before_them(tmp_path: Path) -> None:
    for name in ("commit", "build", "increment"):
        STAGES[name](tmp_path, EDGES)
    before = STAGES["load"](tmp_path, EDGES)["checksum"]
    assert STAGES["build"](tmp_path, EDGES)["nodes"] == EDGES // 10
    assert STAGES["load"](tmp_path, EDGES)["checksum"] == before


@pytest.mark.slow
def test_a_store_is_filled_kept_up_and_asked() -> None:
    figures = whole(arcadedb, (EDGES // 10, EDGES), changes=(10,), vectors=20)
    assert len({figure.what for figure in figures}) == len(figures) == 11
    assert all(figure.value > 0 for figure in figures)


@pytest.mark.slow
@pytest.mark.neo4j
def test_rates_of_sync_and_import_are_measured_on_one_small_graph(tmp_path: Path) -> None:
    from benchmarks.scaling.neo4j import kept, rates

    with LocalNeo4j.start(own_jars(), heap="1g", flags=()) as server:
        figures, made = rates((EDGES // 10, EDGES), tmp_path, server)
    assert [figure.value > 0 for figure in figures] == [True] * 4 and made.bytes > 0
    bank, loan, million, *_ = kept(((10, 100), 10 * 500 + 100 * 800), ((20, 20), 20 * 500 + 20 * 800))
    assert (bank.value, loan.value, million.value) == pytest.approx((500, 800, 0.85))


def test_a_stage_that_fails_is_recorded_with_its_error_and_the_command_ends_with_one(tmp_path: Path) -> None:
    (tmp_path / "home" / "2000").mkdir(parents=True)
    done = run("-m", "benchmarks.scale", "--sizes", "2000", "--stages", "alive", "--home", str(tmp_path / "home"),
               "--out", str(tmp_path / "out" / "scale.json"))  # fmt: skip
    assert done.returncode == 1 and "2,000 alive: AssertionError" in done.stderr
    recorded = json.loads((tmp_path / "out" / "scale.json").read_text())["2000"]["alive"]
    assert recorded["failed"] == "AssertionError" and recorded["machine"].keys() == DESCRIBED


def test_the_error_of_a_stage_is_found_among_what_libraries_say_after_it() -> None:
    said = "Traceback\n  File\nkg.errors.TooLargeError: a snapshot needs more\nnanobind: leaked 27 instances!\n - more"
    assert error(said, 1) == "kg.errors.TooLargeError: a snapshot needs more"
    assert error("", -9) == "killed by signal 9, as the kernel does where memory ends"


def test_a_failed_stage_and_one_that_was_never_measured_become_missed_figures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole_record = json.loads((FOLDER / "results" / "scale.json").read_text())
    machine = whole_record["10000000"]["build"]["machine"]
    whole_record["10000000"]["build"] = {"failed": "TooLargeError: 30 GiB", "machine": machine}
    del whole_record["1000000"]["score"]
    (tmp_path / "scale.json").write_text(json.dumps(whole_record))
    monkeypatch.setenv("KGRISK_SCALE_RECORD", str(tmp_path / "scale.json"))
    from benchmarks.scaling.stages import measure

    missed = {figure.what: figure.note for figure in measure() if figure.reached is False}
    assert missed["build: 10,000,000 edges"] == "fails: TooLargeError: 30 GiB"
    assert missed["score: 1,000,000 edges"] == "fails: not measured"


def test_a_module_that_fails_is_told_and_nothing_is_made_up_for_it(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(NotMeasured, match="ended with 1"):
        measured("scaling", "nothing_of_the_kind")
    assert "nothing_of_the_kind" in capfd.readouterr().err


def test_a_record_tells_the_machine(tmp_path: Path) -> None:
    told = described()["machine"]
    assert told.keys() == DESCRIBED and all(told.values())
    assert {"numpy", "duckdb", "pyarrow"} <= told["versions"].keys()
    (tmp_path / "cpuinfo").write_text("processor\t: 0\nmodel name\t: A Processor @ 3 GHz\nmodel name\t: another\n")
    assert processor(tmp_path / "cpuinfo") == "A Processor @ 3 GHz"
    recorded = json.loads((FOLDER / "results" / "scale.json").read_text())
    lasting = DESCRIBED - {"free_gib", "load"}  # which were not noted of every run
    assert all(own["machine"].keys() >= lasting for stages in recorded.values() for own in stages.values())


def test_runs_that_read_at_other_moments_say_the_same_and_a_claim_less_is_seen(tmp_path: Path) -> None:
    """A file that does not say when it was published was so when it was read: its claims have other ids each time."""
    (tmp_path / "in").mkdir()
    shutil.copy(DATA / "nport-tiny.xml", tmp_path / "in")
    ids, rows = [], []
    for name in ("one", "two"):
        began = datetime.now(UTC)
        with Ledger.open(tmp_path / name / "ledger") as ledger:
            read(tmp_path / "in", ledger, Files(tmp_path / name / "files"), tmp_path / name)
            ids.append(ledger.alive()["claim"].to_pylist())
            rows.append(said(ledger.alive(), began))
    assert ids[0] != ids[1] and len(ids[0]) == len(ids[1]) > 5
    assert rows[0].equals(rows[1]) and not rows[0].equals(rows[1].slice(1))


def test_memory_is_a_fixed_part_and_a_part_of_each_edge() -> None:
    line = Line.through({100: 999.0, 1000: 300.0 + 2 * 1000, 10_000: 300.0 + 2 * 10_000})
    assert (line.fixed, line.each, line.at(1e6)) == pytest.approx((300, 2, 2_000_300))
    assert Line.through({100: 50.0}).at(1000) == 500
    assert exponent({1_000_000: 2.0, 10_000_000: 20.0, 100_000: 9.0}) == pytest.approx(1)


def test_new_figures_take_the_place_of_old_ones_stage_by_stage() -> None:
    old = {"1000": {"load": {"seconds": 1, "gone": 2}, "build": {"seconds": 3}}}
    new = {"1000": {"load": {"seconds": 9}}, "10": {"load": {"seconds": 8}}}
    kept = {"1000": {"load": {"seconds": 9}, "build": {"seconds": 3}}, "10": {"load": {"seconds": 8}}}
    assert merged(old, new, 2) == kept


def test_the_tables_of_the_page_are_those_that_the_command_makes() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert page(text) == text, "made of another record: python -m benchmarks.scaling stages; python -m benchmarks.pages"
    assert len(re.findall("<!-- table: ", text)) == 4


def test_every_line_of_the_makefile_asks_for_what_there_is() -> None:
    done = subprocess.run(["make", "-n", "bench", "record", "guard", "plots"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    lines = re.findall(r"python -m (benchmarks\.\S+)(.*)", done.stdout)
    assert {"benchmarks.scale", "benchmarks.scaling", "benchmarks.stores", "benchmarks.risk"} <= {m for m, _ in lines}
    assert not re.search(r"python benchmarks/", done.stdout)
    helps = {module: run("-m", module, "--help").stdout for module in {module for module, _ in lines}}
    for module, words in lines:
        assert set(re.findall(r"--\w+", words)) <= set(re.findall(r"--\w+", helps[module])), f"{module} {words}"
        assert "results/" not in words, "what is measured lies beside the record until it is taken over"
