"""The report: one HTML page with everything the demo found, plots inside, nothing loaded from anywhere."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from kgrisk import foresight, telling
from kgrisk.console import cell, number
from kgrisk.plots import PLOTS, draw

TEMPLATES = Path(__file__).parent / "templates"


def write_report(facts: Mapping[str, Any], file: Path) -> Path:
    """Render the page; every value is escaped."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"cell": cell, "money": telling.money, "number": number, "flat": telling.flat}
    told = {
        "plots": {name: draw(plot, facts) for name, plot in PLOTS.items()},
        "links_table": telling.metric_rows(facts["learning"], "links"),
        "risk_table": telling.metric_rows(facts["learning"], "risk"),
        "bank_rows": telling.bank_rows,
        "source_rows": telling.source_rows(facts["reading"]),
        "best_possible": telling.best_possible(facts["learning"]["ceiling"]),
        "lost": telling.lost,
        "path_words": telling.PATHS,
        "path_text": telling.path_text,
        "timing": telling.timing,
        "scenario_text": foresight.scenario_text,
        "replay_text": foresight.replay_text,
        "why_rows": foresight.path_rows,
        "seconds": sum(stage["seconds"] for stage in facts["stages"]),
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(environment.get_template("report.html.j2").render(**facts, **told), "utf-8")
    return file
