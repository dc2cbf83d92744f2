"""Taint beside a slow count in fractions: what is tainted of each payment and balance, and that none of it is lost."""

from __future__ import annotations

from fractions import Fraction
from itertools import groupby
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from kg.errors import MeasureError
from queries.patterns.taint import Taint
from queries.payments.flows import DAY, Flows
from queries.payments.tainting import taint
from tests.laundering_world import made

SEEDS = range(150)


def drawn(seed: int, order: np.ndarray | None = None) -> Flows:
    """Whole sums among five accounts, several at one moment, whatever the accounts hold; rows in any order."""
    r = np.random.default_rng(seed)
    source = r.integers(0, 5, 25)
    target = (source + r.integers(1, 5, 25)) % 5
    table = pa.table(
        {
            "id": [f"e{k:02}" for k in range(25)],
            "source": [f"a{k}" for k in source],
            "target": [f"a{k}" for k in target],
            "amount": r.integers(1, 9, 25).astype(float),
            "time": pa.array(r.integers(0, 12, 25) * DAY, pa.timestamp("us", "UTC")),
        }
    )
    return Flows.of(table if order is None else table.take(pa.array(order)))


def by_unit(
    own: Flows, origins: set[int], opening: int, first_out: bool
) -> tuple[list[Fraction], list[list[Fraction]]]:
    """Each unit of money by itself, as the fraction of it that is tainted; mixed before each payment, or in order."""
    purse = [[Fraction(0)] * opening for _ in own.accounts]
    carried = [Fraction(0)] * len(own)
    back = [Fraction(0)] * len(own.accounts)
    for _, moment in groupby(range(len(own)), key=lambda row: own.time[row]):
        rows = list(moment)
        for payer in sorted({int(own.source[row]) for row in rows}):
            sent = [row for row in rows if own.source[row] == payer]
            total = int(sum(own.amount[row] for row in sent))
            if payer in origins:
                gone = [Fraction(1)] * total
            else:
                units = purse[payer]
                units = units if first_out or not units else [sum(units, Fraction(0)) / len(units)] * len(units)
                gone, purse[payer] = units[:total], units[total:]
            for row in sent:
                carried[row] = sum(gone, Fraction(0)) * int(own.amount[row]) / total
        for payee in sorted({int(own.target[row]) for row in rows}):
            got = [row for row in rows if own.target[row] == payee]
            total, dirty = int(sum(own.amount[row] for row in got)), sum((carried[row] for row in got), Fraction(0))
            if payee in origins:
                back[payee] += dirty
            else:
                purse[payee] += [dirty / total] * total
    held = [sum(units, Fraction(0)) + extra for units, extra in zip(purse, back, strict=True)]
    return carried, [held]


@pytest.mark.parametrize("opening", [0, 3])
@pytest.mark.parametrize("method", ["haircut", "fifo"])
def test_haircut_and_fifo_count_as_unit_by_unit(method: str, opening: int) -> None:
    for seed in SEEDS:
        own = drawn(seed)
        origins = {0, 1} if seed % 3 else {2}
        origins = {k for k in origins if k < len(own.accounts)}
        found = taint(own, sorted(origins), method, float(opening))  # type: ignore[arg-type]
        carried, (held,) = by_unit(own, origins, opening, method == "fifo")
        np.testing.assert_allclose(found.carried, [float(x) for x in carried], rtol=0, atol=1e-12)
        np.testing.assert_allclose(found.held, [float(x) for x in held], rtol=0, atol=1e-12)


@pytest.mark.parametrize("method", ["haircut", "fifo"])
def test_what_origins_paid_is_what_others_hold_and_what_came_back(method: str) -> None:
    for seed in SEEDS:
        own = drawn(seed)
        found = taint(own, [0], method)  # type: ignore[arg-type]
        paid = own.amount[own.source == 0].sum()
        lost = own.amount[(own.source == 0)].sum() - found.held.sum()
        assert lost == pytest.approx(0, abs=1e-9 * max(paid, 1))
        assert (found.carried <= own.amount + 1e-12).all()


def test_poison_reaches_whoever_is_reached_in_order_of_time() -> None:
    for seed in SEEDS:
        own = drawn(seed)
        found = taint(own, [0], "poison")
        poisoned: dict[int, int] = {}
        for row in range(len(own)):
            source, when = int(own.source[row]), int(own.time[row])
            spread = source == 0 or poisoned.get(source, when) < when
            assert found.carried[row] == (own.amount[row] if spread else 0)
            if spread and own.target[row] != 0:
                poisoned.setdefault(int(own.target[row]), when)


def test_poison_taints_most_and_the_order_of_rows_none_at_all() -> None:
    for seed in range(40):
        own, turned = drawn(seed), drawn(seed, np.random.default_rng(seed).permutation(25))
        for method in ("haircut", "fifo", "poison"):
            found = taint(own, [0], method)  # type: ignore[arg-type]
            again = taint(turned, [0], method)  # type: ignore[arg-type]
            assert (found.carried == again.carried).all()
            assert (found.carried <= taint(own, [0], "poison").carried + 1e-12).all()


def test_money_paid_in_and_out_at_one_moment_does_not_pass_through() -> None:
    book = made([("bad", "a", 100, 1), ("a", "b", 100, 1), ("a", "c", 50, 2)])
    own = flows_of(book)
    found = taint(own, [own.accounts.index("bad")], "haircut")
    assert dict(zip(own.accounts, found.held.tolist(), strict=True)) == {"a": 50, "b": 0, "bad": 0, "c": 50}


def flows_of(book: object) -> Flows:
    """The payments of a book without a ledger."""
    rows = [claim for claim in book.claims if hasattr(claim.what, "type")]  # type: ignore[attr-defined]
    return Flows.of(
        pa.table(
            {
                "id": [f"e{k}" for k in range(len(rows))],
                "source": [row.what.source.removeprefix("acct:") for row in rows],
                "target": [row.what.target.removeprefix("acct:") for row in rows],
                "amount": [float(row.what.props["amount"]) for row in rows],
                "time": pa.array([row.valid_from for row in rows], pa.timestamp("us", "UTC")),
            }
        )
    )


def test_an_account_without_a_balance_pays_clean_money_from_outside() -> None:
    own = flows_of(made([("bad", "a", 40, 1), ("a", "b", 100, 2)]))
    for method in ("haircut", "fifo"):
        found = taint(own, [own.accounts.index("bad")], method)  # type: ignore[arg-type]
        assert found.carried.tolist() == [40, 40]
        assert found.held[own.accounts.index("a")] == 0


def test_findings_name_who_holds_how_much_and_the_payments_that_brought_it(tmp_path: Path) -> None:
    book = made([("bad", "a", 100, 1), ("good", "a", 100, 2), ("a", "b", 60, 3)], flags={"bad": "sanctioned: TEST"})
    snapshot = book.snapshot(tmp_path / "ledger")
    haircut = {row["subject"]: row["amount"] for row in Taint().find(snapshot).to_pylist()}
    assert haircut == {"acct:a": pytest.approx(70), "acct:b": pytest.approx(30)}
    fifo = {row["subject"]: row["amount"] for row in Taint(method="fifo").find(snapshot).to_pylist()}
    assert fifo == {"acct:a": 40, "acct:b": 60}
    poison = {row["subject"]: row["amount"] for row in Taint(method="poison").find(snapshot).to_pylist()}
    assert poison == {"acct:a": 140, "acct:b": 60}
    other = Taint(origins=("acct:good",), flag="").find(snapshot).to_pylist()
    assert {row["subject"]: (row["amount"], len(row["edges"])) for row in other} == {
        "acct:a": (pytest.approx(70), 1),
        "acct:b": (pytest.approx(30), 1),
    }


def test_what_cannot_be_followed_is_refused(tmp_path: Path) -> None:
    own = drawn(1)
    with pytest.raises(MeasureError, match="method 'lifo' is unknown; known: haircut, fifo, poison"):
        taint(own, [0], "lifo")  # type: ignore[arg-type]
    with pytest.raises(MeasureError, match="opening is -1"):
        taint(own, [0], "fifo", -1)
    snapshot = made([("a", "b", 1, 1)]).snapshot(tmp_path / "ledger")
    with pytest.raises(MeasureError, match="the snapshot has no acct:nobody"):
        Taint(origins=("acct:nobody",)).find(snapshot)
