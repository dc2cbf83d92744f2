"""Layout: where the nodes of a large graph lie, worked out once on the server and the same every time.

A force model in the manner of ForceAtlas2 (Jacomy, Venturini, Heymann, Bastian, PLoS ONE 9(6), 2014): linear
attraction along edges, repulsion by degree over distance, here only from the nearest neighbours, so that a step costs
n log n; a pull to the middle keeps parts together.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy.spatial import cKDTree

STEPS: Final = 60
NEAR: Final = 12
"""Neighbours in the plane that push a node away."""
PULL: Final = 0.02


def layout(nodes: int, source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Places of nodes 0 to nodes-1 as rows of x and y, between -1 and 1."""
    turn = np.arange(nodes) * 2.399963  # the golden angle: an even disc, which is no answer but a fair beginning
    places = np.sqrt(np.arange(nodes) + 0.5)[:, None] * np.column_stack((np.cos(turn), np.sin(turn)))
    if nodes < 3:
        disc: np.ndarray = places / max(1.0, float(np.abs(places).max(initial=0.0)))
        return disc
    degree = np.bincount(source, minlength=nodes) + np.bincount(target, minlength=nodes) + 1.0
    for step in range(STEPS):
        force = _pulled(places, source, target, degree) + _pushed(places, degree) - PULL * places
        length = np.linalg.norm(force, axis=1, keepdims=True)
        most = 0.08 * np.sqrt(nodes) * (1 - step / STEPS) + 0.01
        places += force * np.minimum(1.0, most / np.maximum(length, 1e-9))
    return _spread(places)


def _spread(places: np.ndarray) -> np.ndarray:
    """The crowded middle drawn out, the far ones drawn in: distances mostly by rank, directions as they are."""
    places = places - np.median(places, axis=0)
    far = np.linalg.norm(places, axis=1)
    rank = np.empty(len(far))
    rank[np.argsort(far, kind="stable")] = np.sqrt((np.arange(len(far)) + 0.5) / len(far))
    wanted = 0.75 * rank + 0.25 * far / max(1e-9, float(far.max()))
    spread: np.ndarray = places * (wanted / np.maximum(far, 1e-9))[:, None]
    return spread


def _pulled(places: np.ndarray, source: np.ndarray, target: np.ndarray, degree: np.ndarray) -> np.ndarray:
    """Along every edge towards each other, less for who has many."""
    apart = places[target] - places[source]
    force = np.zeros_like(places)
    for axis in (0, 1):
        force[:, axis] += np.bincount(source, apart[:, axis] / degree[source], len(places))
        force[:, axis] -= np.bincount(target, apart[:, axis] / degree[target], len(places))
    return force


def _pushed(places: np.ndarray, degree: np.ndarray) -> np.ndarray:
    """Away from the nearest, harder from who has many edges."""
    near = min(NEAR + 1, len(places))
    far, who = cKDTree(places).query(places, near)
    apart = places[:, None, :] - places[who]
    weight = np.sqrt(degree[who]) / np.maximum(far, 0.05) ** 2
    weight[:, 0] = 0.0  # the first is the node itself
    pushed: np.ndarray = (apart * weight[:, :, None]).sum(axis=1)
    return pushed
