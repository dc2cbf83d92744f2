"""A run is killed at counted I/O calls of ingest, commit, sync, training, publish and save, and loses nothing by it.

A seeded injector ends a child with SIGKILL right before its n-th I/O call of a stage; the next child carries on. What
was acknowledged is there, nothing is there twice, what is kept of a model is the old or the new and no mixture, and in
the end all is as after a run that was never disturbed. `make test` kills twenty times, `make soak` a hundred times.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from gnn.checkpoint import FACTS, load_tensors
from gnn.judge import FOLDER, Judge
from gnn.pipeline import restored
from gnn.runs import RECORD, RunStore
from kg.files import Files
from kg.ledger import Ledger
from kg.store import open_store
from tests.fault_child import GROWTH, LEARNING, Order, grow, learn, take_in
from tests.fault_kills import KILLS, LEAST, Kill, Said, at, child, chosen, dealt, folder_of
from tests.gnn_world import build
from tests.neo4j_server import wipe

pytestmark = [pytest.mark.slow, pytest.mark.faults]
Row = tuple[int, str, str]
"""Commit, op and claim of a row of the log."""


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


def log_of(home: Path) -> list[Row]:
    """Every row of the log, with those that stand there twice."""
    with Ledger.open(home / "ledger") as ledger:
        rows = ledger.events().select(["commit", "op", "claim"]).to_pylist()
    return sorted((row["commit"], row["op"], row["claim"]) for row in rows)


def runs_of(home: Path) -> list[str]:
    """What each commit of the log was made by, as it can be read. LedgerError for one that cannot."""
    with Ledger.open(home / "ledger") as ledger:
        runs = ledger.commits()["run"].to_pylist()
    return [json.loads(Files(home / "files").get(run))["kind"] for run in runs]


def acknowledged(said: Said) -> int:
    """The last commit that a child said was made."""
    return max((int(line["commit"]) for line in said if "commit" in line), default=0)


def check_log(home: Path, said: Said, expected: list[Row]) -> None:
    """The log holds what was acknowledged and whole commits of the calm run, no row twice."""
    rows = log_of(home)
    head = max((row[0] for row in rows), default=0)
    assert head >= acknowledged(said)
    assert rows == [row for row in expected if row[0] <= head]


@dataclass
class Ground:
    """Fresh homes, each with an empty store of one kind."""

    url: str
    folder: Path
    used: int = 0

    def fresh(self) -> tuple[Path, str]:
        self.used += 1
        home = self.folder / f"home{self.used}"
        home.mkdir()
        if not self.url.startswith("arcadedb"):
            wipe(self.url)
        return home, self.url.replace(str(self.folder), str(home))

    def order(self) -> Order:
        home, url = self.fresh()
        return Order(home, self.folder / f"said{self.used}", inputs=self.folder / "inputs", url=url)


def test_the_kills_are_dealt_to_every_stage() -> None:
    assert sum(dealt(20).values()) == 20 and sum(dealt(100).values()) == 100
    assert min(dealt(20).values()) == LEAST and min(dealt(100).values()) == 11
    assert {stage for stage, _ in dealt()} == {*GROWTH, *LEARNING} and sum(dealt().values()) == max(KILLS, 18)


def test_kills_in_ingest_commit_and_sync_lose_and_double_nothing(store_url: str, tmp_path: Path) -> None:
    write_inputs(tmp_path / "inputs")
    ground, store = Ground(store_url, tmp_path), "arcadedb" if store_url.startswith("arcadedb") else "neo4j"
    order = ground.order()
    calm = child(grow, order)[-1]
    expected = log_of(order.home)
    assert sorted({row[0] for row in expected}) == [1, 2, 3]

    struck = Counter[str]()
    for kill in chosen(calm["calls"], GROWTH, store):
        order = ground.order()
        killed = child(grow, at(order, kill))
        struck[killed[-1]["killed"]] += 1
        check_log(order.home, killed, expected)
        assert set(runs_of(order.home)) <= {"ingest"}, kill
        resumed = child(grow, order)
        assert resumed[-1]["hash"] == calm["hash"], kill
        assert log_of(order.home) == expected, kill
    assert struck == {stage: dealt()[stage, store] for stage in GROWTH}


def test_what_a_commit_was_made_by_can_be_read_wherever_its_process_was_killed(tmp_path: Path) -> None:
    write_inputs(tmp_path / "inputs")
    calm = Order(tmp_path / "calm", tmp_path / "said", inputs=tmp_path / "inputs" / "0")
    calls = child(take_in, calm)[-1]["calls"]
    seen = set[int]()
    for stage in ("ingest", "commit"):
        for number in range(max(1, calls[stage] - 5), calls[stage] + 1):
            order = replace(calm, home=tmp_path / f"{stage}{number}", stage=stage, number=number)
            child(take_in, order)
            made = runs_of(order.home)
            seen.add(len(made))
            assert made == ["ingest"] * len(made), order
    assert seen == {0, 1}, "some died before the commit and some after it"


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home whose ledger a model can learn from."""
    home = tmp_path_factory.mktemp("taught") / "home"
    build(home, firms=24).ledger.close()
    yield home


def lasting(home: Path) -> dict[str, bytes]:
    """What a run keeps, but for its record and card: how long it took, and the digest of the code that ran."""
    told = (RECORD, "card.md", "card.json")
    return {name: data for name, data in folder_of(home / "runs").items() if Path(name).name not in told}


def check_artefacts(home: Path, calm: Path) -> None:
    """Whatever is kept of a run is whole: what stands in the list of runs is what a calm run keeps, to the byte."""
    for facts in (home / "runs").rglob(FACTS):
        load_tensors(facts.parent)
    for run in RunStore(home / "runs").ids():
        restored(home / "runs" / run)
        if (calm / "runs" / run / FOLDER).exists():  # so few firms may teach no head
            Judge.load(home / "runs" / run)
        assert folder_of(home / "runs" / run).keys() >= folder_of(calm / "runs" / run).keys()
        json.loads((home / "runs" / run / "card.json").read_text())


@pytest.fixture(scope="module")
def learned(taught: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Order, Said]:
    """A calm run of learning on a home of its own, and what it said."""
    order = copied(taught, tmp_path_factory.mktemp("learned"))
    return order, child(learn, order)


def copied(taught: Path, folder: Path) -> Order:
    """The order to learn on a copy of a home: the same ledger, so that a run has the same id."""
    shutil.copytree(taught, folder / "home")
    return Order(folder / "home", folder / "said")


def test_kills_in_training_save_and_publish_leave_the_old_or_the_new(
    taught: Path, learned: tuple[Order, Said], tmp_path: Path
) -> None:
    first, calm = learned[0], learned[1][-1]
    expected, kept = log_of(first.home), lasting(first.home)
    assert sorted({row[0] for row in expected}) == [1, 2] and kept

    struck = Counter[str]()
    for place, kill in enumerate(chosen(calm["calls"], LEARNING)):
        order = copied(taught, tmp_path / str(place))
        killed = child(learn, at(order, kill))
        struck[killed[-1]["killed"]] += 1
        check_log(order.home, killed, expected)
        check_artefacts(order.home, first.home)
        if log_of(order.home) != expected:  # else all was committed, and a new training would be one of another commit
            assert child(learn, order)[-1]["run"] == calm["run"], kill
        assert log_of(order.home) == expected and lasting(order.home) == kept, kill
    assert struck == {stage: dealt()[stage, ""] for stage in LEARNING}


def test_a_graph_published_after_a_kill_is_the_same_on_each_store(
    taught: Path, learned: tuple[Order, Said], store_url: str, tmp_path: Path
) -> None:
    order = copied(taught, tmp_path / "killed")
    last = learned[1][-1]["calls"]["publish"]
    child(learn, at(order, Kill("publish", last)))
    child(learn, order)
    ground, graphs = Ground(store_url, tmp_path), set[str]()
    for home in (learned[0].home, order.home):
        _, url = ground.fresh()
        with Ledger.open(home / "ledger") as ledger:
            store = open_store(url, home)
            store.sync(ledger)
            graphs.add(store.graph_hash())
            store.close()
    assert len(graphs) == 1
