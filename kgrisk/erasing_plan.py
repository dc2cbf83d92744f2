"""Plan of an erasure: who goes, by which words and at which places; kept as a journal until a search finds nothing."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from ingest.blot import SHORTEST, Blot
from ingest.redaction import cites
from kg.erase import one_with, others_of, rows_of
from kg.errors import KgRiskError
from kg.files import write_whole
from kg.ledger import Ledger
from kg.model import RunManifest, iso
from kg.tombstones import Tombstones
from queries.parameter import suggestion

FILE = "erase.json"
LONG = 20
"""Characters from which a quoted text without a name is told from any other."""
NAMING = ("name", "identifier", "url", "author", "description", "text", "title")
"""Properties whose text tells who somebody is."""
WITH = ("Account", "Address", "Device")
"""Labels of what may belong to a person alone, and so tell of them."""


@dataclass
class Plan:
    """What one erasure takes out. The file of it is the one place that still names the person, and goes last."""

    ids: list[str]
    words: list[str]
    """Ids, names and other texts that are the person's alone."""
    surnames: list[str]
    """Last words of the names, looked for in documents that speak of the person only."""
    others: list[str]
    """Longer names of others in which such a word, or a part of a name, stands."""
    quotes: list[str]
    """Quoted texts that have to be gone as well."""
    documents: list[str]
    """Documents that claims of the person stand on."""
    vectors: list[str]
    """Addresses of the person's vectors."""
    rows: int
    first: int
    reason: str
    by: str
    time: str
    marks: list[str]
    parts: list[str] = field(default_factory=list)
    """Words of the names, each alone, looked for in what people of this home wrote."""
    linked: list[str] = field(default_factory=list)
    """Accounts, addresses and devices that nobody else has."""
    done: list[str] = field(default_factory=list)
    left: dict[str, list[list[str]]] = field(default_factory=dict)
    """By document: locator and source of places of others at which another text stands now, and that text."""
    begun: dict[str, str] = field(default_factory=dict)
    """Digest of what is left of each document, written down before it is changed."""
    told: dict[str, list[str]] = field(default_factory=dict)
    """What each step did, without anybody's name."""

    @property
    def blot(self) -> Blot:
        return Blot(self.words, self.others)

    @property
    def wide(self) -> Blot:
        """The same with the bare surnames, for documents that speak of the person."""
        return Blot([*self.words, *self.surnames], self.others)

    @cached_property
    def broad(self) -> Blot:
        """The same with every part of the names alone, also without accents, for what people wrote about people."""
        told = {*self.words, *self.surnames, *self.parts}
        return Blot({*told, *map(_unaccented, told)}, self.others)

    @property
    def manifest(self) -> RunManifest:
        """The erasure as a run: who it was is told by keyed digests."""
        told = {name: getattr(self, name) for name in ("marks", "rows", "reason", "by", "time", "first")}
        return RunManifest("erase", told)

    def save(self, home: Path) -> None:
        write_whole(home / FILE, json.dumps(asdict(self)).encode())

    @classmethod
    def load(cls, home: Path) -> Plan | None:
        """The erasure that was begun and not ended; None if there is none."""
        try:
            return cls(**json.loads((home / FILE).read_text()))
        except FileNotFoundError:
            return None
        except (ValueError, TypeError) as error:
            raise KgRiskError(f"{home / FILE} is no journal of an erasure ({error}); begin anew") from error


def plan(ledger: Ledger, ids: Sequence[str], reason: str, by: str) -> Plan:
    """Who goes and how they are found. KgRiskError for an id that is nobody's, or is no person's."""
    labels = dict(zip(*(ledger.labels()[name].to_pylist() for name in ("id", "label")), strict=True))
    if unknown := [id for id in ids if id not in labels]:
        near = suggestion(unknown[0], [id for id, label in labels.items() if label == "Person"])
        raise KgRiskError(f"the ledger has no {unknown[0]}{near}; take the id of a person from `kgrisk query`")
    if not any(labels[id] == "Person" for id in ids):
        raise KgRiskError(
            f"{ids[0]} is a {labels[ids[0]]}; only natural persons are erased, and what is theirs with them"
        )
    all_ids = one_with(ledger, ids)
    rows = rows_of(ledger, all_ids)
    said = rows.filter(pc.equal(rows["kind"], "property"))
    parts = _parts(said, labels)
    words, surnames, others = _words(ledger, all_ids, rows, said, parts)
    if Blot([*words, *surnames], others).finds(reason) or Blot(words, others).finds(by):
        raise KgRiskError("--reason and --by are kept, so neither may name the person; give a case number instead")
    documents = sorted(set(rows["document"].to_pylist()))
    kept = set(others_of(ledger, all_ids, documents)["quote"].to_pylist())
    alone = {cite.quote for cite in cites(rows) if cite.quote not in kept and len(cite.quote) >= LONG}
    return Plan(
        ids=all_ids,
        words=words,
        surnames=surnames,
        others=others,
        parts=parts,
        quotes=sorted(alone),
        documents=documents,
        vectors=said.filter(pc.equal(said["name"], "embedding"))["value_text"].unique().to_pylist(),
        rows=rows.num_rows,
        first=int(pc.min(rows["commit"]).as_py()),
        reason=reason,
        by=by,
        time=iso(datetime.now(UTC)),
        marks=[Tombstones(ledger.folder).mark(id) for id in all_ids],
        linked=_linked(ledger, rows, all_ids, labels),
    )


def _words(
    ledger: Ledger, ids: Sequence[str], rows: pa.Table, said: pa.Table, parts: Sequence[str]
) -> tuple[list[str], list[str], list[str]]:
    """Texts that are the person's alone, last words of the names, and names of others in which one of them stands."""
    named = zip(said["name"].to_pylist(), said["value_text"].to_pylist(), strict=True)
    texts = sorted({text for name, text in named if text and _telling(name, text)})
    quoted = Blot([id.partition(":")[2] for id in ids if len(id.partition(":")[2]) > SHORTEST])
    found = {word for word in quoted.words if Blot([word]).finds("\n".join(rows["quote"].unique().to_pylist()))}
    con = ledger.cursor()
    con.register("gone_", pa.table({"id": pa.array(list(ids), pa.string())}))
    con.register("texts_", pa.table({"text": pa.array(texts, pa.string())}))
    shared = con.execute(
        """SELECT DISTINCT value_text FROM events WHERE value_text IN (SELECT text FROM texts_)
        AND subject NOT IN (SELECT id FROM gone_)"""
    ).fetchall()
    words = sorted({*ids, *found, *texts} - {row[0] for row in shared})
    borne = con.execute(
        """SELECT DISTINCT value_text FROM events WHERE kind = 'property' AND name = 'name' AND value_text IS NOT NULL
        AND subject NOT IN (SELECT id FROM gone_)"""
    ).fetchall()
    names = {
        text
        for name, text in zip(said["name"].to_pylist(), said["value_text"].to_pylist(), strict=True)
        if name == "name"
    }
    surnames = sorted(
        {name.split()[-1] for name in names & set(words) if " " in name and len(name.split()[-1]) > SHORTEST}
    )
    longer = [id for id in ledger.labels()["id"].to_pylist() if id not in ids]
    return words, surnames, Blot([*words, *surnames, *parts], (*(row[0] for row in borne), *longer)).others


def _parts(said: pa.Table, labels: dict[str, str]) -> list[str]:
    """Every word of the names that is long enough to be looked for alone, but for those that are labels here."""
    named = said.filter(pc.equal(said["name"], "name"))["value_text"].drop_null().to_pylist()
    found = {word for name in named for word in re.findall(r"[^\W\d_][\w'’-]*", name) if len(word) >= SHORTEST}
    known = {label.casefold() for label in labels.values()}
    return sorted(word for word in found if word.casefold() not in known)


def _unaccented(text: str) -> str:
    """As somebody types it who has no accents on the keyboard."""
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))


def _telling(property: str, text: str) -> bool:
    """Is this a text by which a person is found wherever it stands? A nationality or a bare number is not."""
    if not re.search(r"[^\W\d_]", text) or len(text) < SHORTEST or property == "embedding":
        return False
    return property in NAMING or (len(text) >= 8 and bool(re.search(r"[\s\d]", text)))


def _linked(ledger: Ledger, rows: pa.Table, ids: Sequence[str], labels: dict[str, str]) -> list[str]:
    """Accounts, addresses and devices that have an edge with the person and with nobody else."""
    edges = rows.filter(pc.equal(rows["kind"], "edge"))
    ends = {*edges["subject"].to_pylist(), *edges["object"].to_pylist()} - set(ids)
    near = sorted(id for id in ends if labels.get(id) in WITH)
    con = ledger.cursor()
    con.register("gone_", pa.table({"id": pa.array([*ids], pa.string())}))
    con.register("near_", pa.table({"id": pa.array(near, pa.string())}))
    rest = con.execute(
        """SELECT DISTINCT near_.id FROM near_
        JOIN events ON kind = 'edge' AND (subject = near_.id OR object = near_.id)
        AND subject NOT IN (SELECT id FROM gone_) AND object NOT IN (SELECT id FROM gone_)"""
    ).fetchall()
    return [id for id in near if id not in {row[0] for row in rest}]
