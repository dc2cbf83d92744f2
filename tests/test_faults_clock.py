"""A clock that goes back between commits and between refreshes, and two refreshes that start at once.

Known time never goes back: a small step is bridged, a large one is refused with what to do. Of two refreshes one works
and the other waits its turn or is told who works; what is there afterwards is what one refresh makes.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from kg.errors import ClockError
from kg.ledger import BACKWARD, Ledger
from kg.store import open_store
from tests.fault_child import Order, read, refreshed
from tests.fault_kills import FORKS
from tests.kgrisk_world import write_registers
from tests.store_world import banks, commit
from tests.test_faults import Ground, log_of

pytestmark = [pytest.mark.slow, pytest.mark.faults]
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


class Refresh:
    """A refresh in a process of its own, whose clock is behind by so many seconds; it begins when `go` is there."""

    def __init__(self, order: Order, go: Path, back: float = 0.0) -> None:
        self._order = order
        self._process = FORKS.Process(target=refreshed, args=(order, back, go))
        self._process.start()

    def end(self) -> Mapping[str, Any]:
        self._process.join(300)
        assert self._process.exitcode == 0
        return read(self._order.said)[-1]


def facts(home: Path, url: str) -> tuple[list[tuple[int, str, str]], str]:
    """The log without what stands for a run, and what the store shows."""
    with Ledger.open(home / "ledger") as ledger:
        store = open_store(url, home)
        store.sync(ledger)
        graph = store.graph_hash()
        store.close()
    return log_of(home), graph


def test_known_time_grows_over_a_clock_that_goes_back_a_little(tmp_path: Path) -> None:
    now = [NOON]
    with Ledger.open(tmp_path / "ledger", clock=lambda: now[0]) as ledger:
        for step, name in enumerate(("a", "b", "c", "d")):
            now[0] = NOON - step * BACKWARD / 4
            assert commit(ledger, *banks(name)) == step + 1
        known = [ledger.known(number) for number in (1, 2, 3, 4)]
        assert known == sorted(set(known)) and known[0] == NOON and known[-1] - NOON < timedelta(seconds=1)


def test_a_clock_set_back_far_is_refused_and_nothing_is_written_until_it_is_right(
    store_url: str, tmp_path: Path
) -> None:
    now = [NOON]
    with Ledger.open(tmp_path / "ledger", clock=lambda: now[0]) as ledger:
        commit(ledger, *banks("a"))
        store = open_store(store_url, tmp_path)
        store.sync(ledger)
        now[0] = NOON - timedelta(days=1)
        with pytest.raises(ClockError, match=r"the clock says 2026-05-31.*recorded at 2026-06-01.*set the clock right"):
            commit(ledger, *banks("b"))
        assert ledger.head == 1 and store.sync(ledger).to_commit == 1
        now[0] = NOON + timedelta(days=1)
        assert commit(ledger, *banks("b")) == 2
        assert store.sync(ledger).to_commit == 2 and ledger.known(2) == now[0]
        store.close()


@pytest.fixture
def ground(store_url: str, tmp_path: Path) -> Ground:
    write_registers(tmp_path / "inputs")
    return Ground(store_url, tmp_path)


def test_a_refresh_after_the_clock_went_back_says_so_and_the_next_one_does_it(ground: Ground) -> None:
    order, go = ground.order(), ground.folder / "inputs"
    home, inputs = order.home, go
    first = Refresh(order, go).end()
    assert first["state"] == "done"
    before = log_of(home)
    late = inputs / "registers" / "entities.csv"
    late.write_text(late.read_text() + "lei:9KGR00ZZZZ26RFHJZ388,Bank,Late Bank,,DE,banking,,,,,2020-03-01,Late.\n")
    told = Refresh(order, go, back=86_400).end()
    assert told["error"] == "ClockError" and "set the clock right and run again" in told["told"]
    assert log_of(home) == before
    again = Refresh(order, go).end()
    assert again["state"] == "done" and again["known"] == first["known"] and again["head"] > first["head"]
    assert log_of(home)[: len(before)] == before


def test_two_refreshes_that_race_make_what_one_makes(ground: Ground) -> None:
    order = ground.order()
    assert Refresh(order, ground.folder).end()["state"] == "done"
    alone = facts(order.home, order.url)

    order, go = ground.order(), ground.folder / "go"
    home = order.home
    racers = [Refresh(replace(order, said=ground.folder / f"racer{number}"), go) for number in range(2)]
    time.sleep(1)  # both have begun, and wait
    go.touch()
    ends = [racer.end() for racer in racers]
    assert max(end["began"] for end in ends) < min(end["ended"] for end in ends), "they did not race"
    won = [end for end in ends if end.get("state") == "done"]
    lost = [end for end in ends if "error" in end]
    assert len(won) + len(lost) == 2 and won, ends
    for end in lost:
        assert end["error"] in ("LeaseHeldError", "StoreLockedError", "StaleWriterError"), end
        assert "again" in end["told"], end
    assert facts(home, order.url) == alone
    states = [json.loads(path.read_text())["state"] for path in (home / "runs").glob("*-refresh.json")]
    assert sorted(states)[0] == "done" and set(states) <= {"done", "failed"}
