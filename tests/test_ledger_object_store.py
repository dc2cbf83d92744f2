"""A ledger whose table lies in an object store is the same ledger, whoever writes it, dies or cannot reach it."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from kg.errors import LedgerError, StaleWriterError
from kg.ledger import Ledger
from kg.model import AsOf, ClaimBatch
from kg.place import ALWAYS, Place
from kg.store import open_store
from tests.kgrisk_world import BIG, clean_environment, kgrisk_here, write_registers
from tests.ledger_world import RUN, bank, loan
from tests.operations import START, Ticking, World
from tests.s3_server import S3, SECRET, Wire

QUICK = {"max_retries": "1"}


@pytest.fixture
def url(request: pytest.FixtureRequest) -> str:
    """A place of its own for each test."""
    return f"s3://bucket/{request.node.name.replace('[', '-').replace(']', '')}/ledger"


def joined(url: str, s3: S3, folder: Path, clock: Ticking | None = None) -> Ledger:
    """The ledger as a machine whose own folder this is sees it."""
    return Ledger.open(url, storage_options=s3.options, beside=folder, clock=clock or Ticking())


def rows(ledger: Ledger) -> list[dict[str, object]]:
    return ledger.events().to_pylist()  # type: ignore[no-any-return]  # pyarrow is untyped


def test_a_place_is_a_folder_or_a_bucket_and_its_secrets_are_not_told(tmp_path: Path) -> None:
    for wrong in ("gs://bucket/ledger", "s3://", "s3:///", "http://host/ledger"):
        with pytest.raises(LedgerError, match=r"expected a folder, or an object store such as s3://bucket/ledger"):
            Ledger.open(wrong, beside=tmp_path)
    place = Place.of("s3://bucket/ledger/", {"aws_secret_access_key": SECRET}, tmp_path)
    assert (str(place), place.remote) == ("s3://bucket/ledger", True)
    assert SECRET not in repr(place)
    assert ALWAYS["aws_conditional_put"] == "etag", "without it the last of two writers would win"
    here = Place.of(tmp_path / "ledger", None, None)
    assert (here.remote, str(here)) == (False, str(tmp_path / "ledger"))


def test_a_folder_that_belongs_to_one_ledger_is_not_lent_to_another(tmp_path: Path) -> None:
    Ledger.open(tmp_path / "ledger").close()
    with pytest.raises(LedgerError, match=r"belongs to the ledger in that folder, not to s3://bucket/other"):
        Ledger.open("s3://bucket/other", beside=tmp_path / "ledger")


def test_a_store_that_is_not_there_is_told_with_what_to_check_and_without_the_key(tmp_path: Path) -> None:
    options = {"aws_endpoint_url": "http://127.0.0.1:9", "aws_allow_http": "true", "aws_region": "us-east-1"}
    options |= {"aws_access_key_id": "tests", "aws_secret_access_key": SECRET} | QUICK
    with pytest.raises(LedgerError, match=r"s3://bucket/ledger cannot be reached.*AWS_ENDPOINT_URL") as told:
        Ledger.open("s3://bucket/ledger", storage_options=options, beside=tmp_path / "ledger")
    assert SECRET not in str(told.value)
    assert not (tmp_path / "ledger" / "ledger.json").exists()


@pytest.mark.slow
def test_it_has_the_rows_answers_and_graph_of_a_ledger_in_a_folder(s3: S3, url: str, tmp_path: Path) -> None:
    here, there = (Ledger.open(tmp_path / "here", clock=Ticking()), joined(url, s3, tmp_path / "there"))
    for ledger in (here, there):
        world = World(ledger, seed=7)
        world.start()
        world.run(20)
    assert rows(here) == rows(there) and here.head == there.head > 5
    for days in (0, 400, 1200):
        for commit in (1, here.head // 2, here.head):
            at = AsOf(START + timedelta(days=days), here.known(commit))
            assert here.view(at).edges.equals(there.view(at).edges)
            assert here.view(at).facts.equals(there.view(at).facts)
    hashes = []
    for name, ledger in (("a", here), ("b", there)):
        store = open_store(f"arcadedb://{tmp_path}/{name}?heap=1g", tmp_path)
        store.sync(ledger)
        hashes.append(store.graph_hash())
        store.close()
    assert hashes[0] == hashes[1]


@pytest.mark.slow
def test_another_machine_joins_it_reads_on_and_is_refused_only_where_it_comes_second(
    s3: S3, url: str, tmp_path: Path
) -> None:
    one, two = joined(url, s3, tmp_path / "one"), joined(url, s3, tmp_path / "two")
    assert one.uuid == two.uuid
    one.commit(ClaimBatch.of([bank("lei:A", "Alpha"), bank("lei:B", "Beta")]), RUN)
    assert two.head == 1 and rows(two) == rows(one)
    assert two.place.newer(0) and not two.place.newer(two.version)

    def overtake(word: str) -> None:
        if word == "commit:before":
            one.commit(ClaimBatch.of([loan(10)]), RUN)

    with pytest.raises(StaleWriterError, match=r"commit 2: another writer was first .*open the ledger again"):
        two.commit(ClaimBatch.of([loan(20, "doc2")]), RUN, on_io=overtake)
    assert [row["value_decimal"] for row in rows(two) if row["kind"] == "edge"] == [10]
    assert two.commit(ClaimBatch.of([loan(20, "doc2")]), RUN) == 3
    assert rows(one) == rows(two)


RACE = """
import sys
from pathlib import Path
from kg.errors import StaleWriterError
from kg.ledger import Ledger
from kg.model import ClaimBatch
from tests.ledger_world import RUN, bank
url, folder, name = sys.argv[1:]
lost = 0
for number in range(4):
    while True:
        try:
            with Ledger.open(url, beside=Path(folder)) as ledger:
                ledger.commit(ClaimBatch.of([bank(f"lei:{name}{number}", name)]), RUN)
            break
        except StaleWriterError:
            lost += 1
print(lost)
"""


@pytest.mark.slow
def test_two_machines_that_write_at_once_leave_every_commit_once_and_no_gap(s3: S3, url: str, tmp_path: Path) -> None:
    with joined(url, s3, tmp_path / "reader") as ledger:
        environment = clean_environment(**s3.environment)
        runs = [
            subprocess.Popen(
                [sys.executable, "-c", RACE, url, str(tmp_path / name), name],
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for name in ("one", "two")
        ]
        for run in runs:
            told, wrong = run.communicate(timeout=240)
            assert run.returncode == 0, wrong
            assert told.strip().isdigit()
        assert ledger.commits()["commit"].to_pylist() == list(range(1, 9))
        said = [row["claim"] for row in rows(ledger)]
        assert len(said) == len(set(said)) == 16


@pytest.mark.slow
@pytest.mark.faults
def test_a_line_cut_at_any_request_of_a_commit_leaves_the_old_or_the_new_and_the_same_again_ends_it(
    s3: S3, url: str, tmp_path: Path
) -> None:
    wire, seen = Wire(s3), set()
    made = ClaimBatch.of([bank("lei:A", "Alpha"), bank("lei:B", "Beta"), loan(10)])
    for cut in range(40):
        place = f"{url}-{cut}"
        with joined(place, s3, tmp_path / f"reader-{cut}") as reader:
            ledger = Ledger.open(
                place, storage_options=wire.options | QUICK, beside=tmp_path / f"writer-{cut}", clock=Ticking()
            )
            wire.cut_after(cut)
            try:
                ledger.commit(made, RUN)
                failed = False
            except (LedgerError, StaleWriterError) as error:
                assert SECRET not in str(error)
                failed = True
            wire.cut_after()
            seen.add((failed, reader.head))
            assert len(rows(reader)) == (5 if reader.head else 0), "a commit is whole or is not"
            ledger.commit(made, RUN)
            assert (reader.head, len(rows(reader))) == (1, 5)
        if not failed:
            break
    wire.close()
    assert {(True, 0), (False, 1)} <= seen and cut > 2


KILLED = """
import os, signal, sys, threading, time
from pathlib import Path
from kg.ledger import Ledger
from kg.model import ClaimBatch
from tests.ledger_world import RUN, bank
url, folder, after = sys.argv[1], Path(sys.argv[2]), float(sys.argv[3])
ledger = Ledger.open(url, beside=folder)
batch = ClaimBatch.of([bank(f"lei:{n:05}", f"Bank {n}") for n in range(2000)])

def on_io(word):
    if word == "commit:before":
        threading.Thread(target=lambda: (time.sleep(after), os.kill(os.getpid(), signal.SIGKILL))).start()

ledger.commit(batch, RUN, on_io=on_io)
time.sleep(60)
"""


@pytest.mark.slow
@pytest.mark.faults
def test_a_kill_in_the_middle_of_a_commit_leaves_the_old_or_the_new_and_the_next_run_ends_it(
    s3: S3, url: str, tmp_path: Path
) -> None:
    batch = ClaimBatch.of([bank(f"lei:{n:05}", f"Bank {n}") for n in range(2000)])
    for after in (0.0, 0.01, 0.03, 0.1):
        place = f"{url}-{after}"
        command = [sys.executable, "-c", KILLED, place, str(tmp_path / f"killed-{after}"), str(after)]
        done = subprocess.run(command, env=clean_environment(**s3.environment), capture_output=True, timeout=120)
        assert done.returncode == -9, done.stderr.decode()
        with joined(place, s3, tmp_path / f"killed-{after}") as ledger:
            assert len(rows(ledger)) == (4000 if ledger.head else 0)
            ledger.commit(batch, RUN)
            assert (ledger.head, len(rows(ledger))) == (1, 4000)


@pytest.mark.slow
def test_compaction_changes_no_answer_and_old_copies_go(s3: S3, url: str, tmp_path: Path) -> None:
    with joined(url, s3, tmp_path / "one") as one, joined(url, s3, tmp_path / "two") as two:
        for number in range(4):
            one.commit(ClaimBatch.of([bank(f"lei:{number}", "B")]), RUN)
        before = rows(two)
        assert len(list((tmp_path / "two" / "copies").iterdir())) == 4
        one.compact(keep_hours=0)
        assert rows(one) == rows(two) == before
        assert len(list((tmp_path / "two" / "copies").iterdir())) == 1


@pytest.mark.slow
def test_a_copy_is_a_ledger_in_a_folder_and_leaves_the_one_it_is_of(s3: S3, url: str, tmp_path: Path) -> None:
    with joined(url, s3, tmp_path / "one") as ledger:
        ledger.place.copy(tmp_path / "empty")
        with Ledger.open(tmp_path / "empty") as copy:
            assert (copy.uuid, copy.head, rows(copy)) == (ledger.uuid, 0, [])
        ledger.commit(ClaimBatch.of([bank("lei:A", "Alpha"), bank("lei:B", "Beta")]), RUN)
        ledger.place.copy(tmp_path / "copy")
        with Ledger.open(tmp_path / "copy") as copy:
            assert (copy.uuid, copy.head, rows(copy)) == (ledger.uuid, 1, rows(ledger))
            assert copy.commit(ClaimBatch.of([loan(10)]), RUN) == 2
        assert ledger.head == 1, "what is tried in a copy stays there"


@pytest.mark.slow
def test_two_homes_share_a_graph_and_no_file_or_message_holds_the_key(s3: S3, url: str, tmp_path: Path) -> None:
    more = s3.environment | {"KGRISK_LEDGER": url}
    said = [kgrisk_here("ingest", write_registers(tmp_path / "in"), "--home", "one", cwd=tmp_path, **more)]
    said += [
        kgrisk_here("query", "hit_if_fails", f"id={BIG}", "--home", h, "--json", cwd=tmp_path, **more)
        for h in ("one", "two")
    ]
    assert [done.returncode for done in said] == [0, 0, 0], said[-1].stderr
    assert json.loads(said[1].stdout) == json.loads(said[2].stdout) != []
    cut = more | {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}
    said.append(kgrisk_here("ingest", tmp_path / "in", "--home", "one", cwd=tmp_path, **cut))
    assert said[3].returncode == 1 and f"{url} cannot be reached" in said[3].stderr
    texts = [done.stdout + done.stderr for done in said]
    kept = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert not any(SECRET in text for text in texts)
    assert not any(SECRET.encode() in data for data in kept)
