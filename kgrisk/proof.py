"""Proof: what stands behind the parts of an explanation, read back from the documents they were found in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from ingest.locate import locate, text_of
from kg.errors import KgRiskError
from kg.files import Files
from kg.ledger import Ledger
from kg.model import AsOf
from kgrisk.evidence import Explainer

CHARS: Final = re.compile(r"(.*chars:)(\d+)-(\d+)")
NOT_LOCATED: Final = "not located"
KEPT: Final = ("document", "title", "locator", "quote", "read_back", "published", "confidence", "claim")


class Proofs:
    """Reads evidence back as it was known to a run; of each statement the claim published last."""

    def __init__(self, ledger: Ledger, files: Files, at: AsOf) -> None:
        self.explainer, self.files = Explainer(ledger, files, at), files
        self._cache = files.folder.parent / "cache"
        self._read: dict[str, dict[str, Any]] = {}
        self._said: dict[str, tuple[str, str]] = {}
        """Of a statement that was read, its value as text and the source that it was read by."""

    def of(self, what: str) -> dict[str, Any]:
        """Document, locator and quote behind an edge or a statement; empty where it is known no more."""
        if what not in self._read:
            try:
                found = self.explainer.explain(what)
            except KgRiskError:
                self._read[what] = {}
            else:
                rows = found.evidence.rows()
                self._read[what] = {name: rows[0][name] for name in KEPT} if rows else {}
                source = str(rows[0]["extractor"]).partition(".")[0] if rows else ""
                self._said[what] = str(found.what["value"]), source
        return dict(self._read[what])

    def part(self, part: Mapping[str, Any], modality: str) -> dict[str, Any]:
        """Document, locator and quote of a part of a value: the words, the box, the seconds or the day itself."""
        if modality in ("image", "audio"):
            where = part["where"] if modality == "audio" else f"page:1 {part['where']}"
            return self._standing(str(part["document"]), where)
        proof = self.of(str(part["statement"]))
        return proof if modality == "series" or not proof else self._narrowed(proof, part)

    def _standing(self, document: str, where: str) -> dict[str, Any]:
        """What can be read or heard there; a place without words is a place all the same."""
        try:
            quote, note = locate(self.files.get(document), where, "", self._cache), ""
        except KgRiskError as error:
            quote, note = "", str(error)
        return {"document": document, "locator": where, "quote": quote, "read_back": bool(quote), "note": note}

    def _narrowed(self, proof: dict[str, Any], part: Mapping[str, Any]) -> dict[str, Any]:
        """The place of the words alone: within the span of text that the claim names, else wherever the document has
        them. The claim's own place where that is no span of text but holds them; marked where nothing has them."""
        value, source = self._said[str(part["statement"])]
        words, first = str(part["words"]), int(str(part["where"]).removeprefix("chars:").partition("-")[0])
        quote, match = str(proof["quote"]), CHARS.fullmatch(str(proof["locator"]))
        at = span(quote, value, words, first)
        if at and match and int(match[3]) - int(match[2]) == len(quote):
            start, end = (int(match[2]) + place for place in at)
            return {**proof, "locator": f"{match[1]}{start}-{end}", "quote": quote[slice(*at)]}
        return {**proof, "within": list(at)} if at else self._in_document(proof, source, (value, words, first))

    def _in_document(self, proof: dict[str, Any], source: str, said: tuple[str, str, int]) -> dict[str, Any]:
        """The same where the claim quotes something else, such as the headline above the words."""
        try:
            content = self.files.get(str(proof["document"]))
            if at := span(text_of(content, source), *said):
                where = f"chars:{at[0]}-{at[1]}"
                return {**proof, "locator": where, "quote": locate(content, where, source), "read_back": True}
        except KgRiskError:  # a document that has no text has no words either
            pass
        return {**proof, "read_back": False, "note": NOT_LOCATED}


def span(text: str, value: str, words: str, first: int) -> tuple[int, int] | None:
    """Where the words that begin at `first` of a value stand in a text, white space aside; None if they do not.

    They are looked for within the value where the text has it whole; a word alone counts elsewhere only if it is the
    only one of its kind, as any other may be said of something else.
    """
    if not words.strip():
        return None
    pieces = value[:first], words, value[first + len(words) :]
    if pieces[0] + words + pieces[2] == value and (
        match := re.search("({})({})({})".format(*map(_loose, pieces)), text)
    ):
        return match.span(2)
    found = [match.span() for match in re.finditer(rf"(?<!\w){_loose(words)}(?!\w)", text)]
    return found[0] if len(found) == 1 or (found and len(words.split()) > 1) else None


def _loose(words: str) -> str:
    """A pattern of the words with any white space between them, and at their ends where they have some."""
    return r"\s+".join(re.escape(piece) for piece in re.split(r"\s+", words))
