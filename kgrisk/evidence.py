"""Evidence: what stands behind an edge, a fact or a score, read back from the document it was found in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from rapidfuzz.process import extract

from ingest.locate import locate
from kg.errors import KgRiskError
from kg.files import Files
from kg.ledger import Ledger
from kg.model import COMPUTED, LAST, AsOf
from kgrisk.console import cell
from kgrisk.extraction import edge_values
from kgrisk.result import Result

VALUES = ("value_text", "value_int", "value_real", "value_decimal", "value_time")


@dataclass(frozen=True)
class Explanation:
    """A statement of the graph and every claim that says it."""

    what: dict[str, Any]
    """Type or property, the ids and names of its ends, its value, and its clocks."""
    evidence: Result
    """One row per claim: document, path, locator, quote, found, extractor, confidence, and both clocks."""
    run: dict[str, Any]
    """What the run of the model was, where a model said it; else empty."""


class Explainer:
    """Finds statements by id and reads their evidence back."""

    def __init__(self, ledger: Ledger, files: Files, at: AsOf = AsOf()) -> None:
        self.ledger, self.files, self.at = ledger, files, at
        self.snapshot = ledger.view(at)
        self._cache = files.folder.parent / "cache"

    def explain(self, what: str) -> Explanation:
        """Evidence of an edge id, a statement id, a claim id, or `property:entity id` such as `distress:lei:...`.

        KgRiskError names what is near if there is nothing of that name at this instant.
        """
        said = self._find(what)
        claims = self.ledger.evidence(said["statement"], self.at).sort_by(
            [("published", "descending"), ("claim", "ascending")]
        )
        rows = [self.read_back(claim) for claim in claims.to_pylist()]
        return Explanation(said, Result(pa.Table.from_pylist(rows), "evidence"), self._run(claims.to_pylist()))

    def _find(self, what: str) -> dict[str, Any]:
        s = self.snapshot
        for table in (s.edges, s.facts):
            for column in ("id", "statement", "claim"):
                if column in table.column_names:
                    hit = table.filter(pc.equal(table[column], what))
                    if hit.num_rows:
                        return self._told(hit.to_pylist()[0])
        fact = self._fact(what)
        if fact is not None:
            return self._told(fact)
        if (past := self._past(what)) is not None:
            return past
        raise KgRiskError(f"{what}: no edge, fact or score of that id {self._when()}; {self._hint(what)}")

    def _fact(self, what: str) -> dict[str, Any] | None:
        """The latest fact that `property:entity id` names."""
        property, _, id = what.partition(":")
        row = self.snapshot.index.get(id)
        if row is None:
            return None
        facts = self.snapshot.facts_of(property)
        facts = facts.filter(pc.equal(facts["subject"], row)).sort_by(
            [("valid_from", "ascending"), ("published", "ascending")]
        )
        found: list[dict[str, Any]] = facts.to_pylist()
        return found[-1] if found else None

    def _past(self, what: str) -> dict[str, Any] | None:
        """A statement that is recorded but does not hold at this instant, with its source-side ids."""
        claims = self.ledger.alive(self.snapshot.commit)
        same = pc.or_(pc.equal(claims["statement"], what), pc.equal(claims["claim"], what))
        if "group" in claims.column_names:
            same = pc.or_(same, pc.equal(claims["group"], what))
        rows = (
            claims.filter(same).sort_by([("published", "descending"), ("claim", "ascending")]).slice(0, 1).to_pylist()
        )
        if not rows:
            return None
        row = rows[0]
        kind = "property" if row["kind"] == "property" else "type"
        ends = {"subject": row["subject"], "name": self._name(row["subject"])}
        if kind == "type":
            ends = {"source": row["subject"], "source_name": self._name(row["subject"])}
            ends |= {"target": row["object"], "target_name": self._name(row["object"])}
        return {kind: row["name"] or row["kind"], **ends, **_value_and_clocks(row)}

    def _name(self, id: str) -> str:
        row = self.snapshot.index.get(id)
        return id if row is None else self.snapshot.names[row]

    def _told(self, row: dict[str, Any]) -> dict[str, Any]:
        s, rest = self.snapshot, _value_and_clocks(row)
        if "property" in row:
            id = s.ids[row["subject"]]
            return {"property": row["property"], "subject": id, "name": s.names[row["subject"]], **rest}
        ends = {"source": s.ids[row["source"]], "source_name": s.names[row["source"]]}
        ends |= {"target": s.ids[row["target"]], "target_name": s.names[row["target"]]}
        return {"type": row["type"], "edge": row["id"], **ends, **rest}

    def read_back(self, claim: dict[str, Any]) -> dict[str, Any]:
        """The claim's evidence with what stands at its locator today."""
        source = claim["extractor"].partition(".")[0]
        found, note = False, ""
        try:
            stands = locate(self.files.get(claim["document"]), claim["locator"], source, self._cache)
            found = stands == claim["quote"]
            note = "" if found else f"there stands: {stands[:200]}"
        except KgRiskError as error:
            note = str(error)
        kept = ("quote", "locator", "document", "extractor", "confidence", "published", "known_from", "claim", "run")
        clocks = {"valid_from": claim["valid_from"], "valid_to": claim["valid_to"]}
        return (
            {name: claim[name] for name in kept}
            | clocks
            | {"title": self._title(claim), "read_back": found, "note": note}
        )

    def _title(self, claim: dict[str, Any]) -> str:
        """What the document is called: its title, else its form or address."""
        row = self.snapshot.index.get(f"doc:{claim['document']}", self.snapshot.index.get(f"page:{claim['document']}"))
        if row is None:
            return ""
        for property in ("title", "form", "url", "path"):
            facts = self.snapshot.facts_of(property)
            texts = facts.filter(pc.equal(facts["subject"], row))["value_text"].to_pylist()
            if texts:
                return str(texts[0])
        return ""

    def _run(self, claims: list[dict[str, Any]]) -> dict[str, Any]:
        """Kind, code and settings of the run behind a model's claim, without its rows."""
        for claim in claims:
            own = claim["extractor"].partition(".")[0] in COMPUTED and claim["locator"].startswith("run:")
            if own and claim["document"] in self.files:
                content = json.loads(self.files.get(claim["document"]))
                details = {k: v for k, v in content.get("details", {}).items() if k != "rows"}
                return {"run": claim["document"], "kind": content.get("kind"), "code": content.get("code"), **details}
        return {}

    def _when(self) -> str:
        return f"at {self.snapshot.at.known:%Y-%m-%d %H:%M} (commit {self.snapshot.commit})"

    def _asked(self) -> str:
        """The clocks of the question that say what holds and what is public."""
        at = self.snapshot.at
        published = f"as published by {at.published:%Y-%m-%d}" if at.published else "whatever was published"
        return f"what holds at {at.valid:%Y-%m-%d}, {published}" if at.valid else published

    def _hint(self, what: str) -> str:
        """Where to take an id from, or the entities whose id or name is near."""
        property, colon, id = what.partition(":")
        if not colon:
            return "take an edge id from the column edge, id or statement of a query, or write property:entity id"
        if id in self.snapshot.index:
            own = self.snapshot.facts.filter(pc.equal(self.snapshot.facts["subject"], self.snapshot.index[id]))
            held = f"{id} has {', '.join(sorted(set(own['property'].to_pylist()))) or 'no facts'}"
            return f"{held}, and no score: {self._unscored()}" if property == "distress" else held
        near = [near for near, _, _ in extract(id, self.snapshot.ids, limit=3, score_cutoff=70)]
        told = f"near: {', '.join(near)}" if near else "take an id from the rows of a query"
        return f"entity {id!r} is unknown; {told}"

    def _unscored(self) -> str:
        """Why an entity has no score of distress."""
        if not len(self.snapshot.facts_of("distress")):
            said = self.ledger.alive(self.snapshot.commit)
            said = said.filter(pc.and_(pc.equal(said["kind"], "property"), pc.equal(said["name"], "distress")))
            if not len(said):
                return "no model has scored anything yet; run `kgrisk train`"
            first = said.sort_by([("published", "ascending")]).slice(0, 1).to_pylist()[0]
            return (
                f"asked was {self._asked()}; the first score was published {first['published']:%Y-%m-%d} and is "
                f"true from {first['valid_from']:%Y-%m-%d}"
            )
        return "firms have one that were not in distress by the cut of the run; see `kgrisk scores`"


def _value_and_clocks(row: dict[str, Any]) -> dict[str, Any]:
    """What all statements have: key, the one value, its unit, the clocks and the statement id."""
    if row.get("type") or row.get("kind") == "edge":
        value: Any = edge_values({**row, "name": row.get("type") or row["name"]})
        value = {name: part for name, part in value.items() if name != "currency"}
    else:
        value = first_value(row)
    return {"key": row["key"], "value": value, "unit": row["unit"] or "", **clocks(row), "statement": row["statement"]}


def first_value(row: dict[str, Any]) -> Any:
    """What the one filled value column of a row holds."""
    return next((row[name] for name in VALUES if row[name] is not None), None)


def clocks(row: dict[str, Any]) -> dict[str, Any]:
    """The clocks of a statement; an end that is open is None."""
    times = {name: row[name] for name in ("valid_from", "valid_to", "known_from", "published")}
    return times | {"valid_to": None if times["valid_to"] == LAST else times["valid_to"]}


def lines(explanation: Explanation) -> Iterator[str]:
    """The explanation for people, line by line."""
    what = explanation.what
    if "type" in what:
        yield f"{what['source_name']} -{what['type']}-> {what['target_name']}"
    else:
        yield f"{what['property']} of {what['name']}"
    values = what["value"] if isinstance(what["value"], dict) else {"value": what["value"]}
    value = ", ".join(f"{name} {cell(part)}" for name, part in values.items()) + f" {what['unit']}".rstrip()
    yield f"  {value}; key {what['key'] or '-'}; statement {what['statement']}"
    end = f"{what['valid_to']:%Y-%m-%d}" if what["valid_to"] else "open"
    recorded = f"{what['known_from']:%Y-%m-%d %H:%M:%S}"
    yield f"  true from {what['valid_from'].date()} to {end}; published {what['published'].date()}; recorded {recorded}"
    for row in explanation.evidence:
        mark = "reads back" if row["read_back"] else f"does not read back ({row['note']})"
        said = f"{row['extractor']}, confidence {row['confidence']:.2f}, {mark}"
        yield f"  - {row['title'] or 'document'} {row['document'][:12]} {row['locator']} [{said}]"
        yield f"    published {row['published']:%Y-%m-%d}, recorded {row['known_from']:%Y-%m-%d %H:%M:%S}"
        yield f"    {row['quote'][:300]}"
    if explanation.run:
        told = {name: value for name, value in explanation.run.items() if isinstance(value, str | int | float)}
        run, parts = str(told.pop("run")), [f"{name} {value}" for name, value in told.items() if value]
        yield f"  run {run[:12]}: {', '.join(parts)}"
        yield "    all of it: --json; the same again: `kgrisk replay`"
