"""Scenarios shared out among processes and machines cost to the bit what they cost in one process."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path

import numpy as np
import psutil
import pyarrow as pa
import pytest
from scipy import sparse

from kg.errors import CancelledError, ExecutorError
from kg.executor import Here, Pool
from kg.model import AsOf, as_time
from kg.snapshot import EDGES, FACTS, Snapshot
from kgrisk.api import Graph
from kgrisk.executors import named, working
from kgrisk.ray import Ray
from kgrisk.settings import Settings
from kgrisk.supposing_blocks import Compared, Part, Without, World, over
from queries.exposures import Exposures
from queries.many import drawn
from queries.measure import RiskMeasure, build
from queries.whatif import Scenario
from tests.kgrisk_world import BIG, kgrisk_here, write_registers
from tests.ray_cluster import two_nodes
from tests.test_kgrisk_supposing_many import LIST

NODES, EDGES_EACH = 3_000, 8
MEASURES = ("debtrank", "debtrank_2012", "eisenberg_noe", "elsinger", "gai_kapadia", "heat", "neva", "pagerank")
MEASURES += ("rogers_veraart", "threshold")
DAY = as_time(date(2021, 1, 1))
AT = AsOf(valid=DAY)


@cache
def network() -> tuple[Snapshot, Exposures]:
    """Banks that lend to one another at random, enough of them for compiled sweeps."""
    random = np.random.default_rng(4)
    ends = random.integers(0, NODES, (2, NODES * EDGES_EACH))
    claims = sparse.csr_array((random.exponential(10, ends.shape[1]), ends), shape=(NODES, NODES))
    claims.setdiag(0.0)
    claims.eliminate_zeros()
    owed, held = (np.asarray(claims.sum(axis=axis)).reshape(-1) for axis in (0, 1))
    ids = [f"bank:{number:05d}" for number in range(NODES)]
    nodes = pa.table({"id": ids, "label": ["Bank"] * NODES})
    snapshot = Snapshot(nodes, EDGES.empty_table(), FACTS.empty_table(), AsOf(DAY, DAY, DAY), 1)
    # so little equity that a failure brings others down
    outside = np.maximum(owed - held, 0.0) + held * random.uniform(0.02, 0.2, NODES) + 1.0
    return snapshot, Exposures.of(claims, outside, ids=ids)


def compared(measure: str = "debtrank") -> Compared:
    """The network under a measure, read from nothing that another measure left there."""
    snapshot, exposures = network()
    world = World(snapshot, replace(exposures), build(RiskMeasure, measure))  # type: ignore[type-abstract]
    return world.against(Without.of(world.still()))


def failing(count: int) -> list[Scenario]:
    """Scenarios in each of which three banks of the network fail outright, and others lose a part of their equity."""
    random, ids, mild = np.random.default_rng(9), network()[0].ids, drawn(network()[0], count, seed=3)
    hit = (random.choice(NODES, 3, replace=False) for _ in range(count))
    lines = [{"fails": [ids[row] for row in rows]} for rows in hit]
    return [replace(one, shocks=(*one.shocks, line)) for one, line in zip(mild, lines, strict=True)]


def same(parts: Iterator[Part], others: Iterator[Part]) -> bool:
    """Whether rows and tables are equal to the bit, block by block; scenarios that reach nobody would show nothing."""
    pairs = list(zip(parts, others, strict=True))
    assert len(pairs) > 1 and all(row["touched"] > 3 for (rows, _), _ in pairs for row in rows)
    return all(rows == told and table.equals(other) for (rows, table), (told, other) in pairs)


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    with Pool(2) as pool:
        yield pool


@pytest.mark.parametrize("measure", MEASURES)
def test_every_measure_gives_the_same_bits_in_two_processes(pool: Pool, measure: str) -> None:
    world, scenarios = compared(measure), failing(20)
    assert same(over(Here(), world, scenarios, 6), over(pool, world, scenarios, 6))


def test_a_worker_that_is_killed_changes_no_bit(pool: Pool) -> None:
    world, scenarios = compared(), failing(60)
    parts = over(pool, world, scenarios, 6)
    first = next(parts)
    workers = [one for one in psutil.Process().children() if "spawn_main" in " ".join(one.cmdline())]
    assert len(workers) == 2
    workers[0].send_signal(signal.SIGKILL)
    told = [first, *parts]
    assert not workers[0].is_running() or workers[0].status() == psutil.STATUS_ZOMBIE
    assert same(iter(told), over(Here(), world, scenarios, 6))


@pytest.mark.ray
@pytest.mark.slow
@pytest.mark.faults
def test_two_nodes_give_the_same_bits_with_a_worker_and_then_a_node_killed_on_the_way() -> None:
    world, scenarios = compared(), failing(1000)
    expected = list(over(Here(), world, scenarios, 16))
    with two_nodes() as nodes, Ray(nodes.address) as executor:
        assert executor.workers == 2
        assert same(over(executor, world, scenarios, 16), iter(expected))
        parts = over(executor, world, scenarios, 16)
        told = [next(parts) for _ in range(5)]
        (busy := nodes.workers[0]).send_signal(signal.SIGKILL)
        told += [next(parts) for _ in range(5)]
        nodes.kill()
        assert same(iter([*told, *parts]), iter(expected)) and not busy.is_running()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fan-out")
    with Graph(folder / "home", Settings.load(home=folder / "home")) as graph:
        graph.ingest(write_registers(folder / "files"))
    (folder / "list.yaml").write_text(LIST)
    return folder / "home"


@pytest.mark.parametrize("measure", ["debtrank", "eisenberg_noe"])
def test_a_list_with_changed_edges_keeps_its_order_ids_and_bits(home: Path, pool: Pool, measure: str) -> None:
    with Graph(home, Settings.load(home=home)) as graph:
        alone, shared = (
            graph.suppose_many(home.parent / "list.yaml", measure, at=AT, block=1, executor=one) for one in (None, pool)
        )
    assert alone.summary.table.equals(shared.summary.table) and alone.difference.equals(shared.difference)
    assert shared.summary["scenario"] == ["one", "two", "three"] and alone.unit == shared.unit == "EUR"
    assert list(pool.map(abs, [-1, -2])) == [1, 2], "what was given is not closed"


def test_the_hardest_hit_are_kept_and_the_others_counted(home: Path) -> None:
    with Graph(home, Settings.load(home=home)) as graph:
        whole, few = (graph.suppose_many(50, "debtrank", at=AT, seed=2, block=9, most=most) for most in (None, 1))
    assert whole.summary.table.equals(few.summary.table) and whole.difference.num_rows > few.difference.num_rows
    assert {id: rows[:1] for id, rows in whole.by_scenario(3).items()} == few.by_scenario(3)


def test_progress_is_told_by_block_and_what_it_raises_ends_the_run(home: Path, pool: Pool) -> None:
    seen: list[tuple[int, int]] = []

    def told(done: int, scenarios: int) -> None:
        seen.append((done, scenarios))
        if done == 8:
            raise CancelledError("enough")

    with Graph(home, Settings.load(home=home)) as graph, pytest.raises(CancelledError, match="enough"):
        graph.suppose_many(50, "debtrank", at=AT, block=4, executor=pool, progress=told)
    assert seen == [(4, 50), (8, 50)]
    assert list(pool.map(abs, [-1, -2])) == [1, 2], "what was given is not closed"


def test_the_setting_and_the_option_say_where_scenarios_are_worked_on(home: Path, tmp_path: Path) -> None:
    def told(*words: str, **more: str) -> object:
        asked = ("suppose-many", "--draw", "30", "--home", str(home), "--valid", "2021-01-01", "--json", *words)
        found = kgrisk_here(*asked, cwd=tmp_path, **more)
        assert found.returncode == 0, found.stderr
        answer: dict[str, object] = json.loads(found.stdout)
        answer.pop("stages", None)  # what it took is another each time
        return answer

    alone = told()
    assert alone == told("--workers", "2") and str(BIG) in json.dumps(alone)
    assert alone == told(KGRISK_EXECUTOR="1")


@pytest.mark.parametrize(
    ("place", "told"),
    [
        ("many", "executor 'many' is none; give here, a number"),
        ("0", "ask for at least 1"),
        ("127.0.0.1:1", "nobody answers at 127.0.0.1:1.*ray start --head --port=1"),
        ("ray://127.0.0.1:1", "nobody answers at ray://127.0.0.1:1"),
        ("http://127.0.0.1:1", "is no address of a Ray cluster; write host:port"),
        ("127.0.0.1:many", "is no address of a Ray cluster; write host:port"),
    ],
)
def test_a_place_that_cannot_be_worked_at_says_what_to_write(place: str, told: str) -> None:
    with pytest.raises(ExecutorError, match=told), working(None, Settings(executor=place)):
        pass


def test_each_name_makes_its_executor_and_what_it_put_is_gone_whatever_happens() -> None:
    assert isinstance(named("here"), Here)
    with pytest.raises(ZeroDivisionError), working("2", Settings()) as executor:
        assert isinstance(executor, Pool) and executor.workers == 2
        put = executor.put(np.zeros(9))
        assert put.path.exists()
        raise ZeroDivisionError
    assert not put.path.exists()
