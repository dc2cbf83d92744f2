"""The Python API: a graph in a home folder, and everything that can be done with it.

with kgrisk.open("my-home") as graph:
    graph.ingest("my-files")
    graph.resolve()
    graph.train("2023-01-01")
    graph.query("hit_if_fails", id="lei:...").to_pandas()
    graph.risk("debtrank", shock="score:distress").table("Bank").to_polars()
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import pyarrow.compute as pc

from ingest.pipeline import Progress as FileProgress
from ingest.pipeline import run
from ingest.quality import Quality, quality
from ingest.repeats import collapse
from ingest.report import RunReport
from ingest.resolve import ResolveReport, forbid, resolve, undo
from kg.errors import KgRiskError
from kg.files import Files
from kg.ledger import Ledger
from kg.model import AsOf, as_time
from kg.snapshot import Snapshot
from kg.store import GraphStore, SyncReport, open_store
from kgrisk import published
from kgrisk.answering import Asking
from kgrisk.evidence import Explainer, Explanation
from kgrisk.extras import learning, need
from kgrisk.refresh import refresh
from kgrisk.result import Result
from kgrisk.risk import Question, Risk, assess
from kgrisk.risk import publish as publish_losses
from kgrisk.settings import Settings
from kgrisk.uncertain import ranged, telling
from queries.catalog import Catalog

if TYPE_CHECKING:
    from gnn.pipeline import TrainResult

Progress = Callable[[str], None]
Instant = AsOf | date | datetime | str | None
_log = logging.getLogger(__name__)


def open(home: str | Path, store: str | None = None, settings: Settings | None = None) -> Graph:
    """Open the graph in a home folder, or create it there.

    `store` is the URL of the graph store; without one it is the Neo4j of `NEO4J_URI` if that is set, else the embedded
    store below the home folder. KgRiskError says what cannot be opened and what to do.
    """
    settings = settings or Settings.load()
    if store:
        settings = settings.model_copy(update={"store": store})
    return Graph(Path(home), settings)


class Graph:
    """One graph: its ledger, its files and its store. A context manager; use `kgrisk.open()`."""

    def __init__(self, home: Path, settings: Settings) -> None:
        self.home = home
        self.settings = settings
        self.url = settings.url(home)
        self.ledger = Ledger.open(home / "ledger")
        self.files = Files(home / "files")
        self._store: GraphStore | None = None
        self._synced = -1
        self._catalog: Catalog | None = None

    def __enter__(self) -> Graph:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the store and the ledger."""
        if self._store is not None:
            self._store.close()
            self._store = None
        self.ledger.close()

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

    def train(
        self, cut: date | str | None = None, *, publish: bool = True, progress: Progress | None = None
    ) -> TrainResult:
        """Train on what was published by the cut, test on what came after, and publish scores, links and vectors."""
        room = learning()
        options = {"threads": self.settings.threads, "cache": self.home / "cache"}
        if self.settings.epochs:
            options["epochs"] = self.settings.epochs
        chosen = room.Settings(**options)
        moment = as_time(_day(cut)) if cut else self.default_cut()
        how = {"seed": self.settings.seed, "out": self.home / "runs", "progress": progress, "settings": chosen}
        result: TrainResult = room.train(self.ledger, self.files, moment, **how)
        if publish:
            room.publish(self.ledger, self.files, result)
        return result

    def default_cut(self) -> datetime:
        """The cut of the settings, else a year before a source last published: what came after tests the model."""
        if self.settings.cut:
            return as_time(self.settings.cut)
        cut = published.year_before_last(self.ledger.alive())
        if cut is None:
            raise KgRiskError(f"the ledger in {self.home} is empty; run `kgrisk ingest FOLDER` first")
        return cut

    def quality(self, at: Instant = None) -> Quality:
        """What is missing, doubtful, contradictory or out of date at an instant."""
        return quality(self.ledger, instant(at))

    @property
    def store(self) -> GraphStore:
        """The graph store with everything committed so far; it is brought up to date on first use after a commit."""
        self.sync()
        assert self._store is not None
        return self._store

    def sync(self) -> SyncReport | None:
        """Bring the store up to the ledger's head; None if it was there already."""
        if self._store is None:
            self._store = open_store(self.url, self.home)
        head = self.ledger.head
        if self._synced == head:
            return None
        report = self._store.sync(self.ledger)
        self._synced = head
        return report

    @property
    def catalog(self) -> Catalog:
        """The named queries."""
        if self._catalog is None:
            self._catalog = Catalog()
        return self._catalog

    def query(self, name: str, /, at: Instant = None, **params: Any) -> Result:
        """Rows of a named query. `at` is an AsOf, or the valid time of the question."""
        table = self.catalog.run(self.store, name, params, instant(at), limit=self.settings.row_limit)
        return Result(table, name)

    def cypher(self, text: str, /, at: Instant = None, **params: Any) -> Result:
        """Rows of a read-only Cypher text; it sees the three clocks as $valid, $known and $published."""
        limit, timeout = self.settings.row_limit, self.settings.timeout
        return Result(self.store.query(text, params, instant(at), limit=limit, timeout=timeout), "cypher")

    def snapshot(self, at: Instant = None) -> Snapshot:
        """The resolved graph at an instant, as Arrow tables; `.to_networkx()` makes a graph of it."""
        return self.ledger.view(instant(at))

    def predict_links(self, relation: str = "", at: Instant = None) -> Result:
        """Links the model expects and no source states at that instant, best first. Train first."""
        table = published.links(self.snapshot(at), relation)
        if not table.num_rows:
            wanted = f"{relation or 'link'} that no source states"
            raise KgRiskError(f"no predicted {wanted} in {self.home}; train first: `kgrisk train`")
        return Result(table, "predicted links")

    def scores(self, property: str = "distress", at: Instant = None) -> Result:
        """Latest score of every entity that has one, highest first."""
        table = published.scores(self.snapshot(at), property)
        if not table.num_rows:
            raise KgRiskError(f"no {property!r} score in {self.home}; train first: `kgrisk train`")
        return Result(table, property)

    def embeddings(self, at: Instant = None) -> Result:
        """The published vector of every entity: id, label, model, vector."""
        return Result(learning().vectors(self.snapshot(at), self.files), "embeddings")

    def nearest(self, id: str, k: int = 10, label: str = "", at: Instant = None) -> Result:
        """The k entities (of the same label, or of `label`) whose vectors are nearest to an entity's."""
        table = self.embeddings(at).table
        own = table.filter(pc.equal(table["id"], id))
        if not own.num_rows:
            raise KgRiskError(f"{id} has no vector in {self.home}; train first, or take an id from `kgrisk embeddings`")
        kind = label or own["label"][0].as_py()
        model = own["model"][0].as_py()
        found = self.store.nearest(kind, own["vector"][0].as_py(), k + 1, instant(at), model)
        found = found.filter(pc.not_equal(found["id"], id)).slice(0, k)
        return Result(published.named(self.snapshot(at), found), f"nearest to {id}")

    def index_texts(self) -> int:
        """Make and publish multilingual vectors of every text, for `search`; gives the commit."""
        return int(need("gnn.crosslingual", "learn").index(self.ledger, self.files, self.home / "cache"))

    def search(self, text: str, label: str = "Document", k: int = 10, at: Instant = None) -> Result:
        """The k documents (or firms, pages, events) nearest in meaning to a text, in whatever language either is."""
        room = need("gnn.crosslingual", "learn")
        found = self.store.nearest(label, room.question(text), k, instant(at), room.MODEL)
        if not found.num_rows:
            raise KgRiskError(f"no {label} in {self.home} has a multilingual vector; run `kgrisk index` first")
        return Result(published.named(self.snapshot(at), found), f"nearest to {text!r}")

    def ask(self, question: str, document: str = "", k: int = 3, at: Instant = None) -> Result:
        """Extracts that answer, of a document (a sha256) or of all evidence; no row where nothing answers."""
        return Asking(self.ledger, self.files, instant(at)).ask(question, document, k)

    def risk(
        self,
        measure: str | None = None,
        shock: Any = None,
        *,
        include_predicted: float | None = None,
        publish: bool = False,
        at: Instant = None,
        **more: Any,
    ) -> Risk:
        """Losses after a shock: an id that defaults, `id=0.3`, fractions by id, or `score:distress`.

        `include_predicted=0.8` adds predicted loans with at least that probability, at their expected value.
        `publish=True` puts the losses into the ledger as claims, so that queries find them. `more` is `kind` (what a
        fraction is of: equity, external or default), `types`, `currency` or `rates` of a `kgrisk.risk.Question`, or
        `draws`: the number of worlds over which each loss gets a range, as sure as the evidence of its exposures.
        """
        s = self.settings
        options: Mapping[str, Any] = {"currency": s.currency or None, "rates": s.rates or None, **more}
        asked = Question(measure or s.measure, shock or s.shock, include_predicted=include_predicted, **options)
        found = assess(self.snapshot(at), asked)
        found = ranged(self.ledger, found, asked.draws, s.seed) if asked.draws is not None else found
        if publish:
            publish_losses(self.ledger, self.files, found)
        return found

    def telling(self, risk: Risk, entity: str = "") -> Result:
        """Documents without which a loss (of an entity, or the total) would move most, with one quote of each."""
        return telling(self.ledger, risk, entity)

    def explain(self, what: Any, at: Instant = None) -> Explanation:
        """Evidence of an edge id, statement, claim or `property:entity id`, or of a row of a result that holds one."""
        return Explainer(self.ledger, self.files, instant(at)).explain(_named(what))

    def refresh(self, folder: str | Path | None = None, progress: Progress | None = None) -> Mapping[str, Any]:
        """Ingest, resolve, train, publish, assess risk and bring the store up to date, in one go and under a lock."""
        return refresh(self, Path(folder) if folder else self.settings.inputs, progress)


def instant(at: Instant) -> AsOf:
    """An AsOf of what the caller gave: itself, a valid time, or nothing."""
    if isinstance(at, AsOf):
        return at
    return AsOf(valid=as_time(_day(at))) if at else AsOf()


def _day(moment: date | datetime | str) -> date | datetime:
    if not isinstance(moment, str):
        return moment
    try:
        return datetime.fromisoformat(moment) if len(moment) > 10 else date.fromisoformat(moment)
    except ValueError as error:
        raise KgRiskError(f"{moment!r} is no date; write 2024-09-28 or 2024-09-28T12:00:00+00:00") from error


def _named(what: Any) -> str:
    """The id in whatever was given."""
    if isinstance(what, Mapping):
        for name in ("statement", "edge", "id", "claim"):
            if isinstance(what.get(name), str):
                return str(what[name])
        raise KgRiskError(f"a row without statement, edge, id or claim cannot be explained; it has {', '.join(what)}")
    return str(what)
