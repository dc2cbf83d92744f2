"""A person is erased: from every byte below the home, for good, and everything about others stays what it was."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from shutil import copytree

import pyarrow.compute as pc
import pytest

from ingest.locate import locate
from kg.errors import ErasedError, KgRiskError, LedgerError
from kg.files import Files
from kg.ledger import Ledger
from kg.model import RunManifest
from kg.tombstones import Tombstones
from kg.vectors import Vectors
from kgrisk.api import Graph
from kgrisk.audit import Audit
from kgrisk.audit_check import verify
from kgrisk.cases import Cases
from kgrisk.erasing import erase_person, resume
from kgrisk.jobs.table import Table
from kgrisk.views import SavedViews
from tests.erased_person import NAME, OTTO, STEEL, VERA, found_in, opened, planted, write_world
from tests.gnn_world import build
from tests.kgrisk_world import BIG, clean_environment, kgrisk_here

NEEDLES = (VERA, VERA.partition(":")[2], "061414d63770f896", NAME, "Lomskaya", "vera-lomskaya", "kgs-2")


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return planted(tmp_path_factory.mktemp("before"))


@pytest.fixture(scope="module")
def after(before: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Graph]:
    home = tmp_path_factory.mktemp("after") / "home"
    copytree(before, home)
    with opened(home) as graph:
        done = erase_person(graph, [VERA], "case 7", "dpo")
        assert done.unclear == {"exports/other.txt": 1}
        assert done.rows >= 12 and done.documents >= 4 and done.searched > 20 and not (home / "erase.json").exists()
        yield graph


def test_she_is_found_in_many_places_before_and_in_none_after(before: Path, after: Graph) -> None:
    was = {hit.partition("/")[0] for hit in found_in(before, *NEEDLES)}
    assert {"files", "ledger", "staging", "store", "exports", "runs", "cases.db", "audit"} <= was
    assert found_in(after.home, *NEEDLES) == []
    assert "exports/pack.zip" not in [p.relative_to(after.home).as_posix() for p in after.home.rglob("*")]
    with sqlite3.connect(after.home / "cases.db") as con:
        assert [row[0] for row in con.execute("SELECT text FROM notes ORDER BY id")][1] == "Otto Brandt called"
    con.close()
    nodes = after.store.query("MATCH (n:Entity) RETURN n.id AS id")["id"].to_pylist()
    names = after.store.query("MATCH (n:Name) RETURN n.text AS text")["text"].to_pylist()
    assert VERA not in nodes and OTTO in nodes and NAME not in names and "Otto Brandt" in names
    assert verify(Audit(after.home)).whole and verify(Audit(after.home)).erased == 3


def test_what_people_wrote_about_her_is_covered_by_every_part_of_her_name(before: Path, after: Graph) -> None:
    made = ("views", "cases", "jobs.sqlite", "audit", "runs/shadow", "cache")
    was, now = ({made for made in made if found_in_place(home / made)} for home in (before, after.home))
    assert was == {"views", "cases", "jobs.sqlite", "audit", "runs/shadow", "cache"} and now == set()
    views = SavedViews(after.home / "views")
    assert sorted(views[row["id"]]["state"]["q"] for row in views) == [
        "Otto Brandt",
        *("████", "████████ ████", "████████,████"),
    ]
    about, other = sorted(Cases(after.home / "cases"), key=lambda case: len(case.entries), reverse=True)
    assert about.title == "Ties of ████████" and about.items[1].what == BIG
    assert [entry.text for entry in about.notes] == [
        "████ called; Otto Brandt did not",
        "erased: words that named a person were covered in entries 1, 2",
    ]
    assert len(other.entries) == 1 and other.title == "Otto Brandt"
    with closing(Table(after.home)) as table:
        assert [job.args["folder"] for job in table.page(9)] == ["in/████████ ████"]
    asked = [row["detail"]["parameters"] for row in Audit(after.home).rows() if row["detail"] != "erased"]
    assert {"q": "Otto Brandt"} in asked and {"id": BIG} in asked


def found_in_place(path: Path) -> bool:
    """Is any part of her name in a file or in a folder of files, packed or not?"""
    folder = path if path.is_dir() else path.parent
    hits = found_in(folder, "vera", "lomskaya", VERA.partition(":")[2]) if folder.is_dir() else []
    return bool(hits) if path.is_dir() else any(hit.startswith(path.name) for hit in hits)


def test_every_place_that_others_stand_on_reads_back_what_the_ledger_quotes(after: Graph) -> None:
    read = 0
    for row in after.ledger.alive().to_pylist():
        if row["extractor"].startswith(("resolve", "model")) or row["kind"] == "erased":
            continue
        source = row["extractor"].partition(".")[0]
        assert locate(after.files.get(row["document"]), row["locator"], source) == row["quote"], row
        read += "█" in row["quote"]
    assert read >= 1
    explained = after.explain(f"name:{OTTO}")
    assert all(row["read_back"] for row in explained.evidence.rows())


@pytest.mark.slow
def test_what_the_graph_says_of_others_is_what_it_says_had_she_never_been(tmp_path: Path) -> None:
    with opened(tmp_path / "a" / "home") as graph, opened(tmp_path / "b" / "home") as never:
        graph.ingest(write_world(tmp_path / "a" / "in"))
        never.ingest(write_world(tmp_path / "b" / "in", vera=False))
        assert graph.store.graph_hash() != never.store.graph_hash()
        erase_person(graph, [VERA], "case 7", "dpo")
        assert graph.store.graph_hash() == never.store.graph_hash()
        one, two = graph.risk("debtrank", {f"lei:{STEEL}": 1.0}), never.risk("debtrank", {f"lei:{STEEL}": 1.0})
        assert one.table().rows() == two.table().rows()


def test_the_log_keeps_its_commits_and_known_times_and_goes_on(before: Path, after: Graph) -> None:
    was, now = Ledger.open(before / "ledger"), after.ledger
    assert now.head == was.head + 1
    assert [now.known(n) for n in range(1, was.head + 1)] == [was.known(n) for n in range(1, was.head + 1)]
    gone = was.events().filter(pc.equal(was.events()["op"], "retract")).num_rows
    assert gone == now.events().filter(pc.equal(now.events()["op"], "retract")).num_rows
    (stone,) = Tombstones(now.folder).all
    assert (stone.reason, stone.by, stone.commit) == ("case 7", "dpo", now.head)
    assert VERA in Tombstones(now.folder) and OTTO not in Tombstones(now.folder)
    assert VERA not in json.dumps(stone.marks) and (now.folder / "erased.key").stat().st_mode & 0o777 == 0o600


def test_her_vector_is_gone_and_that_of_others_is_not(before: Path, after: Graph) -> None:
    rows = after.ledger.alive().filter(pc.equal(after.ledger.alive()["name"], "embedding"))
    (text,) = rows["value_text"].to_pylist()
    assert Vectors(after.files)(text) == [5.0, 6.0, 7.0, 8.0]
    assert Vectors(after.files)(text.replace("#1", "#0")) == [0.0] * 4
    assert Vectors(Files(before / "files"))(text.replace("#1", "#0")) == [1.0, 2.0, 3.0, 4.0]
    assert not (after.home / "runs" / "abc").exists()


@pytest.mark.slow
def test_a_model_trained_on_her_goes_and_the_vectors_it_gave_others_stay(tmp_path: Path) -> None:
    build(tmp_path / "home", firms=12).ledger.close()
    few = {"epochs": "2", "dim": "8", "modalities": "numeric", "links_each": "3", "members": "1", "certify": "off"}
    with opened(tmp_path / "home") as graph:
        graph.ingest(write_world(tmp_path / "in"))
        graph.train("2023-01-01", settings={**few, "model": "complex", "cohorts": "1", "amount": "none"})
        was = {row["id"]: row["vector"] for row in graph.embeddings().rows()}
        assert VERA in was and graph.runs().table.num_rows == 1
        done = erase_person(graph, [VERA], "case 7", "dpo")
        now = {row["id"]: row["vector"] for row in graph.embeddings().rows()}
        assert now == {id: vector for id, vector in was.items() if id != VERA}
        assert graph.runs().table.num_rows == 0 and any("train again" in line for line in done.swept)
        near = graph.nearest(OTTO, k=50).table["id"].to_pylist() if OTTO in now else []
        assert VERA not in near
    assert found_in(tmp_path / "home", *NEEDLES) == []


def test_the_same_files_again_bring_nothing_of_her_back(after: Graph, before: Path) -> None:
    head = after.ledger.head
    report = after.ingest(before.parent / "in")
    assert {q.source for q in report.quarantined} == {"ftm", "trades", "news"}
    assert all("erased" in q.reason for q in report.quarantined) and after.ledger.head == head
    assert found_in(after.home, *NEEDLES) == []


def test_a_file_with_her_in_it_that_is_new_gives_what_it_says_of_others_only(after: Graph, tmp_path: Path) -> None:
    folder = write_world(tmp_path / "in")
    trades = folder / "trades" / "trades.csv"
    trades.write_text(trades.read_text() + f"4,2020-03-05T11:00:00Z,{BIG},isin:US0378331005,S,7,1.55,USD\n")
    people = folder / "registers" / "people.ftm"
    people.write_text(people.read_text().replace("Otto Brandt", "Otto F. Brandt"))
    report = after.ingest(folder)
    told = [q for q in report.quarantined if "erased" in q.reason]
    assert {q.source for q in told} == {"ftm", "trades"} and report.committed
    assert found_in(after.home, *NEEDLES) == []
    alive = after.ledger.alive()
    assert "Otto F. Brandt" in alive["value_text"].to_pylist()
    assert 7.0 in alive.filter(pc.equal(alive["name"], "TRADED"))["value_real"].to_pylist() or any(
        quote.startswith("4,2020-03-05") for quote in alive["quote"].to_pylist()
    )


KILLED = """
import os, signal, sys
from pathlib import Path
from kgrisk.api import open as open_graph
from kgrisk.erasing import erase_person, resume
from kgrisk.settings import Settings
home, stage = Path(sys.argv[1]), sys.argv[2]
def on_io(name):
    if name == stage:
        os.kill(os.getpid(), signal.SIGKILL)
with open_graph(home, settings=Settings(home=home)) as graph:
    erase_person(graph, [sys.argv[3]], "case 7", "dpo", on_io)
"""


@pytest.mark.slow
@pytest.mark.parametrize("stage", ["document:after", "erase:written"])
def test_an_erasure_that_was_killed_goes_on_where_it_was(before: Path, tmp_path: Path, stage: str) -> None:
    home = tmp_path / "home"
    copytree(before, home)
    command = [sys.executable, "-c", KILLED, str(home), stage, VERA]
    assert subprocess.run(command, env=clean_environment(), timeout=600).returncode == -signal.SIGKILL
    assert (home / "erase.json").stat().st_mode & 0o777 == 0o600 and found_in(home, NAME)
    with opened(home) as graph:
        with pytest.raises(KgRiskError, match="--resume"):
            erase_person(graph, [VERA], "case 7", "dpo")
        done = resume(graph)
        assert done.documents >= 4 and not done.removed
        assert found_in(home, *NEEDLES) == [] and len(Tombstones(graph.ledger.folder).all) == 1
        assert graph.ledger.head == Ledger.open(before / "ledger").head + 1
        with pytest.raises(KgRiskError, match="no erasure is open"):
            resume(graph)


def test_a_table_whose_swap_was_killed_between_its_renames_is_put_in_place(before: Path, tmp_path: Path) -> None:
    folder = tmp_path / "ledger"
    copytree(before / "ledger", folder)
    copytree(folder / "table", folder / "table.ready")
    (folder / "table").rename(folder / "table.old")
    with Ledger.open(folder) as ledger:
        assert ledger.head == 3
    assert sorted(p.name for p in folder.glob("table*")) == ["table"]


@pytest.mark.slow
def test_a_run_that_used_her_is_replayed_as_erased_and_one_that_did_not_is_the_same(tmp_path: Path) -> None:
    with opened(tmp_path / "home") as graph:
        graph.ingest(write_world(tmp_path / "in"))
        graph.risk("debtrank", {f"lei:{STEEL}": 1.0}, publish=True)
        run = graph.ledger.commits()["run"].to_pylist()[-1]
        recorded = json.loads(graph.files.get(run))["details"]
        named = RunManifest("risk", {**recorded, "entity": VERA})
        moved = RunManifest("risk", {**recorded, "answer": "what it was while she was in the graph"})
        for one in (named, moved):
            graph.files.put(one.to_bytes())
        assert graph.replay(run).same and not graph.replay(moved.id).same and not graph.replay(moved.id).erased
        erase_person(graph, [VERA], "case 7", "dpo")
        assert graph.replay(run).same and not graph.replay(run).erased
        for one in (named, moved):
            gone = graph.replay(one.id)
            assert gone.erased and not gone.same and gone.told.startswith("erased")


def test_what_cannot_be_redacted_goes_as_a_whole_and_says_so(tmp_path: Path) -> None:
    files = Files(tmp_path / "files")
    name, other = files.put(b"%PDF-1.7 of her"), files.put(b"of others")
    files.erase(name, None)
    with pytest.raises(ErasedError, match="erased"):
        files.get(name)
    assert files.put(b"%PDF-1.7 of her") == name and name not in files
    files.erase(other, b"of ******")
    assert files.get(other) == b"of ******"
    files.path(other).write_bytes(b"forged")
    with pytest.raises(LedgerError, match="changed"):
        files.get(other)


@pytest.mark.slow
def test_the_command_says_what_it_does_and_refuses_what_is_wrong(before: Path, tmp_path: Path) -> None:
    copytree(before, tmp_path / "home")

    def run(*args: str) -> subprocess.CompletedProcess[str]:
        return kgrisk_here("erase", *args, "--home", "home", cwd=tmp_path)

    why = ("--reason", "case 7", "--by", "dpo")
    shown = json.loads(run(VERA, *why, "--preview", "--json").stdout)
    assert shown["rows"] >= 12 and NAME in shown["words"] and not (tmp_path / "home" / "erase.json").exists()
    assert run(VERA, "--reason", "case 7").returncode == 1
    named = run(VERA, "--reason", f"{NAME} asked", "--by", "dpo")
    assert named.returncode == 1 and "neither may name" in named.stderr
    firm = run(BIG, *why)
    assert firm.returncode == 1 and "only natural persons" in firm.stderr
    assert run("person:nobody", *why).returncode == 1 and run("--resume").returncode == 1 and run().returncode == 2
    done = run(VERA, *why)
    assert done.returncode == 0 and "0 hits" in done.stdout and NAME not in done.stdout
    assert found_in(tmp_path / "home", *NEEDLES) == []
    assert verify(Audit(tmp_path / "home")).whole
