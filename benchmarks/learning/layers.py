"""Layers in CSR form beside PyG's and beside their own plain form: CPU time forward and backward, same output."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final

import torch
from torch import Tensor
from torch_geometric.nn import RGCNConv

from benchmarks.figure import Figure
from gnn.convolution import BasisConvolution, Messages, gathered
from tests.planted_layers import scattered

NODES: Final = 14_541
EDGES: Final = 272_115
KINDS: Final = 237
DIM: Final = 100
BASES: Final = 4


def measure() -> list[Figure]:
    torch.set_num_threads(1)
    typed, even = of_types(), random()
    return [*_basis(typed, "typed"), *_basis(even, "random"), *_compgcn(typed, "typed"), *_compgcn(even, "random")]


def of_types(seed: int = 0) -> Messages:
    """A graph of the size of FB15k-237, both directions, whose relations run between kinds of nodes of their own.

    The ends of a relation are drawn from a range of nodes as wide as the relation is frequent, with hubs.
    """
    draw = torch.Generator().manual_seed(seed)
    share = torch.rand(KINDS, generator=draw).pow(3) + 0.01
    relation = torch.multinomial(share, EDGES, replacement=True, generator=draw)
    wide = (torch.bincount(relation, minlength=KINDS) / 2).clamp(20, 4000)
    ends = []
    for _ in range(2):
        start = (torch.rand(KINDS, generator=draw) * (NODES - wide))[relation]
        ends.append((start + torch.rand(EDGES, generator=draw).pow(3) * (wide[relation] - 1)).long())
    return _both(ends[0], relation, ends[1])


def random(seed: int = 0) -> Messages:
    """As large, but any relation links any two nodes: the worst case, nearly one slot for each edge."""
    draw = torch.Generator().manual_seed(seed)
    head, tail = torch.randint(0, NODES, (2, EDGES), generator=draw)
    return _both(head, torch.randint(0, KINDS, (EDGES,), generator=draw), tail)


def _both(head: Tensor, relation: Tensor, tail: Tensor) -> Messages:
    ends = torch.cat([head, tail]), torch.cat([tail, head])
    kinds = torch.cat([relation, relation + KINDS])
    return Messages.of(ends, kinds, torch.ones(2 * EDGES), NODES, 2 * KINDS)


def spent(run: Callable[[], Tensor], learned: Sequence[Tensor], rounds: int) -> tuple[float, Tensor, list[Tensor]]:
    """Least CPU seconds of a forward and backward pass, its output and the gradients."""
    best = float("inf")
    for _ in range(rounds):
        begun = time.process_time()
        made = run()
        found = torch.autograd.grad(made.square().mean(), learned)
        best = min(best, time.process_time() - begun)
    return best, made.detach(), list(found)


def apart(ours: tuple[float, Tensor, list[Tensor]], theirs: tuple[float, Tensor, list[Tensor]]) -> tuple[float, float]:
    """Largest difference of outputs, and of gradients as a share of the largest one."""
    gradients = [float((a - b).abs().max() / b.abs().max()) for a, b in zip(ours[2], theirs[2], strict=True)]
    return float((ours[1] - theirs[1]).abs().max()), max(gradients)


def _basis(messages: Messages, name: str) -> list[Figure]:
    torch.manual_seed(0)
    layer, conv = BasisConvolution(DIM, DIM, 2 * KINDS, BASES), RGCNConv(DIM, DIM, 2 * KINDS, num_bases=BASES)
    with torch.no_grad():
        conv.weight.copy_(layer.bases)
        conv.comp.copy_(layer.share)
        conv.root.copy_(layer.self_loop.weight.T)
        conv.bias.copy_(layer.self_loop.bias)
    x = torch.randn(NODES, DIM, requires_grad=True)
    edges = torch.stack([messages.source, messages.target])
    layer(x, messages)  # the matrices are sorted once per graph
    ours = spent(lambda: layer(x, messages), [x, layer.bases, layer.share], 3)
    theirs = spent(lambda: conv(x, edges, messages.relation), [x, conv.weight, conv.comp], 1)
    output, gradient = apart(ours, theirs)
    note = f"{ours[0]:.2f} s against {theirs[0]:.2f} s; {_told(messages)}"
    return [
        Figure(
            f"R-GCN basis layer, {name} graph, times faster than PyG's RGCNConv", theirs[0] / ours[0], 5.0, note=note
        ),
        Figure(f"its largest difference of outputs, {name} graph", output, 1e-4, least=False),
        Figure(f"its largest difference of gradients, relative, {name} graph", gradient, 1e-4, least=False),
    ]


def _compgcn(messages: Messages, name: str) -> list[Figure]:
    torch.manual_seed(0)
    x, z = torch.randn(NODES, DIM, requires_grad=True), torch.randn(2 * KINDS + 1, DIM, requires_grad=True)
    gathered(x, z, messages)
    ours = spent(lambda: gathered(x, z, messages), [x, z], 3)
    theirs = spent(lambda: scattered(x, z, messages), [x, z], 3)
    output, gradient = apart(ours, theirs)
    note = f"{ours[0]:.3f} s against {theirs[0]:.3f} s; gradients apart by {gradient:.1g} relative; {_told(messages)}"
    begun = time.process_time()
    fresh = Messages.of((messages.source, messages.target), messages.relation, messages.weight[:, 0], NODES, 2 * KINDS)
    torch.autograd.backward(gathered(x, z, fresh).sum())
    first = time.process_time() - begun
    return [
        Figure(f"CompGCN sum, {name} graph, times faster than gather and scatter", theirs[0] / ours[0], note=note),
        Figure(f"its largest difference of outputs, {name} graph", output, 1e-4, least=False),
        Figure(f"sorting the matrices, once per {name} graph", max(first - ours[0], 0.0), unit="CPU s"),
    ]


def _told(messages: Messages) -> str:
    return f"{len(messages.source):,} edges, {len(messages.slots):,} slots, {2 * KINDS} relations, {DIM} wide"
