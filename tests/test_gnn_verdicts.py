"""Every baseline that a model loses to is named as such."""

import pytest
import torch

from gnn.evaluate import Ranking
from gnn.forecast import compared, told_apart


def ranking(tail: float) -> Ranking:
    return Ranking(
        torch.zeros(50, 3, dtype=torch.int64), torch.full((50,), tail).double(), torch.full((50,), tail).double()
    )


@pytest.mark.parametrize(("own", "word"), [(1.0, "beats"), (2.0, "ties with"), (4.0, "loses to")])
def test_the_word_fits_the_ranks(own: float, word: str) -> None:
    lines = compared({"relational": ranking(own), "structure": ranking(2.0), "frequency": ranking(2.0)})
    assert len(lines) == 2 and all(f"the multimodal model {word} the" in line for line in lines)


def test_an_interval_that_holds_zero_is_called_chance() -> None:
    noisy = [torch.tensor([1.0, 9.0] * 30).double(), torch.tensor([9.0, 1.0] * 30).double()]
    noisy[0][0] = 2.0
    triples = torch.zeros(60, 3, dtype=torch.int64)
    mixed = {"relational": Ranking(triples, noisy[0], noisy[0]), "frequency": Ranking(triples, noisy[1], noisy[1])}
    assert "may be chance" in compared(mixed)[0]
    assert "chance" not in compared({"relational": ranking(1.0), "frequency": ranking(9.0)})[0]


def test_without_a_test_nothing_is_claimed() -> None:
    empty = Ranking(torch.zeros(0, 3, dtype=torch.int64), torch.zeros(0), torch.zeros(0))
    assert compared({"relational": empty, "frequency": empty}) == [
        "Links: nothing new was published after the cut, so no model could be tested."
    ]


def test_a_lower_brier_score_is_the_better_one() -> None:
    rows = [
        ("relational", "auprc", 0.7),
        ("relational", "brier", 0.2),
        ("structure", "auprc", 0.8),
        ("structure", "brier", 0.3),
    ]
    (line,) = told_apart([{"model": m, "metric": n, "value": v} for m, n, v in rows])
    assert "loses to structure on auprc (0.700 against 0.800)" in line
    assert "beats structure on brier (0.200 against 0.300)" in line
