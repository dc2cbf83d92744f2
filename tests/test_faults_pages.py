"""Bytes of the embedded store's data files that were changed on disk: refused, told by the comparison, or of no row."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from pathlib import Path
from random import Random

import pytest

from kg.errors import KgRiskError
from kg.ledger import Ledger
from kg.store import GraphStore, open_store
from kgrisk.settings import embedded
from tests.conftest import HEAP
from tests.fault_kills import SEED
from tests.store_world import versions
from tests.test_store_compare import compared, grow

DAMAGES = int(os.environ.get("KGRISK_DAMAGES") or 30)
"""Places of the embedded store that are damaged, one after the other."""


def damage(graph: Path, random: Random) -> str:
    """Flip bits of a few bytes that are in use in a data file of a database; tells where."""
    files = [path for path in sorted(graph.iterdir()) if path.suffix not in (".json", ".lck", ".wal")]
    while True:
        file = random.choice(files)
        data = bytearray(file.read_bytes())
        place = random.randrange(max(len(data), 1))
        if any(data[place : place + 16]):
            break
    for at in range(place, min(place + random.choice((1, 4, 16)), len(data))):
        data[at] ^= 1 << random.randrange(8)
    file.write_bytes(bytes(data))
    return f"{file.name} at {place}"


def said(store: GraphStore) -> tuple[str, list[str], list[str]]:
    """What questions to a store answer: its rows alive, every version, every node."""
    nodes = store.query("MATCH (n:Entity) RETURN n.id AS id, n.label AS label ORDER BY id").to_pylist()
    return store.graph_hash(), versions(store), [f"{row['label']} {row['id']}" for row in nodes]


@pytest.mark.faults
def test_a_damaged_page_of_the_embedded_store_is_refused_told_or_changes_no_row(tmp_path: Path) -> None:
    ledger = Ledger.open(grow(tmp_path)[-1])
    calm = open_store(f"{embedded(tmp_path / 'calm')}?heap={HEAP}", tmp_path)
    calm.sync(ledger)
    expected = said(calm)
    calm.close()
    seen, random = Counter[str](), Random(SEED)
    for number in range(DAMAGES):
        folder = tmp_path / f"damaged-{number}"
        shutil.copytree(tmp_path / "calm", folder)
        where = damage(folder / "databases" / "graph", random)
        seen[_outcome(folder, ledger, tmp_path, expected, where)] += 1
        shutil.rmtree(folder)
    ledger.close()
    print(f"of {DAMAGES} damages of seed {SEED}: {dict(seen)}")
    assert seen["told"] >= 3


def _outcome(folder: Path, ledger: Ledger, home: Path, expected: object, where: str) -> str:
    try:
        store = open_store(embedded(folder), home)
    except KgRiskError as error:
        assert "delete the folder" in str(error), where
        return "refused"
    try:
        told = compared(store, ledger, home)
        if not told.wrong:
            assert said(store) == expected, where
            return "no row"
        store.rebuild(ledger)
        assert said(store) == expected, where
        assert compared(store, ledger, home).wrong == []
        return "told"
    finally:
        store.close()
