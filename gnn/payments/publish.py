"""Suspicions become claims: the probability of a payment, its interval, and the rows of trades it stands on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from gnn.payments.detector import Scored
from gnn.publish import Writable
from kg.files import Files
from kg.model import Claim, ClaimBatch, Evidence, Facts, RunManifest, as_time

MODEL: Final = "payments"
EXTRACTOR: Final = f"model.{MODEL}@1"


@dataclass(frozen=True)
class Suspicion:
    """What a detector says of one stated payment."""

    payment: Mapping[str, Any]
    """Its row of `stated.payments`."""
    said: Scored
    published: datetime
    """From when on it could be said: the payment was public, and the detector trained."""

    @property
    def line(self) -> str:
        """It in words: what the claim quotes."""
        own, said = self.payment, self.said
        members = ", ".join(f"{name} {value!r}" for name, value in said.members.items())
        reasons = "; ".join(f"{r.feature} {r.value:g} adds {r.share:+.3f}" for r in said.reasons)
        return (
            f"{own['source']} -PAID-> {own['target']} {own['id']}: laundering {said.probability!r} "
            f"({said.low!r} to {said.high!r}); {members}; {reasons}"
        )


def manifest(found: Sequence[Suspicion], details: Mapping[str, Any]) -> RunManifest:
    """The manifest of a scoring: what was asked of which data by which detector, and a line for each suspicion."""
    return RunManifest("score", {**details, "model": MODEL, "extractor": EXTRACTOR, "rows": [s.line for s in found]})


def claims(found: Sequence[Suspicion], run: str, trades: pa.Table) -> ClaimBatch:
    """Three claims of the run for each suspicion, and one more for each row of trades behind it.

    `trades` are claims of the ledger; the rows of those that say one of the payments are its evidence.
    """
    said = pa.array([one.payment["id"] for one in found], pa.string())
    behind: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in trades.filter(pc.is_in(trades["statement"], said)).to_pylist():
        behind[row["statement"]].append(row)
    made: list[Claim] = []
    for number, one in enumerate(found):
        payment, key = one.payment, str(one.payment["id"])
        values = {"laundering": one.said.probability, "laundering_low": one.said.low, "laundering_high": one.said.high}
        own = Evidence(run, f"run:{run} row:{number}", one.line, EXTRACTOR, 1.0)
        when = (one.published, as_time(payment["time"]))
        made.append(Claim(Facts(payment["source"], values, key), own, *when))
        for row in sorted(behind[key], key=lambda row: str(row["claim"])):
            proof = Evidence(row["document"], row["locator"], row["quote"], EXTRACTOR, row["confidence"])
            made.append(Claim(Facts(payment["source"], {"laundering": one.said.probability}, key), proof, *when))
    return ClaimBatch.of(made)


def publish(ledger: Writable, files: Files, run: RunManifest, found: Sequence[Suspicion], scored: Sequence[str]) -> int:
    """Commit what a scoring found; returns the commit, the head if nothing changed.

    What earlier runs said of any of the `scored` payments (statements) is retracted, whether or not this one says
    anything of it: as of an earlier known time it is still there.
    """
    files.put(run.to_bytes())
    alive = ledger.alive()
    batch = claims(found, run.id, alive.filter(pc.equal(alive["name"], "PAID")))
    ours = pc.starts_with(alive["extractor"], f"model.{MODEL}@")
    former = alive.filter(pc.and_(ours, pc.is_in(alive["key"], pa.array(scored, pa.string()))))
    return ledger.commit(batch, run, retract=former["claim"].to_pylist())
