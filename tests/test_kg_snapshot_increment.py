"""A snapshot made from an earlier one has, array by array, what a full build has."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kg.increment import Increment
from kg.ledger import Ledger
from kg.model import AsOf, Claim, ClaimBatch, Edge, Evidence, Facts, Judgement, Node, RunManifest, SameEdge, Value
from kg.snapshot import Snapshot
from tests.increments import full, made_from
from tests.ledger_world import RUN, bank, loan, two_banks
from tests.operations import EXTRACTORS, START, Ticking

IDS = ("lei:A", "lei:B", "cik:C", "cik:D", "name:e", "name:f")
LABELS = ("Bank", "Company", "Fund")
ACTIONS = ("node", "loan", "loan", "share", "paid", "sector", "equity", "end", "same", "apart", "joined", "retract")
PLAIN = tuple(action for action in ACTIONS if action not in ("same", "apart", "joined"))
"""What can be told where nothing is judged."""
Action = tuple[str, int, int, int]


def commits(actions: tuple[str, ...]) -> st.SearchStrategy[list[list[Action]]]:
    one = st.tuples(st.sampled_from(actions), *(st.integers(0, n) for n in (5, 5, 7)))
    return st.lists(st.lists(one, min_size=1, max_size=6), min_size=2, max_size=5)


CLOCKS = st.tuples(st.integers(0, 5), st.integers(-1, 12), st.integers(-1, 12))
"""Which commit, and how many quarters after START the world and the publications are looked at."""


@pytest.fixture(autouse=True)
def _whatever_lies_between(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small graphs change by more than the share from which a full build is less work."""
    monkeypatch.setattr("kg.increment.SHARE", 1e9)


def quarter(number: int) -> datetime:
    return START + timedelta(days=91 * number)


FAR = AsOf(quarter(30), None, quarter(99))


def told(ledger: Ledger, actions: list[Action], retract: list[str]) -> Iterator[Claim]:
    """The claims of one commit; what it retracts is added to `retract`."""
    alive = ledger.alive().to_pylist()
    for kind, a, b, n in actions:
        pair, start = (IDS[a], IDS[b]), quarter(n)
        evidence = Evidence(f"doc{n}", f"row:{b}", "as said", EXTRACTORS[(a + n) % 5], 1 - n / 10)
        money: dict[str, Value] = {"amount": Decimal(n + 1), "currency": "EUR"}
        loans = [row for row in alive if row["name"] == "LENDS_TO" and row["kind"] == "edge"]
        what: Node | Facts | Edge | Judgement | SameEdge | None = None
        end = quarter(n + b) if b and n % 2 else None
        if kind == "node":
            what = Node(LABELS[a % 3], IDS[a], {"name": f"Firm {n}"})
        elif kind == "loan":
            what = Edge("LENDS_TO", *pair, money, "fg"[n % 2])
        elif kind == "share":
            what = Edge("OWNS", *pair, {"share": (n + 1) / 10})
        elif kind == "paid":
            what, end = Edge("PAID", *pair, {**money, "count": 1}, f"t{n}"), None
        elif kind == "sector":
            what = Facts(IDS[a], {"description": ("bank", "shop", "mine")[n % 3]})
        elif kind == "equity":
            what, end = Facts(IDS[a], {"equity": Decimal(n), "currency": "EUR"}, key=f"202{b}-12-31"), None
        elif kind in ("same", "apart") and a != b:
            what = Judgement(*pair, same=kind == "same")
        elif kind == "joined" and loans:
            one = loans[n % len(loans)]
            what = SameEdge("LENDS_TO", one["subject"], one["object"], one["statement"], "gh"[b % 2], a > 0)
        elif kind == "retract" and alive:
            retract.append(Random(a + 8 * b + 64 * n).choice(alive)["claim"])
        elif kind == "end" and loans:
            yield ended(loans[n % len(loans)], b + 1)
        if what is not None:
            yield Claim(what, evidence, quarter(b), start, end)


def ended(row: dict[str, object], quarters: int) -> Claim:
    """The document of a loan says later when it ended."""
    start, published = row["valid_from"], row["published"]
    assert isinstance(start, datetime) and isinstance(published, datetime)
    edge = Edge(
        "LENDS_TO",
        str(row["subject"]),
        str(row["object"]),
        {"amount": Decimal(str(row["value_decimal"])), "currency": "EUR"},
        str(row["key"]),
    )
    evidence = Evidence(str(row["document"]), f"row:end {quarters}", "as said", str(row["extractor"]))
    return Claim(edge, evidence, published + timedelta(days=200), start, start + timedelta(days=91 * quarters))


def grown(folder: str, told_in: list[list[Action]]) -> Ledger:
    """A ledger of these commits, after one that names everybody."""
    ledger = Ledger.open(Path(folder) / "ledger", clock=Ticking())
    nodes = [Node(LABELS[n % 3], id) for n, id in enumerate(IDS)]
    first = [Claim(node, Evidence("doc", "row:1", "as said", "registers.csv@1"), quarter(0)) for node in nodes]
    ledger.commit(ClaimBatch.of(first), RUN)
    for number, actions in enumerate(told_in):
        retract: list[str] = []
        claims = list(told(ledger, actions, retract))
        ledger.commit(ClaimBatch.of(claims), RunManifest("test", {"n": number}), retract=retract)
    return ledger


def looked_at(ledger: Ledger, clock: tuple[int, int, int]) -> Snapshot:
    commit, valid, published = clock
    return full(ledger, AsOf(quarter(valid), ledger.known(1 + commit % ledger.head), quarter(published)))


@given(commits(ACTIONS), st.lists(st.tuples(CLOCKS, CLOCKS), min_size=1, max_size=4))
@settings(max_examples=15, deadline=None)
def test_random_commits_and_clocks(
    commits: list[list[Action]], asked: list[tuple[tuple[int, int, int], tuple[int, int, int]]]
) -> None:
    with TemporaryDirectory() as folder, grown(folder, commits) as ledger:
        for pair in asked:
            base, wanted = (looked_at(ledger, one) for one in sorted(pair, key=lambda one: one[0] % ledger.head))
            assert made_from(ledger, base, wanted) is not None or not len(base)


@given(commits(PLAIN), CLOCKS, CLOCKS)
@settings(max_examples=25, deadline=None)
def test_where_nothing_was_judged_what_lost_is_kept_from_one_increment_to_the_next(
    commits: list[list[Action]], early: tuple[int, int, int], late: tuple[int, int, int]
) -> None:
    with TemporaryDirectory() as folder, grown(folder, commits) as ledger:
        found = looked_at(ledger, (0, *early[1:]))
        for commit in range(ledger.head):
            wanted = looked_at(ledger, (commit, *(early if commit % 3 else late)[1:]))
            later = made_from(ledger, found, wanted)
            found = wanted if later is None else later
            assert found.contest and wanted.contest
            lost, expected = ({*map(str, one.contest.lost.to_pylist())} for one in (found, wanted) if one.contest)
            assert lost == expected


def test_claims_that_lost_are_not_looked_for_in_the_log(tmp_path: Path) -> None:
    ledger = two_banks(tmp_path / "ledger")
    ledger.commit(ClaimBatch.of([loan(n, locator_of(n)) for n in range(3)]), RUN)
    base = full(ledger, AsOf(valid=quarter(30)))
    assert base.contest and len(base.contest.lost) == 2
    ledger.commit(ClaimBatch.of([bank("lei:AB", "Between")]), RUN, retract=base.edges["claim"].to_pylist())
    wanted, con = full(ledger, AsOf(valid=quarter(30))), ledger.cursor()
    con.execute("CREATE TEMP VIEW events AS SELECT * FROM memory.main.events WHERE commit > 2")
    way = Increment(con, base, 3, wanted.at).made()
    assert way is not None
    found = way.snapshot()
    assert found.edges.equals(wanted.edges) and found.edges.num_rows == 1
    assert found.edges["claim"][0].as_py() in base.contest.lost["claim"].to_pylist()


def test_nothing_but_the_hour_has_passed(tmp_path: Path) -> None:
    ledger = two_banks(tmp_path / "ledger")
    base = full(ledger, AsOf(valid=quarter(1)))
    way = Increment(ledger.cursor(), base, 1, AsOf(quarter(2), base.at.known, quarter(999 // 30))).made()
    assert way is not None
    assert all(way.tables[name] is getattr(base, name) for name in ("nodes", "edges", "facts"))


def test_a_view_of_a_later_commit_is_made_from_the_one_on_disk(tmp_path: Path) -> None:
    ledger = two_banks(tmp_path / "ledger")
    at = AsOf(valid=quarter(30))
    ledger.view(at)
    ledger.commit(ClaimBatch.of([bank("lei:AB", "Between"), loan(5)]), RUN)
    view = ledger.view(at)
    assert view.ids == ["lei:A", "lei:AB", "lei:B"]
    assert (view.edges["source"].to_pylist(), view.edges["target"].to_pylist()) == ([0], [2])
    expected = full(ledger, at)
    assert (view.nodes, view.edges, view.facts) == (expected.nodes, expected.edges, expected.facts)
    first, last = sorted((tmp_path / "cache").iterdir(), key=lambda f: f.stat().st_mtime)
    assert first != last


def test_an_erasure_in_between_makes_all_anew(tmp_path: Path) -> None:
    from kg.erase import erase

    ledger = two_banks(tmp_path / "ledger")
    ledger.commit(ClaimBatch.of([loan(5)]), RUN)
    base = full(ledger, AsOf())
    erase(ledger, ["lei:B"], lambda rows: rows, "erasure")
    assert Increment(ledger.cursor(), base, ledger.head, FAR).made() is None
    assert ledger.view(AsOf(valid=quarter(30))).ids == ["lei:A"]


def test_of_an_earlier_commit_there_is_no_increment(tmp_path: Path) -> None:
    ledger = two_banks(tmp_path / "ledger")
    ledger.commit(ClaimBatch.of([loan(5)]), RUN)
    assert Increment(ledger.cursor(), full(ledger, AsOf()), 1, FAR).made() is None


def test_more_change_than_it_is_worth_is_told_as_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = two_banks(tmp_path / "ledger")
    base = full(ledger, AsOf(valid=quarter(30)))
    ledger.commit(ClaimBatch.of([loan(n, locator_of(n)) for n in range(3)]), RUN)
    monkeypatch.setattr("kg.increment.SHARE", 0.2)
    assert Increment(ledger.cursor(), base, 2, FAR).made() is None


def locator_of(number: int) -> str:
    return f"doc {number}"
