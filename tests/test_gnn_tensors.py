"""Tensors at a cut hold what was published by then, and nothing of what came later."""

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
import torch

from gnn.encoder import Encoder, VectorCache
from gnn.encoders.image import Image
from gnn.encoders.table import NAMES, Table
from gnn.head import Cohort, cohort, distress_dates, fallen
from gnn.risk import starting
from gnn.settings import Settings
from gnn.tensors import GraphTensors, fitted_table, microseconds
from gnn.views import Views, months
from gnn.vocabulary import LABELS, RELATIONS
from kg.errors import ModelError
from kg.files import Files
from kg.model import TIME, AsOf
from kg.snapshot import Snapshot
from tests.gnn_world import CUT, World, build


class Letters(Encoder):
    """Counts of letters: a real encoder of text that needs no weights."""

    modality = "text"
    dim = 26

    @property
    def fingerprint(self) -> str:
        return "letters"

    def encode(self, values: object) -> torch.Tensor:
        counts = [[float(text.lower().count(chr(97 + n))) for n in range(26)] for text in values]  # type: ignore[attr-defined]
        return torch.tensor(counts)


class Sizes(Letters):
    """Length of the bytes of an image."""

    modality = "image"
    dim = 1

    def encode(self, values: object) -> torch.Tensor:
        return torch.tensor([[float(len(data))] for data in values])  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return build(tmp_path_factory.mktemp("world"), firms=24)


@pytest.fixture(scope="module")
def everything(world: World) -> Snapshot:
    """All that is known today, with no bound on publication."""
    return world.ledger.view(AsOf())


def encoders(snapshot: Snapshot, cut: datetime) -> list[Encoder]:
    return [Letters(), Sizes(), fitted_table(snapshot, cut - timedelta(days=365))]


def tensors(snapshot: Snapshot, files: Files, cut: datetime = CUT) -> GraphTensors:
    return GraphTensors.from_snapshot(snapshot, files, encoders(snapshot, cut), cut)


def scrambled(table: pa.Table, cut: datetime, seed: int) -> pa.Table:
    """The table with every value, end, type and key of the rows published after the cut dealt out anew."""
    draw = np.random.default_rng(seed)
    late = np.flatnonzero([when > cut for when in table["published"].to_pylist()])
    for name in table.column_names:
        if name == "published":
            continue
        column = table[name].to_pylist()
        order = draw.permutation(late)
        new = list(column)
        for row, other in zip(late, order, strict=True):
            new[row] = column[other]
        if name == "value_text":
            for row in late:
                new[row] = f"after {draw.integers(1_000_000)}"
        table = table.set_column(
            table.column_names.index(name), table.schema.field(name), pa.array(new, table[name].type)
        )
    return table


def same(a: GraphTensors, b: GraphTensors) -> bool:
    """Equal in every bit."""
    pairs = [(a.labels, b.labels), (a.edges, b.edges), (a.first, b.first), (a.last, b.last), (a.counts, b.counts)]
    pairs += [(a.features[n].rows, b.features[n].rows) for n in a.features]
    pairs += [(a.features[n].values, b.features[n].values) for n in a.features]
    return a.ids == b.ids and set(a.features) == set(b.features) and all(torch.equal(x, y) for x, y in pairs)


@pytest.mark.parametrize("cut", [CUT, datetime(2021, 3, 1, tzinfo=CUT.tzinfo)])
@pytest.mark.parametrize("seed", range(3))
def test_nothing_published_after_the_cut_changes_a_bit(
    everything: Snapshot, world: World, cut: datetime, seed: int
) -> None:
    changed = replace(
        everything, edges=scrambled(everything.edges, cut, seed), facts=scrambled(everything.facts, cut, seed)
    )
    assert changed.facts != everything.facts and changed.edges != everything.edges
    before, after = tensors(everything, world.files, cut), tensors(changed, world.files, cut)
    assert len(before) > 20 and len(before.edges) > 20 and all(len(f.rows) for f in before.features.values())
    assert same(before, after)


def test_a_leak_would_be_caught(everything: Snapshot, world: World) -> None:
    """The mutation test above can fail: a later cut does see the scrambled rows."""
    changed = replace(everything, edges=scrambled(everything.edges, CUT, 0), facts=scrambled(everything.facts, CUT, 0))
    late = CUT + timedelta(days=400)
    assert not same(tensors(everything, world.files, late), tensors(changed, world.files, late))


def reader(everything: Snapshot) -> Callable[[AsOf], Snapshot]:
    """As-of views of tables in which each thing is stated once: the rows published and begun by then."""

    def view(at: AsOf) -> Snapshot:
        tables = []
        for table in (everything.edges, everything.facts):
            for clock, bound in (("published", at.published), ("valid_from", at.valid)):
                if bound is not None:
                    table = table.filter(pc.less_equal(table[clock], pa.scalar(bound, TIME)))
            tables.append(table)
        return replace(everything, edges=tables[0], facts=tables[1])

    return view


def backdated(table: pa.Table, cut: datetime) -> pa.Table:
    """The table with all that was published after the cut said to have begun 400 days earlier."""
    begun = [
        when - timedelta(days=400) if late > cut else when
        for when, late in zip(table["valid_from"].to_pylist(), table["published"].to_pylist(), strict=True)
    ]
    return table.set_column(table.column_names.index("valid_from"), "valid_from", pa.array(begun, TIME))


def altered(everything: Snapshot, cut: datetime, seed: int) -> Snapshot:
    """What was published after the cut, said to have begun before it; and the same rows once more, scrambled."""
    tables = []
    for table in (everything.edges, everything.facts):
        mixed = scrambled(table, cut, seed).filter(pc.greater(table["published"], pa.scalar(cut, TIME)))
        tables.append(backdated(pa.concat_tables([table, mixed]), cut))
    return replace(everything, edges=tables[0], facts=tables[1])


def at_risk(everything: Snapshot, world: World, start: datetime, peek: bool = False) -> Cohort:
    """The cohort at a start; with `peek` as if the dates of today had been known at it."""
    views = Views(reader(everything), world.files, None)
    today = distress_dates(views.snapshot(None))
    own = starting(views, encoders(everything, start), start, Settings(), today)
    return cohort(own.graph, today, fallen(today, {}, start, start)) if peek else own


def alike(a: Cohort, b: Cohort) -> bool:
    """Equal in every bit of what a head may read: graph, features, who is at risk, who is stricken."""
    return same(a.graph, b.graph) and torch.equal(a.rows, b.rows) and torch.equal(a.stricken, b.stricken)


@pytest.mark.parametrize("start", [months(CUT, -12 * years) for years in (1, 2, 3)])
@pytest.mark.parametrize("seed", range(2))
def test_nothing_published_after_its_start_changes_a_cohort(
    everything: Snapshot, world: World, start: datetime, seed: int
) -> None:
    before = at_risk(everything, world, start)
    assert before.stricken.sum() > 0 and 0 < len(before) < len(world.firms + world.banks)
    assert alike(before, at_risk(altered(everything, start, seed), world, start))


def test_a_leak_into_a_cohort_would_be_caught(everything: Snapshot, world: World) -> None:
    """The test above can fail: with the dates known today, firms vanish from the cohort and others are stricken."""
    start = months(CUT, -12)
    before, after = (at_risk(own, world, start, peek=True) for own in (everything, altered(everything, start, 0)))
    assert same(before.graph, after.graph)
    assert len(after.rows) < len(before.rows) and not torch.equal(after.stricken, before.stricken)


def test_edges_carry_ends_relation_and_publication(everything: Snapshot, world: World) -> None:
    graph = tensors(everything, world.files)
    stated = {
        (everything.ids[e["source"]], e["type"], everything.ids[e["target"]]): e["published"]
        for e in everything.edges.to_pylist()
        if e["published"] <= CUT
    }
    ours = {
        (graph.ids[h], RELATIONS[r], graph.ids[t]): when
        for (h, r, t), when in zip(graph.edges.tolist(), graph.first.tolist(), strict=True)
    }
    assert ours == {triple: microseconds(when) for triple, when in stated.items()}
    labels = dict(zip(everything.ids, everything.labels, strict=True))
    assert all(LABELS[label] == labels[id] for id, label in zip(graph.ids, graph.labels.tolist(), strict=True))


def test_parallel_edges_are_one_row_that_counts_them(everything: Snapshot, world: World) -> None:
    twice = pa.concat_tables([everything.edges, everything.edges])
    graph = tensors(replace(everything, edges=twice), world.files)
    once = tensors(everything, world.files)
    assert torch.equal(graph.edges, once.edges) and torch.equal(graph.counts, 2 * once.counts)


def test_predictions_and_scores_never_feed_a_model(everything: Snapshot, world: World) -> None:
    edges = everything.edges
    predicted = edges.set_column(edges.column_names.index("type"), "type", pa.array(["PREDICTED"] * len(edges)))
    facts = everything.facts
    scores = facts.set_column(facts.column_names.index("property"), "property", pa.array(["distress"] * len(facts)))
    louder = replace(everything, edges=pa.concat_tables([edges, predicted]), facts=pa.concat_tables([facts, scores]))
    assert same(tensors(louder, world.files), tensors(everything, world.files))


def test_the_scale_is_learned_before_its_date_only(everything: Snapshot) -> None:
    start = datetime(2021, 1, 1, tzinfo=CUT.tzinfo)
    changed = replace(everything, facts=scrambled(everything.facts, start, 1))
    assert fitted_table(changed, start).scale == fitted_table(everything, start).scale
    assert fitted_table(everything, CUT).scale != fitted_table(everything, start).scale


def test_the_latest_figure_published_by_the_cut_counts(everything: Snapshot, world: World) -> None:
    graph, table = tensors(everything, world.files), fitted_table(everything, CUT - timedelta(days=365))
    firm = world.firms[5]
    facts = [f for f in everything.facts_of("assets").to_pylist() if everything.ids[f["subject"]] == firm]
    latest = max((f for f in facts if f["published"] <= CUT), key=lambda f: f["valid_from"])
    low, high, mean, spread = table.scale["assets"]
    expected = (np.clip(np.log10(1 + float(latest["value_decimal"])), low, high) - mean) / spread
    own = graph.features["numeric"]
    row = own.rows.tolist().index(graph.index[firm])
    assert own.values[row, NAMES.index("assets")].item() == pytest.approx(expected, abs=1e-6)
    assert own.values[row, len(NAMES) + NAMES.index("assets")] == 1.0
    missing = NAMES.index("revenue")
    assert own.values[row, missing] == 0.0 and own.values[row, len(NAMES) + missing] == 0.0


def test_names_of_persons_are_not_made_into_vectors(everything: Snapshot, world: World) -> None:
    labels = pa.array(
        [
            "Person" if id == world.firms[0] else label
            for id, label in zip(everything.ids, everything.labels, strict=True)
        ]
    )
    people = replace(everything, nodes=pa.table({"id": everything.nodes["id"], "label": labels}))
    graph = tensors(people, world.files)
    with_text = {graph.ids[row] for row in graph.features["text"].rows.tolist()}
    assert world.firms[0] not in with_text and world.firms[1] in with_text


def test_an_image_that_cannot_be_read_leaves_its_node_without_one(
    everything: Snapshot, world: World, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pytest.importorskip("PIL")
    files = Files(tmp_path)
    with caplog.at_level(logging.WARNING):
        graph = GraphTensors.from_snapshot(everything, files, [Image()], CUT)
    assert not len(graph.features["image"].rows) and "is not among the files" in caplog.text
    assert VectorCache(None).vectors(Image(), [b"torn"]) == [None]
    assert "no image" in caplog.text


def test_a_scale_of_another_version_is_refused() -> None:
    with pytest.raises(ModelError, match="train again"):
        Table({"assets": [0.0, 1.0, 0.0, 1.0]})
    with pytest.raises(ModelError, match="call fit"):
        Table().encode([np.zeros(12)])


def test_ten_times_the_currency_unit_of_one_modality_is_a_shift_and_no_more(everything: Snapshot) -> None:
    """Scaling by the train window: other units of all amounts move the logarithms, the standardised values stay."""
    big = np.full((3, 12), 5e6)
    big[:, 0] = [1e6, 2e6, 4e6]
    one, other = Table().fit(big), Table().fit(big * 1000)
    column = NAMES.index("assets")
    assert torch.allclose(one.encode(list(big))[:, column], other.encode(list(big * 1000))[:, column], atol=1e-4)
