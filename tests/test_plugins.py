"""Plug-ins are found by their file names, without importing them."""

import sys

import pytest

from kg.errors import KgRiskError
from kg.plugins import load, names, summaries
from queries.measure import RiskMeasure


def test_every_file_of_a_folder_is_a_plugin() -> None:
    assert {"debtrank", "eisenberg_noe", "pagerank"} <= set(names("queries.measures"))


def test_listing_imports_nothing() -> None:
    before = set(sys.modules)
    assert all(summaries("gnn.encoders").values())
    assert not {m for m in set(sys.modules) - before if m.startswith("gnn.encoders.")}


def test_a_plugin_is_loaded_by_name() -> None:
    assert load("queries.measures", "debtrank", RiskMeasure).__module__ == "queries.measures.debtrank"


def test_an_unknown_name_lists_the_known_ones_and_the_nearest() -> None:
    with pytest.raises(KgRiskError, match=r"has no 'debtrnk'; known: .*did you mean debtrank\?"):
        load("queries.measures", "debtrnk", RiskMeasure)
