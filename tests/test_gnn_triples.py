"""Plain triples: read as they stand, learned by name of model, ranked as the literature does."""

import json
import math
from pathlib import Path

import pytest
import torch

from gnn.evaluate import rank
from gnn.train import Recipe, rate
from gnn.trial import trial
from gnn.triples import read_triples
from kg.errors import KgRiskError, ModelError
from tests.kgrisk_world import kgrisk_here

RING = 30


def folder(path: Path, times: bool = False) -> Path:
    """A ring in which each supplies the next, and the relation back; every sixth step is held out."""
    parts: dict[str, list[str]] = {"train": [], "valid": [], "test": []}
    for n in range(RING):
        for step in (1, 2, 3):
            to = (n + step) % RING
            held = (n * 3 + step) % 12
            part = "test" if held == 0 else "valid" if held == 6 else "train"
            line = [f"e{n:02d}", f"next{step}", f"e{to:02d}", *([f"2020-01-{1 + n:02d}"] if times else [])]
            parts[part].append("\t".join(line))
            back = [f"e{to:02d}", f"back{step}", f"e{n:02d}", *([f"2020-01-{1 + n:02d}"] if times else [])]
            parts["train"].append("\t".join(back))
    for part, lines in parts.items():
        (path / f"{part}.txt").write_text("\n".join(lines) + "\n")
    return path


def test_a_folder_is_read_as_the_benchmarks_count_it(tmp_path: Path) -> None:
    split = read_triples(folder(tmp_path))
    assert len(split.graph) == RING and len(split.graph.vocabulary.relations) == 6
    assert len(split.graph.edges) + len(split.valid) + len(split.test) == 6 * RING == len(split.known)
    assert split.times is None and split.unseen == 0
    h, r, t = split.test[0].tolist()
    names = split.graph.ids[h], split.graph.vocabulary.relations[r], split.graph.ids[t]
    assert "\t".join(names) in (tmp_path / "test.txt").read_text()


def test_a_fourth_column_is_a_time_in_order(tmp_path: Path) -> None:
    split = read_triples(folder(tmp_path, times=True))
    assert split.times is not None
    assert [len(steps) for steps in split.times] == [len(rows) for rows in split.rows]
    days = [line.split("\t")[3] for line in (tmp_path / "train.txt").read_text().splitlines()]
    assert split.times[0].tolist() == [int(day[-2:]) - 1 for day in days]
    assert bool((split.graph.first <= split.graph.last).all())


@pytest.mark.parametrize(
    "width", ["no file", "two cells", "empty cell", "no lines", "times here and there", "bytes", "no time"]
)
def test_a_folder_that_is_no_split_is_refused_with_what_was_expected(tmp_path: Path, width: str) -> None:
    made = folder(tmp_path, times=width in ("times here and there", "no time"))
    valid = made / "valid.txt"
    changed = {
        "two cells": "e01\tnext1\n",
        "empty cell": "e01\t\te02\n",
        "no lines": "\n\n",
        "times here and there": "e01\tnext1\te02\n",
        "no time": "e01\tnext1\te02\tyesterday\n",
    }
    if width == "no file":
        valid.unlink()
    elif width == "bytes":
        valid.write_bytes(b"\xff\xfe\x00")
    else:
        valid.write_text(changed[width])
    with pytest.raises(ModelError, match="expected"):
        read_triples(made)


def test_complex_learns_a_ring_and_says_so_by_filtered_rank(tmp_path: Path) -> None:
    split = read_triples(folder(tmp_path))
    found = trial("complex", split, changes={"settings": {"dim": 64}, "recipe": {"epochs": 40}})
    figures = found.figures()
    assert (
        figures["mrr"] > 0.9 > trial("complex", split, changes={"recipe": {"epochs": 1, "rate": 1e-6}}).figures()["mrr"]
    )
    assert figures["mrr"] == pytest.approx((figures["head"]["mrr"] + figures["tail"]["mrr"]) / 2)
    assert figures["hits@1"] <= figures["hits@3"] <= figures["hits@10"] <= 1


def test_the_same_seed_gives_the_same_ranks(tmp_path: Path) -> None:
    split = read_triples(folder(tmp_path))
    one, two = (trial("complex", split, changes={"recipe": {"epochs": 3}}, seed=5) for _ in range(2))
    assert torch.equal(one.test.heads, two.test.heads) and torch.equal(one.test.tails, two.test.tails)


@pytest.mark.parametrize("optimiser", ["adam", "adamw", "adagrad", "sgd"])
@pytest.mark.parametrize("schedule", ["constant", "linear"])
def test_every_optimiser_lowers_the_loss_and_its_rate_is_on_the_log(
    tmp_path: Path, optimiser: str, schedule: str
) -> None:
    changes = {
        "settings": {"dim": 16, "spread": 0.3},
        "lesson": {"batch": 50},
        "recipe": {"epochs": 6, "optimiser": optimiser, "rate": 0.05, "schedule": schedule, "every": 1},
    }
    rows = trial("complex", read_triples(folder(tmp_path)), changes=changes).run.epochs
    assert rows[-1]["loss"] < rows[0]["loss"] and all("valid" in row for row in rows)
    rates = [row["rate"] for row in rows]
    assert rates == [pytest.approx(0.05 * (1 if schedule == "constant" else 1 - n / 6)) for n in range(6)]


@pytest.mark.parametrize("loss", ["softmax", "bce", "mse", "margin"])
def test_every_loss_teaches_the_ring(tmp_path: Path, loss: str) -> None:
    changes = {
        "settings": {"dim": 32, "spread": 0.1},
        "lesson": {"loss": loss, "batch": 60, "n3": 0.0},
        "recipe": {"epochs": 25, "rate": 0.1, "every": 5},
    }
    found = trial("complex", read_triples(folder(tmp_path)), changes=changes)
    assert found.run.epochs[-1]["loss"] < found.run.epochs[0]["loss"]
    assert found.figures()["mrr"] > 0.5  # chance is below 0.15


def test_a_bound_of_time_that_is_never_reached_changes_no_bit(tmp_path: Path) -> None:
    split, changes = read_triples(folder(tmp_path)), {"settings": {"dim": 16}, "recipe": {"epochs": 3}}
    one, two = (trial("complex", split, changes=changes, minutes=minutes) for minutes in (None, 500.0))
    assert [row["loss"] for row in one.run.epochs] == [row["loss"] for row in two.run.epochs]


def test_a_trial_keeps_the_epoch_that_ranked_validation_best(tmp_path: Path) -> None:
    split = read_triples(folder(tmp_path))
    changes = {"settings": {"dim": 16}, "recipe": {"epochs": 30, "rate": 2.0, "schedule": "constant", "every": 1}}
    found = trial("complex", split, changes=changes)
    values = [row["valid"] for row in found.run.epochs]
    assert found.run.value == max(values) == values[found.run.best - 1]
    assert rank(found.model, split.graph, split.valid, split.known).mrr == pytest.approx(found.run.value)


def test_what_training_never_saw_gets_a_rank_and_is_counted(tmp_path: Path) -> None:
    """A relation without training triples, a node without edges: their vectors are what they began as."""
    own = folder(tmp_path)
    with (own / "test.txt").open("a") as file:
        file.write("e00\tnever\te01\nlonely\tnext1\te01\n")
    found = trial("complex", read_triples(own), changes={"settings": {"dim": 16}, "recipe": {"epochs": 3}})
    assert read_triples(own).unseen == 1
    assert bool((found.test.tails >= 1).all()) and bool((found.test.heads <= RING + 1).all())
    split = read_triples(own)
    assert split.unseen_relations == 1
    assert split.remarks == [
        f"2 of {len(split.test)} test triples name 1 entities and 1 relations that no training triple has: nothing was "
        "learned of these, so the ranks of such triples are little more than luck."
    ]


def test_a_split_that_training_saw_wholly_has_no_remark_and_one_never_validated_says_so(tmp_path: Path) -> None:
    split = read_triples(folder(tmp_path))
    assert split.remarks == [] and split.unseen_relations == 0
    few = {"settings": {"dim": 16}, "recipe": {"epochs": 2, "every": 5}}
    early, late = (
        trial("complex", split, changes=few),
        trial("complex", split, changes={**few, "recipe": {"epochs": 2, "every": 1}}),
    )
    assert early.validated is None and early.remarks == [
        "Not validated: training ended before the first look at validation, so the last epoch was kept."
    ]
    assert late.validated == late.run.value and late.remarks == []
    assert trial("frequency", split).remarks == ["Not validated: the model learns nothing."]


def test_a_folder_that_is_not_there_is_named_once(tmp_path: Path) -> None:
    with pytest.raises(ModelError) as told:
        read_triples(tmp_path / "none")
    assert str(told.value).count(str(tmp_path)) == 1 and "Errno" not in str(told.value)


def test_one_relation_and_one_node_are_enough_to_say_so(tmp_path: Path) -> None:
    for part in ("train", "valid", "test"):
        (tmp_path / f"{part}.txt").write_text("a\tknows\ta\n")
    found = trial("complex", read_triples(tmp_path), changes={"settings": {"dim": 4}, "recipe": {"epochs": 2}})
    assert found.figures()["mrr"] == 1.0  # of one node the first is the only one


def with_wrong(own: Path) -> Path:
    """The ring with wrong triples: the same steps taken backwards."""
    for part in ("valid", "test"):
        lines = [line.split("\t") for line in (own / f"{part}.txt").read_text().splitlines()]
        (own / f"{part}_negatives.txt").write_text("\n".join("\t".join(line[::-1]) for line in lines) + "\n")
    return own


def test_wrong_triples_are_told_from_true_ones(tmp_path: Path) -> None:
    split = read_triples(with_wrong(folder(tmp_path)))
    found = trial("complex", split, changes={"settings": {"dim": 64}, "recipe": {"epochs": 30}}).calls
    assert found is not None and found["accuracy"] > 0.9 and found["f1"] > 0.9
    (tmp_path / "test_negatives.txt").write_text("e00\tnext1\tnobody\n")
    with pytest.raises(ModelError, match="nobody has a name that the other files do not have"):
        read_triples(tmp_path)


def test_time_bounds_a_trial_and_the_rate_falls_towards_it(tmp_path: Path) -> None:
    found = trial(
        "complex",
        read_triples(folder(tmp_path)),
        minutes=0.02,
        changes={"recipe": {"epochs": 10**6, "patience": 10**6}},
    )
    rates = [row["rate"] for row in found.run.epochs]
    assert 1 <= len(rates) < 10**6 and rates == sorted(rates, reverse=True)


def test_unknown_models_and_settings_are_named(tmp_path: Path) -> None:
    split = read_triples(folder(tmp_path))
    with pytest.raises(KgRiskError, match="did you mean complex"):
        trial("complx", split)
    with pytest.raises(ModelError, match="wings"):
        trial("complex", split, changes={"settings": {"wings": 2}})


def test_schedules_fall_from_the_first_rate_as_they_say() -> None:
    made = {
        name: Recipe(epochs=10, rate=0.5, schedule=name) for name in ("constant", "linear", "cosine", "exponential")
    }
    assert all(rate(recipe, 1, 0.0) == 0.5 for recipe in made.values())
    assert rate(made["linear"], 6, 0.5) == 0.25 and rate(made["cosine"], 6, 0.5) == pytest.approx(0.25)
    assert rate(made["cosine"], 4, 1 / 3) == pytest.approx(0.5 * (1 + math.cos(math.pi / 3)) / 2)
    assert rate(made["exponential"], 3, 0.2) == pytest.approx(0.5 * 0.98**2)


def test_the_command_prints_the_figures_as_json(tmp_path: Path) -> None:
    own = folder(tmp_path)
    done = kgrisk_here("train", "--triples", own, "--model", "complex", "--epochs", "5", "--json", cwd=tmp_path)
    told = json.loads(done.stdout)
    assert told["model"] == "complex" and told["seconds"] > 0 and told["peak_memory_bytes"] > 10**7
    assert set(told["test"]) == {"mrr", "hits@1", "hits@3", "hits@10", "head", "tail", "protocol"}
    assert (told["unseen"], told["unseen_relations"]) == (0, 0)
    for remark in told["remarks"]:
        assert remark in " ".join(done.stderr.split())


@pytest.mark.real
def test_a_public_set_is_learned_by_the_plan(real_data: Path) -> None:
    found = trial("complex", read_triples(real_data / "link-prediction" / "umls"))
    assert found.figures()["mrr"] > 0.945  # measured .9616
