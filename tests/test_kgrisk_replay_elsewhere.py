"""A number is found again to the bit in another folder and process that hold nothing but the ledger and the files."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from shutil import copytree

import pytest

from kg.model import AsOf, as_time
from kgrisk.api import Graph
from kgrisk.export import FORMS
from kgrisk.export_neo4j import FORM
from kgrisk.settings import Settings
from tests.gnn_world import CUT, build
from tests.kgrisk_world import BIG, FIRM, kgrisk, kgrisk_here, write_registers
from tests.test_gnn_distributed_train import QUICK

AT = AsOf(valid=as_time(date(2021, 1, 1)))


def elsewhere(home: Path, place: Path) -> Path:
    """Ledger and files alone, as they would reach another machine."""
    for part in ("ledger", "files"):
        copytree(home / part, place / "moved" / part)
    return place / "moved"


def replayed(home: Path, what: str) -> dict[str, object]:
    done = kgrisk("replay", what, "--home", str(home), "--valid", "2021-01-01", "--json", cwd=home.parent)
    assert done.returncode == 0, done.stderr
    told: dict[str, object] = json.loads(done.stdout)
    return told


@pytest.mark.slow
def test_a_loss_and_its_explanation_are_found_again_elsewhere(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with Graph(home, Settings.load(home=home)) as graph:
        graph.ingest(write_registers(tmp_path / "files"))
        risk = graph.risk("eisenberg_noe", FIRM, at=AT, publish=True, draws=50)
        graph.attribution(risk, BIG, publish=True)
        runs = {what: graph.replay(what, AT).run for what in (f"contagion_loss:{FIRM}", f"path_loss:{BIG}")}
    moved = elsewhere(home, tmp_path)
    for what, run in runs.items():
        found = replayed(moved, what)
        assert found["same"] is True and found["run"] == found["again"] == run


@pytest.mark.slow
def test_a_score_that_was_learned_is_learned_again_elsewhere(tmp_path: Path) -> None:
    home = tmp_path / "home"
    build(home, firms=48).ledger.close()
    with Graph(home, Settings.load(home=home)) as graph:
        run = graph.train(CUT.date(), settings=QUICK).run
    found = replayed(elsewhere(home, tmp_path), run[:12])
    assert found["same"] is True and found["run"] == found["again"] == run


def ingested(inputs: Path, home: Path) -> object:
    """The commit that a run ended at."""
    done = kgrisk_here("ingest", str(inputs), "--home", str(home), "--json", cwd=home.parent)
    return json.loads(done.stdout)["commit"]


def test_what_is_exported_has_the_same_bytes_after_the_same_files_were_read_again(tmp_path: Path) -> None:
    inputs, home = write_registers(tmp_path / "files"), tmp_path / "home"

    def exported(form: str, name: str) -> dict[str, bytes]:
        target = tmp_path / name
        done = kgrisk_here("export", form, str(target), "--home", str(home), cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        files = sorted(target.rglob("*")) if target.is_dir() else [target]
        return {file.name: file.read_bytes() for file in files if file.is_file()}

    forms = (*FORMS, FORM)
    first = ingested(inputs, home)
    before = {form: exported(form, f"{form}-before") for form in forms}
    assert ingested(inputs, home) == first
    assert {form: exported(form, f"{form}-after") for form in forms} == before and all(before.values())
