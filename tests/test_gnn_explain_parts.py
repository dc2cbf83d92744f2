"""Shares of modalities, columns of figures, attention and readable stand-ins, on firms whose truth is planted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest
import torch

from gnn.encoders.table import COLUMNS, NAMES, Table
from gnn.explaining.attention import bereft, correlation, looked
from gnn.explaining.attention import of_firms as eye_of
from gnn.explaining.columns import evidence, integrated
from gnn.explaining.edges import log_odds
from gnn.explaining.faithful import faithfulness
from gnn.explaining.shares import STRUCTURE, of_firms, of_links, players, shares, shown
from gnn.explaining.surrogate import Surrogate, Unit, surrogate
from gnn.explaining.surrogate import of_firms as surrogate_of_firms
from gnn.head import Cohort
from gnn.heads.logistic import Logistic
from gnn.heads.network import Network
from gnn.missing import log_odds as head_odds
from gnn.model import Shape, exact
from gnn.models.relational import Relational
from gnn.tensors import Features, GraphTensors
from kg.errors import ModelError
from kg.model import AsOf
from kg.snapshot import EDGES, FACTS, NODES, Snapshot
from tests.planted_rows import layered
from tests.test_gnn_convolution import LENDS, graph, some_edges

STRENGTHS = {"image": 0.5, "text": 3.0}


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Threads that wait for each other take longer than these small products."""
    with exact(1):
        yield


@pytest.fixture(scope="module")
def learned() -> tuple[Network, Cohort]:
    """A head that has learned where distress is planted, and firms it has not seen."""
    train = [layered(250, STRENGTHS, seed, missing=0.2) for seed in (1, 2, 3)]
    head = Network(0)
    head.recipe = head.recipe.__class__(**{**vars(head.recipe), "epochs": 15})
    head.fit(train[:-1], train[-1])
    return head, layered(120, STRENGTHS, 9, missing=0.2)


def featured(nodes: int = 20) -> GraphTensors:
    draw = torch.Generator().manual_seed(0)
    features = {
        name: Features(torch.arange(0, nodes, step), torch.randn(len(range(0, nodes, step)), 5, generator=draw))
        for name, step in (("audio", 3), ("image", 2), ("numeric", 1), ("series", 4), ("text", 1))
    }
    return graph(some_edges(nodes, 60), nodes).with_features(features)


def test_shares_of_five_modalities_and_the_structure_add_up_to_the_logit() -> None:
    own = featured()
    model = Relational(Shape.of(own), dim=8)
    asked = torch.tensor([[0, LENDS, 1], [4, LENDS, 7], [9, LENDS, 2]])
    found = of_links(model, own, asked)
    assert found.names == ("audio", "image", "numeric", "series", "text", STRUCTURE)
    assert np.allclose(found.logit, log_odds(model, own, asked).numpy(), atol=1e-9)
    assert np.allclose(found.base, log_odds(model, own, asked, shown(own, frozenset())).numpy(), atol=1e-9)
    assert list(found.of(0)) == sorted(found.of(0), key=lambda name: -abs(found.of(0)[name]))


def test_shares_are_those_of_a_game_worked_out_by_hand() -> None:
    found = shares(lambda there: np.array([2.0 * ("a" in there) + 4.0 * ({"a", "b"} <= there)]), ("a", "b", "c"))
    assert found.values.tolist() == [[4.0, 2.0, 0.0]] and found.base.tolist() == [0.0]
    with pytest.raises(ModelError, match="512 passes"):
        shares(lambda there: np.zeros(1), tuple("abcdefghi"))


def test_shares_of_firms_add_up_and_follow_what_was_planted(learned) -> None:  # type: ignore[no-untyped-def]
    head, own = learned
    found = of_firms([head], own)
    assert np.allclose(found.logit, head_odds([head], own)[0], atol=1e-9) and found.names == players(own.graph)
    size = dict(zip(found.names, np.abs(found.values).mean(0).tolist(), strict=True))
    assert size["text"] > 2 * size["image"] and size[STRUCTURE] == 0.0
    text = own.graph.features["text"]
    planted = np.zeros(len(own))
    planted[text.rows.numpy()] = 3.0 * text.values[:, 0].numpy()
    assert np.corrcoef(found.values[:, found.names.index("text")], planted)[0, 1] > 0.8
    without = ~own.graph.present(["text"])[:, 0].numpy()
    assert np.allclose(found.values[without, found.names.index("text")], 0.0, atol=1e-9)


def logit_of(head: Network, own: Cohort, firm: int):  # type: ignore[no-untyped-def]
    return lambda seen: head.model(Cohort(seen, own.rows, own.truth, own.stricken))[firm]


def test_integrated_gradients_add_up_and_find_the_planted_column(learned) -> None:  # type: ignore[no-untyped-def]
    head, own = learned
    firms, best = own.graph.features["text"].rows[:8].tolist(), 0
    for firm in firms:
        found = integrated(logit_of(head, own, firm), own.graph, firm, "text")
        assert found.values.sum() == pytest.approx(found.gain, abs=0.05 + 0.02 * abs(found.gain))
        best += int(np.argmax(np.abs(found.values)) == 0)
    assert best >= 6


def test_columns_by_their_gradient_beat_random_orders(learned) -> None:  # type: ignore[no-untyped-def]
    head, own = learned
    text, cases = own.graph.features["text"], []
    middle = text.values.mean(0)
    for place, firm in enumerate(text.rows[:8].tolist()):
        score = logit_of(head, own, firm)

        def kept(there: np.ndarray, place: int = place, score=score) -> float:  # type: ignore[no-untyped-def]
            values = text.values.clone()
            values[place] = torch.where(torch.from_numpy(there), values[place], middle)
            with torch.no_grad():
                return float(
                    score(own.graph.with_features({**own.graph.features, "text": Features(text.rows, values)}))
                )

        cases.append((kept, integrated(score, own.graph, firm, "text").values))
    assert faithfulness(cases, draws=2, points=4).holds


def test_figures_are_told_by_name_with_their_mask() -> None:
    draw = np.random.default_rng(0)
    matrix = np.full((8, len(COLUMNS)), np.nan)
    matrix[:, 0] = draw.lognormal(10, 1, 8)
    own = graph([[0, LENDS, 1]], 8)
    values = Table().fit(matrix).encode(list(matrix))
    own = own.with_features({"numeric": Features(torch.arange(8), values)})
    weight = torch.zeros(values.shape[1])
    weight[0], weight[len(NAMES)] = 2.0, 1.0
    found = integrated(lambda seen: (seen.features["numeric"].values[3] * weight).sum(), own, 3, "numeric")
    assert found.by_name() == pytest.approx({NAMES[0]: 2.0 * float(values[3, 0]) + 1.0}, abs=1e-5)
    with pytest.raises(ModelError, match="has no text"):
        integrated(lambda seen: torch.zeros(()), own, 3, "text")


def test_attention_is_reported_beside_the_effect_of_taking_the_modality_away(learned) -> None:  # type: ignore[no-untyped-def]
    head, own = learned
    found = looked(eye_of(head, own))
    has = own.graph.present(["image", "text"])
    assert len(found.weight) == int(has.sum()) and (found.effect >= 0).all()
    for name in STRENGTHS:
        value, low, high = found.agreement(name)
        assert low <= value <= high
    assert found.effect[found.modality == "text"].mean() > found.effect[found.modality == "image"].mean()


def test_rank_correlation_is_one_for_equal_orders_and_zero_without_any() -> None:
    values = np.arange(9.0)
    assert correlation(np.stack([values, values**3], axis=1)) == pytest.approx(1.0)
    assert correlation(np.stack([values, np.ones(9)], axis=1)) == 0.0


def test_a_node_bereft_of_a_modality_is_the_only_one() -> None:
    own = featured()
    left = bereft(own, "text", torch.tensor([3, 4]))
    assert left.present(["text"])[:, 0].tolist() == [n not in (3, 4) for n in range(20)]
    assert bereft(own.only([]), "text", torch.tensor([3])).features == {}


@pytest.mark.parametrize(("kind", "least"), [("tree", 0.7), ("linear", 0.3)])
def test_a_stand_in_says_how_well_it_stands_in(kind: str, least: float) -> None:
    draw = np.random.default_rng(0)
    x = draw.normal(size=(600, 4))
    odds = np.where(x[:, 1] > 0.5, 2.0, -1.0) + 0.1 * draw.normal(size=600)
    found = surrogate(x, ("cash", "debt", "equity", "sales"), odds, kind)  # type: ignore[arg-type]
    assert found.r2_interval[0] <= found.r2 <= found.r2_interval[1] and found.r2 > least
    assert found.agreement > found.chance and "debt" in found.rules[0]
    blind = surrogate(x[:, [0, 2, 3]], ("cash", "equity", "sales"), odds, kind)  # type: ignore[arg-type]
    assert blind.r2 < 0.2


def filed(firms: int, seed: int) -> Cohort:
    """Firms with assets and equity, of which those with little equity fail, and some lend to others."""
    draw = np.random.default_rng(seed)
    matrix = np.full((firms, len(COLUMNS)), np.nan)
    assets, share = draw.lognormal(18, 0.5, firms), draw.uniform(0.0, 0.6, firms)
    matrix[:, COLUMNS.index("assets")], matrix[:, COLUMNS.index("equity")] = assets, assets * share
    numeric = Features(torch.arange(firms), Table().fit(matrix).encode(list(matrix)))
    own = graph(some_edges(firms, 2 * firms, seed), firms).with_features({"numeric": numeric})
    truth = (draw.random(firms) < 1 / (1 + np.exp(30 * (share - 0.2)))).astype(np.float64)
    return Cohort(own, torch.arange(firms), truth, torch.zeros(firms))


def test_a_stand_in_for_a_regression_on_figures_is_faithful_and_names_the_figure() -> None:
    head = Logistic(0)
    head.fit([filed(150, 1), filed(150, 2)], filed(150, 3))
    found = surrogate_of_firms([head], filed(150, 4), "linear")
    assert found.r2 > 0.9 and found.agreement > found.chance
    assert any("equity/assets" in rule and ": -" in rule for rule in found.rules[:3])
    assert all("deviations" in rule or "is known" in rule for rule in surrogate_of_firms([head], filed(150, 4)).rules)
    tree = surrogate_of_firms([head], filed(150, 4), depth=1)
    assert len(tree.rules) == 2 and "equity" in tree.rules[0] and "<=" in tree.rules[0]


def test_a_stand_in_needs_items_and_finite_figures() -> None:
    with pytest.raises(ModelError, match="at least 20 items"):
        surrogate(np.zeros((5, 1)), ("a",), np.zeros(5))
    with pytest.raises(ModelError, match="finite figure"):
        surrogate(np.full((50, 1), np.nan), ("a",), np.zeros(50))


def test_a_vector_leads_to_the_statements_it_was_made_of() -> None:
    day = datetime(2022, 1, 1, tzinfo=UTC)
    nodes = pa.table({"id": ["a", "p"], "label": ["Company", "Person"]}, schema=NODES)
    facts = [
        {"subject": s, "property": name, "valid_from": day, "published": day, "statement": f"{s}{name}", "claim": "c"}
        for s in (0, 1)
        for name in ("name", "description", "assets")
    ]
    own = Snapshot(nodes, EDGES.empty_table(), pa.Table.from_pylist(facts, schema=FACTS), AsOf(day, day, day), 1)
    assert [row["statement"] for row in evidence(own, "a", "text")] == ["0description", "0name"]
    assert [row["statement"] for row in evidence(own, "a", "numeric")] == ["0assets"]
    assert evidence(own, "p", "text") == []
    with pytest.raises(ModelError, match="not in the graph"):
        evidence(own, "z", "text")


def test_rules_of_a_stand_in_stand_in_the_units_of_the_figures() -> None:
    draw = np.random.default_rng(0)
    share, assets = draw.uniform(0.0, 0.6, 200), draw.lognormal(18, 1.0, 200)
    low, high = Unit("plain", 0.3, 0.2), Unit("amount", 8.0, 0.5)
    x = np.stack([(share - 0.3) / 0.2, (np.log10(1 + assets) - 8.0) / 0.5], axis=1)
    poor = surrogate(x, {"equity/assets": low, "assets": high}, np.where(share < 0.2, 2.0, -1.0), depth=1)
    cut = float(poor.rules[0].split(" <= ")[1].split(":")[0])
    assert cut == pytest.approx(0.2, abs=0.02) and ": log odds +2.00" in poor.rules[0]
    small = surrogate(x, {"equity/assets": low, "assets": high}, np.where(assets < 7e7, 2.0, -1.0), depth=1)
    assert float(small.rules[0].split(" <= ")[1].split(":")[0].replace(",", "")) == pytest.approx(7e7, rel=0.1)
    even = surrogate(x, {"equity/assets": low, "assets": high}, np.log(assets) - 9 * share, "linear")
    assert "log odds per deviation (" in even.rules[0] and any("times as much" in rule for rule in even.rules)
    assert Unit("mask").asks("debt is known", 0.5, False) == "debt is unknown"
    assert Unit("sum").own(np.log(3.0)) == pytest.approx(2.0)


def test_a_stand_in_that_tells_sides_no_better_than_a_guess_explains_nothing() -> None:
    told = Surrogate("tree", (), 0.3, (0.1, 0.4), 0.8, 0.8, 1.0, 100)
    assert "NO better than a guess" in told.verdict() and "explains" not in told.verdict()
    assert "explains a part of the scores" in replace(told, agreement=0.9).verdict()


def test_few_that_are_explained_give_no_verdict_and_a_sum_is_tested_once() -> None:
    weight = np.array([3.0, 2.0, 1.0, 0.5])
    summed = [(lambda there: float(weight @ there), weight)] * 12
    found = faithfulness(summed, draws=2, points=4)
    assert found.additive and found.found() is True
    assert found.verdict().count("beats random orders") == 1 and "insertion is the same test" in found.verdict()
    few = faithfulness(summed[:9], draws=2, points=4)
    assert few.found() is None and few.verdict().startswith("Too few to tell: 9 explained") and len(few.curve) == 4
    joint = [(lambda there: float(there.all() + weight @ there), weight)] * 12
    assert not faithfulness(joint, draws=2, points=4).additive
