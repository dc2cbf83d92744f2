"""Counting: how many entities stand at the other end of edges, in one sentence that cites every edge it counts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Final

from kgrisk.questions.cited import Cited, joined
from kgrisk.questions.saying import name
from kgrisk.questions.scene import CLAIMS, MOST, Edge, Scene
from kgrisk.questions.wanted import labels

ENDS: Final[Mapping[str, tuple[str, tuple[tuple[str, tuple[str, ...]], ...]]]] = {
    "owners": ("Owners of", (("target", ("OWNS",)), ("source", ("SUBSIDIARY_OF",)))),
    "holdings": ("Holdings of", (("source", ("OWNS", "HOLDS")), ("target", ("SUBSIDIARY_OF",)))),
    "exposed_to": ("Creditors of", (("target", CLAIMS),)),
    "exposures": ("Debtors of", (("source", CLAIMS),)),
    "suppliers": ("Suppliers of", (("target", ("SUPPLIES",)),)),
    "customers": ("Customers of", (("source", ("SUPPLIES",)),)),
    "competitors": ("Competitors of", (("source", ("COMPETES_WITH",)), ("target", ("COMPETES_WITH",)))),
    "officers": ("Officers of", (("target", ("OFFICER_OF",)),)),
}
"""Kinds whose entities can be counted: what they are called, and at which end of which edges stands whose they are."""
SEVERAL: Final = {"Bank": "banks", "Fund": "funds", "Company": "companies", "Person": "persons"}


def count(scene: Scene, kind: str) -> list[Cited]:
    """How many entities there are; nothing where no statement tells of any, as that is not the same as none."""
    s, wanted = scene.view.snapshot, labels(scene.text)
    called, ends = ENDS[kind]
    edges: dict[int, list[Edge]] = defaultdict(list)
    for end, types in ends:
        for edge in scene.edges(scene.a, end, *types):
            other = edge["target" if end == "source" else "source"]
            if not wanted or s.labels[other] in wanted:
                edges[other].append(edge)
    if not edges:
        return []
    names = [name(scene.view, row) for row in edges]
    beyond = f" and {len(names) - MOST} more" if len(names) > MOST else ""
    only = f" that are {' or '.join(sorted(SEVERAL[label] for label in wanted))}" if wanted else ""
    text = f"{called} {name(scene.view, scene.a)}{only}: {len(names)} ({', '.join(names[:MOST])}{beyond})."
    return [joined(scene.said(edge for own in edges.values() for edge in own), text)]
