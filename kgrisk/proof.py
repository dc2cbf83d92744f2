"""Proof: what stands behind the parts of an explanation, read back from the documents they were found in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from ingest.locate import locate
from kg.errors import KgRiskError
from kg.files import Files
from kg.ledger import Ledger
from kg.model import AsOf
from kgrisk.evidence import Explainer

CHARS: Final = re.compile(r"(.*chars:)(\d+)-(\d+)")
KEPT: Final = ("document", "title", "locator", "quote", "read_back", "published", "confidence", "claim")


class Proofs:
    """Reads evidence back as it was known to a run; of each statement the claim published last."""

    def __init__(self, ledger: Ledger, files: Files, at: AsOf) -> None:
        self.explainer, self.files = Explainer(ledger, files, at), files
        self._cache = files.folder.parent / "cache"
        self._read: dict[str, dict[str, Any]] = {}

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
        return dict(self._read[what])

    def part(self, part: Mapping[str, Any], modality: str) -> dict[str, Any]:
        """Document, locator and quote of a part of a value: the words, the box, the seconds or the day itself."""
        if modality in ("image", "audio"):
            where = part["where"] if modality == "audio" else f"page:1 {part['where']}"
            return self._standing(str(part["document"]), where)
        proof = self.of(str(part["statement"]))
        return proof if modality == "series" or not proof else self._narrowed(proof, str(part["words"]))

    def _standing(self, document: str, where: str) -> dict[str, Any]:
        """What can be read or heard there; a place without words is a place all the same."""
        try:
            quote, note = locate(self.files.get(document), where, "", self._cache), ""
        except KgRiskError as error:
            quote, note = "", str(error)
        return {"document": document, "locator": where, "quote": quote, "read_back": bool(quote), "note": note}

    def _narrowed(self, proof: dict[str, Any], words: str) -> dict[str, Any]:
        """The place of the words alone where the claim's place is a span of text, else the claim's own place."""
        at, match = str(proof["quote"]).find(words), CHARS.fullmatch(str(proof["locator"]))
        if at < 0 or not match or int(match[3]) - int(match[2]) != len(proof["quote"]):
            return {**proof, "within": [at, at + len(words)] if at >= 0 else None}
        start = int(match[2]) + at
        where = f"{match[1]}{start}-{start + len(words)}"
        return {**proof, "locator": where, "quote": words}
