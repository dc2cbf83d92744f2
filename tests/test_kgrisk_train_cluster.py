"""`kgrisk train --workers CLUSTER`: what comes home from it has every bit, and what cannot be is refused by name."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from gnn.peek import Certificate
from gnn.result import LINK_ROWS, LOSS_ROWS, METRICS, SCORE_ROWS, Embeddings, TrainResult
from kg.errors import ExecutorError, KgRiskError, ModelError
from kg.model import RunManifest
from kgrisk.api import Graph
from kgrisk.ray import Ray
from kgrisk.settings import Settings
from kgrisk.together import Lines, There, learn, trained
from kgrisk.train_result import FACTS, load, save
from tests.gnn_world import CUT
from tests.kgrisk_world import kgrisk_here


class Outside(Ray):
    """A connection from outside of a cluster, as far as one is needed to be refused."""

    def __init__(self) -> None:
        self.address, self.workers = "ray://10.0.0.1:10001", 2


def result(runs: Path) -> TrainResult:
    """A run with numbers that no rounding may touch."""
    third, odd = 1 / 3, float(np.nextafter(0.1, 1))
    metrics = [{"task": "links", "model": "relational", "metric": "mrr", "value": third, "low": float("nan")}]
    links = [{"relation": "LENDS_TO", "source": "reg:ä", "target": "reg:b", "score": odd, "paths": [["e1", "e2"]]}]
    manifest = RunManifest("train", {"cut": CUT, "figures": {"a": third, "b": float("nan")}, "rows": ["one", "zwei ö"]})
    tables: dict[str, Any] = {
        "metrics": pa.Table.from_pylist(metrics, METRICS),
        "links": pa.Table.from_pylist(links, LINK_ROWS),
        "scores": pa.Table.from_pylist([{"id": "reg:b", "distress": odd}], SCORE_ROWS),
        "losses": LOSS_ROWS.empty_table(),
    }
    tables |= dict.fromkeys(("relations", "modalities", "tested"), pa.table({"n": pa.array([], pa.int64())}))
    vectors = Embeddings(("reg:b",), ("Bank",), np.array([[third, -0.0, np.nan]], np.float32))
    proof = Certificate("2023-01-01", 0, "small", 3, 4, {"links": "a"}, {"links": "a"})
    last: dict[str, Any] = {
        "remarks": ["one"],
        "checkpoint": runs / manifest.id,
        "manifest": manifest,
        "certificate": proof,
    }
    return TrainResult(manifest.id, "relational", CUT, 7, **tables, embeddings=vectors, **last)


def test_a_result_comes_home_with_every_bit(tmp_path: Path) -> None:
    there = result(tmp_path / "runs")
    save(there, tmp_path / "found")
    here = load(tmp_path / "found", tmp_path / "runs")
    assert here.manifest.to_bytes() == there.manifest.to_bytes() and here.embeddings.ids == there.embeddings.ids
    assert here.embeddings.vectors.tobytes() == there.embeddings.vectors.tobytes()
    for field in fields(TrainResult):
        one, other = getattr(there, field.name), getattr(here, field.name)
        if isinstance(one, pa.Table):
            assert other.schema == one.schema and repr(other.to_pylist()) == repr(one.to_pylist()), field.name
        elif field.name not in ("embeddings", "manifest"):
            assert one == other, field.name


def test_a_result_whose_manifest_was_changed_on_the_way_is_refused(tmp_path: Path) -> None:
    save(result(tmp_path), tmp_path)
    (tmp_path / FACTS).write_text((tmp_path / FACTS).read_text().replace("zwei", "drei"))
    with pytest.raises(ModelError, match="holds another run"):
        load(tmp_path, tmp_path)


def test_lines_of_progress_are_told_once_each_when_they_are_whole(tmp_path: Path) -> None:
    heard = list[str]()
    lines = Lines(tmp_path / "lines", heard.append)
    with lines.path.open("ab") as file:
        for part in (b"epoch 1\nepo", b"ch 2: \xc3", b"\xa4\n"):
            file.write(part)
            file.flush()
            lines.told()
            lines.told()
    assert heard == ["epoch 1", "epoch 2: ä"]


def test_a_machine_with_another_version_is_refused(tmp_path: Path) -> None:
    there = There(tmp_path, "", 1, "another", CUT, 0, None, None)
    with pytest.raises(ExecutorError, match="another kgrisk than the one that asks; install the same version"):
        learn(tmp_path, there)


@pytest.fixture
def graph(tmp_path: Path) -> Graph:
    return Graph(tmp_path / "home", Settings.load(home=tmp_path / "home"))


def test_several_processes_do_not_train_from_outside_of_a_cluster(graph: Graph) -> None:
    with pytest.raises(ExecutorError, match=r"2 processes cannot train by way of ray://.*--workers ray or host:port"):
        trained(graph, 2, CUT, {}, Outside())
    with pytest.raises(KgRiskError, match="0 processes are none"):
        trained(graph, 0, CUT, {}, Outside())


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--triples", ".", "--workers", "2"), "--workers goes with a graph"),
        (("--triples", ".", "--processes", "2"), "--processes goes with a graph"),
        (("--processes", "0"), "greater than or equal to 1"),
    ],
)
def test_the_command_says_what_does_not_go_together(tmp_path: Path, words: tuple[str, ...], told: str) -> None:
    done = kgrisk_here("train", *words, cwd=tmp_path)
    assert done.returncode == 2 and told in done.stderr


def test_the_setting_says_how_many_processes_train(tmp_path: Path) -> None:
    done = kgrisk_here("config", "--json", cwd=tmp_path, KGRISK_PROCESSES="0")
    assert done.returncode == 1 and "processes: Input should be greater than or equal to 1" in done.stderr
