"""A home carries a format number; a newer one is refused, an older one is taken up and down step by step."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kg.errors import FormatError
from kg.ledger import OnIO, no_io
from kg.migrations import FILE, FORMAT, FORMATS, HomeMark, Mark, checked, migrate, opened, path


class Thing:
    """A carrier in memory."""

    def __init__(self, name: str, format: int) -> None:
        self.name, self.format = name, format

    def move(self, to: int, on_io: OnIO = no_io) -> None:
        assert abs(to - self.format) == 1
        self.format = to


def test_a_home_without_a_number_is_of_format_1(tmp_path: Path) -> None:
    (tmp_path / "ledger").mkdir()
    assert opened(tmp_path, "0.1.0") == 1
    assert not (tmp_path / FILE).exists()


def test_a_new_home_is_marked_with_the_format_of_who_makes_it(tmp_path: Path) -> None:
    assert opened(tmp_path, "0.1.0") == FORMAT
    (tmp_path / "ledger").mkdir()
    assert opened(tmp_path, "0.2.0") == FORMAT
    assert Mark.read(tmp_path) == Mark(FORMAT, "0.1.0")


def test_a_home_of_a_newer_version_is_refused_with_its_format_who_wrote_it_and_what_to_do(tmp_path: Path) -> None:
    Mark(FORMAT + 1, "9.8.7").write(tmp_path)
    with pytest.raises(FormatError) as told:
        opened(tmp_path, "0.1.0")
    for words in (str(tmp_path), f"format {FORMAT + 1}", "kgrisk 9.8.7", f"1 to {FORMAT}", f"migrate --to {FORMAT}"):
        assert words in str(told.value)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"format": "two"}', "\x00", '{"format": null}'])
def test_a_mark_that_says_nothing_is_refused_with_the_way_out(tmp_path: Path, content: str) -> None:
    (tmp_path / FILE).write_text(content)
    with pytest.raises(FormatError, match=r"move it away and run `kgrisk migrate"):
        opened(tmp_path, "0.1.0")


def test_a_number_below_the_first_is_no_format() -> None:
    with pytest.raises(FormatError, match="formats begin at 1"):
        checked(0, "home")


def test_things_go_up_and_down_number_by_number_and_the_last_one_last_in_each() -> None:
    store, table, home = Thing("store", 1), Thing("table", FORMAT), Thing("home", 1)
    assert [(c.name, n) for c, n in path([store, table, home], FORMAT)] == [("store", FORMAT), ("home", FORMAT)]
    migrate([store, table, home])
    assert {thing.format for thing in (store, table, home)} == {FORMAT}
    done = migrate([store, table, home], 1)
    assert [(step.carrier, step.before, step.after) for step in done] == [
        (name, 2, 1) for name in ("store", "table", "home")
    ]
    assert migrate([store, table, home], 1) == []


def test_an_unknown_format_is_refused_with_the_known_ones_before_anything_is_moved() -> None:
    thing = Thing("home", 1)
    for number in (0, FORMAT + 1):
        with pytest.raises(FormatError, match=rf"no format {number}; known: 1: {FORMATS[1]}"):
            migrate([thing], number)
    newer = Thing("store", FORMAT + 1)
    with pytest.raises(FormatError, match=f"store has format {FORMAT + 1}"):
        migrate([thing, newer])
    assert thing.format == 1


def test_the_history_of_a_home_tells_every_step(tmp_path: Path) -> None:
    home = HomeMark(tmp_path, "0.1.0")
    migrate([home])
    migrate([HomeMark(tmp_path, "0.1.1")], 1)
    steps = json.loads((tmp_path / FILE).read_text())["history"]
    assert [(step["from"], step["to"], step["kgrisk"]) for step in steps] == [(1, 2, "0.1.0"), (2, 1, "0.1.1")]
    assert steps[0]["at"] < steps[1]["at"]
    assert home.format == 1
