"""The training loop on a Ray cluster of two nodes is that of one process, also when a node dies on the way."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from gnn.checkpoint import load_tensors
from gnn.distributed import team
from kg.errors import ExecutorError, LostRankError, ModelError
from kgrisk.ray import Ray
from kgrisk.ray_train import Fleet, _given_back, _loop, train
from tests.ray_cluster import Nodes, two_nodes
from tests.teams import fitted, in_two, on_cluster
from tests.test_gnn_distributed import LOOSE, apart

pytestmark = [pytest.mark.ray, pytest.mark.slow]


def failing(folder: Path) -> dict[str, Any]:
    with (folder / "begun").open("a") as file:
        file.write("begun\n")
    raise ModelError("this graph has no edges; give one that has")


def stalled(folder: Path) -> dict[str, Any]:
    """Work that one process takes from the other: it dies each time it is begun."""
    if team().rank:
        with (folder / "begun").open("a") as file:
            file.write("begun\n")
        os.kill(os.getpid(), signal.SIGKILL)
    return {"sum": team().same(1)}


@pytest.fixture(scope="module")
def nodes() -> Any:
    with two_nodes() as made:
        yield made


def test_two_processes_on_two_nodes_end_as_one_process_and_as_two_beside_each_other(
    nodes: Nodes, tmp_path: Path
) -> None:
    told = train(Fleet(nodes.address, 2, 2), on_cluster, ("links", False), tmp_path)
    run, alone = fitted("links", False)
    assert told["processes"] == 2 and told["best"] == run.best and told["epochs"] == len(run.epochs)
    weights, facts = load_tensors(tmp_path / "done")
    assert apart(weights, alone) <= LOOSE and facts["best"] == run.best
    assert told["value"] == pytest.approx(run.value, abs=LOOSE)
    assert apart(weights, in_two(fitted, "links", False)[1]) == 0.0  # both add two numbers, whose order is no matter


def test_what_the_work_refuses_is_said_as_it_is_and_asked_once(nodes: Nodes, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="this graph has no edges"):
        train(Fleet(nodes.address, 1, 1), failing, (), tmp_path)
    assert (tmp_path / "begun").read_text() == "begun\n"


@pytest.mark.faults
def test_a_process_that_dies_each_time_is_given_up_with_a_word(nodes: Nodes, tmp_path: Path) -> None:
    with pytest.raises((ExecutorError, LostRankError), match=r"start (it|the run) .*goes on from the last whole epoch"):
        train(Fleet(nodes.address, 2, 2, losses=1), stalled, (), tmp_path)
    assert (tmp_path / "begun").read_text() == "begun\n" * 2


def test_what_a_lost_run_had_reserved_is_free_again_and_nothing_else(nodes: Nodes) -> None:
    from ray.util.placement_group import placement_group, placement_group_table, remove_placement_group

    def states() -> list[str]:
        return [placement_group_table(one)["state"] for one in (before, within)]

    with Ray(nodes.address):
        before = placement_group([{"CPU": 1}])
        assert before.wait(60)
        with _given_back():
            within = placement_group([{"CPU": 1}])
            assert within.wait(60) and states() == ["CREATED", "CREATED"]
        assert states() == ["CREATED", "REMOVED"]
        next_one = placement_group([{"CPU": 1}])
        assert next_one.wait(60)
        for one in (before, next_one):
            remove_placement_group(one)


def test_a_machine_that_does_not_see_the_folder_of_the_run_says_so(tmp_path: Path) -> None:
    with pytest.raises(ExecutorError, match=r"does not see .* put the home on a disk that every machine"):
        _loop(failing, (), str(tmp_path), "cpu")


@pytest.mark.faults
def test_a_node_that_dies_on_the_way_costs_the_epoch_and_changes_nothing(nodes: Nodes, tmp_path: Path) -> None:
    def watch() -> None:
        end = time.monotonic() + 300
        while not all((tmp_path / f"here-{rank}").exists() for rank in (0, 1)) and time.monotonic() < end:
            time.sleep(0.1)
        epochs.append(len(load_tensors(tmp_path / "state")[1]["epochs"]))
        nodes.kill()
        (tmp_path / "died").touch()

    epochs = list[int]()
    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        told = train(Fleet(nodes.address, 2, 1), on_cluster, ("links", True), tmp_path)
    finally:
        watcher.join()
        nodes.add()
    run, alone = fitted("links", False)
    assert epochs == [2]  # there was something to go on from
    assert told["epochs"] == len(run.epochs) and told["best"] == run.best
    assert apart(load_tensors(tmp_path / "done")[0], alone) <= LOOSE


def test_numbers_of_processes_that_cannot_be_are_refused() -> None:
    for processes, least in ((0, 0), (1, 2), (2, 0)):
        with pytest.raises(ExecutorError, match="processes cannot be; ask for 1 or more"):
            Fleet("auto", processes, least)
