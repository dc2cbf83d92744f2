"""A planted ladder: firms are part of branches, branches of sectors, and owned firms of their owners."""

import torch
from torch import Tensor

from gnn.bilinear import Bilinear
from gnn.tensors import GraphTensors
from gnn.vocabulary import Vocabulary
from tests.test_gnn_convolution import CUT

PART_OF, SUPPLIES = 0, 1
FAN = (4, 4, 4, 3)
"""Children of each node, level by level, below one root for each of the four sectors."""


def parents() -> tuple[list[int], list[int]]:
    """The parent (-1 for none) and level of each node."""
    up, level, last = [-1] * FAN[0], [0] * FAN[0], list(range(FAN[0]))
    for depth, fan in enumerate(FAN[1:], 1):
        above, last = last, []
        for node in above:
            for _ in range(fan):
                last.append(len(up))
                up.append(node)
                level.append(depth)
    return up, level


def ancestors(up: list[int], node: int) -> list[int]:
    found = []
    while (node := up[node]) >= 0:
        found.append(node)
    return found


def ladder(seed: int = 0, hidden: float = 0.4) -> tuple[GraphTensors, Tensor, Tensor]:
    """The graph, ancestor pairs (triples) that it does not hold, and the level of each node.

    A share of all ancestor pairs is hidden; firms also supply each other at random.
    """
    up, level = parents()
    draw = torch.Generator().manual_seed(seed)
    pairs = torch.tensor([[node, PART_OF, high] for node in range(len(up)) for high in ancestors(up, node)])
    away = torch.rand(len(pairs), generator=draw) < hidden
    firms = torch.tensor([node for node in range(len(up)) if level[node] == len(FAN) - 1])
    trade = firms[torch.randint(0, len(firms), (3 * len(firms), 2), generator=draw)]
    trade = torch.stack([trade[:, 0], torch.full_like(trade[:, 0], SUPPLIES), trade[:, 1]], dim=1)
    edges = torch.unique(torch.cat([pairs[~away], trade[trade[:, 0] != trade[:, 2]]])[:, [1, 0, 2]], dim=0)[
        :, [1, 0, 2]
    ]
    when = torch.zeros(len(edges), dtype=torch.int64)
    ids = tuple(f"n{node:04d}" for node in range(len(up)))
    words = Vocabulary.plain(["part of", "supplies"])
    labels = torch.zeros(len(ids), dtype=torch.int64)
    own = GraphTensors(ids, labels, edges, when, when, torch.ones_like(when), CUT, vocabulary=words)
    return own, pairs[away], torch.tensor(level)


@torch.no_grad()
def violations(model: Bilinear, own: GraphTensors, pairs: Tensor, level: Tensor) -> dict[str, float]:
    """Shares of hidden pairs (node, part of, ancestor) in which the ladder is broken.

    upside down: the ancestor is at least as likely part of the node; below: the best answer to "what is this part
    of", among nodes not known already, is no higher on the ladder than the node that asks.
    """
    model.eval()
    right, turned = model.score(own, pairs), model.score(own, pairs[:, [2, 1, 0]])
    nodes = torch.unique(pairs[:, 0])
    scores = model.score_tails(own, nodes, torch.full_like(nodes, PART_OF))
    for head, relation, tail in own.edges.tolist():
        if relation == PART_OF:
            scores[nodes == head, tail] = -torch.inf
    scores[torch.arange(len(nodes)), nodes] = -torch.inf
    return {
        "upside down": float((right <= turned).double().mean()),
        "below": float((level[scores.argmax(1)] >= level[nodes]).double().mean()),
    }
