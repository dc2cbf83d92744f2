"""Firms in four groups that trade among themselves, with weak features and few labels."""

import torch
from torch import Tensor

from gnn.tensors import Features, GraphTensors
from tests.planted_layers import triples_of
from tests.test_gnn_convolution import SUPPLIES, graph

GROUPS = 4


def groups(seed: int, nodes: int = 320, each: int = 5, inside: float = 0.75) -> tuple[GraphTensors, Tensor]:
    """The graph, and the group of each node; a share `inside` of edges stays in the group."""
    draw = torch.Generator().manual_seed(seed)
    group = torch.arange(nodes) % GROUPS
    head = torch.arange(nodes).repeat_interleave(each)
    same = torch.rand(len(head), generator=draw) < inside
    near = GROUPS * torch.randint(0, nodes // GROUPS, (len(head),), generator=draw) + group[head]
    tail = torch.where(same, near, torch.randint(0, nodes, (len(head),), generator=draw))
    values = torch.randn(nodes, 6, generator=draw)
    values[torch.arange(nodes), group] += 0.7
    own = graph(triples_of(head, torch.full_like(head, SUPPLIES), tail), nodes)
    return own.with_features({"numeric": Features(torch.arange(nodes), values)}), group


def few(group: Tensor, each: int, seed: int) -> Tensor:
    """Rows of some nodes of each group: those with a label."""
    draw = torch.Generator().manual_seed(seed)
    parts = [torch.nonzero(group == one).squeeze(1) for one in range(GROUPS)]
    return torch.cat([part[torch.randperm(len(part), generator=draw)[:each]] for part in parts])
