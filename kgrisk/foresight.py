"""Foresight: the demo's what-if, reverse stress, attribution, replay and early warning, as plain tables and told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from rich.console import Console

from kg.model import AsOf
from kgrisk.api import Graph
from kgrisk.console import grid, head, say
from kgrisk.warning import warnings

CURRENCY = "EUR"
SCENARIO, QUERY = "banks_lose_three_tenths", "distress_ranking"
TARGET = "defaults>=3"
EVERY, SHOWN = 91, 5


def looked_ahead(graph: Graph, at: AsOf, culprit: str) -> dict[str, Any]:
    """Whose failure is enough, why a bank loses what it loses, a scenario, a replayed run, and who may be next."""
    usual = graph.settings
    graph.settings = usual.model_copy(update={"currency": CURRENCY})
    try:
        return _asked(graph, at, culprit)
    finally:
        graph.settings = usual


def _asked(graph: Graph, at: AsOf, culprit: str) -> dict[str, Any]:
    risk = graph.risk("eisenberg_noe", culprit, at=at, publish=True)
    rows = [row for row in risk.table("Bank") if row["id"] != culprit]
    hit = max(rows, key=lambda row: (row["loss"], row["id"]), default=None)
    why = graph.attribution(risk, hit["id"], 3) if hit else None
    supposed = graph.suppose(SCENARIO, at)
    what_if = supposed.risk("debtrank")
    return {
        "reverse": {"target": TARGET, **graph.reverse(TARGET, "eisenberg_noe", at=at).rows()[0]},
        "why": {"name": why.name, "rows": why.rows(), "remarks": why.remarks} if why else None,
        "scenario": {
            "name": SCENARIO,
            "narrative": supposed.scenario.narrative,
            "source": supposed.scenario.source,
            "direct": float(what_if.losses.direct[0].sum()),
            "total": what_if.total,
            "unit": what_if.unit,
        },
        "replay": _replayed(graph, culprit),
        "warning": _warned(graph, at),
    }


def _replayed(graph: Graph, culprit: str) -> dict[str, Any]:
    found = graph.replay(f"contagion_loss:{culprit}")
    return {"what": found.what, "run": found.run, "commit": found.commit, "same": found.same}


def _warned(graph: Graph, at: AsOf) -> dict[str, Any]:
    assert at.valid is not None
    cut = at.valid.replace(month=1, day=1)
    found = warnings(graph, cut, every=EVERY)
    verdict = found.verdict
    lead = float(np.median(verdict.lead_days)) if len(verdict.lead_days) else None
    return {
        "remarks": found.alerts.remarks,
        "alerts": [{k: row[k] for k in ("name", "index", "alarm", "why")} for row in found.alerts.rows()[:SHOWN]],
        "skill": verdict.skill,
        "lead_days": lead,
        "as_of": found.dates[-1],
    }


def told(console: Console, facts: Mapping[str, Any]) -> None:
    """Section 8: what could happen, why, and who may be next."""
    found = facts["foresight"]
    head(console, "8. What could happen, why, and who may be next; nothing supposed is written")
    reverse, scenario = found["reverse"], found["scenario"]
    proven = "no smaller set is" if reverse["smallest"] else "a smaller set may have been missed"
    say(console, f"Enough to make three others fail: {reverse['fails']} ({proven}).")
    say(console, scenario_text(scenario))
    if found["why"]:
        grid(console, found["why"]["name"], path_rows(found["why"]["rows"]))
        for remark in found["why"]["remarks"]:
            say(console, remark, "dim")
    say(console, replay_text(found["replay"]))
    grid(console, f"early warning as of {found['warning']['as_of'][:10]}", found["warning"]["alerts"])
    for remark in found["warning"]["remarks"]:
        say(console, remark)


def scenario_text(scenario: Mapping[str, Any]) -> str:
    """A scenario and its cost in a sentence."""
    direct, total = (f"{scenario[name] / 1e6:,.0f} m {scenario['unit']}" for name in ("direct", "total"))
    whence = f"{scenario['narrative']} ({scenario['source']})"
    return f"{whence} It costs {direct} itself and {total} with contagion (DebtRank)."


def replay_text(replay: Mapping[str, Any]) -> str:
    """Whether a published run came out the same again, in a sentence."""
    same = "the same to the bit" if replay["same"] else "NOT the same"
    return f"The run behind {replay['what']} was asked again on commit {replay['commit']}: {same}."


def path_rows(rows: list[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Paths in millions, with the words of their hops."""
    return [
        {
            "path": row["path"],
            "loss m": f"{row['loss'] / 1e6:,.1f}",
            "share": f"{row['share']:.1%}",
            "words": " | ".join(row["quotes"] or ()),
        }
        for row in rows
    ]
