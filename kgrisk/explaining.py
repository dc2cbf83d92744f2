"""Explaining: whether what explains a run is faithful, what its attention went to, and what it says in simple words."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from kg.errors import KgRiskError
from kgrisk.extras import need
from kgrisk.opened import Opened
from kgrisk.why import run_of

if TYPE_CHECKING:
    from gnn.explaining.faithful import Faithfulness
    from gnn.explaining.of_run import Told
    from gnn.explaining.regarded import Regarded
    from gnn.explaining.surrogate import Surrogate


class Explaining(Opened):
    """What a graph's training runs rest on."""

    def faithfulness(self, of: str = "firms", parts: str = "edges", *, run: str = "", count: int = 12) -> Faithfulness:
        """Deletion and insertion curves of what explains a run, beside random orders; `verdict()` says it in words.

        `of` firms or links, by `edges`, `modalities`, or (firms) `figures`; over `count` of them, of a run, else of the
        one published last.
        """
        room: Any = need("gnn.explaining.tested", "learn")
        found: Faithfulness = room.faithful(self._told(run), of, parts, count)
        return found

    def attention(self, of: str = "links", *, run: str = "", count: int = 12) -> Regarded:
        """What a run's attention went to, how far that agrees with what counts, and whether its order is faithful."""
        if of not in ("firms", "links"):
            raise KgRiskError(f"attention is of firms or links, not of {of!r}")
        found: Regarded = need("gnn.explaining.regarded", "learn").regarded(self._told(run), of, count)
        return found

    def surrogate(self, kind: str = "tree", depth: int = 3, *, run: str = "") -> Surrogate:
        """A small tree or regression that says what a run's scores say, with its fidelity on firms held out."""
        found: Surrogate = need("gnn.explaining.tested", "learn").stand_in(self._told(run), kind, depth)
        return found

    def _told(self, run: str) -> Told:
        """A run by its first digits, else the model of the graph that ended last. KgRiskError if there is none."""
        store = need("gnn.runs", "learn").RunStore(self.home / "runs")
        if run:
            return run_of(self, store.get(run).folder)
        for id in store.ids():
            folder: Path = store.folder / id
            if (folder / "checkpoint.json").exists() and store.get(id).details.get("model") not in OTHERS:
                return run_of(self, folder)
        raise KgRiskError(f"no model of this graph was trained in {self.home}; train first: `kgrisk train`")


OTHERS = ("payments", "space")
"""Runs that hold no model of links and distress."""
