"""Patterns of laundering: precision and recall on the AMLSim sample and on planted schemes, ties, speed, latency.

The sample's schemes go on over its whole time. What a fan-in is looked for with is chosen on the payments of the first
90 days by F1 and then tested on all, counting findings and schemes that end later. A finding is right where at least
half of its payments are of one scheme of its kind; a scheme is found where such a finding has at least half of it.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from itertools import product
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.figure import Figure, real_data
from benchmarks.laundering_payments import ORIGIN, Planted, Scheme, amlsim
from gnn.payments.amlsim import read
from queries.measure import build
from queries.pattern import Pattern
from queries.patterns.cycles import Cycles
from queries.patterns.fan_in import FanIn
from queries.payments.flows import DAY, Flows
from queries.payments.pattern import PaymentPattern
from queries.payments.tainting import taint
from queries.payments.watch import Watch

CUT: Final = ORIGIN + 90 * DAY
"""The sample's steps are days from 2017-01-01; day 90 is the last one looked at to choose by."""
TOP: Final = 1_000
TIED: Final = 0.01
GRID: Final = [
    FanIn(least=least, days=days, alike=alike, unusual=unusual, surge=0.0)  # a window of months has no months before it
    for least, days, alike, unusual in product((2, 3), (60, 150), (0.0, 0.2, 0.5), (0.0, 2.0, 5.0, 10.0))
]
LENGTHS: Final = (30, 60, 90, 120, 150)
"""Days tried where the parts are halves of the accounts, both over the whole time."""
CAPACITY: Final = (50, 100, 200)
"""Alerts that can be looked at."""
ALONE: Final = ("cycles", "fan_in", "fan_out", "layering", "scatter_gather", "structuring")
Told = list[dict[str, Any]]


def _often(hits: Sequence[int], scheme: int) -> tuple[int, int]:
    """How often a scheme is hit, the first of those that are hit as often."""
    return hits.count(scheme), -scheme


def judged(found: Told, schemes: Sequence[Scheme]) -> tuple[float, float, int]:
    """Precision, recall, and how many findings are right."""
    of = {edge: k for k, scheme in enumerate(schemes) for edge in scheme.edges}
    right, reached = 0, set()
    for row in found:
        hits = [of[edge] for edge in row["edges"] if edge in of]
        paid = sum(edge.startswith("e") for edge in row["edges"])
        best = max(set(hits), key=partial(_often, hits), default=-1)
        if best < 0 or 2 * hits.count(best) < paid:
            continue
        right += 1
        if 2 * hits.count(best) >= len(schemes[best].edges):
            reached.add(best)
    return right / max(len(found), 1), len(reached) / max(len(schemes), 1), right


def pair(what: str, found: Told, schemes: Sequence[Scheme], aims: tuple[float | None, float | None]) -> list[Figure]:
    precision, recall, right = judged(found, schemes)
    note = f"{right} of {len(found)} findings are right; {len(schemes)} schemes"
    return [
        Figure(f"{what}: precision", precision, aims[0], note=note),
        Figure(f"{what}: recall", recall, aims[1]),
    ]


def chosen(table: pa.Table, schemes: Sequence[Scheme], grid: Sequence[FanIn]) -> FanIn:
    """The fan-in of a grid with the best F1 on the schemes as far as they were known by the cut."""
    early = table.filter(pc.less_equal(table["time"].cast(pa.int64()), CUT))
    ids, ends = (
        set(early["id"].to_pylist()),
        dict(zip(early["id"].to_pylist(), early["source"].to_pylist(), strict=True)),
    )
    known = [Scheme(s.kind, s.edges & ids, CUT) for s in schemes]
    known = [s for s in known if len({ends[edge] for edge in s.edges}) >= 2]
    flows = Flows.of(early)

    def f1(asked: FanIn) -> float:
        precision, recall, _ = judged(asked.among(flows).to_pylist(), known)
        return 2 * precision * recall / max(precision + recall, 1e-9)

    return max(grid, key=f1)


def sample() -> Iterator[Figure]:
    """Precision and recall on the AMLSim sample, and how far its alerts tie."""
    table, schemes = amlsim(read(next((real_data() / "aml").glob("*.tgz"))))
    flows = Flows.of(table)
    cycles, fans = ([s for s in schemes if s.kind == kind] for kind in ("cycle", "fan_in"))
    yield Figure("AMLSim: cycles carried out", len(cycles), note="of 200 planned; the rest never came round")
    yield Figure("AMLSim: fan-ins carried out with two payers or more", len(fans), note="of 200 planned")
    wide = Cycles(days=150, tolerance=0.02, ordered=False)
    yield from pair("AMLSim: cycles in any order", wide.among(flows).to_pylist(), cycles, (0.9, 0.95))
    ordered = Cycles(days=150, tolerance=0.02).among(flows)
    yield Figure(
        "AMLSim: cycles in order of time", len(ordered), note="the sample plans its cycles in no order of time"
    )
    late = [s for s in fans if s.end > CUT]
    whole = [asked for asked in GRID if asked.days == 150]
    for what, grid in (("chosen by day 90", GRID), ("over the whole time, rest chosen by day 90", whole)):
        best = chosen(table, fans, grid)
        found = [row for row in best.among(flows).to_pylist() if row["end"].timestamp() * 1e6 > CUT]
        asked = ", ".join(f"{name}={value:g}" for name, value in asdict(best).items())
        yield from pair(f"AMLSim: fan-in {what} ({asked})", found, late, (0.85, 0.85))
    yield from halves(flows, fans)
    plain = [row for row in FanIn(days=150, surge=0.0).among(flows).to_pylist() if row["end"].timestamp() * 1e6 > CUT]
    yield from pair("AMLSim: fan-in of any five payers", plain, late, (None, None))
    loose = Cycles(days=150, tolerance=0.5, ordered=False)
    yield tied("AMLSim", [wide, best, FanIn(days=150, surge=0.0), loose], flows)


def halves(flows: Flows, fans: Sequence[Scheme]) -> Iterator[Figure]:
    """Fan-in chosen on the accounts with an even number and told on the others, beside a rule at fixed capacity.

    A scheme's payers come 37 days apart, so the longest lasts longer than the days before a cut: split by time, windows
    as long as that cannot be chosen. Schemes and alerts belong to the half of the account that is paid.
    """
    payee = dict(zip(flows.ids.to_pylist(), (flows.accounts[k] for k in flows.target.tolist()), strict=True))
    own = [[s for s in fans if int(payee[min(s.edges)]) % 2 == half] for half in (0, 1)]

    def told(asked: FanIn, half: int) -> Told:
        return [row for row in asked.among(flows).to_pylist() if int(row["subject"]) % 2 == half]

    def f1(asked: FanIn) -> float:
        precision, recall, _ = judged(told(asked, 0), own[0])
        return 2 * precision * recall / max(precision + recall, 1e-9)

    made = [
        FanIn(least=least, days=days, unusual=unusual, surge=0.0)
        for least, days, unusual in product((2, 3), LENGTHS, (2.0, 5.0, 10.0))
    ]
    best = max(made, key=f1)
    found = told(best, 1)
    asked = ", ".join(f"{name}={value:g}" for name, value in asdict(best).items())
    yield from pair(
        f"AMLSim: fan-in chosen on half the accounts, told on the rest ({asked})", found, own[1], (0.85, 0.85)
    )
    rule = sorted(told(FanIn(least=2, days=150, surge=0.0), 1), key=lambda row: (-len(row["parties"]), row["id"]))
    for count in CAPACITY:
        reached = {name: judged(rows[:count], own[1])[1] for name, rows in (("pattern", found), ("rule", rule))}
        note = f"{len(own[1])} schemes; the rule, most payers in 150 days first, {reached['rule']:.3f}"
        yield Figure(f"AMLSim: recall of fan-ins among the first {count} alerts", reached["pattern"], note=note)


def tied(what: str, patterns: Sequence[PaymentPattern], flows: Flows) -> Figure:
    """Share of the worst TOP findings whose score another one has."""
    scores = np.sort(np.concatenate([p.among(flows)["score"].to_numpy() for p in patterns]))[::-1][:TOP]
    _, counts = np.unique(scores, return_counts=True)
    share = float(counts[counts > 1].sum() / len(scores))
    return Figure(f"{what}: ties in the top {len(scores):,}", share, TIED, False)


def planted() -> Iterator[Figure]:
    """Precision and recall of every pattern with its defaults among 100,000 payments of background."""
    world = Planted()
    snapshot, flows, truth = world.snapshot(), Flows.of(world.table()), world.truth()
    of: Mapping[str, list[Scheme]] = {kind: [s for s in truth if s.kind == kind] for kind in {s.kind for s in truth}}
    for name in (*ALONE, "mule_ring"):
        pattern = build(Pattern, name, {})  # type: ignore[type-abstract]  # a role is asked for
        found = pattern.among(flows) if isinstance(pattern, PaymentPattern) else pattern.find(snapshot)
        yield from pair(f"planted: {name}", found.to_pylist(), of[name], (None, 0.7))
    groups = build(Pattern, "shared_identifiers", {}).find(snapshot)["edges"].to_pylist()  # type: ignore[type-abstract]
    rings = joined(world)
    whole = sum(any(ring <= set(group) for group in groups) for ring in rings)
    yield Figure(
        "planted: rings whose shared devices are found whole", whole / len(rings), 1.0, note=f"of {len(rings)}"
    )
    every: list[Any] = [build(Pattern, name, {}) for name in ALONE]  # type: ignore[type-abstract]
    yield tied("planted, all patterns", every, flows)


def joined(world: Planted) -> list[set[str]]:
    """Edges to the devices that two mules of a ring share, by ring."""
    uses = sorted(set(world.uses))
    users = Counter(device for _, device in uses)
    found: dict[str, set[str]] = {}
    for k, (_, device) in enumerate(uses):
        if device.startswith("device:mule_ring") and users[device] >= 2:
            found.setdefault(device.partition("-")[0], set()).add(f"u{k}")
    return list(found.values())


def speed() -> Iterator[Figure]:
    """CPU seconds for a million payments, and how they grow from a tenth of them."""
    small, large = (Flows.of(random_payments(size)) for size in (100_000, 1_000_000))
    for name in ALONE:
        params = {"threshold": 500} if name == "structuring" else {}
        pattern: Any = build(Pattern, name, params)  # type: ignore[type-abstract]
        few, many = (seconds(lambda flows=flows, pattern=pattern: pattern.among(flows)) for flows in (small, large))
        note = f"{many / few:.1f} times the time of a tenth"
        yield Figure(f"{name}, a million payments", many, 10.0, False, "CPU-seconds", note)
    for method in ("haircut", "fifo", "poison"):
        took = seconds(lambda method=method: taint(large, [0, 1, 2], method))
        yield Figure(f"taint by {method}, a million payments", took, 20.0, False, "CPU-seconds")


def latency() -> Iterator[Figure]:
    """Milliseconds until a batch of 100 payments is judged, with a million payments of a year behind it."""
    table = random_payments(1_003_000).sort_by("time")
    asked = {"cycles": {}, "fan_in": {"least": 3}, "fan_out": {"least": 3}, "structuring": {"threshold": 2_000}}
    patterns: list[Any] = [build(Pattern, name, params) for name, params in asked.items()]  # type: ignore[type-abstract]
    watch = Watch(patterns, table.slice(0, 1_000_000))
    took, new = [], 0
    for start in range(1_000_000, 1_002_000, 100):
        began = time.perf_counter()
        new += len(watch.take(table.slice(start, 100)))
        took.append((time.perf_counter() - began) * 1_000)
    note = f"{new} new findings in 20 batches"
    yield Figure("new findings of a batch of 100: median", float(np.median(took)), 1_000, False, "ms", note)
    yield Figure("new findings of a batch of 100: slowest", max(took), 2_000, False, "ms")
    before, last = watch.payments, table.slice(1_002_000, 1_000)
    told = set(watch.take(last)["id"].to_pylist())
    full = [
        {id for p in patterns for id in p.among(Flows.of(whole))["id"].to_pylist()}
        for whole in (before, watch.payments)
    ]
    note = f"{len(told)} new findings of a batch of 1,000"
    yield Figure(
        "new findings that a full run does not have, or has more", len(told ^ (full[1] - full[0])), 0, False, note=note
    )


def random_payments(size: int) -> pa.Table:
    """Payments of a year among a tenth as many accounts, at any second."""
    r = np.random.default_rng(0)
    ends = [pa.array([f"a{k}" for k in r.integers(0, size // 10, size)]) for _ in range(2)]
    times = ORIGIN + r.integers(0, 365 * 86_400, size) * 1_000_000
    return pa.table(
        {
            "id": [f"e{k}" for k in range(size)],
            "source": ends[0],
            "target": ends[1],
            "amount": np.round(r.lognormal(6, 1, size), 2) + 0.01,
            "time": pa.array(times, pa.timestamp("us", "UTC")),
        }
    )


def seconds(run: Any) -> float:
    began = time.process_time()
    run()
    return time.process_time() - began


def measure() -> list[Figure]:
    return [*sample(), *planted(), *speed(), *latency()]
