"""Partial: a ledger as if some sources had never spoken and some kinds of entities had never been.

What is left out is left out of the log itself, before anything reads it: views, evidence, deltas, labels and
judgements at every clock are those of a ledger in which it was never written. Who asks has nothing to remember.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Sequence
from hashlib import sha256
from typing import Any, Final

from kg.errors import LedgerError
from kg.files import Files
from kg.ledger import Ledger
from kg.model import OWN, AsOf, ClaimBatch, RunManifest
from kg.resolved import resolve
from kg.snapshot import Snapshot

VIEWS: Final = 4
"""Views of a part that are kept in memory."""
WITHHELD: Final = "withheld"
"""Locator of a claim whose words speak of what is left out."""
_SOURCE = "split_part(extractor, '@', 1)"
_PLAIN = "trim(regexp_replace(strip_accents(lower({})), '[^\\p{{L}}\\p{{N}}]+', ' ', 'g'))"
_JOINED = "regexp_matches({}, '[\\x{{3040}}-\\x{{9fff}}\\x{{ac00}}-\\x{{d7af}}]')"
"""A name of a script that does not part words by spaces."""
_TOKENS = "regexp_split_to_array(concat_ws(' ', value_text, key, quote), '[\\s\"'',;(){{}}\\[\\]<>=|]+')"

_UNSEEN = f"""CREATE OR REPLACE TABLE part_nodes AS
SELECT subject AS id, arg_min(name, commit) AS label,
  bool_or(NOT {{hidden}} AND op = 'assert') AS told FROM whole WHERE kind = 'node' GROUP BY subject;
CREATE OR REPLACE TABLE part_seen AS SELECT id FROM part_nodes WHERE told AND label NOT IN (FROM part_labels);
CREATE OR REPLACE TABLE part_gone AS
SELECT DISTINCT claim FROM whole WHERE {{hidden}} OR subject NOT IN (FROM part_seen)
  OR (object <> '' AND object NOT IN (FROM part_seen));
CREATE OR REPLACE TABLE part_rest AS
SELECT DISTINCT claim, {_SOURCE} AS source, value_text, key, quote, kind FROM whole
WHERE claim NOT IN (FROM part_gone)"""
_NAMES = f"""CREATE OR REPLACE TABLE part_names AS
WITH said AS (SELECT {_PLAIN.format("value_text")} AS called, subject FROM whole
    WHERE kind = 'property' AND name IN ('name', 'title', 'ticker', 'identifier')
  UNION SELECT {_PLAIN.format("split_part(id, ':', 2)")}, id FROM part_nodes WHERE length(id) >= 8),
gone AS (SELECT s.called, n.label IN (FROM part_labels) AS kept FROM said s JOIN part_nodes n ON n.id = s.subject
  WHERE s.subject NOT IN (FROM part_seen)
    AND s.called NOT IN (SELECT called FROM said WHERE subject IN (FROM part_seen)))
SELECT called AS name, bool_or(kept) AS everywhere FROM (
  FROM gone UNION ALL SELECT regexp_replace(called, '^(\\S+) (\\S+)$', '\\2 \\1'), kept FROM gone)
WHERE length(called) > 2 OR {_JOINED.format("called")} GROUP BY called"""
_MENTIONS = f"""CREATE OR REPLACE TABLE part_mentions AS
WITH texts AS (SELECT claim, source IN (FROM part_own) AS own, quote_only, {_PLAIN.format("text")} AS text FROM (
    SELECT claim, split_part(source, '.', 1) AS source, concat_ws(' ', value_text, key) AS text, false AS quote_only
      FROM part_rest
    UNION ALL SELECT claim, split_part(source, '.', 1), quote, true FROM part_rest)
  WHERE text <> ''),
words AS (SELECT DISTINCT claim, own, quote_only, text, unnest(string_split(text, ' ')) AS word FROM texts)
SELECT claim, quote_only FROM words w JOIN part_names n ON w.word = split_part(n.name, ' ', 1)
  WHERE (n.everywhere OR w.own) AND contains(' ' || w.text || ' ', ' ' || n.name || ' ')
UNION SELECT claim, quote_only FROM texts t JOIN part_names n ON {_JOINED.format("n.name")}
  AND (n.everywhere OR t.own) AND contains(t.text, n.name)
UNION SELECT claim, quote_only FROM (
  SELECT claim, false AS quote_only, unnest({_TOKENS.replace(", quote", "")}) AS id FROM part_rest
  UNION ALL SELECT claim, true, unnest({_TOKENS.replace("value_text, key, ", "")}) FROM part_rest)
  WHERE id IN (SELECT id FROM part_nodes WHERE id NOT IN (FROM part_seen))"""
_LEFT = f"""CREATE OR REPLACE TABLE part_hidden AS FROM part_gone UNION
  SELECT claim FROM part_mentions
  WHERE NOT quote_only AND claim NOT IN (SELECT claim FROM part_rest WHERE kind = 'node');
CREATE OR REPLACE TABLE part_veiled AS SELECT claim FROM part_mentions;
CREATE OR REPLACE VIEW events AS SELECT * REPLACE (
  CASE WHEN claim IN (FROM part_veiled) THEN '' ELSE quote END AS quote,
  CASE WHEN claim IN (FROM part_veiled) THEN '{WITHHELD}' ELSE locator END AS locator)
FROM whole WHERE claim NOT IN (FROM part_hidden)"""


class PartialLedger(Ledger):
    """A ledger without the claims of some sources and without entities of some labels. It can be read, never written.

    A claim is left out if an extractor of a hidden source made it, if it is about an entity of a hidden label or one
    that only hidden sources introduce, or if its value names such an entity. Where only its quote does, quote and
    locator are withheld.
    """

    _LOG = "whole"

    def __init__(self, ledger: Ledger, labels: Sequence[str] = (), sources: Sequence[str] = ()) -> None:
        self.hidden_labels, self.hidden_sources = tuple(labels), tuple(sources)
        self._views: OrderedDict[tuple[int, AsOf], Snapshot] = OrderedDict()
        super().__init__(ledger.place, ledger.uuid, ledger._clock)

    def _refresh(self) -> None:
        """Point `whole` at the newest files, and `events` at what is left of it."""
        before = self._view_version
        try:
            super()._refresh()
            if self._view_version != before:
                self._leave_out()
        except BaseException:  # what is half done shows too much: the next question begins anew
            self._view_version = -1
            raise

    def _leave_out(self) -> None:
        self._con.execute("ALTER VIEW events RENAME TO whole_new")
        self._con.execute("DROP VIEW IF EXISTS whole")
        self._con.execute("ALTER VIEW whole_new RENAME TO whole")
        for name, values in (("labels", self.hidden_labels), ("own", OWN)):
            self._con.execute(f"CREATE OR REPLACE TABLE part_{name} (name VARCHAR)")
            self._con.executemany(f"INSERT INTO part_{name} VALUES (?)", [[value] for value in values] or [[""]])
        for statement in (_UNSEEN.format(hidden=self._spoken()), _NAMES, _MENTIONS, _LEFT):
            self._con.execute(statement)

    def _spoken(self) -> str:
        """The condition that a hidden source said it."""
        names = ["'" + source.replace("'", "''") + "'" for source in self.hidden_sources]
        said = [f"{_SOURCE} = {name} OR starts_with({_SOURCE}, {name} || '.')" for name in names]
        return f"({' OR '.join(said) or 'false'})"

    def view(self, at: AsOf = AsOf()) -> Snapshot:
        """The resolved graph as of three instants. Not kept on disk: a commit may hide more of the past."""
        commit, at = self.instant(at)
        assert at.valid is not None and at.published is not None
        key = (self.version, at)
        if key not in self._views:
            tables, _ = resolve(self.cursor(), commit, at.valid, at.published)
            self._views[key] = Snapshot(*tables, at, commit, self.uuid)
        self._views.move_to_end(key)
        while len(self._views) > VIEWS:
            self._views.popitem(last=False)
        return self._views[key]

    def mark(self, commit: int) -> str:
        """Names what is left of the log up to a commit: another mark, another past."""
        found = self._query(
            """SELECT (SELECT string_agg(claim, ' ' ORDER BY claim) FROM (SELECT DISTINCT claim FROM whole
              WHERE commit <= $1 AND claim IN (FROM part_hidden))) AS hidden,
            (SELECT string_agg(claim, ' ' ORDER BY claim) FROM (SELECT DISTINCT claim FROM whole
              WHERE commit <= $1 AND claim IN (FROM part_veiled))) AS veiled""",
            [commit],
        ).to_pylist()[0]
        return sha256(json.dumps([found["hidden"], found["veiled"]]).encode()).hexdigest()

    def documents(self) -> tuple[set[str], set[str], set[str]]:
        """Digests of documents: those of which a claim is left, those of which one is not whole, and runs."""
        rows = self._query(
            """SELECT document, bool_or(claim NOT IN (FROM part_hidden)) AS left_, bool_or(locator LIKE 'run:%') AS run,
              bool_or(claim IN (FROM part_hidden) OR claim IN (FROM part_veiled)) AS cut FROM whole GROUP BY document"""
        ).to_pylist()
        seen, cut, runs = ({str(row["document"]) for row in rows if row[kind]} for kind in ("left_", "cut", "run"))
        return seen, cut, runs

    def speaks(self, text: str) -> bool:
        """Whether a text names an entity of a hidden label."""
        found = self._query(
            f"""WITH asked AS (SELECT {_PLAIN.format("$1")} AS text) SELECT count(*) AS n FROM part_names n, asked
            WHERE everywhere AND contains(' ' || text || ' ', CASE WHEN {_JOINED.format("name")} THEN name
              ELSE ' ' || name || ' ' END)""",
            [text],
        )
        return bool(found["n"][0].as_py())

    def commit(self, batch: ClaimBatch, run: RunManifest, **how: Any) -> int:
        """LedgerError: a part of a ledger is never written."""
        raise LedgerError("a part of the ledger can only be read; open the ledger itself to write")

    def compact(self, keep_hours: int = 1) -> None:
        """LedgerError: a part of a ledger is never written."""
        raise LedgerError("a part of the ledger can only be read; open the ledger itself to write")


class PartialFiles(Files):
    """The files of a partial ledger: without documents in which something stands that is left out.

    Of a run of this engine only kind, code and commit are told.
    """

    def __init__(self, files: Files, ledger: PartialLedger) -> None:
        super().__init__(files.folder)
        self.ledger = ledger
        self._found: tuple[int, set[str], set[str], set[str]] = (-1, set(), set(), set())

    def _kinds(self) -> tuple[set[str], set[str], set[str]]:
        """Documents that are told of, those that are not whole, and runs."""
        head = self.ledger.head
        if self._found[0] != head:
            self._found = (head, *self.ledger.documents())
        return self._found[1:]

    def told_of(self, name: str) -> bool:
        """Whether a claim that is left stands in a document."""
        return name in self._kinds()[0]

    def whole(self, name: str) -> bool:
        """Whether nothing that is left out stands in a file."""
        return name not in self._kinds()[1]

    def get(self, name: str) -> bytes:
        """The bytes; LedgerError as of a missing file where they are not for who asks."""
        if self.whole(name):
            return super().get(name)
        if name not in self._kinds()[2]:
            raise LedgerError(
                f"file {name} is not in {self.folder}; restore it from a backup or ingest its source again"
            )
        content = json.loads(super().get(name))
        commit = content.get("details", {}).get("commit")
        told = {"kind": content.get("kind"), "code": content.get("code"), "details": {"commit": commit}}
        return json.dumps(told).encode()

    def __contains__(self, name: str) -> bool:
        return (self.whole(name) or name in self._kinds()[2]) and super().__contains__(name)

    def put(self, data: bytes) -> str:
        """LedgerError: nothing is written for who sees a part."""
        raise LedgerError("the files of a part of the ledger can only be read")
