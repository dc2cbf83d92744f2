"""Columns of payments: equal to what a plain search over the visible transfers says, and blind to what comes later."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from gnn.payments.cycles import Search, cycles
from gnn.payments.features import describe, reads_amounts
from gnn.payments.flow import around, passing
from gnn.payments.history import SAME, digits, habits, raw
from gnn.payments.neighbourhood import Neighbourhood
from gnn.payments.past import Past
from gnn.payments.protocol import DAILY, STRICT, Protocol
from gnn.payments.table import DAY, Payments
from gnn.payments.windows import activity

PROTOCOLS = [pytest.param(STRICT, id="strict"), pytest.param(DAILY, id="daily")]
SIDES = {
    "sender sent": ("source", "source"),
    "sender got": ("source", "target"),
    "receiver sent": ("target", "source"),
    "receiver got": ("target", "target"),
}
"""Column words: the end of the scored transfer whose account is asked, and the end it has in the others."""


def drawn(seed: int, count: int = 160, accounts: int = 7, days: int = 40) -> Payments:
    """Payments between few accounts at few times of day, some to oneself, some for the same amounts."""
    draw = np.random.default_rng(seed)
    time = np.sort(draw.integers(0, days * 4, count)) * (DAY // 4)
    cents = draw.choice([9_500, 10_000, 12_345, 95_000, 99_900, 1_000_000], count)
    source, target = draw.integers(0, accounts, count), draw.integers(0, accounts, count)
    ids = tuple(str(k) for k in range(count))
    return Payments(ids, source, target, cents, time, accounts, (draw.random(count) < 0.2).astype(float))


def visible(payments: Payments, protocol: Protocol, k: int) -> list[int]:
    """Rows that row k may see, by the words of the protocol."""
    if protocol.batch is None:
        return [j for j in range(len(payments)) if payments.time[j] < payments.time[k]]
    day = payments.time // protocol.batch
    return [j for j in range(len(payments)) if day[j] <= day[k] and j != k]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_activity_in_windows_equals_a_plain_search(protocol: Protocol) -> None:
    own = drawn(1)
    found = activity(Past.of(own, protocol), np.arange(len(own)))
    for k in range(len(own)):
        seen = visible(own, protocol, k)
        for words, (end, role) in SIDES.items():
            account, other = getattr(own, end)[k], own.target if role == "source" else own.source
            for days in (1, 7, 30):
                rows = [j for j in seen if getattr(own, role)[j] == account and own.time[k] - own.time[j] < days * DAY]
                name = f"{words}, {days} d"
                assert found[f"{name}: count"][k] == len(rows)
                assert found[f"{name}: distinct"][k] == len({other[j] for j in rows})
                assert found[f"{name}: amount, sum"][k] == sum(own.cents[j] for j in rows) / 100
                amounts = [own.cents[j] / 100 for j in rows]
                expected = np.mean(amounts) if rows else np.nan
                assert found[f"{name}: amount, mean"][k] == pytest.approx(expected, nan_ok=True)
                spread = np.std(np.log(amounts)) if rows else np.nan
                assert found[f"{name}: amount, spread of log"][k] == pytest.approx(spread, nan_ok=True, abs=1e-7)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_habits_of_ends_and_pair_equal_a_plain_search(protocol: Protocol) -> None:
    own = drawn(2)
    found = habits(Past.of(own, protocol), np.arange(len(own)))
    for k in range(len(own)):
        seen = visible(own, protocol, k)
        s, t = own.source[k], own.target[k]
        lists = {
            words: [j for j in seen if getattr(own, role)[j] == getattr(own, end)[k]]
            for words, (end, role) in SIDES.items()
        }
        lists["pair"] = [j for j in seen if (own.source[j], own.target[j]) == (s, t)]
        lists["pair back"] = [j for j in seen if (own.source[j], own.target[j]) == (t, s)]
        for words, rows in lists.items():
            assert found[f"{words}: count"][k] == len(rows)
            rows = rows[-32:]
            since = min(((own.time[k] - own.time[j]) / DAY for j in rows), default=np.nan)
            assert found[f"{words}: days since"][k] == pytest.approx(since, nan_ok=True)
            gaps = [abs(np.log(own.cents[j] / own.cents[k])) for j in rows]
            assert found[f"{words}: amount nearest"][k] == pytest.approx(min(gaps, default=np.nan), nan_ok=True)
            same = np.mean([gap < SAME for gap in gaps]) if rows else np.nan
            assert found[f"{words}: amount, share the same"][k] == pytest.approx(same, nan_ok=True)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_port_is_the_place_of_the_counterparty_in_the_order_of_first_transfers(protocol: Protocol) -> None:
    own = drawn(3, accounts=9)
    found = habits(Past.of(own, protocol), np.arange(len(own)))
    for k in range(len(own)):
        rows = visible(own, protocol, k)
        rows = sorted([*rows, k]) if protocol.batch else [*rows, k]
        receivers = list(dict.fromkeys(own.target[j] for j in rows if own.source[j] == own.source[k]))
        senders = list(dict.fromkeys(own.source[j] for j in rows if own.target[j] == own.target[k]))
        assert found["sender: which distinct receiver"][k] == receivers.index(own.target[k]) + 1
        assert found["receiver: which distinct sender"][k] == senders.index(own.source[k]) + 1


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_money_passed_on_and_busy_neighbours_equal_a_plain_search(protocol: Protocol) -> None:
    own = drawn(4)
    past, rows = Past.of(own, protocol), np.arange(len(own))
    flow, near = passing(past, rows), around(past, rows)
    for k in range(len(own)):
        seen = visible(own, protocol, k)
        got = [j for j in seen if own.target[j] == own.source[k] and own.time[k] - own.time[j] < 7 * DAY]
        like = [j for j in got if abs(np.log(own.cents[j] / own.cents[k])) < 0.1]
        assert flow["passed on: amount alike, count"][k] == len(like)
        assert flow["passed on: senders before"][k] == len({own.source[j] for j in got})
        payers = [own.source[j] for j in seen if own.target[j] == own.source[k]][-10:]
        busy = [sum(own.source[j] == account for j in seen) for account in payers]
        expected = np.mean(busy) if busy else np.nan
        assert near["payers of the sender: sent, mean"][k] == pytest.approx(expected, nan_ok=True)
        assert near["payers of the sender: sent, most"][k] == pytest.approx(max(busy, default=np.nan), nan_ok=True)


def plain_cycles(own: Payments, seen: list[int], k: int, length: int, days: int) -> list[tuple[int, ...]]:
    """Every path of transfers from the receiver round to the sender, each later than the one before."""
    if own.source[k] == own.target[k]:
        return []
    paths: list[tuple[int, ...]] = [()]
    recent = [j for j in seen if own.time[k] - own.time[j] < days * DAY]
    for _ in range(length - 1):
        paths = [
            (*path, j)
            for path in paths
            for j in recent
            if own.source[j] == (own.target[path[-1]] if path else own.target[k])
            and (not path or own.time[j] > own.time[path[-1]])
        ]
    ends = [[own.target[k], *(own.target[j] for j in path)] for path in paths]
    return [
        path
        for path, nodes in zip(paths, ends, strict=True)
        if nodes[-1] == own.source[k] and len(set(nodes)) == length
    ]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_cycles_of_two_to_five_equal_a_plain_search(protocol: Protocol) -> None:
    total = 0
    for seed in range(3):
        own = drawn(20 + seed, count=40, accounts=6, days=14)
        found = cycles(Past.of(own, protocol), np.arange(len(own)), Search(days=10, fan=99))
        for k in range(len(own)):
            closed = {n: plain_cycles(own, visible(own, protocol, k), k, n, 10) for n in (2, 3, 4, 5)}
            for length, walks in closed.items():
                assert found[f"cycles of {length}: count"][k] == len(walks)
                total += len(walks) * (length > 3)
            shortest = min((n for n, walks in closed.items() if walks), default=np.nan)
            assert found["cycle: shortest"][k] == pytest.approx(shortest, nan_ok=True)
    assert total > 20


def test_a_planted_cycle_of_five_is_found_only_in_the_order_of_time() -> None:
    ring, count = [0, 1, 2, 3, 4], 5
    source, target = np.array(ring), np.array([*ring[1:], 0])
    plain = Payments(tuple("abcde"), source, target, np.full(5, 10_000), np.arange(5) * DAY, count)
    assert cycles(Past.of(plain, STRICT), np.arange(5))["cycles of 5: count"].tolist() == [0, 0, 0, 0, 1]
    mixed = replace(plain, source=source[[1, 0, 2, 3, 4]], target=target[[1, 0, 2, 3, 4]])
    assert cycles(Past.of(mixed, STRICT), np.arange(5))["cycles of 5: count"].tolist() == [0, 0, 0, 0, 0]


def test_round_amounts_and_those_just_below_a_threshold_are_told() -> None:
    cents = np.array([950_000, 1_000_000, 12_345, 290_000])
    own = Payments(tuple("abcd"), np.zeros(4, int), np.ones(4, int), cents, np.arange(4) * DAY, 2)
    found = digits(Past.of(own, STRICT), np.arange(4))
    assert found["amount: round to"].tolist() == [100, 10_000, 0, 100]
    below = found["amount: share below a threshold"]
    assert below == pytest.approx([0.05, np.nan, np.nan, 1 / 30], nan_ok=True)


def changed_after(own: Payments, row: int, seed: int) -> Payments:
    """The same payments up to a row; everything about the later ones drawn anew, and half of them gone."""
    other, draw = drawn(seed, len(own), own.accounts), np.random.default_rng(seed)
    keep = np.concatenate([np.arange(row), row + np.flatnonzero(draw.random(len(own) - row) < 0.5)])
    time = np.sort(np.concatenate([own.time[:row], own.time[row] + (other.time[row:] - other.time[row])]))
    parts = {name: np.concatenate([getattr(own, name)[:row], getattr(other, name)[row:]])[keep]
             for name in ("source", "target", "cents", "truth")}  # fmt: skip
    return Payments(tuple(own.ids[k] for k in keep), time=time[keep], accounts=own.accounts, **parts)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_nothing_that_comes_later_moves_a_bit_of_a_column_or_a_neighbourhood(protocol: Protocol) -> None:
    own = drawn(5, count=240)
    whole = describe(own, protocol)
    near = Neighbourhood(Past.of(own, protocol), (6, 3))
    for seed, row in ((31, 90), (32, 150), (33, 200)):
        row = int(np.searchsorted(own.time, own.time[row] // DAY * DAY))  # the first transfer of a day
        other = changed_after(own, row, seed)
        again = describe(other, protocol)
        assert again.names == whole.names
        assert np.array_equal(again.values[:row], whole.values[:row], equal_nan=True)
        first = near.of(np.arange(row))
        second = Neighbourhood(Past.of(other, protocol), (6, 3)).of(np.arange(row))
        assert all(torch.equal(getattr(first, name), getattr(second, name)) for name in ("ego", "source", "edges"))


def test_the_certificate_would_catch_a_column_that_peeks() -> None:
    own = drawn(5, count=240)
    row = int(np.searchsorted(own.time, own.time[150] // DAY * DAY))
    other = changed_after(own, row, 32)
    peeking = replace(Past.of(own, STRICT), seen=np.full(240, 240))
    again = replace(Past.of(other, STRICT), seen=np.full(len(other), len(other)))
    rows = np.arange(row)
    assert not np.array_equal(
        activity(peeking, rows)["sender sent, 7 d: count"], activity(again, rows)["sender sent, 7 d: count"]
    )


def test_columns_without_amounts_stay_the_same_whatever_the_amounts() -> None:
    own = drawn(6)
    other = replace(own, cents=np.random.default_rng(0).permutation(own.cents) + 7)
    kept = [describe(one, STRICT).where(lambda name: not reads_amounts(name)).values for one in (own, other)]
    assert np.array_equal(*kept, equal_nan=True)


def test_the_columns_of_a_transfer_itself_come_first_and_hold_no_account_number() -> None:
    own = drawn(7)
    found = raw(Past.of(own, STRICT), np.arange(len(own)))
    assert tuple(found) == describe(own, STRICT, graph=False).names == ("amount", "day of the week", "hour")
    assert found["day of the week"][0] == (own.time[0] // DAY + 3) % 7
