"""What a score rests on is found in the sentence, region, session or second where it was planted."""

from __future__ import annotations

import io
import wave
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from gnn.encoder import Encoder
from gnn.encoders.acoustic import Acoustic
from gnn.encoders.appearance import Appearance
from gnn.encoders.gru import Gru
from gnn.encoders.returns import Returns
from gnn.encoders.table import Table
from gnn.encoders.tcn import Tcn
from gnn.model import seeded
from gnn.saliency import CELLS, in_graph, salient, shares
from gnn.sound import RATE
from gnn.tensors import Features
from gnn.train import Recipe, fit
from gnn.trainable import Trainable
from gnn.values import packed
from kg.errors import ModelError
from tests.contract.test_encoders import encoder, planted
from tests.test_gnn_tensors import Letters

CALM = "The firm opened a plant in May. Sales rose in the north. "
BAD = "It has failed to repay its bonds and filed for bankruptcy."
AFTER = " The board meets again in June. Staff were told on Monday."


def toward(own: Encoder, with_it: object, without: object) -> torch.Tensor:
    """The direction from a value without the planted part to one with it: a model that learned just that."""
    one, other = own.encode([with_it, without])
    return torch.nn.functional.normalize(one - other, dim=0)


def test_the_sentence_that_carries_the_score_is_named_by_its_characters() -> None:
    text, own = CALM + "Zzz zzzz zz." + AFTER, Letters()
    marks = salient(own, text, lambda vector: float(vector[25]))
    start = text.index("Zzz")
    assert marks[0].locator == f"chars:{start}-{start + 12}" and marks[0].weight == 9.0
    assert [text[slice(*map(int, m.locator[6:].split("-")))].strip()[-1] for m in marks] == ["."] * 5
    assert all(mark.weight == 0 for mark in marks[1:])
    assert [(mark.locator, mark.weight) for mark in shares(marks)] == [(marks[0].locator, 1.0)]


def test_of_one_sentence_the_word_is_named() -> None:
    marks = salient(Letters(), "It paid zz back", lambda vector: float(vector[25]))
    assert marks[0].locator == "chars:8-10"


@pytest.mark.slow
def test_minilm_rests_on_the_sentence_about_the_default() -> None:
    own, text = encoder("text"), CALM + BAD + AFTER
    aim = own.encode(["The company defaulted and is bankrupt."])[0]
    marks = salient(own, text, lambda vector: float(vector @ aim))
    start = text.index(BAD)
    assert marks[0].locator == f"chars:{start}-{start + len(BAD)}" and marks[0].weight > 0.1


def page(mark: bool) -> bytes:
    """A grey page; with a mark in the third column of the second row of regions, of the 6 x 6 there are."""
    image = Image.new("RGB", (240, 300), (128, 128, 128))
    if mark:
        image.paste((230, 20, 20), (85, 55, 115, 95))
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def test_the_region_that_carries_the_score_is_named_by_its_box() -> None:
    own = Appearance()
    aim = toward(own, page(True), page(False))
    marks = salient(own, page(True), lambda vector: float(vector @ aim))
    assert len(marks) == CELLS * CELLS
    assert marks[0].locator == "box:80,50,120,100"
    assert marks[0].weight > 3 * abs(marks[1].weight)


def test_a_trained_network_is_asked_in_the_same_way() -> None:
    own = encoder("cnn")
    aim = toward(own, page(True), page(False))
    assert salient(own, page(True), lambda vector: float(vector @ aim))[0].locator == "box:80,50,120,100"


def series(fall: int | None, seed: int = 0) -> bytes:
    """Fifty sessions from 2023-01-01 on; on one of them the close may fall by a tenth."""
    moves = np.random.default_rng(seed).normal(0, 0.005, 50)
    if fall is not None:
        moves[fall] = -0.1
    days = 1672531200e6 + np.arange(50) * 86_400e6
    return packed(np.stack([days, 50 * np.exp(np.cumsum(moves)), np.full(50, np.nan)], axis=1))


class Falls:
    """Whether a series has a fall, for series with one on any day and series without."""

    def __init__(self, own: Trainable) -> None:
        falls = [[None, 1 + number % 49][number % 2] for number in range(96)]
        self.given = torch.stack([own.prepare(series(fall, seed + 1)) for seed, fall in enumerate(falls)])
        self.truth = torch.tensor([float(fall is not None) for fall in falls])

    def losses(self, model: nn.Module) -> Iterator[torch.Tensor]:
        yield nn.functional.binary_cross_entropy_with_logits(model(self.given)[:, 0], self.truth)

    def validate(self, model: nn.Module) -> None:
        return None


def test_the_day_of_the_fall_is_named_by_plain_figures() -> None:
    marks = salient(Returns(), series(40), lambda vector: float(vector[-2]))  # the largest move
    assert marks[0].locator == "day:2023-02-10" and len(marks) == 49 and marks[1].weight == 0.0


@pytest.mark.parametrize("kind", [pytest.param(Gru, marks=pytest.mark.slow), Tcn])
def test_the_day_of_the_fall_is_named_by_a_network_that_was_taught_to_see_falls(kind: type[Trainable]) -> None:
    own = kind()
    with seeded(0):
        model = nn.Sequential(own.network, nn.Linear(own.dim, 1))
    fit(model, Falls(own), Recipe(epochs=80, rate=0.01, schedule="cosine"))
    own.ready = True
    with torch.no_grad():
        marks = salient(own, series(40, seed=500), lambda vector: float(model[1](vector)))
    assert marks[0].locator == "day:2023-02-10" and marks[0].weight > 3 * abs(marks[1].weight)


def recording() -> bytes:
    """Five seconds of faint noise; in the fourth one a tone."""
    samples = np.random.default_rng(0).normal(0, 0.01, 5 * RATE)
    samples[3 * RATE : 4 * RATE] += 0.5 * np.sin(2 * np.pi * 200 * np.arange(RATE) / RATE)
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((samples * 32767).astype("<i2").tobytes())
    return buffer.getvalue()


def test_the_seconds_of_the_tone_are_named() -> None:
    marks = salient(Acoustic(), recording(), lambda vector: float(vector[-3]))  # the pitch that was heard
    assert marks[0].locator == "time:3.00-4.00" and marks[0].weight > 3 * abs(marks[1].weight)


@pytest.mark.slow
def test_whisper_rests_on_the_seconds_of_the_tone() -> None:
    own = encoder("whisper")
    aim = toward(own, recording(), np.random.default_rng(0).normal(0, 0.01, 5 * RATE).astype(np.float32))
    assert salient(own, recording(), lambda vector: float(vector @ aim))[0].locator == "time:3.00-4.00"


def test_in_a_graph_the_score_is_that_of_a_model_with_the_part_taken_from_one_node() -> None:
    own, texts = Letters(), [CALM + "Zzz zz.", AFTER.strip()]
    graph = planted().with_features({"text": Features(torch.tensor([2, 5]), own.encode(texts))})

    def tell(changed: object) -> float:
        return float(changed.features["text"].dense(12)[2, 25] * 2)  # type: ignore[attr-defined]

    marks = salient(own, texts[0], in_graph(graph, "text", 2, tell))  # type: ignore[arg-type]
    assert marks[0].weight == 10.0 and texts[0][slice(*map(int, marks[0].locator[6:].split("-")))] == "Zzz zz."
    assert torch.equal(graph.features["text"].values, own.encode(texts))
    with pytest.raises(ModelError, match="reg:07 has no text"):
        in_graph(graph, "text", 7, tell)  # type: ignore[arg-type]


def test_figures_have_no_parts() -> None:
    with pytest.raises(ModelError, match="no saliency for numeric; there is one for audio, image, series, text"):
        salient(Table(), np.zeros(12), lambda vector: 0.0)
