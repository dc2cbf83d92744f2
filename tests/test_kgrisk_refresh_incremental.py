"""Between two trainings a refresh reads what is new, scores anew what that can reach, and leaves all else as it was."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
import torch

from gnn.head import Cohort, Head
from gnn.heads.network import Network
from gnn.judge import Judge
from gnn.reach import changed, within
from gnn.rescore import Scorer, Standing, narrowed
from kg.errors import StaleWriterError
from kg.model import Edge, Node, as_time
from kgrisk.api import Graph
from kgrisk.champion import champion
from kgrisk.refresh import NOTHING_NEW
from kgrisk.relearning import STANDS
from kgrisk.rescoring import rescored
from tests.champion_world import LAST, SCORED, SCORES, accounts, fails, firms, reopened, said, served, tell
from tests.kgrisk_world import write_registers

LATER = LAST + timedelta(days=40)
AFTER = LATER + timedelta(microseconds=1)


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Graph]:
    with served(tmp_path_factory.mktemp("home")) as made:
        yield made


@pytest.fixture(scope="module")
def scorer(graph: Graph) -> Scorer:
    reign = champion(graph)
    assert reign is not None
    return Scorer(graph.home / "runs" / reign.run, graph.files)


@pytest.fixture(scope="module")
def whole(graph: Graph, scorer: Scorer) -> Cohort:
    return scorer.cohort(Standing(graph.ledger, graph.ledger.head, SCORED))


def near(graph: Graph, ids: Sequence[str], day: datetime, hops: int) -> set[str]:
    """All that so many edges lead to from some entities as the head of a scoring hears them, found by networkx."""
    reign = champion(graph)
    assert reign is not None
    at = Standing(graph.ledger, graph.ledger.head, as_time(day))
    heard = Scorer(graph.home / "runs" / reign.run, graph.files).cohort(at).graph
    ties = nx.Graph([(heard.ids[a], heard.ids[b]) for a, _, b in heard.edges.tolist()])
    ties.add_nodes_from(ids)
    return {one for id in ids for one in nx.single_source_shortest_path_length(ties, id, cutoff=hops)}


def network(whole: Cohort) -> Head:
    """The network of two layers, with weights as they are drawn and no dropout."""
    made = Network(seed=1)
    made.model = made._build([whole])
    made.model.eval()
    return made


@pytest.mark.parametrize("kind", ["published", "network"])
def test_a_score_comes_out_the_same_from_the_part_of_the_graph_that_it_hangs_on(
    whole: Cohort, scorer: Scorer, kind: str
) -> None:
    head = scorer.judge if kind == "published" else network(whole)
    everything = head.predict(whole)
    some = torch.zeros(len(whole.graph), dtype=torch.bool)
    some[whole.rows[[3, 11, 20]]] = True
    part = narrowed(whole, some, head.reach)
    assert [part.graph.ids[row] for row in part.rows] == [whole.graph.ids[whole.rows[n]] for n in (3, 11, 20)]
    assert len(part.graph.edges) < len(whole.graph.edges)
    assert np.abs(head.predict(part) - everything[[3, 11, 20]]).max() < 1e-6


def test_what_made_the_ranges_of_scores_is_kept_with_the_head(scorer: Scorer, whole: Cohort, tmp_path: Path) -> None:
    said, low, high = scorer.judge.ranged(whole)
    assert low is not None and high is not None and (low <= said).all() and (said <= high).all() and (low < high).any()
    again = Judge.load(scorer.judge.save(tmp_path).parent).ranged(whole)
    assert all(np.array_equal(one, other) for one, other in zip((said, low, high), again, strict=True))  # type: ignore[arg-type]


def test_a_whole_scoring_follows_the_training_and_tells_what_it_is_of(graph: Graph) -> None:
    reign = champion(graph)
    assert reign is not None and reign.scored is not None and reign.scored.day == SCORED and reign.first == reign.scored
    scores = {firm for firm, name, when in said(graph) if when == SCORED and name == "distress"}
    assert len(scores) == len(rescored(graph, whole=True).scores) > 30


def test_an_edge_moves_the_scores_within_reach_and_leaves_every_other_claim_as_it_was(tmp_path: Path) -> None:
    with served(tmp_path) as graph:
        before, ran = said(graph), len(list((graph.home / "runs").glob("*/run.json")))
        firm, *others = firms(before)
        other = next(id for id in others if id not in near(graph, [firm], SCORED, 1))
        tell(graph, LATER, Edge("SUPPLIES", firm, other), accounts(firm, 1, 1_000_000))
        run = graph.refresh(sync=False)
        assert run["skipped"] == {"train": STANDS} and len(list((graph.home / "runs").glob("*/run.json"))) == ran
        after = said(graph)
        new = {key: after[key] for key in after.keys() - before.keys()}
        assert {when for *_, when in new} == {AFTER} and {(firm, "distress", AFTER), (other, "distress", AFTER)} <= set(
            new
        )
        assert all(after[key] == before[key] for key in before), (
            "no claim that stood was touched, nor when it was known"
        )
        moved = {id for id, *_ in new}
        assert run["score"]["moved"] == len(moved) == run["score"]["reached"] < run["score"]["firms"]
        full = {row["id"]: row for row in rescored(graph, whole=True).scores.to_pylist()}
        assert moved == near(graph, (firm, other), AFTER, run["score"]["hops"]) & full.keys()
        for (id, name, _), (_, _, value) in new.items():
            column = dict(zip(SCORES, ("distress", "low", "high"), strict=True))[name]
            assert abs(value - full[id][column]) < 1e-6
        served_now = {row["id"]: row["distress"] for row in graph.scores()}
        assert all(served_now[id] == value for (id, name, _), (_, _, value) in new.items() if name == "distress")
        assert graph.replay(f"distress:{firm}").same and graph.replay(f"distress:{firm}").kind == "score"
        told = graph.why(f"distress:{firm}")
        assert told["cut"] == AFTER.isoformat() and abs(told["probability"] - served_now[firm]) < 1e-9


def test_another_delivery_of_the_same_day_corrects_the_scores_of_that_day(tmp_path: Path) -> None:
    with served(tmp_path) as graph:
        firm = firms(said(graph))[5]
        tell(graph, LAST, accounts(firm, 1, 1_000_000, key="late"), name="late")
        before, run = said(graph), graph.refresh(sync=False)
        after = said(graph)
        assert after.keys() == before.keys() and run["score"]["moved"] >= 1
        changed = {id for id, *_ in (key for key in after if after[key] != before[key])}
        assert {firm} <= changed <= near(graph, [firm], SCORED, run["score"]["hops"])
        assert after[firm, "distress", SCORED][2] != before[firm, "distress", SCORED][2]


def test_a_failure_is_heard_by_partners_and_the_firm_has_no_new_score(tmp_path: Path) -> None:
    with served(tmp_path) as graph:
        before = said(graph)
        firm = firms(before)[0]
        tell(graph, LATER, *fails(firm, LATER))
        graph.refresh(sync=False)
        new = {id for id, name, when in said(graph) if when == AFTER}
        snapshot = graph.snapshot()
        edges = snapshot.edges_of("SUPPLIES")
        ends = [
            (snapshot.ids[a], snapshot.ids[b])
            for a, b in zip(edges["source"].to_pylist(), edges["target"].to_pylist(), strict=True)
        ]
        near = {id for pair in ends for id in pair if firm in pair} - {firm}
        assert firm not in new and new >= {id for id in near if (id, "distress", SCORED) in before}


def test_nothing_new_means_nothing_read_scored_or_written(graph: Graph) -> None:
    head = graph.ledger.head
    run = graph.refresh(sync=False)
    assert graph.ledger.head == head and run["skipped"] == dict.fromkeys(("train", "score", "risk"), NOTHING_NEW)


def test_a_risk_run_that_finds_the_same_to_the_bit_is_not_published_again(tmp_path: Path) -> None:
    with served(tmp_path) as graph:
        (first,) = _risks(graph)
        tell(graph, LATER, Node("Document", "doc:" + "0" * 64, {"title": "Nothing"}))
        run = graph.refresh(sync=False)
        assert run["risk"]["unchanged"] and run["risk"]["run"] == first and _risks(graph) == {first}


def _risks(graph: Graph) -> set[str]:
    rows = graph.ledger.alive().select(["name", "document"]).to_pylist()
    return {row["document"] for row in rows if row["name"] == "contagion_loss"}


def test_only_what_was_not_read_before_is_read(tmp_path: Path) -> None:
    inputs = write_registers(tmp_path / "inputs")
    with reopened(tmp_path / "home") as graph:
        graph.ingest(inputs)
        (inputs / "registers" / "more").mkdir()
        text = (inputs / "registers" / "exposures.csv").read_text().replace("40.00", "41.00")
        (inputs / "registers" / "more" / "exposures.csv").write_text(text)
        again = graph.ingest(inputs)
        told = again.sources["registers"]
        assert again.committed and told.files == 4
        assert told.resumed == 3, "all but the new file were known by their digests"


def test_who_lost_the_token_is_stopped_before_anything_is_written(graph: Graph) -> None:
    asked: list[int] = []

    def check() -> None:
        asked.append(1)
        if len(asked) == 2:
            raise StaleWriterError("another run took over")

    head = graph.ledger.head
    with pytest.raises(StaleWriterError, match="another run"):
        graph.refresh(sync=False, whole=True, check=check)
    assert graph.ledger.head == head and len(asked) == 2


def test_a_change_reaches_as_far_as_the_head_has_layers(whole: Cohort) -> None:
    graph = whole.graph
    gone = torch.zeros(len(graph.edges), dtype=torch.bool)
    gone[0] = True
    first = changed(graph, graph.without(gone))
    ends = {int(graph.edges[0, 0]), int(graph.edges[0, 2])}
    assert set(torch.nonzero(first).squeeze(1).tolist()) == ends
    assert within(graph, first, 0).sum() == 2 < within(graph, first, 1).sum() <= within(graph, first, 2).sum()
