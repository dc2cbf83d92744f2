"""Answered: what is said to a question, with the claims behind every sentence; or why nothing is, and whom to ask."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from kgrisk.questions.cited import Cited

Reason = Literal["", "unknown entity", "ambiguous entity", "no such fact", "not covered"]
NOT: Final = "not in the graph"


@dataclass(frozen=True)
class Answered:
    """An answer, or none with its reason."""

    question: str
    kind: str
    sentences: tuple[Cited, ...]
    evidence: Mapping[str, list[dict[str, Any]]] = field(default_factory=dict)
    """The claims behind each statement."""
    entities: tuple[dict[str, Any], ...] = ()
    clocks: Mapping[str, str] = field(default_factory=dict)
    commit: int = 0
    query: Mapping[str, Any] = field(default_factory=dict)
    """The named query that gives the rows behind it, and its parameters."""
    reason: Reason = ""
    note: str = ""
    """What exactly is missing, and what to do next; of an answer, who is called otherwise in it."""
    more: int = 0
    """Sentences left out."""
    reworded: str = ""
    """The answer in the words of a language model, where one was asked and everything it said stood."""

    @property
    def abstained(self) -> bool:
        return not self.sentences

    def case(self) -> dict[str, Any]:
        """What an analyst is handed where nothing could be said."""
        ids = [entity["id"] for entity in self.entities]
        return {"title": self.question, "entities": ids, "reason": self.reason, "note": self.note}

    def to_dict(self) -> dict[str, Any]:
        """All of it, every sentence with its statements and their claims."""
        told: dict[str, Any] = {"question": self.question, "kind": self.kind, "abstained": self.abstained}
        told["sentences"] = [self._sentence(said) for said in self.sentences]
        told |= {"more": self.more, "entities": list(self.entities), "query": dict(self.query)}
        told |= {"note": self.note, "clocks": dict(self.clocks), "commit_of": self.commit, "reworded": self.reworded}
        if self.abstained:
            told |= {"answer": NOT, "reason": self.reason, "hand_to": "an analyst"}
            told["case"] = self.case()
        return told

    def _sentence(self, said: Cited) -> dict[str, Any]:
        claims = [{"statement": one, **claim} for one in said.statements for claim in self.evidence.get(one, ())[:1]]
        return {"text": said.text, "statements": list(said.statements), "claims": [*claims, *said.places]}

    def lines(self) -> Iterator[str]:
        """For people, line by line."""
        if self.abstained:
            yield f"{NOT}: {self.note}"
            yield "  hand it to an analyst: the same with `--hand-over YOUR_NAME` opens a case"
            return
        if self.note:
            yield f"({self.note})"
        if self.reworded:
            yield f"{self.reworded} (reworded by a language model; below is what is cited)"
        for said in self._sentence_rows():
            yield said["text"]
            for claim in said["claims"]:
                mark = f"statement {claim['statement']}, " if "statement" in claim else ""
                yield f"     {mark}{claim['document'][:12]} {claim['locator']}: {claim['quote'][:160]}"
        if self.more:
            yield f"  and {self.more} more sentences" + (f": `kgrisk query {self.query['name']}`" if self.query else "")

    def _sentence_rows(self) -> Iterator[dict[str, Any]]:
        return (self._sentence(said) for said in self.sentences)
