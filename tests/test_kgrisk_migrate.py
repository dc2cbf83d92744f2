"""A home that the version before the first number made is read, taken up and down, and killed on the way."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from kg.errors import FormatError, KgRiskError, LeaseHeldError
from kg.migrations import FILE, FORMAT, Mark
from kg.store import open_store
from kgrisk.api import open as open_graph
from kgrisk.audit import Audit
from kgrisk.audit_list import listed
from kgrisk.jobs.database import Database
from kgrisk.jobs.queue import Queue
from kgrisk.migrate_command import RunTable, migrated
from kgrisk.runfile import lock
from kgrisk.settings import Settings
from tests.conftest import STORES
from tests.kgrisk_world import clean_environment, kgrisk_here
from tests.migrated_home import HASH, INDEX, NOWHERE, answers, driver_of, indexed, jobs, numbers, unpacked
from tests.neo4j_server import wipe


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home as the version of format 1 left it."""
    return unpacked(tmp_path / "home")


@pytest.fixture(params=STORES)
def settings(request: pytest.FixtureRequest, home: Path) -> Iterator[Settings]:
    """Settings of the old home with its own embedded store, and with a Neo4j that an old version filled."""
    if request.param == "arcadedb":
        yield Settings(home=home)
        return
    url: str = request.getfixturevalue("neo4j_url")
    with open_graph(home, settings=Settings(home=home, store=url)) as graph:
        graph.sync()
    with driver_of(url) as driver:  # what older versions write has neither the number nor the index
        driver.execute_query("MATCH (l:Ledger) REMOVE l.format")
        driver.execute_query(f"DROP INDEX {INDEX}")
    yield Settings(home=home, store=url)
    wipe(url)


@pytest.mark.slow
def test_an_old_home_answers_the_same_before_above_and_below_again(settings: Settings) -> None:
    before = answers(settings)
    assert before["hash"] == HASH
    assert [len(before[what]) for what in ("runs", "losses", "hit", "files")] == [1, 3, 2, 6]
    assert numbers(settings) == [1, 1, 1]
    for to, last in ((FORMAT, "home"), (1, "home")):
        steps = migrated(settings, to)["steps"]
        assert [step["carrier"] for step in steps] == ["store", "run table", last]
        assert numbers(settings) == [to, to, to]
        assert answers(settings) == before
        assert migrated(settings, to)["steps"] == []
        if settings.store:
            assert indexed(settings.store) is (to == FORMAT)
    assert [(step["from"], step["to"]) for step in migrated(settings, 1)["history"]] == [(1, 2), (2, 1)]


@pytest.mark.neo4j
def test_questions_about_runs_seek_their_scores_by_the_index_that_format_2_adds(home: Path, neo4j_url: str) -> None:
    settings, text = (
        Settings(home=home, store=neo4j_url),
        "EXPLAIN MATCH (n)-[s:HAS_SCORE]->(v) WHERE s.property = $p RETURN n",
    )
    found = []
    for to in (1, FORMAT):
        migrated(settings, to)
        with driver_of(neo4j_url) as driver:
            found.append(str(driver.execute_query(text, p="run").summary.plan))
    assert ["RelationshipIndexSeek" in plan for plan in found] == [False, True]


@pytest.mark.neo4j
def test_an_index_that_a_killed_step_left_behind_follows_the_number_at_the_next_opening(
    home: Path, neo4j_url: str
) -> None:
    open_store(neo4j_url, home).close()
    with driver_of(neo4j_url) as driver:
        for number in (1, FORMAT):
            driver.execute_query("MERGE (l:Ledger {id: 'main'}) SET l.format = $number", number=number)
            assert indexed(neo4j_url) is (number == 1), "as the step before left it"
            open_store(neo4j_url, home).close()
            assert indexed(neo4j_url) is (number == FORMAT)


@pytest.mark.slow
def test_a_newer_store_is_refused(settings: Settings) -> None:
    store = open_store(settings.url(settings.home), settings.home)
    store.move(FORMAT)
    store.move(FORMAT + 1) if not settings.store else None
    store.close()
    if settings.store:
        with driver_of(settings.store) as driver:
            driver.execute_query("MATCH (l:Ledger {id: 'main'}) SET l.format = $n", n=FORMAT + 1)
    for _ in range(2):  # and who was refused holds nothing that hinders the next
        with pytest.raises(FormatError, match=rf"the store in .* has format {FORMAT + 1}.*migrate --to {FORMAT}"):
            open_store(settings.url(settings.home), settings.home)


def test_a_newer_home_and_a_newer_run_table_are_refused_at_every_door(home: Path) -> None:
    with closing(sqlite3.connect(home / "jobs.sqlite")) as db:
        db.execute(f"PRAGMA user_version = {FORMAT + 1}")
    with pytest.raises(FormatError, match=rf"jobs.sqlite has format {FORMAT + 1}"):
        Queue(home)
    with pytest.raises(FormatError, match=rf"run table has format {FORMAT + 1}"):
        migrated(Settings(home=home, store=NOWHERE))
    Mark(FORMAT + 1, "9.8.7").write(home)
    for call in (lambda: open_graph(home, settings=Settings(home=home)), lambda: migrated(Settings(home=home))):
        with pytest.raises(FormatError, match=rf"format {FORMAT + 1}, written by kgrisk 9\.8\.7"):
            call()
    assert not (home / "store" / "owner.json").exists(), "nothing of it was opened"


def test_a_new_run_table_carries_the_number_and_an_old_one_is_left_as_it_is(home: Path, tmp_path: Path) -> None:
    Database(tmp_path / "new").close()
    Database(home).close()
    assert [RunTable(tmp_path / "new").format, RunTable(home).format] == [FORMAT, 1]


def test_the_command_tells_plans_writes_down_and_names_an_old_home(home: Path) -> None:
    store = ("--store", NOWHERE)
    where = ("--home", "home", "--json", *store)
    plan = kgrisk_here("migrate", "--plan", *where, cwd=home.parent)
    assert json.loads(plan.stdout)["steps"] == [
        {"carrier": name, "before": 1, "after": 2} for name in ("run table", "home")
    ]
    assert not (home / FILE).exists()
    done = json.loads(kgrisk_here("migrate", *where, cwd=home.parent).stdout)
    assert (done["format"], [step["carrier"] for step in done["steps"]]) == (FORMAT, ["run table", "home"])
    below = kgrisk_here("migrate", "--to", "1", "--home", "home", *store, cwd=home.parent)
    assert below.returncode == 0 and "home: format 1" in below.stdout
    acts = [(row["what"], row["status"]) for row in listed(Audit(home))]
    assert acts == [("migrate", "begun"), ("migrate", 0)] * 3
    wrong = kgrisk_here("migrate", "--to", "7", *where, cwd=home.parent)
    assert wrong.returncode == 1 and "no format 7; known: 1: " in wrong.stderr


def test_an_old_home_is_opened_with_a_word_about_migrate(home: Path, caplog: pytest.LogCaptureFixture) -> None:
    with open_graph(home, settings=Settings(home=home)) as graph:
        assert graph.ledger.head == 2
    assert f"`kgrisk migrate --home {home}`" in caplog.text
    migrated(Settings(home=home, store=NOWHERE))
    caplog.clear()
    open_graph(home, settings=Settings(home=home)).close()
    assert caplog.text == ""


def test_nothing_is_migrated_where_there_is_no_graph_or_somebody_writes(home: Path, tmp_path: Path) -> None:
    with pytest.raises(KgRiskError, match="holds no graph"):
        migrated(Settings(home=tmp_path / "none"))
    with lock(home), pytest.raises(LeaseHeldError):
        migrated(Settings(home=home))
    assert not (home / FILE).exists()


KILLED = """
import os, shutil, signal, sys
from pathlib import Path
from kgrisk.migrate_command import migrated
from kgrisk.settings import Settings

top, to = Path(sys.argv[1]), int(sys.argv[2])
left = 0

def seen(event, args):
    global left
    if left and event in ("open", "os.rename", "os.mkdir", "sqlite3.connect") and str(top) in str(args[0]):
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(seen)
for number in range(1, 1000):
    home = shutil.copytree(top / "home", top / str(number))
    child = os.fork()  # no Java machine runs in this process
    if child == 0:
        left = number
        migrated(Settings(home=home, store=sys.argv[3]), to, on_io=lambda word: sys.audit("open", str(top), word, 0))
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    if not os.WIFSIGNALED(status):
        print(number, os.waitstatus_to_exitcode(status))
        break
"""
"""Migrates one copy of a home after another, killed at its first, second, third ... file operation or step."""


@pytest.mark.slow
@pytest.mark.faults
@pytest.mark.parametrize("to", [FORMAT, 1])
def test_a_kill_at_any_file_operation_leaves_the_old_or_the_new_and_the_same_again_ends_it(home: Path, to: int) -> None:
    settings = Settings(home=home, store=NOWHERE)
    if to == 1:
        migrated(settings)
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(home.parent), str(to), NOWHERE],
        env=clean_environment(), capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    kills, status = map(int, done.stdout.split())
    assert status == 0 and kills > 10, done.stderr
    halves = set()
    for number in range(1, kills + 1):
        killed = Settings(home=home.parent / str(number), store=NOWHERE)
        table, mark = RunTable(killed.home).format, Mark.read(killed.home)
        assert {table, mark.format} <= {1, FORMAT}
        assert mark.format != to or table == to, "the home comes last"
        halves.add((table, mark.format))
        assert jobs(killed.home) == jobs(home)
        migrated(killed, to)
        assert (RunTable(killed.home).format, Mark.read(killed.home).format) == (to, to)
        assert len(Mark.read(killed.home).history) == (1 if to == FORMAT else 2)
    assert len(halves) == 3, "some were killed before, some between and some after"


STORE = """
import os, signal, sys
from pathlib import Path
from kgrisk.migrate_command import migrated
from kgrisk.settings import Settings

def on_io(word):
    if word == sys.argv[4]:
        os.kill(os.getpid(), signal.SIGKILL)

migrated(Settings(home=Path(sys.argv[1]), store=sys.argv[2]), int(sys.argv[3]), on_io=on_io)
"""


@pytest.mark.slow
@pytest.mark.faults
def test_a_kill_while_the_store_is_taken_up_or_down_leaves_it_whole(settings: Settings) -> None:
    for to in (FORMAT, 1):
        at = f"store to {to}: number"
        command = [sys.executable, "-c", STORE, str(settings.home), settings.url(settings.home), str(to), at]
        done = subprocess.run(command, env=clean_environment(), capture_output=True, text=True, timeout=120)
        assert done.returncode == -9, done.stderr
        assert numbers(settings) == [to, FORMAT + 1 - to, FORMAT + 1 - to]
        with open_graph(settings.home, settings=settings) as graph:
            assert graph.store.graph_hash() == HASH
        assert [step["carrier"] for step in migrated(settings, to)["steps"]] == ["run table", "home"]
        if settings.store:
            assert indexed(settings.store) is (to == FORMAT)
