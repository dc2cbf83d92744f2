"""Laws of the shared space: what is planted to belong together is found, and nothing is gained by guessing."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from gnn.calibrate import expected_error
from gnn.checkpoint import save_tensors
from gnn.contrastive import Pairs, PairTask, Space, calibrated, chance, cosines, found_at, info_nce
from gnn.train import Recipe, fit
from kg.errors import ModelError

WIDTHS = {"audio": 20, "image": 30, "text": 16}
RECIPE = Recipe(epochs=60, rate=0.02, weight_decay=1e-4, patience=60)


def views(count: int, seed: int) -> dict[str, Tensor]:
    """The same things as text, image and audio: each its own linear look at eight hidden numbers, with noise."""
    draw = torch.Generator().manual_seed(seed)
    hidden, looks = torch.randn(count, 8, generator=draw), torch.Generator().manual_seed(99)
    return {
        name: hidden @ torch.randn(8, width, generator=looks) + 0.3 * torch.randn(count, width, generator=draw)
        for name, width in WIDTHS.items()
    }


def pairs(left: str, right: str, count: int, seed: int) -> Pairs:
    seen = views(count, seed)
    return Pairs(left, right, seen[left], seen[right])


@pytest.fixture(scope="module")
def space() -> Space:
    """Learned from text with image and text with audio; image and audio never meet."""
    made = Space(WIDTHS, dim=16)
    train = [pairs("image", "text", 200, 1), pairs("audio", "text", 200, 2)]
    fit(made, PairTask(train, [pairs("image", "text", 50, 3)]), RECIPE)
    return made


def test_the_loss_is_that_of_the_formula() -> None:
    draw = torch.Generator().manual_seed(0)
    x, y = (torch.nn.functional.normalize(torch.randn(5, 4, generator=draw), dim=1) for _ in range(2))
    warmth, total = 7.0, 0.0
    score = (warmth * x @ y.T).double().numpy()
    for i in range(5):
        total += math.log(sum(math.exp(v) for v in score[i])) - score[i, i]
        total += math.log(sum(math.exp(v) for v in score[:, i])) - score[i, i]
    own = info_nce(x, y, torch.tensor(warmth), torch.eye(5, dtype=torch.bool))
    assert float(own) == pytest.approx(total / 10, rel=1e-5)
    alike = torch.ones(6, 3) / math.sqrt(3)
    assert float(info_nce(alike, alike, torch.tensor(5.0), torch.eye(6, dtype=torch.bool))) == pytest.approx(
        math.log(6)
    )


def test_equal_content_is_no_wrong_answer() -> None:
    x = torch.eye(3)[[0, 1, 0]]
    own = Pairs("image", "text", x, torch.eye(3)[[0, 1, 2]])
    assert own.same.tolist() == [[True, False, True], [False, True, False], [True, False, True]]
    told = info_nce(own.x, own.y, torch.tensor(1.0), own.same)
    blind = info_nce(own.x, own.y, torch.tensor(1.0), torch.eye(3, dtype=torch.bool))
    assert float(told) < float(blind)
    assert torch.isfinite(told)


def test_a_space_that_says_nothing_ranks_at_the_middle_and_not_first() -> None:
    space = Space(WIDTHS, dim=4)
    for head in space.head.values():
        torch.nn.init.zeros_(head.weight)  # type: ignore[arg-type]  # a linear map
    for ranks in found_at(space.eval(), pairs("image", "text", 21, 0)):
        assert torch.equal(ranks, torch.full((21,), 11.0, dtype=torch.float64))


@pytest.mark.parametrize(("left", "right"), [("image", "text"), ("audio", "text"), ("audio", "image")])
def test_held_back_pairs_are_found_both_ways_even_where_two_modalities_never_met(
    space: Space, left: str, right: str
) -> None:
    held = pairs(left, right, 100, 9)
    before = found_at(Space(WIDTHS, dim=16, seed=5).eval(), held)
    for ranks, guess, blind in zip(found_at(space, held), chance(held, 5), before, strict=True):
        assert guess == pytest.approx(0.05)
        assert (ranks <= 5).double().mean() > 0.8 > 0.3 > (blind <= 5).double().mean()


def test_each_of_two_things_with_the_same_words_is_a_right_answer() -> None:
    x, y = torch.eye(4), torch.eye(4)[[0, 0, 1, 2]]
    space = Space({"image": 4, "text": 4}, anchor="text")
    torch.nn.init.zeros_(space.head["image"].bias)  # type: ignore[arg-type]  # a linear map
    with torch.no_grad():
        space.head["image"].weight.copy_(y.T)  # type: ignore[operator]  # each image lands on its words
    there, back = found_at(space, Pairs("image", "text", x, y))
    assert torch.equal(there, torch.ones(4, dtype=torch.float64)) and torch.equal(back, there)


def test_the_temperature_is_learned_and_capped(space: Space) -> None:
    assert space.tau.item() != pytest.approx(math.log(1 / 0.07), abs=0.05)
    hot = Space(WIDTHS)
    torch.nn.init.constant_(hot.tau, 50.0)
    assert hot.warmth().item() == pytest.approx(100.0, rel=1e-4)


def test_the_probability_that_two_things_belong_together_is_calibrated(space: Space) -> None:
    scale = calibrated(space, pairs("image", "text", 300, 20))
    score, truth = cosines(space, pairs("image", "text", 600, 21), seed=1)
    assert len(score) == 1200 and truth.mean() == 0.5
    assert expected_error(scale(score), truth) < 0.05
    assert scale(score)[truth > 0].mean() > 0.85 > 0.15 > scale(score)[truth == 0].mean()


def test_wrong_pairs_never_hold_the_content_of_a_true_one() -> None:
    one = Pairs("image", "text", torch.randn(4, 30), torch.ones(4, 16))
    score, truth = cosines(Space(WIDTHS).eval(), one)
    assert len(score) == 4 and truth.all()  # every text is the same: no wrong pair can be made


def test_an_anchor_keeps_its_vectors_and_the_others_come_to_it() -> None:
    seen = views(150, 4)
    held = views(80, 5)
    space = Space(WIDTHS, anchor="text", seed=1)
    fit(space, PairTask([Pairs("image", "text", seen["image"], seen["text"])]), RECIPE)
    with torch.no_grad():
        assert torch.equal(space("text", held["text"]), torch.nn.functional.normalize(held["text"], dim=1))
    assert space.dim == 16 and "text" not in space.head
    found = found_at(space, Pairs("image", "text", held["image"], held["text"]))
    assert all((ranks <= 5).double().mean() > 0.5 for ranks in found)


def test_equal_seeds_give_equal_bits_and_a_space_comes_back_from_its_folder(space: Space, tmp_path: Path) -> None:
    made = []
    for _ in range(2):
        own = Space(WIDTHS, dim=8, seed=3)
        fit(own, PairTask([pairs("image", "text", 40, 1)]), Recipe(epochs=3))
        made.append(own)
    first, second = (own.state_dict() for own in made)
    assert all(torch.equal(first[name], second[name]) for name in first)
    again = Space.load(space.save(tmp_path))
    with torch.no_grad():
        for name, values in views(10, 7).items():
            assert torch.equal(again(name, values), space(name, values))


def test_bad_input_is_refused_with_a_reason(space: Space, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="knows no modality 'video'; it has audio, image, text"):
        space("video", torch.zeros(1, 3))
    with pytest.raises(ModelError, match="vectors of 4 numbers, the model was built for 30"):
        space("image", torch.zeros(1, 4))
    with pytest.raises(ModelError, match="3 vectors of image and 2 of text are no pairs"):
        Pairs("image", "text", torch.zeros(3, 30), torch.zeros(2, 16))
    with pytest.raises(ModelError, match="no kind of pair has two pairs"):
        PairTask([pairs("image", "text", 1, 0)])
    with pytest.raises(ModelError, match="anchor 'video' is no modality"):
        Space(WIDTHS, anchor="video")
    save_tensors(tmp_path, {"weight": torch.zeros(2)}, {"of": "something else"})
    with pytest.raises(ModelError, match="holds no shared space of this version"):
        Space.load(tmp_path)
    with pytest.raises(ModelError, match="no checkpoint can be read"):
        Space.load(tmp_path / "none")


def test_what_is_nan_never_enters_the_space(space: Space) -> None:
    values = torch.full((2, 30), np.nan)
    with pytest.raises(ModelError, match="NaN or infinity"):
        space("image", values)
