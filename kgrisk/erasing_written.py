"""What people of a home wrote about people: cases, saved views and the texts of jobs, without an erased person.

A person is called there by any part of the name, so each part is covered alone: too much rather than too little.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from shutil import copystat
from typing import Any, Final

from ingest.blot import covered
from kg.files import replacing
from kgrisk.cases import ID, CaseError, Cases
from kgrisk.erasing_plan import Plan
from kgrisk.jobs.database import FILE as JOBS

FOLDERS: Final = ("cases", "views")
TEXTS: Final = (
    *(("jobs", name) for name in ("args", "said", "stage", "stats", "error", "key")),
    ("alerts", "detail"),
)
"""Tables and columns of the run table in which people speak, or errors about what they asked."""


def folders(home: Path) -> tuple[Path, ...]:
    """Folders that are seen to here, and by no other step."""
    return tuple(home / name for name in FOLDERS)


def cover_written(home: Path, made: Plan) -> list[str]:
    """Cover the words of the person in all that people wrote; gives what was changed, by its path."""
    blot = made.broad

    def cover(text: str) -> str:
        for quote in made.quotes:
            text = text.replace(quote, covered(quote))
        return blot.cover(text)

    changed = [path for path in _files(home) if _change(path, cover)]
    if (home / JOBS).exists() and _change_jobs(home / JOBS, cover):
        changed.append(home / JOBS)
    return [f"changed {cover(path.relative_to(home).as_posix())}" for path in changed]


def written(home: Path) -> Iterator[tuple[Path, str]]:
    """Every text that people wrote, as it stands and without escapes, and the file of it."""
    for path in _files(home):
        text = path.read_bytes().decode("utf-8", "replace")
        yield path, "\n".join((path.name, text, *map(_plain, (text, *text.splitlines()))))
    if (home / JOBS).exists():
        with closing(sqlite3.connect(home / JOBS)) as con:
            for table, column in TEXTS:
                for (text,) in con.execute(f'SELECT "{column}" FROM "{table}" WHERE "{column}" IS NOT NULL'):
                    yield home / JOBS, f"{text}\n{_plain(text)}"


def _files(home: Path) -> list[Path]:
    found = (path for name in FOLDERS for path in (home / name).rglob("*"))
    return sorted(path for path in found if path.is_file() and not path.is_symlink())


def _plain(text: str) -> str:
    """A text of JSON without its escapes; nothing of other texts."""
    try:
        return json.dumps(json.loads(text), ensure_ascii=False)
    except ValueError:
        return ""


def _change(path: Path, cover: Callable[[str], str]) -> bool:
    """Cover what stands in a file. False where nothing does."""
    if cover(path.name) != path.name:
        path.unlink()
        return True
    if ID.fullmatch(path.stem) and path.suffix == ".jsonl":
        try:
            return Cases(path.parent).erase(path.stem, cover)
        except CaseError:  # its chain was broken before: it is covered as any other file
            pass
    text = path.read_bytes().decode("utf-8", "replace")
    left = _covered(text, cover)
    if left == text:
        return False
    with replacing(path) as new:
        new.write(left.encode())
        new.flush()
        copystat(path, new.name)  # the order of saved views is that of their times
    return True


def _covered(text: str, cover: Callable[[str], str]) -> str:
    """A text covered; JSON in its values and the names of its members, so that it stays JSON."""
    try:
        old = json.loads(text)
    except ValueError:
        return cover(text)
    new = _inside(old, cover)
    return text if new == old else json.dumps(new, ensure_ascii=False, sort_keys=True)


def _inside(value: Any, cover: Callable[[str], str]) -> Any:
    if isinstance(value, dict):
        return {cover(key): _inside(own, cover) for key, own in value.items()}
    if isinstance(value, list):
        return [_inside(own, cover) for own in value]
    return cover(value) if isinstance(value, str) else value


def _change_jobs(path: Path, cover: Callable[[str], str]) -> bool:
    """Cover the texts of the run table, and write it anew so that no page keeps them."""
    with closing(sqlite3.connect(path, isolation_level=None)) as con:
        con.create_function("covered", 1, lambda text: _covered(text, cover) if isinstance(text, str) else text)
        con.execute("PRAGMA secure_delete = ON")
        changed = 0
        for table, column in TEXTS:
            # A key is unique to who gave it, and two covered ones could be the same.
            value = "NULL" if column == "key" else f'covered("{column}")'
            changed += con.execute(
                f'UPDATE "{table}" SET "{column}" = {value} WHERE covered("{column}") <> "{column}"'
            ).rowcount
        if changed:
            con.execute("VACUUM")
            con.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return changed > 0
