"""The no-peek certificate: scores at a date do not move when everything published after it is made up anew.

A copy of the ledger is written in which each claim published after the date has another value, other ends, another
type, other words, another picture, another day and another moment of publication; the scores are made once more with
the same seed. If one bit of them moved, something read what nobody could have known. That they did not move proves it
for this ledger and this code, at the scale at which it was run; it cannot see a leak through what was published by the
date itself, such as a text written with hindsight. Identity is the exception, here as everywhere: which names are one
firm is taken as judged today, so these judgements stay as they are.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, Protocol, runtime_checkable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kg.errors import ModelError
from kg.files import Files
from kg.ledger import Ledger
from kg.model import SCHEMA, AsOf, ClaimBatch, RunManifest, as_time, digest, iso
from kg.ontology import EDGES, PROPERTIES
from kg.snapshot import Snapshot
from kg.validate import violations

WORDS: Final = (
    "grey",
    "harbour",
    "seven",
    "default",
    "profit",
    "fraud",
    "growth",
    "merger",
    "calm",
    "storm",
    "payment",
)
IDENTITY: Final = ("same", "not_same", "same_edge", "not_same_edge")
"""Kinds of claims that say what is one and the same."""
FREE: Final = ("title", "name", "description", "text")
"""Properties whose words are free; other texts are codes, and are dealt out anew among the values seen."""


@runtime_checkable
class Readable(Protocol):
    """What a ledger offers here."""

    def view(self, at: AsOf) -> Snapshot: ...

    def alive(self, commit: int | None = None) -> pa.Table: ...

    def labels(self) -> pa.Table: ...


Scores = Mapping[str, bytes]
"""What was scored at the date, by what it is: links, distress, vectors."""
Scoring = Callable[[Readable, Files], Scores]
"""Reads a ledger and its files, scores at the date, and gives the same bytes for the same scores."""


@dataclass(frozen=True)
class Certificate:
    """What stayed as it was, and how much was changed to see it."""

    cut: str
    seed: int
    scale: str
    """How large the scoring was that was repeated."""
    changed: int
    """Claims published after the date, all made up anew."""
    kept: int
    """Claims published by the date, as they were."""
    before: Mapping[str, str]
    """Digest of each kind of score."""
    after: Mapping[str, str]

    @property
    def moved(self) -> list[str]:
        """Kinds of scores that are no longer the same."""
        return sorted(name for name in {*self.before, *self.after} if self.before.get(name) != self.after.get(name))

    @property
    def holds(self) -> bool:
        return not self.moved

    def to_dict(self) -> dict[str, Any]:
        """The certificate as it stands in a manifest."""
        return asdict(self) | {"holds": self.holds}

    def remark(self) -> str:
        """The certificate in words."""
        how = f"{self.scale} scale, seed {self.seed}"
        said = f"{self.changed} claims published after {self.cut[:10]} were made up anew ({how})"
        if not self.changed:
            return f"No-peek certificate: nothing was published after {self.cut[:10]}, so it says nothing."
        if self.holds:
            return f"No-peek certificate: {said}; every score at the cut stayed the same to the last bit."
        return f"No-peek certificate REFUSED: {said}; {', '.join(self.moved)} moved, so something reads the future."


def certificate(
    score: Scoring, ledger: Readable, files: Files, cut: datetime, seed: int = 0, scale: str = "full"
) -> Certificate:
    """Score at a date, make up what was published after it, and score again. ModelError if nothing was scored."""
    cut = as_time(cut)
    before = digests(score(ledger, files))
    if not before:
        raise ModelError("no scores to certify: the scoring gave nothing; give at least one kind of score")
    claims = told(ledger)
    later = pc.greater(claims["published"], pa.scalar(cut, pa.timestamp("us", "UTC")))
    later = pc.and_(later, pc.invert(pc.is_in(claims["kind"], pa.array(IDENTITY))))
    with TemporaryDirectory(prefix="peek-") as folder:
        there = Overlay(Path(folder) / "files", files)
        made = scrambled(claims.filter(later), claims, dict(_pairs(ledger.labels())), there, (cut, seed))
        own = claims.filter(pc.invert(later))
        with Ledger.open(Path(folder) / "ledger") as twin:
            twin.commit(
                ClaimBatch(accepted(pa.concat_tables([own, made]), len(own))), RunManifest("peek", {"seed": seed})
            )
            after = digests(score(twin, there))
    return Certificate(iso(cut), seed, scale, len(made), len(own), before, after)


def digests(scores: Scores) -> dict[str, str]:
    return {name: digest(data) for name, data in sorted(scores.items())}


def told(ledger: Readable) -> pa.Table:
    """Claims alive in the order in which they came in, in SCHEMA."""
    alive = ledger.alive()
    order = [("commit", "ascending")] if "commit" in alive.column_names else []
    ordered = alive.sort_by([*order, ("claim", "ascending")])
    return ordered.select(SCHEMA.names).cast(SCHEMA)


def accepted(claims: pa.Table, sure: int) -> pa.Table:
    """The claims less those after the first `sure` that the ontology refuses: to be gone is a change as well."""
    refused = violations(claims, pa.table({"id": pa.array([], pa.string()), "label": pa.array([], pa.string())}))
    stay = np.ones(len(claims), dtype=bool)
    stay[[row for row in refused["row"].to_pylist() if row >= sure]] = False
    return claims.filter(pa.array(stay))


class Overlay(Files):
    """Files of a folder before those of another store, which is only read."""

    def __init__(self, folder: Path, under: Files) -> None:
        super().__init__(folder)
        self.under = under

    def path(self, name: str) -> Path:
        own = super().path(name)
        return own if own.exists() or name not in self.under else self.under.path(name)


def _pairs(labels: pa.Table) -> list[tuple[str, str]]:
    return list(zip(labels["id"].to_pylist(), labels["label"].to_pylist(), strict=True))


def scrambled(
    later: pa.Table, every: pa.Table, labels: Mapping[str, str], files: Files, told: tuple[datetime, int]
) -> pa.Table:
    """The later claims with everything in them drawn anew but that a node exists and what it is."""
    draw = Draw(every, labels, files, *told)
    rows = later.to_pylist()
    moments = draw.random.permutation(np.array([row["published"] for row in rows], dtype=object)).tolist()
    return pa.Table.from_pylist([draw.row(*both) for both in zip(rows, moments, strict=True)], schema=SCHEMA)


class Draw:
    """Draws other claims from what a ledger knows."""

    def __init__(self, every: pa.Table, labels: Mapping[str, str], files: Files, cut: datetime, seed: int) -> None:
        self.random, self.files, self.labels, self.cut = np.random.default_rng(seed), files, labels, cut
        self.alike: dict[str, list[str]] = {}
        for id, label in sorted(labels.items()):
            self.alike.setdefault(label, []).append(id)
        self.codes: dict[str, list[str]] = {}
        texts = every.filter(pc.and_(pc.equal(every["kind"], "property"), pc.is_valid(every["value_text"])))
        for name, text in zip(texts["name"].to_pylist(), texts["value_text"].to_pylist(), strict=True):
            self.codes.setdefault(name, []).append(text)

    def row(self, row: dict[str, Any], moment: datetime) -> dict[str, Any]:
        """Another claim in place of this one."""
        new = row | {"published": max(moment, self.cut + timedelta(microseconds=1))}
        if row["kind"] == "node":
            return new
        new |= {"subject": self.other(row["subject"]), "valid_from": self.day(row)}
        if row["object"]:
            new["object"] = self.other(row["object"])
        if row["kind"] == "edge":
            new["name"] = self.one(related(row["name"]))
        return new | self.values(row)

    def other(self, id: str) -> str:
        """Any node of the same label."""
        return self.one(self.alike.get(self.labels.get(id, ""), [id]))

    def one(self, among: Sequence[str]) -> str:
        return among[int(self.random.integers(len(among)))]

    def day(self, row: dict[str, Any]) -> datetime:
        """Up to two years earlier or later, if it began at all, and before it ends."""
        start, end = row["valid_from"], row["valid_to"]
        if start.year < 1900:
            return start  # type: ignore[no-any-return]  # it always was
        moved = start + timedelta(days=float(self.random.uniform(-730, 730)))
        return moved if moved < end else start  # type: ignore[no-any-return]  # from a table

    def values(self, row: dict[str, Any]) -> dict[str, Any]:
        """Other values in the columns that hold one."""
        factor = float(np.exp(self.random.normal(0, 2)))
        found: dict[str, Any] = {}
        if row["value_text"] is not None and row["kind"] == "property":
            found["value_text"] = self.text(row["name"])
        if row["value_int"] is not None:
            found["value_int"] = int(self.random.integers(0, 2 * abs(row["value_int"]) + 2))
        if row["value_real"] is not None:
            found["value_real"] = float(row["value_real"] * factor + self.random.normal())
        if row["value_decimal"] is not None:
            found["value_decimal"] = (row["value_decimal"] * Decimal(factor)).quantize(Decimal("1e-9"))
        if row["value_time"] is not None:
            found["value_time"] = row["value_time"] + timedelta(days=float(self.random.uniform(-400, 400)))
        return found

    def text(self, name: str) -> str:
        """Free words, a picture of noise among the files, or another code."""
        if PROPERTIES[name].modality == "image":
            return self.files.put(noise(self.random))
        if name in FREE:
            return " ".join(self.one(WORDS) for _ in range(12)).capitalize() + "."
        return self.one(self.codes[name])


@cache
def related(name: str) -> list[str]:
    """Edge types that may stand where this one stands, with the same columns; itself if there is no other."""
    own = EDGES[name]
    alike = [
        other
        for other, spec in EDGES.items()
        if other != name
        and other != "PREDICTED"
        and (spec.source, spec.target, spec.time) == (own.source, own.target, own.time)
        and {p.type for p in spec.props.values()} == {p.type for p in own.props.values()}
    ]
    return alike or [name]


def noise(random: np.random.Generator) -> bytes:
    """A picture of random colours, as PNG."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(random.integers(0, 256, (24, 24, 3), dtype=np.uint8)).save(file, "PNG")
    return file.getvalue()
