"""Pack of a case: one zip file with all that its things stand on, for whoever has no access to the graph.

`case.json` (who did what when), `notes.txt`, `statements.csv`, `claims.json` (every claim with the words it quotes),
`evidence/` (the page around each box, the seconds of each recording) and `manifest.json` with the sha256 of every
other file. The same case on the same commit gives the same bytes.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from kg.errors import KgRiskError
from kg.files import Files
from kg.model import AsOf, as_time
from kg.snapshot import Snapshot
from kgrisk import preview
from kgrisk.cases import Case, Item
from kgrisk.evidence import Explainer
from kgrisk.opened import Opened, day
from kgrisk.result import plain

EDGES: Final = 20
"""Edges of an entity that a pack tells, those of the latest date first."""
MARGIN: Final = 60
"""Pixels of the page shown around a box."""
COLUMNS: Final = (
    *("item", "statement", "kind", "name", "subject", "subject_name", "target", "target_name", "key", "value", "unit"),
    *("valid_from", "valid_to", "published", "known_from", "claims"),
)
STAMP: Final = (1980, 1, 1, 0, 0, 0)
"""Zip has a time of every file; one for all keeps packs equal."""


@dataclass
class _Pack:
    """What goes into the zip while it is gathered."""

    files: dict[str, bytes] = field(default_factory=dict)
    statements: list[dict[str, Any]] = field(default_factory=list)
    claims: list[dict[str, Any]] = field(default_factory=list)
    missing: list[dict[str, str]] = field(default_factory=list)


def pack(graph: Opened, case: Case) -> bytes:
    """The zip file. What is not in the graph any more is listed in `case.json` under `missing`, with the reason."""
    made = _Pack()
    for number, item in enumerate(case.items, 1):
        at = moments(item)
        explainer = Explainer(graph.ledger, graph.files, at)
        for what in _statements(explainer.snapshot, item.what):
            _explain(made, explainer, graph.files, (number, what))
    notes = [f"{entry.at} {entry.by} ({entry.act})\n{entry.text}\n" for entry in case.entries if entry.text]
    about = {"ledger": graph.ledger.uuid, "commit": graph.ledger.head, "missing": made.missing}
    made.files |= {
        "case.json": _json({**case.told(), **about}),
        "notes.txt": "\n".join(notes).encode(),
        "statements.csv": _csv(made.statements),
        "claims.json": _json(made.claims),
    }
    sums = {name: hashlib.sha256(content).hexdigest() for name, content in sorted(made.files.items())}
    made.files["manifest.json"] = _json({"case": case.id, "commit": graph.ledger.head, "sha256": sums})
    return _zipped(made.files)


def moments(item: Item) -> AsOf:
    """The instants at which an item was looked at. KgRiskError for one that is no time."""
    texts = (item.valid, item.known, item.published)
    return AsOf(*(as_time(day(text)) if text else None for text in texts))


def _statements(snapshot: Snapshot, what: str) -> Iterator[str]:
    """What an item asks to be explained: itself, or of an entity the latest of each fact and its latest edges."""
    row = snapshot.index.get(what)
    if row is None:
        yield what
        return
    facts: dict[str, dict[str, Any]] = {}
    for fact in _of(snapshot.facts, "subject", row):
        kept = facts.get(fact["property"])
        if kept is None or (fact["valid_from"], fact["published"]) > (kept["valid_from"], kept["published"]):
            facts[fact["property"]] = fact
    yield from (fact["statement"] for _, fact in sorted(facts.items()))
    edges = [*_of(snapshot.edges, "source", row), *_of(snapshot.edges, "target", row)]
    edges.sort(key=lambda edge: (-edge["valid_from"].timestamp(), edge["id"]))
    yield from dict.fromkeys(edge["statement"] for edge in edges[:EDGES])


def _of(table: pa.Table, column: str, row: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = table.filter(pc.equal(table[column], row)).to_pylist()
    return found


def _explain(made: _Pack, explainer: Explainer, files: Files, asked: tuple[int, str]) -> None:
    number, what = asked
    try:
        found = explainer.explain(what)
    except KgRiskError as error:
        made.missing.append({"what": what, "why": str(error)})
        return
    told, rows = plain(found.what), found.evidence.rows()
    if any(row["statement"] == told["statement"] for row in made.statements):
        return  # two items stand on it
    value = told["value"] if not isinstance(told["value"], dict) else json.dumps(told["value"], ensure_ascii=False)
    made.statements.append(
        {
            **{name: told.get(name) for name in COLUMNS},
            "item": number,
            "kind": "edge" if "type" in told else "fact",
            "name": told.get("type") or told.get("property"),
            "subject": told.get("source") or told.get("subject"),
            "subject_name": told.get("source_name") or told.get("name"),
            "value": value,
            "claims": len(rows),
        }
    )
    for row in rows:
        shown = _shown(files, row, len(made.claims) + 1)
        made.files |= shown
        made.claims.append({"statement": told["statement"], **plain(row), "files": sorted(shown)})


def _shown(files: Files, claim: dict[str, Any], number: int) -> dict[str, bytes]:
    """The picture or sound of a claim, as files of the pack; text has its words in the claim itself."""
    if not claim["read_back"]:
        return {}
    try:
        place = preview.place(files, claim["document"], claim["locator"], claim["extractor"].partition(".")[0])
        if place.kind == "page" and place.box is not None:
            page = preview.picture(files, claim["document"], place.page, place.second)
            return {f"evidence/{number:04}.png": _cropped(page, place.box)}
        if place.seconds is not None:
            return {f"evidence/{number:04}.wav": preview.sound(files, claim["document"], *place.seconds)}
    except KgRiskError:  # its words stand in claims.json all the same
        return {}
    return {}


def _cropped(page: bytes, box: tuple[int, int, int, int]) -> bytes:
    """The page around a box, and the box drawn, encoded anew."""
    from PIL import Image, ImageDraw

    image = Image.open(io.BytesIO(page)).convert("RGB")
    left, top, right, bottom = box
    ImageDraw.Draw(image).rectangle((left - 3, top - 3, right + 3, bottom + 3), outline=(194, 65, 12), width=3)
    edges = (max(0, left - MARGIN), max(0, top - MARGIN))
    out = io.BytesIO()
    far = (min(image.width, right + MARGIN), min(image.height, bottom + MARGIN))
    image.crop((*edges, *far)).save(out, "PNG")
    return out.getvalue()


def _json(value: Any) -> bytes:
    return json.dumps(plain(value), ensure_ascii=False, indent=1, sort_keys=True).encode() + b"\n"


def _csv(rows: list[dict[str, Any]]) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows({name: _safe(value) for name, value in row.items()} for row in rows)
    return out.getvalue().encode("utf-8-sig")


def _safe(value: Any) -> Any:
    """A text that a spreadsheet would take for a formula is kept a text."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t") else value


def _zipped(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(name, STAMP), content, zipfile.ZIP_DEFLATED)
    return out.getvalue()
