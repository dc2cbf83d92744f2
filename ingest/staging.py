"""Staging: the claims of one record as one Parquet file, written whole or not at all.

A file is named by all that its content depends on (the bytes, what the carrier says, the extractor and its version, the
models), so that a run that was killed, or is repeated, takes up what is there.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from ingest.source import Extract, Record, Refusal
from kg.errors import RecordError
from kg.model import ClaimBatch, digest, manifest_bytes

OnIO = Callable[[str], None]
_META = b"kgrisk.extract"


class Staging:
    """A folder of staged extracts."""

    def __init__(self, folder: Path, on_io: OnIO) -> None:
        self._folder = folder
        self._on_io = on_io

    def path(self, record: Record, extractor: str, fingerprint: str) -> Path:
        """Where the extract of a record lies, made by this extractor with these models."""
        depends = {
            "name": record.path.rpartition("/")[2],
            "published": record.published,
            "meta": {key: value for key, value in record.meta.items() if key != "read"},
            "sidecar": digest(record.sidecar),
            "extractor": extractor,
            "models": fingerprint,
        }
        name = f"{record.document}-{digest(manifest_bytes(depends))[:16]}.parquet"
        return self._folder / name[:2] / name

    def get(self, path: Path) -> Extract | None:
        """A staged extract, None if there is none."""
        if not path.exists():
            return None
        table = pq.read_table(path)
        meta = json.loads((table.schema.metadata or {})[_META])
        refused = tuple(Refusal(**row) for row in meta["refused"])
        return Extract(ClaimBatch(table), refused, tuple(meta["unread"]), meta["rules"])

    def put(self, path: Path, extract: Extract) -> None:
        """Stage an extract, durably and atomically."""
        self._on_io("stage:before")
        meta = {
            "refused": [asdict(r) for r in extract.refused],
            "unread": list(extract.unread),
            "rules": dict(extract.rules),
        }
        table = extract.claims.table.replace_schema_metadata({_META: json.dumps(meta).encode()})
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.{os.getpid()}.part")
        with pa.OSFile(str(part), "wb") as file:
            pq.write_table(table, file, compression="zstd")
        with part.open("rb") as written:
            os.fsync(written.fileno())
        os.replace(part, path)
        self._on_io("stage:after")


def whole_refusal(error: RecordError) -> Extract:
    """What a record gives that cannot be read at all."""
    return Extract(ClaimBatch.of(()), (Refusal("", str(error)),))
