"""The page of a brief: one HTML file without scripts, every sentence with a link to the words it rests on."""

from __future__ import annotations

from pathlib import Path

from kgrisk.brief import Brief
from kgrisk.shown import shown

TEMPLATES = Path(__file__).parent / "templates"


def page(made: Brief) -> str:
    """The brief as HTML; what documents say is escaped."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    loader = FileSystemLoader(TEMPLATES)
    room = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return room.get_template("brief.html.j2").render(brief=made, clocks=shown(made.clocks))
