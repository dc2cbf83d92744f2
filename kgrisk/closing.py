"""Closing: what a run of the demo took, and how to go on from it."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from rich.console import Console

from kg.model import AsOf, iso
from kgrisk.console import grid, head, say

Facts = Mapping[str, Any]
ADDRESS = "http://127.0.0.1:8080"
"""Where `kgrisk serve` answers unless told otherwise."""


def page(home: Path, at: AsOf, entity: str) -> dict[str, str]:
    """The command that serves a home, and the link that shows an entity at an instant in the explorer."""
    assert at.valid is not None
    shown = {"root": entity, "id": entity, "valid": iso(at.valid)[:10]}
    return {"command": f"kgrisk serve --home {shlex.quote(str(home))}", "link": f"{ADDRESS}/#{urlencode(shown)}"}


def told(console: Console, facts: Facts) -> None:
    """Section 11: seconds and memory by stage, sockets, where the report is, and how to open the page."""
    head(console, "11. What it took")
    rows = [
        {"stage": s["name"], "seconds": f"{s['seconds']:.1f}", "peak MB": f"{s['peak_mb']:,.0f}"}
        for s in facts["stages"]
    ]
    total = sum(stage["seconds"] for stage in facts["stages"])
    peak = max(stage["peak_mb"] for stage in facts["stages"])
    grid(console, "", [*rows, {"stage": "all", "seconds": f"{total:.1f}", "peak MB": f"{peak:,.0f}"}])
    sockets = facts["sockets"]
    say(
        console,
        f"Sockets off this machine: {sockets['refused'] + sockets['outside']} (asserted); on it: {sockets['inside']}.",
        "bold",
    )
    say(console, f"Report with plots: {facts['report']}", "bold")
    say(console, f"Open the page: {facts['page']['command']}   then   {facts['page']['link']}", "bold")
