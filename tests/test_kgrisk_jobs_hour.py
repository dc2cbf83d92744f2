"""An hour of three schedulers on one run table, with seeded kills and pauses: the clock is simulated, the table is not.

Each scheduler is the engine's own `Schedule` and `Table` on its own connection to one SQLite file. What is simulated is
only time and the work of a run: a number of steps that write into a shared list, each asking for the token first, as a
refresh does before each of its stages.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kg.errors import StaleWriterError
from kgrisk.jobs.job import OVER, Job, Order
from kgrisk.jobs.rules import Every
from kgrisk.jobs.schedule import Schedule
from kgrisk.jobs.table import Table
from kgrisk.jobs.worker import Retries, Worker

START = datetime(2026, 11, 23, 6, tzinfo=UTC).timestamp()
HOUR, EVERY, LEASE, STEPS = 3600, 120, 45, 25
ORDER = Order("refresh", {"folder": ""})


@dataclass
class World:
    """The clock and what was written, by token."""

    now: float = START
    written: list[tuple[str, int, int]] = field(default_factory=list)
    """Job, token and step."""
    stale: int = 0

    def __call__(self) -> float:
        return self.now


class Actor:
    """One scheduler process: it looks once a second while it is neither dead nor paused."""

    def __init__(self, world: World, home: Path, chance: random.Random) -> None:
        self.world, self.home, self.chance = world, home, chance
        self.dead_until = self.paused_until = 0.0
        self.start()

    def start(self) -> None:
        """A new process, which knows nothing of the one before it."""
        self.table = Table(self.home, lease=LEASE, keep=10_000, clock=self.world)
        worker = Worker(self.table, self.home, retries=Retries(1, 20.0))
        self.schedule = Schedule(Every(f"{EVERY}s"), ORDER, worker)
        self.job: Job | None = None
        self.next_step = self.step = 0

    def strike(self) -> None:
        """Now and then it is killed, or paused for longer than a lease; both also in the middle of a run."""
        luck = self.chance.random()
        if luck < 1 / 600:
            self.table.close()
            self.dead_until = self.world.now + self.chance.uniform(5, 400)
            self.job = None
        elif luck < 1 / 150:
            self.paused_until = self.world.now + self.chance.uniform(5, 3 * LEASE)

    def second(self) -> None:
        """What it does in one second."""
        if self.world.now < max(self.dead_until, self.paused_until):
            return
        if self.dead_until:
            self.dead_until = 0.0
            self.start()
        self.strike()
        if self.world.now < max(self.dead_until, self.paused_until):
            return
        try:
            self.work()
        except StaleWriterError:
            self.world.stale += 1
            self.job = None

    def work(self) -> None:
        self.schedule.offer()
        if self.job is None:
            self.job = self.table.claim()
            self.step, self.next_step = 0, self.chance.randint(1, 6)
            return
        if self.step == STEPS:
            self.table.end(self.job, "done")
            self.job = None
            return
        if self.world.now % 10 < 1 and self.chance.random() < 0.9:
            self.table.beat(self.job)
        self.next_step -= 1
        if self.next_step <= 0:
            self.write()

    def write(self) -> None:
        """One stage: the token is asked for, then it is written. A run may fail too."""
        assert self.job is not None
        self.table.check(self.job)
        self.world.written.append((self.job.id, self.job.fence, self.step))
        self.step, self.next_step = self.step + 1, self.chance.randint(1, 6)
        if self.chance.random() < 0.01:
            wait = self.schedule.worker.retries.after(self.job)
            if self.job.attempt <= self.schedule.worker.retries.count:
                self.table.again(self.job, self.world.now + wait, "the disk was full")
            else:
                self.table.end(self.job, "failed", error="the disk was full")
            self.job = None


def hour(home: Path, seed: int) -> tuple[World, Table, list[str]]:
    """An hour, and until the last run is over; the ids that ran at each second, without repeats."""
    world, chance = World(), random.Random(seed)
    watching = Table(home, clock=world)
    actors = [Actor(world, home, random.Random(chance.random())) for _ in range(3)]
    running: list[str] = []
    over: dict[str, str] = {}
    while world.now < START + HOUR:
        chance.shuffle(actors)
        for actor in actors:
            actor.second()
            now = watching.page(9, state="running")
            assert len(now) <= 1, "never two at once"
            running += [f"{job.id}:{job.fence}" for job in now if running[-1:] != [f"{job.id}:{job.fence}"]]
        if world.now % 30 < 1:
            ended = {job.id: job.state for job in watching.page(10_000) if job.over}
            assert over.items() <= ended.items(), "what is over stays as it ended"
            over = dict(ended)
        world.now += 1
    world.now += 10 * LEASE  # whoever is left over
    last = Actor(world, home, chance)
    last.schedule.offer()
    while (job := last.table.claim()) is not None:
        last.table.end(job, "done")
        world.now += 1
    return world, last.table, running


@pytest.fixture(scope="module")
def hours(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[World, Table, list[str]]]:
    """Four of them."""
    return [hour(tmp_path_factory.mktemp("hour"), seed) for seed in range(4)]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_in_an_hour_of_kills_and_pauses_nothing_runs_twice_at_once_and_no_slot_is_forgotten(
    hours: list[tuple[World, Table, list[str]]], seed: int
) -> None:
    world, table, running = hours[seed]
    jobs = table.page(10_000)
    slots = Counter(job.slot for job in jobs)
    due = {datetime.fromtimestamp(START + n * EVERY, UTC).isoformat() for n in range(HOUR // EVERY)}
    assert due <= set(slots) and set(slots.values()) == {1}, "every slot, and each once"
    assert all(job.state in OVER for job in jobs), Counter(job.state for job in jobs)
    assert all(job.error for job in jobs if job.state in ("missed", "lost", "failed")), "and why"
    assert len(set(running)) == len(running), "a claim that ended never runs again"
    tokens = [token for _, token, _ in world.written]
    assert tokens == sorted(tokens), "who has an older token never writes after a newer one"
    assert len(set(world.written)) == len(world.written), "and nobody writes a step twice"
    states = Counter(job.state for job in jobs)
    assert states["done"] >= 10 and sum(states.values()) == len(jobs) == len(slots)
    alerts = Counter(alert["kind"] for alert in table.alerts(10_000))
    assert (alerts["lost"], alerts["failed"]) == (states["lost"], states["failed"])


@pytest.mark.slow
def test_the_hours_hold_what_they_are_about(hours: list[tuple[World, Table, list[str]]]) -> None:
    states = Counter(job.state for _, table, _ in hours for job in table.page(10_000))
    assert sum(world.stale for world, _, _ in hours) >= 4, "writers were fenced off"
    assert min(states["done"], states["missed"], states["lost"]) >= 4, states
