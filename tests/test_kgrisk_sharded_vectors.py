"""Vectors that workers make lie in the cache with the bits that one process makes, and each is made once."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from copy import copy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import torch

from gnn.encoder import Encoder, VectorCache
from gnn.encoders.acoustic import Acoustic
from gnn.encoders.image import Image
from gnn.encoders.multilingual import Multilingual
from gnn.encoders.text import Text
from gnn.model import exact
from gnn.settings import Settings as Training
from gnn.tensors import GraphTensors
from kg.executor import Here, Pool
from kg.model import AsOf
from kgrisk.api import Graph
from kgrisk.api import open as open_graph
from kgrisk.settings import Settings
from kgrisk.vectors import SHARD, Held, ahead, encode, features
from tests.kgrisk_world import write_registers

pytestmark = pytest.mark.slow
SAMPLE = Path(__file__).parents[1] / "kgrisk" / "sample"
DATA = Path(__file__).parent / "data"
WORDS = [f"Loan number {n} of the bank was {'repaid' if n % 2 else 'extended'}." for n in range(SHARD + 3)]
PAGES = [(SAMPLE / "data" / "images" / f"page-{n:02}.png").read_bytes() for n in range(1, 5)]
SOUND = [(DATA / name).read_bytes() for name in ("call-tiny.ogg", "panel-tiny.ogg")]
KINDS: list[tuple[Encoder, list[Any]]] = [
    (Multilingual(), [*WORDS, "贷款已偿还。"]),
    (Text(), [*WORDS, " "]),
    (Image(), [*PAGES, b"no image"]),
    (Acoustic(), SOUND),
]


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    with Pool(2) as made:
        yield made


def opened(home: Path) -> Graph:
    return open_graph(home, settings=Settings.load(store=f"arcadedb://{home / 'store'}", currency="EUR"))


def kept(home: Path) -> dict[str, bytes]:
    """Names and bytes of the vectors in the cache of a home."""
    folder = home / "cache"
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.npy")}


@pytest.mark.parametrize(("encoder", "values"), KINDS, ids=["multilingual", "text", "image", "sound"])
def test_workers_make_the_vectors_that_one_process_makes_one_by_one(
    encoder: Encoder, values: list[Any], tmp_path: Path, pool: Pool, caplog: pytest.LogCaptureFixture
) -> None:
    with opened(tmp_path / "alone") as alone, opened(tmp_path / "shared") as shared:
        made = ahead(shared, pool, encoder, [*values, values[0]])
        assert made == ahead(alone, Here(), encoder, values) and made >= len(values) - 1
        assert ahead(shared, pool, encoder, values) == 0 or made < len(values)  # what was refused is tried again
    assert kept(tmp_path / "shared") == kept(tmp_path / "alone") and len(kept(tmp_path / "alone")) == made
    with caplog.at_level(logging.WARNING), exact(1):
        found = VectorCache(tmp_path / "shared" / "cache").vectors(encoder, values)
        one_by_one = [encoder.encode([value])[0] for value in values[:made]]
    assert all(own is not None and torch.equal(own, new) for own, new in zip(found, one_by_one, strict=False))
    assert [value is None for value in found].count(True) == len(values) - made
    assert ("no" in caplog.text and encoder.modality in caplog.text) == (made < len(values))


def test_the_weights_of_an_encoder_do_not_travel(tmp_path: Path) -> None:
    loaded = Multilingual()
    loaded.encode(["a text"])
    assert "model" in vars(loaded)
    arrived = copy(Held(loaded.fingerprint, 1, loaded))
    assert vars(arrived.encoder) == {} and arrived == Held(loaded.fingerprint, 1, loaded)
    places, matrix = encode(["a text", " "], arrived)
    assert places == [0] and torch.equal(torch.from_numpy(matrix[0]), loaded.encode(["a text"])[0])


def test_the_index_that_workers_make_is_that_of_one_process(tmp_path: Path, pool: Pool) -> None:
    logs = []
    for name, executor in (("alone", "here"), ("shared", pool)):
        with opened(tmp_path / name) as graph:
            graph.ingest(write_registers(tmp_path / name / "in"))
            graph.index_texts(executor=executor)
            logs.append(graph.ledger.events().drop_columns(["known_from"]).to_pylist())
    assert logs[0] == logs[1] and any(row["name"] == "embedding" for row in logs[1])
    assert kept(tmp_path / "shared") == kept(tmp_path / "alone") != {}


def test_what_a_training_reads_is_encoded_before_it(tmp_path: Path, pool: Pool) -> None:
    with opened(tmp_path / "home") as graph:
        graph.ingest(write_registers(tmp_path / "in"))
        home = tmp_path / "home"
        asked = Training(modalities=("numeric", "text"), cache=home / "cache")
        made, before = features(graph, pool, asked), kept(home)
        assert made == len(before) >= 3 and features(graph, pool, asked) == 0
        GraphTensors.from_snapshot(graph.ledger.view(AsOf()), graph.files, [Text()], datetime.now(UTC), asked.cache)
    assert kept(home) == before, "the training finds every vector made"
