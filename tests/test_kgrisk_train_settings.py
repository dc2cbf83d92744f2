"""Settings of a training run by name, from Python and from the command line: read by their type, refused by name."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from gnn.settings import COUNTS
from gnn.settings import Settings as Asked
from kg.errors import KgRiskError, ModelError
from kgrisk.api import Graph
from kgrisk.extras import learning
from kgrisk.settings import Settings
from tests.kgrisk_world import kgrisk_here


@pytest.fixture
def graph(tmp_path: Path) -> Graph:
    return Graph(tmp_path / "home", Settings.load(home=tmp_path / "home"))


def test_text_is_read_by_the_type_of_the_setting(graph: Graph) -> None:
    given = {"optimiser": "adamw", "schedule": "cosine", "rate": "0.02", "modalities": "text,series", "balance": "1"}
    found = graph._chosen(learning(), {**given, "encoders": "series=gru"})
    assert (found.optimiser, found.schedule, found.rate, found.balance) == ("adamw", "cosine", 0.02, 1.0)
    assert found.modalities == ("text", "series") and found.encoders == {"series": "gru"}


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"optimizer": "adam"}, "no setting 'optimizer'.*did you mean optimiser"),
        ({"schedule": "step"}, "one of exponential, linear, cosine, constant"),
        ({"rate": "fast"}, "parameter rate of training is 'fast'"),
        ({"model": "rgnc"}, "model 'rgnc' is unknown; known: autoencoder, complex, .*temporal"),
        ({"loss": "ce"}, "one of softmax, bce, mse, margin, infonce"),
        ({"pretrain": "1", "pretrain_by": "luck"}, "one of masked, contrast, both"),
        ({"rerank": "-1"}, "rerank is -1; give a number from 1 up, or 0 for none"),
        ({"fusion": "glue"}, "fusion 'glue' is unknown; known: attention, .*late"),
        ({"modalities": "text,smell"}, "modality smell is unknown; known: text, image, .*structure"),
        ({"modalities": []}, "modalities is empty; name one or more of text, image"),
        ({"encoders": "smell=gru"}, "modality smell is unknown"),
        ({"amount": "total_asets"}, "amount 'total_asets' is no money of the ontology; name one of .*revenue.*or None"),
        ({"rate": "0"}, "rate is 0.0; give a number above 0"),
        ({"rate": "-1"}, "rate is -1.0; give a number above 0"),
        ({"alpha": "0"}, "alpha is 0.0; give a number between 0 and 1"),
        ({"alpha": "2"}, "alpha is 2.0; give a number between 0 and 1"),
        ({"balance": "7"}, "balance is 7.0; give a number from 0 to 1"),
        ({"links_each": "-1"}, "links_each is -1; give a number from 1 up, or 0 for none"),
        ({"paths_each": "-1"}, "paths_each is -1; give a number from 1 up, or 0 for none"),
        *(({name: "0"}, f"{name} is 0; give a whole number from 1 up") for name in COUNTS),
    ],
)
def test_a_setting_that_cannot_be_is_refused_before_anything_is_read(
    graph: Graph, given: dict[str, str], told: str
) -> None:
    with pytest.raises(KgRiskError, match=told):
        graph.train("2023-01-01", settings=given)


def test_the_least_that_a_run_can_be_asked_for_is_taken() -> None:
    least: dict[str, Any] = dict.fromkeys(COUNTS, 1)
    least |= {"links_each": 0, "paths_each": 0, "balance": 1, "alpha": 0.999, "rate": 1e-9, "amount": None}
    assert Asked(**least).dim == 1 and Asked(questions=None, scores=None).questions is None


@pytest.mark.parametrize("given", [{"rate": math.nan}, {"rate": math.inf}, {"dim": 2.5}, {"alpha": math.nan}])
def test_what_is_no_number_of_its_kind_is_refused(given: dict[str, float]) -> None:
    with pytest.raises(ModelError, match=f"{next(iter(given))} is .*; give a"):
        Asked(**given)  # type: ignore[arg-type]  # that is the test


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--minutes", "3"), "--minutes goes with --triples"),
        (("--model", "gcn", "--setting", "model=sage"), "name two models"),
        (("--triples", ".", "--setting", "fusion=late"), "--setting goes with a graph"),
        (("--triples", ".", "--cut", "2023-01-01"), "--cut goes with a graph"),
        (("--triples", ".", "--home", "h"), "--home goes with a graph"),
    ],
)
def test_options_of_the_other_kind_of_training_are_refused(words: tuple[str, ...], told: str, tmp_path: Path) -> None:
    found = kgrisk_here("train", *words, cwd=tmp_path)
    assert found.returncode == 2 and told in " ".join(found.stderr.replace("│", " ").split())
