"""Sweep: every file of a home folder that no step of its own sees to, without the words of an erased person.

A file of a known form keeps the rest of what it says. A trained model that knew the person, and a file that cannot be
changed in place, goes as a whole.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from shutil import rmtree

from ingest.blot import Blot
from ingest.redaction import redact
from kg.files import replacing
from kgrisk.erasing_plan import FILE
from kgrisk.erasing_search import speaks

SQLITE = b"SQLite format 3\0"
MODEL = "*.safetensors"
"""Files that make a folder a trained model."""


def sweep(home: Path, blot: Blot, quotes: Sequence[str], but: Sequence[Path]) -> list[str]:
    """Change or remove what speaks of the person, but for some folders; gives what it was, by its path."""
    told = []
    for path in sorted(home.rglob("*")):
        if not path.is_file() or path.is_symlink() or path.name == FILE or any(path.is_relative_to(own) for own in but):
            continue
        if (whole := path.with_name(path.name.removesuffix("-wal"))) != path and whole.exists():
            path = whole  # the log of a database is part of it
        named = blot.finds(path.name)
        if not named and not speaks(path, blot, quotes):
            continue
        told.append(_clear(home, path, blot, named))
    return told


def _clear(home: Path, path: Path, blot: Blot, named: bool) -> str:
    shown = blot.cover(path.relative_to(home).as_posix())
    model = next((p for p in path.parents if p != home and any(p.glob(MODEL))), None)
    if model is not None:
        rmtree(model)
        return f"removed {blot.cover(model.relative_to(home).as_posix())}: a model that knew the person; train again"
    if path.read_bytes()[:16] == SQLITE:
        _database(path, blot)
        return f"changed {shown}"
    left = None if named else redact(path.read_bytes(), [], [], blot).content
    if left is None:
        path.unlink()
        return f"removed {shown}"
    with replacing(path) as new:
        new.write(left)
        Path(new.name).chmod(path.stat().st_mode & 0o777)
    return f"changed {shown}"


def _database(path: Path, blot: Blot) -> None:
    """Cover the words in every text of an SQLite file, and write it anew so that no page keeps them."""
    with closing(sqlite3.connect(path, isolation_level=None)) as con:
        con.create_function("covered", 1, lambda value: blot.cover(value) if isinstance(value, str) else value)
        con.execute("PRAGMA secure_delete = ON")
        tables = [row[0] for row in con.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in (name for name in tables if not name.startswith("sqlite_")):
            columns = [row[1] for row in con.execute(f'PRAGMA table_info("{table}")')]
            for column in columns:
                con.execute(
                    f'UPDATE "{table}" SET "{column}" = covered("{column}") '
                    f'WHERE typeof("{column}") = \'text\' AND covered("{column}") <> "{column}"'
                )
        con.execute("VACUUM")
        con.execute("PRAGMA wal_checkpoint(TRUNCATE)")
