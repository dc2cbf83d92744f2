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
from pathlib import Path
from typing import Any

from ingest.pipeline import Progress as FileProgress
from ingest.pipeline import run
from ingest.quality import Quality, quality
from ingest.repeats import collapse
from ingest.report import RunReport
from ingest.resolve import ResolveReport, forbid, resolve, undo
from kg.errors import KgRiskError
from kgrisk.answering import Asking
from kgrisk.assessed import Assessed
from kgrisk.evidence import Explainer, Explanation
from kgrisk.explaining import Explaining
from kgrisk.learned import Learned
from kgrisk.opened import Instant, instant
from kgrisk.refresh import refresh
from kgrisk.result import Result
from kgrisk.settings import Settings
from kgrisk.why import story

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
        self, folder: str | Path, *, sources: Sequence[str] = (), progress: FileProgress | None = None
    ) -> RunReport:
        """Read every file below the folder that a source knows; one commit, or none if nothing is new."""
        chosen: dict[str, Any] = {"sources": list(sources)} if sources else {}
        chosen |= {"limits": self.settings.limits} if self.settings.limits else {}
        chosen |= {"progress": progress} if progress else {}
        return run(Path(folder), self.ledger, self.files, self.home, **chosen)

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

    def explain(self, what: Any, at: Instant = None) -> Explanation:
        """Evidence of an edge id, statement, claim or `property:entity id`, or of a row of a result that holds one."""
        return Explainer(self.ledger, self.files, instant(at)).explain(_named(what))

    def why(self, what: Any, at: Instant = None, *, saliency: bool = False) -> dict[str, Any]:
        """What made a model give a score (`distress:ENTITY`) or expect a link: shares that add up, edges, paths.

        Each part has document, locator and quote. With `saliency` also the spans of text, boxes of images, seconds and
        days that a score rests on. Empty of what no model said.
        """
        return story(self, self.explain(what, at), saliency)

    def refresh(self, folder: str | Path | None = None, progress: Progress | None = None) -> Mapping[str, Any]:
        """Ingest, resolve, train, publish, assess risk and bring the store up to date, in one go and under a lock."""
        return refresh(self, Path(folder) if folder else self.settings.inputs, progress)


def _named(what: Any) -> str:
    """The id in whatever was given."""
    if isinstance(what, Mapping):
        for name in ("statement", "edge", "id", "claim"):
            if isinstance(what.get(name), str):
                return str(what[name])
        raise KgRiskError(f"a row without statement, edge, id or claim cannot be explained; it has {', '.join(what)}")
    return str(what)
