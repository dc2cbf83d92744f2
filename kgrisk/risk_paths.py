"""Risk paths: how a published loss came about, as claims: what each of its heaviest paths carries, in money."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kg.errors import MeasureError
from kg.files import Files
from kg.ledger import Ledger
from kg.model import ClaimBatch, RunManifest, Value, iso
from kgrisk.risk import Risk, told_of
from kgrisk.risk import publish as publish_losses
from kgrisk.tracing import attribution
from queries.attribute import Attribution
from queries.publish import cents
from queries.publish import manifest as losses_manifest
from queries.recorded import SHORT, Recorded, asking


def publish(ledger: Ledger, files: Files, risk: Risk, entity: str = "", top: int = 5) -> int:
    """Put the losses and the heaviest paths behind them into the ledger; gives the commit.

    Each path is one `path_loss` of who loses it, keyed `<first 12 digits of the run of losses>:<scenario>:<n>`.
    MeasureError for a measure that counts no money.
    """
    if risk.unit == "score":
        raise MeasureError(f"{risk.losses.measure} counts no money, so no path carries any; ask eisenberg_noe")
    publish_losses(ledger, files, risk)
    found = attribution(risk, entity, top)
    run = manifest(risk, found, top)
    files.put(run.to_bytes())
    recorded, of = Recorded(run, risk.losses.measure, risk.snapshot), run.details["of"][:SHORT]
    claims = recorded.itself(_asked(run.details), len(found.paths))
    for row, path in enumerate(found.paths):
        values: dict[str, Value] = {"path_loss": cents(path.loss), "currency": risk.unit}
        claims.append(recorded.of(path.entities[0], values, f"{of}:{risk.losses.scenarios[0]}:{row}", row))
    return ledger.commit(ClaimBatch.of(claims), run)


def run_of(risk: Risk, entity: str = "", top: int = 5) -> str:
    """sha256 of the run by which the paths of a loss are, or would be, published."""
    return manifest(risk, attribution(risk, entity, top), top).id


def manifest(risk: Risk, found: Attribution, top: int) -> RunManifest:
    """Which loss of which run was taken apart, and one line for each path."""
    at, losses = risk.snapshot.at, risk.losses
    details: dict[str, Any] = {
        "of": losses_manifest(losses, risk.snapshot, told_of(risk)).id,
        "entity": found.entity,
        "top": top,
        "ledger": risk.snapshot.ledger,
        "commit": risk.snapshot.commit,
        "valid": iso(at.valid) if at.valid else "",
        "published": iso(at.published) if at.published else "",
    }
    rows = [f"{cents(path.loss)} {risk.unit} over {' <- '.join(path.entities)}" for path in found.paths]
    asked = asking("attribution", losses.measure, _asked(details), risk.snapshot.commit)
    return RunManifest("attribution", details | {"rows": [*rows, asked]})


def _asked(details: Mapping[str, Any]) -> dict[str, Any]:
    return {name: details[name] for name in ("of", "entity", "top")}
