"""Challenge: each training run after the first one has to show that it is no worse than the run that is served.

Both are asked for the firms at risk on the later of their cuts, and what became of those decides (gnn/contest.py). The
first run, and any run after one that cannot be asked any more, takes the place without a contest. A run that does not
pass stays in the shadow with its figures and all it would say: `kgrisk champion promote RUN` puts it in its place.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from kg.errors import ModelError
from kg.files import write_whole
from kgrisk.champion import CONTEST, champion, keep
from kgrisk.extras import learning, need
from kgrisk.opened import Opened
from kgrisk.rescoring import scorer
from kgrisk.result import plain

if TYPE_CHECKING:
    from gnn.pipeline import TrainResult


def challenge(graph: Opened, result: TrainResult, check: Callable[[], None] = lambda: None) -> dict[str, Any]:
    """Let a training run challenge the champion, and publish it if it passes; gives the verdict as it is kept."""
    told = verdict(graph, result)
    write_whole(result.checkpoint / CONTEST, json.dumps(plain(told), indent=1, sort_keys=True).encode())
    check()
    if told["promoted"]:
        learning().publish(graph.ledger, graph.files, result)
    else:
        keep(graph, result.checkpoint, need("gnn.publish", "learn").kept(graph.files, result))
    return told


def verdict(graph: Opened, result: TrainResult) -> dict[str, Any]:
    """Is the run to be promoted, and why."""
    now, told = champion(graph), {"challenger": result.run}
    if now is None:
        return {**told, "promoted": True, "rule": "nothing was served before"}
    told |= {"champion": now.run}
    if now.run == result.run:
        return {**told, "promoted": True, "rule": "it is the champion: the same data and settings give the same run"}
    try:
        served = scorer(graph, now.run)
    except ModelError as error:
        return {**told, "promoted": True, "rule": f"the champion cannot be asked any more: {error}"}
    try:
        asked = scorer(graph, result.run)
        share = graph.settings.margin
        found = need("gnn.contest", "learn").contest(served, asked, graph.ledger, share, graph.settings.seed)
    except ModelError as error:
        return {**told, "promoted": False, "rule": f"the challenger cannot be compared: {error}"}
    return {**found.to_dict(), "promoted": found.passed}
