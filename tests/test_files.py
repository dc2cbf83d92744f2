"""Bytes addressed by their digest."""

from pathlib import Path

import pytest

from kg.errors import LedgerError
from kg.files import Files
from kg.model import digest


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
