"""A watched folder: what has settled is read once, and counts as read only when its run is done."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kg.errors import SettingsError
from kgrisk.jobs.job import Order
from kgrisk.jobs.schedule import Schedule
from kgrisk.jobs.table import Table
from kgrisk.jobs.watch import Watch
from kgrisk.jobs.worker import Retries
from tests.test_kgrisk_schedule import MONDAY, Program


def test_a_watched_folder_is_a_slot_when_its_files_changed_and_settled(tmp_path: Path) -> None:
    now = MONDAY.timestamp()
    inputs = tmp_path / "in"
    inputs.mkdir()
    table = Table(tmp_path / "home", clock=lambda: now)
    watching = Schedule(Watch(inputs, settled=5), Order(), Program(table, tmp_path))

    def looks(seconds: float) -> int:
        nonlocal now
        now += seconds
        watching.look()
        return len(table.page(9, state="done"))

    assert (looks(0), looks(10)) == (0, 0), "an empty folder is nothing to read"
    (inputs / "a.csv").write_text("one")
    assert (looks(1), looks(4)) == (0, 0), "what is being written is left alone"
    (inputs / "a.csv").write_text("one, two")
    assert (looks(4), looks(4), looks(2)) == (0, 0, 1)
    assert looks(100) == 1, "the same files again are no slot"
    again = Schedule(Watch(inputs, settled=0), Order(), Program(table, tmp_path))
    again.look()
    assert len(table.page(9)) == 1, "nor to another scheduler"
    (inputs / "b.csv").write_text("three")
    assert (looks(1), looks(6)) == (1, 2)


class Watched:
    """A folder of one file, a clock, and a scheduler that looks at both."""

    def __init__(self, folder: Path) -> None:
        self.now, self.folder = MONDAY.timestamp(), folder
        (folder / "in").mkdir()
        self.table = Table(folder / "home", clock=lambda: self.now)
        self.worker = Program(self.table, folder, retries=Retries(0))
        self.change("A")
        self.anew()

    def anew(self) -> None:
        self.watching = Schedule(Watch(self.folder / "in", settled=5), Order(), self.worker)

    def change(self, text: str) -> None:
        """The file with this text is always of the same time, as one that is put back from a copy."""
        (self.folder / "in" / "a.csv").write_text(text)
        os.utime(self.folder / "in" / "a.csv", (ord(text), ord(text)))

    def after(self, seconds: float) -> list[str]:
        """How the runs stand, the oldest first, after this time and the looks at its end that a change needs."""
        self.now += seconds - 6
        self.watching.look()
        self.now += 6
        self.watching.look()
        return [job.state for job in reversed(self.table.page(50))]


def test_the_files_of_a_run_that_was_lost_are_offered_again(tmp_path: Path) -> None:
    world = Watched(tmp_path)
    world.watching.offer()
    world.now += 6
    (offered,) = world.watching.offer()
    killed = world.table.claim()
    assert killed is not None and killed.id == offered.id
    world.anew()
    assert world.after(50) == ["running"], "its lease goes on"
    assert world.after(30) == ["lost", "done"]
    assert world.after(90_000) == ["lost", "done"], "now they are read"
    world.change("B")
    assert world.after(10) == ["lost", "done", "done"]
    world.change("A")
    assert world.after(10)[3:] == ["done"], "what was there before is a change too"


def test_files_whose_run_failed_are_offered_again_ever_more_seldom_or_by_a_new_scheduler(tmp_path: Path) -> None:
    world = Watched(tmp_path)
    world.worker.program = "import sys; sys.exit('error: no disk')"
    assert world.after(10) == ["failed"]
    assert world.after(880) == ["failed"]
    assert world.after(30) == ["failed"] * 2
    assert world.after(1700) == ["failed"] * 2, "twice as long"
    assert world.after(200) == ["failed"] * 3
    assert world.after(12) == ["failed"] * 3
    world.anew()
    assert world.after(12) == ["failed"] * 4, "whoever starts it anew has mended something"
    world.worker.program = "print('{}')"
    world.change("B")
    assert world.after(12)[4:] == ["done"], "a change need not wait"


def test_a_run_of_files_that_was_called_off_waits_for_a_change_or_a_new_scheduler(tmp_path: Path) -> None:
    world = Watched(tmp_path)
    world.watching.offer()
    world.now += 6
    (offered,) = world.watching.offer()
    world.table.cancel(offered.id)
    assert world.after(90_000) == ["cancelled"]
    world.anew()
    assert world.after(10) == ["cancelled", "done"]


def test_files_that_were_read_stay_read_when_their_run_is_forgotten(tmp_path: Path) -> None:
    world = Watched(tmp_path)
    world.table.keep = 1
    assert world.after(10) == ["done"] and world.after(10) == ["done"]
    world.table.submit(Order(), "ann")
    assert world.after(10) == ["done"] and world.table.page(1)[0].who == "ann"
    assert world.after(90_000) == ["done"] and world.table.page(1)[0].who == "ann"


def test_a_folder_to_watch_has_to_be_there(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no folder"):
        Watch(tmp_path / "nowhere")
