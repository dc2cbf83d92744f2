"""What a perfect distress model could reach on the sample: `python -m kgrisk.sample.ceiling` prints it by year."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kgrisk.sample.world import HERE

DATA = HERE / "data"


def average_precision(scores: list[float], labels: list[int]) -> float:
    """Area under the precision-recall curve as a step function: the mean precision at each hit."""
    order = sorted(range(len(scores)), key=lambda i: -scores[i])
    hits, total = 0, 0.0
    for place, i in enumerate(order, 1):
        if labels[i]:
            hits += 1
            total += hits / place
    return total / hits if hits else float("nan")


def brier(scores: list[float], labels: list[int]) -> float:
    return sum((p - y) ** 2 for p, y in zip(scores, labels, strict=True)) / len(labels)


def outcomes(truth: dict[str, Any], year: int, among: Sequence[str] = ()) -> tuple[list[str], list[float], list[int]]:
    """Firms at risk in a year, or those named, their true probability, and whether it came to pass.

    A firm without a planted probability was never drawn for, so its true probability is 0.
    """
    table: dict[str, float] = truth["hazard"][str(year)]
    hit = {d["entity_id"] for d in truth["distress"] if d["date"].startswith(str(year))}
    ids = list(among or table)
    return ids, [table.get(id, 0.0) for id in ids], [int(id in hit) for id in ids]


def gearing(folder: Path, before: str) -> dict[str, float]:
    """Liabilities by assets in the last balance sheet that was published before a day: what facts alone say."""
    latest: dict[str, tuple[str, float]] = {}
    with (folder / "registers" / "balances.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["published"] < before:
                known = latest.get(row["entity_id"], ("", 0.0))
                latest[row["entity_id"]] = max(
                    known, (row["period_end"], float(row["liabilities"]) / float(row["assets"]))
                )
    return {id: ratio for id, (_, ratio) in latest.items()}


def ceiling(folder: Path = DATA, year: int = 2023, among: Sequence[str] = ()) -> dict[str, float]:
    """Base rate, AUPRC and Brier of the true probabilities, and AUPRC of leverage alone; on the firms named, if any."""
    truth = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    ids, chances, labels = outcomes(truth, year, among)
    ratios = gearing(folder, f"{year}-01-01")
    banks = {id for id, about in truth["entities"].items() if about["label"] == "Bank"}  # geared by trade
    base = sum(labels) / len(labels)
    return {
        "firms": len(ids),
        "events": sum(labels),
        "base_rate": base,
        "auprc": average_precision(chances, labels),
        "auprc_leverage": average_precision([0.0 if id in banks else ratios.get(id, 0.6) for id in ids], labels),
        "brier": brier(chances, labels),
        "brier_base": brier([base] * len(labels), labels),
    }


if __name__ == "__main__":
    for year in range(2020, 2024):
        found = ceiling(year=year)
        sys.stdout.write(
            f"{year}: "
            + ", ".join(f"{k} {v:.3f}" if isinstance(v, float) else f"{k} {v}" for k, v in found.items())
            + "\n"
        )
