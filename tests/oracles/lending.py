"""Who owes whom, and what a failure or an event would cost."""

from __future__ import annotations

from kg.model import AsOf
from tests.oracles.answer import MONEY, Answer, grouped, ordered
from tests.poison import World


def exposure_by_counterparty(world: World, at: AsOf, id: str, at_least: int) -> Answer:
    seen = world.seen(at)
    groups = grouped(seen.out(id, *MONEY), lambda r: (r.target, r.currency))
    rows = (
        {
            "counterparty": t,
            "label": seen.labels[t],
            "currency": c,
            "owed_minor": sum(r.minor for r in g),
            "claims": len(g),
        }
        for (t, c), g in groups.items()
    )
    return ordered((r for r in rows if r["owed_minor"] >= at_least), "-owed_minor", "counterparty", "currency")


def hit_if_fails(world: World, at: AsOf, id: str, currency: str) -> Answer:
    seen = world.seen(at)
    routes = [
        t
        for t in seen.trails(MONEY, 3)
        if t[-1].target == id and t[0].source != id and all(r.currency == currency for r in t)
    ]
    rows = (
        {
            "creditor": c,
            "label": seen.labels[c],
            "nearest": min(map(len, g)),
            "routes": len(g),
            "at_risk_minor": max(min(r.minor for r in t) for t in g),
        }
        for c, g in grouped(routes, lambda t: t[0].source).items()
    )
    return ordered(rows, "-at_risk_minor", "creditor")


def concentration_by_sector(world: World, at: AsOf, id: str, currency: str) -> Answer:
    seen = world.seen(at)
    sectors = grouped(seen.of("IN_SECTOR"), lambda s: s.source)
    pairs = [(s, r) for r in seen.out(id, "LENDS_TO") if r.currency == currency for s in sectors[r.target]]
    total = sum(r.minor for _, r in pairs)
    rows = []
    for sector, group in grouped(pairs, lambda pair: pair[0].target).items():
        lent = sum(r.minor for _, r in group)
        debtors = len({r.target for _, r in group})
        rows.append({"sector": sector, "lent_minor": lent, "debtors": debtors, "share": lent / total})
    return ordered(rows, "-lent_minor", "sector")


def lender_concentration(world: World, at: AsOf, currency: str, at_least: int) -> Answer:
    seen = world.seen(at)
    loans = [r for r in seen.of("LENDS_TO") if r.currency == currency and r.source != r.target]
    rows = []
    for debtor, group in grouped(loans, lambda r: r.target).items():
        parts = [sum(r.minor for r in g) for g in grouped(group, lambda r: r.source).values()]
        total = sum(parts)
        row = {"debtor": debtor, "label": seen.labels[debtor], "owed_minor": total, "lenders": len(parts)}
        if total >= at_least:
            rows.append(row | {"herfindahl": sum((part / total) ** 2 for part in parts)})
    return ordered(rows, "-herfindahl", "debtor")


def exposure_to_distressed(world: World, at: AsOf, kinds: list[str], since: str) -> Answer:
    seen = world.seen(at)
    kind = grouped((t for t in seen.of("event_type") if t.said.props["event_type"] in kinds), lambda t: t.source)
    owed = grouped(seen.of(*MONEY), lambda r: r.target)
    found = [
        (r, a, t)
        for a in seen.of("AFFECTED_BY")
        if a.role == "subject" and a.since >= since
        for t in kind[a.target]
        for r in owed[a.source]
    ]
    groups = grouped(
        found,
        lambda x: (x[0].source, x[0].target, x[1].target, x[2].said.props["event_type"], x[1].since, x[0].currency),
    )
    rows = (
        {
            "creditor": n,
            "debtor": d,
            "happening": e,
            "kind": k,
            "happened": when,
            "currency": c,
            "owed_minor": sum(r.minor for r, _, _ in g),
            "claims": len(g),
        }
        for (n, d, e, k, when, c), g in groups.items()
    )
    return ordered(rows, "-owed_minor", "creditor", "debtor", "happening", "currency", "kind", "happened")


def related_party_loans(world: World, at: AsOf, at_least: int) -> Answer:
    seen = world.seen(at)
    people = {f: {o.source for o in g} for f, g in grouped(seen.of("OFFICER_OF"), lambda o: o.target).items()}
    pairs = [
        (p, r)
        for r in seen.of("LENDS_TO")
        if r.source != r.target
        for p in people.get(r.source, set()) & people.get(r.target, set())
    ]
    rows = (
        {
            "person": p,
            "lender": s,
            "borrower": t,
            "currency": c,
            "lent_minor": sum(r.minor for _, r in g),
            "loans": len(g),
        }
        for (p, s, t, c), g in grouped(pairs, lambda x: (x[0], x[1].source, x[1].target, x[1].currency)).items()
    )
    order = ("-lent_minor", "person", "lender", "borrower", "currency")
    return ordered((r for r in rows if r["lent_minor"] >= at_least), *order)


def assets_hit(world: World, at: AsOf, event_type: str, since: str) -> Answer:
    seen = world.seen(at)
    events = {t.source for t in seen.of("event_type") if t.said.props["event_type"] == event_type}
    places = {
        name: {(r.source, r.key): r.said.props[name] for r in seen.of(name)}
        for name in ("latitude", "longitude", "radius")
    }
    keys = grouped(places["latitude"], lambda place: place[0])
    rows = []
    for a in seen.of("AFFECTED_BY"):
        if a.target not in events or a.since < since:
            continue
        loans = grouped(seen.into(a.source, "LENDS_TO"), lambda r: r.currency) or {"": []}
        rows += [
            {
                "happening": a.target,
                "entity": a.source,
                "role": a.role,
                "happened": a.since,
                "place": key,
                **{name: found.get((a.target, key)) for name, found in places.items()},
                "currency": currency,
                "lent_minor": sum(r.minor for r in lent),
                "loans": len(lent),
                "edge": a.id,
                "document": a.said.document,
                "quote": a.said.quote,
            }
            for currency, lent in loans.items()
            for _, key in keys.get(a.target, [(a.target, "")])
        ]
    return ordered(rows, "happening", "entity", "edge", "place", "currency")
