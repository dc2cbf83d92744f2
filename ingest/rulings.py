"""Rulings: judgements that are ready to be committed, so that what they change can be looked at first.

A ruling is a batch of judgements, the claims they retract, and the manifest that is their evidence: row by row, with
who judged, when and why.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ingest.clusters import Clusters, Known, Pair
from kg.errors import LedgerError
from kg.files import Files
from kg.identity import strength
from kg.ledger import Ledger
from kg.model import Claim, ClaimBatch, Evidence, Judgement, RunManifest


@dataclass(frozen=True, slots=True)
class Ruling:
    """What a commit would say about which ids are one entity."""

    batch: ClaimBatch
    retract: tuple[str, ...]
    manifest: RunManifest

    def commit(self, ledger: Ledger, files: Files) -> int:
        """Write it; returns the commit."""
        files.put(self.manifest.to_bytes())
        return ledger.commit(self.batch, self.manifest, retract=self.retract)


@dataclass(frozen=True, slots=True)
class Author:
    """Who judges, and why; both are kept as evidence."""

    by: str
    why: str


def merging(ledger: Ledger, a: str, b: str, author: Author) -> Ruling:
    """A person says that two ids are one. LedgerError if that is said already, forbidden or contradicted."""
    known = _both(ledger, a, b)
    clusters = Clusters(known)
    if clusters.find(a) == clusters.find(b):
        raise LedgerError(f"{a} and {b} are one entity already; nothing is left to judge")
    if why := clusters.forbids(a, b):
        raise LedgerError(
            f"{a} and {b} cannot be merged: {why}; take back the judgement that parts them, or retract the wrong "
            "identifier, and judge again"
        )
    pair = Pair(a, b, "judged", 1.0, author.why)
    return ruling(ledger, [pair], [_told(a, "is", b, author)], author=author)


def parting(ledger: Ledger, a: str, b: str, author: Author | None = None) -> Ruling:
    """Two ids are two entities, for good; what joined the weaker one to the other is retracted."""
    alive = ledger.alive()
    clusters = Clusters(Known(alive))
    weaker = max(a, b, key=strength)
    joined = clusters.find(a) == clusters.find(b)
    ids = _judged(alive, lambda x, y: weaker in (x, y)) if joined else []
    pair = Pair(a, b, "judged" if author else "forbidden", 1.0, "said to be two")
    row = _told(a, "is not", b, author) if author else f"{a} is not {b}: said to be two"
    return ruling(ledger, [pair], [row], same=False, retract=ids, author=author)


def undoing(ledger: Ledger, a: str, b: str) -> Ruling:
    """The judgements that two ids are one are taken back."""
    ids = _judged(ledger.alive(), lambda x, y: {x, y} == {a, b})
    if not ids:
        raise LedgerError(
            f"no alive judgement says that {a} and {b} are the same; look at the `same` rows of ledger.alive()"
        )
    manifest = RunManifest("resolve", {"rows": [f"undo {a} = {b}"], "head": ledger.head})
    return Ruling(ClaimBatch.of(()), tuple(ids), manifest)


def ruling(
    ledger: Ledger,
    pairs: Sequence[Pair],
    rows: Sequence[str],
    same: bool = True,
    retract: Sequence[str] = (),
    author: Author | None = None,
) -> Ruling:
    """Judgements whose evidence is the run's manifest, row by row."""
    said: dict[str, Any] = {"by": author.by, "why": author.why} if author else {}
    manifest = RunManifest("resolve", {"rows": list(rows), "head": ledger.head, **said})
    document, published = manifest.id, ledger.known(ledger.head)  # once: the id is a digest of all rows
    claims = (
        Claim(
            Judgement(pair.a, pair.b, same),
            Evidence(document, f"run:{document} row:{n}", row, f"resolve.{pair.rule.replace(' ', '_')}@1", pair.score),
            published,
        )
        for n, (pair, row) in enumerate(zip(pairs, rows, strict=True))
    )
    return Ruling(ClaimBatch.of(claims), tuple(retract), manifest)


def _told(a: str, verb: str, b: str, author: Author) -> str:
    return f"{a} {verb} {b}: said by {author.by}: {author.why}"


def _both(ledger: Ledger, a: str, b: str) -> Known:
    """What is known, where both ids are."""
    if a == b:
        raise LedgerError(f"{a} was given twice; name two ids")
    known = Known(ledger.alive())
    if unknown := [id for id in (a, b) if id not in known.labels]:
        raise LedgerError(f"the ledger has no {' and no '.join(unknown)}; take ids from `kgrisk resolve --review`")
    return known


def _judged(alive: pa.Table, wanted: Callable[[str, str], bool]) -> list[str]:
    rows = alive.filter(pc.equal(alive["kind"], "same")).select(["claim", "subject", "object"]).to_pylist()
    return [row["claim"] for row in rows if wanted(row["subject"], row["object"])]
