"""What was paid and traded, and who shares an account or a device."""

from __future__ import annotations

from typing import Any

from kg.model import AsOf
from tests.oracles.answer import Answer, grouped, ordered
from tests.poison import Row, World


def insider_trades_before_event(world: World, at: AsOf, since: str, event: str) -> Answer:
    seen = world.seen(at)
    issuers = {(i.source, i.target) for i in seen.of("ISSUED")}
    officers = grouped(seen.of("OFFICER_OF"), lambda o: o.target)
    trades = grouped(seen.of("TRADED"), lambda t: t.source)
    found = {
        (o.source, a.source, a.target, t.id): t
        for a in seen.of("AFFECTED_BY")
        if event in ("", a.target)
        for o in officers[a.source]
        for t in trades[o.source]
        if (a.source, t.target) in issuers and since <= t.since < a.since
    }
    groups = grouped(found.items(), lambda item: (*item[0][:3], item[1].role, item[1].currency))
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
    return ordered(rows, "happening", "insider", "company", "side", "currency")


def circular_payments(world: World, at: AsOf, since: str, at_least: int) -> Answer:
    paid = [r for r in world.seen(at).of("PAID") if r.minor >= at_least]
    leaving = grouped(paid, lambda r: r.source)
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
    return ordered(rows, "started", "edge1", "edge2", "edge3", "edge4")


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

    leaving = grouped(world.seen(at).of("PAID"), lambda r: r.source)
    for r in leaving[id]:
        if r.since >= since:
            follow([r])
    return ordered(rows, "hops", "trail")


def payments_between_owners(world: World, at: AsOf, id: str, since: str) -> Answer:
    seen = world.seen(at)
    owners = grouped(seen.of("HAS_ACCOUNT"), lambda h: h.target)
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
        for (o, c), g in grouped(found, lambda x: (x[0], x[1].currency)).items()
    )
    return ordered(rows, "-paid_minor", "receiver", "currency")


def shared_identifiers(world: World, at: AsOf, id: str) -> Answer:
    seen = world.seen(at)
    rows = []
    for r in seen.of("SHARES_IDENTIFIER"):
        if id in (r.source, r.target):
            other = r.target if r.source == id else r.source
            row = {"other": other, "label": seen.labels[other], "kind": r.key, "shared": r.said.props["count"]}
            rows.append(row | {"edge": r.id, "document": r.said.document, "quote": r.said.quote})
    return ordered(rows, "other", "kind", "edge")


def suspicious_payments(world: World, at: AsOf, least: float, since: str, top: int) -> Answer:
    seen = world.seen(at)
    low, high = ({r.key: r for r in seen.of(f"laundering_{end}")} for end in ("low", "high"))
    paid = {r.statement: r for r in seen.of("PAID") if r.since >= since}
    rows = (
        {
            "payer": s.source,
            "payee": p.target,
            "paid": p.since,
            "amount_minor": p.minor,
            "currency": p.currency,
            "probability": s.value,
            "low": low[s.key].value,
            "high": high[s.key].value,
            "run": low[s.key].said.document,
            "said": low[s.key].said.quote,
            "document": p.said.document,
            "locator": p.said.locator,
            "quote": p.said.quote,
            "edge": p.id,
            "statement": s.statement,
        }
        for s in seen.of("laundering")
        if (p := paid.get(s.key)) and s.key in low and s.key in high and s.value >= least
    )
    return ordered(rows, "-probability", "edge", "statement")[:top]


def pattern_findings(world: World, at: AsOf, pattern: str, since: str, least: float, top: int) -> Answer:
    seen = world.seen(at)
    edges = grouped(seen.of("finding_edge"), lambda e: (e.source, e.key.split("|")[1]))
    rows = []
    for s in seen.of("finding"):
        name, finding = s.key.split("|")
        own = sorted(edges[s.source, finding], key=lambda e: (e.value, e.key))
        if own and s.since >= since and s.value >= least and pattern in ("", name):
            head = {"pattern": name, "finding": finding, "subject": s.source, "score": s.value, "ended": s.since}
            told = {"edges": len(own), "stands_on": "".join(e.key.split("|")[2] + " " for e in own)}
            last = {"run": s.said.document[:12], "said": s.said.quote, "statement": s.statement}
            rows.append(head | told | last)
    return ordered(rows, "-score", "finding", "subject")[:top]
