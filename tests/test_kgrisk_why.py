"""What a model said tells why: shares that add up, and parts that each stand in a document."""

import json
from collections.abc import Iterator
from math import exp
from pathlib import Path
from shutil import move
from typing import Any

import pytest

import kgrisk
from gnn.pipeline import Settings, publish, train
from ingest.locate import locate
from kg.errors import KgRiskError, ModelError
from kg.files import Files
from kg.ledger import Ledger
from kg.model import AsOf
from kgrisk.api import Graph
from tests.gnn_world import CUT, build
from tests.kgrisk_world import kgrisk_here

AT = ("--valid", "2023-01-01")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose ledger holds a small planted world and what a run published of it."""
    folder = tmp_path_factory.mktemp("why") / "home"
    world = build(folder, firms=30, told=True)
    quick = Settings(
        epochs=2, dim=8, encoders={"image": "appearance"}, links_each=3, members=1, cohorts=3, amount=None, cache=folder / "cache"
    )
    result = train(world.ledger, world.files, CUT, out=folder / "runs", settings=quick)
    publish(world.ledger, world.files, result)
    return folder


@pytest.fixture(scope="module")
def graph(home: Path) -> Iterator[Graph]:
    with kgrisk.open(home) as opened:
        yield opened


@pytest.fixture(scope="module")
def firm(graph: Graph) -> str:
    """The firm of the highest score."""
    return str(graph.scores().rows()[0]["id"])


@pytest.fixture(scope="module")
def story(graph: Graph, firm: str) -> dict[str, Any]:
    return graph.why(f"distress:{firm}", saliency=True)


def predicted(home: Path) -> str:
    edges = Ledger.open(home / "ledger").view(AsOf(valid=CUT)).edges_of("PREDICTED")
    return str(edges["id"][0].as_py())


def told(home: Path, *args: str | Path) -> dict[str, Any]:
    done = kgrisk_here("explain", *args, "--home", home, "--json", cwd=home.parent)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_the_shares_of_a_predicted_link_add_up_to_its_log_odds(home: Path) -> None:
    story = told(home, predicted(home), *AT)["story"]
    assert set(story["shares"]) == {"structure", "image", "numeric", "text"}
    assert story["base"] + sum(story["shares"].values()) == pytest.approx(story["log_odds"], abs=1e-6)
    for reason in story["reasons"]:
        assert [proof["edge"] for proof in reason["proof"]] == reason["edges"]
        assert all(proof["read_back"] and proof["quote"] for proof in reason["proof"])


def test_the_shares_of_a_score_add_up_to_the_log_odds_that_were_published(story: dict[str, Any]) -> None:
    assert set(story["shares"]) == {"structure", "image", "numeric", "text"}
    assert story["base"] + sum(story["shares"].values()) == pytest.approx(story["log_odds"], abs=1e-9)
    assert 1 / (1 + exp(-story["log_odds"])) == pytest.approx(story["published"], abs=1e-9) == story["probability"]
    assert story["interval"][0] <= story["published"] <= story["interval"][1]


def test_figures_and_edges_of_a_score_stand_in_documents(home: Path, story: dict[str, Any]) -> None:
    assert story["figures"] and story["edges"]
    files = Files(home / "files")
    rows = [row for figure in story["figures"] for row in figure["evidence"]]
    assert all({"property", "value"} <= row.keys() for row in rows)
    for proof in rows + [edge["proof"] for edge in story["edges"]]:
        assert proof["read_back"] and proof["quote"]
        assert locate(files.get(proof["document"]), proof["locator"], "registers") == proof["quote"]


def test_saliency_goes_down_to_words_and_boxes_of_the_documents(home: Path, story: dict[str, Any]) -> None:
    files, values = Files(home / "files"), story["saliency"]
    assert {value["modality"] for value in values} == {"image", "text"}
    words = [part for value in values if value["modality"] == "text" for part in value["parts"]]
    assert words
    for part in words:
        if "within" not in part:  # its claim stands in a span of text, so the words have a span of their own
            assert locate(files.get(part["document"]), part["locator"], "registers") == part["words"] == part["quote"]
    assert any("within" not in part for part in words)
    boxes = [part for value in values if value["modality"] == "image" for part in value["parts"]]
    assert boxes and all(part["locator"].startswith("page:1 box:") and part["document"] in files for part in boxes)


def test_the_command_tells_the_same_as_python(home: Path, firm: str, story: dict[str, Any]) -> None:
    found = told(home, f"distress:{firm}", "--saliency")
    assert found["story"]["shares"] == story["shares"] and len(found["story"]["saliency"]) == len(story["saliency"])
    done = kgrisk_here("explain", f"distress:{firm}", "--saliency", "--home", home, cwd=home.parent)
    assert " structure" in done.stdout and "without chars:" in done.stdout and "page:1 box:" in done.stdout


def test_people_read_the_sum_and_an_edge_that_was_stated_has_none(home: Path) -> None:
    done = kgrisk_here("explain", predicted(home), *AT, "--home", home, cwd=home.parent).stdout
    assert "log odds against chance" in done and " structure" in done and " numeric" in done
    stated = Ledger.open(home / "ledger").view(AsOf(valid=CUT)).edges_of("LENDS_TO")["id"][0].as_py()
    assert "story" not in told(home, stated, *AT)


def test_what_has_no_score_says_why(graph: Graph, home: Path) -> None:
    with pytest.raises(KgRiskError, match="entity 'reg:nobody' is unknown"):
        graph.why("distress:reg:nobody")
    scored = set(graph.scores()["id"])
    fallen = next(id for id in (f"reg:firm{n:03d}" for n in range(30)) if id not in scored)
    with pytest.raises(KgRiskError, match=rf"{fallen} has .*no score: .*not in distress"):
        graph.why(f"distress:{fallen}")
    with pytest.raises(KgRiskError, match="saliency is of a score, this is a link"):
        graph.why(predicted(home), AsOf(valid=CUT), saliency=True)


def test_a_run_that_kept_no_head_or_is_gone_says_so(graph: Graph, home: Path, firm: str) -> None:
    folder = next(path.parent for path in home.glob("runs/*/head"))
    for there in (folder / "head", home / "runs"):
        move(there, home / "elsewhere")
        try:
            with pytest.raises((KgRiskError, ModelError), match="train again"):
                graph.why(f"distress:{firm}")
            done = kgrisk_here("explain", f"distress:{firm}", "--home", home, "--json", cwd=home.parent)
            assert "cannot be told" in done.stderr
            found = json.loads(done.stdout)
            assert "story" not in found and found["evidence"] and found["what"]["property"] == "distress"
        finally:
            move(home / "elsewhere", there)
