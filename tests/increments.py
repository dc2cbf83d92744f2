"""A snapshot made from an earlier one, held array by array against a full build."""

from __future__ import annotations

from kg.increment import Increment, made
from kg.ledger import Ledger
from kg.model import AsOf
from kg.snapshot import Snapshot


def full(ledger: Ledger, at: AsOf) -> Snapshot:
    commit, at = ledger.instant(at)
    return made(ledger.cursor(), None, commit, at, ledger.uuid).snapshot()


def made_from(ledger: Ledger, base: Snapshot, wanted: Snapshot) -> Snapshot | None:
    """What an increment made, if one was possible: it is what was wanted."""
    if (way := Increment(ledger.cursor(), base, wanted.commit, wanted.at).made()) is None:
        return None
    found = way.snapshot()
    pairs = [(found.nodes, wanted.nodes), (found.edges, wanted.edges), (found.facts, wanted.facts)]
    if found.contest and wanted.contest:
        pairs += [(found.contest.edges, wanted.contest.edges), (found.contest.facts, wanted.contest.facts)]
    for table, expected in pairs:
        assert table.schema.equals(expected.schema)
        for name in table.column_names:
            assert table[name].equals(expected[name]), (name, base.at, wanted.at)
        table.validate(full=True)
    assert found.at == wanted.at and found.commit == wanted.commit
    return found
