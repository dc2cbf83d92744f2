"""Faults that everybody meets: what is told in one line names the cause and what to do next, and there is no trace."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kgrisk.refresh import lock
from tests.kgrisk_world import BIG, FIRM, kgrisk_here, write_registers

Spoil = Callable[[Path], None]
Fault = tuple[tuple[str, ...], str, str]
"""What is typed after `kgrisk` (HOME, IN and OUT stand for folders), the cause, and the next step."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    made = tmp_path_factory.mktemp("faults")
    write_registers(made / "in")
    assert kgrisk_here("ingest", made / "in", "--home", made / "home", cwd=made).returncode == 0
    yield made


TYPED: list[Fault] = [
    (("scores", "--home", "OUT"), "holds no graph", "kgrisk ingest FOLDER --home"),
    (("ingest", "OUT", "--home", "HOME"), "not there", "give a folder or files"),
    (("refresh", "OUT", "--home", "HOME"), "is no folder", "name the one that holds the files"),
    (("query", "hit_if_fail", "--home", "HOME"), "hit_if_fail", "did you mean hit_if_fails?"),
    (("query", "hit_if_fails", "--home", "HOME"), "parameter id is missing", "for example id="),
    (("query", "hit_if_fails", "hops=3", "--home", "HOME"), "'hops' is unknown", "known: id, currency"),
    (("explain", "equity:lei:nobody", "--home", "HOME"), "'lei:nobody' is unknown", "take an id from the rows"),
    (("explain", f"assets2:{BIG}", "--home", "HOME"), "no edge, fact or score", f"{BIG} has assets"),
    (("explain", "nothing", "--home", "HOME"), "no edge, fact or score", "write property:entity id"),
    (("risk", "debtrnk", "--shock", FIRM, "--home", "HOME"), "has no 'debtrnk'", "did you mean debtrank?"),
    (("risk", "debtrank", "--shock", "x:1", "--home", "HOME"), "x:1 has no exposures", "shock one that owes"),
    (("risk", "debtrank", "--shock", f"{FIRM}=much", "--home", "HOME"), "'much' is no number", "write <id>=<fraction>"),
    (("scores", "--home", "HOME"), "no 'distress' score", "kgrisk train"),
    (("links", "--home", "HOME"), "no predicted link", "kgrisk train"),
    (("fairness", "--home", "HOME"), "nobody has a score 'distress'", "kgrisk train"),
    (("search", "bank", "--home", "HOME"), "multilingual vector", "kgrisk index"),
    (("train", "--cut", "2030-01-01", "--home", "HOME"), "after all that sources published", "name a day in between"),
    (("train", "--home", "HOME"), "nothing to learn", "name a later cut"),
    (("runs", "abc", "--home", "HOME"), "0 runs in", "see `kgrisk runs`"),
    (("replay", f"equity:{BIG}", "--home", "HOME"), "was read by registers.rows@3", "`kgrisk explain` shows"),
    (("lineage", "equity:lei:nobody", "--home", "HOME"), "'lei:nobody' is unknown", "take an id from the rows"),
    (("suppose", "nothing", "--home", "HOME"), "scenario 'nothing' is unknown", "known: banks_lose_three_tenths"),
    (("patterns", "nothing", "--home", "HOME"), "has no 'nothing'", "known: cycles"),
    (("figure", "nothing", "--home", "HOME"), "has no 'nothing'", "known: beneficial_owner"),
    (("owners", "lei:nobody", "--home", "HOME"), "is not in the graph", "take an id from"),
    (("export", "OUT", "--format", "xls", "--home", "HOME"), "format 'xls' is unknown", "known: parquet"),
    (("schedule", "--every", "never", "--home", "HOME"), "--every 'never'", "such as 1h"),
    (("serve", "--host", "0.0.0.0", "--home", "HOME"), "there are no keys", "kgrisk keys add NAME"),
    (("keys", "revoke", "bob", "--home", "HOME"), "'bob' has no key", "see `kgrisk keys list`"),
    (("keys", "add", "bob", "--hide-label", "Bnk", "--home", "HOME"), "no label 'Bnk'", "known: Company, Bank"),
    (("query", "ownership_chain", "--store", "mysql://x", "--home", "HOME"), "no such scheme", "for example arcadedb:"),
]
SET: list[tuple[dict[str, str], tuple[str, ...], str, str]] = [
    ({"KGRISK_HOMEE": "x"}, ("config",), "KGRISK_HOMEE: there is no such setting", "did you mean KGRISK_HOME?"),
    ({"KGRISK_EPOCHS": "many"}, ("config",), "epochs", "see `kgrisk config`"),
    (
        {"NEO4J_URI": "bolt://127.0.0.1:1", "NEO4J_PASSWORD": "x"},
        ("query", "hit_if_fails", f"id={BIG}", "--home", "HOME"),
        "no Neo4j answers at bolt://127.0.0.1:1",
        "start it, or check NEO4J_URI",
    ),
]


def told(folder: Path, typed: tuple[str, ...], cwd: Path | None = None, **environment: str) -> str:
    """The one line that a fault is told in."""
    places = {"HOME": folder / "home", "IN": folder / "in", "OUT": folder / "nowhere"}
    done = kgrisk_here(*(places.get(word, word) for word in typed), cwd=cwd or folder, **environment)
    assert done.returncode == 1, f"exit code {done.returncode}: {done.stderr}"
    assert "Traceback" not in done.stderr and not done.stdout.strip()
    line = " ".join(done.stderr.split())
    return line[line.index("error:") :]


def test_there_are_thirty_and_more() -> None:
    assert len(TYPED) + len(SET) + len(SPOILT) >= 35 and len({typed for typed, *_ in TYPED}) == len(TYPED)


@pytest.mark.parametrize(("typed", "cause", "step"), TYPED, ids=[" ".join(typed[:2]) for typed, *_ in TYPED])
def test_what_is_typed_wrong_is_told_with_its_cause_and_the_next_step(
    folder: Path, typed: tuple[str, ...], cause: str, step: str
) -> None:
    line = told(folder, typed)
    assert cause in line and step in line, line


@pytest.mark.parametrize(("environment", "typed", "cause", "step"), SET, ids=[next(iter(one)) for one, *_ in SET])
def test_what_is_set_wrong_is_told_with_its_cause_and_the_next_step(
    folder: Path, environment: dict[str, str], typed: tuple[str, ...], cause: str, step: str
) -> None:
    line = told(folder, typed, **environment)
    assert cause in line and step in line, line


def _no_ledger(home: Path) -> None:
    shutil.rmtree(home / "ledger")
    (home / "ledger").mkdir()
    (home / "ledger" / "notes.txt").write_text("mine")


def _newer(home: Path) -> None:
    mark = home / "ledger" / "ledger.json"
    mark.write_text(json.dumps({**json.loads(mark.read_text()), "format": 99}))


def _torn(home: Path) -> None:
    for part in (home / "ledger" / "table").glob("*.parquet"):
        part.unlink()


def _keys(home: Path) -> None:
    (home / "keys.json").write_text("{")


def _misspelt(home: Path) -> None:
    (home / "kgrisk.toml").write_text("hom = 1\n")


def _unreadable(home: Path) -> None:
    (home / "kgrisk.toml").write_text("home = \n")


SPOILT: list[tuple[Spoil, tuple[str, ...], str, str]] = [
    (_no_ledger, ("scores", "--home", "HOME"), "holds no ledger", "name an empty or a new folder"),
    (_newer, ("scores", "--home", "HOME"), "ledger format 99", "use the version that wrote it"),
    (_torn, ("lineage", f"equity:{BIG}", "--home", "HOME"), "cannot be read", "restore the ledger from a backup"),
    (_keys, ("keys", "list", "--home", "HOME"), "is no key file", "restore it, or make keys anew"),
    (_misspelt, ("config",), "key hom: there is no such setting", "did you mean home"),
    (_unreadable, ("config",), "kgrisk.toml cannot be read", "correct it or move it away"),
]


@pytest.mark.parametrize(("spoil", "typed", "cause", "step"), SPOILT, ids=[one[0].__name__ for one in SPOILT])
def test_what_is_broken_is_told_with_its_cause_and_the_next_step(
    folder: Path, tmp_path: Path, spoil: Spoil, typed: tuple[str, ...], cause: str, step: str
) -> None:
    shutil.copytree(folder / "home", tmp_path / "home")
    spoil(tmp_path / "home")
    line = told(tmp_path, typed, cwd=tmp_path / "home")
    assert cause in line and step in line, line


def test_a_lock_that_is_held_names_its_holder_and_what_to_do(folder: Path) -> None:
    with lock(folder / "home"):
        line = told(folder, ("refresh", "IN", "--home", "HOME"))
    assert "held for a refresh by process" in line and "wait for it to end, or stop it" in line
