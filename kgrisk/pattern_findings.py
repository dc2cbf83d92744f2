"""Pattern findings: what a pattern found in a graph, kept as claims of its run and asked for again to the bit.

Each finding is one score `finding` on its subject (key `<pattern>|<finding>`), each edge it stands on one score
`finding_edge` there too (key `<pattern>|<finding>|<edge>`), with two kinds of evidence: the line of the run, and what
documents say of the edge. They hold from the last payment of the finding on.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from kg.files import Files
from kg.ledger import Ledger
from kg.model import AsOf, Claim, ClaimBatch, Evidence, RunManifest, digest, iso
from kg.snapshot import Snapshot
from kgrisk.result import Result, plain
from queries.measure import build
from queries.pattern import FINDINGS, Pattern, parameters, remarks
from queries.recorded import Recorded, asking

PROPERTIES = ("finding", "finding_edge")
CLOCKS = ("valid", "known", "published")


@dataclass(frozen=True)
class Findings:
    """What a pattern found in a snapshot, worst first, and what was asked."""

    pattern: Pattern
    table: pa.Table
    """In FINDINGS."""
    snapshot: Snapshot
    asked: AsOf
    """Clocks that were asked for; those that were not move on with the ledger."""

    @classmethod
    def of(
        cls, snapshot: Snapshot, name: str, params: Mapping[str, Any] | None = None, asked: AsOf = AsOf()
    ) -> Findings:
        """MeasureError for a pattern or parameter that is unknown or makes no sense."""
        pattern = build(Pattern, name, params)  # type: ignore[type-abstract]  # a role is asked for
        return cls(pattern, pattern.find(snapshot), snapshot, asked)

    @property
    def result(self) -> Result:
        return Result(self.table, self.pattern.name, remarks(self.table))

    def manifest(self) -> RunManifest:
        """What was asked of which data and what came out: two are equal only if every finding is, to the bit."""
        at, name, asked = self.snapshot.at, self.pattern.name, plain(parameters(self.pattern))
        details = {
            "pattern": name,
            "params": asked,
            "ledger": self.snapshot.ledger,
            "commit": self.snapshot.commit,
            "valid": iso(at.valid) if at.valid else "",
            "published": iso(at.published) if at.published else "",
            "asked": {name: iso(moment) for name in CLOCKS if (moment := getattr(self.asked, name))},
            "remarks": list(self.result.remarks),
            "answer": digest(_bytes(self.table)),
            "rows": [_line(row) for row in self.table.to_pylist()]
            + [asking("pattern", name, {"params": asked}, self.snapshot.commit)],
        }
        return RunManifest("pattern", details)


def again(ledger: Ledger, details: Mapping[str, Any], commit: int) -> RunManifest:
    """The manifest that the question of a manifest gives now, on the commit of the ledger it was asked of."""
    valid, published = (datetime.fromisoformat(details[n]) if details[n] else None for n in ("valid", "published"))
    snapshot = ledger.view(AsOf(valid, ledger.known(commit), published))
    asked = AsOf(**{name: datetime.fromisoformat(moment) for name, moment in details.get("asked", {}).items()})
    return Findings.of(snapshot, details["pattern"], details["params"], asked).manifest()


def save(found: Findings, ledger: Ledger, files: Files) -> tuple[int, str]:
    """Put findings into the ledger as claims of their run; returns the commit and the run.

    The latest run of a question (parameters and clocks asked for) stands: what earlier ones found is retracted, and is
    there as of then. Other questions, such as a look back, stand beside. Where a question found the same on an earlier
    commit, nothing is written.
    """
    run = found.manifest()
    alive = ledger.alive()
    own = alive.filter(pc.equal(alive["extractor"], f"risk.{found.pattern.name}@1"))
    runs = _runs(own, files, run)
    findings = own.filter(pc.is_in(own["name"], pa.array(PROPERTIES)))
    former = _former(findings, runs)
    if runs and runs[-1][1] == run.details["answer"] and (not len(found.table) or former):
        return ledger.head, runs[-1][0]
    files.put(run.to_bytes())
    said = found.table["statements"].combine_chunks().flatten().unique() if len(found.table) else pa.array([], "string")
    behind: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in alive.filter(pc.is_in(alive["statement"], said)).to_pylist():
        behind[row["statement"]].append(row)
    claims = list(_claims(found, Recorded(run, found.pattern.name, found.snapshot), behind))
    return ledger.commit(ClaimBatch.of(claims), run, retract=former), run.id


def _runs(own: pa.Table, files: Files, run: RunManifest) -> list[tuple[str, str]]:
    """Saved runs of the same question, each with the digest of its answer, that of the latest commit last."""
    found = []
    kept = own.filter(pc.and_(pc.equal(own["name"], "run"), pc.equal(own["key"], run.kind)))
    for document in pc.unique(kept["document"]).to_pylist():
        details = json.loads(files.get(document))["details"]
        if details["params"] == run.details["params"] and details.get("asked", {}) == run.details["asked"]:
            found.append((int(details["commit"]), str(document), str(details["answer"])))
    return [(document, answer) for _, document, answer in sorted(found)]


def _former(findings: pa.Table, runs: list[tuple[str, str]]) -> list[str]:
    """Claims of what these runs found and no other run finds."""
    told = findings.filter(pc.starts_with(findings["locator"], "run:"))
    by = pc.is_in(told["document"], pa.array([document for document, _ in runs], pa.string()))
    others = told.filter(pc.invert(by))
    alone = pc.and_(
        pc.is_in(findings["statement"], told.filter(by)["statement"].combine_chunks()),
        pc.invert(pc.is_in(findings["statement"], others["statement"].combine_chunks())),
    )
    shared = told.filter(pc.and_(by, pc.is_in(told["statement"], others["statement"].combine_chunks())))
    claims: list[str] = [*findings.filter(alone)["claim"].to_pylist(), *shared["claim"].to_pylist()]
    return claims


def _claims(found: Findings, recorded: Recorded, behind: Mapping[str, list[dict[str, Any]]]) -> Iterator[Claim]:
    rows = found.table.to_pylist()
    question = {"params": plain(parameters(found.pattern))}
    yield from recorded.itself(question, len(rows))
    for number, row in enumerate(rows):
        key, since = f"{row['pattern']}|{row['id']}", row["end"] or found.snapshot.at.valid
        whole = recorded.of(row["subject"], {"finding": row["score"]}, key, number)
        yield replace(whole, valid_from=since)
        for place, (edge, statement) in enumerate(zip(row["edges"], row["statements"], strict=True)):
            part = recorded.of(row["subject"], {"finding_edge": float(place)}, f"{key}|{edge}", number)
            yield replace(part, valid_from=since)
            for one in sorted(behind[statement], key=lambda one: str(one["claim"])):
                proof = Evidence(
                    one["document"], one["locator"], one["quote"], part.evidence.extractor, one["confidence"]
                )
                yield replace(part, valid_from=since, evidence=proof)


def _line(row: Mapping[str, Any]) -> str:
    """A finding in words: what its claims quote."""
    money = f", {row['amount']!r} {row['unit']}" if row["amount"] else ""
    what = f"{row['pattern']} {row['id']}: {row['subject']} scores {row['score']!r} ({row['remark']}{money})"
    return f"{what}; edges {' '.join(row['edges'])}"


def _bytes(table: pa.Table) -> bytes:
    """The findings as an Arrow file: equal findings give equal bytes."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, FINDINGS) as writer:
        writer.write_table(table.replace_schema_metadata(None).cast(FINDINGS).combine_chunks())
    made: bytes = sink.getvalue().to_pybytes()
    return made
