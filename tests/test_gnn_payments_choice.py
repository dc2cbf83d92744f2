"""What the validation part of a detector chooses: the weight of the network, and the pieces it is wired with."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gnn.calibrate import platt
from gnn.heads.logistic import log_loss
from gnn.payments.joining import joined, weight
from gnn.payments.lesson import RECIPE, area, chosen, surely
from gnn.payments.neighbourhood import Neighbourhood
from gnn.payments.network import Wiring
from gnn.payments.past import Past
from gnn.payments.protocol import STRICT
from gnn.payments.report import Judged
from gnn.payments.table import Payments
from tests.test_gnn_payments_detector import COURSE, CUT, planted

MANY = 4_000
DAYS = np.arange(MANY) // 100
SENDERS = np.arange(MANY) % 700


def drawn(seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.random.Generator]:
    """Truth, a score that tells it with noise, and the generator."""
    rng = np.random.default_rng(seed)
    truth = (rng.random(MANY) < 0.2).astype(float)
    return truth, truth * 3 + rng.normal(size=MANY), rng


def test_a_member_that_says_the_same_with_noise_gets_no_weight() -> None:
    truth, good, rng = drawn()
    hazy = good + 2 * rng.normal(size=MANY)
    assert weight({"boost": good, "network": hazy}, truth, DAYS, SENDERS) == 0.0
    assert weight({"boost": hazy, "network": good}, truth, DAYS, SENDERS) == 1.0
    assert weight({"boost": good, "network": good}, truth, DAYS, SENDERS) == 0.0


def test_members_that_each_know_something_of_their_own_are_joined_and_lose_less_together() -> None:
    truth, good, rng = drawn()
    raw = {"boost": good, "network": truth * 3 + rng.normal(size=MANY)}
    share = weight(raw, truth, DAYS, SENDERS)
    assert share == 0.5
    scales = {name: platt(score, truth) for name, score in raw.items()}
    both = joined(raw, scales, share)
    lost = [log_loss(truth, platt(score, truth)(score)) for score in (both, *raw.values())]
    assert lost[0] < 0.9 * min(lost[1:])


def test_a_member_that_fails_on_later_days_gets_no_weight_though_it_is_best_over_all_days() -> None:
    truth, good, rng = drawn()
    stale = truth * 9 + rng.normal(size=MANY)
    late = DAYS >= 32
    stale[late] = -9 * truth[late] + rng.normal(size=int(late.sum()))
    raw = {"boost": good, "network": stale}
    assert weight(raw, truth, DAYS, SENDERS) == 0.0
    early = {name: score[~late] for name, score in raw.items()}
    assert weight(early, truth[~late], DAYS[~late], SENDERS[~late]) > 0


def test_one_day_tells_nothing_about_days_to_come() -> None:
    truth, good, _ = drawn()
    assert weight({"boost": good, "network": -good}, truth, np.zeros(MANY), SENDERS) == 0.5


def test_of_two_rankings_that_are_the_same_but_for_noise_none_is_surely_better() -> None:
    truth, good, rng = drawn()
    one, other = (Judged(truth, good + 0.1 * rng.normal(size=MANY), good, 0.0) for _ in range(2))
    bad = Judged(truth, rng.normal(size=MANY), good, 0.0)
    assert not (surely(one, other, SENDERS) and surely(other, one, SENDERS))
    assert surely(one, bad, SENDERS) and not surely(bad, one, SENDERS)


@pytest.mark.slow
def test_the_network_keeps_a_piece_only_where_later_transfers_gain_by_it() -> None:
    payments = Payments.of(planted())
    parts = payments.between(None, CUT), payments.between(CUT, None)
    near, truth = Neighbourhood(Past.of(payments, STRICT), COURSE.fans), payments.labels()
    course = replace(COURSE, recipe=replace(RECIPE, epochs=4))
    network, told = chosen(near, truth, parts, Wiring(dim=8), course, ("ports", "ego"))
    assert set(told) == {"as set", "ports off", "ego off"}  # a wiring met before is not taught again
    assert network.wiring.reverse and network.wiring.updates
    plain, _ = chosen(near, truth, parts, network.wiring, course)
    assert plain.wiring == network.wiring
    assert area(Judged(np.array([1.0, 0.0]), np.array([2.0, 1.0]), np.zeros(2), 0.0)) == 1.0
