"""The command `kgrisk warn`: alerts by what was public, with how well such alerts did before."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import typer

from kgrisk.console import emit, out, progress, show
from kgrisk.options import Home, Json, opened
from kgrisk.warning import manifest
from queries.recorded import SHORT

app = typer.Typer()


@app.command()
def warn(
    cut: Annotated[str, typer.Option("--cut", help="Learn before this date, test after it.")],
    every: Annotated[int, typer.Option("--every", min=1, help="Days between two dates.")] = 30,
    horizon: Annotated[int, typer.Option("--horizon", min=1, help="Days ahead in which distress counts.")] = 365,
    false_alarms: Annotated[float, typer.Option("--false-alarms", help="Share of quiet dates it may call.")] = 0.05,
    until: Annotated[str | None, typer.Option("--until", help="Warn as of this date.")] = None,
    certify: Annotated[bool, typer.Option("--certify", help="Prove that nothing later was read, on a copy.")] = False,
    publish: Annotated[bool, typer.Option("--publish", help="Put the alerts into the ledger, for queries.")] = False,
    home: Home = None,
    json: Json = False,
) -> None:
    """Who is likely to come into distress, why, and whether such warnings had skill."""
    with opened(home) as graph:
        more = {"every": every, "horizon": horizon, "false_alarms": false_alarms, "until": until}
        found = graph.warnings(cut, publish=publish, certify=certify, **more)
        if publish:
            progress(f"the alerts are in the ledger as run {manifest(found).id[:SHORT]}, commit {graph.ledger.head}")
    verdict = found.verdict
    if json:
        lead = float(np.median(verdict.lead_days)) if len(verdict.lead_days) else None
        told = {"events": verdict.events, "warned": verdict.warned, "median_lead_days": lead}
        told |= {"false_alarms": verdict.false_alarms, "auroc": verdict.auroc, "low": verdict.low, "high": verdict.high}
        saved = {"run": manifest(found).id} if publish else {}
        proof = {"certificate": found.certificate.to_dict()} if found.certificate is not None else {}
        head = {"alerts": found.alerts.rows(), "weights": found.weights, "test": told | {"skill": verdict.skill}}
        emit({**head, **proof, **saved})
        return
    for remark in found.alerts.remarks:
        progress(remark)
    show(found.alerts.name, found.alerts.rows(), ("id", "name", "index", "alarm", "why"))
    out.print("weights: " + ", ".join(f"{name} {weight:.2f}" for name, weight in found.weights.items()))
