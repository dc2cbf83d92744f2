"""How far the links of a run can be trusted: all members together, conformal sets, calibration, exchangeability."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gnn.alarm import Alarm, alarm, within
from gnn.calibrate import expected_error
from gnn.classified import ROUNDS, figures
from gnn.conformal import NEW, Coverage, LinkSets, band, both_sides, covered, groups, strangeness
from gnn.ensemble import Stack, disagreement, standing
from gnn.evaluate import bootstrap
from gnn.learned import Learned, Window, judged
from gnn.odds import centred
from gnn.vocabulary import RELATIONS

ENSEMBLE = "ensemble"
QUIET = (
    "That it stayed quiet does not mean that the sets keep their promise, and they do not: it hears a change within "
    "these questions only, not one since those that set the limits."
)


@dataclass(frozen=True)
class Together:
    """The members of the ensemble and their weights."""

    members: Sequence[Learned]
    stack: Stack | None
    """None where nothing was published in the validation window to weigh them by: all count alike then."""

    @classmethod
    def of(cls, members: Sequence[Learned]) -> Together:
        """Weights of least log loss on what each said of the validation window ahead of time."""
        ahead = {one.name: one.ahead for one in members}
        return cls(members, Stack.of(ahead, members[0].truth) if len(members[0].truth) else None)

    def whole(self, said: Mapping[str, np.ndarray]) -> np.ndarray:
        """Probability of the ensemble from those of its members."""
        mean: np.ndarray = np.stack(list(said.values())).mean(0)
        return self.stack(said) if self.stack else mean

    def say(self, triples: Tensor) -> tuple[list[float], list[float]]:
        """Probability of each triple by all members, and how far they disagree."""
        if not len(triples):
            return [], []
        relation = triples[:, 1].numpy()
        said = {
            one.name: one.probability(centred(one.model, one.graph, triples).numpy(), relation) for one in self.members
        }
        return self.whole(said).tolist(), disagreement(said).tolist()


@dataclass
class Trust:
    """What was found, as rows of the tables in gnn/result.py."""

    metrics: list[dict[str, Any]] = field(default_factory=list)
    relations: dict[str, dict[str, float]] = field(default_factory=dict)
    """Relation -> ece, coverage, set_size of the first member."""
    remarks: list[str] = field(default_factory=list)


def metric(
    model: str, name: str, value: float, count: int, low: float | None = None, high: float | None = None
) -> dict[str, Any]:
    """A row of the table of metrics."""
    return {"task": "links", "model": model, "metric": name, "value": value, "low": low, "high": high, "count": count}


def trust(members: Sequence[Learned], whole: Together, both: tuple[Window, Window], alpha: float, seed: int) -> Trust:
    """Everything that can be said of the test window; nothing where it is empty."""
    found, (valid, test) = Trust(), both
    if not len(test.later.triples):
        return found
    _together(found, members, whole, test, seed)
    _relations(found, members[0], test, seed)
    short = bool(len(valid.later.triples)) and _sets(found, members[0], both, alpha, seed)
    _exchangeable(found, members[0], both, seed, short)
    return found


def _together(found: Trust, members: Sequence[Learned], whole: Together, test: Window, seed: int) -> None:
    said: dict[str, np.ndarray] = {}
    for one in members:
        own = judged(one.model, one.graph, test.later.triples, seed)
        said[one.name] = one.probability(own.score, own.relation)
    joint = whole.whole(said)
    told = figures(own.truth, joint, seed)
    found.metrics += [metric(ENSEMBLE, name, value, len(joint), *ends) for name, value, *ends in told]
    found.remarks.append(standing("Links", said, joint, own.truth))


def _relations(found: Trust, one: Learned, test: Window, seed: int) -> None:
    own = judged(one.model, one.graph, test.later.triples, seed)
    probability = one.probability(own.score, own.relation)
    for number in np.unique(own.relation).tolist():
        mine = own.relation == number
        error = expected_error(probability[mine], own.truth[mine])
        found.relations.setdefault(RELATIONS[number], {})["ece"] = error


def _sets(found: Trust, one: Learned, both: tuple[Window, Window], alpha: float, seed: int) -> bool:
    """Conformal sets; whether they hold fewer of the true answers than luck makes of the promise."""
    valid, test = both
    asked, later = (both_sides(window.graph, window.later.triples) for window in both)
    strange = strangeness(one.before, valid.graph, asked, seed=seed)
    group, then = groups(valid.graph, asked), groups(test.graph, later)
    sets = LinkSets.of(strange, group, alpha, seed=seed)
    rows = covered(sets, one.model, test.graph, later)
    for name in RELATIONS:
        mine = [row for row in rows if row.relation % len(RELATIONS) == RELATIONS.index(name)]
        if mine:
            share, size = _pooled(mine)
            found.relations.setdefault(name, {}).update(coverage=share, set_size=size)
    (share, size), count = _pooled(rows), sum(row.questions for row in rows)
    inside = np.repeat([1.0, 0.0], [sum(row.hits for row in rows), sum(row.questions - row.hits for row in rows)])
    found.metrics.append(metric(one.name, "coverage", share, count, *bootstrap(inside, seed, ROUNDS)))
    found.metrics.append(metric(one.name, "set_size", size, count))
    found.remarks.append(
        f"Links: sets promised to hold {1 - alpha:.0%} of the true answers hold {share:.1%} of {count} asked after "
        f"the cut ({_banded(share, count, 1 - alpha)}), with {size:.1f} nodes on average; {len(sets.own)} relations "
        "and directions had enough questions for a limit of their own."
    )
    found.remarks += _shift(
        sets, (group, then), covered(sets, one.model, test.graph, later[torch.from_numpy(then != NEW)])
    )
    return share < band(count, 1 - alpha)[0]


def _shift(sets: LinkSets, both: tuple[np.ndarray, np.ndarray], known: Sequence[Coverage]) -> list[str]:
    """What of the promise is due to newcomers, in words; nothing where there were none."""
    (before, after), share = ((group == NEW).mean() for group in both), 1 - sets.alpha
    if not after or not known:
        return []
    hold = "hold every candidate" if np.isinf(sets.new) else "have a limit of their own"
    return [
        f"Links: {after:.1%} of these questions name a newcomer, a node without any such link at the cut, against "
        f"{before:.1%} of those that set the limits; their sets {hold}, as no other promise could be kept, and the "
        f"sets of the others hold {_pooled(known)[0]:.1%} where {share:.0%} was promised "
        f"({_banded(_pooled(known)[0], sum(row.questions for row in known), share)})."
    ]


def _banded(found: float, count: int, share: float) -> str:
    """Whether a share found is what luck makes of the share promised, in words."""
    low, high = band(count, share)
    where = "below" if found < low else "above" if found > high else "within"
    return f"{where} the 99 % binomial band of {low:.1%} to {high:.1%}"


def _pooled(rows: Sequence[Coverage]) -> tuple[float, float]:
    """Share and size over all questions of these groups."""
    count = sum(row.questions for row in rows)
    return sum(row.hits for row in rows) / count, sum(row.size * row.questions for row in rows) / count


def _exchangeable(found: Trust, one: Learned, both: tuple[Window, Window], seed: int, short: bool) -> None:
    test = both[1]
    order = torch.argsort(test.told, stable=True)
    asked = test.later.triples[order]
    stream = strangeness(one.model, test.graph, asked, seed=seed)
    new = (groups(test.graph, asked) == NEW).astype(int)
    found.remarks.append(heard(alarm(within(new, stream, seed)), len(stream), short))


def heard(said: Alarm, count: int, short: bool) -> str:
    """What the alarm says, in words; where it is quiet though the sets fall short of their promise, what that means."""
    word = f"rang at question {said.at}" if said.fired else "stayed quiet"
    told = (
        f"Links: the alarm for answers whose strangeness changes with time {word} over {count} questions in "
        f"order of publication, newcomers among themselves (it may ring falsely once in {1 / said.level:.0f} runs)."
    )
    return f"{told} {QUIET}" if short and not said.fired else told
