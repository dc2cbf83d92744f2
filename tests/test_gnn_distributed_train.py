"""`kgrisk train --processes 2` publishes what one process publishes, but for the rounding of sums."""

from __future__ import annotations

from pathlib import Path
from shutil import copytree
from typing import Any

import numpy as np
import pytest

from kg.errors import KgRiskError
from kgrisk.api import Graph
from kgrisk.settings import Settings
from tests.gnn_world import CUT, build
from tests.kgrisk_world import kgrisk_here

NEAR = 1e-3
"""Largest difference of a published probability. Weights differ by the rounding of float32 after some hundred steps of
Adam, which here is below 1e-4 (tests/test_gnn_distributed.py), and a logit is a sum of some dozen of them."""
QUICK = {"epochs": 3, "dim": 8, "modalities": "numeric", "certify": "off", "links_each": 5}


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The same graph twice."""
    one = tmp_path_factory.mktemp("home") / "one"
    build(one, firms=48).ledger.close()
    return one, Path(copytree(one, one.with_name("two")))


def opened(home: Path) -> Graph:
    return Graph(home, Settings.load(home=home))


@pytest.mark.slow
def test_two_processes_publish_the_scores_and_links_of_one(homes: tuple[Path, Path]) -> None:
    told: list[Any] = []
    for home, processes in zip(homes, (1, 2), strict=True):
        with opened(home) as graph:
            result = graph.train(CUT.date(), settings=QUICK, processes=processes)
            told.append((result, graph.scores("distress").table, graph.predict_links().table))
            assert [run["run"] for run in graph.runs().rows()] == [result.run]  # the other process kept nothing
    (one, scores, links), (two, others, expected) = told
    assert scores["id"].to_pylist() and sorted(scores["id"].to_pylist()) == sorted(others["id"].to_pylist())
    by_id = [dict(zip(t["id"].to_pylist(), t["distress"].to_pylist(), strict=True)) for t in (scores, others)]
    assert max(abs(by_id[0][id] - by_id[1][id]) for id in by_id[0]) <= NEAR
    assert links.num_rows == expected.num_rows > 0
    assert np.allclose(one.embeddings.vectors, two.embeddings.vectors, atol=NEAR)
    figures = [{(r["model"], r["metric"]): r["value"] for r in t.metrics.to_pylist()} for t in (one, two)]
    for key in figures[0]:
        assert figures[0][key] == pytest.approx(figures[1][key], abs=0.02, nan_ok=True), key
    assert one.losses["loss"].to_pylist() == pytest.approx(two.losses["loss"].to_pylist(), abs=NEAR)


def test_numbers_of_processes_and_places_that_cannot_be_are_refused_by_name(homes: tuple[Path, Path]) -> None:
    with opened(homes[0]) as graph, pytest.raises(KgRiskError, match="0 processes are none"):
        graph.train(CUT.date(), settings=QUICK, processes=0)
    done = kgrisk_here("train", "--triples", ".", "--processes", "2", cwd=homes[0])
    assert done.returncode == 2 and "--processes goes with a graph" in done.stderr
