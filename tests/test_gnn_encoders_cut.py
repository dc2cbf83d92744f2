"""Series, recordings and structure at a cut hold what was published by then; runs choose encoders by name."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
import torch

from gnn.choice import chosen, keep, values
from gnn.encoder import Encoder
from gnn.encoders.acoustic import Acoustic
from gnn.encoders.gru import Gru
from gnn.encoders.returns import Returns
from gnn.encoders.structure import PLAIN, Structure, table
from gnn.encoders.table import Table
from gnn.settings import Settings
from gnn.tensors import Features, GraphTensors
from gnn.trainable import Prepared
from gnn.values import unpacked
from kg.errors import ModelError
from kg.files import Files
from kg.model import AsOf, Claim, ClaimBatch, Evidence, Node, RunManifest, Value, digest
from kg.snapshot import Snapshot
from tests.contract.test_encoders import tone
from tests.gnn_world import CUT, World, build
from tests.test_gnn_tensors import Letters, same, scrambled

DAYS = 90
FIRST = CUT - timedelta(days=60)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Firms, three securities with sixty sessions before the cut and thirty after, two recordings, one of them late."""
    own = build(tmp_path_factory.mktemp("world"), firms=12)
    draw, claims = np.random.default_rng(3), []

    def say(node: Node, when: datetime) -> None:
        evidence = Evidence(digest(b"series"), f"row:{len(claims)}", f"row {len(claims)}", "market.world@1")
        claims.append(Claim(node, evidence, when, valid_from=when))

    for number in range(3):
        closes = 40 * np.exp(np.cumsum(draw.normal(0, 0.02, DAYS)))
        for day, close in enumerate(closes):
            when = FIRST + timedelta(days=day)
            props: dict[str, Value] = {"close": Decimal(f"{close:.2f}"), "currency": "USD"}
            props |= {"volume": 1000.0 + day} if number else {}
            say(Node("Security", f"ticker:T{number}@XNYS", props, key=str(when.date())), when)
    for number, when in enumerate((CUT - timedelta(days=9), CUT + timedelta(days=9))):
        name = own.files.put(tone(200 + 100 * number, 1.0, draw))
        say(Node("Document", f"doc:{name}", {"duration": 1.0, "title": "Call"}), when)
    own.ledger.commit(ClaimBatch.of(claims), RunManifest("ingest", {"series": 1}))
    return own


@pytest.fixture(scope="module")
def everything(world: World) -> Snapshot:
    return world.ledger.view(AsOf())


def encoders() -> list[Encoder]:
    return [Returns(), Acoustic(), Structure()]


@pytest.mark.parametrize("seed", range(3))
def test_nothing_published_after_the_cut_changes_a_bit_of_series_recordings_or_structure(
    everything: Snapshot, world: World, seed: int
) -> None:
    changed = replace(
        everything, edges=scrambled(everything.edges, CUT, seed), facts=scrambled(everything.facts, CUT, seed)
    )
    before, after = (GraphTensors.from_snapshot(s, world.files, encoders(), CUT) for s in (everything, changed))
    assert [len(before.features[name].rows) for name in ("series", "audio")] == [3, 1]
    assert len(before.features["structure"].rows) == len(before)
    assert same(before, after)


def test_a_later_session_does_change_a_series_once_it_is_known(everything: Snapshot, world: World) -> None:
    """The test above can fail: ten days on, the same nodes have other vectors and a second recording."""
    late = CUT + timedelta(days=10)
    now, then = (GraphTensors.from_snapshot(everything, world.files, encoders(), at) for at in (CUT, late))
    for name, count in (("series", 3), ("audio", 2)):
        assert len(then.features[name].rows) == count
    assert not torch.equal(now.features["series"].values, then.features["series"].values)


def test_a_session_that_was_put_right_later_counts_as_it_was_known(everything: Snapshot, world: World) -> None:
    told = {end: values(everything, world.files, end, "series")[0] for end in (CUT, CUT + timedelta(days=5))}
    now, then = (unpacked(own) for own in told.values())
    assert len(now) == 61 and len(then) == 66 and np.array_equal(then[:61], now, equal_nan=True)
    assert np.isnan(now[:, 2]).all() and not np.isnan(unpacked(values(everything, world.files, CUT, "series")[1])).any()


def test_a_recording_that_is_not_among_the_files_leaves_its_node_without_audio(
    everything: Snapshot, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    graph = GraphTensors.from_snapshot(everything, Files(tmp_path), [Acoustic()], CUT)
    assert not len(graph.features["audio"].rows) and "is not among the files" in caplog.text


def test_prepared_values_stand_in_the_graph_for_a_network_to_read(everything: Snapshot, world: World) -> None:
    own = Gru()
    graph = GraphTensors.from_snapshot(everything, world.files, [Prepared(own)], CUT)
    given = graph.features["series"].values.view(-1, *own.shape)
    assert given.shape[0] == 3 and given[:, :, 3].eq(1.0).sum(1).tolist() == [60.0, 60.0, 60.0]
    assert given[0, :, 2].sum() == 0 and given[1, :, 2].sum() == 60  # the first series tells no volume


def test_a_run_chooses_encoders_by_name_and_they_learn_from_the_train_window_alone(
    everything: Snapshot, world: World, tmp_path: Path
) -> None:
    changed = replace(everything, facts=scrambled(everything.facts, CUT, 1))
    asked = Settings(modalities=("numeric", "series", "audio"), encoders={"series": "gru", "numeric": "table"})
    made = [chosen(s, world.files, CUT, asked) for s in (everything, changed)]
    assert [type(own).__name__ for own in made[0]] == ["Table", "Gru", "Acoustic"]
    assert [own.fingerprint for own in made[0]] == [own.fingerprint for own in made[1]]
    late = chosen(everything, world.files, CUT + timedelta(days=20), replace(asked, modalities=("series",)))
    assert late[0].fingerprint != made[0][1].fingerprint
    keep(made[0], tmp_path)
    assert Gru().load(tmp_path / "series").fingerprint == made[0][1].fingerprint
    assert isinstance(made[0][0], Table) and made[0][0].scale


@pytest.mark.parametrize(
    ("modalities", "names", "said"),
    [
        (("smell",), {}, "modality smell is unknown; known: text"),
        (("series",), {"smell": "gru"}, "modality smell is unknown"),
        (
            ("series",),
            {"series": "arima"},
            "encoder 'arima' for series is unknown; known for series: gru",
        ),
        (("series",), {"series": "cnn"}, "encoder 'cnn' for series reads image"),
    ],
)
def test_a_modality_or_an_encoder_that_is_not_known_is_refused_with_those_that_are(
    everything: Snapshot, world: World, modalities: tuple[str, ...], names: dict[str, str], said: str
) -> None:
    with pytest.raises(ModelError, match=said):
        chosen(everything, world.files, CUT, Settings(modalities=modalities, encoders=names))


def test_an_encoder_of_what_no_node_has_is_refused(everything: Snapshot, world: World) -> None:
    class Smell(Letters):
        modality = "smell"

    with pytest.raises(ModelError, match="no node has values of modality 'smell'"):
        GraphTensors.from_snapshot(everything, world.files, [Smell()], CUT)


def test_structure_does_not_depend_on_how_nodes_are_numbered_and_tells_a_hub_from_a_leaf(
    everything: Snapshot, world: World
) -> None:
    graph, _ = GraphTensors.with_facts(everything, CUT)
    order = torch.randperm(len(graph), generator=torch.Generator().manual_seed(0))
    place = torch.argsort(order)
    edges = torch.stack([place[graph.edges[:, 0]], graph.edges[:, 1], place[graph.edges[:, 2]]], dim=1)
    turned = replace(graph, ids=tuple(graph.ids[n] for n in order.tolist()), labels=graph.labels[order], edges=edges)
    before, after = table(graph), table(turned)
    assert torch.allclose(before[order], after, atol=1e-5)
    ends = before[:, PLAIN:]
    assert torch.allclose(ends.sum(1), torch.ones(len(graph)), atol=0.05)
    degree = torch.bincount(torch.cat([graph.edges[:, 0], graph.edges[:, 2]]), minlength=len(graph))
    hub, leaf = int(degree.argmax()), int(degree.argmin())
    assert before[hub, 3] > before[leaf, 3] and before[hub, 2] > before[leaf, 2]
    assert Features(torch.arange(len(graph)), before).dense(len(graph)).isfinite().all()
