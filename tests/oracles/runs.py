"""What runs of the engine say that they found."""

from __future__ import annotations

from itertools import product

from kg.model import AsOf, iso
from tests.oracles.answer import Answer, grouped, ordered
from tests.poison import Row, Seen, World


def risk_runs(world: World, at: AsOf, name: str, top: int) -> Answer:
    seen, rows = world.seen(at), []
    for m in seen.of("run"):
        if name in ("", m.value):
            totals = seen.out(m.source, "run_total")
            for q, c in product(seen.out(m.source, "run_question"), seen.out(m.source, "run_commit")):
                head = {"run": short(m), "kind": m.key, "name": m.value, "commit": c.value}
                tail = {"question": q.value, "valid": m.since, "published": iso(m.said.published)}
                rows += [head | {"scenario": t.key} | money(t, "total_minor") | tail for t in totals]
                if not totals:
                    rows.append(head | {"scenario": "", "total_minor": None, "currency": None} | tail)
    order = ("-published", "run", "kind", "scenario", "question", "commit")
    return ordered(ordered(rows, "total_minor") if name else rows, *order)[:top]


def losses_of_run(world: World, at: AsOf, run: str, top: int) -> Answer:
    seen, rows = world.seen(at), []
    for s in seen.of("contagion_loss", "rank_score"):
        if s.key.startswith(run[:12] + ":"):
            equity, fails, low, high = (one(seen, s, n) for n in ("equity_after", "fails", "loss_low", "loss_high"))
            row = {"entity": s.source, "label": seen.labels[s.source], "scenario": s.key[13:], "loss_minor": s.minor}
            row |= {"equity_minor": equity and equity.minor, "fails": fails is not None and fails.value > 0}
            row |= {"low_minor": low and low.minor, "high_minor": high and high.minor, "currency": s.currency}
            score = s.value if s.type == "rank_score" else None
            rows.append(row | {"score": score, "said": s.said.quote} | source(s))
    amount = "-loss_minor" if any(row["score"] is None for row in rows) else "-score"
    return ordered(rows, "scenario", amount, "entity", "statement")[:top]


def scenario_losses(world: World, at: AsOf, scenario: str) -> Answer:
    seen, found = world.seen(at), []
    labelled = {r.source: r.said.props["label"] for r in seen.of("label")}
    for m in seen.of("run"):
        for t in seen.out(m.source, "run_total"):
            for s in seen.of("contagion_loss") if t.key == scenario else ():
                if s.key == f"{short(m)}:{scenario}" and s.source in labelled:
                    found.append((short(m), m.value, t.minor, labelled[s.source], s))
    rows = []
    for (run, measure, total, label), group in grouped(found, lambda row: row[:4]).items():
        losses = [row[4] for row in group]
        failing = sum(one(seen, s, "fails") is not None for s in losses)
        row = {"run": run, "measure": measure, "total_minor": total, "label": label, "losing_saved": len(losses)}
        row |= {"failing_saved": failing, "saved_minor": sum(s.minor or 0 for s in losses), "currency": "EUR"}
        rows.append(row)
    return ordered(rows, "run", "measure", "total_minor", "-saved_minor", "label")


def figures_of_run(world: World, at: AsOf, run: str, label: str, top: int) -> Answer:
    seen, rows = world.seen(at), []
    labelled = {r.source: r.said.props["label"] for r in seen.of("label")}
    asked = [q for q in seen.of("run_question") if short(q) == run[:12]]
    for s, q in product(seen.of("figure"), asked):
        name, own = s.key.split("|")
        if own == run[:12] and s.source in labelled and label in ("", labelled[s.source]):
            row = {"entity": s.source, "label": labelled[s.source], "figure": name, "value": s.value}
            rows.append(row | {"question": q.value} | source(s))
    return ordered(rows, "figure", "-value", "entity", "statement", "question")[:top]


def warnings_of(world: World, at: AsOf, id: str) -> Answer:
    seen, rows = world.seen(at), []
    for s, a in product(seen.out(id, "warning"), seen.out(id, "alarm")):
        for q in seen.of("run_question") if a.key == s.key else ():
            if short(q) == s.key:
                row = {"date": s.since, "run": s.key, "warning": s.value, "threshold": a.value}
                row |= {"alarm": s.value > a.value, "why": s.said.quote, "question": q.value}
                rows.append(row | {"statement": s.statement})
    return ordered(rows, "-date", "run", "warning", "threshold", "statement", "question")


def attribution_of_run(world: World, at: AsOf, run: str, top: int) -> Answer:
    seen, rows = world.seen(at), []
    labelled = {r.source: r.said.props["label"] for r in seen.of("label")}
    for s in seen.of("path_loss"):
        wholes = [w for w in seen.out(s.source, "contagion_loss") if s.key.startswith(w.key + ":")]
        asked = s.key.startswith(run[:12] + ":") or s.said.document[:12] == run[:12]
        for w in (wholes or [None]) if asked and s.source in labelled else ():
            whole = w and w.minor
            row = {"entity": s.source, "label": labelled[s.source], "place": s.key, "path_minor": s.minor}
            row |= {"loss_minor": whole, "currency": s.currency, "share": (s.minor or 0) / whole if whole else None}
            rows.append(row | {"path": s.said.quote} | source(s))
    return ordered(rows, "-path_minor", "place", "entity", "statement")[:top]


def short(row: Row) -> str:
    """The run that a document is, by its first digits."""
    return row.source.removeprefix("doc:")[:12]


def one(seen: Seen, beside: Row, property: str) -> Row | None:
    """What the same run says of the same entity and scenario."""
    return next((r for r in seen.out(beside.source, property) if r.key == beside.key), None)


def money(row: Row, name: str) -> dict[str, object]:
    return {name: row.minor, "currency": row.currency}


def source(row: Row) -> dict[str, object]:
    return {"document": row.said.document, "statement": row.statement}
