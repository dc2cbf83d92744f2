"""Brief: what the graph says of one entity, on a page where every sentence cites the statements it rests on.

brief(graph, "lei:...", since=date(2023, 6, 1)).sections
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from kg.errors import KgRiskError
from kg.model import AsOf
from kgrisk.opened import Opened
from kgrisk.questions import finders
from kgrisk.questions.cited import Cited, behind
from kgrisk.questions.clock_words import Times
from kgrisk.questions.saying import fact, facts, of_edge, of_fact, of_tone
from kgrisk.questions.scene import Finder, Scene
from kgrisk.serve.view import View
from kgrisk.shown import shown

TOP: Final = 6
"""Sentences of a section at most."""
FIGURES: Final = ("assets", "liabilities", "equity", "cash", "revenue", "net_income")
SCORES: Final = (
    *("distress", "distress_low", "distress_high", "contagion_loss", "loss_low", "loss_high", "equity_after"),
    *("rank_score", "laundering"),
)


@dataclass(frozen=True)
class Section:
    """A heading with its sentences."""

    name: str
    sentences: tuple[Cited, ...]
    more: int = 0
    """Sentences left out."""

    def __iter__(self) -> Iterator[Cited]:
        return iter(self.sentences)


@dataclass(frozen=True)
class Brief:
    """The brief of an entity at an instant."""

    entity: dict[str, Any]
    sections: tuple[Section, ...]
    evidence: dict[str, list[dict[str, Any]]]
    """The claims behind each statement."""
    clocks: dict[str, str]
    commit: int
    ledger: str
    since: str = field(default="")

    def head(self) -> dict[str, Any]:
        """Whom it is of, and when."""
        left_out = {section.name: section.more for section in self.sections if section.more}
        return {**self.entity, "since": self.since, "left_out": left_out}

    def to_dict(self) -> dict[str, Any]:
        """All of it, every sentence with its statements and the claim that says each best."""
        sections = [
            {"name": section.name, "more": section.more, "sentences": [self._told(said) for said in section]}
            for section in self.sections
        ]
        stamp = {"clocks": self.clocks, "commit": self.commit, "ledger": self.ledger}
        return {**self.head(), "sections": sections, **stamp}

    def _told(self, said: Cited) -> dict[str, Any]:
        claims = [{"statement": one, **claim} for one in said.statements for claim in self.evidence[one][:1]]
        return {"text": said.text, "statements": list(said.statements), "claims": claims}

    def lines(self) -> Iterator[str]:
        """For people, line by line."""
        yield f"{self.entity['name']} ({self.entity['label']}, {self.entity['id']})"
        at = ", ".join(f"{name} {moment}" for name, moment in shown(self.clocks).items())
        yield f"  {at}, commit {self.commit}"
        for section in self.sections:
            yield f"{section.name}:"
            for said in section:
                yield f"  {said.text} [{', '.join(one[:12] for one in said.statements)}]"
            if section.more:
                yield f"  and {section.more} more"


def brief(graph: Opened, id: str, at: AsOf = AsOf(), since: datetime | None = None, view: View | None = None) -> Brief:
    """The brief of an entity. KgRiskError if it is not there at that instant."""
    view = view or View(graph.snapshot(at))
    row = view.snapshot.index.get(id)
    if row is None:
        raise KgRiskError(
            f"no entity {id!r} at valid {view.clocks['valid']}, known {view.clocks['known']}; take an id from "
            "`kgrisk ask 'who is NAME'`, or move the clocks"
        )
    scene = Scene(graph, view, Times("", since=since.date() if since else None), "why", row)
    parts = [*PARTS, *((("what was published since", finders.changed),) if since else ())]
    sections = tuple(section for name, finder in parts if (section := _section(name, finder, scene)).sentences)
    evidence = behind(graph.ledger, view.snapshot.at, (said for section in sections for said in section))
    s = view.snapshot
    day = f"{since:%Y-%m-%d}" if since else ""
    return Brief(view.entity(row), sections, evidence, view.clocks, s.commit, s.ledger, day)


def _section(name: str, finder: Finder, scene: Scene) -> Section:
    said = list(dict.fromkeys(one for one in finder(scene) if one.statements))
    return Section(name, tuple(said[:TOP]), max(0, len(said) - TOP))


def _identity(scene: Scene) -> list[Cited]:
    """Its name, what it is, where it is, and in what line of business."""
    own = [row for row in facts(scene.view, scene.a, "name") if row["value_text"] == scene.view.snapshot.names[scene.a]]
    own += filter(None, (fact(scene.view, scene.a, property) for property in ("description", "ticker")))
    said = [of_fact(scene.view, row) for row in own[-3:]]
    return [*said, *finders.country(scene)[:1], *finders.sector(scene)[:1]]


def _money(scene: Scene) -> list[Cited]:
    """The latest of each figure."""
    rows = (fact(scene.view, scene.a, property) for property in FIGURES)
    return [of_fact(scene.view, row) for row in rows if row]


def _scores(scene: Scene) -> list[Cited]:
    """Scores and losses of published runs, and what made the model give the score of distress."""
    rows = [row for property in SCORES for row in facts(scene.view, scene.a, property)[-1:]]
    return [*(of_fact(scene.view, row) for row in rows), *finders.score(scene)[1:]]


def _news(scene: Scene) -> list[Cited]:
    """How the latest documents spoke."""
    return [of_tone(scene.view, row) for row in reversed(facts(scene.view, scene.a, "sentiment"))]


def _alerts(scene: Scene) -> list[Cited]:
    """Early warnings, failures, and links that a model expects."""
    predicted = sorted(
        (edge for end in ("source", "target") for edge in scene.edges(scene.a, end, "PREDICTED")),
        key=lambda edge: (-edge["value_real"], edge["id"]),
    )
    return [*finders.warnings(scene), *finders.events(scene), *(of_edge(scene.view, edge) for edge in predicted[:2])]


PARTS: Final[tuple[tuple[str, Finder], ...]] = (
    ("who it is", _identity),
    ("money", _money),
    ("owners", finders.owners),
    ("holdings", finders.holdings),
    ("whom it would lose by", finders.exposures),
    ("who would lose by it", finders.exposed_to),
    ("suppliers", finders.suppliers),
    ("customers", finders.customers),
    ("management", finders.officers),
    ("scores", _scores),
    ("news", _news),
    ("alerts", _alerts),
)
"""The sections, in their order."""
