"""Who owns, holds, supplies and runs whom."""

from __future__ import annotations

from collections import defaultdict
from math import prod

from kg.model import AsOf
from tests.oracles.answer import Answer, grouped, ordered
from tests.poison import Row, Seen, World


def _chains(seen: Seen, id: str) -> list[tuple[str, float, list[Row]]]:
    trails = (t for t in seen.trails(("OWNS",), 4) if t[-1].target == id)
    return [(t[0].source, prod((r.share for r in t), start=1.0), t) for t in trails]


def ownership_chain(world: World, at: AsOf, id: str, at_least: float) -> Answer:
    seen = world.seen(at)
    rows = (
        {"owner": o, "label": seen.labels[o], "hops": len(t), "effective": e, "chain": "".join(r.id + " " for r in t)}
        for o, e, t in _chains(seen, id)
    )
    return ordered((r for r in rows if r["effective"] >= at_least), "-effective", "chain")


def ultimate_owner(world: World, at: AsOf, id: str) -> Answer:
    seen = world.seen(at)
    owned = {row.target for row in seen.of("OWNS")}
    groups = grouped((c for c in _chains(seen, id) if c[0] not in owned), lambda c: c[0])
    rows = (
        {
            "owner": o,
            "label": seen.labels[o],
            "effective": sum(e for _, e, _ in g),
            "chains": len(g),
            "nearest": min(len(t) for _, _, t in g),
        }
        for o, g in groups.items()
    )
    return ordered(rows, "-effective", "owner")


def largest_holders(world: World, at: AsOf, id: str) -> Answer:
    seen = world.seen(at)
    held = grouped(seen.of("HOLDS"), lambda h: h.target)
    pairs = [h for i in seen.out(id, "ISSUED") for h in held[i.target]]
    rows = (
        {
            "holder": h,
            "currency": c,
            "held_minor": sum(r.minor for r in g),
            "positions": len(g),
            "securities": len({r.target for r in g}),
        }
        for (h, c), g in grouped(pairs, lambda r: (r.source, r.currency)).items()
    )
    return ordered(rows, "-held_minor", "holder", "currency")


def common_officers(world: World, at: AsOf, at_least: int) -> Answer:
    people = {p: {o.target for o in g} for p, g in grouped(world.seen(at).of("OFFICER_OF"), lambda o: o.source).items()}
    pairs = [(a, b, p) for p, firms in people.items() for a in firms for b in firms if a < b]
    rows = (
        {"one": a, "other": b, "shared": len(g), "people": "".join(p + " " for p in sorted(p for *_, p in g))}
        for (a, b), g in grouped(pairs, lambda x: x[:2]).items()
        if len(g) >= at_least
    )
    return ordered(rows, "-shared", "one", "other")


def supply_chain_upstream(world: World, at: AsOf, id: str) -> Answer:
    seen = world.seen(at)
    countries = grouped(seen.of("IN_COUNTRY"), lambda k: k.source)
    trails = [t for t in seen.trails(("SUPPLIES",), 3) if t[-1].target == id and t[0].source != id]
    routes = [(t[0].source, k.target, len(t)) for t in trails for k in countries[t[0].source]]
    rows = (
        {"supplier": s, "country": c, "tier": min(n for *_, n in g), "routes": len(g)}
        for (s, c), g in grouped(routes, lambda r: r[:2]).items()
    )
    return ordered(rows, "tier", "supplier", "country")


def similar_companies(world: World, at: AsOf, id: str, top: int) -> Answer:
    seen = world.seen(at)
    partners: dict[str, set[str]] = defaultdict(set)
    # a relationship is used once in one walk, so a partner that is the entity's own loop needs a second edge back
    walks = grouped(seen.of("LENDS_TO", "SUPPLIES"), lambda r: r.source)
    for r in seen.of("LENDS_TO", "SUPPLIES"):
        partners[r.target].add(r.source)
    shared: dict[str, set[str]] = defaultdict(set)
    for r in seen.into(id, "LENDS_TO", "SUPPLIES"):
        for q in walks[r.source]:
            if q is not r and q.target != id:
                shared[q.target].add(r.source)
    rows = (
        {
            "similar": b,
            "label": seen.labels[b],
            "shared": len(s),
            "jaccard": len(s) / len(partners[b] | partners[id]),
        }
        for b, s in shared.items()
    )
    return ordered(rows, "-jaccard", "-shared", "similar")[:top]
