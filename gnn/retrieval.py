"""Search across text, page images, recordings and tables, each hit with the document and the place where it stands.

One question in words is compared with everything in the index of `gnn.crosslingual`; a page or a stretch of a recording
can be the question as well. The search is exact: every vector is compared, none is left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import torch

from gnn.contrastive import Space
from gnn.encoders.table import COLUMNS
from gnn.things import IMAGES, MODEL, encoders
from kg.errors import ModelError
from kg.files import Files
from kg.model import AsOf
from kg.snapshot import Snapshot
from kg.vectors import Vectors

TEXT_FACTS: Final = ("caption", "title", "name", "description", "text")


class Readable(Protocol):
    """What a ledger offers here."""

    def view(self, at: AsOf) -> Snapshot: ...

    def alive(self, commit: int | None = None) -> pa.Table: ...


@dataclass(frozen=True)
class Hit:
    """One answer of a search."""

    id: str
    label: str
    modality: str
    document: str
    """sha256 of the file that it stands in."""
    locator: str
    """Where in it, as `ingest.locate` reads it back."""
    quote: str
    score: float
    """Cosine with the question."""
    probability: float | None = None
    """That question and hit belong together, where the space was calibrated on such pairs."""


@torch.no_grad()
def asked(modality: str, content: str | bytes, space: Space | None = None) -> list[float]:
    """The vector of a question: words, the bytes of an image, or those of a recording. ModelError if it is none."""
    known = encoders()
    if modality not in known:
        raise ModelError(f"a question is of {', '.join(sorted(known))}, not of {modality!r}")
    if modality != "text" and space is None:
        raise ModelError(f"a question by {modality} needs a shared space; train one first (gnn.retrieval)")
    vector = known[modality].encode([content])
    placed_at = vector if modality == "text" or space is None else space(modality, vector)
    return [float(x) for x in placed_at[0]]


class Index:
    """Every vector of the index at an instant, with what it is of; searched exactly."""

    def __init__(self, ledger: Readable, files: Files, at: AsOf = AsOf()) -> None:
        self._alive, snapshot = ledger.alive(), ledger.view(at)
        facts = snapshot.facts_of("embedding")
        facts = facts.filter(pc.match_substring_regex(facts["key"], f"^{MODEL}([.]|$)"))
        rows = facts.select(["subject", "key", "value_text"]).to_pylist()
        self._snapshot = snapshot
        self.subjects = [int(row["subject"]) for row in rows]
        self.keys = [str(row["key"]) for row in rows]
        self.modalities = [modality_of(key) for key in self.keys]
        held = Vectors(files).rows([str(row["value_text"]) for row in rows])
        self.matrix = np.stack(held) if held else np.zeros((0, 1), np.float32)
        lengths = np.linalg.norm(self.matrix, axis=1, keepdims=True)
        self.matrix = (self.matrix / np.where(lengths > 0, lengths, 1)).astype(np.float32)

    def __len__(self) -> int:
        return len(self.subjects)

    def search(
        self, vector: Sequence[float], k: int = 10, labels: Sequence[str] = (), modalities: Sequence[str] = ()
    ) -> list[Hit]:
        """The k nearest of these labels and modalities (all, if none is named), best first, with their evidence."""
        wanted = np.asarray(vector, dtype=np.float64)
        if not len(self):
            raise ModelError("the index is empty; run `kgrisk index` first")
        if wanted.shape != (self.matrix.shape[1],) or not np.isfinite(wanted).all() or not wanted.any() or k < 1:
            raise ModelError(
                f"search needs k >= 1 and a vector of {self.matrix.shape[1]} finite numbers that are not all 0; got "
                f"k={k} and shape {wanted.shape}"
            )
        score = self.matrix @ (wanted / np.linalg.norm(wanted))
        open_ = [row for row in range(len(self)) if self._fits(row, labels, modalities)]
        best = sorted(open_, key=lambda row: (-score[row], self.subjects[row], self.keys[row]))[:k]
        return [self._hit(row, float(score[row])) for row in best]

    def _fits(self, row: int, labels: Sequence[str], modalities: Sequence[str]) -> bool:
        label = self._snapshot.labels[self.subjects[row]]
        return (not labels or label in labels) and (not modalities or self.modalities[row] in modalities)

    def _hit(self, row: int, score: float) -> Hit:
        subject, modality, snapshot = self.subjects[row], self.modalities[row], self._snapshot
        where = self.keys[row].partition("|")[2]
        claim = self._stands(subject, modality, where)
        return Hit(
            snapshot.ids[subject], snapshot.labels[subject], modality,
            str(claim["document"]), str(claim["locator"]), str(claim["quote"]), score,
        )  # fmt: skip

    def _stands(self, subject: int, modality: str, where: str) -> Mapping[str, Any]:
        """The oldest claim that says what was found."""
        if modality == "table":
            return self._oldest(
                pc.equal(self._alive["document"], self._snapshot.ids[subject].removeprefix("doc:")), COLUMNS
            )
        names = ("segment",) if where else IMAGES if modality == "image" else TEXT_FACTS
        facts = self._snapshot.facts
        own = facts.filter(pc.and_(pc.equal(facts["subject"], subject), pc.is_in(facts["property"], pa.array(names))))
        if where:
            own = own.filter(pc.equal(own["key"], where))
        return self._oldest(pc.is_in(self._alive["statement"], own["statement"].combine_chunks()), names)

    def _oldest(self, chosen: Any, names: Sequence[str]) -> Mapping[str, Any]:
        own = self._alive.filter(pc.and_(chosen, pc.is_in(self._alive["name"], pa.array(names))))
        found = own.sort_by([("published", "ascending"), ("claim", "ascending")]).slice(0, 1).to_pylist()
        return found[0] if found else {"document": "", "locator": "", "quote": ""}


def belonging(hits: Sequence[Hit], asked_in: str, space: Space) -> list[Hit]:
    """The same hits with the probability that they and a question of this modality belong together."""
    return [replace(hit, probability=space.probability(asked_in, hit.modality, hit.score)) for hit in hits]


def modality_of(key: str) -> str:
    """`image` of `usem3.image`; text where the key says none."""
    return key.partition("|")[0].removeprefix(MODEL).removeprefix(".") or "text"
