"""The run table and its worker: one at a time, fenced, called off, on record for as long as it is kept."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from kg.errors import LeaseHeldError, StaleWriterError
from kgrisk.jobs import worker as worker_module
from kgrisk.jobs.hold import by_hand, given
from kgrisk.jobs.job import CancelledError, Job, JobError, Order
from kgrisk.jobs.table import Table
from kgrisk.jobs.worker import Retries, Standby, Worker
from tests.kgrisk_world import clean_environment, kgrisk_here


class Clock:
    """A clock that goes when it is told to."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


class Program(Worker):
    """A worker whose jobs are a small program of their own in place of a refresh; all else is as it is."""

    program = "print('{}')"

    def command(self, job: Job) -> list[str]:
        return [sys.executable, "-c", self.program]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def table(tmp_path: Path, clock: Clock) -> Table:
    return Table(tmp_path, lease=10, keep=3, clock=clock)


def test_one_job_runs_at_a_time_and_the_one_that_waits_longest_is_next(table: Table, tmp_path: Path) -> None:
    first, second = table.submit(Order(), "ann"), table.submit(Order(), "bob")
    other = Table(tmp_path, clock=table.clock)
    claimed = table.claim()
    assert claimed is not None and claimed.id == first.id
    assert other.claim() is None
    with pytest.raises(LeaseHeldError, match=rf"refresh {first.id} of ann runs .* `kgrisk jobs cancel"):
        other.begin(Order(), "by hand")
    table.end(claimed, "done", {"commit": 7})
    following = other.claim()
    assert following is not None and following.id == second.id and following.fence == claimed.fence + 1
    assert table.get(first.id).stats == {"commit": 7}


def test_of_many_who_claim_at_once_one_gets_the_job(tmp_path: Path) -> None:
    Table(tmp_path).submit(Order(), "ann")
    tables, got, start = [Table(tmp_path) for _ in range(8)], [], threading.Barrier(8)

    def claim(table: Table) -> None:
        start.wait()
        got.append(table.claim())

    threads = [threading.Thread(target=claim, args=(own,)) for own in tables]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 8 and sum(job is not None for job in got) == 1


def test_who_gives_no_sign_of_life_is_lost_and_writes_nothing_more(table: Table, clock: Clock) -> None:
    table.submit(Order(), "ann"), table.submit(Order(), "bob")
    paused = table.claim()
    assert paused is not None
    clock.now += 9
    table.beat(paused)
    clock.now += 9
    assert table.claim() is None, "it was heard of nine seconds ago"
    clock.now += 2
    following = table.claim()
    assert following is not None and table.get(paused.id).state == "lost"
    acts = (
        lambda: table.check(paused),
        lambda: table.beat(paused),
        lambda: table.tell(paused, "train", "train", 0.5),
        lambda: table.end(paused, "done"),
        lambda: table.again(paused, 0, ""),
    )
    for act in acts:
        with pytest.raises(StaleWriterError, match="claimed with token 1 and is lost by now"):
            act()
    assert table.get(paused.id).stage == "" and table.get(following.id).state == "running"
    (alert,) = table.alerts(9)
    assert (alert["kind"], alert["job"]) == ("lost", paused.id) and "no sign of life" in alert["detail"]


def test_a_claim_of_the_same_job_anew_makes_the_older_one_stale(table: Table) -> None:
    table.submit(Order(), "ann")
    older = table.claim()
    assert older is not None
    table.again(older, 0, "the disk was full")
    newer = table.claim()
    assert newer is not None and (newer.id, newer.attempt) == (older.id, 2) and newer.fence > older.fence
    with pytest.raises(StaleWriterError):
        table.check(older)
    table.check(newer)


def test_history_is_bounded_and_what_waits_or_runs_is_kept(table: Table) -> None:
    for _ in range(6):
        table.end(table.begin(Order(), "by hand"), "failed", error="no")
    waiting = [table.submit(Order(), "ann").id for _ in range(5)]
    running = table.claim()
    assert running is not None
    table.end(running, "done")
    jobs = table.page(99)
    assert sum(job.over for job in jobs) == 3 and [job.id for job in jobs if not job.over] == waiting[:0:-1]
    assert len(table.alerts(99)) == 3


def test_a_run_table_that_is_none_is_refused_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "jobs.sqlite").write_bytes(b"no database at all, but longer than a header " * 9)
    with pytest.raises(JobError, match="move it away to begin anew"):
        Table(tmp_path)


def test_what_is_done_by_hand_is_on_record_however_it_ends(table: Table) -> None:
    for error, state in ((OSError("disk full"), "failed"), (KeyboardInterrupt(), "cancelled")):
        with pytest.raises(type(error)), by_hand(table, Order()) as hold:
            raise error
        assert table.get(hold.job.id).state == state
    with by_hand(table, Order()) as hold:
        hold.tell("ingest: 1.2 s")
        told = table.get(hold.job.id)
        assert (told.stage, told.said, told.progress) == ("ingest", "ingest: 1.2 s", 0.2)
        table.cancel(hold.job.id)
        with pytest.raises(CancelledError, match="told to stop"):
            hold.tell("epoch 3")
        table.end(hold.job, "done")


def test_a_ticket_is_good_for_the_newest_claim_alone(table: Table) -> None:
    job = table.submit(Order(), "ann")
    for ticket in (f"{job.id}:1", f"{job.id}:", "nothing:1"):
        with pytest.raises((StaleWriterError, JobError)):
            given(table, ticket)


def run(worker: Worker) -> Job:
    job = worker.turn()
    assert job is not None
    return job


def test_a_worker_keeps_what_a_run_told_and_the_reason_of_one_that_failed(tmp_path: Path) -> None:
    table = Table(tmp_path)
    worker = Program(table, tmp_path, retries=Retries(0))
    told = {"commit": 3, "stages": [{"name": "ingest", "seconds": 1.5}], "folder": "/x"}
    worker.program = f"print({json.dumps(json.dumps(told))})"
    table.submit(Order(), "ann")
    assert run(worker).stats == {"commit": 3, "seconds": {"ingest": 1.5}}
    for noise in ("print('loaded 3 models')", "print('[1, 2]'); print('3'); print('{')"):
        worker.program = f"{noise}; print({json.dumps(json.dumps(told))}); {noise}"
        table.submit(Order(), "ann")
        assert run(worker).stats == {"commit": 3, "seconds": {"ingest": 1.5}}
    for unread in ("", "print('done')", """print('{"stages": 3}')"""):
        worker.program = unread
        table.submit(Order(), "ann")
        done = run(worker)
        assert done.state == "done" and "could not be read" in done.stats["note"]
    for program, reason in (
        ("import sys; sys.exit('error: the ledger is gone')", "the ledger is gone"),
        ("import os; os.kill(os.getpid(), 9)", "exit code -9 and said nothing"),
    ):
        worker.program = program
        table.submit(Order(), "ann")
        failed = run(worker)
        assert failed.state == "failed" and reason in failed.error


@pytest.mark.parametrize("way", ["cancelled", "stopped", "stale"])
def test_a_run_is_ended_when_it_is_called_off_its_worker_stops_or_its_claim_is_old(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    monkeypatch.setattr(worker_module, "PATIENCE", 0.3)
    table = Table(tmp_path, lease=1)
    worker = Program(table, tmp_path)
    worker.program = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"
    id, began = table.submit(Order(), "ann").id, time.monotonic()
    standby = Standby(worker)
    standby.start()
    while table.get(id).state == "queued":
        time.sleep(0.01)
    if way == "cancelled":
        assert table.cancel(id).state == "running"
        while not table.get(id).over:
            time.sleep(0.01)
    elif way == "stale":
        late = Table(tmp_path, clock=lambda: time.time() + 60)
        assert late.claim() is None and table.get(id).state == "lost"
    standby.stop()
    assert table.get(id).state == {"cancelled": "cancelled", "stopped": "queued", "stale": "lost"}[way]
    assert table.get(id).attempt == (0 if way == "stopped" else 1), "a run that was stopped has not been tried"
    assert time.monotonic() - began < 30


def test_a_run_that_is_put_back_keeps_its_tries_and_its_slot(table: Table, clock: Clock) -> None:
    (slot,) = table.offer("hourly", "now", [("06:00", clock.now, clock.now + 30)], Order())
    for _ in range(3):
        stopped = table.claim()
        assert stopped is not None and stopped.attempt == 1
        table.again(stopped, clock.now, "put back", failed=False)
        clock.now += 40
    begun = table.claim()
    assert begun is not None and (begun.id, begun.attempt) == (slot.id, 1), "it was begun in time: not missed"
    table.again(begun, clock.now, "the disk was full")
    assert table.get(slot.id).attempt == 1
    assert (again := table.claim()) is not None and again.attempt == 2


def test_a_run_ends_with_its_worker(tmp_path: Path) -> None:
    table = Table(tmp_path)
    job = table.begin(Order(), "ann")
    program = (
        "import sys, time; from pathlib import Path\n"
        "from kgrisk.jobs.hold import given; from kgrisk.jobs.table import Table\n"
        "given(Table(Path(sys.argv[1])), sys.argv[2]); print('at work', flush=True); time.sleep(120)"
    )
    command = [sys.executable, "-c", program, str(tmp_path), f"{job.id}:{job.fence}"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=clean_environment(), text=True
    ) as child:
        assert child.stdin is not None and child.stdout is not None and child.stdout.readline() == "at work\n"
        child.stdin.close()  # as the system does when a worker is killed
        assert child.wait(30) == 70


def test_jobs_are_listed_shown_and_called_off_at_the_command_line(tmp_path: Path) -> None:
    home = tmp_path / "home"
    none = kgrisk_here("jobs", "list", "--home", home, cwd=tmp_path)
    assert none.returncode == 1 and "no run table yet" in none.stderr and not home.exists()
    table = Table(home)
    table.end(table.begin(Order(), "by hand"), "failed", error="the disk is full")
    waiting = table.submit(Order(), "ann")
    listed = kgrisk_here("jobs", "list", "--home", home, cwd=tmp_path).stdout
    assert waiting.id[:8] in listed and "the disk is full" in listed
    only = json.loads(kgrisk_here("jobs", "list", "--state", "failed", "--json", "--home", home, cwd=tmp_path).stdout)
    assert [job["error"] for job in only] == ["the disk is full"]
    alerts = json.loads(kgrisk_here("jobs", "alerts", "--json", "--home", home, cwd=tmp_path).stdout)
    assert [(alert["kind"], alert["detail"]) for alert in alerts] == [("failed", "the disk is full")]
    called = kgrisk_here("jobs", "cancel", waiting.id[:8], "--home", home, cwd=tmp_path)
    assert called.returncode == 0 and "is cancelled" in called.stderr
    shown = json.loads(kgrisk_here("jobs", "show", waiting.id[:8], "--json", "--home", home, cwd=tmp_path).stdout)
    assert shown["state"] == "cancelled"
    for wrong, says in (("zz", "no job 'zz'"), ("", "2 jobs begin with")):
        refused = kgrisk_here("jobs", "show", wrong, "--home", home, cwd=tmp_path)
        assert refused.returncode == 1 and says in refused.stderr
