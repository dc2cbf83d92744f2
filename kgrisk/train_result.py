"""Train result: a `TrainResult` as files, for who publishes what a process on another machine found.

Tables and vectors keep every bit. Nothing in the files is run when they are read.
"""

from __future__ import annotations

import json
from dataclasses import fields
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from pyarrow import feather

from kg.errors import ModelError
from kg.files import write_whole
from kg.model import RunManifest
from kgrisk.extras import need

if TYPE_CHECKING:
    from gnn.result import TrainResult

TABLES: Final = ("metrics", "relations", "modalities", "losses", "links", "scores", "tested")
VECTORS: Final = "vectors.npy"
FACTS: Final = "facts.json"
"""Written last: where it is, all is."""


def save(result: TrainResult, folder: Path) -> None:
    """Write a result into a folder; `load` reads it."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in TABLES:
        feather.write_feather(getattr(result, name), folder / f"{name}.arrow", compression="uncompressed")
    told, proof = result.embeddings, result.certificate
    np.save(folder / VECTORS, told.vectors, allow_pickle=False)
    facts = {
        "run": result.run,
        "manifest": json.loads(result.manifest.to_bytes()),
        "model": result.model,
        "cut": result.cut.isoformat(),
        "seed": result.seed,
        "remarks": result.remarks,
        "ids": told.ids,
        "labels": told.labels,
        "certificate": proof and {field.name: getattr(proof, field.name) for field in fields(proof)},
    }
    write_whole(folder / FACTS, json.dumps(facts).encode())


def load(folder: Path, runs: Path) -> TrainResult:
    """The result that was saved in a folder; its checkpoint lies among the runs. ModelError if it is another one."""
    room, facts = need("gnn.result", "learn"), json.loads((folder / FACTS).read_text())
    manifest = RunManifest(**facts["manifest"])
    if manifest.id != facts["run"]:
        raise ModelError(f"{folder} holds another run than {facts['run'][:12]}; train again")
    proof, vectors = facts["certificate"], np.load(folder / VECTORS, allow_pickle=False)
    made: dict[str, Any] = {name: feather.read_table(folder / f"{name}.arrow", memory_map=False) for name in TABLES}
    made |= {
        "embeddings": room.Embeddings(tuple(facts["ids"]), tuple(facts["labels"]), vectors),
        "remarks": facts["remarks"],
        "checkpoint": runs / manifest.id,
        "manifest": manifest,
        "certificate": proof and need("gnn.peek", "learn").Certificate(**proof),
    }
    moment = datetime.fromisoformat(facts["cut"])
    result: TrainResult = room.TrainResult(manifest.id, facts["model"], moment, facts["seed"], **made)
    return result
