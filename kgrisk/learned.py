"""Learned: the part of a graph's API that trains, and gives scores, expected links and vectors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_type_hints

import pyarrow as pa
import pyarrow.compute as pc

from kg import plugins
from kg.errors import KgRiskError
from kg.executor import Executor
from kg.model import as_time
from kgrisk import meaning, published, together, vectors
from kgrisk.executors import working
from kgrisk.extras import learning, need
from kgrisk.opened import Instant, Opened, day, instant
from kgrisk.payments import Payments
from kgrisk.result import Result
from queries.field import read
from queries.parameter import suggestion

if TYPE_CHECKING:
    from gnn.pipeline import TrainResult

Progress = Callable[[str], None]


class Learned(Opened):
    """What a graph has learned."""

    def train(
        self,
        cut: date | str | None = None,
        *,
        publish: bool = True,
        progress: Progress | None = None,
        settings: Mapping[str, Any] | None = None,
        executor: Executor | str | None = None,
        processes: int | None = None,
    ) -> TrainResult:
        """Train on what was published by the cut, test on what came after, and publish scores, links and vectors.

        `settings` are those of `gnn.settings.Settings` by name, such as `{"model": "complex"}` (`kgrisk.models()` lists
        those) or `{"fusion": "late"}`. Unless they say otherwise the run has a no-peek certificate at a small scale.
        `executor`, or else the setting, says where texts, images and sound are encoded, and on which Ray cluster
        `processes`, or else the setting, train where they are more than one; else they are of this machine. Each does
        a part of each batch; what they publish differs from one's in the order of sums alone.
        """
        room = learning()
        chosen = self._chosen(room, settings or {})
        moment = self._cut(cut)
        how = {"seed": self.settings.seed, "out": self.home / "runs", "progress": progress, "settings": chosen}
        result: TrainResult = together.trained(self, processes, moment, how, executor)
        if publish:
            room.publish(self.ledger, self.files, result)
        return result

    def compare_fusions(
        self,
        cut: date | str | None = None,
        ways: Sequence[str] | None = None,
        encoders: Sequence[Mapping[str, str]] = ({},),
        *,
        seeds: int = 3,
        progress: Progress | None = None,
    ) -> Result:
        """Ways to fuse modalities, and encoders by modality, beside structure alone: MRR of new links over seeds."""
        room, names = learning(), plugins.names("gnn.fusions")
        if unknown := [way for way in ways or () if way not in names]:
            raise KgRiskError(f"there is no way to fuse called {unknown[0]!r}; known: {', '.join(names)}")
        moment = self._cut(cut)
        how = {"seeds": seeds, "settings": self._chosen(room, {}), **({"report": progress} if progress else {})}
        own, asked = need("gnn.compare", "learn"), (self.ledger, self.files, moment, ways or names, encoders)
        proof, found = own.attested(*asked, how["settings"]), own.compare(*asked, **how)
        told = found.append_column("certificate", pa.array([proof.remark()] * len(found), pa.string()))
        return Result(told, f"new links after {moment:%Y-%m-%d}", (proof.remark(),))

    def _cut(self, cut: date | str | None) -> datetime:
        """The cut that was asked for or is the usual one; KgRiskError if nothing came after it."""
        return published.testable(self.ledger.alive(), as_time(day(cut)) if cut else self.default_cut())

    def _chosen(self, room: Any, settings: Mapping[str, Any]) -> Any:
        """Settings of a training run, as values or as text; KgRiskError for a name that there is none of."""
        options: dict[str, Any] = {"threads": self.settings.threads, "cache": self.home / "cache", "certify": "small"}
        if self.settings.clip:
            options["clip"] = self.settings.clip
        if self.settings.epochs:
            options["epochs"] = self.settings.epochs
        known = [field.name for field in fields(room.Settings)]
        if unknown := [name for name in settings if name not in known]:
            near = suggestion(unknown[0], known)
            raise KgRiskError(f"training has no setting {unknown[0]!r}; known: {', '.join(known)}{near}")
        hints = get_type_hints(room.Settings)
        values = {name: read(f"{name} of training", hints[name], value) for name, value in settings.items()}
        return room.Settings(**{**options, **values})

    def runs(self) -> Result:
        """Training runs, the last one first: configuration, data and code version, figures, seconds, peak memory."""
        return Result(self._runs().table(), "runs")

    def run(self, id: str) -> Any:
        """A `gnn.runs.Run` by the first digits of its id: config, metrics, stages, losses, and its card."""
        return self._runs().get(id)

    def compare_runs(self, a: str, b: str) -> Result:
        """What two runs were asked differently, and what both found and took."""
        return Result(self._runs().compare(a, b), f"{a} and {b}")

    def export_run(self, id: str, tool: str, folder: str | Path) -> Path:
        """Hand a run to `tensorboard`, `wandb` or `mlflow`, as files below a folder; gives where they are."""
        found: Path = need("gnn.exports", "learn").export(self.run(id), tool, Path(folder))
        return found

    def _runs(self) -> Any:
        return need("gnn.runs", "learn").RunStore(self.home / "runs")

    def default_cut(self) -> datetime:
        """The cut of the settings, else a year before a source last published: what came after tests the model."""
        if self.settings.cut:
            return as_time(self.settings.cut)
        cut = published.year_before_last(self.ledger.alive())
        if cut is None:
            raise KgRiskError(f"the ledger in {self.home} is empty; run `kgrisk ingest FOLDER` first")
        return cut

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

    @property
    def payments(self) -> Payments:
        """Which payments may launder money: `.train(cut)` a detector, `.score(since, at)` with it."""
        return Payments(self)

    def embeddings(self, at: Instant = None) -> Result:
        """The published vector of every entity with its run, model version and the commits it is of."""
        return Result(learning().traced(self.ledger, self.snapshot(at), self.files), "embeddings")

    def embeddings_on(self, date_: date | str, run: str = "") -> Result:
        """Vectors of a former run's model on a later day, the last run unless told: only what changes can reach is
        computed anew, and entities the model never met have one too. Nothing is published."""
        room, runs = need("gnn.moved", "learn"), self._runs()
        folder = runs.get(run).folder if run else runs.latest(*plugins.names("gnn.models"))
        if folder is None:
            raise KgRiskError(f"no model was trained in {self.home}; train first: `kgrisk train`")
        made = room.moved(folder, self.ledger, self.files, as_time(day(date_)), self.home / "cache", self.settings.clip)
        own = made.embeddings
        rows = {"id": own.ids, "label": own.labels, "vector": own.vectors.tolist()}
        remark = f"{made.new} entities are new to the model; rows computed per layer: {made.recomputed}."
        return Result(pa.table(rows), f"vectors of run {made.run[:12]} on {made.cut:%Y-%m-%d}", (remark,))

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

    def learn_space(self, cut: date | str | None = None) -> Result:
        """Learn a space that texts, pages, sound and figures share, from what was published by the cut.

        It is kept as a run; the rows tell how often held-back pairs were found by it, and by guessing.
        """
        room = need("gnn.shared_space", "learn")
        moment = as_time(day(cut)) if cut else None
        folder, rows = room.trained(self.ledger, self.files, self.home / "runs", self.home / "cache", moment)
        return Result(pa.Table.from_pylist(rows), f"shared space, run {folder.name[:12]}")

    def index_texts(
        self,
        shared: bool = True,
        executor: Executor | str | None = None,
        progress: Callable[[str, int, int], None] | None = None,
    ) -> int:
        """Make and publish multilingual vectors of every text, for `search`; gives the commit.

        Where a space was learned (`learn_space`), pages, recordings and figures come in by it, unless `shared` is off.
        `executor`, or else the setting, says where they are read; vectors have the same bits anywhere. `progress` is
        called with what is read, shards done and all.
        """
        space = meaning.space_of(self) if shared else None
        with working(executor, self.settings) as workers:
            return vectors.index(self, space, workers, progress)

    def find(
        self,
        what: str | bytes,
        *,
        by: str = "text",
        part: str = "",
        modalities: Sequence[str] = (),
        labels: Sequence[str] = (),
        k: int = 10,
        at: Instant = None,
    ) -> Result:
        """The k texts, pages, stretches of recordings and figures nearest to a question, each with its evidence.

        The question is words, or `by` image or audio a file, the sha256 of one of the graph, or bytes; `part` names
        seconds of a recording. Each row has document, locator and quote, and the probability that both belong together
        where the space was calibrated on such pairs.
        """
        return meaning.find(self, what, by, part, (modalities, labels), k, at)

    def search(self, text: str, label: str = "Document", k: int = 10, at: Instant = None) -> Result:
        """The k documents (or firms, pages, events) nearest in meaning to a text, in whatever language either is."""
        room = need("gnn.crosslingual", "learn")
        found = self.store.nearest(label, room.question(text), k, instant(at), room.MODEL)
        if not found.num_rows:
            raise KgRiskError(f"no {label} in {self.home} has a multilingual vector; run `kgrisk index` first")
        return Result(published.named(self.snapshot(at), found), f"nearest to {text!r}")
