"""Asking: a question to a file, to one document of the ledger, or to the evidence of the whole ledger."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
from rapidfuzz import fuzz

from ingest.extract.text.names import collapse
from kg.errors import KgRiskError, RecordError
from kg.files import Files
from kg.ledger import Ledger
from kg.model import EVER, OWN, AsOf, as_time, iso, sources_of
from kgrisk.answers import Answer, Vectors, answers, nearest, shared, topic, words
from kgrisk.extras import need
from kgrisk.passages import Passage, passages_of_file, places
from kgrisk.result import Result

LIKELY: Final = 2000
"""Quotes of the whole ledger whose words are weighed, those that share most with the question."""
OPENED: Final = 4
"""Documents read through for an answer to a question to the whole ledger."""
READ: Final = 40
"""Passages of these whose meaning is compared: vectors are what takes the time of an answer."""
HEARD: Final = 80.0
"""Least likeness, of 100, of a name in a question and in a passage: recordings are misheard by a letter or two."""
COLUMNS: Final = pa.schema(
    [
        *((name, pa.string()) for name in ("document", "title", "locator")),
        *((name, pa.float64()) for name in ("start", "end")),
        ("quote", pa.string()),
        ("score", pa.float64()),
        ("speaker", pa.string()),
        ("says", pa.list_(pa.string())),
        *((name, pa.string()) for name in ("source", "published")),
    ]
)


def ask_file(question: str, path: Path, most: int = 3, cache: Path | None = None) -> Result:
    """Answers out of a file that need be in no ledger."""
    return told(question, answers(question, passages_of_file(path, cache), encode(), most), str(path))


def encode() -> Vectors:
    """Sentence vectors; they are kept nowhere, so that nobody's sentence outlives its erasure."""
    encoder = need("gnn.encoders.text", "learn").Text()
    cache = need("gnn.encoder", "learn").VectorCache(None)
    return lambda texts: [None if v is None else v.numpy() for v in cache.vectors(encoder, texts)]


def told(question: str, found: Sequence[Answer], where: str) -> Result:
    """Answers as a table; where there is none, a remark that says so."""
    rows = [row(answer) for answer in found]
    remarks = () if rows else (f"nothing in {where} answers that: {question}",)
    return Result(pa.Table.from_pylist(rows, schema=COLUMNS), "answers", remarks)


def row(answer: Answer) -> dict[str, Any]:
    passage, seconds = answer.passage, answer.seconds or (None, None)
    kept = ("document", "title", "locator", "quote", "speaker", "source", "published")
    says = {"says": list(passage.says), "score": answer.score, "start": seconds[0], "end": seconds[1]}
    return {name: getattr(passage, name) for name in kept} | says


def extract_lines(row: Mapping[str, Any]) -> Iterator[str]:
    """An answer for people, line by line."""
    when = "" if row["start"] is None else f", second {row['start']:.2f}"
    who = f" {row['speaker']}:" if row["speaker"] else ""
    yield f"{row['score']:.2f}{who} {row['quote']}"
    yield f"     {row['title'] or 'document'} {row['document'][:12]} {row['locator']}{when}"
    yield from (f"     states {said}" for said in row["says"])


class Asking:
    """Questions to a ledger at an instant."""

    def __init__(self, ledger: Ledger, files: Files, at: AsOf = AsOf()) -> None:
        self.files = files
        self.cache = files.folder.parent / "cache"
        rows = ledger.alive(ledger.commit_at(at.known))
        # what the engine said itself can be explained, but is no evidence of the world
        source = sources_of(rows["extractor"])
        rows = rows.append_column("source", source)
        public = pc.less_equal(rows["published"], pa.scalar(as_time(at.published or EVER), rows["published"].type))
        self.rows = rows.filter(pc.and_(public, pc.invert(pc.is_in(source, pa.array(OWN)))))

    def ask(self, question: str, document: str = "", most: int = 3, naming: Sequence[str] = ()) -> Result:
        """The answers, best first; `document` is its sha256 or how that begins. KgRiskError if it is unknown.

        Without a document only passages count that have all the names in `naming`, in their words or their title.
        """
        if document:
            name = self._document(document)
            found, where = answers(question, self._passages(name), encode(), most), f"document {name[:12]}"
        else:
            passages = self._likely(question, naming)
            found, where = answers(question, passages, encode(), most) if passages else [], "the ledger"
        return told(question, [self._with_claims(answer) for answer in found], where)

    def _likely(self, question: str, naming: Sequence[str]) -> list[Passage]:
        """Passages of the documents whose quotes share most words with the question."""
        if not words(question):
            raise KgRiskError(f"{question!r} asks for nothing; write a question of some words")
        quotes = nearest(topic(question), self._quotes(question), LIKELY)
        shares = shared(topic(question), [words(quote.quote) for quote in quotes])
        order = sorted(range(len(quotes)), key=lambda row: (-shares[row], quotes[row].document, quotes[row].locator))
        titles: dict[str, str] = {}
        best = list[str]()
        for row in order:
            name = quotes[row].document
            if name not in titles:
                titles[name] = self._title(name) if naming else ""
                if len(best) < OPENED and (not naming or named(naming, f"{titles[name]} {self._words(name)}")):
                    best.append(name)
        found = [passage for name in best for passage in self._passages(name)]
        kept = [p for p in found if named(naming, f"{p.title} {p.quote}")]
        return nearest(topic(question), kept, READ)

    def _words(self, name: str) -> str:
        """All that is quoted of a document."""
        return " ".join(self.rows.filter(pc.equal(self.rows["document"], name))["quote"].to_pylist())

    def _document(self, document: str) -> str:
        start = document.removeprefix("doc:")
        names = {str(name) for name in pc.unique(self.rows["document"]).to_pylist() if name.startswith(start)}
        if len(names) != 1 or len(start) < 6:
            raise KgRiskError(
                f"{document}: {len(names)} documents of the ledger begin so; give a file, or six or more characters of "
                "the sha256 that `kgrisk explain` and `kgrisk search` show"
            )
        return names.pop()

    def _passages(self, name: str) -> list[Passage]:
        """All that can be quoted of a document: its sentences, or the quotes of its claims."""
        own = self.rows.filter(pc.equal(self.rows["document"], name))
        head = own.slice(0, 1).to_pylist()[0]
        try:
            read = places(self.files.get(name), head["source"], self.cache) if name in self.files else []
        except RecordError:
            read = []
        read = read or sorted(set(zip(own["locator"].to_pylist(), own["quote"].to_pylist(), strict=True)))
        title, when = self._title(name), iso(head["published"])
        return [Passage(name, where, quote, head["source"], title, when) for where, quote in read]

    def _quotes(self, question: str) -> list[Passage]:
        """Quotes of the whole ledger that share words with the question, those that share most."""
        kept = self.rows.group_by(["document", "locator"]).aggregate([("quote", "min"), ("source", "min")])
        quotes = kept["quote_min"]
        hits = [pc.match_substring(quotes, _stem(word), ignore_case=True).cast(pa.int8()) for word in words(question)]
        counts = hits[0] if hits else pa.nulls(len(kept), pa.int8())
        for more in hits[1:]:
            counts = pc.add(counts, more)
        kept = kept.append_column("hits", counts).filter(pc.greater(counts, 0))
        order = [("hits", "descending"), ("document", "ascending"), ("locator", "ascending")]
        rows = kept.sort_by(order).slice(0, LIKELY).to_pylist()
        return [Passage(r["document"], r["locator"], r["quote_min"], r["source_min"]) for r in rows]

    def _title(self, name: str) -> str:
        for property in ("title", "form", "url"):
            of = pc.and_(pc.equal(self.rows["subject"], f"doc:{name}"), pc.equal(self.rows["name"], property))
            if texts := self.rows.filter(of)["value_text"].to_pylist():
                return collapse(str(texts[0]))
        return ""

    def _with_claims(self, answer: Answer) -> Answer:
        """The answer with what the claims at its place state, and whose voice it is."""
        passage = answer.passage
        own = self.rows.filter(pc.equal(self.rows["document"], passage.document)).to_pylist()
        here = [claim for claim in own if touches(claim["locator"], passage.locator)]
        says = sorted({_said(claim) for claim in here if claim["kind"] == "edge" and claim["name"] != "MENTIONED_IN"})
        voices = sorted({claim["value_text"] for claim in here if claim["name"] == "speaker"})
        return Answer(replace(passage, says=tuple(says), speaker=", ".join(voices)), answer.score)


def named(names: Sequence[str], text: str) -> bool:
    """True if a text has all the names, as written or nearly."""
    folded = text.casefold()
    return all(fuzz.partial_ratio(name.casefold(), folded) >= HEARD for name in names)


def touches(a: str, b: str) -> bool:
    """True if two places have a stretch of characters or seconds in common, or are the same."""
    first, second = (_STRETCH.fullmatch(where) for where in (a, b))
    if not first or not second or first[1] != second[1]:
        return a == b
    return float(first[2]) < float(second[3]) and float(second[2]) < float(first[3])


_STRETCH: Final = re.compile(r"(.*\b(?:chars|time):)(\d+(?:\.\d+)?)-(\d+(?:\.\d+)?)")


def _said(claim: Mapping[str, Any]) -> str:
    amount = f" {claim['value_decimal']:,.0f} {claim['unit']}" if claim["value_decimal"] is not None else ""
    return f"{claim['subject']} -{claim['name']}-> {claim['object']}{amount}"


def _stem(word: str) -> str:
    """The beginning that forms of the word have in common."""
    return word[: max(4, int(0.65 * len(word)))]
