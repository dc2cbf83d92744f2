"""The schedule: slots by the clock or by a folder, run once, missed with a reason, by two schedulers as by one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kg.errors import SettingsError
from kgrisk.api import open as open_graph
from kgrisk.jobs.job import Job, Order
from kgrisk.jobs.rules import GRACE, LISTED, Cron, Every, coming, cron, interval
from kgrisk.jobs.schedule import NOBODY, Schedule
from kgrisk.jobs.table import Table
from kgrisk.jobs.worker import Retries, Worker
from kgrisk.refresh import runs
from kgrisk.settings import Settings
from tests.kgrisk_world import clean_environment, kgrisk_here, write_registers

MONDAY = datetime(2026, 11, 23, tzinfo=UTC)


class Program(Worker):
    """A worker whose jobs are a small program of their own in place of a refresh; all else is as it is."""

    program = "print('{}')"

    def command(self, job: Job) -> list[str]:
        return [sys.executable, "-c", self.program]


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("15m", 900), ("1h", 3600), ("1.5h", 5400), ("1d", 86400), (" 2W ", 1209600)]
)
def test_an_interval_is_a_number_and_a_unit(text: str, seconds: int) -> None:
    assert interval(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "h", "10", "0s", "0.5s", "1 month", "-1h", "9" * 20 + "w"])
def test_anything_else_is_no_interval(text: str) -> None:
    with pytest.raises(SettingsError, match=r"such as 1h|longer than"):
        interval(text)


def test_days_by_name_and_a_time_of_day_are_a_cron_in_its_time_zone() -> None:
    told = [f"{moment:%a %d %H:%M %Z}" for moment in coming(Cron("fri-sat 06:30", "Europe/Berlin"), MONDAY)]
    assert told == ["Fri 27 06:30 CET", "Sat 28 06:30 CET", "Fri 04 06:30 CET"]
    assert coming(Cron("30 6 * * fri,sat"), MONDAY)[0] == datetime(2026, 11, 27, 6, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "zone", "says"),
    [
        ("1-5 06:30", "UTC", "by name, such as mon-fri"),
        ("0 6 * * 1-5", "UTC", "by name, such as mon-fri"),
        ("mon-fri 25:00", "UTC", "no time of day"),
        ("61 6 * * mon", "UTC", "higher than the maximum"),
        ("every day", "UTC", "by name"),
        ("noon", "UTC", "five fields"),
        ("0 0 31 feb *", "UTC", "no such day"),
        ("mon 06:30", "Mars/Olympus", "Europe/Berlin"),
        ("mon 06:30", "../../etc/passwd", "Europe/Berlin"),
    ],
)
def test_what_is_no_cron_is_refused_with_what_to_write(text: str, zone: str, says: str) -> None:
    with pytest.raises(SettingsError, match=says):
        cron(text, zone)


def test_an_hour_that_clocks_skip_is_made_good_and_one_that_comes_twice_runs_twice() -> None:
    nightly = Cron("30 2 * * *", "Europe/Berlin")
    spring = nightly.between(datetime(2026, 3, 28, 12, tzinfo=UTC), datetime(2026, 3, 29, 12, tzinfo=UTC))
    autumn = nightly.between(datetime(2026, 10, 24, 12, tzinfo=UTC), datetime(2026, 10, 25, 12, tzinfo=UTC))
    assert spring is not None and [slot[0][11:16] for slot in spring.newest] == ["01:30"]
    assert autumn is not None and [slot[0][11:16] for slot in autumn.newest] == ["00:30", "01:30"]


def test_slots_of_an_interval_are_the_same_for_everyone_and_many_missed_ones_are_counted() -> None:
    gone = Every("10m").between(MONDAY, MONDAY + timedelta(days=7))
    assert gone is not None and gone.count == 7 * 144 and len(gone.newest) == LISTED
    assert gone.newest[-1][0] == (MONDAY + timedelta(days=7)).isoformat()
    minutes = Cron("* * * * *").between(MONDAY, MONDAY + timedelta(hours=3))
    assert minutes is not None and minutes.count == 180 and len(minutes.newest) == LISTED
    assert minutes.newest[0][2] == minutes.newest[1][1], "a slot is missed when the next one comes"
    assert Every("10m").between(MONDAY, MONDAY + timedelta(minutes=9)) is None


def test_slots_that_came_while_no_scheduler_ran_are_missed_and_the_one_that_is_on_runs(tmp_path: Path) -> None:
    now = MONDAY.timestamp()
    table = Table(tmp_path, clock=lambda: now)
    hourly = Schedule(Every("1h"), Order(), Program(table, tmp_path))
    hourly.look()
    now += 100 * 3600 + 60
    hourly.look()
    states = [job.state for job in table.page(500, state="")]
    assert states.count("done") == 2 and states.count("missed") == LISTED
    whole = [job for job in table.page(500) if job.slot and job.slot.startswith("50 slots")]
    assert whole[0].error == NOBODY and len(states) == 2 + LISTED


def test_a_cron_slot_runs_a_little_late_and_is_missed_after_that(tmp_path: Path) -> None:
    now = (MONDAY + timedelta(hours=6)).timestamp()
    table = Table(tmp_path, clock=lambda: now)
    daily = Schedule(Cron("mon-fri 06:30"), Order(), Program(table, tmp_path))
    daily.look()
    assert table.page(9) == [], "a new schedule waits for its first slot"
    table.offer(daily.name, datetime.fromtimestamp(now, UTC).isoformat(), [], Order())
    now += 1800 + GRACE.total_seconds() - 1
    daily.look()
    now += 86400 + 2
    daily.look()
    assert [job.state for job in table.page(9)] == ["missed", "done"]
    assert table.page(1)[0].error == "nobody was there in time to begin it"


def test_a_slot_that_finds_a_run_still_going_on_is_missed_with_its_name(tmp_path: Path) -> None:
    table = Table(tmp_path)
    worker = Program(table, tmp_path)
    worker.program = "import time; time.sleep(2.6); print('{}')"
    Schedule(Every("1s"), Order(), worker, times=2).run()
    ran, missed = table.page(9, state="done"), table.page(9, state="missed")
    assert len(ran) == 2 and missed
    assert any(job.error == f"run {ran[1].id} was still going on" for job in missed)


def test_a_run_that_fails_is_tried_again_and_does_not_end_the_schedule(tmp_path: Path) -> None:
    table = Table(tmp_path)
    worker = Program(table, tmp_path, retries=Retries(1, 1.0))
    worker.program = "import sys; sys.exit('error: no folder')"
    told: list[str] = []
    Schedule(Every("1w"), Order(), worker, times=1, tell=lambda job: told.append(job.state)).run()
    (job,) = table.page(9, state="failed")
    assert (told, job.attempt, job.error) == (["queued", "failed"], 2, "no folder")
    assert [alert["detail"] for alert in table.alerts(9)] == ["no folder"]


def test_waits_between_tries_double_and_their_jitter_comes_from_the_seed(tmp_path: Path) -> None:
    table = Table(tmp_path)
    job = table.submit(Order(), "ann")
    tries = [Job(**{**vars(job), "attempt": attempt}) for attempt in (1, 2, 3, 9)]
    waits = [Retries(9, 30.0, seed=1).after(one) for one in tries]
    assert waits == [Retries(9, 30.0, seed=1).after(one) for one in tries]
    assert waits != [Retries(9, 30.0, seed=2).after(one) for one in tries]
    for wait, middle in zip(waits, (30, 60, 120, 900), strict=True):
        assert middle / 2 <= wait < middle * 1.5


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--every", "1h", "--cron", "mon 06:30"), "one of --every"),
        (("--timezone", "Europe/Berlin"), "read by --cron alone"),
    ],
)
def test_rules_that_exclude_each_other_are_wrong_usage(tmp_path: Path, options: tuple[str, ...], says: str) -> None:
    done = kgrisk_here("schedule", *options, "--home", "home", cwd=tmp_path)
    assert done.returncode == 2 and says in done.stderr


@pytest.mark.slow
def test_a_schedule_told_to_end_lets_the_run_in_progress_go_to_its_end(tmp_path: Path) -> None:
    write_registers(tmp_path / "inputs")
    command = [sys.executable, "-m", "kgrisk.cli", "schedule", "inputs", "--every", "2s", "--home", "home", "--json"]
    with subprocess.Popen(
        command, cwd=tmp_path, env=clean_environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        table = Table(tmp_path / "home")
        while not table.page(1, state="running"):
            assert process.poll() is None
            time.sleep(0.05)
        os.kill(process.pid, signal.SIGTERM)
        told, complaint = process.communicate(timeout=240)
    (only,) = [json.loads(line) for line in told.splitlines()]
    assert process.returncode == 0 and only["state"] == "done", complaint
    assert only["stats"]["commit"] == 1 and "sync" not in only["stats"]["seconds"]
    assert "next at" in complaint and "stopping on signal 15" in complaint
    assert table.page(9, state="running") == []


@pytest.mark.slow
def test_of_two_schedules_the_other_goes_on_when_one_is_killed_and_nothing_is_doubled(tmp_path: Path) -> None:
    write_registers(tmp_path / "inputs")
    options = ("inputs", "--every", "2s", "--home", "home", "--lease", "4s", "--times", "1")
    command = [sys.executable, "-m", "kgrisk.cli", "schedule", *options]
    both = {}
    for _ in range(2):
        process = subprocess.Popen(command, cwd=tmp_path, env=clean_environment(), stderr=subprocess.PIPE, text=True)
        both[process.pid] = process
    table, end = Table(tmp_path / "home"), time.monotonic() + 240
    while not (begun := [job for job in table.page(1, state="running") if job.stage]):
        assert time.monotonic() < end
        time.sleep(0.02)
    killed = both.pop(begun[0].pid)
    killed.kill()
    killed.communicate()
    ((pid, other),) = both.items()
    _, said = other.communicate(timeout=240)
    lost, done = table.get(begun[0].id), table.page(1, state="done")[0]
    assert other.returncode == 0 and lost.state == "lost" and "no sign of life" in lost.error, said
    assert (done.pid, done.fence) == (pid, lost.fence + 1) and done.begun is not None and lost.ended is not None
    assert done.begun >= lost.ended, "never two at once"
    assert [run.content["state"] for run in runs(tmp_path / "home" / "runs")] == ["lost", "done"]
    with open_graph(tmp_path / "home", settings=Settings(home=tmp_path / "home")) as graph:
        assert graph.ledger.head == done.stats["commit"] == 1
        assert not graph.ingest(tmp_path / "inputs").committed
