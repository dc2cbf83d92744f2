"""Every command of the command line is either written down in the audit log or in the list of those that only tell."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import pytest
import typer

from kgrisk.api import open as open_graph
from kgrisk.audit import Audit
from kgrisk.audit_command import FLAGS, OWN, WRITES, written_down
from kgrisk.audit_list import listed
from kgrisk.cases import Cases
from kgrisk.cli import app
from kgrisk.settings import Settings
from tests.kgrisk_world import kgrisk_here, write_registers

TELLS = frozenset(
    (
        *("ask", "attention", "attribute", "audit", "brief", "casestudy", "compare", "config", "cypher", "doctor"),
        *(
            "embeddings",
            "explain",
            "extract",
            "fairness",
            "faithful",
            "figure",
            "figures",
            "fusions",
            "lineage",
            "links",
        ),
        *("models", "monitor", "owners", "patterns", "quality", "queries", "query", "reconstruct", "replay"),
        *("reverse", "risk", "runs", "scenarios", "scores", "search", "sources", "supply", "suppose", "suppose-many"),
        *("surrogate", "warn"),
    )
)
"""Commands that tell something on stdout and leave home and disk alone unless an option of FLAGS says otherwise.

`audit key` writes its own entry, the first one that the key seals.
"""
READS = frozenset(
    (
        *("ask audio", "ask image", "audit verify key", "extract files", "figure table", "patterns payments"),
        *("reconstruct known", "reconstruct margins", "risk banks", "risk exposures", "suppose-many file"),
    )
)
"""Paths that such a command reads."""
KEEPING = ("--publish", "--save", "--hand-over")


def every(group: typer.Typer, before: str = "") -> Iterator[tuple[str, Any]]:
    """Each command by its words, with its function."""
    for command in group.registered_commands:
        assert command.callback is not None
        yield f"{before} {command.name or command.callback.__name__}".strip(), command.callback
    for inner in group.registered_groups:
        assert inner.typer_instance is not None
        yield from every(inner.typer_instance, inner.name if isinstance(inner.name, str) else before)


def options(function: Any) -> Iterator[tuple[str, Any, list[str]]]:
    """Name, type and words of each parameter."""
    for name, hint in get_type_hints(function, include_extras=True).items():
        if get_origin(hint) is Annotated:
            kind, told, *_ = get_args(hint)
            yield name, kind, [str(word) for word in (told.default, *(told.param_decls or ()))]


def test_every_command_is_written_down_or_in_the_list_of_those_that_tell() -> None:
    commands = {words.split()[0] for words, _ in every(app)}
    assert commands == WRITES | TELLS | OWN
    assert not WRITES & TELLS and not OWN & (WRITES | TELLS)


def test_every_option_that_names_a_file_to_write_or_keeps_something_is_written_down() -> None:
    paths, flags = set(), set()
    for words, function in every(app):
        for name, kind, decls in options(function):
            flags |= {*decls} & FLAGS
            if words.split()[0] in TELLS and name != "home" and "Path" in str(kind) and not FLAGS & {*decls}:
                paths.add(f"{words} {name}")
    assert paths == READS, "a path that is written belongs into FLAGS, one that is read into this list"
    assert flags == FLAGS, "and every one of FLAGS is an option"
    assert {*KEEPING} <= FLAGS


@pytest.mark.parametrize("flag", sorted(FLAGS))
@pytest.mark.parametrize("form", ["{} x", "{}=x"])
def test_a_command_that_tells_is_written_down_with_such_an_option(tmp_path: Path, flag: str, form: str) -> None:
    for command in ("ask", "demo"):
        with written_down([command, *form.format(flag).split(), "--home", str(tmp_path)]):
            pass
    assert [(row["what"], row["status"]) for row in listed(Audit(tmp_path))] == [("ask", "begun"), ("ask", 0)]


def test_a_question_that_is_handed_over_is_in_the_log_and_told_with_its_case(tmp_path: Path) -> None:
    with open_graph(tmp_path / "home", settings=Settings(home=tmp_path / "home")) as made:
        made.ingest(write_registers(tmp_path / "in"))
    done = kgrisk_here("ask", "Who owns Big Bank?", "--hand-over", "Ada", "--home", "home", cwd=tmp_path)
    (case,) = Cases(tmp_path / "home" / "cases")
    assert f"handed over as case {case.id}: `kgrisk cases show {case.id}`" in done.stdout
    assert "hand it to" not in done.stdout
    rows = list(listed(Audit(tmp_path / "home")))
    assert [(row["what"], row["status"]) for row in rows] == [("ask", "begun"), ("ask", 0)]
    assert "--hand-over" in rows[0]["parameters"]["words"]
