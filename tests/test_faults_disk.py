"""A disk that is full or read-only: what failed names the disk and what to do, nothing is lost, the rest is done later.

The disk is real and small: a tmpfs in a mount namespace of its own, see tests/fault_disk.py. Where the system allows no
such thing the tests are skipped with the reason.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ingest.pipeline import run
from kg.files import Files
from kg.ledger import Ledger
from tests.fault_disk import WORK
from tests.gnn_world import build
from tests.kgrisk_world import clean_environment
from tests.test_faults import write_inputs

pytestmark = [pytest.mark.slow, pytest.mark.faults]
FAULTS = {
    "full": ("its disk is full (0.0 MB free of ", "make room there"),
    "read-only": ("its disk is read-only", "mount it for writing"),
}
"""Cause and next step of each."""
PLACES = {
    "ingest": "home/staging",
    "commit": "home/ledger: ",
    "sync": "home/store: ",
    "training": "home/runs/unfinished",
    "save": "home/runs/",
    "publish": "home/files",
}
"""What an error names, below the disk."""
Told = dict[tuple[str, str], dict[str, Any]]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """What every piece of work said and left, by its name and the fault."""
    folder = tmp_path_factory.mktemp("disks")
    build(folder / "homes" / "taught", firms=24).ledger.close()
    grown = folder / "homes" / "grown"
    write_inputs(grown / "inputs")
    with Ledger.open(grown / "ledger") as ledger:
        run(grown / "inputs" / "0", ledger, Files(grown / "files"), grown)
    alone = ["unshare", "--mount"] if subprocess.run(["unshare", "--mount", "true"]).returncode == 0 else []
    alone = alone or ["unshare", "--mount", "--map-root-user"]
    if subprocess.run([*alone, "mount", "-t", "tmpfs", "tmpfs", str(folder)], capture_output=True).returncode:
        pytest.skip("this system gives a test no disk of its own (unshare --mount, mount -t tmpfs)")
    command = [*alone, sys.executable, "-m", "tests.fault_disk", str(folder)]
    root = Path(__file__).parents[1]
    done = subprocess.run(command, cwd=root, env=clean_environment(), capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr[-3000:]
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return {(line["stage"], line["fault"]): line for line in lines}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("stage", WORK)
def test_what_a_disk_refuses_is_told_and_done_again_without_loss(stage: str, fault: str, told: Told) -> None:
    found, (cause, step) = told[stage, fault], FAULTS[fault]
    assert found["kind"] == "DiskError", found["told"]
    for words in (PLACES[stage], cause, step, "run again", "what was acknowledged stays"):
        assert words in found["told"], found["told"]
    assert ("unfinished" in found["told"]) == (stage == "training")
    assert not found["lost"]
    calm = told[stage, "none"]["after"]
    assert calm["log"] and found["after"] == calm
