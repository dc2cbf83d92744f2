"""Network: says from the directed multigraph around a transfer whether it launders money."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gnn.model import seeded
from gnn.payments.neighbourhood import EDGE, Batch

Switch = Literal["reverse", "ports", "ego", "updates"]
"""A piece of Multi-GNN that is on or off."""


@dataclass(frozen=True)
class Wiring:
    """What of Multi-GNN (Egressy et al. 2024) is switched on."""

    aggregate: Literal["gine", "pna"] = "gine"
    """Sums (Hu et al. 2020), or mean, least, most and spread by degree (Corso et al. 2020)."""
    reverse: bool = True
    """Messages run against the money too, with weights of their own."""
    ports: bool = True
    ego: bool = True
    """Sender and receiver of the scored transfer are marked."""
    updates: bool = True
    """Transfers have states that are brought up to date from their two ends."""
    amounts: bool = True
    """Amounts are read; off only to see what structure and time say alone."""
    dim: int = 32
    layers: int = 2
    dropout: float = 0.1

    def switched(self, switch: Switch, on: bool) -> Wiring:
        """The same with a piece on or off."""
        change: dict[str, Any] = {switch: on}
        return replace(self, **change)


class Network(nn.Module):
    """Logit of each scored transfer: an MLP over the vectors of sender, receiver and transfer."""

    def __init__(self, wiring: Wiring, seed: int = 0) -> None:
        super().__init__()
        self.wiring, dim = wiring, wiring.dim
        self.epochs: list[dict[str, float]] = []
        """The loss curve of its training; empty where it was read back."""
        self.register_buffer("shown", _shown(wiring))
        self.register_buffer("centre", torch.zeros(len(EDGE)))
        self.register_buffer("spread", torch.ones(len(EDGE)))
        with seeded(seed):
            self.node, self.edge = nn.Linear(3, dim), nn.Linear(len(EDGE), dim)
            self.layers = nn.ModuleList(Layer(wiring) for _ in range(wiring.layers))
            self.out = nn.Sequential(nn.Linear(3 * dim, dim), nn.ReLU(), nn.Linear(dim, 1))

    def scale(self, edges: Tensor) -> None:
        """Take the mean and spread of the columns of transfers from training transfers; kept with the weights."""
        self.get_buffer("centre").copy_(edges.mean(0))
        self.get_buffer("spread").copy_(edges.std(0).clamp(min=1e-3))

    def forward(self, batch: Batch) -> Tensor:
        ego = batch.ego if self.wiring.ego else torch.zeros_like(batch.ego)
        x = self.node(torch.cat([torch.ones(len(ego), 1), ego], dim=1))
        scaled = (batch.edges - self.get_buffer("centre")) / self.get_buffer("spread")
        e = self.edge(scaled.clamp(-5.0, 5.0) * self.get_buffer("shown"))
        links = Links(batch.source, batch.target)
        for layer, keep in zip(self.layers, _needed(batch, len(self.layers)), strict=True):
            links, e = links.where(keep), e[keep]
            x, e = layer(x, e, links)
        ends = torch.cat([x[links.source[: batch.count]], x[links.target[: batch.count]], e[: batch.count]], dim=1)
        logit: Tensor = self.out(F.dropout(ends, self.wiring.dropout, self.training)).squeeze(1)
        return logit


@dataclass(frozen=True)
class Links:
    """Ends of the transfers that a layer reads."""

    source: Tensor
    target: Tensor

    def where(self, keep: Tensor) -> Links:
        return Links(self.source[keep], self.target[keep])


class Layer(nn.Module):
    """One round of messages along and, if switched on, against the money, and of news for the transfers."""

    def __init__(self, wiring: Wiring) -> None:
        super().__init__()
        self.wiring, dim = wiring, wiring.dim
        wide = dim * (12 if wiring.aggregate == "pna" else 1)
        self.along = Gather(dim)
        self.against = Gather(dim) if wiring.reverse else None
        ways = 2 if wiring.reverse else 1
        self.join = nn.Sequential(nn.Linear(dim + ways * wide, dim), nn.ReLU(), nn.Linear(dim, dim))
        self.news = nn.Sequential(nn.Linear(3 * dim, dim), nn.ReLU(), nn.Linear(dim, dim)) if wiring.updates else None
        self.norm = nn.LayerNorm(dim)

    def forward(self, x: Tensor, e: Tensor, links: Links) -> tuple[Tensor, Tensor]:
        gathered = pna if self.wiring.aggregate == "pna" else gine
        heard = [gathered(self.along(x, e, links.source), links.target, len(x))]
        if self.against is not None:
            heard.append(gathered(self.against(x, e, links.target), links.source, len(x)))
        x = self.norm(x + F.dropout(self.join(torch.cat([x, *heard], dim=1)), self.wiring.dropout, self.training))
        if self.news is not None:
            e = e + self.news(torch.cat([x.index_select(0, links.source), x.index_select(0, links.target), e], 1)) / 2
        return x, e


class Gather(nn.Module):
    """Message of each transfer: relu of the vector of the end it comes from and its own."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.node, self.edge = nn.Linear(dim, dim), nn.Linear(dim, dim)

    def forward(self, x: Tensor, e: Tensor, end: Tensor) -> Tensor:
        message: Tensor = F.relu(self.node(x).index_select(0, end) + self.edge(e))
        return message


def gine(messages: Tensor, end: Tensor, count: int) -> Tensor:
    """(count, dim) sum of the messages that reach each node."""
    return messages.new_zeros(count, messages.shape[1]).index_add(0, end, messages)


def pna(messages: Tensor, end: Tensor, count: int) -> Tensor:
    """(count, 12 dim) mean, least, most and spread, each plain, times and over the log of the degree."""
    number = torch.bincount(end, minlength=count).to(messages.dtype)[:, None]
    mean = gine(messages, end, count) / number.clamp(min=1)
    square = gine(messages**2, end, count) / number.clamp(min=1)
    place = end[:, None].expand_as(messages)
    bare = torch.zeros_like(mean)
    least = bare.scatter_reduce(0, place, messages, "amin", include_self=False)
    most = bare.scatter_reduce(0, place, messages, "amax", include_self=False)
    told = torch.cat([mean, least, most, ((square - mean**2).clamp(min=0) + 1e-6).sqrt()], dim=1)
    degree = torch.log1p(number)
    return torch.cat([told, told * degree, told / degree.clamp(min=0.5)], dim=1)


def _shown(wiring: Wiring) -> Tensor:
    """1.0 for each column of EDGE that is read."""
    hidden = [word for word, on in (("amount", wiring.amounts), ("port", wiring.ports)) if not on]
    return torch.tensor([float(not any(word in name for word in hidden)) for name in EDGE])


def _needed(batch: Batch, layers: int) -> list[Tensor]:
    """For each layer, which of the transfers kept so far can still reach a score: later layers read ever fewer."""
    near = batch.ego.any(1)
    masks = []
    for _ in range(layers):
        touch = near[batch.source] | near[batch.target]
        masks.append(touch)
        near = near.clone()
        near[batch.source[touch]] = True
        near[batch.target[touch]] = True
    whole = masks[::-1]
    return [whole[0], *(mask[before] for before, mask in pairwise(whole))]
