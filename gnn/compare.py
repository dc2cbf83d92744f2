"""Comparison: the ways to read and to fuse modalities beside each other, on the new links of one graph.

f = g(h_1(x_1) ... h_n(x_n)): each g of `ways` with each choice of h in `encoders`, the same seeds, data, budget and
choice of epochs for all, beside structure alone. Which one to take is said by the window before the cut; the test is
shown beside it and chooses nothing. Intervals are over seeds (Student), so they hold the luck of a start, which an
interval over questions does not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from math import sqrt
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np
import pyarrow as pa
import torch
from scipy.stats import t as student

from gnn.choice import chosen
from gnn.evaluate import rank
from gnn.learned import STRUCTURE, Window, learn, windows
from gnn.model import exact
from gnn.peek import Certificate, Readable, certificate
from gnn.settings import Report, Settings
from gnn.views import Ledgerlike, Views, months
from kg.errors import ModelError
from kg.files import Files
from kg.model import as_time

COMPARED: Final = pa.schema(
    [
        ("fusion", pa.string()),
        ("encoders", pa.string()),
        ("seeds", pa.int64()),
        ("valid", pa.float64()),
        ("mrr", pa.float64()),
        ("low", pa.float64()),
        ("high", pa.float64()),
        ("gain", pa.float64()),
        ("gain_low", pa.float64()),
        ("gain_high", pa.float64()),
        ("chosen", pa.bool_()),
    ]
)
"""`valid` and `mrr` before and after the cut; `gain` of the latter over structure alone, paired by seed; `chosen` is
the way of the best `valid`."""


def compare(
    source: Ledgerlike,
    files: Files,
    cut: datetime,
    ways: Sequence[str],
    encoders: Sequence[Mapping[str, str]] = ({},),
    **how: Any,
) -> pa.Table:
    """The table, structure alone first. `how`: seeds (3), settings, report. ModelError for fewer than two seeds."""
    seeds, settings, report = how.get("seeds", 3), how.get("settings", Settings()), how.get("report", str)
    if seeds < 2:
        raise ModelError(f"{seeds} seed has no interval; compare with 2 or more")
    views, begin = Views(source, files, settings.cache), as_time(cut)
    start = months(begin, -settings.window)
    found: list[tuple[str, str, np.ndarray]] = []
    with exact(settings.threads):
        for names in encoders:
            own = replace(settings, encoders={**settings.encoders, **names})
            made = chosen(views.snapshot(start), files, start, own)
            both = windows(views, made, begin, own.window)
            if not len(both[0].later.triples) or not len(both[1].later.triples):
                raise ModelError("nothing new was published before or after the cut: there is nothing to compare by")
            if not found:
                found.append((STRUCTURE, "", _fits((both[0].bare(), both[1].bare()), own, seeds, report)))
            told = ", ".join(f"{modality}: {name}" for modality, name in sorted(names.items())) or "usual"
            found += [(way, told, _fits(both, replace(own, fusion=way), seeds, report)) for way in ways]
    return _table(found)


def attested(
    source: Readable,
    files: Files,
    cut: datetime,
    ways: Sequence[str],
    encoders: Sequence[Mapping[str, str]],
    settings: Settings,
) -> Certificate:
    """The no-peek certificate of every way with every choice of encoders, at a small scale: two epochs, the same code.

    ModelError if a score at the cut moved, for then the comparison cannot be used.
    """
    with TemporaryDirectory(prefix="vectors-") as folder:
        small = replace(settings, epochs=2, dim=8, cache=settings.cache or Path(folder), unfinished=None)
        score = partial(scored_at, cut=as_time(cut), ways=ways, encoders=encoders, settings=small)
        proof = certificate(score, source, files, cut, scale="small")
    if not proof.holds:
        raise ModelError(f"{proof.remark()} No comparison can be trusted: find what reads past the cut")
    return proof


def scored_at(
    source: Ledgerlike,
    files: Files,
    *,
    cut: datetime,
    ways: Sequence[str],
    encoders: Sequence[Mapping[str, str]],
    settings: Settings,
) -> dict[str, bytes]:
    """What each way says of the edges known at the cut, and by how much it is chosen, as bytes."""
    views, start = Views(source, files, settings.cache), months(cut, -settings.window)
    found: dict[str, bytes] = {}
    with exact(settings.threads):
        for number, names in enumerate(encoders):
            own = replace(settings, encoders={**settings.encoders, **names})
            both = windows(views, chosen(views.snapshot(start), files, start, own), cut, own.window)
            for way in ways:
                one, runs = learn(way, both, replace(own, fusion=way), 0, 0, lambda _: None)
                with torch.no_grad():
                    score = one.model.eval().score(one.graph, one.graph.edges)
                found[f"{way} {number}"] = score.numpy().tobytes() + repr(runs[way].value).encode()
    return found


def _fits(both: tuple[Window, Window], settings: Settings, seeds: int, report: Report) -> np.ndarray:
    """(seeds, 2) MRR before and after the cut."""
    rows = []
    for seed in range(seeds):
        one, runs = learn(settings.fusion, both, replace(settings, unfinished=None), seed, seed, lambda _: None)
        rows.append((runs[settings.fusion].value, rank(one.model, one.graph, both[1].later.triples).mrr))
        report(f"{settings.fusion}, seed {seed}: {rows[-1][0]:.4f} before the cut, {rows[-1][1]:.4f} after it")
    return np.array(rows)


def _table(found: Sequence[tuple[str, str, np.ndarray]]) -> pa.Table:
    best = max(range(len(found)), key=lambda place: float(found[place][2][:, 0].mean()))
    rows = []
    for place, (way, told, values) in enumerate(found):
        gap = values[:, 1] - found[0][2][:, 1]
        (low, high), (gap_low, gap_high) = interval(values[:, 1]), interval(gap)
        row = {"fusion": way, "encoders": told, "seeds": len(values), "chosen": place == best}
        row |= {"valid": values[:, 0].mean(), "mrr": values[:, 1].mean(), "low": low, "high": high}
        rows.append(row | {"gain": gap.mean(), "gain_low": gap_low, "gain_high": gap_high})
    return pa.Table.from_pylist(rows, schema=COMPARED)


def interval(values: np.ndarray) -> tuple[float, float]:
    """95 % of the mean of a few runs (Student)."""
    half = float(student.ppf(0.975, len(values) - 1) * values.std(ddof=1) / sqrt(len(values)))
    return float(values.mean()) - half, float(values.mean()) + half
