"""Daily prices of 88 tickers (stocknet): rows accounted for, seconds, and correlations beside those of scipy."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

import numpy as np

from benchmarks.figure import Figure, real_data
from ingest.extract.market.correlation import METHODS, matrix, p_values
from ingest.extract.market.series_together import read_together
from ingest.locate import locate
from ingest.source import Models
from ingest.sources.market import Market

WINDOW = 250


def measure() -> list[Figure]:
    cpu = time.process_time()
    source, names, rules = Market(real_data() / "stocknet"), Counter[str](), Counter[str]()
    lines = refused = misquoted = checked = 0
    table = b""
    for record in source.records():
        extract = source.claims(record, Models())
        counts = extract.claims.table["name"].value_counts().to_pylist()
        names.update({row["values"]: row["counts"] for row in counts})
        rules.update(extract.rules)
        refused += len(extract.refused)
        if record.path.startswith("#"):
            table = record.content
        else:
            lines += len(record.content.splitlines()) - 1
        spent = time.process_time()
        for row in extract.claims.table.select(["locator", "quote"]).to_pylist()[:: 200 if table else 50]:
            checked += 1
            misquoted += locate(record.content, row["locator"], "market") != row["quote"]
        cpu += time.process_time() - spent
    cpu = time.process_time() - cpu
    kept = ", ".join(f"{name} {count:,}" for name, count in sorted(names.items()))
    cleaned = ", ".join(f"{rule} {times}" for rule, times in sorted(rules.items()))
    return [
        Figure("rows of 88 files without a close or a refusal", lines - names["close"] - refused, 0, False, "", kept),
        Figure("rows refused", refused, None, False, "", cleaned),
        Figure("claims of all files, features and correlations", cpu, None, False, "s CPU"),
        Figure("quotes that do not read back", misquoted, 0, False, f"of {checked}"),
        *correlations(table),
    ]


def correlations(content: bytes) -> list[Figure]:
    """Largest difference from scipy over the pairs of the last window, and how much faster."""
    from scipy import stats

    table = read_together(content)
    returns = table.returns(len(table.days), WINDOW)
    returns = returns[:, np.isfinite(returns).all(axis=0)][:, :40]
    figures = []
    for method in METHODS:
        began = time.process_time()
        r = matrix(returns, method)
        p = p_values(r, WINDOW)
        own, began = time.process_time() - began, time.process_time()
        test: Any = stats.pearsonr if method == "pearson" else stats.spearmanr
        worst = 0.0
        for i, j in zip(*np.triu_indices(returns.shape[1], 1), strict=True):
            wanted = test(returns[:, i], returns[:, j])
            off = (abs(r[i, j] - wanted.statistic), abs(p[i, j] - wanted.pvalue))
            worst = max(worst, *map(float, off))
        note = f"{(time.process_time() - began) / max(own, 1e-9):.0f} times as fast"
        figures.append(Figure(f"{method} r and p less scipy's, largest of 780 pairs", worst, 1e-9, False, "", note))
    return figures
