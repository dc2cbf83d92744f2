"""Values: what each node has of each modality, from facts that were published by the cut; what encoders read.

Text and figures are told by facts. An image or a recording is told by a fact and lies among the files. A series is told
by the closes of its sessions, each a fact with a clock of its own, so that a cut takes the later sessions away.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gnn.vocabulary import LABELS
from kg.errors import ModelError
from kg.files import Files
from kg.ontology import PROPERTIES

log = logging.getLogger(__name__)

TEXTS: Final = ("title", "name", "description", "text")
"""Text properties in the order in which they are joined."""
SILENT: Final = "Person"
"""Names of persons are not embedded: a person can be erased, a vector cannot."""
SESSIONS: Final = 250
"""Sessions of a series that an encoder is given: the latest year."""
COLUMNS: Final = 3
"""Numbers of a session: microseconds since 1970 when it closed, close, volume (NaN where it is not told)."""
RECORDED: Final = "duration"
"""The fact that says that a document is a recording."""


@dataclass(frozen=True)
class Facts:
    """Facts of the nodes of a graph at a cut."""

    ids: Sequence[str]
    """Ids of the graph's nodes."""
    labels: Sequence[int]
    """Label of each node, as an index into LABELS."""
    table: pa.Table
    """Columns of a snapshot's facts, none of them published after the cut."""
    row: np.ndarray
    """Row of the graph for each row of the snapshot's nodes, which `subject` counts."""

    def of(self, properties: Iterable[str], columns: Sequence[str]) -> list[dict[str, object]]:
        """Rows of these properties, oldest first, so that the last of a subject and property is the one to keep."""
        chosen = self.table.filter(pc.is_in(self.table["property"], pa.array(list(properties))))
        order = [(name, "ascending") for name in ("subject", "property", "valid_from", "published", "key", "statement")]
        rows = chosen.sort_by(order).select(["subject", "property", *columns]).to_pylist()
        return [fact | {"node": int(self.row[int(fact["subject"])])} for fact in rows]


def texts(facts: Facts, files: Files) -> dict[int, str]:
    """Title, name, description and opening of each node that is no person, joined."""
    parts: dict[int, dict[str, str]] = {}
    silent = LABELS.index(SILENT)
    for fact in facts.of(TEXTS, ["value_text"]):
        node = int(str(fact["node"]))
        if fact["value_text"] and facts.labels[node] != silent:
            parts.setdefault(node, {})[str(fact["property"])] = str(fact["value_text"])
    joined = {node: ". ".join(own[name] for name in TEXTS if name in own).strip() for node, own in parts.items()}
    return {node: text for node, text in joined.items() if text}


def images(facts: Facts, files: Files) -> dict[int, bytes]:
    """The latest image of each node."""
    found: dict[int, bytes] = {}
    for fact in facts.of([name for name, spec in PROPERTIES.items() if spec.modality == "image"], ["value_text"]):
        name = str(fact["value_text"]).rpartition(":")[2]
        if name in files:
            found[int(str(fact["node"]))] = files.get(name)
        else:
            log.warning("image %s is not among the files; its node has no image vector", name)
    return found


def recordings(facts: Facts, files: Files) -> dict[int, bytes]:
    """The bytes of each document that is a recording; its id is the digest of its bytes."""
    found: dict[int, bytes] = {}
    for fact in facts.of([RECORDED], []):
        node = int(str(fact["node"]))
        name = facts.ids[node].rpartition(":")[2]
        if name in files:
            found[node] = files.get(name)
        else:
            log.warning("recording %s is not among the files; its node has no audio vector", name)
    return found


def series(facts: Facts, files: Files) -> dict[int, bytes]:
    """The latest sessions of each node that has closes; of a close told twice the one published last counts."""
    told: dict[int, dict[tuple[object, str], float]] = {}
    for fact in facts.of(["close", "volume"], ["valid_from", "value_decimal", "value_real", "value_int"]):
        number = next((fact[n] for n in ("value_real", "value_decimal", "value_int") if fact[n] is not None), None)
        if number is not None and fact["valid_from"] is not None:
            told.setdefault(int(str(fact["node"])), {})[fact["valid_from"], str(fact["property"])] = float(str(number))
    found = {}
    for node, own in told.items():
        days = sorted({when for when, name in own if name == "close"})[-SESSIONS:]  # type: ignore[type-var]  # times
        nan = float("nan")
        rows = [[when.timestamp() * 1e6, own[when, "close"], own.get((when, "volume"), nan)] for when in days]  # type: ignore[attr-defined]  # a time
        if rows:
            found[node] = packed(np.array(rows))
    return found


def packed(rows: np.ndarray) -> bytes:
    """A series as the bytes by which its vector is known: (sessions, COLUMNS) float64."""
    return np.ascontiguousarray(rows, dtype="<f8").tobytes()


def unpacked(value: bytes) -> np.ndarray:
    """(sessions, COLUMNS) float64 of `packed`."""
    return np.frombuffer(value, dtype="<f8").reshape(-1, COLUMNS)


Teller = Callable[[Facts, Files], Mapping[int, str | bytes]]
TOLD: Final[Mapping[str, Teller]] = {"text": texts, "image": images, "audio": recordings, "series": series}
"""Who tells the values of a modality, by node. Figures and structure are no single value and are read in tensors.py."""


def told(modality: str) -> Teller:
    """Who tells the values of a modality; ModelError if nodes have no such values."""
    if modality not in TOLD:
        raise ModelError(f"no node has values of modality {modality!r}; expected one of {', '.join(sorted(TOLD))}")
    return TOLD[modality]
