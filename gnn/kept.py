"""Kept: what a checkpoint says of a model beside its weights, and the model built anew from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from gnn.model import Model, Shape
from gnn.rerank import Reranked
from gnn.teaching import JUDGE, kind


def facts(model: Model) -> dict[str, Any]:
    """Shape and settings; of answers put in order by another model also that one's, as `judge`."""
    first = model.first if isinstance(model, Reranked) else model
    shape = {**asdict(first.shape), "modalities": dict(first.shape.modalities)}
    found = {"settings_of_model": first.settings, "shape": shape}
    if isinstance(model, Reranked):
        found["judge"] = {"settings_of_model": model.second.settings, **model.settings}
    return found


def rebuilt(name: str, told: Mapping[str, Any]) -> Model:
    """The model of a name as `facts` tells it, with weights as they are drawn."""
    shape = Shape(**told["shape"])
    made: Callable[..., Model] = kind(name)
    first = made(shape, **told["settings_of_model"])
    if not (judge := told.get("judge")):
        return first
    second: Callable[..., Model] = kind(JUDGE)
    return Reranked(first, second(shape, **judge["settings_of_model"]), judge["top"], judge["share"])
