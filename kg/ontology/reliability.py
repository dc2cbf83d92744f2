"""How far each source is believed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

RELIABILITY: Final[Mapping[str, int]] = {
    "registers": 4,
    "gleif": 4,
    "sanctions": 4,
    "bis": 4,
    "bods": 3,
    "ftm": 2,
    "filings": 3,
    "trades": 3,
    "resolve": 3,
    "repeats": 3,
    "market": 3,
    "chain": 3,
    "incidents": 3,
    "identities": 2,
    "tables": 3,
    "pdf": 2,
    "news": 2,
    "images": 1,
    "audio": 1,
    "calls": 1,
    "video": 1,
    "model": 0,
    "risk": 0,
    "scenario": 5,
}
"""Which source wins a conflict (higher wins); the source is the extractor's name up to its first dot. Unknown: 1."""
