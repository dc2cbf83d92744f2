"""Precision and recall of extraction against a table of what each sentence says.

One unit is (document, relation, party, party), names compared after resolution to the entities of the truth; for an
event it is (document, event, role, party). Denied, hedged and ended statements must not be asserted: each one that is
counts as wrong. Events and roles that the truth never speaks of are not judged.

    precision = right / found        recall = right / said        f1 = 2 right / (found + said)
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from ingest.extract.text.names import squash
from kg.errors import SourceError
from kg.model import digest

FORMS: Final = ("held out", "seen", "all")
Unit = tuple[str, str, str, str]
"""Document, relation (or event type), source (or role), target (or party)."""
_TABLE: Final = pa.schema(
    [
        ("relation", pa.string()),
        ("forms", pa.string()),
        ("precision", pa.float64()),
        ("recall", pa.float64()),
        ("f1", pa.float64()),
        ("said", pa.int64()),
        ("found", pa.int64()),
        ("right", pa.int64()),
        ("denied", pa.int64()),
        ("denied_asserted", pa.int64()),
        ("values", pa.int64()),
        ("values_right", pa.int64()),
    ]
)


@dataclass(slots=True)
class _Truth:
    """What the sentences say: units asserted and denied, with the form group of each."""

    said: dict[Unit, str] = field(default_factory=dict)
    denied: dict[Unit, str] = field(default_factory=dict)
    sentences: dict[str, list[tuple[str, str]]] = field(default_factory=lambda: defaultdict(list))
    """Sentences of each document with their form group."""
    values: dict[Unit, Mapping[str, Any]] = field(default_factory=dict)
    people: dict[str, str] = field(default_factory=dict)
    """Entity of each squashed name."""


def score(claims: pa.Table, truth: Path) -> pa.Table:
    """Table by relation and form group. `claims` in the ledger's schema; only those of news are judged.

    `denied` counts statements that must not be asserted, `denied_asserted` those that were; `values` counts shares,
    amounts, currencies and roles said in units found right, `values_right` those read as said.
    """
    known = _read(truth)
    found = _found(claims, known)
    relations = sorted({u[1] for u in (*known.said, *known.denied, *found)})
    rows = [_row(r, forms, known, found) for r in [*relations, "all"] for forms in FORMS]
    return pa.Table.from_pylist([r for r in rows if r["said"] or r["found"] or r["denied"]], schema=_TABLE)


def _read(path: Path) -> _Truth:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SourceError(f"{path}: no truth table ({error}); expected the truth.json of the sample") from error
    truth = _Truth()
    for id, entity in content["entities"].items():
        for name in (entity["name"], entity.get("former") or "", *entity["aliases"]):
            truth.people.setdefault(squash(name), id)
    documents = _Documents(path.parent)
    for row in content["relations"]:
        _add(truth, row, documents.of(row["file"], int(row["line"])))
    return truth


class _Documents:
    """Digests of the articles that a truth table names by file and line."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lines: dict[str, list[bytes]] = {}

    def of(self, file: str, line: int) -> str:
        if file not in self.lines:
            content = (self.folder / file).read_bytes()
            self.lines[file] = content.split(b"\n") if file.endswith(".jsonl") else [content]
        return digest(self.lines[file][max(line - 1, 0)].rstrip(b"\r") if line else self.lines[file][0])


def _add(truth: _Truth, row: Mapping[str, Any], document: str) -> None:
    forms = "held out" if row["held_out"] else "seen"
    truth.sentences[document].append((row["sentence"], forms))
    source = _entity(row["source"], truth)
    if row["type"] == "AFFECTED_BY":
        unit = (document, row["target"], row["props"].get("role", "subject"), source)
    else:
        unit = (document, row["type"], source, _entity(row["target"], truth))
    if row["negated"]:
        truth.denied[unit] = forms
    else:
        truth.said[unit] = forms
        truth.values[unit] = {k: v for k, v in row["props"].items() if k in ("share", "amount", "currency", "role")}


def _entity(name: str, truth: _Truth) -> str:
    return truth.people.get(squash(name), squash(name))


@dataclass(frozen=True, slots=True)
class _Found:
    """A unit that a claim asserts."""

    forms: str
    """Group of the sentence it was read from; "elsewhere" if the truth has no such sentence."""
    values: Mapping[str, Any]


def _found(claims: pa.Table, truth: _Truth) -> dict[Unit, _Found]:
    rows = [r for r in claims.to_pylist() if r["extractor"].startswith("news.")]
    names = {r["subject"]: r["value_text"] for r in rows if r["kind"] == "property" and r["name"] == "name"}
    events = {r["subject"]: r["value_text"] for r in rows if r["kind"] == "property" and r["name"] == "event_type"}
    judged = {(u[1], u[2]) for u in (*truth.said, *truth.denied)}
    spoken = {u[1] for u in (*truth.said, *truth.denied)}
    found: dict[Unit, _Found] = {}
    for row in rows:
        if row["kind"] != "edge" or row["valid_to"] <= row["published"] or row["document"] not in truth.sentences:
            continue
        unit = _unit(row, names, events, truth)
        event = row["name"] == "AFFECTED_BY"
        if (unit[1], unit[2]) in judged if event else unit[1] in spoken:
            found.setdefault(unit, _Found(_forms(unit, row, truth), _values(row)))
    return found


def _unit(row: Mapping[str, Any], names: Mapping[str, str], events: Mapping[str, str], truth: _Truth) -> Unit:
    source = _entity(names.get(row["subject"], row["subject"]), truth)
    if row["name"] == "AFFECTED_BY":
        return row["document"], events.get(row["object"], ""), row["value_text"] or "", source
    return row["document"], row["name"], source, _entity(names.get(row["object"], row["object"]), truth)


def _forms(unit: Unit, row: Mapping[str, Any], truth: _Truth) -> str:
    if forms := truth.said.get(unit) or truth.denied.get(unit):
        return forms
    quote = row["quote"]
    near = (forms for sentence, forms in truth.sentences[row["document"]] if sentence in quote or quote in sentence)
    return next(near, "elsewhere")


def _values(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "share": row["value_real"],
        "amount": row["value_decimal"],
        "currency": row["unit"],
        "role": row["value_text"],
    }


def _row(relation: str, forms: str, truth: _Truth, found: Mapping[Unit, _Found]) -> dict[str, Any]:
    said = set(_of(truth.said.items(), relation, forms))
    denied = set(_of(truth.denied.items(), relation, forms)) - said
    got = set(_of(((u, f.forms) for u, f in found.items()), relation, forms))
    right = got & said
    pairs = [(v, found[u].values.get(k)) for u in right for k, v in truth.values[u].items()]
    return {
        "relation": relation,
        "forms": forms,
        "precision": len(right) / len(got) if got else None,
        "recall": len(right) / len(said) if said else None,
        "f1": 2 * len(right) / (len(got) + len(said)) if got or said else None,
        "said": len(said),
        "found": len(got),
        "right": len(right),
        "denied": len(denied),
        "denied_asserted": len(denied & got),
        "values": len(pairs),
        "values_right": sum(_same(a, b) for a, b in pairs),
    }


def _of(units: Iterable[tuple[Unit, str]], relation: str, forms: str) -> Iterator[Unit]:
    return (u for u, group in units if relation in (u[1], "all") and forms in (group, "all"))


def _same(said: Any, read: Any) -> bool:
    """Numbers are compared as numbers, text without regard to case."""
    if read is None:
        return False
    try:
        return abs(Decimal(str(said)) - Decimal(str(read))) < Decimal("1e-6")
    except ArithmeticError:
        return squash(str(said)) == squash(str(read))
