"""Settings of a training run by name, from Python and from the command line: read by their type, refused by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from kg.errors import KgRiskError
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
    ],
)
def test_a_setting_that_cannot_be_is_refused_before_anything_is_read(
    graph: Graph, given: dict[str, str], told: str
) -> None:
    with pytest.raises(KgRiskError, match=told):
        graph.train("2023-01-01", settings=given)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--minutes", "3"), "--minutes goes with --triples"),
        (("--model", "gcn", "--setting", "model=sage"), "name two models"),
        (("--triples", ".", "--setting", "fusion=late"), "--setting goes with a graph"),
    ],
)
def test_options_of_the_other_kind_of_training_are_refused(words: tuple[str, ...], told: str, tmp_path: Path) -> None:
    found = kgrisk_here("train", *words, cwd=tmp_path)
    assert found.returncode == 2 and told in " ".join(found.stderr.replace("│", " ").split())
