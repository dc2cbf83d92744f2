"""Precision and recall of relations on sentences of real filings, labelled by hand and by offset only.

Each row of real_sentences.tsv is a sentence of one file with one thing it says (none: it says nothing we look for).
`source` and `target` are characters of the file's text; for a lawsuit or bankruptcy `target` is the role of `source`.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from ingest.extract.prose.relations import Finding, relations
from ingest.extract.text.names import Gazetteer, Mention
from ingest.locate import text_of
from ingest.source import Models
from kg.model import day

TABLE = Path(__file__).parent / "data" / "real_sentences.tsv"
EVENTS = ("lawsuit", "bankruptcy", "default", "downgrade")


@dataclass(frozen=True)
class Unit:
    """A relation of one sentence, its parties by the characters they stand on."""

    file: str
    sentence: int
    relation: str
    source: tuple[int, int]
    target: tuple[int, int] | str
    """A role, for an event."""
    names: tuple[str, str]
    """Names of the parties, by which `he` is who he is."""

    def same(self, other: Unit) -> bool:
        """True if both say one thing of parties that stand at the same places."""
        if (self.file, self.sentence, self.relation) != (other.file, other.sentence, other.relation):
            return False
        source = _over(self.source, other.source) or self.names[0] == other.names[0]
        return source and (_over(self.target, other.target) or self.names[1] == other.names[1] != "")


def _over(a: tuple[int, int] | str, b: tuple[int, int] | str) -> bool:
    if isinstance(a, str) or isinstance(b, str):
        return a == b
    return a[0] < b[1] and b[0] < a[1]


@dataclass
class Tally:
    """What the labels say and what was found in the labelled sentences."""

    said: list[Unit] = field(default_factory=list)
    denied: list[Unit] = field(default_factory=list)
    found: list[Unit] = field(default_factory=list)
    sentences: int = 0

    @property
    def right(self) -> list[Unit]:
        return [f for f in self.found if any(f.same(s) for s in self.said)]

    @property
    def missed(self) -> list[Unit]:
        return [s for s in self.said if not any(f.same(s) for f in self.found)]

    @property
    def precision(self) -> float:
        return len(self.right) / max(1, len(self.found))

    @property
    def recall(self) -> float:
        return 1 - len(self.missed) / max(1, len(self.said))

    @property
    def denied_asserted(self) -> int:
        return sum(any(f.same(d) for f in self.found) for d in self.denied)

    def lines(self) -> list[str]:
        """One line per relation."""
        groups = (self.said, self.found, self.right)
        names = sorted({u.relation for u in self.said + self.found})
        rows = [(n, *(sum(u.relation == n for u in g) for g in groups)) for n in names]
        return [f"{n}: said {s}, found {f}, right {r}" for n, s, f, r in rows]


def tally(folder: Path) -> Tally:
    """Labels of the table against the findings in the same sentences."""
    names = list(csv.DictReader((folder / "sp500" / "constituents.csv").open(encoding="utf-8")))
    models = Models(Gazetteer((f"ticker:{r['Symbol']}", "Company", r["Security"]) for r in names))
    with TABLE.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    result = Tally()
    by_file: dict[str, set[tuple[int, int, str]]] = defaultdict(set)
    for row in rows:
        by_file[row["file"]].add((int(row["start"]), int(row["end"]), row["speaker"]))
        text = _text(folder / "sec-filings" / row["file"])
        assert len(text) == int(row["chars"]), (
            f"{row['file']}: its text has {len(text)} characters, labels say {row['chars']}"
        )
        if row["type"]:
            (result.denied if row["negated"] == "1" else result.said).append(_label(row, text))
    for name, spans in sorted(by_file.items()):
        text = _text(folder / "sec-filings" / name)
        result.sentences += len(spans)
        for finding in _read(text, sorted(spans), models):
            result.found += [u for start, end, _ in sorted(spans) for u in _units(finding, name, start, end)]
    return result


@lru_cache(maxsize=32)
def _text(path: Path) -> str:
    return text_of(path.read_bytes(), "filings")


def _read(text: str, spans: list[tuple[int, int, str]], models: Models) -> list[Finding]:
    """Findings of the labelled sentences; the whole text is read for the names it sets up."""
    speaker = spans[0][2]
    filer = Mention(0, 0, speaker, "Company", speaker) if speaker else None
    return relations(text, models, day("2025-06-30"), filer, only=[(start, end) for start, end, _ in spans])


def _span(text: str) -> tuple[int, int]:
    start, end = map(int, text.split("-"))
    return start, end


def _label(row: dict[str, str], text: str) -> Unit:
    source = _span(row["source"])
    target = row["target"] if row["type"] in EVENTS else _span(row["target"])
    names = (text[slice(*source)], "" if isinstance(target, str) else text[slice(*target)])
    return Unit(row["file"], int(row["start"]), row["type"], source, target, names)


def _units(finding: Finding, file: str, start: int, end: int) -> list[Unit]:
    """Units of a finding whose sentence lies over the labelled one; what has ended is no fact."""
    if not (finding.start < end and start < finding.end) or finding.valid_to is not None:
        return []
    if not finding.event:
        source, target = finding.source, finding.target
        places = ((source.start, source.end), (target.start, target.end))
        return [Unit(file, start, finding.type, *places, (source.name, target.name))]
    if finding.event not in EVENTS:
        return []
    return [Unit(file, start, finding.event, (m.start, m.end), role, (m.name, "")) for role, m in finding.parties]
