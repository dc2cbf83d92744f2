"""Handed over: a question that the graph cannot answer becomes a case that a person looks into."""

from __future__ import annotations

from pathlib import Path

from kgrisk.cases import Cases, Item
from kgrisk.questions.answered import Answered


def hand(asked: Answered, folder: Path, by: str) -> str:
    """Open a case with the question, whom it is about and what was missing; gives its id."""
    cases = Cases(folder)
    clocks = {name: asked.clocks.get(name, "") for name in ("valid", "known", "published")}
    items = [Item(entity["id"], asked.reason, **clocks) for entity in asked.entities]
    case = cases.open(asked.question, by, items)
    return cases.note(case.id, by, f"{asked.reason}: {asked.note}").id
