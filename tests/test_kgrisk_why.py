"""A predicted link tells what made the model expect it: shares that add up, and paths with what each is worth."""

import json
from pathlib import Path
from shutil import move

import pytest

from gnn.pipeline import Settings, publish, train
from kg.ledger import Ledger
from kg.model import AsOf
from tests.gnn_world import CUT, build
from tests.kgrisk_world import kgrisk_here


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose ledger holds a small planted world and what a run published of it."""
    folder = tmp_path_factory.mktemp("why") / "home"
    world = build(folder, firms=30)
    quick = Settings(epochs=4, dim=16, modalities=("numeric",), links_each=3)
    result = train(world.ledger, world.files, CUT, out=folder / "runs", settings=quick)
    publish(world.ledger, world.files, result)
    return folder


def predicted(home: Path) -> str:
    edges = Ledger.open(home / "ledger").view(AsOf(valid=CUT)).edges_of("PREDICTED")
    return str(edges["id"][0].as_py())


def test_the_shares_of_a_predicted_link_add_up_to_its_log_odds(home: Path) -> None:
    done = kgrisk_here("explain", predicted(home), "--valid", "2023-01-01", "--home", home, "--json", cwd=home.parent)
    assert done.returncode == 0, done.stderr
    story = json.loads(done.stdout)["story"]
    assert set(story["shares"]) == {"structure", "numeric"}
    assert story["base"] + sum(story["shares"].values()) == pytest.approx(story["log_odds"], abs=1e-6)
    for reason in story["reasons"]:
        for edge in reason["edges"]:
            assert kgrisk_here("explain", edge, "--home", home, cwd=home.parent).returncode == 0


def test_people_read_the_sum_and_an_edge_that_was_stated_has_none(home: Path) -> None:
    told = kgrisk_here("explain", predicted(home), "--valid", "2023-01-01", "--home", home, cwd=home.parent).stdout
    assert "log odds against chance" in told and " structure" in told and " numeric" in told
    stated = Ledger.open(home / "ledger").view(AsOf(valid=CUT)).edges_of("LENDS_TO")["id"][0].as_py()
    done = kgrisk_here("explain", stated, "--valid", "2023-01-01", "--home", home, "--json", cwd=home.parent)
    assert "story" not in json.loads(done.stdout)


def test_without_the_folder_of_its_run_a_predicted_link_still_shows_its_evidence(home: Path) -> None:
    move(home / "runs", home / "elsewhere")
    try:
        done = kgrisk_here(
            "explain", predicted(home), "--valid", "2023-01-01", "--home", home, "--json", cwd=home.parent
        )
    finally:
        move(home / "elsewhere", home / "runs")
    told = json.loads(done.stdout)
    assert "story" not in told and told["evidence"] and told["what"]["type"] == "PREDICTED"
