"""A signal planted in each of five modalities in turn: is it found, and is it said where it came from?

Firms are those of tests/planted_five.py. The way to fuse is chosen among WAYS by the later cohort that chooses the
epochs; beside it stand heads that see one modality alone, with the same budget. Attention is read off fusion by
attention. With `real content` text and table are sentences and accounts read by the encoders that ship. Of each thing
that can be said there are four wordings: two are learned from, one is all that the later cohort that chooses hears, and
one all that the test does, another for each seed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

import numpy as np

from benchmarks.figure import Figure
from benchmarks.learning.fusion import SEEDS, cohorts, fitted
from benchmarks.learning.modalities import interval
from gnn.evaluate import auroc
from gnn.head import Cohort
from gnn.missing import shown
from tests.planted_five import MISSING, WIDTHS, planted, real
from tests.planted_sentences import turns

WAYS: Final = ("attention", "early", "late")
HIDDEN: Final = (0.0, 0.25, 0.5, 0.75, 1.0)
"""Share of test firms that lack the carrier."""
Draw = Callable[[str, int], Sequence[Cohort]]


def measure() -> list[Figure]:
    return [
        *(figure for carrier in WIDTHS for figure in compared(carrier, cohorts, "")),
        *(figure for carrier in ("table", "text") for figure in compared(carrier, contents, ", real content")),
        *(figure for carrier in ("text",) for figure in curve(carrier)),
        *sums(),
    ]


def contents(carrier: str, seed: int) -> list[Cohort]:
    """As `cohorts`, with text and table as content, in wordings of their own for what is learned, chooses and tests."""
    learn, choose, asked = turns(seed)
    parts = ((600, learn), (600, learn), (600, choose), (2000, asked))
    return [real(carrier, count, 100 * seed + part, wordings) for part, (count, wordings) in enumerate(parts)]


def areas(carrier: str, draw: Draw, seed: int) -> tuple[dict[str, float], np.ndarray]:
    """AUROC of the fused head and of each modality alone, and the shares of the modalities in the fused one."""
    *train, now = draw(carrier, seed)
    heads = {way: fitted(train, seed, way) for way in WAYS}
    chosen = max(heads.values(), key=lambda head: head.value)
    found = {name: auroc(now.truth, head.predict(now)) for name, head in [("fused", chosen), *heads.items()]}
    for name in WIDTHS:
        alone = frozenset([name])
        single = fitted([shown(own, alone) for own in train], seed)
        found[name] = auroc(now.truth, single.predict(shown(now, alone)))
    return found, heads["attention"].shares(now).mean(0)


def compared(carrier: str, draw: Draw, what: str) -> Iterator[Figure]:
    """Fused beside the best single modality and beside text, and where the attention goes."""
    runs = [areas(carrier, draw, seed) for seed in range(SEEDS)]
    values = {name: np.array([found[name] for found, _ in runs]) for name in ("fused", "attention", *WIDTHS)}
    best = max(WIDTHS, key=lambda name: values[name].mean())
    low, high = interval(values["fused"])
    note = f"95 % interval {low:.3f} to {high:.3f} over {SEEDS} seeds; by attention {values['attention'].mean():.3f}"
    yield Figure(f"{carrier} carries the label{what}: AUROC fused", float(values["fused"].mean()), note=note)
    for other in dict.fromkeys((best, "text")):
        below, above = interval(values[other])
        note = f"{other} alone {values[other].mean():.3f}, interval {below:.3f} to {above:.3f}"
        yield Figure(f"{carrier}{what}: low end of fused less high end of {other} alone", low - above, 0.0, note=note)
        note = f"mean {(values['fused'] - values[other]).mean():+.3f}"
        gain = interval(values["fused"] - values[other])[0]
        yield Figure(
            f"{carrier}{what}: low end of what fusion gains over {other}, paired by seed", gain, 0.0, note=note
        )
    mass = np.stack([shares for _, shares in runs])
    rivals = np.delete(mass, list(WIDTHS).index(carrier), axis=1).max(1)
    leads = mass[:, list(WIDTHS).index(carrier)] - rivals
    lead = float(leads.mean())
    note = f"least of the seeds {leads.min():+.3f}; " + ", ".join(
        f"{name} {share:.2f}" for name, share in zip(WIDTHS, mass.mean(0), strict=True)
    )
    yield Figure(f"{carrier}{what}: mean lead of its attention over the next modality's", lead, 0.0, note=note)


def curve(carrier: str) -> Iterator[Figure]:
    """What is left when more and more firms lack the carrier in the test, by a head trained with the usual gaps."""
    found = np.zeros((SEEDS, len(HIDDEN)))
    for seed in range(SEEDS):
        *train, _ = cohorts(carrier, seed)
        head = fitted(train, seed)
        for place, share in enumerate(HIDDEN):
            gaps = dict.fromkeys(WIDTHS, MISSING) | {carrier: share}
            now = planted(carrier, 3000, 100 * seed + 50, gaps)
            found[seed, place] = auroc(now.truth, head.predict(now))
    for place, share in enumerate(HIDDEN):
        low, high = interval(found[:, place])
        note = f"95 % interval {low:.3f} to {high:.3f}"
        yield Figure(
            f"AUROC with {carrier}, the carrier, missing for {share:.0%}", float(found[:, place].mean()), note=note
        )


def sums() -> Iterator[Figure]:
    """Whether base and parts of the modalities give the log odds, by each way in which they should."""
    *train, now = cohorts("series", 0, 300)
    for way in ("attention", "concatenation", "early", "gating", "late", "weighted"):
        head = fitted(train, 0, way)
        told, p = head.explain(now), head.predict(now)
        gap = float(np.abs(told.base + told.parts.sum(1) - np.log(p / (1 - p))).max())
        yield Figure(f"largest gap between the sum of parts and the log odds, {way}", gap, 1e-4, least=False)
