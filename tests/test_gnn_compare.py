"""Ways to fuse beside each other, through the door that a user has."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from gnn.compare import compare, interval
from gnn.settings import Settings
from kg.errors import KgRiskError, ModelError
from kgrisk.fusion_command import app, named
from tests.gnn_world import CUT, World, build

QUICK = Settings(epochs=2, dim=8, modalities=("numeric", "image"), encoders={"image": "appearance"})


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return build(tmp_path_factory.mktemp("world"), firms=12)


def test_every_way_stands_beside_structure_alone_and_the_window_before_the_cut_chooses(world: World) -> None:
    found = compare(world.ledger, world.files, CUT, ["late", "attention"], seeds=2, settings=QUICK).to_pylist()
    assert [row["fusion"] for row in found] == ["structure", "late", "attention"]
    assert found[0]["gain"] == found[0]["gain_low"] == 0.0 and all(row["seeds"] == 2 for row in found)
    assert [row["chosen"] for row in found] == [row["valid"] == max(r["valid"] for r in found) for row in found]
    for row in found:
        assert row["low"] <= row["mrr"] <= row["high"] and row["gain"] == pytest.approx(row["mrr"] - found[0]["mrr"])
    again = compare(world.ledger, world.files, CUT, ["late"], seeds=2, settings=QUICK).to_pylist()
    assert again[1]["mrr"] == found[1]["mrr"]


def test_each_choice_of_encoders_has_rows_of_its_own(world: World) -> None:
    settings = replace(QUICK, modalities=("image",), epochs=1, encoders={})
    choices = [{"image": "appearance"}, {"image": "cnn"}]
    found = compare(world.ledger, world.files, CUT, ["early"], choices, seeds=2, settings=settings).to_pylist()
    assert [row["encoders"] for row in found] == ["", "image: appearance", "image: cnn"]


def test_one_seed_has_no_interval_and_the_interval_of_three_is_students(world: World) -> None:
    with pytest.raises(ModelError, match="1 seed has no interval"):
        compare(world.ledger, world.files, CUT, ["late"], seeds=1, settings=QUICK)
    low, high = interval(np.array([1.0, 2.0, 3.0]))
    assert (low, high) == pytest.approx((2 - 4.302653 / np.sqrt(3), 2 + 4.302653 / np.sqrt(3)), abs=1e-5)


@pytest.mark.slow
def test_the_command_prints_the_table_and_names_what_it_does_not_know(tmp_path: Path) -> None:
    build(tmp_path, firms=12)
    asked = ["--home", str(tmp_path), "--cut", "2023-01-01", "--way", "early", "--seeds", "2", "--json"]
    said = CliRunner().invoke(app, asked, env={"KGRISK_EPOCHS": "1"})
    assert said.exit_code == 0, said.output
    rows = json.loads(said.stdout)
    assert [row["fusion"] for row in rows] == ["structure", "early"]
    assert all("stayed the same to the last bit" in row["certificate"] for row in rows)
    wrong = CliRunner().invoke(app, [*asked, "--way", "mixing"])
    assert isinstance(wrong.exception, KgRiskError) and "known: attention" in str(wrong.exception)
    assert named("text=multilingual, image=cnn") == {"text": "multilingual", "image": "cnn"}
    with pytest.raises(KgRiskError, match="'text' names no encoder"):
        named("text")
