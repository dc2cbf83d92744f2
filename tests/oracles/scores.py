"""What a model or a tone says."""

from __future__ import annotations

from kg.model import AsOf
from tests.oracles.answer import Answer, grouped, ordered
from tests.poison import World


def top_predicted_links(world: World, at: AsOf, relation: str, at_least: float, top: int) -> Answer:
    seen = world.seen(at)
    stated = {(r.source, r.target) for r in seen.of(relation)}
    rows = (
        {
            "source": r.source,
            "target": r.target,
            "score": r.score,
            "model": r.said.extractor,
            "run": r.said.document,
            "edge": r.id,
        }
        for r in seen.of("PREDICTED")
        if r.key == relation and r.score >= at_least and (r.source, r.target) not in stated
    )
    return ordered(rows, "-score", "source", "target")[:top]


def distress_ranking(world: World, at: AsOf, label: str, top: int) -> Answer:
    seen = world.seen(at)
    labels = {r.source for r in seen.of("label") if r.said.props["label"] == label}
    latest = {r.source: r for r in sorted(seen.of("equity"), key=lambda r: (r.since, r.key))}
    rows = (
        {
            "entity": r.source,
            "score": r.said.props["distress"],
            "model": r.key,
            "equity_minor": latest[r.source].minor if r.source in latest else None,
            "currency": latest[r.source].currency if r.source in latest else None,
            "said": r.said.quote,
        }
        for r in seen.of("distress")
        if r.source in labels
    )
    return ordered(rows, "-score", "entity", "model")[:top]


def sentiment_by_day(world: World, at: AsOf, id: str, since: str) -> Answer:
    scores = [r for r in world.seen(at).out(id, "sentiment") if r.since >= since]
    rows = []
    for day, group in grouped(scores, lambda r: r.since[:10]).items():
        tones = [r.said.props["sentiment"] for r in group]
        worst = min(group, key=lambda r: (r.said.props["sentiment"], r.key))
        row = {"day": day, "mean": sum(tones) / len(tones), "documents": len(tones), "lowest": min(tones)}
        rows.append(row | {"document": worst.key, "quote": worst.said.quote, "edge": worst.id})
    return ordered(rows, "day")
