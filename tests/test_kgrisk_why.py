"""What a model said tells why: shares that add up, and parts that each stand in a document."""

import json
from collections.abc import Iterator
from dataclasses import replace
from math import exp
from pathlib import Path
from shutil import move
from typing import Any

import numpy as np
import pytest

import kgrisk
from gnn.calibrate import Platt
from gnn.explaining import firm
from gnn.explaining.regarded import regarded
from gnn.heads.network import Network
from gnn.heads.propagated import Propagated
from gnn.judge import Judge
from gnn.model import Shape
from gnn.models.relational import Relational
from gnn.pipeline import Settings, publish, train
from ingest.locate import locate
from kg.errors import KgRiskError, ModelError
from kg.files import Files
from kg.ledger import Ledger
from kg.model import AsOf
from kgrisk.api import Graph
from kgrisk.why import lines, run_of
from tests.gnn_world import CUT, build
from tests.kgrisk_world import kgrisk_here

AT = ("--valid", "2023-01-01")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose ledger holds a small planted world and what a run published of it."""
    folder = tmp_path_factory.mktemp("why") / "home"
    world = build(folder, firms=30, told=True)
    quick = Settings(
        epochs=2,
        dim=8,
        encoders={"image": "appearance"},
        links_each=3,
        members=1,
        cohorts=3,
        amount=None,
        cache=folder / "cache",
    )
    result = train(world.ledger, world.files, CUT, out=folder / "runs", settings=quick)
    publish(world.ledger, world.files, result)
    return folder


@pytest.fixture(scope="module")
def graph(home: Path) -> Iterator[Graph]:
    with kgrisk.open(home) as opened:
        yield opened


@pytest.fixture(scope="module")
def worst(graph: Graph) -> str:
    """The firm of the highest score."""
    return str(graph.scores().rows()[0]["id"])


@pytest.fixture(scope="module")
def story(graph: Graph, worst: str) -> dict[str, Any]:
    return graph.why(f"distress:{worst}", saliency=True)


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
    if story["interval"]:  # this run has one member: ends, where there are any, are what missing modalities may move
        assert story["interval"][0] <= story["published"] <= story["interval"][1] > story["interval"][0]
    else:
        assert story["remark"] == "no interval: one member tells no disagreement"


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
        assert part["words"] in part["quote"] or (not part["read_back"] and part["note"] == "not located")
        if part["read_back"]:  # a span of its own, as every document of this world is plain text
            assert locate(files.get(part["document"]), part["locator"], "registers") == part["words"] == part["quote"]
    assert any(part["read_back"] for part in words)
    boxes = [part for value in values if value["modality"] == "image" for part in value["parts"]]
    assert boxes and all(part["locator"].startswith("page:1 box:") and part["document"] in files for part in boxes)


def test_the_command_tells_the_same_as_python(home: Path, worst: str, story: dict[str, Any]) -> None:
    found = told(home, f"distress:{worst}", "--saliency")
    assert found["story"]["shares"] == story["shares"] and len(found["story"]["saliency"]) == len(story["saliency"])
    done = kgrisk_here("explain", f"distress:{worst}", "--saliency", "--home", home, cwd=home.parent)
    assert " structure" in done.stdout and " chars:" in done.stdout and "page:1 box:" in done.stdout
    assert "what each part adds to the log odds:" in done.stdout and "without" not in done.stdout
    for edge in found["story"]["edges"]:
        assert f"{edge['effect']:+.2f} edge {edge['words']}\n" in done.stdout
    for figure in found["story"]["figures"]:
        assert f"{figure['effect']:+.2f} figure {figure['name']} (" in done.stdout
    assert ".000000000" not in done.stdout


def test_a_place_is_told_once_however_many_figures_stand_in_it(story: dict[str, Any]) -> None:
    told = list(lines({key: value for key, value in story.items() if key != "saliency"} | {"edges": []}))
    rows = {(row["document"], row["locator"]) for figure in story["figures"] for row in figure["evidence"]}
    assert (
        sum(line.startswith("    ") for line in told) == len(rows) < sum(len(f["evidence"]) for f in story["figures"])
    )


def test_a_score_of_later_than_what_is_asked_is_told_as_that(home: Path, worst: str) -> None:
    asked = ("--valid", "2099-01-01", "--published", "2020-01-01")
    done = kgrisk_here("explain", f"distress:{worst}", *asked, "--home", home, cwd=home.parent)
    assert done.returncode == 1 and "no model has scored" not in done.stderr
    assert "asked was what holds at 2099-01-01, as published by 2020-01-01" in done.stderr.replace("\n", " ")
    assert "the first score was published 2023-01-01" in done.stderr.replace("\n", " ")


def test_people_read_the_sum_and_an_edge_that_was_stated_has_none(home: Path) -> None:
    done = kgrisk_here("explain", predicted(home), *AT, "--home", home, cwd=home.parent).stdout
    assert "log odds against chance" in done and " structure" in done and " numeric" in done
    stated = Ledger.open(home / "ledger").view(AsOf(valid=CUT)).edges_of("LENDS_TO")["id"][0].as_py()
    assert "story" not in told(home, stated, *AT)


def test_the_figures_that_a_brief_tells_are_those_of_the_story(graph: Graph, worst: str, story: dict[str, Any]) -> None:
    own = [(part["name"], part["effect"], [row["statement"] for row in part["evidence"]]) for part in story["figures"]]
    told = graph.moving(worst)
    assert own == [(part["name"], part["effect"], [row["statement"] for row in part["evidence"]]) for part in told]
    said = [sentence for section in graph.brief(worst).sections if section.name == "scores" for sentence in section]
    named = [sentence.text.split()[2] for sentence in said if sentence.text.startswith("Its figure")]
    assert set(named) <= {part["name"].replace("_", " ").split()[0] for part in told} and named


def test_what_has_no_score_says_why(graph: Graph, home: Path) -> None:
    with pytest.raises(KgRiskError, match="entity 'reg:nobody' is unknown"):
        graph.why("distress:reg:nobody")
    scored = set(graph.scores()["id"])
    fallen = next(id for id in (f"reg:firm{n:03d}" for n in range(30)) if id not in scored)
    with pytest.raises(KgRiskError, match=rf"{fallen} has .*no score: .*not in distress"):
        graph.why(f"distress:{fallen}")
    with pytest.raises(KgRiskError, match="saliency is of a score, this is a link"):
        graph.why(predicted(home), AsOf(valid=CUT), saliency=True)


def test_a_run_that_kept_no_head_or_is_gone_says_so(graph: Graph, home: Path, worst: str) -> None:
    folder = next(path.parent for path in home.glob("runs/*/head"))
    for there in (folder / "head", home / "runs"):
        move(there, home / "elsewhere")
        try:
            with pytest.raises((KgRiskError, ModelError), match="train again"):
                graph.why(f"distress:{worst}")
            done = kgrisk_here("explain", f"distress:{worst}", "--home", home, "--json", cwd=home.parent)
            assert "cannot be told" in done.stderr
            found = json.loads(done.stdout)
            assert "story" not in found and found["evidence"] and found["what"]["property"] == "distress"
        finally:
            move(home / "elsewhere", there)


@pytest.mark.parametrize("of, parts", [("firms", "edges"), ("firms", "figures"), ("links", "modalities")])
def test_explanations_are_tested_against_random_orders(home: Path, graph: Graph, of: str, parts: str) -> None:
    args = ("faithful", "--of", of, "--parts", parts, "--count", "4", "--home", home)
    told = json.loads(kgrisk_here(*args, "--json", cwd=home.parent).stdout)
    found = graph.faithfulness(of, parts, count=4)
    assert told["deletion"] == pytest.approx(found.deletion) and told["verdict"] == found.verdict()
    assert [row["share"] for row in told["curve"]] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0])
    whole = told["curve"][-1]  # with everything away there is no order any more
    assert whole["deletion"] == pytest.approx(whole["deletion_by_chance"])
    assert found.count >= 2 and f"Too few to tell: {found.count} explained" in found.verdict() and told["holds"] is None


def test_ten_that_are_explained_have_a_verdict(graph: Graph) -> None:
    found = graph.faithfulness("firms", "modalities", count=10)
    assert found.count == 10 and ("beats" in found.verdict() or "cannot be told from" in found.verdict())


def test_attention_is_shown_with_its_faithfulness(home: Path, graph: Graph) -> None:
    told = json.loads(kgrisk_here("attention", "--home", home, "--json", cwd=home.parent).stdout)
    assert told["fusion"] == "attention" and told["rows"][0]["modality"] == "all"
    assert {row["modality"] for row in told["rows"][1:]} <= {"image", "numeric", "text"}
    assert told["faithfulness"]["curve"] and told["verdict"] == graph.attention().verdict()
    said = " ".join(kgrisk_here("attention", "--home", home, cwd=home.parent).stdout.split())
    assert said.endswith(graph.attention().verdict()) and "explained" in said


def test_a_surrogate_says_how_true_it_is_to_the_scores(home: Path, graph: Graph) -> None:
    told = json.loads(kgrisk_here("surrogate", "--depth", "2", "--home", home, "--json", cwd=home.parent).stdout)
    found = graph.surrogate(depth=2)
    assert told["r2"] == pytest.approx(found.r2) and told["verdict"] == found.verdict() and len(told["rules"]) <= 4
    assert f"R2 {found.r2:.2f}" in found.verdict() and "by guess" in found.verdict()


def test_what_cannot_be_tested_is_a_clear_error(home: Path, graph: Graph, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no attribution of links by figures; there are: firms by edges"):
        graph.faithfulness("links", "figures")
    with pytest.raises(ModelError, match="no surrogate is of kind 'forest'; give tree or linear"):
        graph.surrogate("forest")
    with pytest.raises(ModelError, match="depth of 1 or more"):
        graph.surrogate(depth=0)
    for args in (("surrogate", "--kind", "forest"), ("faithful", "--of", "banks"), ("faithful", "--parts", "x")):
        assert "is not one of" in kgrisk_here(*args, "--home", home, cwd=home.parent).stderr
    with pytest.raises(KgRiskError, match="firms or links, not of 'banks'"):
        graph.attention("banks")
    with pytest.raises(ModelError, match="0 runs in"):
        graph.attention(run="none")
    with kgrisk.open(tmp_path) as empty, pytest.raises(KgRiskError, match="train first"):
        empty.faithfulness()


def test_a_head_and_a_model_without_fusion_say_so(graph: Graph, home: Path) -> None:
    run = run_of(graph, next(path.parent for path in home.glob("runs/*/head")))
    bare = Relational(Shape(len(run.graph)), dim=4)
    with pytest.raises(ModelError, match="fuses no modalities"):
        regarded(replace(run, model=bare))
    plain = replace(run)
    plain.__dict__["judge"] = Judge(Propagated(), Platt(1.0, 0.0))
    with pytest.raises(ModelError, match="head 'propagated' has no fusion"):
        regarded(plain, "firms")


def test_the_network_head_is_kept_and_told_as_the_regression_is(graph: Graph, home: Path, tmp_path: Path) -> None:
    run = run_of(graph, next(path.parent for path in home.glob("runs/*/head")))
    head = Network(0)
    head.recipe = replace(head.recipe, epochs=2)
    fell = replace(run.cohort, truth=(np.arange(len(run.cohort)) % 5 == 0).astype(float))
    head.fit([fell], fell)
    Judge(head, Platt(2.0, -1.0)).save(tmp_path)
    again = Judge.load(tmp_path)
    assert np.array_equal(again.predict(run.cohort), Judge(head, Platt(2.0, -1.0)).predict(run.cohort))
    own = replace(run)
    own.__dict__["judge"] = again
    story = firm.told(own, run.graph.ids[int(run.cohort.rows[-1])])
    assert story.head == "network" and story.base + sum(story.shares.values()) == pytest.approx(story.log_odds)
    assert regarded(own, "firms").rows[0].nodes > 0
