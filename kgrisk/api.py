"""The Python API: a graph in a home folder, and everything that can be done with it.

with kgrisk.open("my-home") as graph:
    graph.ingest("my-files")
    graph.resolve()
    graph.train("2023-01-01")
    graph.query("hit_if_fails", id="lei:...").to_pandas()
    graph.risk("debtrank", shock="score:distress").table("Bank").to_polars()
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from ingest.pipeline import Progress as FileProgress
from ingest.pipeline import run
from ingest.quality import Quality, quality
from ingest.repeats import collapse
from ingest.report import RunReport
from ingest.resolve import ResolveReport, forbid, resolve, undo
from kg.errors import KgRiskError
from kg.executor import Executor
from kgrisk.answering import Asking
from kgrisk.assessed import Assessed
from kgrisk.brief import Brief, brief
from kgrisk.champion import listed
from kgrisk.evidence import Explainer, Explanation
from kgrisk.executors import working
from kgrisk.explaining import Explaining
from kgrisk.fairness import Fairness, fairness
from kgrisk.learned import Learned
from kgrisk.lineage import lineage
from kgrisk.monitor import monitors
from kgrisk.opened import Instant, instant
from kgrisk.promoting import promoted, rolled_back
from kgrisk.questions.answered import Answered
from kgrisk.questions.rewording import reword
from kgrisk.questions.router import answer
from kgrisk.refresh import refresh
from kgrisk.result import Result
from kgrisk.settings import Settings
from kgrisk.why import figures, story

Progress = Callable[[str], None]
__all__ = ["Graph", "Instant", "Progress", "instant", "open"]


def open(home: str | Path, store: str | None = None, settings: Settings | None = None) -> Graph:
    """Open the graph in a home folder, or create it there.

    `store` is the URL of the graph store; without one it is the Neo4j of `NEO4J_URI` if that is set, else the embedded
    store below the home folder. KgRiskError says what cannot be opened and what to do.
    """
    settings = settings or Settings.load()
    if store:
        settings = settings.model_copy(update={"store": store})
    return Graph(Path(home), settings)


class Graph(Learned, Assessed, Explaining):
    """One graph: its ledger, its files and its store. A context manager; use `kgrisk.open()`."""

    def ingest(
        self,
        folder: str | Path,
        *,
        sources: Sequence[str] = (),
        progress: FileProgress | None = None,
        executor: Executor | str | None = None,
    ) -> RunReport:
        """Read every file below the folder that a source knows; one commit, or none if nothing is new.

        `executor`, or else the setting, says where files are read; they give the same anywhere.
        """
        chosen: dict[str, Any] = {"sources": list(sources)} if sources else {}
        chosen |= {"limits": self.settings.limits} if self.settings.limits else {}
        chosen |= {"progress": progress} if progress else {}
        with working(executor, self.settings) as workers:
            return run(Path(folder), self.ledger, self.files, self.home, executor=workers, **chosen)

    def resolve(self) -> ResolveReport:
        """Judge which ids are one entity and which news repeat others; judgements are claims and can be retracted."""
        collapse(self.ledger, self.files)
        return resolve(self.ledger, self.files)

    def undo(self, a: str, b: str) -> int:
        """Take back the judgement that two ids are one entity, until a resolution judges it again; gives the commit."""
        return undo(self.ledger, self.files, a, b)

    def forbid(self, a: str, b: str) -> int:
        """Say that two ids are two entities, for good; gives the commit."""
        nodes = set(self.ledger.labels()["id"].to_pylist())
        if unknown := [id for id in (a, b) if id not in nodes]:
            raise KgRiskError(f"the ledger in {self.home} has no {' and no '.join(unknown)}; take ids from its rows")
        return forbid(self.ledger, self.files, a, b)

    def quality(self, at: Instant = None) -> Quality:
        """What is missing, doubtful, contradictory or out of date at an instant."""
        return quality(self.ledger, instant(at))

    def ask(self, question: str, document: str = "", k: int = 3, at: Instant = None) -> Result:
        """Extracts that answer, of a document (a sha256) or of all evidence; no row where nothing answers."""
        return Asking(self.ledger, self.files, instant(at)).ask(question, document, k)

    def answer(self, question: str, at: Instant = None) -> Answered:
        """A question in English, answered in sentences that cite statements; else `not in the graph`, and why."""
        return reword(answer(self, question, instant(at)), self.settings)

    def brief(self, id: str, at: Instant = None, since: datetime | None = None) -> Brief:
        """What the graph says of an entity, section by section, every sentence with the statements it rests on."""
        return brief(self, id, instant(at), since)

    def explain(self, what: Any, at: Instant = None) -> Explanation:
        """Evidence of an edge id, statement, claim or `property:entity id`, or of a row of a result that holds one."""
        return Explainer(self.ledger, self.files, instant(at)).explain(_named(what))

    def why(self, what: Any, at: Instant = None, *, saliency: bool = False) -> dict[str, Any]:
        """What made a model give a score (`distress:ENTITY`) or expect a link: shares that add up, edges, paths.

        Each part has document, locator and quote. With `saliency` also the spans of text, boxes of images, seconds and
        days that a score rests on. Empty of what no model said.
        """
        return story(self, self.explain(what, at), saliency)

    def moving(self, id: str, at: Instant = None) -> list[dict[str, Any]]:
        """The figures of an entity that raise or lower its score of distress: the part of `why` that briefs tell."""
        return figures(self, self.explain(f"distress:{id}", at))

    def refresh(
        self, folder: str | Path | None = None, progress: Progress | None = None, **how: Any
    ) -> Mapping[str, Any]:
        """Ingest, resolve, train, publish, assess risk and bring the store up to date, in one go and under a lock.

        `how` is what `kgrisk.refresh.refresh` takes: `sync=False`, `whole=True`, `check`, `executor`.
        """
        return refresh(self, Path(folder) if folder else self.settings.inputs, progress, **how)

    def lineage(self, what: str, at: Instant = None, *, draw: int = 200) -> dict[str, Any]:
        """What a number or a run rests on, step by step to its documents; `draw` claims are read back from them."""
        return lineage(self, what, instant(at), draw)

    def fairness(
        self,
        score: str = "distress",
        by: str = "country",
        at: Instant = None,
        *,
        limit: float | None = None,
        threshold: float | None = None,
    ) -> Fairness:
        """How the last run's score treats groups of entities, by what happened in the year after its cut."""
        return fairness(self.snapshot(at), score, by, limit=limit, threshold=threshold)

    def monitors(self) -> Result:
        """Drift, freshness, calibration and latency beside their limits, alerts first."""
        return monitors(self)

    def champions(self) -> Result:
        """Training runs: the champion, those in the shadow with their figures, and former champions."""
        return listed(self)

    def promote(self, run: str) -> Mapping[str, Any]:
        """Put a training run, by its first digits, in the champion's place."""
        return promoted(self, run)

    def rollback(self) -> Mapping[str, Any]:
        """Take the last promotion back: what was served before it is served again, to the bit."""
        return rolled_back(self)


def _named(what: Any) -> str:
    """The id in whatever was given."""
    if isinstance(what, Mapping):
        for name in ("statement", "edge", "id", "claim"):
            if isinstance(what.get(name), str):
                return str(what[name])
        raise KgRiskError(f"a row without statement, edge, id or claim cannot be explained; it has {', '.join(what)}")
    return str(what)
