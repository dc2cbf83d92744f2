"""Plug-ins are found by their file names, without importing them, and by the entry points of installed packages."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ingest.pipeline import run
from ingest.source import Source
from kg.errors import KgRiskError
from kg.files import Files
from kg.ledger import Ledger
from kg.plugins import load, names, summaries
from kgrisk.cli import QUARANTINED, app
from queries.measure import RiskMeasure
from tests.contract import test_sources as contract
from tests.plugin_site import installed_in


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


PLUGIN = Path(__file__).parents[1] / "docs" / "plugin"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the example package of the docs, built and installed there by pip."""
    return installed_in(tmp_path_factory, PLUGIN)


@pytest.fixture
def swift(installed: Path, monkeypatch: pytest.MonkeyPatch) -> Source:
    """The source that the example package brings."""
    monkeypatch.syspath_prepend(str(installed))
    return load("ingest.sources", "swift", Source)(PLUGIN / "example")  # type: ignore[type-abstract]


def cli(*words: str) -> str:
    """What the command line prints on its standard output."""
    done = CliRunner().invoke(app, list(words))
    assert done.exit_code in (0, QUARANTINED), done.output
    return done.stdout


def test_an_installed_plug_in_is_listed_and_reads_its_example(swift: Source) -> None:
    listed = {row["source"]: row for row in json.loads(cli("sources", "--json"))}
    assert "MT103" in str(listed["swift"])
    lines = cli("extract", "swift", str(PLUGIN / "example" / "payments.txt"), "--json").splitlines()
    assert any(json.loads(line).get("type") == "PAID" for line in lines)


def test_an_installed_plug_in_keeps_what_every_source_promises(swift: Source, tmp_path: Path) -> None:
    contract.test_its_summary_is_one_line_told_without_importing_it("swift")
    contract.test_records_come_in_a_stable_order_with_relative_paths(swift)
    contract.test_claims_are_pure_given_the_record(swift, tmp_path)
    contract.test_every_quote_reads_back("swift", swift)
    contract.test_its_claims_fit_the_vocabulary_but_for_ends_of_other_sources(swift)
    contract.test_an_empty_folder_gives_no_records("swift", tmp_path)
    assert swift.extractor.startswith("swift.")
    assert swift.files and list(type(swift)(PLUGIN.parents[1] / "tests" / "data").records()) == []


def test_a_plug_in_goes_into_a_ledger_like_any_source(swift: Source, tmp_path: Path) -> None:
    with Ledger.open(tmp_path / "ledger") as ledger:
        report = run(PLUGIN / "example", ledger, Files(tmp_path / "files"), tmp_path, sources=("swift",))
    assert report.names["PAID"] == 1 and [q.path for q in report.quarantined] == ["payments.txt"]
