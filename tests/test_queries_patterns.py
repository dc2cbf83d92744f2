"""Patterns beside brute force on small random payments, and payments as they come in beside a full run."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise, product

import networkx as nx
import numpy as np
import pyarrow as pa
import pytest

from kg.errors import MeasureError
from queries.pattern import findings
from queries.patterns.cycles import Cycles
from queries.patterns.fan_in import FanIn
from queries.patterns.fan_out import FanOut
from queries.patterns.layering import Layering
from queries.patterns.scatter_gather import ScatterGather
from queries.patterns.structuring import Structuring
from queries.payments.bursts import best, windows
from queries.payments.flows import DAY, Flows
from queries.payments.pattern import PaymentPattern
from queries.payments.watch import Watch
from tests.laundering_world import drawn, flows

SEEDS = range(60)
STREAMED: list[PaymentPattern] = [
    FanIn(least=3, days=3),
    FanIn(least=3, days=3, alike=0.1),
    FanIn(least=2, days=3, unusual=5),
    FanOut(least=3, days=3),
    Structuring(least=2, days=3),
    Cycles(days=4, tolerance=0.1),
    Cycles(days=3, tolerance=0.0, ordered=False),
    Layering(least=3, longest=4, days=2),
    ScatterGather(least=2, days=2),
]


def edges(table: pa.Table) -> list[frozenset[str]]:
    return sorted((frozenset(row) for row in table["edges"].to_pylist()), key=sorted)


def test_windows_count_parties_as_one_by_one() -> None:
    for seed in range(200):
        r = np.random.default_rng(seed)
        group, party, time = r.integers(0, 3, 30), r.integers(0, 5, 30), r.integers(0, 15, 30)
        made = windows(group, party, time, 4)
        for place, row in enumerate(made.order.tolist()):
            inside = made.order[made.low[place] : place + 1]
            assert (group[inside] == group[row]).all()
            assert made.parties[place] == len(set(party[inside].tolist()))
            left_out = made.order[: made.low[place]]
            assert not ((group[left_out] == group[row]) & (time[left_out] > time[row] - 4)).any()


def test_the_best_of_those_near_are_kept() -> None:
    for seed in range(200):
        r = np.random.default_rng(seed)
        group, time, rank = r.integers(0, 3, 25), r.integers(0, 20, 25), r.permutation(25)
        kept = [
            i
            for i in range(25)
            if all(rank[j] <= rank[i] for j in range(25) if group[j] == group[i] and abs(time[j] - time[i]) <= 3)
        ]
        assert best(group, time, rank, 3).tolist() == kept
    assert not len(best(*(np.zeros(0, np.int64) for _ in range(3)), 3))


def circles(own: Flows, asked: Cycles) -> Iterator[tuple[int, ...]]:
    """Every cycle, by all simple circles of accounts and all ways to choose a payment on each side."""
    graph = nx.DiGraph(zip(own.source.tolist(), own.target.tolist(), strict=True))
    for ring in nx.simple_cycles(graph, length_bound=asked.longest):
        if len(ring) < asked.shortest:
            continue
        sides = [np.flatnonzero((own.source == a) & (own.target == b)).tolist() for a, b in pairwise([*ring, ring[0]])]
        for rows in product(*sides):
            start = rows.index(min(rows))
            turned = (*rows[start:], *rows[:start])
            times = [own.time[row] for row in turned]
            if max(times) - times[0] > asked.within:
                continue
            if asked.ordered and not all(a < b for a, b in pairwise(times)):
                continue
            amounts = [own.amount[row] for row in turned]
            if all(min(a, b) / max(a, b) >= 1 - asked.tolerance for a, b in pairwise(amounts)):
                yield turned


@pytest.mark.parametrize("asked", [Cycles(days=6, tolerance=0.1), Cycles(days=4, tolerance=0.05, ordered=False)])
def test_cycles_are_those_of_brute_force_and_only_worse_ones_are_left_out(asked: Cycles) -> None:
    total = 0
    for seed in SEEDS:
        own = flows(seed, accounts=6, payments=50, days=12)
        ids = own.ids.to_pylist()
        every = {frozenset(ids[row] for row in rows) for rows in circles(own, asked)}
        found = edges(asked.among(own))
        assert set(found) <= every
        assert len(found) == len(set(found))
        place = {id: row for row, id in enumerate(ids)}
        rings = [(ring_of(own, one, place), own.time[min(place[id] for id in one)]) for one in found]
        for one in every:
            ring, began = ring_of(own, one, place), own.time[min(place[id] for id in one)]
            if not any(ring == other and abs(began - when) <= asked.within for other, when in rings):
                assert chained(own, one, every, place, rings, asked)
        total += len(every)
    assert total > 200


def ring_of(own: Flows, one: frozenset[str], place: dict[str, int]) -> frozenset[tuple[int, int]]:
    return frozenset((int(own.source[place[id]]), int(own.target[place[id]])) for id in one)


def chained(own: Flows, one: frozenset[str], every: set, place: dict[str, int], rings: list, asked: Cycles) -> bool:
    """Whether a better one that is itself left out for a better one lies near: it is linked to one that is kept."""
    ring, seen, queue = ring_of(own, one, place), {one}, [one]
    while queue:
        began = own.time[min(place[id] for id in queue.pop())]
        if any(ring == other and abs(began - when) <= asked.within for other, when in rings):
            return True
        near = {
            other
            for other in every - seen
            if ring_of(own, other, place) == ring
            and abs(own.time[min(place[id] for id in other)] - began) <= asked.within
        }
        seen |= near
        queue += near
    return False


def fans_by_hand(own: Flows, asked: FanIn) -> list[frozenset[str]]:
    """Each window by a loop; the fullest of those whose ends lie near is kept."""
    ids = own.ids.to_pylist()
    ends = []
    for row in range(len(own)):
        near = own.target[: row + 1] == own.target[row]
        age = (own.time[row] - own.time[: row + 1]) / asked.within
        inside = np.flatnonzero(near & (age < 1)).tolist()
        usual = int((near & (age >= 1) & (age < 5)).sum()) / 4
        parties = len({int(own.source[k]) for k in inside})
        if parties >= max(asked.least, asked.surge * usual):
            ends.append((parties, round(sum(own.amount[k] for k in inside) * 100), -row, inside))
    kept = [
        one for one in ends
        if all(other[:3] <= one[:3] for other in ends
               if own.target[-other[2]] == own.target[-one[2]]
               and abs(own.time[-other[2]] - own.time[-one[2]]) <= asked.within)
    ]  # fmt: skip
    return sorted((frozenset(ids[k] for k in one[3]) for one in kept), key=sorted)


def test_fans_are_those_found_by_hand() -> None:
    total = 0
    for seed in SEEDS:
        own = flows(seed, accounts=7, payments=40, days=15)
        for asked in (FanIn(least=3, days=3, surge=surge) for surge in (0, 1, 3, 8)):
            assert edges(asked.among(own)) == fans_by_hand(own, asked)
            total += len(fans_by_hand(own, asked))
    assert total > 100


def test_a_fan_out_is_a_fan_in_turned_round() -> None:
    for seed in range(10):
        table = drawn(seed)
        turned = table.rename_columns(["id", "target", "source", "amount", "time"])
        one, other = FanIn(least=3).among(Flows.of(table)), FanOut(least=3).among(Flows.of(turned))
        assert {row["subject"] for row in one.to_pylist()} == {row["subject"] for row in other.to_pylist()}


def test_chains_are_disjoint_paths_whose_steps_keep_the_money() -> None:
    total = 0
    for seed in SEEDS:
        own = flows(seed, accounts=12, payments=80, days=20)
        asked = Layering(least=3, days=3, keeps=0.9)
        place, used = {id: row for row, id in enumerate(own.ids.to_pylist())}, set()
        for chain in asked.among(own)["edges"].to_pylist():
            rows = [place[id] for id in chain]
            for a, b in pairwise(rows):
                assert own.target[a] == own.source[b]
                assert 0 < own.time[b] - own.time[a] <= asked.within
                assert 0.9 <= own.amount[b] / own.amount[a] <= 1
            assert not used & {*chain}
            used |= {*chain}
            total += 1
    assert total > 30


def test_money_scattered_and_gathered_goes_through_enough_accounts() -> None:
    total = 0
    for seed in SEEDS:
        own = flows(seed, accounts=6, payments=60, days=10)
        asked = ScatterGather(least=2, days=2, keeps=0.9)
        ids = own.ids.to_pylist()
        place = {id: row for row, id in enumerate(ids)}
        pairs: set[tuple[int, int]] = set()
        for a, b in product(range(len(own)), repeat=2):
            soon = 0 < own.time[b] - own.time[a] <= asked.within
            kept = 0.9 <= own.amount[b] / own.amount[a] <= 1
            if own.target[a] == own.source[b] and own.source[a] != own.target[b] and soon and kept:
                pairs.add((a, b))
        for row in asked.among(own).to_pylist():
            rows = {place[id] for id in row["edges"]}
            inside = {(a, b) for a, b in pairs if a in rows and b in rows}
            assert {k for pair in inside for k in pair} == rows
            assert len({int(own.target[a]) for a, _ in inside}) >= 2
            total += 1
    assert total > 30


def test_transfers_below_a_threshold_count_even_where_a_day_is_summed() -> None:
    table = pa.table(
        {
            "id": ["e"],
            "source": ["a"],
            "target": ["b"],
            "amount": [47_500.0],
            "count": [5],
            "time": pa.array([0], pa.timestamp("us", "UTC")),
        }
    )
    found = Structuring(least=5).among(Flows.of(table)).to_pylist()
    assert [row["remark"] for row in found] == ["5 transfers below 10000"]
    assert not len(Structuring(least=6).among(Flows.of(table)))
    one = table.set_column(4, "count", pa.array([1]))
    assert not len(Structuring(least=2).among(Flows.of(one)))


def test_a_cap_is_told_and_nothing_is_capped_silently() -> None:
    own = flows(3, accounts=4, payments=200, days=10)
    assert not Cycles().among(own).schema.metadata
    told = Cycles(fan=1).among(own).schema.metadata[b"notes"].decode()
    assert "raise fan" in told


def test_payments_that_cannot_be_read_are_refused_with_what_is_wrong() -> None:
    table = drawn(1)
    with pytest.raises(MeasureError, match="time is missing"):
        Flows.of(table.drop_columns(["time"]))
    for column, value, told in (
        ("amount", "-1", r"amount of payment e00002 is -1\.0: it is no number above 0"),
        ("amount", "ten", "column amount of the payments holds string"),
        ("amount", None, "amount of payment e00002 is None: it is empty"),
        ("time", "yesterday", "column time of the payments holds string, expected times such as"),
        ("source", None, "source of payment e00002 is None: it is empty"),
        ("id", "e00001", "payment e00001 is there twice"),
    ):
        values = table[column].cast(pa.string()).to_pylist()
        values[2] = value
        spoilt = table.set_column(table.column_names.index(column), column, pa.array(values, pa.string()))
        with pytest.raises(MeasureError, match=told):
            Flows.of(spoilt)
    assert not len(Cycles().among(Flows.of(table.slice(0, 0))))


def test_times_without_a_zone_are_utc_whatever_form_they_have() -> None:
    days = ["2023-01-01", "2023-01-02"]
    ends = {"id": ["1", "2"], "source": ["a", "b"], "target": ["b", "a"], "amount": [1, 2]}
    forms = [pa.array(days), pa.array([f"{day}T00:00:00Z" for day in days]), pa.array(days).cast(pa.date32())]
    made = [Flows.of(pa.table({**ends, "time": form})).time.tolist() for form in forms]
    assert made[0] == made[1] == made[2] == [1_672_531_200_000_000, 1_672_617_600_000_000]


@pytest.mark.parametrize("asked", STREAMED, ids=lambda asked: f"{asked.name}-{asked.days:g}")
def test_what_a_batch_completes_is_what_a_full_run_has_more(asked: PaymentPattern) -> None:
    """Batches in order of time, and batches that come late."""
    told = 0
    for seed in range(10):
        table = drawn(seed, accounts=7 if seed < 7 else 60, payments=270, days=60)
        table = table.sort_by("time") if seed % 2 else table
        watch, before = Watch([asked]), findings(asked.name, ())
        for start in range(0, 270, 30):
            fresh = watch.take(table.slice(start, 30))
            full = asked.among(Flows.of(table.slice(0, start + 30)))
            known = {*before["id"].to_pylist()}
            expected = [row for row in full.to_pylist() if row["id"] not in known]
            assert fresh.to_pylist() == expected
            told, before = told + len(fresh), full
    assert told > 10


def test_a_payment_that_was_taken_before_is_refused() -> None:
    watch = Watch([FanIn()])
    assert not len(watch.take(drawn(1).slice(0, 0)))
    watch.take(drawn(1).slice(0, 10))
    with pytest.raises(MeasureError, match="e00009 was taken before"):
        watch.take(drawn(1).slice(9, 5))
    assert watch.payments.num_rows == 10


def test_a_flow_is_in_order_of_time_whatever_order_it_came_in() -> None:
    table = drawn(2)
    order = np.random.default_rng(0).permutation(len(table))
    one, other = Flows.of(table), Flows.of(table.take(pa.array(order)))
    assert one.ids.equals(other.ids)
    assert (np.diff(one.time) >= 0).all()
    assert one.time.max() < 20 * DAY
