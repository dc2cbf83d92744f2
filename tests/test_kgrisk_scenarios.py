"""Scenarios from the library and from YAML: read, refused, compared, saved, reversed, taken apart and replayed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from kg.errors import KgRiskError, MeasureError
from kg.model import AsOf, as_time
from kgrisk.api import Graph
from kgrisk.settings import Settings
from queries.whatif import Scenario, find, library
from tests.kgrisk_world import BIG, FIRM, SMALL, kgrisk_here, write_registers

AT = AsOf(valid=as_time(date(2021, 1, 1)))
HEAD = "name: a\ndate: 2021-01-01\nnarrative: n\nsource: s\n"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scenarios")
    home = folder / "home"
    with Graph(home, Settings.load(home=home)) as graph:
        graph.ingest(write_registers(folder / "files"))
        graph.resolve()
    return home


@pytest.fixture
def graph(home: Path) -> Iterator[Graph]:
    with Graph(home, Settings.load(home=home)) as graph:
        yield graph


def test_every_scenario_of_the_library_says_what_it_is_and_whence() -> None:
    found = library()
    assert len(found) >= 4
    for name, scenario in found.items():
        assert scenario.name == name and len(scenario.narrative) > 30 and scenario.source and scenario.shocks


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("name: [", "is no YAML"),
        ("- a", "expected name, date, narrative, source, shocks, not list"),
        ("name: a\nshocks: [{fails: x}]", "date, narrative, source is missing"),
        ("name: a\ndate: soon\nnarrative: n\nsource: s\nshocks: [{fails: x}]", "'soon' is no date"),
        (HEAD, "a scenario supposes something"),
        (HEAD + "shock: []", "'shock' is unknown"),
        (HEAD + "shocks: {fails: x}", "expected a list, not dict"),
        (HEAD + "shocks: [{looses: 0.3}]", "shock 1: .*looses.* is not understood"),
        (HEAD + "changes: [{edges: {type: OWNS}, scale: 1, by: 2}]", "change 1"),
        (HEAD + "shocks: [!!python/object/apply:os.system [ls]]", "is no YAML"),
    ],
)
def test_a_scenario_that_cannot_be_read_says_where_and_what_is_expected(text: str, told: str) -> None:
    with pytest.raises(MeasureError, match=told):
        Scenario.read(text, "a.yaml")


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ('shocks: [{fails: "lei:nobody"}]', "nobody in the graph has id lei:nobody at this instant"),
        ("shocks: [{loses: 0.5, who: {label: Bnak}}]", "has label Bnak at this instant; labels here: .*Bank, Company"),
        ("shocks: [{loses: 0.5, who: {country: XX}}]", "has country XX at this instant; known here: DE, FR, GB"),
        ("shocks: [{loses: 0.5, who: {label: Bank, country: FR}}]", "nobody fits all of them"),
        ("shocks: [{loses: 1.5, who: {label: Bank}}]", "loses: 1.5 is no fraction"),
        ("shocks: [{loses: 0.5, of: debts, who: {label: Bank}}]", "of: 'debts' is unknown"),
        ("shocks: [{loses: 0.5}]", "who is hit"),
        ("shocks: [{loses: 0.5, who: {colour: red}}]", "'colour' selects nothing"),
        ("shocks: [{score: distress}]", "train and publish scores first"),
        ("changes: [{edges: {type: LENDSTO}, scale: 1}]", "'LENDSTO' is unknown; did you mean LENDS_TO"),
        ("changes: [{edges: {type: OWNS}, scale: 1}]", "no OWNS edge at this instant"),
        ("changes: [{edges: {type: LENDS_TO}, scale: -1}]", "scale -1"),
        ("changes: [{add: {type: LENDS_TO, from: a}}]", "add needs amount, currency, from, to, type"),
    ],
)
def test_a_scenario_that_does_not_fit_the_graph_is_refused(graph: Graph, lines: str, told: str) -> None:
    with pytest.raises(MeasureError, match=told):
        graph.suppose(Scenario.read(HEAD + lines), AT)


def test_an_unknown_scenario_is_named_with_what_is_known() -> None:
    with pytest.raises(MeasureError, match="did you mean predicted_distress"):
        find("predicted_distres")
    with pytest.raises(MeasureError, match=r"no scenario file nowhere\.yaml"):
        find("nowhere.yaml")


def test_two_scenarios_are_compared_and_their_difference_is_that_of_their_losses(graph: Graph) -> None:
    mild = Scenario.read(HEAD + "shocks: [{loses: 0.1, of: external, who: {label: Company}}]")
    rows = graph.compare(mild, Scenario.read(HEAD + f'shocks: [{{fails: "{FIRM}"}}]'), "eisenberg_noe", at=AT).rows()
    assert [row["more"] for row in rows] == sorted((row["more"] for row in rows), key=lambda more: -abs(more))
    assert all(row["more"] == row["other"] - row["one"] for row in rows) and rows[0]["id"] == FIRM


def test_a_saved_run_keeps_large_losses_as_claims_and_all_of_them_as_an_artefact(graph: Graph) -> None:
    what_if = graph.suppose(Scenario.read(HEAD + f'shocks: [{{fails: "{FIRM}"}}]'), AT)
    risk = what_if.risk("eisenberg_noe")
    small, large = sorted(loss for loss in risk.losses.loss[0].tolist() if loss > 0)[:1], max(risk.losses.loss[0])
    what_if.save(risk, over=(small[0] + large) / 2)
    snapshot = graph.snapshot()
    told = snapshot.facts_of("contagion_loss")
    assert told.num_rows == 1 and snapshot.ids[told["subject"][0].as_py()] == FIRM
    assert [id for id in snapshot.ids if id.startswith("doc:")], "the run is a document of the graph"
    manifest = json.loads(graph.files.get(graph.explain(f"contagion_loss:{FIRM}").run["run"]))
    assert manifest["details"]["answer"] in graph.files
    found = graph.replay(f"contagion_loss:{FIRM}")
    assert found.same and found.kind == "risk" and found.moved == ()


def test_a_number_is_the_same_to_the_bit_after_the_graph_has_moved_on(graph: Graph) -> None:
    graph.risk("debtrank", f"{FIRM}=0.5", publish=True, at=AT)
    run = graph.explain(f"contagion_loss:{FIRM}").run["run"]
    graph.risk("eisenberg_noe", BIG, publish=True, at=AT)
    found = graph.replay(run)
    assert found.same and found.commit < graph.ledger.head


def test_a_run_whose_answer_was_tampered_with_is_not_the_same(graph: Graph) -> None:
    graph.risk("debtrank", f"{FIRM}=0.4", publish=True, at=AT)
    run = graph.explain(f"contagion_loss:{FIRM}").run["run"]
    told = json.loads(graph.files.get(run))
    told["details"]["rows"][0] = told["details"]["rows"][0].replace("loses 1", "loses 2")
    forged = graph.files.put(json.dumps(told, sort_keys=True, ensure_ascii=False).encode())
    found = graph.replay(forged)
    assert not found.same and found.moved == ("rows",)


def test_what_was_read_and_not_computed_is_not_replayed(graph: Graph) -> None:
    with pytest.raises(KgRiskError, match="not computed: `kgrisk explain`"):
        graph.replay(f"equity:{BIG}")


def test_the_smallest_failure_that_is_enough_is_named(graph: Graph) -> None:
    (row,) = graph.reverse(f"loss:{SMALL}>=1", "eisenberg_noe", at=AT).rows()
    assert row["smallest"] and len(row["ids"]) == 1 and row["own_loss"] > 0
    scenario = Scenario.read(HEAD + f'shocks: [{{loses: 0.01, of: external, who: {{id: "{FIRM}"}}}}]')
    (scale,) = graph.reverse(f"fails:{FIRM}", "eisenberg_noe", scenario, at=AT).rows()
    assert scale["scale"] == pytest.approx(30 / 0.9, rel=1e-6), "equity 30 of 90 outside, lost by 0.9 at a time"


def test_a_loss_is_told_path_by_path_with_the_words_behind_every_hop(graph: Graph) -> None:
    risk = graph.risk("eisenberg_noe", FIRM, at=AT)
    found = graph.attribution(risk, BIG)
    *paths, rest = found.rows()
    assert sum(row["loss"] for row in found) == pytest.approx(risk.losses.loss[0, risk.losses.exposures.index[BIG]])
    assert paths[0]["path"] == "Big Bank AG <- Steel Works SA" and "40.00" in paths[0]["quotes"][0]
    assert paths[0]["without"] == pytest.approx(paths[0]["loss"]) and rest["path"] == "all other paths"


def test_the_commands_do_what_the_api_does(home: Path, tmp_path: Path) -> None:
    story = tmp_path / "story.yaml"
    story.write_text(HEAD.replace("name: a", "name: story") + f'shocks: [{{fails: "{FIRM}"}}]\n')

    def asked(*words: str) -> str:
        found = kgrisk_here(*words, "--home", str(home), "--valid", "2021-01-01", "--json", cwd=tmp_path)
        assert found.returncode == 0, found.stderr
        return found.stdout

    listed = json.loads(kgrisk_here("scenarios", "--json", cwd=tmp_path).stdout)
    assert {row["name"] for row in listed} >= {"predicted_distress"}
    losses = json.loads(asked("suppose", str(story), "--measure", "eisenberg_noe"))
    assert losses["losses"][0]["id"] == FIRM and losses["converged"] and losses["unit"] == "EUR"
    harsh = json.loads(asked("suppose", str(story), "--measure", "rogers_veraart", "--param", "alpha=0.5"))
    assert harsh["total"] >= losses["total"]
    changed = json.loads(asked("suppose", str(story), "--query", "exposure_to_distressed", "--changed"))
    assert [row["change"] for row in changed] == ["new"] and changed[0]["debtor"] == FIRM
    compared = json.loads(asked("compare", str(story), "banks_lose_three_tenths", "--measure", "debtrank"))
    assert {row["id"] for row in compared} == {BIG, SMALL, FIRM}
    assert json.loads(asked("reverse", f"fails:{BIG}", "--measure", "eisenberg_noe"))[0]["smallest"] is True
    told = json.loads(asked("attribute", "--scenario", str(story), "--entity", BIG))
    assert told == json.loads(asked("attribute", "eisenberg_noe", "--scenario", str(story), "--entity", BIG))
    debtrank = (("debtrank",), ("--measure", "debtrank"))
    both = [asked("attribute", *way, "--shock", FIRM, "--entity", BIG) for way in debtrank]
    assert both[0] == both[1]
    assert told["paths"][-1]["path"] == "all other paths"
    asked("suppose", str(story), "--measure", "eisenberg_noe", "--save")
    assert json.loads(asked("replay", f"contagion_loss:{FIRM}"))["same"] is True


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("suppose", "predicted_distress", "--query", "exposure_to_distressed", "--save"), "--save is of a measure"),
        (("suppose", "predicted_distress", "--query", "loans", "--over", "0"), "--over is of a measure"),
        (("suppose", "predicted_distress", "--over", "5"), "--over says which losses are saved; add --save"),
        (("suppose", "predicted_distress", "--changed"), "--changed is of a named query"),
        (("suppose", "predicted_distress", "top=3"), "top=3 is of a named query"),
        (("attribute", "debtrank", "--measure", "neva"), "debtrank and --measure neva are two measures"),
    ],
)
def test_an_option_that_would_do_nothing_is_refused_with_why(
    home: Path, tmp_path: Path, words: tuple[str, ...], told: str
) -> None:
    found = kgrisk_here(*words, "--home", str(home), cwd=tmp_path)
    assert found.returncode and told in " ".join(found.stderr.replace("│", " ").split())


def test_scores_are_called_scores_and_a_target_out_of_reach_says_how_many_were_tried(
    home: Path, tmp_path: Path
) -> None:
    asked = ("--home", str(home), "--valid", "2021-01-01")
    ranked = kgrisk_here("risk", "pagerank", "--shock", FIRM, *asked, cwd=tmp_path)
    assert ranked.returncode == 0 and "score" in ranked.stdout and "direct" not in ranked.stdout
    assert "loss" not in ranked.stdout.splitlines()[1:3]
    refused = kgrisk_here("reverse", "loss>=1e12", "--measure", "eisenberg_noe", *asked, cwd=tmp_path)
    assert refused.returncode == 1 and "even the failure of all 3 others does not" in refused.stderr
