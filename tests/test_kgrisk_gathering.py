"""Fetching and looking at quality from the command line."""

from __future__ import annotations

import json
from pathlib import Path

from tests.kgrisk_world import kgrisk_here, write_registers
from tests.test_edgar import AGENT, Edgar, edgar

__all__ = ["edgar"]  # a fixture


def test_filings_are_fetched_into_a_folder_once_and_can_be_read(edgar: Edgar, tmp_path: Path) -> None:
    edgar.list([("0000990011-24-000001", "8-K", "2024-03-01"), ("0000990011-24-000002", "10-Q", "2024-05-01")])
    args = ["fetch", "in", "--cik", "990011", "--form", "8-K", "--host", edgar.hosts().data, "--home", "home", "--json"]
    first = kgrisk_here(*args, cwd=tmp_path, KGRISK_USER_AGENT=AGENT)
    assert first.returncode == 0, first.stderr
    (new,) = json.loads(first.stdout)["new"]
    again = json.loads(kgrisk_here(*args, cwd=tmp_path, KGRISK_USER_AGENT=AGENT).stdout)
    assert (again["new"], again["kept"]) == ([], 1)
    assert {asked["User-Agent"] for _, _, asked in edgar.asked} == {AGENT}
    read = kgrisk_here("extract", "filings", new, "--json", cwd=tmp_path)
    assert read.returncode == 0 and "FILED" in read.stdout


def test_nothing_is_asked_without_saying_who_asks(edgar: Edgar, tmp_path: Path) -> None:
    done = kgrisk_here("fetch", "in", "--cik", "990011", "--host", edgar.hosts().data, cwd=tmp_path)
    assert done.returncode == 1 and "KGRISK_USER_AGENT" in done.stderr
    assert edgar.asked == []


def test_quality_is_told_as_rows_and_as_a_page(tmp_path: Path) -> None:
    write_registers(tmp_path / "inputs")
    kgrisk_here("ingest", "inputs", "--home", "home", cwd=tmp_path)
    done = kgrisk_here("quality", "--home", "home", "--html", "quality.html", "--json", cwd=tmp_path)
    found = json.loads(done.stdout)
    assert found["claims"] > 20 and {"check", "what", "count", "of", "share"} <= set(found["findings"][0])
    assert "<table" in (tmp_path / "quality.html").read_text()
