"""Payments: which of a graph's payments may launder money, by a detector trained on it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa

from kg.errors import KgRiskError
from kg.model import as_time
from kgrisk.extras import need
from kgrisk.opened import Instant, Opened, day, instant
from kgrisk.result import Result


@dataclass(frozen=True)
class Payments:
    """The payments of a graph, and detectors for them; `Graph.payments`."""

    graph: Opened

    def train(
        self, cut: date | str, labels: str | Path | pa.Table | None = None, currency: str = "", **settings: Any
    ) -> Any:
        """Train on what was published by the cut, test on what came after: a `gnn.payments.run.Trained`.

        `labels` (a table, a CSV or a Parquet file with the columns payment and truth) says which payments launder, else
        the flags of accounts do. `settings` are those of `gnn.payments.Settings`.
        """
        room = need("gnn.payments.run", "learn")
        chosen = room.Settings(**settings)
        moment, out = as_time(day(cut)), self.graph.home / "runs"
        return room.trained(self.graph.ledger, moment, out, self._asked(currency, labels), chosen, self.graph.files)

    def score(
        self,
        since: date | str | None = None,
        at: Instant = None,
        *,
        run: str = "",
        least: float | None = None,
        publish: bool = False,
        currency: str = "",
    ) -> Result:
        """Probability of every payment from a day on (the cut of the detector) as stated at an instant, highest first.

        By the detector of a run, else of the latest. With `publish`, those at or above the probability `least` (by
        default, those the detector alerts on) become claims with the rows of trades behind them.
        """
        room = need("gnn.payments.run", "learn")
        start = as_time(day(since)) if since else None
        folder = room.latest(self.graph.home / "runs", run)
        found = room.scored(self.graph.ledger, folder, instant(at), start, least, self._asked(currency))
        told = [f"{len(found.suspicions)} of {len(found.scored)} payments are suspicious"]
        if publish:
            claims = need("gnn.payments.publish", "learn")
            commit = claims.publish(self.graph.ledger, self.graph.files, found.run, found.suspicions, found.scored)
            told.append(f"published in commit {commit} as run {found.run.id[:12]}")
        return Result(found.table, "payments by how likely they launder money", tuple(told))

    def _asked(self, currency: str, labels: str | Path | pa.Table | None = None) -> Any:
        own, table = self.graph.settings, read_labels(labels) if isinstance(labels, str | Path) else labels
        return need("gnn.payments.run", "learn").Asked(currency or own.currency, own.rates, table)


def read_labels(path: str | Path) -> pa.Table:
    """A table of labels from a CSV or Parquet file. KgRiskError if it cannot be read."""
    from pyarrow import csv, parquet

    try:
        return parquet.read_table(path) if str(path).endswith(".parquet") else csv.read_csv(path)
    except (OSError, pa.ArrowException) as error:
        raise KgRiskError(
            f"{path} is no CSV or Parquet file of labels ({error}); give columns payment, truth"
        ) from error
