"""The no-peek certificate on plain triples: what a model says at the end of validation, whatever comes after it.

Where the triples have times and the model is asked one step ahead, every triple from the first test step on is made up
anew (other ends, another relation, the same step), and the model is asked again about that step: its scores must stay
the same to the last bit. Without times there is no date to look past, so there is no certificate, and it is said why.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import torch
from torch import Tensor

from gnn.model import Model
from gnn.temporal import Chronicle, Timed
from gnn.triples import Triples
from kg.errors import ModelError
from kg.model import digest

DATELESS: Final = (
    "No no-peek certificate: a public split without times has no dates, so nothing in it is later than anything else; "
    "its test triples are held out, and no more can be said."
)
TIMELESS: Final = (
    "No no-peek certificate: the model knows no time and is ranked over the whole split; a model that does, such as "
    "temporal, is asked one step ahead and certified."
)
ASKED: Final = 64
"""Questions of the first test step that are asked twice."""


def certified(model: Model, split: Triples, seed: int = 0) -> dict[str, Any]:
    """The certificate, or why there is none: `holds` is null then. ModelError where a score moved."""
    if split.times is None:
        return {"holds": None, "remark": DATELESS}
    if not isinstance(model, Timed):
        return {"holds": None, "remark": TIMELESS}
    step, model = int(split.times[2].min()), model.to("cpu")  # where the triples are
    twin, changed = remade(split, step, seed)
    asked = split.rows[2][split.times[2] == step][:ASKED]
    before, after = (said(model, Chronicle.of(own), step, asked) for own in (split, twin))
    told = f"{changed} triples from step {step} on, the first of the test, were made up anew (seed {seed})"
    if before != after:
        raise ModelError(
            f"No-peek certificate REFUSED: {told}; scores at step {step} moved, so the model reads the future"
        )
    remark = f"No-peek certificate: {told}; every score at that step stayed the same to the last bit."
    return {"holds": True, "step": step, "changed": changed, "before": before, "after": after, "remark": remark}


def remade(split: Triples, step: int, seed: int) -> tuple[Triples, int]:
    """The split with every triple from a step on made up anew, and how many those were."""
    assert split.times is not None
    draw, rows, changed = torch.Generator().manual_seed(seed), [], 0
    nodes, relations = len(split.graph), len(split.graph.vocabulary.relations)
    for own, when in zip(split.rows, split.times, strict=True):
        later = when >= step
        count = int(later.sum())
        drawn = [torch.randint(size, (count,), generator=draw) for size in (nodes, relations, nodes)]
        made = own.clone()
        made[later] = torch.stack(drawn, dim=1)
        rows.append(made)
        changed += count
    return replace(split, rows=(rows[0], rows[1], rows[2])), changed


@torch.no_grad()
def said(model: Timed, chronicle: Chronicle, step: int, asked: Tensor) -> str:
    """A digest of the scores of every node as the answer to these questions."""
    score = model.eval().ahead(chronicle, step, asked[:, 0], asked[:, 1])
    return digest(score.double().numpy().tobytes())
