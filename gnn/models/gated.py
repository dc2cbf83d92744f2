"""Structure, each modality and their fusion beside each other, weighed anew for every relation.

    score(h, r, t) = sum_m g_rm(h) ComplEx(x_hm, w_rm, x_tm),    m over structure, each modality and the joint vector
    g_r(h) = softmax_m(b_rm) over the blocks that the head has

After NativE (Zhang et al. 2024), which weighs modalities by relation, and the finding of its successors that neither
the fused vector nor the single ones may replace the structural embedding: each block keeps relation vectors of its own,
so one that says nothing about a relation gets no weight and spoils none of the others.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gnn.bilinear import Bilinear
from gnn.decoder import query
from gnn.fusion import masked_softmax, projections, spread
from gnn.model import Plan, Shape, seeded
from gnn.models.relational import Relational
from gnn.tensors import GraphTensors


class Gated(Bilinear):
    """Blocks of `dim` numbers: the structural token, a token of each modality, and the network's joint vector.

    A node's vector is all of them in a row, followed by a mark for each block that it has; the marks weigh 0 in
    every score. What a node lacks is 0 and adds nothing, and the gate of a head shares its weight out among the rest.
    """

    name = "gated"
    plan = Plan(settings={"dim": 64}, recipe={"rate": 0.01, "epochs": 60})

    def __init__(
        self, shape: Shape, dim: int = 32, table: bool = True, fusion: str = "attention", seed: int = 0
    ) -> None:
        super().__init__(shape, {"dim": dim, "table": table, "fusion": fusion, "seed": seed})
        self.joint = Relational(shape, dim=dim, table=table, fusion=fusion, seed=seed)
        del self.joint.relation  # its scorer is not used: each block has relation vectors here
        self.names = self.joint.fusion.names
        self.blocks = 2 + len(self.names)
        with seeded(seed + 1):
            self.project = projections(dim, self.joint.fusion.widths)
            self.relation = nn.Parameter(0.3 * torch.randn(2 * shape.relations, self.blocks * dim))
            self.say = nn.Parameter(torch.zeros(2 * shape.relations, self.blocks))

    def check(self, graph: GraphTensors) -> None:
        self.joint.check(graph)

    def embed(self, graph: GraphTensors) -> Tensor:
        """(nodes, blocks x dim + blocks): structure, modalities, joint; then the marks."""
        joint = self.joint.embed(graph)
        structure = self.joint.label(graph.labels)
        if self.settings["table"]:
            structure = structure + self.joint.rows.weight
        return self._row(graph, structure, joint)

    def describe(self, graph: GraphTensors) -> Tensor:
        """As `embed` without the node's own row of the table."""
        return self._row(graph, self.joint.label(graph.labels), self.joint.describe(graph))

    def shares(self, x: Tensor, heads: Tensor, relations: Tensor) -> Tensor:
        """(batch, blocks) weights of structure, each modality and the joint vector: they sum to one."""
        return masked_softmax(self.say[relations], x[heads, -self.blocks :] > 0)

    def ask(self, x: Tensor, heads: Tensor, relations: Tensor) -> Tensor:
        shares = self.shares(x, heads, relations)
        own, relation = (v.view(len(v), self.blocks, -1) for v in (x[heads, : -self.blocks], self.relation[relations]))
        asked = shares[..., None] * query(own, relation)
        return torch.cat([asked.flatten(1), torch.zeros_like(shares)], dim=1)

    def query(self, head: Tensor, relation: Tensor) -> Tensor:
        """Query vectors with even weights, where only vectors are at hand."""
        own = head[:, : -self.blocks].view(len(head), self.blocks, -1)
        asked = query(own, relation.view(len(head), self.blocks, -1)) / self.blocks
        return torch.cat([asked.flatten(1), torch.zeros_like(head[:, -self.blocks :])], dim=1)

    def _row(self, graph: GraphTensors, structure: Tensor, joint: Tensor) -> Tensor:
        if not self.names:
            return torch.cat([structure, joint, torch.ones(len(joint), 2)], dim=1)
        seen, present = self.joint.fusion.ready(graph.features, len(graph))
        tokens = spread(self.project, seen, present, structure.shape[1]).flatten(1)
        always = torch.ones(len(graph), 1)
        return torch.cat([structure, tokens, joint, always, present.float(), always], dim=1)
