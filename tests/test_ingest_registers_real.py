"""Every real register in one ledger: nothing crashes, nothing is left, and the same again adds nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest.pipeline import run
from ingest.quality import quality
from kg.files import Files
from kg.ledger import Ledger

SOURCES = ("registers", "gleif", "bods", "ftm", "sanctions", "bis")


@pytest.mark.real
@pytest.mark.slow
def test_all_real_registers_go_into_one_ledger(real_data: Path, tmp_path: Path) -> None:
    folders = ("ownership/bods", "bis", "eba", "sp500")
    paths = [path for folder in folders for path in sorted((real_data / folder).iterdir())]
    paths.append(real_data / "stocknet" / "StockTable")
    with Ledger.open(tmp_path / "ledger") as ledger:
        report = run(paths, ledger, Files(tmp_path / "files"), tmp_path, sources=SOURCES)
        assert report.committed and report.untaken == [] and report.claims > 30_000
        assert {name: count.records for name, count in report.sources.items() if count.records} == {
            "registers": 4, "bods": 19, "bis": 4,
        }  # fmt: skip
        reasons = {q.reason.partition(":")[0].partition(" fails")[0] for q in report.quarantined}
        assert all(reason.startswith(("iso 'x28'", "iso 'Channel Islands'", "lei '", "id CHI")) for reason in reasons)
        assert not run(paths, ledger, Files(tmp_path / "files"), tmp_path, sources=SOURCES).committed
        found = quality(ledger, report=report)
    assert sum(one.count for one in found.of("quarantined")) == len(report.quarantined) == 439
    assert not found.of("shares") and not found.of("unresolved") and not found.of("contradiction")
