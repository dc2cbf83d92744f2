"""The router: from a question in English to a kind with typed slots, to sentences that cite, or to `not in the graph`.

What no kind covers goes to the passages of documents; a passage is quoted only if it names whom the question names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from ingest.match import full, plain
from kg.errors import KgRiskError, MissingExtraError
from kg.model import AsOf
from kgrisk.answering import Asking
from kgrisk.answers import same, words
from kgrisk.opened import Opened
from kgrisk.questions.answered import Answered, Reason
from kgrisk.questions.cited import Cited, behind
from kgrisk.questions.clock_words import Times, times
from kgrisk.questions.counting import ENDS, count
from kgrisk.questions.finders import FINDERS
from kgrisk.questions.kinds import KINDS, Kind
from kgrisk.questions.linking import Linked, Names
from kgrisk.questions.scene import MOST, Scene
from kgrisk.questions.vocabulary import FIGURES
from kgrisk.questions.wanted import counts, listing, one
from kgrisk.serve.view import View
from kgrisk.shown import EVERYTHING, shown

EXTRACTS: Final = 3
SEVERAL: Final = "one was asked for; several are equal, or their amounts are in more than one currency"


@dataclass(frozen=True)
class Read:
    """A question as it was read."""

    question: str
    times: Times
    linked: Linked
    view: View


def answer(graph: Opened, question: str, at: AsOf, view: View | None = None) -> Answered:
    """The answer at an instant. KgRiskError for a question of no words."""
    if not any(letter.isalnum() for letter in question):
        raise KgRiskError(f"{question!r} asks for nothing; write a question of some words")
    said = times(question)
    now = said.at(at, valid=False)
    if view is None or now != at:
        view = View(graph.snapshot(now))
    names = Names(view)
    read = Read(question, said, names.read(said.rest), view)
    kind, slots = _kind(listing(read.linked.text))
    if read.linked.ambiguous and kind:
        return _ambiguous(read, kind)
    if kind is None or (read.linked.unknown and not slots):
        return _from_passages(graph, read, names, now)
    if read.linked.unknown:
        return _unknown(read, names, kind.name)
    if counts(read.linked.text) and kind.name not in ENDS:
        return _none(read, kind.name, "not covered", f"nothing is counted but {', '.join(ENDS)}; ask which there are")
    return _found(graph, read, kind, slots, at)


def _kind(text: str) -> tuple[Kind | None, Mapping[str, str]]:
    """The first kind that understands every word."""
    for kind in KINDS:
        if (slots := kind.match(text)) is not None:
            return kind, slots
    return None, {}


def _found(graph: Opened, read: Read, kind: Kind, slots: Mapping[str, str], at: AsOf) -> Answered:
    """What the finder of a kind says."""
    ids, view = read.view.snapshot.ids, read.view
    rows = {slot: read.linked.rows[int(mark[1:]) - 1] for slot, mark in slots.items() if mark and slot in "ab"}
    if kind.time == "instant" and read.times.until:
        view = View(graph.snapshot(read.times.at(at, valid=True)))
        gone = [ids[row] for row in rows.values() if ids[row] not in view.snapshot.index]
        if gone:
            when = f"{view.snapshot.at.valid:%Y-%m-%d}"
            return _none(read, kind.name, "no such fact", f"{', '.join(gone)} is not in the graph at {when}")
        rows = {slot: view.snapshot.index[ids[row]] for slot, row in rows.items()}
    figure = FIGURES.get(slots.get("figure") or "", "")
    scene = Scene(graph, view, read.times, read.linked.text, rows.get("a", -1), rows.get("b", -1), figure)
    found = count(scene, kind.name) if counts(scene.text) else FINDERS[kind.name](scene)
    if not found:
        return replace(_none(read, kind.name, "no such fact", _missing(kind, view, rows)), **_asked(view, rows, kind))
    kept = tuple(found[:MOST])
    evidence = behind(graph.ledger, view.snapshot.at, kept)
    note = "; ".join(filter(None, (_renamed(read), SEVERAL if one(scene.text) and len(found) > 1 else "")))
    more = {"evidence": evidence, "more": len(found) - len(kept), "note": note, **_asked(view, rows, kind)}
    return Answered(read.question, kind.name, kept, **more)


def _asked(view: View, rows: Mapping[str, int], kind: Kind) -> dict[str, Any]:
    """Whom and when an answer is of."""
    entities = tuple(view.entity(row) for row in rows.values())
    query = {}
    if kind.query:
        params = {"a": "a", "b": "b"} if "b" in rows else {"a": "id"}
        query = {"name": kind.query, "parameters": {params[s]: view.snapshot.ids[row] for s, row in rows.items()}}
    return {"entities": entities, "query": query, "clocks": view.clocks, "commit": view.snapshot.commit}


def _renamed(read: Read) -> str:
    """Who is called otherwise in the answer than in the question."""
    pairs = zip(read.linked.texts, read.linked.rows, strict=True)
    named = [(text, read.view.snapshot.names[row]) for text, row in pairs]
    return "; ".join(f"{text} is {name} here" for text, name in named if not full(name).startswith(plain(text)))


def _missing(kind: Kind, view: View, rows: Mapping[str, int]) -> str:
    who = " and ".join(view.snapshot.names[row] for row in rows.values()) or "anybody"
    public = shown(view.clocks)["published"]
    when = f"valid {view.clocks['valid'][:10]}, {public if public == EVERYTHING else f'published by {public[:10]}'}"
    hint = "; say since when, such as `since 2023-01-01`" if kind.name == "changed" else ""
    return (
        f"{who} {'is' if len(rows) < 2 else 'are'} known, but no statement tells ({kind.tells.lower()}; {when}){hint}"
    )


def _none(read: Read, kind: str, reason: Reason, note: str) -> Answered:
    """No answer."""
    s = read.view.snapshot
    rows = dict.fromkeys(row for row in read.linked.rows if row >= 0)
    entities = tuple(read.view.entity(row) for row in rows)
    return Answered(
        read.question, kind, (), entities=entities, clocks=read.view.clocks, commit=s.commit, reason=reason, note=note
    )


def _unknown(read: Read, names: Names, kind: str = "") -> Answered:
    told = []
    for text in read.linked.unknown:
        near = ", ".join(f"{read.view.snapshot.names[row]} ({read.view.snapshot.ids[row]})" for row in names.near(text))
        told.append(f"nobody is called {text!r}" + (f"; near: {near}" if near else ""))
    return _none(read, kind, "unknown entity", "; ".join(told))


def _ambiguous(read: Read, kind: Kind) -> Answered:
    s = read.view.snapshot
    told = [
        f"{text!r} is {' or '.join(f'{s.names[row]} ({s.ids[row]})' for row in rows)}; ask with the id"
        for text, rows in read.linked.ambiguous.items()
    ]
    return _none(read, kind.name, "ambiguous entity", "; ".join(told))


def _from_passages(graph: Opened, read: Read, names: Names, at: AsOf) -> Answered:
    """Quotes out of documents that name whom the question names."""
    wanted = [*read.linked.unknown, *(_called(read, row) for row in dict.fromkeys(read.linked.rows) if row >= 0)]
    try:
        rows = Asking(graph.ledger, graph.files, at).ask(read.question, "", EXTRACTS, wanted).rows()
    except MissingExtraError as error:
        return _none(read, "", "not covered", f"no kind of question covers it, and passages are not searched: {error}")
    kept = [row for row in rows if not wanted or _supported(read, row["quote"])]
    if not kept:
        if read.linked.unknown:
            return _unknown(read, names)
        note = "no kind of question covers it and no passage answers it; kinds: " + ", ".join(k.name for k in KINDS)
        return _none(read, "", "not covered", note)
    place = ("document", "locator", "quote", "published", "source", "title", "says", "speaker", "start", "end", "score")
    said = tuple(Cited(row["quote"], (), ({part: row[part] for part in place},)) for row in kept)
    s = read.view.snapshot
    own = tuple(read.view.entity(row) for row in dict.fromkeys(read.linked.rows) if row >= 0)
    return Answered(read.question, "passages", said, entities=own, clocks=read.view.clocks, commit=s.commit)


def _supported(read: Read, quote: str) -> bool:
    """True if a passage has every telling word of a question in some form: likeness alone would answer anything."""
    names = words(" ".join(read.linked.texts))
    asked, said = words(read.times.rest) - names, words(quote)
    return bool(asked) and all(any(same(word, other) for other in said) for word in asked)


def _called(read: Read, row: int) -> str:
    """The name of an entity without its legal form, as texts have it."""
    return plain(read.view.snapshot.names[row])
