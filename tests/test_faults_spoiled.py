"""Files that were spoiled on disk: a bit flipped, an end cut off, a file gone. None is ever silently wrong.

What cannot be had again is refused with an error that names the file and what to do; what is only a cache is made anew,
and is then the same. Checkpoints are spoiled in tests/test_kgrisk_spoiled.py and tests/test_gnn_train.py too.
"""

from __future__ import annotations

import json
import logging
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import numpy as np
import pytest

from gnn.checkpoint import FACTS, load_tensors, save_tensors
from ingest.pipeline import run
from ingest.staging import Staging
from kg.errors import LedgerError, ModelError, StoreError
from kg.files import Files
from kg.ledger import Ledger
from kg.model import AsOf, ClaimBatch, RunManifest
from kg.snapshot import Snapshot
from kg.store import open_store
from kg.vectors import Vectors, address, put_vectors
from kgrisk.jobs.job import JobError, Order
from kgrisk.jobs.table import Table
from tests.fault_kills import SEED
from tests.store_world import banks, commit, lend_in_a_ring
from tests.test_faults import log_of, write_inputs

pytestmark = pytest.mark.faults
Spoil = Callable[[Path], None]


def flip(path: Path) -> None:
    """Turn one bit of a file, at a place that the seed draws from its middle."""
    data, random = bytearray(path.read_bytes()), Random(SEED)
    place = random.randrange(len(data) // 4, 3 * len(data) // 4)
    data[place] ^= 1 << random.randrange(8)
    path.write_bytes(bytes(data))


def cut(path: Path) -> None:
    """Leave the first half of a file."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


WAYS: list[Spoil] = [flip, cut, Path.unlink]
ways = pytest.mark.parametrize("spoil", WAYS, ids=["flipped", "cut", "gone"])


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A home with three commits, closed."""
    with Ledger.open(tmp_path / "ledger") as ledger:
        lend_in_a_ring(ledger)
        for name in ("late", "later"):
            commit(ledger, *banks(name))
    yield tmp_path


@ways
@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_spoiled_file_of_the_table_is_named(spoil: Spoil, number: int, home: Path) -> None:
    file = sorted((home / "ledger" / "table").glob("*.parquet"))[number]
    spoil(file)
    with pytest.raises(LedgerError, match=f"(?s){file.name}.*backup"):
        log_of(home)


@ways
@pytest.mark.parametrize("number", [0, 1, 2, 3])
def test_a_spoiled_log_of_the_table_is_told(spoil: Spoil, number: int, home: Path) -> None:
    spoil(home / "ledger" / "table" / "_delta_log" / f"{number:020}.json")
    with pytest.raises(LedgerError, match=r"(?s)table.*backup"):
        log_of(home)


def test_a_reader_that_has_the_ledger_open_is_told_at_its_next_question(home: Path) -> None:
    with Ledger.open(home / "ledger") as reader, Ledger.open(home / "ledger") as writer:
        assert reader.events().num_rows
        known = set((home / "ledger" / "table").glob("*.parquet"))
        commit(writer, *banks("last"))
        (fresh,) = set((home / "ledger" / "table").glob("*.parquet")) - known
        flip(fresh)
        with pytest.raises(LedgerError, match=fresh.name):
            reader.events()


def test_a_spoiled_seal_is_named_and_without_one_the_table_is_taken_as_it_is(home: Path) -> None:
    before = log_of(home)
    seal = home / "ledger" / "seal.json"
    cut(seal)
    with pytest.raises(LedgerError, match=r"seal\.json cannot be read.*or remove it"):
        log_of(home)
    seal.unlink()
    assert log_of(home) == before
    with Ledger.open(home / "ledger") as ledger:
        commit(ledger, *banks("sealed"))
        ledger.compact(keep_hours=0)
    (file,) = (home / "ledger" / "table").glob("*.parquet")
    assert file.name in json.loads(seal.read_text())["files"]
    flip(file)
    with pytest.raises(LedgerError, match=file.name):
        log_of(home)


def test_commits_that_were_lost_with_a_part_of_the_folder_are_counted(home: Path) -> None:
    """An older copy of the table beside the seal of a newer one: commits that were acknowledged are missing."""
    shutil.copytree(home / "ledger" / "table", home / "older")
    with Ledger.open(home / "ledger") as ledger:
        commit(ledger, *banks("acknowledged"))
    shutil.rmtree(home / "ledger" / "table")
    (home / "older").rename(home / "ledger" / "table")
    with pytest.raises(LedgerError, match=r"ends at commit 3, but commit 4 was made.*backup"):
        log_of(home)


def tables(snapshot: Snapshot) -> list[object]:
    """The rows of a snapshot, copied: its tables lie in the files that are spoiled."""
    return [table.to_pylist() for table in (snapshot.nodes, snapshot.edges, snapshot.facts)]


@ways
@pytest.mark.parametrize("file", ["nodes.arrow", "edges.arrow", "facts.arrow", "sums.json"])
def test_a_spoiled_snapshot_is_made_anew(spoil: Spoil, file: str, home: Path, caplog: pytest.LogCaptureFixture) -> None:
    with Ledger.open(home / "ledger") as ledger:
        calm = tables(ledger.view(AsOf()))
        (folder,) = (home / "cache").glob("snapshot-*")
        spoil(folder / file)
        with caplog.at_level(logging.WARNING):
            assert tables(ledger.view(AsOf())) == calm
        assert ("made anew" in caplog.text) or spoil is Path.unlink
        kept = {path.name: path.read_bytes() for path in folder.iterdir()}
        assert tables(ledger.view(AsOf())) == calm
        assert {path.name: path.read_bytes() for path in folder.iterdir()} == kept


@ways
def test_a_spoiled_staged_extract_is_extracted_anew(spoil: Spoil, tmp_path: Path) -> None:
    write_inputs(tmp_path / "inputs")
    logs = []
    for name in ("calm", "spoiled"):
        home = tmp_path / name
        if name == "spoiled":
            shutil.copytree(tmp_path / "calm" / "staging", home / "staging")
            for staged in (home / "staging").rglob("*.parquet"):
                spoil(staged)
        with Ledger.open(home / "ledger") as ledger:
            report = run(tmp_path / "inputs" / "0", ledger, Files(home / "files"), home)
        taken_up = sum(count.resumed for count in report.sources.values())
        assert not report.quarantined and (spoil is flip or not taken_up)  # where nothing is read a bit does no harm
        logs.append(log_of(home))
    assert logs[0] == logs[1] and logs[0]


def test_whatever_bit_of_a_staged_extract_flips_it_is_the_same_or_made_anew(tmp_path: Path) -> None:
    write_inputs(tmp_path / "inputs")
    with Ledger.open(tmp_path / "ledger") as ledger:
        run(tmp_path / "inputs" / "0", ledger, Files(tmp_path / "files"), tmp_path)
    staging, path = Staging(tmp_path / "staging", lambda _: None), tmp_path / "one.parquet"
    file = sorted((tmp_path / "staging").rglob("*.parquet"))[0]
    whole, noticed = staging.get(file), 0
    assert whole is not None
    for place in range(0, file.stat().st_size, 31):
        data = bytearray(file.read_bytes())
        data[place] ^= 1 << place % 8
        path.write_bytes(bytes(data))
        found = staging.get(path)
        noticed += found is None
        assert found is None or (found.claims.table.equals(whole.claims.table) and found.refused == whole.refused)
    assert noticed > 20


@ways
def test_a_spoiled_document_or_vector_file_is_named(spoil: Spoil, tmp_path: Path) -> None:
    files = Files(tmp_path / "files")
    name = put_vectors(files, np.eye(4, 8, dtype=np.float32))
    assert Vectors(files)(address(name, 1))[1] == 1.0
    spoil(files.path(name))
    for read in (lambda: files.get(name), lambda: Vectors(files)(address(name, 1))):
        with pytest.raises(LedgerError, match=f"{name}.*restore it from a backup"):
            read()


@ways
@pytest.mark.parametrize("part", ["weights", FACTS])
def test_a_spoiled_checkpoint_is_named(spoil: Spoil, part: str, tmp_path: Path) -> None:
    from torch import arange

    told = {"names": [f"reg:firm{n:03d}" for n in range(40)], "scale": [0.25, 1.5]}
    save_tensors(tmp_path, {"x": arange(40.0)}, told)
    file = tmp_path / (FACTS if part == FACTS else json.loads((tmp_path / FACTS).read_text())["weights"])
    spoil(file)
    with pytest.raises(ModelError, match=f"{tmp_path}.*train again"):
        load_tensors(tmp_path)


def other(path: Path) -> None:
    path.write_bytes(b"no database at all" * 64)


@pytest.mark.parametrize("spoil", [cut, other])
def test_a_spoiled_run_table_is_named(spoil: Spoil, tmp_path: Path) -> None:
    table = Table(tmp_path)
    for number in range(40):
        table.submit(Order("refresh", {"folder": f"inputs {number} {'x' * 200}"}), "ada")
    table.close()
    with sqlite3.connect(tmp_path / "jobs.sqlite") as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    spoil(tmp_path / "jobs.sqlite")
    with pytest.raises(JobError, match=r"jobs\.sqlite cannot be used as the run table.*move it away to begin anew"):
        Table(tmp_path).page(50)


def test_a_store_that_is_spoiled_says_how_to_make_it_anew(home: Path) -> None:
    url = f"arcadedb://{home}/store?heap=512m"
    with Ledger.open(home / "ledger") as ledger:
        store = open_store(url, home)
        store.sync(ledger)
        calm = store.graph_hash()
        store.close()
        for file in (home / "store" / "databases" / "graph").iterdir():
            if file.name in ("schema.json", "configuration.json"):
                file.write_text("{")
        with pytest.raises(StoreError, match="if it is damaged, delete the folder and sync again"):
            open_store(url, home)
        shutil.rmtree(home / "store")
        store = open_store(url, home)
        store.sync(ledger)
        assert store.graph_hash() == calm
        store.close()


def test_an_empty_commit_writes_no_seal_that_lies(home: Path) -> None:
    with Ledger.open(home / "ledger") as ledger:
        assert ledger.commit(ClaimBatch.of([]), RunManifest("nothing")) == 3
    assert json.loads((home / "ledger" / "seal.json").read_text())["head"] == 3


def test_a_ledger_whose_making_was_broken_off_is_made_by_the_next(tmp_path: Path) -> None:
    with Ledger.open(tmp_path / "ledger") as ledger:
        begun = ledger.uuid
    (tmp_path / "ledger" / "ledger.json").unlink()
    with Ledger.open(tmp_path / "ledger") as ledger:
        assert ledger.uuid != begun and commit(ledger, *banks("first")) == 1
    (tmp_path / "ledger" / "ledger.json").unlink()
    with pytest.raises(LedgerError, match="holds no ledger"):  # its commits are somebody's
        Ledger.open(tmp_path / "ledger")
