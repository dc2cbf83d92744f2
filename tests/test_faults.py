"""A run is killed at counted I/O calls of staging, commit and sync: nothing acknowledged is lost, nothing doubled.

A child process runs the pipeline over small folders and syncs the store. A seeded injector ends it with SIGKILL at its
n-th I/O call. The next child carries on. At the end the graph equals that of a run that was never disturbed.
"""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import pytest

from kg.ledger import Ledger
from tests.neo4j_server import wipe

pytestmark = pytest.mark.slow

CHILD = """
import json, os, signal, sys
from pathlib import Path
from ingest.pipeline import run
from kg.files import Files
from kg.ledger import Ledger
from kg.store import open_store

home, inputs, url, fatal = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], int(sys.argv[4])
calls = []

def on_io(stage):
    calls.append(stage)
    if len(calls) == fatal:
        print(json.dumps({"killed": stage}), flush=True)
        os.kill(os.getpid(), signal.SIGKILL)

ledger = Ledger.open(home / "ledger")
for folder in sorted(inputs.iterdir()):
    report = run(folder, ledger, Files(home / "files"), home, on_io=on_io)
    print(json.dumps({"acknowledged": folder.name, "commit": ledger.head}), flush=True)
    store = open_store(url, home)
    store.sync(ledger, on_io=on_io)
    graph = store.graph_hash()
    store.close()
print(json.dumps({"hash": graph, "calls": calls}), flush=True)
"""


def write_inputs(folder: Path) -> None:
    """Three folders of registers that build on each other."""
    firms = [f"cik:{n}" for n in range(1, 13)]
    head = "id,label,name,former_name,country,sector,ticker,isin,lei,cik,published\n"
    rows = "".join(f"{f},Bank,Bank number {n},,DE,bank,,,,{n},2020-01-01\n" for n, f in enumerate(firms, start=1))
    exposures = "creditor_id,debtor_id,facility,amount,currency,valid_from,valid_to,published\n"
    for part in range(3):
        target = folder / str(part)
        target.mkdir(parents=True)
        if part == 0:
            (target / "entities.csv").write_text(head + rows)
        dates = f"2020-0{part + 1}-01,,2020-0{part + 1}-02"
        loans = "".join(
            f"{firms[i]},{firms[(i + part + 1) % 12]},f{part},{100 * i + part}.50,EUR,{dates}\n" for i in range(12)
        )
        (target / f"exposures-{part}.csv").write_text(exposures + loans)
        (target / f"more-{part}.csv").write_text(exposures + loans.replace(f",f{part},", f",g{part},"))


def child(home: Path, inputs: Path, url: str, fatal: int) -> list[dict[str, Any]]:
    """What the child said before it ended, or was killed at its I/O call number `fatal` (0: never)."""
    command = [sys.executable, "-c", CHILD, str(home), str(inputs), url, str(fatal)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    said = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert said and (done.returncode == 0 or "killed" in said[-1]), done.stderr[-2000:]
    return said


def log_of(home: Path) -> tuple[list[int], int, int]:
    """Commit numbers, rows of the log and claims alive."""
    with Ledger.open(home / "ledger") as ledger:
        return ledger.commits()["commit"].to_pylist(), ledger.events().num_rows, ledger.alive().num_rows


@dataclass
class Ground:
    """Fresh homes, each with an empty store of one kind."""

    url: str
    folder: Path
    used: int = 0

    def fresh(self) -> tuple[Path, str]:
        self.used += 1
        home = self.folder / f"home{self.used}"
        if not self.url.startswith("arcadedb"):
            wipe(self.url)
        return home, self.url.replace(str(self.folder), str(home))


def fatal_calls(calls: list[str], seed: int) -> list[tuple[str, int]]:
    """Two I/O calls of each stage, chosen by a seeded generator: (stage, number)."""
    random = Random(seed)
    stages = {"stage": ("stage",), "commit": ("commit",), "sync": ("sync", "bulk")}
    numbers = {n: [i for i, c in enumerate(calls, 1) if c.split(":")[0] in names] for n, names in stages.items()}
    return [(name, number) for name, found in numbers.items() for number in sorted(random.sample(found, 2))]


def test_kills_at_counted_io_calls_lose_and_double_nothing(store_url: str, tmp_path: Path) -> None:
    inputs = tmp_path / "inputs"
    write_inputs(inputs)
    ground = Ground(store_url, tmp_path)
    home, url = ground.fresh()
    calm = child(home, inputs, url, 0)
    expected = log_of(home)
    assert expected[0] == [1, 2, 3]

    for stage, number in fatal_calls(calm[-1]["calls"], seed=11):
        home, url = ground.fresh()
        killed = child(home, inputs, url, number)
        assert killed[-1]["killed"].split(":")[0] in ({"sync", "bulk"} if stage == "sync" else {stage})
        acknowledged = max((s["commit"] for s in killed if "commit" in s), default=0)
        assert len(log_of(home)[0]) >= acknowledged
        resumed = child(home, inputs, url, 0)
        assert resumed[-1]["hash"] == calm[-1]["hash"]
        assert log_of(home) == expected
