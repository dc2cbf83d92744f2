"""Recorded: a run of the engine as a document of the graph, which says what was asked and of which commit.

Its document is its manifest, whose `rows` are the words of its claims: the locator `run:<id> row:<n>` of each leads to
its quote. What a run says of itself stands in scores, so that it is no publication of a source and teaches no model.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kg.model import Claim, Evidence, Facts, Node, RunManifest, Value
from kg.snapshot import Snapshot

SHORT = 12
"""Digits of a run's id in keys, enough to name it."""


def asking(kind: str, name: str, question: Mapping[str, Any], commit: int) -> str:
    """The row of a manifest that tells what was asked."""
    return f"{kind} run: {name} of commit {commit}, asked {told(question)}"


def told(question: Mapping[str, Any]) -> str:
    """A question as JSON of one line."""
    return json.dumps(question, sort_keys=True, ensure_ascii=False)


@dataclass(frozen=True)
class Recorded:
    """A run whose manifest is kept, about to be told in claims."""

    run: RunManifest
    """Its id is the document of the claims: the manifest is kept by that digest."""
    name: str
    """What was computed: a measure, a figure."""
    snapshot: Snapshot
    """What it was asked of."""

    @property
    def short(self) -> str:
        """First digits of its id, which keys of its claims start with."""
        return self.run.id[:SHORT]

    @property
    def id(self) -> str:
        """The node of the run's document."""
        return f"doc:{self.run.id}"

    def claim(self, what: Node | Facts, row: int) -> Claim:
        """A claim in the words of a row of the manifest."""
        quote = str(self.run.details["rows"][row])
        at = self.snapshot.at
        evidence = Evidence(self.run.id, f"run:{self.run.id} row:{row}", quote, f"risk.{self.name}@1", 1.0)
        # made from what was public then: nobody who asks as of an earlier date may see it
        return Claim(what, evidence, min(m for m in (at.known, at.published) if m is not None), at.valid)

    def of(self, id: str, values: Mapping[str, Value], key: str, row: int) -> Claim:
        """A claim about an entity that the ledger has already: a run has nothing to say of what it is."""
        return self.claim(Facts(id, values, key), row)

    def itself(self, question: Mapping[str, Any], row: int) -> list[Claim]:
        """The claims by which the graph knows the run: that it is, what was asked, and of which commit."""
        asked: dict[str, Value] = {"run_question": told(question), "run_commit": self.snapshot.commit}
        node = self.claim(Node("Document", self.id, {"run": self.name}, self.run.kind), row)
        return [node, self.of(self.id, asked, "", row)]
