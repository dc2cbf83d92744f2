"""Tools: what an agent can ask of an open graph. Every text that comes in is a value; none is a path or a query."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any, Final

from ingest.rulings import Author
from kg.errors import KgRiskError
from kg.model import AsOf, as_time
from kg.store import truncated
from kgrisk.agents.answer import Answer, Caps
from kgrisk.agents.audited import CALL, Call
from kgrisk.api import Graph
from kgrisk.api import open as open_graph
from kgrisk.audit import Act
from kgrisk.audit_user import user
from kgrisk.cases import Cases, Item
from kgrisk.jobs.job import Order
from kgrisk.jobs.table import Table
from kgrisk.opened import day
from kgrisk.questions.answered import Answered
from kgrisk.reviewing import judge, read_verdict
from kgrisk.serve.desk import Desk, UnknownError
from kgrisk.serve.finding import Walk, around, named
from kgrisk.serve.view import View, stated
from kgrisk.settings import Settings
from kgrisk.shown import shown
from queries.parameter import Parameter
from queries.whatif import library

Clocks = Mapping[str, str]


class Tools:
    """The tools over one graph, asked one after the other."""

    def __init__(self, settings: Settings) -> None:
        if not (settings.home / "ledger").exists():
            home = settings.home
            raise KgRiskError(f"{home} holds no graph; run `kgrisk ingest FOLDER --home {home}` first")
        self.desk = Desk(open_graph(settings.home, settings=settings), search="with the tool `search`")
        self.caps = Caps(settings.mcp_rows, settings.mcp_seconds, settings.mcp_tokens)

    @property
    def graph(self) -> Graph:
        return self.desk.graph

    def ask(self, name: str, clocks: Clocks, given: Mapping[str, Any]) -> Answer:
        """The answer of a tool at an instant."""
        tool: Callable[..., Answer] = TOOLS[name]
        with self.desk.turn():
            return tool(self, self.desk.view(moment(clocks)), **given)

    def answer(
        self, view: View, told: Mapping[str, Any], rows: Sequence[Mapping[str, Any]] = (), beyond: int = 0,
        caps: Caps | None = None,
    ) -> Answer:  # fmt: skip
        stamp = {"at": shown(view.clocks), "commit": view.snapshot.commit, "ledger": view.snapshot.ledger}
        return (caps or self.caps).answer(told, rows, stamp, beyond)

    def search(self, view: View, words: str, label: str, by: str, k: int) -> Answer:
        if by == "name":
            found = named(view, words, label, k)
        else:
            found = self.graph.find(words, labels=[label] if label else (), k=k, at=view.snapshot.at).table
        return self.answer(view, {"words": words, "by": by}, found.to_pylist())

    def entity(self, view: View, id: str) -> Answer:
        row = self.desk.row(view, id)
        facts = [{"property": f["property"], "key": f["key"], **stated(f)} for f in view.facts(row).to_pylist()]
        facts.sort(key=lambda fact: (fact["valid_from"], fact["property"]), reverse=True)
        return self.answer(view, {**view.entity(row), "degree": view.degree(row)}, facts)

    def neighbours(self, view: View, id: str, types: Sequence[str], k: int) -> Answer:
        row = self.desk.row(view, id)
        edges = around(view, row, types)
        s = view.snapshot
        ends = ("source", "target")
        rows = [{**edge, **{f"{end}_name": s.names[s.index[edge[end]]] for end in ends}} for edge in edges]
        rows.sort(key=lambda edge: (edge["published"], edge["id"]), reverse=True)
        return self.answer(view, view.entity(row), rows[:k], max(0, len(rows) - k))

    def path(self, view: View, source: str, target: str, hops: int, k: int, types: Sequence[str]) -> Answer:
        ends = self.desk.row(view, source), self.desk.row(view, target)
        walk = Walk(view, types)
        found = list(islice(walk.between(*ends, hops), k))
        rows = [{"hops": len(path), "edges": [view.edge(view.edge_row(edge)) for edge in path]} for path in found]
        told = {"source": view.entity(ends[0]), "target": view.entity(ends[1]), "given_up": walk.left <= 0}
        return self.answer(view, told, rows)

    def list_queries(self, view: View) -> Answer:
        rows = []
        for query in self.graph.catalog:
            fields = {
                name: (item.type if isinstance(item, Parameter) else "time") + f": {item.doc}"
                for name, item in query.inputs.items()
            }
            rows.append({"name": query.name, "tells": query.tells, "parameters": fields})
        whole = replace(self.caps, rows=max(self.caps.rows, len(rows)))  # what there is to ask is no data to be cut
        return self.answer(view, {"count": len(rows)}, rows, caps=whole)

    def named_query(self, view: View, name: str, parameters: Mapping[str, Any]) -> Answer:
        self.graph.catalog[name].values(parameters)  # a wrong name or value need not wait for the store
        found = self.graph.query(name, view.snapshot.at, **parameters)
        told = {"query": name, "remarks": list(found.remarks), "row_limit_met": truncated(found.table)}
        return self.answer(view, told, found.rows())

    def risk(
        self, view: View, measure: str, shock: str | Mapping[str, float], scenario: str, label: str, k: int
    ) -> Answer:
        at = view.snapshot.at
        if scenario and scenario not in library():
            raise UnknownError(f"no scenario {scenario!r}; known: {', '.join(library())}")
        found = self.graph.suppose(scenario, at).risk(measure) if scenario else self.graph.risk(measure, shock, at=at)
        rows = found.table(label).rows()
        told = {"measure": found.losses.measure, "unit": found.unit, "total": found.total, "losers": len(rows)}
        told["remarks"] = list(found.losses.notes)
        return self.answer(view, told, rows[:k], max(0, len(rows) - k))

    def explain(self, view: View, what: str, why: bool) -> Answer:
        found = self.graph.explain(what, view.snapshot.at)
        told = {"what": found.what, "run": found.run}
        if why:
            told["why"] = self.graph.why(what, view.snapshot.at)
        return self.answer(view, told, found.evidence.rows())

    def brief(self, view: View, id: str, since: str) -> Answer:
        made = self.graph.brief(id, view.snapshot.at, as_time(day(since)) if since else None)
        rows = [{"section": s.name, "text": c.text, "statements": list(c.statements)} for s in made.sections for c in s]
        return self.answer(view, made.head(), rows)

    def question(self, view: View, question: str) -> Answer:
        found: Answered = self.graph.answer(question, view.snapshot.at)
        told = {**found.to_dict(), "clocks": shown(found.clocks)}
        return self.answer(view, told, told.pop("sentences"))

    def judge(self, view: View, a: str, b: str, verdict: str, by: str, why: str) -> Answer:
        commit = judge(self.graph, a, b, read_verdict(verdict), Author(by, why))
        self._written("resolve_judgement", by, commit)
        return self.answer(self.desk.view(), {"judged": [a, b, verdict], "by": by, "commit": commit})

    def save_case(self, view: View, title: str, by: str, items: Sequence[str], note: str) -> Answer:
        known = view.snapshot.index.keys()
        if unknown := [id for id in items if id not in known]:
            raise UnknownError(f"the graph has no {' and no '.join(unknown)}; a case holds what `search` finds")
        cases = Cases(self.graph.home / "cases")
        case = cases.open(title, by, [Item(id) for id in items])
        case = cases.note(case.id, by, note) if note else case
        self._written("save_case", by, ids=[case.id])
        return self.answer(view, case.told())

    def refresh(self, view: View, by: str, whole: bool) -> Answer:
        inputs = self.graph.settings.inputs
        folder = str(inputs.resolve()) if inputs else ""
        table = Table(self.graph.home)
        try:
            job = table.submit(Order("refresh", {"folder": folder, "whole": whole}), f"mcp {by}")
        finally:
            table.close()
        self._written("refresh_job", by, ids=[job.id])
        return self.answer(view, job.told())

    def _written(self, tool: str, by: str, commit: int | None = None, ids: Sequence[str] = ()) -> None:
        """What an agent changed stands in the audit log, also where its answer is not waited for any more."""
        call = CALL.get() or Call(self.graph.home, Act(user(), "", "mcp", tool, {"by": by}))
        call.end(0, commit=commit, ids=ids)


TOOLS: Final[Mapping[str, Callable[..., Answer]]] = {
    name: getattr(Tools, name)
    for name in (
        *("search", "entity", "neighbours", "path", "list_queries", "named_query", "risk", "explain", "brief"),
        *("question", "judge", "save_case", "refresh"),
    )
}


def moment(clocks: Clocks) -> AsOf:
    """The three instants of a question. KgRiskError names the one that is no time."""
    found = {}
    for name, text in clocks.items():
        try:
            found[name] = as_time(day(text)) if text else None
        except KgRiskError as error:
            raise KgRiskError(f"{name}: {error}") from error
    return AsOf(**found)
