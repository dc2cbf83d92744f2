"""The list of a filer's filings, as EDGAR's `submissions` JSON gives it: the newest in one file, others in more."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from kg.errors import SourceError

_ACCESSION = re.compile(r"\d{10}-\d{2}-\d{6}")
_FURTHER = re.compile(r"CIK\d{10}-submissions-\d{3}\.json")


@dataclass(frozen=True, slots=True)
class Listed:
    """One filing of the list."""

    cik: str
    accession: str
    form: str
    filed: date

    @property
    def path(self) -> str:
        """Address of the whole submission on the archive's host."""
        return f"/Archives/edgar/data/{self.cik}/{self.accession.replace('-', '')}/{self.accession}.txt"


def read_list(file: Path, cik: str) -> tuple[list[Listed], list[tuple[str, date, date]]]:
    """Filings of a list, and (name, first day, last day) of the files that go on with older ones."""
    said = _read(file)
    filings = said.get("filings", said)
    recent = filings.get("recent", filings) if isinstance(filings, dict) else None
    if not isinstance(recent, dict) or not isinstance(recent.get("accessionNumber"), list):
        raise SourceError(f"{file.name} is no list of filings: expected filings/recent/accessionNumber")
    further = filings.get("files", []) if recent is not filings else []
    return list(_listed(recent, cik, file.name)), [_further(one, file.name) for one in further]


def _read(file: Path) -> Mapping[str, Any]:
    try:
        said = json.loads(file.read_bytes())
    except ValueError as error:
        raise SourceError(
            f"{file.name} is no JSON ({error}); the host may be down or not be EDGAR, try again"
        ) from error
    if not isinstance(said, dict):
        raise SourceError(f"{file.name} is no list of filings: expected a JSON object")
    return said


def _listed(recent: Mapping[str, Any], cik: str, name: str) -> Iterator[Listed]:
    try:
        rows = zip(recent["accessionNumber"], recent["form"], recent["filingDate"], strict=True)
        for accession, form, filed in rows:
            if not _ACCESSION.fullmatch(accession):  # it becomes a file name
                raise ValueError(f"accession number {accession!r}")
            yield Listed(cik, accession, str(form), date.fromisoformat(filed))
    except (KeyError, ValueError, TypeError) as error:
        raise SourceError(f"{name} is no list of filings: {type(error).__name__}: {error}") from error


def _further(one: Any, name: str) -> tuple[str, date, date]:
    try:
        if not _FURTHER.fullmatch(one["name"]):
            raise ValueError(f"name {one['name']!r}")
        return one["name"], date.fromisoformat(one["filingFrom"]), date.fromisoformat(one["filingTo"])
    except (KeyError, ValueError, TypeError) as error:
        raise SourceError(f"{name} names a further list that cannot be read: {error}") from error
