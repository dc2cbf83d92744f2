"""Sets that hold the truth as often as promised; gnn/alarm.py tells when the promise no longer stands.

Split conformal prediction by group (Vovk, Gammerman and Shafer 2005, Mondrian): how strange the true answer of each
calibration question looked is kept, and a new question is answered by all that look no stranger than the
ceil((n + 1)(1 - alpha))-th of them. If calibration and new questions are exchangeable, the answer is among them with
probability at least 1 - alpha, whatever the model is worth; a poor model pays in the size of the sets.

    strangeness of t for (h, r):   sum of p over the candidates above t  +  u (p of those tied with t, t included)

with p the softmax over the candidates (adaptive sets, Romano, Sesia and Candes 2020), or the same with 1 instead of p,
which is the rank. u in (0, 1) is drawn from the triple's own numbers, so the same question has the same set each time.

Groups are relations and directions, and one more: questions with a newcomer, a node of which the graph holds no
forecastable link. In a year with many of them a limit shared with the others breaks its promise. They have one of their
own, however few they are: below nine it is infinite, and the set holds all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import ceil
from typing import Final, Literal

import numpy as np
import torch
from scipy.stats import betabinom, binom
from torch import Tensor

from gnn.bound import blocks, held
from gnn.evaluate import SCORES, Scorer, answered
from gnn.model import Model
from gnn.sample import allowed, codes, predictable, reciprocal
from gnn.tensors import GraphTensors
from kg.errors import ModelError

Kind = Literal["mass", "rank"]
NEW: Final = -1
"""The group of questions with a newcomer."""
LEAST: Final = 200
"""Questions of a relation and direction below which its limit is that of all questions together."""
CHUNK: Final = 256
"""Questions scored at once, or fewer where the bound of scores (gnn/bound.py) is below."""


def both_sides(graph: GraphTensors, triples: Tensor) -> Tensor:
    """Questions for the tail of each triple and then for the head, as triples with their answer."""
    return torch.cat([triples, reciprocal(triples, len(graph.vocabulary.relations))])


def newcomers(graph: GraphTensors) -> Tensor:
    """(nodes,) bool: nodes without any forecastable link."""
    found = torch.ones(len(graph), dtype=torch.bool)
    found[graph.edges[predictable(graph)][:, [0, 2]]] = False
    return found


def groups(graph: GraphTensors, asked: Tensor) -> np.ndarray:
    """(questions,) the relation of each (head, relation, answer), NEW where head or answer is a newcomer."""
    new = newcomers(graph)
    return torch.where(new[asked[:, 0]] | new[asked[:, 2]], NEW, asked[:, 1]).numpy()


def uniform(seed: int, code: np.ndarray) -> np.ndarray:
    """(n,) numbers in (0, 1), each a function of the seed and its code alone (SplitMix64, Steele et al. 2014)."""
    with np.errstate(over="ignore"):
        z = code.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15) * np.uint64(2 * seed + 1)
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
            z = (z ^ (z >> np.uint64(shift))) * np.uint64(factor)
        z = z ^ (z >> np.uint64(31))
    found: np.ndarray = ((z >> np.uint64(11)).astype(np.float64) + 0.5) / 2.0**53
    return found


@torch.no_grad()
def tables(
    model: Model, graph: GraphTensors, asked: Tensor, kind: Kind = "mass", seed: int = 0
) -> Iterator[tuple[slice, np.ndarray]]:
    """Some questions at a time, and (questions, nodes) strangeness of every node as the answer.

    It is infinite where a node cannot be the answer or is known already.
    """
    count, fits, score = len(graph.vocabulary.relations), allowed(graph), Scorer(model.eval(), graph)
    held_ = torch.unique(codes(both_sides(graph, graph.edges), len(graph), count))
    scores = held(SCORES)
    for chunk in blocks(len(asked), max(len(graph), scores // CHUNK), scores):
        part = asked[chunk]
        open_ = fits[part[:, 1]] & ~answered(held_, part, graph)
        said = score(part[:, 0], part[:, 1]).double().masked_fill(~open_, -torch.inf)
        weight = said.softmax(1).numpy() if kind == "mass" else open_.double().numpy()
        first = (part[:, 0] * 2 * count + part[:, 1]).numpy() * len(graph)
        found = np.full(said.shape, np.inf)
        for row, (own, heavy) in enumerate(zip(said.numpy(), weight, strict=True)):
            place = np.flatnonzero(np.isfinite(own))
            found[row, place] = _above(own[place], heavy[place], uniform(seed, first[row] + place))
        yield chunk, found


def _above(score: np.ndarray, weight: np.ndarray, draw: np.ndarray) -> np.ndarray:
    """Weight of the candidates above each, and a drawn share of those it is tied with."""
    levels, place = np.unique(-score, return_inverse=True)
    each = np.bincount(place, weight, len(levels))
    found: np.ndarray = (np.cumsum(each) - each)[place] + draw * each[place]
    return found


def strangeness(model: Model, graph: GraphTensors, asked: Tensor, kind: Kind = "mass", seed: int = 0) -> np.ndarray:
    """(questions,) how strange the true answer of each question (head, relation, answer) looks."""
    (questions, place), found = torch.unique(asked[:, :2], dim=0, return_inverse=True), np.empty(len(asked))
    for part, table in tables(model, graph, questions, kind, seed):
        mine = torch.nonzero((place >= part.start) & (place < part.stop)).squeeze(1)
        found[mine.numpy()] = table[(place[mine] - part.start).numpy(), asked[mine, 2].numpy()]
    if np.isinf(found).any():
        raise ModelError("an answer is held by the graph already or has a wrong label; ask for new triples only")
    return found


def limit(strange: np.ndarray, alpha: float) -> float:
    """The ceil((n + 1)(1 - alpha))-th smallest; infinite where n is too small for that rank to exist."""
    rank = ceil((len(strange) + 1) * (1 - alpha))
    return float(np.sort(strange)[rank - 1]) if rank <= len(strange) else float("inf")


@dataclass(frozen=True)
class LinkSets:
    """Limits of strangeness by group, from questions that no model learned from."""

    alpha: float
    kind: Kind
    seed: int
    pooled: float
    own: Mapping[int, float]
    """Limit of each relation (from R on: of heads) that had enough questions."""
    new: float
    """Limit of questions with a newcomer."""

    @classmethod
    def of(
        cls,
        strange: np.ndarray,
        group: np.ndarray,
        alpha: float = 0.1,
        kind: Kind = "mass",
        seed: int = 0,
        least: int = LEAST,
    ) -> LinkSets:
        """Limits from the strangeness of true answers, by `groups`; ModelError for an alpha that promises nothing."""
        if not 0.0 < alpha < 1.0:
            raise ModelError(f"alpha is {alpha}; give the share of misses allowed, between 0 and 1")
        known = group != NEW
        numbers, counts = np.unique(group[known], return_counts=True)
        own = {int(r): limit(strange[group == r], alpha) for r, n in zip(numbers, counts, strict=True) if n >= least}
        return cls(alpha, kind, seed, limit(strange[known], alpha), own, limit(strange[~known], alpha))

    def limits(self, relation: np.ndarray) -> np.ndarray:
        """(questions,) the limit that holds for each where no newcomer is in it."""
        return np.array([self.own.get(int(r), self.pooled) for r in relation], dtype=np.float64)

    def masks(self, model: Model, graph: GraphTensors, asked: Tensor) -> Iterator[tuple[slice, np.ndarray]]:
        """Some questions (head, relation) at a time, and (questions, nodes) bool: the set of each."""
        new = newcomers(graph)
        for part, strange in tables(model, graph, asked, self.kind, self.seed):
            rare = (new[asked[part, 0]][:, None] | new).numpy()
            limits = np.where(rare, self.new, self.limits(asked[part, 1].numpy())[:, None])
            yield part, (strange <= limits) & np.isfinite(strange)


@dataclass(frozen=True)
class Coverage:
    """How often the sets of a group held the truth, and how large they were."""

    relation: int
    questions: int
    hits: int
    """Questions whose true answer was in their set."""
    size: float
    """Mean number of nodes in a set."""
    own: bool
    """Whether the group had a limit of its own."""

    @property
    def share(self) -> float:
        return self.hits / self.questions

    def within(self, alpha: float, level: float = 0.99) -> bool:
        """Whether the share lies in the binomial band around 1 - alpha."""
        low, high = band(self.questions, 1 - alpha, level)
        return low <= self.share <= high


def covered(sets: LinkSets, model: Model, graph: GraphTensors, asked: Tensor) -> list[Coverage]:
    """Coverage by relation and direction on questions with their true answer."""
    found = []
    for number in torch.unique(asked[:, 1]).tolist():
        mine = asked[asked[:, 1] == number]
        questions, place = torch.unique(mine[:, :2], dim=0, return_inverse=True)
        hits, size = 0, 0
        for part, inside in sets.masks(model, graph, questions):
            own = (place >= part.start) & (place < part.stop)
            row = (place[own] - part.start).numpy()
            hits += int(inside[row, mine[own, 2].numpy()].sum())
            size += int(inside.sum(1)[row].sum())
        found.append(Coverage(number, len(mine), hits, size / len(mine), number in sets.own))
    return found


def band(count: int, share: float, level: float = 0.99, calibration: int | None = None) -> tuple[float, float]:
    """Shares between which `count` draws of probability `share` stay with probability `level`.

    With the number of calibration questions given, the luck of those is counted too: coverage is then beta binomial
    (Vovk 2012), which is wider than the binomial band of a known probability.
    """
    tail = (1 - level) / 2
    if calibration is None:
        low, high = binom.ppf(tail, count, share), binom.ppf(1 - tail, count, share)
    else:
        rank = ceil((calibration + 1) * share)
        wide = betabinom(count, rank, calibration + 1 - rank)
        low, high = wide.ppf(tail), wide.ppf(1 - tail)
    return float(low) / max(count, 1), float(high) / max(count, 1)


VERDICTS: Final = {(False, False): "neither", (True, False): "sound", (False, True): "distress", (True, True): "either"}


@dataclass(frozen=True)
class Verdicts:
    """Outcomes that a firm's probability leaves possible, so that each true outcome is kept 1 - alpha of the time.

    One calibration per outcome (Mondrian by class): few failed firms among many sound ones are kept as often.
    """

    alpha: float
    strange: tuple[np.ndarray, np.ndarray]
    """Ascending: p of the firms that stayed sound, 1 - p of those that fell."""

    @classmethod
    def of(cls, probability: np.ndarray, truth: np.ndarray, alpha: float = 0.1) -> Verdicts:
        return cls(alpha, (np.sort(probability[truth <= 0]), np.sort(1 - probability[truth > 0])))

    def possible(self, probability: np.ndarray) -> np.ndarray:
        """(firms, 2) bool: whether each may stay sound, may fall."""
        columns = []
        for strange, own in zip(self.strange, (probability, 1 - probability), strict=True):
            atleast = len(strange) - np.searchsorted(strange, own, "left")
            columns.append((atleast + 1) / (len(strange) + 1) > self.alpha)
        return np.stack(columns, axis=1)

    def words(self, probability: np.ndarray) -> list[str]:
        """sound, distress, either or neither, for each firm."""
        return [VERDICTS[bool(a), bool(b)] for a, b in self.possible(probability)]
