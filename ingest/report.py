"""RunReport: what a run read, what it gave, what was refused and why, and what nobody read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A record, or a part of one, that gave no claims, with the reason."""

    source: str
    path: str
    locator: str
    """Where in the record; "" for all of it."""
    reason: str


@dataclass(slots=True)
class SourceCount:
    """What one source read and gave."""

    files: int = 0
    records: int = 0
    resumed: int = 0
    """Records whose claims were staged by an earlier run."""
    claims: int = 0
    refused: int = 0
    seconds: float = 0.0


@dataclass(slots=True)
class RunReport:
    """The account of one run."""

    run: str = ""
    """Id of the run's manifest."""
    commit: int = 0
    """Commit of the ledger after the run."""
    committed: bool = False
    """False if the ledger said all of it already."""
    superseded: int = 0
    """Documents void because the file that gave them has been corrected and now gives others."""
    sources: dict[str, SourceCount] = field(default_factory=dict)
    extractors: dict[str, int] = field(default_factory=dict)
    """Claims by extractor, that is by rule of extraction."""
    names: dict[str, int] = field(default_factory=dict)
    """Claims by label, edge type and property."""
    cleaning: dict[str, int] = field(default_factory=dict)
    """How often each cleaning rule was applied."""
    quarantined: list[Quarantined] = field(default_factory=list)
    unread: dict[str, list[str]] = field(default_factory=dict)
    """Columns and tags of each file that nobody read."""
    untaken: list[str] = field(default_factory=list)
    """Files that no source took."""
    stages: list[dict[str, Any]] = field(default_factory=list)
    """What each stage took, as `kg.meter.Stage` tells it: seconds, peak memory, bytes; a source is a stage."""

    @property
    def first(self) -> str:
        """The first quarantined part, as an example for a message; "" if there is none."""
        return next((f" (first: {part.path}: {part.reason})" for part in self.quarantined), "")

    @property
    def records(self) -> int:
        return sum(count.records for count in self.sources.values())

    @property
    def claims(self) -> int:
        return sum(self.extractors.values())

    def cleaned(self, rules: Mapping[str, int]) -> None:
        """Add the cleaning of one record."""
        for rule, times in rules.items():
            self.cleaning[rule] = self.cleaning.get(rule, 0) + times

    def to_dict(self) -> dict[str, Any]:
        """Everything, as plain values."""
        return asdict(self) | {"records": self.records, "claims": self.claims}

    def to_json(self) -> str:
        return json.dumps(self.to_dict(), indent=2, sort_keys=True, ensure_ascii=False)
