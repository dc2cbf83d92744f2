"""Reviewing: a person looks at undecided pairs, sees what a judgement would change, and judges.

What a judgement changes in the graph comes from `ingest.preview`; what it changes in the answers to named queries is
tried out on a copy of the ledger with an embedded store of its own, so that the ledger and the store are left alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from ingest import obligations
from ingest.preview import Difference, preview
from ingest.review import Doubt, doubts
from ingest.rulings import Author, Ruling, merging, parting, undoing
from kg.errors import KgRiskError
from kg.files import Files
from kg.ledger import Ledger
from kg.model import AsOf
from kg.store import GraphStore, open_store
from kgrisk.api import Graph
from kgrisk.settings import embedded
from queries.catalog import Catalog

Verdict = Literal["same", "different"]
Act = Literal["merge", "part", "undo"]
ALERTS = ("exposure_to_distressed", "related_party_loans", "circular_payments", "insider_trades_before_event")
"""Named queries whose rows are alerts: each row is something to look into."""
TOUCHED = 25
"""Entities whose own queries are compared; more are counted, not asked."""
ROWS = 2_000
NOBODY = Author("preview", "what if")


@dataclass(frozen=True, slots=True)
class Answer:
    """A named query that would answer otherwise."""

    query: str
    params: Mapping[str, Any]
    alert: bool
    gone: Sequence[Mapping[str, Any]]
    new: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Impact:
    """All that one judgement would change."""

    act: Act
    a: str
    b: str
    differences: Sequence[Difference]
    answers: Sequence[Answer]
    asked: int
    """Questions that were asked before and after."""
    left_out: int
    """Touched entities whose own queries were not asked."""

    def plain(self) -> dict[str, Any]:
        """Plain values for JSON."""
        told = [asdict(d) | {"by": d.by} for d in self.differences]
        return {
            "act": self.act,
            "a": self.a,
            "b": self.b,
            "differences": told,
            "scores": [row for row in told if row["what"] == "score"],
            "alerts": [asdict(answer) for answer in self.answers if answer.alert],
            "answers": [asdict(answer) for answer in self.answers if not answer.alert],
            "asked": self.asked,
            "left_out": self.left_out,
        }


def listed(graph: Graph, limit: int = 50) -> list[Doubt]:
    """Undecided pairs with score, reasons and evidence of both sides."""
    return doubts(graph.ledger, limit)


def judge(graph: Graph, a: str, b: str, verdict: Verdict, author: Author) -> int:
    """Commit a person's judgement; returns the commit. Who, when and why stand in it."""
    signed(author)
    return ruled(graph.ledger, a, b, "merge" if verdict == "same" else "part", author).commit(graph.ledger, graph.files)


def judge_loan(graph: Graph, statement: str, key: str, verdict: Verdict, author: Author) -> int:
    """Commit that a loan told without its facility is, or is not, the loan of a key; returns the commit."""
    signed(author)
    return obligations.judge(graph.ledger, graph.files, statement, key, author, same=verdict == "same")


def signed(author: Author) -> None:
    """KgRiskError unless a person and a reason stand behind a judgement."""
    if not author.by.strip() or not author.why.strip():
        raise KgRiskError("a judgement needs who judges and why: give --by NAME and --why TEXT")


def ruled(ledger: Ledger, a: str, b: str, act: Act, author: Author = NOBODY) -> Ruling:
    """The ruling of an act, not yet committed. KgRiskError says why there can be none."""
    if act == "undo":
        return undoing(ledger, a, b)
    known = set(ledger.labels()["id"].to_pylist())
    if unknown := [id for id in (a, b) if id not in known]:
        raise KgRiskError(f"the ledger has no {' and no '.join(unknown)}; take ids from `kgrisk resolve --review`")
    return merging(ledger, a, b, author) if act == "merge" else parting(ledger, a, b, author)


def impact(graph: Graph, a: str, b: str, act: Act = "merge") -> Impact:
    """What a judgement would change: entities, edges, scores, vectors, alerts and answers. Nothing is written."""
    ledger = graph.ledger
    _, at = ledger.instant()
    at = AsOf(valid=at.valid, published=at.published)
    foretold = preview(ledger, ruled(ledger, a, b, act), at)
    ids = list(dict.fromkeys([a, b, *foretold.touched]))
    asked = list(questions(graph.catalog, ids[:TOUCHED], foretold.differences, at))
    with _trial(graph) as trial:
        before = [_rows(trial.store, graph.catalog, name, params, at) for name, params in asked]
        ruled(trial.ledger, a, b, act).commit(trial.ledger, trial.files)
        trial.store.sync(trial.ledger)
        after = [_rows(trial.store, graph.catalog, name, params, at) for name, params in asked]
    answers = [
        _answer(name, params, old, new)
        for (name, params), old, new in zip(asked, before, after, strict=True)
        if old != new
    ]
    return Impact(act, a, b, foretold.differences, answers, len(asked), max(len(ids) - TOUCHED, 0))


Question = tuple[str, Mapping[str, Any]]


def questions(catalog: Catalog, ids: Sequence[str], changed: Sequence[Difference], at: AsOf) -> Iterator[Question]:
    """Every named query with parameters that a change to these ids may touch."""
    for query in catalog:
        needed = {name for name, item in query.inputs.items() if getattr(item, "default", None) is None}
        clocks = {clock.name: at.valid for clock in query.clocks}
        needed -= clocks.keys()
        if not needed:
            yield query.name, clocks
        elif needed == {"id"}:
            yield from ((query.name, {**clocks, "id": id}) for id in ids)
        elif needed == {"a", "b"} and len(ids) > 1:
            yield query.name, {**clocks, "a": ids[0], "b": ids[1]}
        elif needed == {"source", "target"}:
            ends = sorted({(d.id, d.name, d.key.split(" ", 1)[0]) for d in changed if d.what == "edge"})
            for source, relation, target in ends[:TOUCHED]:
                yield query.name, {**clocks, "source": source, "relation": relation, "target": target}


@dataclass
class _Trial:
    """A copy of a ledger with a store of its own, gone at the end."""

    ledger: Ledger
    store: GraphStore
    files: Files
    """Where its manifests go: the graph's own files are read only."""
    folder: TemporaryDirectory[str]

    def __enter__(self) -> _Trial:
        return self

    def __exit__(self, *_: object) -> None:
        self.store.close()
        self.ledger.close()
        self.folder.cleanup()


def _trial(graph: Graph) -> _Trial:
    folder = TemporaryDirectory(prefix="kgrisk-preview-")
    home = Path(folder.name)
    with graph.ledger.lease:  # nobody writes while it is copied
        graph.ledger.place.copy(home / "ledger")
    (home / "files").symlink_to(graph.files.folder.resolve())  # vectors are read from the files, never written
    ledger = Ledger.open(home / "ledger")
    store = open_store(embedded(home / "store"), home)
    store.sync(ledger)
    return _Trial(ledger, store, Files(home / "manifests"), folder)


def _rows(store: GraphStore, catalog: Catalog, name: str, params: Mapping[str, Any], at: AsOf) -> list[dict[str, Any]]:
    return timeless(catalog.run(store, name, params, at, limit=ROWS).to_pylist())


def timeless(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Rows of an answer without when each is known from: that is the moment of the judgement, which is yet to come."""
    return [{name: value for name, value in row.items() if name != "known_from"} for row in rows]


def _answer(
    name: str, params: Mapping[str, Any], old: Sequence[Mapping[str, Any]], new: Sequence[Mapping[str, Any]]
) -> Answer:
    gone = [row for row in old if row not in new]
    return Answer(name, params, name in ALERTS, gone, [row for row in new if row not in old])


# ---- at the prompt


@dataclass(frozen=True, slots=True)
class Reply:
    """What a person typed about a pair."""

    verdict: Verdict | Literal["skip", "quit"]
    why: str = ""


_KEYS: Mapping[str, Verdict | Literal["skip", "quit"]] = {
    "s": "same", "same": "same", "d": "different", "n": "different", "not same": "different", "different": "different",
    "": "skip", "k": "skip", "skip": "skip", "q": "quit", "quit": "quit",
}  # fmt: skip


def read_reply(text: str) -> Literal["same", "different", "skip", "quit"]:
    """The reply that a text typed stands for."""
    found = _KEYS.get(text.strip().lower())
    if found is None:
        raise KgRiskError(f"{text!r} is no reply; type same, different, skip or quit")
    return found


def read_verdict(text: str) -> Verdict:
    """The judgement that a text typed stands for."""
    found = read_reply(text)
    if found in ("same", "different"):
        return found
    raise KgRiskError(f"{text!r} is no judgement; write same or different")


def interview(
    graph: Graph, by: str, tell: Callable[[Doubt], None], ask: Callable[[Doubt], Reply], limit: int = 50
) -> list[dict[str, Any]]:
    """Show the undecided pairs one by one and commit each judgement at once; returns what was judged."""
    done: list[dict[str, Any]] = []
    for doubt in listed(graph, limit):
        tell(doubt)
        reply = ask(doubt)
        if reply.verdict == "quit":
            break
        if reply.verdict == "skip":
            continue
        try:
            commit = judge(graph, doubt.a, doubt.b, reply.verdict, Author(by, reply.why))
        except KgRiskError as error:  # an earlier reply of this sitting may have settled the pair
            done.append({"a": doubt.a, "b": doubt.b, "verdict": reply.verdict, "refused": str(error)})
        else:
            done.append({"a": doubt.a, "b": doubt.b, "verdict": reply.verdict, "commit": commit})
    return done
