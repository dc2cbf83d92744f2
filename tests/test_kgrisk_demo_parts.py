"""Parts of the demo by themselves: the bound on its models, the folder it may remove, answers compared."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from kg.errors import KgRiskError
from kg.model import as_time
from kgrisk.demo import MARK, fresh
from kgrisk.doctor import SAMPLE
from kgrisk.findings import best, difference
from kgrisk.result import Result
from kgrisk.sample.ceiling import ceiling
from kgrisk.telling import best_possible


def test_the_best_possible_counts_the_firms_named_and_no_other() -> None:
    everyone = list(json.loads((SAMPLE / "truth.json").read_text())["hazard"]["2023"])
    cut = as_time(date(2023, 1, 1))
    assert best(everyone, cut) == ceiling(SAMPLE, 2023) and best([], cut) == {}
    few = best([*everyone[:100], "cik:1"], cut)
    assert few["firms"] == 101 and f"on the same 101 firms, {few['events']} of them hit" in best_possible(few)
    # a firm that nothing was planted for is no risk to a perfect model: it adds nothing to the sum of squares
    assert few["brier"] * 101 == pytest.approx(best(everyone[:100], cut)["brier"] * 100)
    assert best_possible({}) == ""


def test_the_demo_removes_only_a_home_that_it_made(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("years of work")
    with pytest.raises(KgRiskError, match="was not made by the demo"):
        fresh(mine)
    assert (mine / "thesis.txt").read_text() == "years of work"
    fresh(tmp_path / "home")
    (tmp_path / "home" / "old").touch()
    fresh(tmp_path / "home")
    assert [file.name for file in (tmp_path / "home").iterdir()] == [MARK]


def test_two_answers_are_compared_row_by_row() -> None:
    import pyarrow as pa

    one = Result(pa.table({"id": ["a", "b"], "share": [0.1 + 0.2, 1.0]}))
    assert difference(one, Result(pa.table({"id": ["a", "b"], "share": [0.3, 1.0]}))) == ""
    assert "row 2, id" in difference(one, Result(pa.table({"id": ["a", "c"], "share": [0.3, 1.0]})))
    assert "2 and 1 rows" in difference(one, Result(pa.table({"id": ["a"], "share": [0.3]})))
    assert "columns" in difference(one, Result(pa.table({"id": ["a", "b"]})))
