"""STARTS WITH and ENDS WITH hold a word that elsewhere begins a clause: what binds the clocks goes on behind it."""

from __future__ import annotations

from pathlib import Path

import pytest

from kg.errors import CatalogError
from queries.catalog import load
from tests.test_queries_catalog import bound, write


@pytest.mark.parametrize("words", ["STARTS WITH", "ends with"])
@pytest.mark.parametrize("left", ["a.id", "toUpper(a.id)", "$prefix", "[a.id][0]"])
def test_the_with_of_starts_with_ends_no_condition(words: str, left: str, tmp_path: Path) -> None:
    head = '// What it tells.\n// @param prefix: string = ""  how it starts'
    load(
        write(tmp_path, f"MATCH (a)-[r:OWNS]->(b) WHERE {left} {words} $prefix AND {bound()} RETURN a.id AS one", head)
    )


@pytest.mark.parametrize("before", ["a.id =", "NOT", "a.id IN", "a.ends AND"])
def test_a_variable_called_starts_before_a_with_binds_nothing_behind_it(before: str, tmp_path: Path) -> None:
    body = f"MATCH (a)-[r:OWNS]->(b), (starts) WHERE {before} starts WITH a, r AND {bound()} RETURN a.id AS one"
    with pytest.raises(CatalogError, match="is not bound by"):
        load(write(tmp_path, body))
