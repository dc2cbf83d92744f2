"""The planted world of learning with a champion that is served, quickly trained, for what happens after a training."""

from __future__ import annotations

import atexit
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from shutil import copytree, rmtree
from tempfile import mkdtemp
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from kg.model import Claim, ClaimBatch, Edge, Evidence, Node, RunManifest, digest
from kgrisk.api import Graph
from kgrisk.api import open as open_graph
from kgrisk.settings import Settings
from tests.gnn_world import CUT, build, day

LAST = day(2023, 11)
"""The last day on which the world publishes anything."""
SCORED = LAST + timedelta(microseconds=1)
"""When the champion scored: the first moment at which all of that is seen."""
QUICK = {"epochs": 1, "dim": 8, "modalities": ("numeric",), "amount": None, "certify": "off", "links_each": 3}
SCORES = ("distress", "distress_low", "distress_high")


def served(home: Path, **settings: Any) -> Graph:
    """A graph in a folder of its own whose champion was trained at CUT and has scored every firm after LAST."""
    copytree(_made(), home, dirs_exist_ok=True)
    return reopened(home, **settings)


@cache
def _made() -> Path:
    """The home that the others are copies of, made once by each process that runs tests."""
    folder = Path(mkdtemp(prefix="champion-"))
    atexit.register(rmtree, folder, ignore_errors=True)
    home = folder / "home"
    build(home, 60).ledger.close()
    with reopened(home) as graph:
        graph.train(CUT.date(), settings=QUICK)
        graph.refresh(sync=False)
    return home


def reopened(home: Path, **settings: Any) -> Graph:
    own = {"store": f"arcadedb://{home / 'store'}", "currency": "EUR", "cut": CUT.date(), "epochs": 1, **settings}
    return open_graph(home, settings=Settings.load(**own))


def tell(graph: Graph, when: datetime, *things: Node | Edge, name: str = "later") -> int:
    """A small delivery: a source publishes these things on a day."""
    proof = Evidence(digest(name.encode()), "row:0", "row 0", "registers.world@1")
    claims = [Claim(what, proof, when, valid_from=when) for what in things]
    return graph.ledger.commit(ClaimBatch.of(claims), RunManifest("ingest", {"delivery": name}))


def fails(firm: str, when: datetime) -> list[Node | Edge]:
    """What is published when a firm fails."""
    event = f"event:{firm[4:]}-{when:%Y%m%d}"
    return [
        Node("Event", event, {"event_type": "default", "title": "Default"}),
        Edge("AFFECTED_BY", firm, event, {"role": "subject"}, key="subject"),
    ]


def accounts(firm: str, equity: int, assets: int, key: str = "2023") -> Node:
    props = {"assets": Decimal(assets), "equity": Decimal(equity), "cash": Decimal(assets // 50), "currency": "EUR"}
    return Node("Company", firm, props, key=key)


def said(graph: Graph) -> dict[tuple[str, str, datetime], tuple[str, datetime, float]]:
    """Claim, known time and value of every score alive, by firm, property and day."""
    alive = graph.ledger.alive()
    rows = alive.filter(pc.is_in(alive["name"], pa.array(SCORES)))
    return {
        (row["subject"], row["name"], row["valid_from"]): (row["claim"], row["known_from"], row["value_real"])
        for row in rows.to_pylist()
    }


def firms(scores: dict[tuple[str, str, datetime], tuple[str, datetime, float]]) -> list[str]:
    """Companies that were scored."""
    return sorted({id for id, _, when in scores if when == SCORED and id.startswith("reg:firm")})


def served_table(graph: Graph) -> list[tuple[Any, ...]]:
    """Everything that graph models say now, as the graph resolves it: scores, links and vectors, to the bit."""
    s = graph.snapshot()
    facts = [row for name in (*SCORES, "embedding") for row in s.facts_of(name).to_pylist()]
    rows = [(s.ids[f["subject"]], f["property"], f["key"], f["value_real"], f["value_text"]) for f in facts]
    links = s.edges_of("PREDICTED").to_pylist()
    rows += [(s.ids[e["source"]], s.ids[e["target"]], e["key"], e["value_real"], e["value_text"]) for e in links]
    return sorted(rows, key=repr)
