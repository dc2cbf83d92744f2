"""Ownership and control: published examples, brute force in fractions on 1,000 random graphs, and bounds."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from itertools import permutations, product
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from kg.errors import MeasureError
from queries.figure import notes
from queries.figures.beneficial_owner import BeneficialOwner
from queries.figures.control import Control
from queries.figures.fifty_percent import FiftyPercent
from queries.figures.integrated_ownership import IntegratedOwnership
from tests.ownership_tables import CIRCLE, shares, stakes, status

Held = dict[tuple[str, str], Fraction]


def test_integrated_and_corrected_shares_of_a_circle_are_those_of_the_closed_form() -> None:
    """OWN-1: integrated and corrected shares."""
    found = shares(IntegratedOwnership().compute(CIRCLE))
    assert [found["1", k] for k in "123"] == pytest.approx([1 / 17, 2 / 17, 0.4 / 17], rel=1e-12)
    found = shares(IntegratedOwnership("corrected").compute(CIRCLE))
    assert [found["1", k] for k in "123"] == pytest.approx([1 / 18, 1 / 9, 0.2 / 9], rel=1e-12)


def test_outside_shareholders_of_two_firms_that_hold_half_of_each_other() -> None:
    """OWN-2: outside shareholders, two thirds and one third."""
    found = shares(IntegratedOwnership("outside").compute(stakes(("a", "b", 0.5), ("b", "a", 0.5))))
    expected = {("a", "a"): 2 / 3, ("b", "a"): 1 / 3, ("a", "b"): 1 / 3, ("b", "b"): 2 / 3}
    assert found == pytest.approx(expected, rel=1e-12)


# ---- brute force


def drawn(seed: int, companies: int = 4, people: int = 2) -> Held:
    """Shares in twentieths of companies held by each other and by people; at most 19 of 20 of each."""
    r = np.random.default_rng(seed)
    firms, holders = [f"f{k}" for k in range(companies)], [f"p{k}" for k in range(people)]
    held: Held = {}
    for firm in firms:
        left = 19
        for owner in r.permutation([*firms, *holders])[:3].tolist():
            part = int(r.integers(1, 12)) if owner != firm else int(r.integers(0, 4))
            if 0 < part <= left:
                held[owner, firm], left = Fraction(part, 20), left - part
    return held or {("p0", "f0"): Fraction(1, 2)}


def table_of(held: Held) -> pa.Table:
    return stakes(*((*pair, share) for pair, share in held.items()))


def inverse(held: Held, names: list[str]) -> list[list[Fraction]]:
    """(I - W)^-1 by elimination in fractions."""
    n = len(names)
    rows = []
    for i, a in enumerate(names):
        own = [Fraction(i == j) - held.get((a, b), Fraction(0)) for j, b in enumerate(names)]
        rows.append(own + [Fraction(i == j) for j in range(n)])
    for k in range(n):
        pivot = next(row for row in range(k, n) if rows[row][k])
        rows[k], rows[pivot] = rows[pivot], rows[k]
        rows[k] = [x / rows[k][k] for x in rows[k]]
        for row in range(n):
            if row != k:
                rows[row] = [x - rows[row][k] * y for x, y in zip(rows[row], rows[k], strict=True)]
    return [row[n:] for row in rows]


def chains(held: Held, owner: str, owned: str, seen: tuple[str, ...] = ()) -> Fraction:
    """Sum over all chains, where none goes in a circle."""
    direct = held.get((owner, owned), Fraction(0))
    return direct + sum(
        (share * chains(held, middle, owned) for (one, middle), share in held.items() if one == owner), Fraction(0)
    )


def test_integrated_ownership_of_a_thousand_graphs_is_that_of_fractions() -> None:
    for seed in range(1_000):
        held = drawn(seed)
        names = sorted({name for pair in held for name in pair})
        exact = inverse(held, names)
        found = shares(IntegratedOwnership().compute(table_of(held)))
        fixed = shares(IntegratedOwnership("corrected").compute(table_of(held))) if seed % 5 == 0 else {}
        for i, a in enumerate(names):
            for j, b in enumerate(names):
                whole = exact[i][j] - (i == j)
                assert found.get((a, b), 0.0) == pytest.approx(float(whole), rel=1e-12, abs=1e-14)
                if fixed:
                    assert fixed.get((a, b), 0.0) == pytest.approx(float(whole / exact[i][i]), rel=1e-12, abs=1e-14)


def test_where_nothing_goes_in_circles_it_is_the_sum_over_all_chains() -> None:
    for seed in range(200):
        held = {pair: share for pair, share in drawn(seed, 6).items() if pair[0] < pair[1] or pair[0][0] == "p"}
        found = shares(IntegratedOwnership().compute(table_of(held)))
        for owner, owned in found:
            assert found[owner, owned] == pytest.approx(float(chains(held, owner, owned)), rel=1e-12)


def group(start: Iterable[str], held: Held, inclusive: bool = False) -> set[str]:
    """Everyone of whom a group holds a majority, by looking at all again until nothing changes."""
    members = set(start)
    while True:
        firms = {owned for _, owned in held} - members
        held_of = {
            firm: sum((s for (owner, owned), s in held.items() if owned == firm and owner in members), Fraction(0))
            for firm in firms
        }
        half = Fraction(1, 2)
        joined = {firm for firm, share in held_of.items() if share > half or (inclusive and share == half)}
        if not joined:
            return members
        members |= joined


def voting(held: Held) -> Held:
    """Votes without those of shares that companies hold in themselves."""
    return {(a, b): s / (1 - held.get((b, b), Fraction(0))) for (a, b), s in held.items() if a != b}


def test_control_of_a_thousand_graphs_is_that_of_fractions() -> None:
    for seed in range(1_000):
        held = drawn(seed)
        found: dict[str, set[str]] = {}
        for row in Control().compute(table_of(held)).to_pylist():
            assert row["certain"]
            found.setdefault(row["controller"], set()).add(row["controlled"])
        for owner in {pair[0] for pair in held}:
            assert found.get(owner, set()) == group([owner], voting(held)) - {owner}


def test_the_fifty_percent_rule_on_a_thousand_graphs_is_that_of_fractions() -> None:
    blocked = 0
    for seed in range(1_000):
        held = drawn(seed)
        listed = sorted({owner for owner, _ in held if owner.startswith("p")})[: 1 + seed % 2]
        found = status(table_of(held), listed=tuple(listed), regime="ofac")
        reached = group(listed, held, inclusive=True)
        assert {id for id, state in found.items() if state in ("blocked", "listed")} == reached
        assert "possible" not in found.values()
        one_by_one = set().union(*(group([one], held) for one in listed))
        alone = status(table_of(held), listed=tuple(listed), regime="uk")
        assert {id for id, state in alone.items() if state in ("blocked", "listed")} == one_by_one
        blocked += len(reached) - len(listed)
    assert blocked > 300


# ---- beneficial owners


def owners(table: pa.Table, **asked: Any) -> dict[str, tuple[str, str]]:
    made = BeneficialOwner(**asked).compute(table).to_pylist()
    return {row["owner"]: (row["by_share"], row["by_control"]) for row in made}


def test_exactly_a_quarter_is_enough_only_where_the_rule_says_so() -> None:
    table = stakes(("X", "A", 0.5), ("A", "B", 0.5), ("Y", "B", 0.25))
    assert owners(table, owned="B") == {}
    assert owners(table, owned="B", inclusive=True) == {"X": ("yes", "no"), "Y": ("yes", "yes")}


def test_who_controls_the_holder_is_an_owner_though_the_product_is_small() -> None:
    table = stakes(("X", "A", 0.51), ("A", "B", 0.26), ("Y", "A", 0.49))
    assert owners(table, owned="B") == {"X": ("no", "yes")}
    row = BeneficialOwner(owned="B").compute(table).to_pylist()[0]
    assert (row["low"], row["group_share"]) == (pytest.approx(0.51 * 0.26), 0.26)


def test_only_those_asked_for_are_owners_and_else_those_at_the_top() -> None:
    table = stakes(("X", "A", 0.9), ("A", "B", 0.9))
    assert set(owners(table, owned="B")) == {"X"}
    assert set(owners(table, owned="B", owners=("A",))) == {"A"}


def extremes(low: Held, high: Held, owner: str, owned: str) -> tuple[float, float]:
    """Least and most share over all choices: what is free is given out to owners in every order."""
    firms = sorted({b for _, b in high})
    ways = []
    for firm in firms:
        holders = [a for a, b in high if b == firm]
        free = 1 - sum((low[a, firm] for a in holders), Fraction(0))
        made = []
        for order in permutations(holders):
            left, own = free, {}
            for a in order:
                more = min(left, high[a, firm] - low[a, firm])
                own[a, firm], left = low[a, firm] + more, left - more
            made.append(own)
        ways.append(made)
    names = sorted({name for pair in high for name in pair})
    i, j = names.index(owner), names.index(owned)
    most = []
    for choice in product(*ways):
        held = {pair: share for own in choice for pair, share in own.items()}
        most.append(float(inverse(held, names)[i][j]))
    return float(inverse(low, names)[i][j]), max(most)


def test_bounds_are_the_extremes_of_all_that_the_ranges_allow() -> None:
    wide = 0
    for seed in range(120):
        r = np.random.default_rng(seed)
        low = {pair: share / 2 for pair, share in drawn(seed, 3, 1).items() if pair[0] != pair[1]}
        if ("p0" not in {a for a, _ in low}) or not low:
            continue
        high = {pair: min(share + Fraction(int(r.integers(0, 8)), 20), Fraction(19, 20)) for pair, share in low.items()}
        table = stakes(*((*pair, low[pair], high[pair]) for pair in low))
        for row in BeneficialOwner(owners=("p0",), threshold=0, inclusive=True).compute(table).to_pylist():
            least, most = extremes(low, high, "p0", row["owned"])
            assert row["low"] == pytest.approx(least, abs=1e-9)
            assert row["high"] == pytest.approx(most, abs=1e-9)
            wide += most > least + 0.01
    assert wide > 60


# ---- what cannot be right


def test_shares_beyond_the_whole_are_refused_by_name_or_scaled_and_said() -> None:
    table = stakes(("X", "A", 0.8), ("Y", "A", 0.4), ("A", "B", 0.5))
    for figure in (IntegratedOwnership, Control, BeneficialOwner, FiftyPercent):
        with pytest.raises(MeasureError, match=r"more than 100 % in A \(120\.00%\)"):
            figure().compute(table)
        assert "shares of A exceeded 100 %" in notes(figure(excess="scale").compute(table))[0]
    assert shares(IntegratedOwnership(excess="scale").compute(table))["X", "A"] == pytest.approx(2 / 3)


def test_a_circle_that_owns_itself_wholly_is_refused_by_name() -> None:
    for table in (stakes(("A", "B", 1), ("B", "A", 1), ("X", "C", 1)), stakes(("A", "A", 1), ("X", "C", 1))):
        with pytest.raises(MeasureError, match=r"A.* hold all of each other"):
            IntegratedOwnership().compute(table)


def test_votes_of_a_companys_own_shares_are_cast_by_nobody() -> None:
    table = stakes(("X", "A", 0.4), ("A", "A", 0.3), ("Y", "A", 0.3))
    assert Control().compute(table).to_pylist() == [
        {"controller": "X", "controlled": "A", "votes": pytest.approx(4 / 7), "steps": 1, "certain": True}
    ]


def test_a_name_nobody_knows_and_a_kind_of_stake_nobody_knows_are_refused() -> None:
    with pytest.raises(MeasureError, match="no stake names 'Z'"):
        Control(controller="Z").compute(CIRCLE)
    with pytest.raises(MeasureError, match="kind 'love' are unknown"):
        Control().compute(stakes(("X", "A", 0.5), kind=["love"]))
