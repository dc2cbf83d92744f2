"""What each named query must answer, in plain Python over the visible statements.

One function per query, called like its file and written from its head comment: `oracle(world, at, **params)` gives
the rows in order, with the columns the query has.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from math import prod
from typing import Any

from kg.model import AsOf, iso
from tests.poison import Row, Seen, World

Answer = list[dict[str, Any]]
MONEY = ("LENDS_TO", "EXPOSED_TO")


def _sorted(rows: Iterable[dict[str, Any]], *order: str) -> Answer:
    """Rows by columns; `-column` descends."""
    made = list(rows)
    for column in reversed(order):
        made.sort(key=lambda row: row[column.lstrip("-")], reverse=column.startswith("-"))
    return made


def _groups(rows: Iterable[Any], key: Any) -> dict[Any, list[Any]]:
    found: dict[Any, list[Any]] = defaultdict(list)
    for row in rows:
        found[key(row)].append(row)
    return found


def _earlier(world: World, at: AsOf, known: str) -> Seen:
    return world.seen(replace(at, known=datetime.fromisoformat(known)))


def exposure_by_counterparty(world: World, at: AsOf, id: str, at_least: int) -> Answer:
    seen = world.seen(at)
    groups = _groups(seen.out(id, *MONEY), lambda r: (r.target, r.currency))
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
    return _sorted((r for r in rows if r["owed_minor"] >= at_least), "-owed_minor", "counterparty", "currency")


def _chains(seen: Seen, id: str) -> list[tuple[str, float, list[Row]]]:
    trails = (t for t in seen.trails(("OWNS",), 4) if t[-1].target == id)
    return [(t[0].source, prod((r.share for r in t), start=1.0), t) for t in trails]


def ownership_chain(world: World, at: AsOf, id: str, at_least: float) -> Answer:
    seen = world.seen(at)
    rows = (
        {"owner": o, "label": seen.labels[o], "hops": len(t), "effective": e, "chain": "".join(r.id + " " for r in t)}
        for o, e, t in _chains(seen, id)
    )
    return _sorted((r for r in rows if r["effective"] >= at_least), "-effective", "chain")


def ultimate_owner(world: World, at: AsOf, id: str) -> Answer:
    seen = world.seen(at)
    owned = {row.target for row in seen.of("OWNS")}
    groups = _groups((c for c in _chains(seen, id) if c[0] not in owned), lambda c: c[0])
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
    return _sorted(rows, "-effective", "owner")


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
        for c, g in _groups(routes, lambda t: t[0].source).items()
    )
    return _sorted(rows, "-at_risk_minor", "creditor")


def evidence_behind_edge(world: World, at: AsOf, source: str, relation: str, target: str) -> Answer:
    rows = (
        {
            "edge": r.id,
            "edge_key": r.key,
            "document": r.said.document,
            "locator": r.said.locator,
            "quote": r.said.quote,
            "extractor": r.said.extractor,
            "confidence": r.said.confidence,
            "statement": r.statement,
            "claims": r.claims,
            "conflicts": r.conflict,
        }
        for r in world.seen(at).out(source, relation)
        if r.target == target
    )
    return _sorted(rows, "edge")


def what_changed_between(world: World, at: AsOf, id: str, known_before: str) -> Answer:
    def touching(seen: Seen) -> dict[tuple[str, str], Row]:
        return {(r.id, r.statement): r for r in seen.edges() if id in (r.source, r.target)}

    now, before = touching(world.seen(at)), touching(_earlier(world, at, known_before))
    learned = [("learned", r) for key, r in now.items() if key not in before]
    dropped = [("dropped", r) for key, r in before.items() if key not in now]
    rows = (
        {
            "change": change,
            "edge": r.id,
            "relation": r.type,
            "other": r.target if r.source == id else r.source,
            "said": r.statement,
            "quote": r.said.quote,
        }
        for change, r in learned + dropped
    )
    return _sorted(rows, "change", "edge", "said")


def restatements(world: World, at: AsOf, property: str, known_before: str) -> Answer:
    before = {(r.source, r.key): r for r in _earlier(world, at, known_before).of(property)}
    rows = (
        {
            "entity": r.source,
            "period": r.key,
            "currency": r.currency,
            "before_minor": old.minor,
            "now_minor": r.minor,
            "change_minor": r.minor - old.minor,
            "document": r.said.document,
        }
        for r in world.seen(at).of(property)
        if (old := before.get((r.source, r.key))) and old.statement != r.statement
    )
    return _sorted(rows, "entity", "period")


def believed_at(world: World, at: AsOf, id: str, known_then: str) -> Answer:
    now = {r.id: r for r in world.seen(at).of("LENDS_TO")}
    rows = (
        {
            "debtor": r.target,
            "edge": r.id,
            "currency": r.currency,
            "then_minor": r.minor,
            "now_minor": now[r.id].minor if r.id in now else None,
            "document_then": r.said.document,
            "quote_then": r.said.quote,
        }
        for r in _earlier(world, at, known_then).out(id, "LENDS_TO")
    )
    return _sorted(rows, "edge")


def insider_trades_before_event(world: World, at: AsOf, since: str, event: str) -> Answer:
    seen = world.seen(at)
    issuers = {(i.source, i.target) for i in seen.of("ISSUED")}
    officers = _groups(seen.of("OFFICER_OF"), lambda o: o.target)
    trades = _groups(seen.of("TRADED"), lambda t: t.source)
    found = {
        (o.source, a.source, a.target, t.id): t
        for a in seen.of("AFFECTED_BY")
        if event in ("", a.target)
        for o in officers[a.source]
        for t in trades[o.source]
        if (a.source, t.target) in issuers and since <= t.since < a.since
    }
    groups = _groups(found.items(), lambda item: (*item[0][:3], item[1].role, item[1].currency))
    rows = (
        {
            "insider": p,
            "company": c,
            "happening": e,
            "side": side,
            "currency": currency,
            "trades": len(g),
            "traded_minor": sum(t.minor for _, t in g),
            "last_trade": max(t.since for _, t in g),
        }
        for (p, c, e, side, currency), g in groups.items()
    )
    return _sorted(rows, "happening", "insider", "company", "side", "currency")


def circular_payments(world: World, at: AsOf, since: str, at_least: int) -> Answer:
    paid = [r for r in world.seen(at).of("PAID") if r.minor >= at_least]
    leaving = _groups(paid, lambda r: r.source)
    rows = []

    def follow(trail: list[Row]) -> None:
        last, first = trail[-1], trail[0]
        if last.target == first.source:
            if len(trail) in (3, 4):
                rows.append(_circle(trail))
            return
        if len(trail) == 4 or last.target in [r.source for r in trail]:
            return
        for r in leaving[last.target]:
            if r.since > last.since and r.currency == last.currency:
                follow([*trail, r])

    for r in paid:
        if r.since >= since:
            follow([r])
    return _sorted(rows, "started", "edge1", "edge2", "edge3", "edge4")


def _circle(trail: list[Row]) -> dict[str, Any]:
    places = [r.source for r in trail] + [""]
    edges = [r.id for r in trail] + [""]
    return {
        **dict(zip(("first", "second", "third", "fourth"), places, strict=False)),
        "started": trail[0].since,
        "ended": trail[-1].since,
        "currency": trail[0].currency,
        "sent_minor": trail[0].minor,
        "returned_minor": trail[-1].minor,
        **dict(zip(("edge1", "edge2", "edge3", "edge4"), edges, strict=False)),
    }


def payment_trail(world: World, at: AsOf, id: str, since: str) -> Answer:
    rows = []

    def follow(trail: list[Row]) -> None:
        row = {"receiver": trail[-1].target, "hops": len(trail), "least_minor": min(r.minor for r in trail)}
        rows.append(row | {"trail": "".join(r.id + " " for r in trail)})
        if len(trail) < 4:
            for r in leaving[trail[-1].target]:
                if r.since > trail[-1].since:
                    follow([*trail, r])

    leaving = _groups(world.seen(at).of("PAID"), lambda r: r.source)
    for r in leaving[id]:
        if r.since >= since:
            follow([r])
    return _sorted(rows, "hops", "trail")


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
    return _sorted(rows, "-score", "source", "target")[:top]


def similar_companies(world: World, at: AsOf, id: str, top: int) -> Answer:
    seen = world.seen(at)
    partners: dict[str, set[str]] = defaultdict(set)
    # a relationship is used once in one walk, so a partner that is the entity's own loop needs a second edge back
    walks = _groups(seen.of("LENDS_TO", "SUPPLIES"), lambda r: r.source)
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
    return _sorted(rows, "-jaccard", "-shared", "similar")[:top]


def concentration_by_sector(world: World, at: AsOf, id: str, currency: str) -> Answer:
    seen = world.seen(at)
    sectors = _groups(seen.of("IN_SECTOR"), lambda s: s.source)
    pairs = [(s, r) for r in seen.out(id, "LENDS_TO") if r.currency == currency for s in sectors[r.target]]
    total = sum(r.minor for _, r in pairs)
    rows = []
    for sector, group in _groups(pairs, lambda pair: pair[0].target).items():
        lent = sum(r.minor for _, r in group)
        debtors = len({r.target for _, r in group})
        rows.append({"sector": sector, "lent_minor": lent, "debtors": debtors, "share": lent / total})
    return _sorted(rows, "-lent_minor", "sector")


def documents_that_mention_both(world: World, at: AsOf, a: str, b: str) -> Answer:
    seen = world.seen(at)
    rows = (
        {
            "document": r.target,
            "label": seen.labels[r.target],
            "published": iso(r.said.published),
            "words_a": r.said.quote,
            "words_b": q.said.quote,
            "place_a": r.said.locator,
            "place_b": q.said.locator,
            "edge_a": r.id,
            "edge_b": q.id,
        }
        for r in seen.out(a, "MENTIONED_IN")
        for q in seen.out(b, "MENTIONED_IN")
        if r.target == q.target
    )
    return _sorted(rows, "-published", "document", "edge_a", "edge_b")


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
    return _sorted(rows, "-score", "entity", "model")[:top]


def supply_chain_upstream(world: World, at: AsOf, id: str) -> Answer:
    seen = world.seen(at)
    countries = _groups(seen.of("IN_COUNTRY"), lambda k: k.source)
    trails = [t for t in seen.trails(("SUPPLIES",), 3) if t[-1].target == id and t[0].source != id]
    routes = [(t[0].source, k.target, len(t)) for t in trails for k in countries[t[0].source]]
    rows = (
        {"supplier": s, "country": c, "tier": min(n for *_, n in g), "routes": len(g)}
        for (s, c), g in _groups(routes, lambda r: r[:2]).items()
    )
    return _sorted(rows, "tier", "supplier", "country")


def common_officers(world: World, at: AsOf, at_least: int) -> Answer:
    people = {p: {o.target for o in g} for p, g in _groups(world.seen(at).of("OFFICER_OF"), lambda o: o.source).items()}
    pairs = [(a, b, p) for p, firms in people.items() for a in firms for b in firms if a < b]
    rows = (
        {"one": a, "other": b, "shared": len(g), "people": "".join(p + " " for p in sorted(p for *_, p in g))}
        for (a, b), g in _groups(pairs, lambda x: x[:2]).items()
        if len(g) >= at_least
    )
    return _sorted(rows, "-shared", "one", "other")


def related_party_loans(world: World, at: AsOf, at_least: int) -> Answer:
    seen = world.seen(at)
    people = {f: {o.source for o in g} for f, g in _groups(seen.of("OFFICER_OF"), lambda o: o.target).items()}
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
        for (p, s, t, c), g in _groups(pairs, lambda x: (x[0], x[1].source, x[1].target, x[1].currency)).items()
    )
    order = ("-lent_minor", "person", "lender", "borrower", "currency")
    return _sorted((r for r in rows if r["lent_minor"] >= at_least), *order)


def conflicting_sources(world: World, at: AsOf, top: int) -> Answer:
    rows = (
        {
            "relation": r.type,
            "source": r.source,
            "target": r.target,
            "edge_key": r.key,
            "conflicts": r.conflict,
            "amount_minor": r.minor,
            "share": r.share,
            "winner": r.said.extractor,
            "statement": r.statement,
            "edge": r.id,
        }
        for r in world.seen(at).of(*MONEY, "OWNS", "SUPPLIES")
        if r.conflict > 0
    )
    return _sorted(rows, "-conflicts", "edge")[:top]


def entity_profile(world: World, at: AsOf, id: str) -> Answer:
    seen = world.seen(at)
    rows = []
    for r in seen.out(id, "label", "name", "equity", "distress", "event_type"):
        props = r.said.props
        rows.append(
            {
                "property": r.type,
                "period": r.key,
                "text": props.get(r.type) if r.type in ("label", "name", "event_type") else None,
                "number": props.get("distress"),
                "amount_minor": r.minor,
                "currency": r.currency,
                "since": r.since,
                "document": r.said.document,
                "statement": r.statement,
            }
        )
    return _sorted(rows, "property", "period", "statement")


def lender_concentration(world: World, at: AsOf, currency: str, at_least: int) -> Answer:
    seen = world.seen(at)
    loans = [r for r in seen.of("LENDS_TO") if r.currency == currency and r.source != r.target]
    rows = []
    for debtor, group in _groups(loans, lambda r: r.target).items():
        parts = [sum(r.minor for r in g) for g in _groups(group, lambda r: r.source).values()]
        total = sum(parts)
        row = {"debtor": debtor, "label": seen.labels[debtor], "owed_minor": total, "lenders": len(parts)}
        if total >= at_least:
            rows.append(row | {"herfindahl": sum((part / total) ** 2 for part in parts)})
    return _sorted(rows, "-herfindahl", "debtor")


def largest_holders(world: World, at: AsOf, id: str) -> Answer:
    seen = world.seen(at)
    held = _groups(seen.of("HOLDS"), lambda h: h.target)
    pairs = [h for i in seen.out(id, "ISSUED") for h in held[i.target]]
    rows = (
        {
            "holder": h,
            "currency": c,
            "held_minor": sum(r.minor for r in g),
            "positions": len(g),
            "securities": len({r.target for r in g}),
        }
        for (h, c), g in _groups(pairs, lambda r: (r.source, r.currency)).items()
    )
    return _sorted(rows, "-held_minor", "holder", "currency")


def payments_between_owners(world: World, at: AsOf, id: str, since: str) -> Answer:
    seen = world.seen(at)
    owners = _groups(seen.of("HAS_ACCOUNT"), lambda h: h.target)
    found = [
        (g.source, p)
        for h in seen.out(id, "HAS_ACCOUNT")
        for p in seen.out(h.target, "PAID")
        if p.since >= since
        for g in owners[p.target]
        if g is not h
    ]
    rows = (
        {
            "receiver": o,
            "label": seen.labels[o],
            "currency": c,
            "paid_minor": sum(p.minor for _, p in g),
            "payments": len(g),
            "first": min(p.since for _, p in g),
            "last": max(p.since for _, p in g),
        }
        for (o, c), g in _groups(found, lambda x: (x[0], x[1].currency)).items()
    )
    return _sorted(rows, "-paid_minor", "receiver", "currency")


def exposure_to_distressed(world: World, at: AsOf, kinds: list[str], since: str) -> Answer:
    seen = world.seen(at)
    kind = _groups((t for t in seen.of("event_type") if t.said.props["event_type"] in kinds), lambda t: t.source)
    owed = _groups(seen.of(*MONEY), lambda r: r.target)
    found = [
        (r, a, t)
        for a in seen.of("AFFECTED_BY")
        if a.role == "subject" and a.since >= since
        for t in kind[a.target]
        for r in owed[a.source]
    ]
    groups = _groups(
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
    return _sorted(rows, "-owed_minor", "creditor", "debtor", "happening", "currency", "kind", "happened")


def sentiment_by_day(world: World, at: AsOf, id: str, since: str) -> Answer:
    scores = [r for r in world.seen(at).out(id, "sentiment") if r.since >= since]
    rows = []
    for day, group in _groups(scores, lambda r: r.since[:10]).items():
        tones = [r.said.props["sentiment"] for r in group]
        worst = min(group, key=lambda r: (r.said.props["sentiment"], r.key))
        row = {"day": day, "mean": sum(tones) / len(tones), "documents": len(tones), "lowest": min(tones)}
        rows.append(row | {"document": worst.key, "quote": worst.said.quote, "edge": worst.id})
    return _sorted(rows, "day")


def shared_identifiers(world: World, at: AsOf, id: str) -> Answer:
    seen = world.seen(at)
    rows = []
    for r in seen.of("SHARES_IDENTIFIER"):
        if id in (r.source, r.target):
            other = r.target if r.source == id else r.source
            row = {"other": other, "label": seen.labels[other], "kind": r.key, "shared": r.said.props["count"]}
            rows.append(row | {"edge": r.id, "document": r.said.document, "quote": r.said.quote})
    return _sorted(rows, "other", "kind", "edge")


def assets_hit(world: World, at: AsOf, event_type: str, since: str) -> Answer:
    seen = world.seen(at)
    events = {t.source for t in seen.of("event_type") if t.said.props["event_type"] == event_type}
    places = {
        name: {(r.source, r.key): r.said.props[name] for r in seen.of(name)}
        for name in ("latitude", "longitude", "radius")
    }
    keys = _groups(places["latitude"], lambda place: place[0])
    rows = []
    for a in seen.of("AFFECTED_BY"):
        if a.target not in events or a.since < since:
            continue
        loans = _groups(seen.into(a.source, "LENDS_TO"), lambda r: r.currency) or {"": []}
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
    return _sorted(rows, "happening", "entity", "edge", "place", "currency")
