"""Natural persons leave under keyed pseudonyms: the same for one key, others for another, and useless without it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from kg.errors import SettingsError
from kgrisk.api import open as open_graph
from kgrisk.pseudonyms import Masked, Pseudonyms
from kgrisk.settings import Settings
from tests.erased_person import NAME, OTTO, VERA, found_in, write_world
from tests.kgrisk_world import BIG, kgrisk_here


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("people")
    with open_graph(folder / "home", settings=Settings(home=folder / "home")) as graph:
        graph.ingest(write_world(folder / "in", news=True))
    return folder / "home"


def test_one_key_gives_one_pseudonym_and_another_key_another(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    one, same, other = Pseudonyms(tmp_path / "a"), Pseudonyms(tmp_path / "a"), Pseudonyms(tmp_path / "b")
    assert one.name(NAME) == same.name(f" {NAME.upper().replace(' ', '  ')}") != other.name(NAME)
    assert one.id(VERA) == same.id(VERA) != other.id(VERA) and one.id(VERA) != one.id(OTTO)
    assert one.name(VERA).partition(" ")[2] != one.id(VERA).partition("~")[2]
    assert (tmp_path / "a" / "pseudonym.key").stat().st_mode & 0o777 == 0o600


def test_trying_names_without_the_key_finds_none(tmp_path: Path) -> None:
    told = Pseudonyms(tmp_path).name(NAME).partition(" ")[2]
    folded = NAME.casefold()
    for text in (NAME, folded, f"name\x1f{folded}", f"kgrisk.name\x1f{folded}"):
        for way in ("sha256", "sha1", "md5", "blake2b"):
            assert told not in hashlib.new(way, text.encode()).hexdigest()
    (tmp_path / "pseudonym.key").write_text("00")
    with pytest.raises(SettingsError, match="at least 16"):
        Pseudonyms(tmp_path).name(NAME)
    (tmp_path / "pseudonym.key").write_text("no key")
    with pytest.raises(SettingsError, match="restore"):
        Pseudonyms(tmp_path).name(NAME)


@pytest.mark.parametrize("form", ["csv", "parquet", "graphml"])
def test_an_export_under_pseudonyms_names_nobody_and_keeps_the_links(home: Path, tmp_path: Path, form: str) -> None:
    done = kgrisk_here("export", tmp_path / "out", "--format", form, "--pseudonyms", "--home", home, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert found_in(tmp_path / "out", VERA, NAME, "Lomskaya,", "Otto Brandt", OTTO, "1970-05-06") == []
    whole = kgrisk_here("export", tmp_path / "whole", "--format", form, "--home", home, cwd=tmp_path)
    assert whole.returncode == 0 and found_in(tmp_path / "whole", NAME)
    if form == "parquet":
        edges = pq.read_table(tmp_path / "out" / "edges.parquet")
        made = Pseudonyms(home)
        assert edges.num_rows == pq.read_table(tmp_path / "whole" / "edges.parquet").num_rows
        assert made.id(VERA) in edges["source"].to_pylist() and BIG in edges["source"].to_pylist()
        nodes = dict(
            zip(
                *(pq.read_table(tmp_path / "out" / "nodes.parquet")[n].to_pylist() for n in ("id", "name")), strict=True
            )
        )
        assert nodes[made.id(VERA)] == made.name(NAME) and nodes[BIG] == "Big Bank AG"


def test_who_has_the_key_looks_a_name_up(home: Path, tmp_path: Path) -> None:
    told = kgrisk_here("pseudonym", NAME, "--home", home, "--json", cwd=tmp_path)
    assert json.loads(told.stdout) == {"pseudonym": Pseudonyms(home).name(NAME)}
    assert kgrisk_here("pseudonym", VERA, "--home", home, cwd=tmp_path).stdout.strip() == Pseudonyms(home).id(VERA)
    assert kgrisk_here("pseudonym", NAME, "--home", "none", cwd=tmp_path).returncode == 1
    log = b"".join(path.read_bytes() for path in (home / "audit").glob("*.jsonl"))
    assert b"pseudonym" in log and NAME.encode() not in log and VERA.encode() not in log


def test_a_quote_is_told_under_pseudonyms_and_a_firm_with_the_name_in_it_keeps_its_own(home: Path) -> None:
    with open_graph(home, settings=Settings(home=home)) as graph:
        masked = Masked(graph.snapshot(), home)
    made = Pseudonyms(home)
    assert (
        masked.text(f"{NAME} ({VERA}) left Steel Works SA")
        == f"{made.name(NAME)} ({made.id(VERA)}) left Steel Works SA"
    )
