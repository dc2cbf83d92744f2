"""Listing of the audit log: entries with their parameters, oldest first, of one person or since a day."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from kg.model import iso
from kgrisk.audit import ERASED, Audit


def listed(audit: Audit, who: str = "", since: datetime | None = None, after: int = 0) -> Iterator[dict[str, Any]]:
    """Entries after a sequence number; of who, and from a time on, where these are given."""
    begin = iso(since) if since else ""
    for row in audit.rows(after):
        entry = row["entry"]
        if (not who or entry["who"] == who) and entry["time"] >= begin:
            detail = row["detail"]
            told = detail if detail == ERASED else detail["parameters"]
            yield {**entry, "parameters": told, "hash": row["hash"]}
