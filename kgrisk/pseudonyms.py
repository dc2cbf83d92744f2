"""Pseudonyms: names and ids of natural persons replaced by keyed digests, the same for the same person and key.

HMAC-SHA256 (RFC 2104) under a key of 256 random bits, with the kind of text in front, so that an id and a name of the
same letters differ and neither is a digest used elsewhere. Who has the key looks a name up by making its pseudonym;
who has not cannot try names, because every try needs the key.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from ingest.blot import Blot
from kg.errors import SettingsError
from kg.files import write_whole
from kg.snapshot import Snapshot

KEPT = ("name", "distress", "distress_low", "distress_high", "warning", "rank_score", "finding")
"""Properties of a person that stay; a nationality or a date of birth would tell who it is."""
FILE = "pseudonym.key"
DIGITS = 24
"""Hex digits of a pseudonym: two persons of a million share one with a probability below 1e-16."""


class Pseudonyms:
    """The pseudonyms of one home folder."""

    def __init__(self, home: Path) -> None:
        self.path = home / FILE
        self._key = b""

    def id(self, id: str) -> str:
        """The pseudonym of a person's id; it is an id again."""
        return f"person:~{self._of('id', id)}"

    def name(self, name: str) -> str:
        """The pseudonym of a name, however its blanks and capitals are written."""
        return f"Person {self._of('name', ' '.join(name.split()).casefold())}"

    def _of(self, kind: str, text: str) -> str:
        self._key = self._key or self._read()
        return hmac.new(self._key, f"kgrisk.{kind}\x1f{text}".encode(), hashlib.sha256).hexdigest()[:DIGITS]

    def _read(self) -> bytes:
        """The key; made where there is none. SettingsError if the file holds something else."""
        if not self.path.exists():
            write_whole(self.path, secrets.token_hex(32).encode())
        try:
            key = bytes.fromhex(self.path.read_text().strip())
        except (OSError, ValueError) as error:
            raise SettingsError(
                f"{self.path} holds no key of pseudonyms ({error}); restore it from a backup"
            ) from error
        if len(key) < 16:
            raise SettingsError(f"{self.path} holds a key of {len(key)} bytes; at least 16 are needed")
        return key


class Masked:
    """A graph at an instant with its natural persons under pseudonyms."""

    def __init__(self, snapshot: Snapshot, home: Path) -> None:
        self.made = Pseudonyms(home)
        self._whole = snapshot
        rows = [row for row, label in enumerate(snapshot.labels) if label == "Person"]
        self._persons = pa.array(rows, snapshot.facts["subject"].type)
        self.ids = {snapshot.ids[row]: self.made.id(snapshot.ids[row]) for row in rows}
        names = snapshot.facts_of("name")
        own = pc.is_in(names["subject"], self._persons)
        borne, others = (names.filter(which)["value_text"].drop_null().unique() for which in (own, pc.invert(own)))
        self._blot = Blot([*self.ids, *borne.to_pylist()], others.to_pylist())

    def text(self, text: str) -> str:
        """A text in which persons have their pseudonyms."""
        return self._blot.replace(text, lambda found: self.ids.get(found) or self.made.name(found))

    @property
    def snapshot(self) -> Snapshot:
        """The whole graph under pseudonyms; of a person names, links and scores only."""
        whole = self._whole
        theirs = pc.is_in(whole.facts["subject"], self._persons)
        kept = pc.or_(pc.invert(theirs), pc.is_in(whole.facts["property"], pa.array(KEPT)))
        nodes, edges, facts = (self._table(t) for t in (whole.nodes, whole.edges, whole.facts.filter(kept)))
        return Snapshot(nodes, edges, facts, whole.at, whole.commit, whole.ledger)

    def _table(self, table: pa.Table) -> pa.Table:
        for place, field in enumerate(table.schema):
            if pa.types.is_string(field.type):
                values = table.column(place).to_pylist()
                known = {value: self.text(value) for value in set(values) if value}
                table = table.set_column(place, field, pa.array([known.get(v, v) for v in values], field.type))
        return table
