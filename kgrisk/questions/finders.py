"""Finders: how each kind of question is answered, in sentences that cite; none where the graph has nothing to say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from itertools import islice
from typing import Any, Final

from kg.errors import KgRiskError
from kgrisk.questions.cited import Cited, joined
from kgrisk.questions.saying import fact, facts, name, of_edge, of_fact, of_tone, words
from kgrisk.questions.scene import CLAIMS, MOST, Edge, Finder, Scene
from kgrisk.questions.wanted import labels, one
from kgrisk.serve.finding import TELLING, Walk

OWNING: Final = ("OWNS", "SUBSIDIARY_OF")
FAILING: Final = ("default", "bankruptcy", "distress", "insolvency", "failure")
HOPS: Final = 4
TIERS: Final = 3
"""Loans away from who fails, and owners above a company, as in the named queries."""


def hit_if_fails(scene: Scene) -> list[Cited]:
    """Claims on who fails, then claims on those who have them, as far as the named query goes."""
    said, seen, ring = list[Cited](), {scene.a}, [scene.a]
    for _ in range(TIERS):
        edges = [edge for row in ring for edge in scene.edges(row, "target", *CLAIMS) if edge["source"] not in seen]
        said += scene.claims(edges, "source") if len(ring) == 1 else scene.said(edges)
        ring = sorted({edge["source"] for edge in edges})
        seen |= set(ring)
    return said


def ultimate_owners(scene: Scene) -> list[Cited]:
    """Every chain of stakes from an owner whom nobody owns down to the company."""
    said = []
    for chain in _chains(scene, scene.a, ()):
        parts = [of_edge(scene.view, edge) for edge in chain]
        said.append(joined(parts, " ".join(part.text for part in parts)))
    return said


def _chains(scene: Scene, row: int, below: tuple[Edge, ...]) -> Iterator[tuple[Edge, ...]]:
    owners = scene.edges(row, "target", "OWNS") if len(below) < HOPS else []
    seen = {edge["target"] for edge in below} | {row}
    owners = [edge for edge in owners if edge["source"] not in seen]
    if not owners and below:
        yield below
    for edge in owners:
        yield from _chains(scene, edge["source"], (edge, *below))


def stake(scene: Scene) -> list[Cited]:
    return scene.said(
        [*scene.between(scene.a, scene.b, "OWNS", "HOLDS"), *scene.between(scene.b, scene.a, "SUBSIDIARY_OF")]
    )


def owners(scene: Scene) -> list[Cited]:
    return scene.said([*scene.edges(scene.a, "target", "OWNS"), *scene.edges(scene.a, "source", "SUBSIDIARY_OF")])


def holdings(scene: Scene) -> list[Cited]:
    return scene.said(
        [*scene.edges(scene.a, "source", "OWNS", "HOLDS"), *scene.edges(scene.a, "target", "SUBSIDIARY_OF")]
    )


def debt(scene: Scene) -> list[Cited]:
    return scene.claims(scene.between(scene.b, scene.a, *CLAIMS), "source")


def exposed_to(scene: Scene) -> list[Cited]:
    """Creditors, only banks where banks were asked for."""
    edges, known = scene.edges(scene.a, "target", *CLAIMS), scene.view.snapshot.labels
    banks = "Bank" in labels(scene.text)
    return scene.claims([e for e in edges if not banks or known[e["source"]] == "Bank"], "source")


def exposures(scene: Scene) -> list[Cited]:
    return scene.claims(scene.edges(scene.a, "source", *CLAIMS), "target")


def supplies(scene: Scene) -> list[Cited]:
    return scene.said(scene.between(scene.a, scene.b, "SUPPLIES"))


def suppliers(scene: Scene) -> list[Cited]:
    return scene.said(scene.edges(scene.a, "target", "SUPPLIES"))


def customers(scene: Scene) -> list[Cited]:
    return scene.said(scene.edges(scene.a, "source", "SUPPLIES"))


def competitors(scene: Scene) -> list[Cited]:
    return scene.said(edge for end in ("source", "target") for edge in scene.edges(scene.a, end, "COMPETES_WITH"))


def figure(scene: Scene) -> list[Cited]:
    """The figure of the period spoken of, or the latest; of a year its end if that is told, else all parts of it."""
    rows = [(end, row) for row in facts(scene.view, scene.a, scene.figure) if (end := _period_end(row["key"]))]
    if scene.times.since is None and scene.times.until is None:
        last = max((end for end, _ in rows), default=None)
        return [of_fact(scene.view, row) for end, row in rows if end == last]
    within = [(end, row) for end, row in rows if scene.within(end)]
    last = scene.times.until - timedelta(days=1) if scene.times.until else None
    whole = [row for end, row in within if end == last]
    return [of_fact(scene.view, row) for row in whole or [row for _, row in within]]


def _period_end(key: str) -> date | None:
    """Last day of the period that a figure is of, which its key ends with."""
    try:
        return date.fromisoformat(key[-10:])
    except ValueError:
        return None


def path(scene: Scene) -> list[Cited]:
    """The shortest paths, edge by edge."""
    found = list(islice(Walk(scene.view, TELLING).between(scene.a, scene.b, HOPS), 3))
    nearest = [one for one in found if len(one) == len(found[0])]
    edges = dict.fromkeys(edge for one in nearest for edge in one)
    return scene.said(scene.view.edge_row(edge) for edge in edges)


def mention_both(scene: Scene) -> list[Cited]:
    first, second = (
        {edge["target"]: edge for edge in scene.edges(row, "source", "MENTIONED_IN") if scene.within(edge["published"])}
        for row in (scene.a, scene.b)
    )
    both = sorted(first.keys() & second.keys(), key=lambda row: (first[row]["published"], row), reverse=True)
    said = []
    for row in both:
        pair = [of_edge(scene.view, own[row]) for own in (first, second)]
        who = " and ".join(name(scene.view, one) for one in (scene.a, scene.b))
        said.append(joined(pair, f"{who} are named in {name(scene.view, row)}, {first[row]['published']:%Y-%m-%d}."))
    return said


def sentiment(scene: Scene) -> list[Cited]:
    tones = [row for row in facts(scene.view, scene.a, "sentiment") if scene.within(row["published"])]
    return [of_tone(scene.view, row) for row in reversed(tones)]


def said_about(scene: Scene) -> list[Cited]:
    """Relations that documents stated in the days spoken of, newest first, then how each document spoke."""
    edges = [edge for end in ("source", "target") for edge in scene.edges(scene.a, end, *TELLING)]
    new = [edge for edge in edges if edge["type"] != "PAID" and scene.within(edge["published"])]
    said = scene.said(sorted(new, key=lambda edge: (edge["published"], edge["id"]), reverse=True))
    return [*sentiment(scene)[: MOST // 2], *said]


def score(scene: Scene) -> list[Cited]:
    """The latest score, and what made the model give it where that is asked."""
    found = fact(scene.view, scene.a, "distress")
    if found is None:
        return []
    said = of_fact(scene.view, found)
    return [said, *(_why(scene, said) if "why" in scene.text.split() else [])]


def _why(scene: Scene, said: Cited) -> list[Cited]:
    id, reasons = scene.view.snapshot.ids[scene.a], list[Cited]()
    try:
        told = scene.graph.moving(id, scene.view.snapshot.at)  # type: ignore[attr-defined]  # of Graph
    except KgRiskError:
        return []
    for part in sorted(told, key=lambda part: -abs(part["effect"])):
        statements = tuple(row["statement"] for row in part["evidence"])
        way = "raises" if part["effect"] > 0 else "lowers"
        text = f"Its figure {words(part['name'])} {way} the score."
        reasons.append(Cited(text, statements).and_of(said))
    return reasons


def warnings(scene: Scene) -> list[Cited]:
    return [of_fact(scene.view, row) for kind in ("warning", "alarm") for row in facts(scene.view, scene.a, kind)][::-1]


def country(scene: Scene) -> list[Cited]:
    return scene.said(scene.edges(scene.a, "source", "IN_COUNTRY"))


def sector(scene: Scene) -> list[Cited]:
    return scene.said(scene.edges(scene.a, "source", "IN_SECTOR"))


def ticker(scene: Scene) -> list[Cited]:
    return [of_fact(scene.view, row) for row in facts(scene.view, scene.a, "ticker")]


def officers(scene: Scene) -> list[Cited]:
    return scene.said(scene.edges(scene.a, "target", "OFFICER_OF"))


def events(scene: Scene) -> list[Cited]:
    own = [edge for edge in scene.edges(scene.a, "source", "AFFECTED_BY") if scene.within(edge["valid_from"])]
    return scene.said(sorted(own, key=lambda edge: (edge["valid_from"], edge["id"]), reverse=True))


def failed(scene: Scene) -> list[Cited]:
    """Only what happened to the entity itself, and only what is a failure."""
    own = []
    for edge in scene.edges(scene.a, "source", "AFFECTED_BY"):
        kind = fact(scene.view, edge["target"], "event_type")
        subject = (edge["value_text"] or edge["key"]) in ("subject", "defaulter", "debtor")
        if kind and kind["value_text"] in FAILING and subject and scene.within(edge["valid_from"]):
            own.append(edge)
    return scene.said(sorted(own, key=lambda edge: (edge["valid_from"], edge["id"]), reverse=True))


def changed(scene: Scene) -> list[Cited]:
    """Relations and figures published in the days spoken of, newest first; nothing unless it was said since when."""
    if scene.times.since is None:
        return []
    dated = [(edge["published"], of_edge(scene.view, edge)) for end in ("source", "target")
             for edge in scene.edges(scene.a, end, *TELLING) if edge["type"] != "PAID"]  # fmt: skip
    for row in scene.view.facts(scene.a).to_pylist():
        if row["property"] not in ("sentiment", "name", "identifier", "embedding"):
            dated.append((row["published"], of_fact(scene.view, row)))
    dated = [pair for pair in dated if scene.within(pair[0])]
    return [said for _, said in sorted(dated, key=lambda pair: (pair[0], pair[1].statements), reverse=True)]


def profile(scene: Scene) -> list[Cited]:
    named = [row for row in facts(scene.view, scene.a, "name") if row["value_text"] == name(scene.view, scene.a)]
    own = [*named[-1:], *filter(None, (fact(scene.view, scene.a, p) for p in ("description", "ticker")))]
    latest = [row for p in ("assets", "revenue", "equity") if (row := fact(scene.view, scene.a, p))]
    return [
        *(of_fact(scene.view, row) for row in own),
        *country(scene),
        *sector(scene),
        *(of_fact(scene.view, row) for row in latest),
    ]


def distress_ranking(scene: Scene) -> list[Cited]:
    """The highest scores, of entities of the kind that was said; in the singular the highest one."""
    known, wanted = scene.view.snapshot.labels, labels(scene.text)
    own = [(row, score) for row, score in scene.view.score("distress").items() if not wanted or known[row] in wanted]
    scores = sorted(own, key=lambda pair: (-pair[1], pair[0]))[:MOST]
    if one(scene.text):
        scores = [pair for pair in scores if pair[1] == scores[0][1]]
    rows: list[dict[str, Any] | None] = [fact(scene.view, row, "distress") for row, _ in scores]
    return [of_fact(scene.view, row) for row in rows if row]


FINDERS: Final[Mapping[str, Finder]] = {
    finder.__name__: finder
    for finder in (
        *(hit_if_fails, ultimate_owners, stake, owners, holdings, debt, exposed_to, exposures, supplies, suppliers),
        *(customers, competitors, figure, path, mention_both, sentiment, said_about, score, warnings, country, sector),
        *(ticker, officers, events, failed, changed, profile, distress_ranking),
    )
}
"""How each kind is answered, by its name."""
