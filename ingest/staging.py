"""Staging: the claims of one record as one Parquet file, written whole or not at all.

A file is named by all that its content depends on (the bytes, what the carrier says, the extractor and its version, the
models), so that a run that was killed, or is repeated, takes up what is there.
"""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, replace
from hashlib import sha256
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from ingest.diagnosis import ENTITIES, LFS, POINTER, damage, declares_entities
from ingest.source import Extract, Models, Record, Refusal, Source
from kg.errors import MissingExtraError, RecordError, SourceError
from kg.files import write_whole
from kg.ledger import OnIO
from kg.model import SCHEMA, ClaimBatch, digest, manifest_bytes

log = logging.getLogger(__name__)

_META = b"kgrisk.extract"
_FORMAT = 3
"""Part of every name. Format 1 also held what was refused for want of a package, which must not be taken up; format 2
had no checksums."""
_SEAL = b"kgrisk.seal"
"""Digest of what stands beside the table, with the rows of it; each page of the table has a checksum of its own."""


class Staging:
    """A folder of staged extracts."""

    def __init__(self, folder: Path, on_io: OnIO) -> None:
        self._folder = folder
        self._on_io = on_io

    def path(self, record: Record, extractor: str, fingerprint: str) -> Path:
        """Where the extract of a record lies, made by this extractor with these models."""
        depends = {
            "format": _FORMAT,
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
        """A staged extract, None if there is none that is whole."""
        try:
            table = pq.read_table(pa.BufferReader(path.read_bytes()), page_checksum_verification=True)
            told, seal = ((table.schema.metadata or {})[name] for name in (_META, _SEAL))
            if seal != _seal(told, table.num_rows) or not table.schema.equals(SCHEMA):
                raise ValueError("what stands beside the table is another than was written")
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, pa.ArrowException) as error:
            log.warning("%s was changed on disk (%s): its record is read anew", path, error)
            return None
        meta = json.loads(told)
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
        told, claims = json.dumps(meta).encode(), extract.claims.table
        table = claims.replace_schema_metadata({_META: told, _SEAL: _seal(told, claims.num_rows)})
        sink = pa.BufferOutputStream()
        pq.write_table(table, sink, compression="zstd", write_page_checksum=True)
        write_whole(path, sink.getvalue().to_pybytes())
        self._on_io("stage:after")


def _seal(told: bytes, rows: int) -> bytes:
    return sha256(told + str(rows).encode()).hexdigest().encode()


def attempt(source: Source, record: Record, models: Models) -> tuple[Extract, bool]:
    """What a record gives, and whether that may be staged; one that cannot be read gives a refusal of the whole.

    What is wrong with this machine (a package, the disk) is no fault of the record: it stops the run. A source that
    fails where it should not is told with the record, but never staged: mended, it reads the record again.
    """
    if record.content.startswith(LFS):
        return whole_refusal(RecordError(POINTER)), True
    if declares_entities(record.content):
        return whole_refusal(RecordError(ENTITIES)), True
    try:
        found = Extract.of(source.claims(record, models))
        why = damage(record.content, record.path)
        return (replace(found, refused=(*found.refused, Refusal("bytes", why))) if why else found), True
    except RecordError as error:
        return whole_refusal(error), True
    except (MissingExtraError, SourceError):
        raise
    except RecursionError:
        return whole_refusal(RecordError("its parts are nested too deeply to be read; a real file is not")), True
    except ImportError as error:
        raise MissingExtraError(
            f"reading {record.source} failed: {error}; install kgrisk[all] and run again"
        ) from error
    except Exception as error:
        if isinstance(error, OSError) and error.errno is not None:  # without a number a library speaks of the content
            raise SourceError(
                f"{record.path}: the system refused ({error}); nothing was committed, set it right and run again"
            ) from error
        log.exception("%s: the source %s failed", record.path, record.source)
        why = f"{type(error).__name__}: {error} (an error of the source, not of the record; please report it)"
        return whole_refusal(RecordError(why)), False


def whole_refusal(error: RecordError) -> Extract:
    """What a record gives that cannot be read at all."""
    return Extract(ClaimBatch.of(()), (Refusal("", str(error)),))


def is_whole_refusal(extract: Extract) -> bool:
    """True if the record could not be read, False if it was read and says nothing."""
    return not len(extract.claims) and any(not refusal.locator for refusal in extract.refused)
