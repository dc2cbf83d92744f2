"""A process with a bound on its memory learns links of one graph by full passes, and by drawn neighbourhoods.

    python -m tests.drawn_child LOANS SHARE

The share is of what full passes say that they need, in hundredths. It prints what came of both.
"""

from __future__ import annotations

import json
import resource
import sys

import torch

from gnn.room import NEED, need_of_pass
from gnn.settings import Settings
from gnn.teaching import network, taught
from gnn.tensors import GraphTensors
from gnn.train import Recipe
from kg.errors import TooLargeError
from tests.large_world import DAY, large
from tests.limited_child import CLEAR, held

DRAWN = Settings(neighbours=(5, 5), negatives=64, questions=2048)


def learned(graph: GraphTensors, settings: Settings) -> str:
    """An epoch, the validation after it and the vectors of all nodes; or why not."""
    model = network(graph, settings, 0)
    try:
        run, _ = taught(model, graph, graph.edges[:50], (settings, Recipe(epochs=1)), None, lambda text: None)
    except TooLargeError as error:
        return str(error)
    with torch.no_grad():
        assert torch.isfinite(model.describe(graph)).all()
    return f"loss {run.epochs[0]['loss']:.2f}"


def main() -> None:
    loans, share = int(sys.argv[1]), int(sys.argv[2])
    for settings in (Settings(), DRAWN):  # what is loaded once counts for neither
        learned(GraphTensors.with_facts(large(200), DAY)[0], settings)
    graph = GraphTensors.with_facts(large(loans), DAY)[0]
    need = NEED.of(**need_of_pass(network(graph, Settings(), 0), graph))
    resource.setrlimit(resource.RLIMIT_DATA, (held("VmData") + need * share // 100, resource.RLIM_INFINITY))
    CLEAR.write_text("5")  # forget the peak so far
    before = held("VmHWM")
    told = {"full": learned(graph, Settings()), "drawn": learned(graph, DRAWN)}
    print(json.dumps({**told, "need": need, "taken": held("VmHWM") - before}))


if __name__ == "__main__":
    main()
