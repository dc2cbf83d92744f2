"""A run in two processes is the run in one: only the order of sums differs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch
from torch import Tensor, nn

from gnn.distributed import ALONE, backward, checksum, joined, portion, team
from gnn.heads.mlp import Mlp
from gnn.ranks import CARD, together
from gnn.train import Fit, Parted
from kg.errors import LostRankError, ModelError
from tests.teams import KINDS, all_kinds, in_two

Runs = dict[tuple[str, bool], tuple[Fit, dict[str, Tensor]]]
TIGHT, LOOSE = 1e-9, 1e-4
"""Largest difference of a weight after some dozen steps. Sums of another order differ by the rounding of one number,
2e-16 in float64 and 1e-7 in float32; a step of Adam divides by the size of the gradient, so the rounding of a small one
weighs some hundred times as much."""


@pytest.fixture(scope="module")
def both() -> tuple[Runs, Runs]:
    """Every kind of task, fitted in one process and in two."""
    return all_kinds(), in_two(all_kinds)


def apart(one: dict[str, Tensor], two: dict[str, Tensor]) -> float:
    """The largest difference of any weight."""
    assert one.keys() == two.keys()
    return max(float((value - two[name]).abs().max()) for name, value in one.items() if value.numel())


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("wide,most", [(True, TIGHT), (False, LOOSE)], ids=["float64", "float32"])
def test_two_processes_end_with_the_weights_of_one(both: tuple[Runs, Runs], kind: str, wide: bool, most: float) -> None:
    (one, alone), (two, parted) = both[0][kind, wide], both[1][kind, wide]
    assert apart(alone, parted) <= most
    assert one.best == two.best and one.value == pytest.approx(two.value, abs=most)
    assert [row["loss"] for row in one.epochs] == pytest.approx([row["loss"] for row in two.epochs], abs=most)
    assert one.epochs[-1]["loss"] < one.epochs[0]["loss"]  # it learned something


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [2, 3, 200])
def test_the_portions_of_all_ranks_add_up_to_the_loss_also_where_there_are_more_ranks_than_rows(
    kind: str, size: int
) -> None:
    model, task = KINDS[kind](False)
    assert isinstance(task, Parted)
    told = []
    for rank, ranks in ((0, 1), *((rank, size) for rank in range(size))):
        torch.manual_seed(5)
        told.append(float(next(task.portions(model.eval(), rank, ranks)).detach()))
    assert sum(told[1:]) == pytest.approx(told[0], rel=1e-4)
    if size == 2 and kind != "margins":  # whose every rank does the whole
        assert told[1] != pytest.approx(told[2], rel=1e-6)


def test_rows_are_dealt_once_each_and_their_shares_add_up_to_one() -> None:
    for count, size in ((10, 3), (3, 3), (7, 2)):
        parts = [portion(count, rank, size) for rank in range(size)]
        assert [row for part, _ in parts for row in range(count)[part]] == list(range(count))
        assert sum(share for _, share in parts) == pytest.approx(1.0)
    assert [portion(1, rank, 2) for rank in (0, 1)] == [(slice(0, 1), 0.5)] * 2


def tabular() -> tuple[Any, dict[str, Tensor]]:
    """A head whose task has no parts."""
    task = KINDS["firms"](False)[1]
    head = Mlp(seed=3)
    head.fit(task.cohorts, task.valid)  # type: ignore[attr-defined]
    return head.predict(task.valid).tolist(), dict(head.model.state_dict())  # type: ignore[attr-defined]


def unlike() -> None:
    model, task = KINDS["links"](False)
    with torch.no_grad():
        next(model.parameters()).add_(float(team().rank))
    from gnn.train import Recipe, fit

    fit(model, task, Recipe(epochs=1))


def strange() -> str:
    """What two ranks with other weights hear."""
    with pytest.raises(ModelError, match="have different weights at the start; give all of them the same"):
        unlike()
    return "told"


def several() -> tuple[Any, str]:
    return tabular(), strange()


@pytest.mark.slow
def test_a_task_without_parts_is_learned_by_the_first_and_ranks_that_differ_are_told_so() -> None:
    (said, weights), told = in_two(several)
    assert (said, told) == (tabular()[0], "told")
    assert apart(weights, tabular()[1]) == 0.0


def test_a_process_that_joined_no_team_is_a_team_of_one() -> None:
    assert team() is ALONE and team().first
    model = nn.Linear(2, 1)
    assert backward(model(torch.ones(1, 2)).sum(), model, team()) == float(model(torch.ones(1, 2)).detach())
    assert model.weight.grad is not None and team().same({"a": 1.5}) == {"a": 1.5} and team().heard(b"x") == b"x"


def test_the_checksum_sees_one_changed_bit_and_two_swapped_weights() -> None:
    model = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    before = checksum(model)
    with torch.no_grad():
        model[0].weight[1, 1] = torch.nextafter(model[0].weight[1, 1], torch.tensor(9.0))
    changed = checksum(model)
    model[0], model[1] = model[1], model[0]
    assert len({before, changed, checksum(model)}) == 3


def heard_at() -> set[tuple[str, int]]:
    """The addresses and ports at which this process listens."""
    return {
        (one.laddr.ip, one.laddr.port)
        for one in psutil.Process().net_connections("tcp")
        if one.status == psutil.CONN_LISTEN
    }


def team_size() -> int:
    return team().size


@pytest.mark.slow
def test_the_processes_of_a_machine_listen_on_loopback_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(CARD, raising=False)
    before = heard_at()
    assert {address for address, _ in in_two(heard_at) - before} in ({"127.0.0.1"}, {"::1"})
    assert CARD not in os.environ and heard_at() == before
    monkeypatch.setenv(CARD, "no such card")  # whoever names one is heeded
    with pytest.raises(LostRankError, match="did not meet"):
        in_two(heard_at, seconds=5.0)
    monkeypatch.delenv(CARD)
    assert in_two(team_size) == 2  # who could not meet once can later


def test_nobody_to_meet_is_said_and_not_waited_for_forever(tmp_path: Path) -> None:
    early = pytest.raises(LostRankError, match=r"did not meet at file://.* within 1 s .* start as many as")
    with early, joined(f"file://{tmp_path / 'meet'}", 0, 2, seconds=1.0):
        pass
    with pytest.raises(ModelError, match="0 processes are none"):
        together(lambda: 1, int, (), 0)
    assert together(lambda: 7, int, (), 1) == 7
