"""What every risk head promises, over all plug-ins found."""

from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
import torch

from gnn.calibrate import Platt
from gnn.checkpoint import FACTS
from gnn.evaluate import brier
from gnn.head import TIES, Cohort, Head, contagion, distress_dates, fallen
from gnn.risk import assess, beside, scale_of, starting
from gnn.settings import Settings
from gnn.tensors import fitted_table
from gnn.views import Views, months
from gnn.vocabulary import RELATIONS
from kg import plugins
from kg.model import Claim, ClaimBatch, Edge, Evidence, Node, RunManifest, digest
from tests.gnn_world import CUT, World, build

NAMES = plugins.names("gnn.heads")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return build(tmp_path_factory.mktemp("world"), firms=90)


@pytest.fixture(scope="module")
def cohorts(world: World) -> list[Cohort]:
    """Three cohorts before the cut and the one at it."""
    views = Views(world.ledger, world.files, None)
    encoders = [fitted_table(views.snapshot(months(CUT, -12)), months(CUT, -12))]
    starts = [months(CUT, -12 * n) for n in (3, 2, 1, 0)]
    today = distress_dates(views.snapshot(None))
    return [starting(views, encoders, at, Settings(), today) for at in starts]


def head(name: str) -> Head:
    return plugins.load("gnn.heads", name, Head)(seed=1)


@pytest.mark.parametrize("name", NAMES)
def test_probabilities_are_such_and_come_out_the_same_each_time(name: str, cohorts: list[Cohort]) -> None:
    found = []
    for _ in range(2):
        own = head(name)
        own.fit(cohorts[:2], cohorts[2])
        found.append(own.predict(cohorts[3]))
    assert found[0].shape == (len(cohorts[3]),)
    assert ((found[0] > 0) & (found[0] < 1)).all()
    assert np.array_equal(found[0], found[1])


def test_the_network_goes_on_from_its_state_and_comes_out_the_same(cohorts: list[Cohort], tmp_path: Path) -> None:
    kind, found = plugins.load("gnn.heads", "network", Head), []
    for state in (None, tmp_path, tmp_path):
        own = kind(1, 1, state)
        own.fit(cohorts[:2], cohorts[2])
        found.append(own.predict(cohorts[3]))
        written = {name: (tmp_path / name / FACTS).stat().st_mtime_ns for name in ("choose", "all") if state}
        found.append(np.array(sorted(written.values())))
    assert np.array_equal(found[0], found[2]) and np.array_equal(found[0], found[4])
    assert len(found[3]) == 2 and np.array_equal(found[3], found[5])  # the third fit had no epoch left to do


@pytest.mark.parametrize("name", [name for name in NAMES if name != "base_rate"])
def test_a_head_beats_the_base_rate_where_figures_carry_the_answer(name: str, cohorts: list[Cohort]) -> None:
    kind, rate = plugins.load("gnn.heads", name, Head), plugins.load("gnn.heads", "base_rate", Head)
    now = cohorts[3]
    own, other = (assess(k, cohorts[:3], now, 0, 1) for k in (kind, rate))
    assert now.positives >= 3
    assert brier(now.truth, own.probability) < brier(now.truth, other.probability)


@pytest.mark.parametrize("name", NAMES)
def test_cohorts_without_any_event_give_low_probabilities_and_no_error(name: str, cohorts: list[Cohort]) -> None:
    calm = [Cohort(c.graph, c.rows, np.zeros(len(c)), c.stricken) for c in cohorts]
    own = head(name)
    own.fit(calm[:2], calm[2])
    assert own.predict(calm[3]).max() < 0.2


def test_firms_in_distress_by_the_cut_are_no_longer_at_risk(world: World, cohorts: list[Cohort]) -> None:
    for own in cohorts:
        at_risk = {own.graph.ids[row] for row in own.rows.tolist()}
        for firm, when in world.doomed.items():
            assert (firm in at_risk) == (when > own.graph.cut)
            struck = own.stricken[own.graph.index[firm]].item()
            years = (own.graph.cut - when) / timedelta(days=365.25)
            assert struck == pytest.approx(np.exp(-years) if when <= own.graph.cut else 0.0, abs=1e-6)
        truth = dict(zip([own.graph.ids[row] for row in own.rows.tolist()], own.truth.tolist(), strict=True))
        assert {id for id, value in truth.items() if value} == {
            firm for firm, when in world.doomed.items() if own.graph.cut < when <= months(own.graph.cut, 12)
        }


def test_a_default_that_came_out_after_the_start_is_not_known_at_it(tmp_path: Path) -> None:
    """Defaulted on 2022-12-20, published on 2023-01-10, seen at 2023-01-01 and a year on."""
    own = build(tmp_path, firms=12)
    firm, event = own.firms[1], "event:late"
    happened, told = CUT - timedelta(days=12), CUT + timedelta(days=9)
    evidence = Evidence(digest(b"late"), "row:0", "row 0", "registers.world@1")
    said = (
        Node("Event", event, {"event_type": "default"}),
        Edge("AFFECTED_BY", firm, event, {"role": "subject"}, key="subject"),
    )
    own.ledger.commit(
        ClaimBatch.of(Claim(what, evidence, told, valid_from=happened) for what in said), RunManifest("ingest")
    )
    views = Views(own.ledger, own.files, None)
    now, after = (
        starting(views, [], at, Settings(), distress_dates(views.snapshot(None))) for at in (CUT, months(CUT, 12))
    )
    row = now.graph.index[firm]
    assert now.stricken[row] == 0.0 and row in now.rows.tolist()
    assert now.truth[now.rows.tolist().index(row)] == 1.0  # it came out within the window
    assert after.stricken[after.graph.index[firm]] > 0.3 and after.graph.index[firm] not in after.rows.tolist()
    known = {id for id, when in own.doomed.items() if when <= CUT}
    assert known and torch.equal(now.stricken > 0, torch.tensor([id in known for id in now.graph.ids]))


def test_what_came_out_after_the_window_counts_only_if_it_happened_in_it() -> None:
    end, early, within = months(CUT, 12), CUT - timedelta(days=3), CUT + timedelta(days=3)
    later = {"hidden": [early], "late": [within], "next": [end + timedelta(days=1)], "edge": [end], "told": [early]}
    assert fallen(later, {"told": [early]}, CUT, end) == {"late", "edge", "told"}


def test_contagion_sums_the_partners_in_distress(cohorts: list[Cohort]) -> None:
    own = cohorts[3]
    table, graph = contagion(own), own.graph
    assert table.shape == (len(own), 2 * len(TIES)) and {"LENDS_TO", "SUPPLIES", "OWNS"} <= set(TIES)
    place = 2 * TIES.index("SUPPLIES")
    firm = int(np.argmax(table[:, place]))
    suppliers = [h for h, r, t in graph.edges.tolist() if t == int(own.rows[firm]) and RELATIONS[r] == "SUPPLIES"]
    expected = np.log1p(sum(own.stricken[h].item() for h in suppliers))
    assert expected > 0 and table[firm, place] == pytest.approx(expected, abs=1e-6)


def test_a_head_that_loses_to_a_baseline_is_said_to_lose(cohorts: list[Cohort]) -> None:
    now = cohorts[3]
    rate = assess(plugins.load("gnn.heads", "base_rate", Head), cohorts[:3], now, 0, 1)
    good = assess(plugins.load("gnn.heads", "logistic", Head), cohorts[:3], now, 0, 1)
    assert "loses to it on Brier" in beside(rate, good, now) and "beats it on Brier" in beside(good, rate, now)


def test_without_both_outcomes_the_calibration_is_the_identity() -> None:
    assert scale_of(np.array([0.2, 0.7]), np.zeros(2)) == Platt(1.0, 0.0)
    assert scale_of(np.array([0.3, 0.3]), np.array([0.0, 1.0])) == Platt(1.0, 0.0)
