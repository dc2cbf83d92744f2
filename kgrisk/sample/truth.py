"""truth.json: what the sample says, who everybody is, what was planted and what is deliberately broken."""

from __future__ import annotations

from typing import Any

from kgrisk.sample.articles import Article
from kgrisk.sample.network import CUT, World
from kgrisk.sample.wording import MARK


def relations(placed: list[tuple[Article, str, int]]) -> list[dict[str, Any]]:
    """The truth of every sentence made from a form, with file and line (0 for HTML)."""
    rows = []
    for article, file, line in placed:
        for truth in article.truths:
            rows.append(
                {
                    "file": file,
                    "line": line,
                    "article": article.id,
                    "published": article.published.strftime("%Y-%m-%dT%H:%M:%SZ"),
                    **truth,
                }
            )
    return rows


def entities(world: World, aliases: dict[int, set[str]]) -> dict[str, Any]:
    """Register id -> name and every way it is written in the news."""
    return {
        f.id: {
            "name": f.name,
            "label": f.label,
            "aliases": sorted(aliases.get(f.n, set()) | {f.name}),
            "former": f.former,
        }
        for f in world.firms
    }


def distress(world: World) -> list[dict[str, Any]]:
    """Every distress event with the probability it had under the planted process."""
    firms = world.firms
    return [
        {
            "entity_id": firms[d.firm].id,
            "date": d.day.isoformat(),
            "event_type": d.event,
            "probability": round(world.hazard[d.firm, d.day.year], 4),
        }
        for d in world.distress
    ]


def hazards(world: World) -> dict[str, dict[str, float]]:
    """Year -> entity -> true probability of distress in that year: the ceiling of any model."""
    table: dict[str, dict[str, float]] = {}
    for (n, year), p in sorted(world.hazard.items(), key=lambda item: (item[0][1], item[0][0])):
        table.setdefault(str(year), {})[world.firms[n].id] = round(p, 4)
    return table


def new_triples(world: World) -> list[list[str]]:
    """Triples first published on or after the cut, by register id, with the source that carries them."""
    firms = world.firms
    return [[firms[k.source].id, k.type, firms[k.target].id, k.carrier] for k in world.links if k.published >= CUT]


def assemble(
    world: World, placed: list[tuple[Article, str, int]], aliases: dict[int, set[str]], extra: dict[str, Any]
) -> dict[str, Any]:
    """The whole of truth.json; `extra` holds events, planted structures and the bad records."""
    return {
        "note": MARK,
        "cut": CUT.isoformat(),
        "relations": relations(placed),
        "entities": entities(world, aliases),
        "distress": distress(world),
        "hazard": hazards(world),
        "new_triples": new_triples(world),
        **extra,
    }
