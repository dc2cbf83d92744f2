"""Bytes addressed by their digest."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from kg.errors import LedgerError
from kg.files import Files, replacing, write_whole
from kg.model import digest

ROOT = Path(__file__).parents[1]
ROOMS = ("kg", "gnn", "ingest", "queries", "kgrisk")


def test_bytes_come_back_by_their_digest(tmp_path: Path) -> None:
    files = Files(tmp_path)
    name = files.put(b"page one")
    assert (name, files.get(name), name in files) == (digest(b"page one"), b"page one", True)


def test_the_same_bytes_are_stored_once(tmp_path: Path) -> None:
    files = Files(tmp_path)
    files.put(b"page")
    files.put(b"page")
    assert sum(f.is_file() for f in tmp_path.rglob("*")) == 1


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match=r"file abc is not in .* ingest its source again"):
        Files(tmp_path).get("abc")


def test_a_changed_file_is_refused(tmp_path: Path) -> None:
    files = Files(tmp_path)
    name = files.put(b"page")
    files.path(name).write_bytes(b"forged")
    with pytest.raises(LedgerError, match="was changed"):
        files.get(name)


def test_a_file_is_stored_by_its_path_as_its_bytes_would_be(tmp_path: Path) -> None:
    (tmp_path / "large.csv").write_bytes(b"row\n" * 1000)
    files = Files(tmp_path / "files")
    assert files.put_file(tmp_path / "large.csv") == files.put(b"row\n" * 1000)
    assert sum(f.is_file() for f in files.folder.rglob("*")) == 1


def test_a_file_whose_digest_is_known_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "large.csv").write_bytes(b"row\n" * 1000)
    files = Files(tmp_path / "files")
    name = digest(b"row\n" * 1000)
    monkeypatch.setattr("kg.files.digest_of", lambda path: pytest.fail(f"{path} was read again"))
    assert files.put_file(tmp_path / "large.csv", name) == name
    assert files.get(name) == b"row\n" * 1000


def test_a_file_that_changed_since_it_was_named_is_not_kept(tmp_path: Path) -> None:
    (tmp_path / "large.csv").write_bytes(b"row\n" * 1000)
    files = Files(tmp_path / "files")
    with pytest.raises(LedgerError, match="was changed while it was read"):
        files.put_file(tmp_path / "large.csv", digest(b"another"))
    assert not any(f.is_file() for f in files.folder.rglob("*"))


def test_what_breaks_off_leaves_what_was_there_and_nothing_beside_it(tmp_path: Path) -> None:
    for alone in (False, True):
        write_whole(tmp_path / "told", b"old", alone=alone)
        with pytest.raises(KeyboardInterrupt), replacing(tmp_path / "told", alone=alone) as file:
            file.write(b"ne")
            raise KeyboardInterrupt
        assert [path.name for path in tmp_path.iterdir()] == ["told"]
        assert (tmp_path / "told").read_bytes() == b"old"


def test_a_writer_that_is_alone_writes_over_what_a_killed_one_left(tmp_path: Path) -> None:
    for _ in range(2):
        command = "import os, sys; from pathlib import Path; from kg.files import replacing\n"
        command += f"with replacing(Path({str(tmp_path / 'told')!r}), alone=True) as file:\n"
        command += "    file.write(b'half'); file.flush(); os.kill(os.getpid(), 9)"
        assert subprocess.run([sys.executable, "-c", command], cwd=ROOT).returncode == -9
    assert len(list(tmp_path.iterdir())) == 1
    write_whole(tmp_path / "told", b"whole", alone=True)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"told": b"whole"}


@pytest.mark.parametrize("options", [{}, {"alone": True}, {"lasting": False}])
def test_a_file_that_was_written_whole_is_its_owners_alone(tmp_path: Path, options: dict[str, bool]) -> None:
    write_whole(tmp_path / "deep" / "told", b"it", **options)  # type: ignore[arg-type]  # none of these is the text
    assert (tmp_path / "deep" / "told").stat().st_mode & 0o777 == 0o600


def replaced_by_hand(text: str) -> bool:
    """Does a module put a file in the place of another by code of its own?"""
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.Call):
            continue
        called, words = ast.unparse(node.func), {word.arg for word in node.keywords}
        if called == "os.replace" or (called.endswith("NamedTemporaryFile") and "delete" in words):
            return True
        if called.endswith(".replace") and len(node.args) == 1 and not words and "pl." not in called:
            return True  # of a path: a text takes two, a date keywords
    return False


def test_files_are_replaced_in_one_place_only() -> None:
    paths = [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]
    found = {path.relative_to(ROOT).as_posix() for path in paths if replaced_by_hand(path.read_text("utf-8"))}
    assert found == {"kg/files.py", "ingest/edgar/client.py"}, "the second goes on with a download that was cut"
