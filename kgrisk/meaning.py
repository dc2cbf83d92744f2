"""Meaning: a search across words, pages, recordings and figures of a graph, each hit with the place it stands at."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa

from kg.errors import KgRiskError
from kgrisk.extras import need
from kgrisk.opened import Instant, Opened, instant
from kgrisk.result import Result

SHA256 = re.compile("[0-9a-f]{64}")
ASKED = ("audio", "image", "text")
MODALITIES = ("audio", "image", "table", "text")
ROWS = pa.schema(
    [(name, pa.string()) for name in ("id", "name", "label", "modality")]
    + [("score", pa.float64()), ("probability", pa.float64())]
    + [(name, pa.string()) for name in ("document", "locator", "quote")]
)


def space_of(graph: Opened) -> Any:
    """The shared space that was learned last in a graph; None where none was."""
    folder = need("gnn.runs", "learn").RunStore(graph.home / "runs").latest("space")
    return None if folder is None else need("gnn.contrastive", "learn").Space.load(folder)


def find(
    graph: Opened,
    what: str | bytes,
    by: str,
    part: str,
    only: tuple[Sequence[str], Sequence[str]],
    k: int,
    at: Instant,
) -> Result:
    """The k things nearest to words, an image or a recording, of these (modalities, labels); all where none is named.

    KgRiskError for an unknown modality, or a file that is not there; ModelError where nothing is indexed, or where a
    question that is no text has no shared space to lie in.
    """
    modalities, labels = only
    if unknown := sorted({*modalities} - {*MODALITIES}):
        raise KgRiskError(f"no modality {', '.join(unknown)}; there are {', '.join(MODALITIES)}")
    if by not in ASKED:
        raise KgRiskError(f"a question is of {', '.join(ASKED)}, not of {by!r}")
    room, space = need("gnn.retrieval", "learn"), space_of(graph)
    content = what if by == "text" or isinstance(what, bytes) else _bytes(graph, str(what))
    if part:
        content = _stretch(content, part)
    vector = room.asked(by, content, space)
    hits = room.Index(graph.ledger, graph.files, instant(at)).search(vector, k, labels, modalities)
    told = room.belonging(hits, by, space) if space is not None else hits
    snapshot = graph.snapshot(at)
    rows = [{**asdict(hit), "name": snapshot.names[snapshot.index[hit.id]]} for hit in told]
    shown = what if isinstance(what, str) else by
    return Result(pa.Table.from_pylist(rows, ROWS), f"nearest to {shown!r}")


def _bytes(graph: Opened, what: str) -> bytes:
    """A file on disk, or one of the graph by its sha256 or the id of its page or document."""
    name = what.rpartition(":")[2]
    if SHA256.fullmatch(name) and name in graph.files:
        return graph.files.get(name)
    try:
        return Path(what).read_bytes()
    except OSError as error:
        raise KgRiskError(f"{what} is no file and no document of the graph ({error.strerror})") from error


def _stretch(content: str | bytes, part: str) -> bytes:
    if isinstance(content, str):
        raise KgRiskError("a part of a recording is asked by only where the question is audio; give by='audio'")
    cut: bytes | None = need("gnn.things", "learn").stretch(content, part)
    if cut is None:
        raise KgRiskError(f"{part} of the recording is too short to say anything; give a fifth of a second or more")
    return cut
