"""A file that no source can take is told apart from one that merely is of another kind."""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path

import pytest

from ingest.diagnosis import MAX_COLUMNS, diagnose, out_of_reach
from ingest.pipeline import run
from kg.files import Files
from kg.ledger import Ledger


def zipped(members: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return packed.getvalue()


CASES = [
    ("empty.csv", b"", "is empty"),
    ("pointer.png", b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n", "git lfs pull"),
    ("photo.png", b"%PDF-1.7\n", "named .png but it is a PDF"),
    ("call.wav", b"\x00\x01\x02\x03", "named .wav but it is of another kind"),
    ("rows.csv", b"PAR1....", "named .csv but it is a Parquet file"),
    ("note.txt", b"a\x00b\x00", "NUL bytes"),
    ("wide.csv", b",".join(b"c%d" % n for n in range(MAX_COLUMNS + 1)), f"{MAX_COLUMNS + 1} columns"),
    ("twice.csv", b"a,b,a\n1,2,3\n", "a column twice: a"),
    ("bomb.zip", zipped({"zeros.csv": bytes(5_000_000)}), "a bomb"),
    ("slip.zip", zipped({"../outside.csv": b"a,b\n"}), "leads out of the folder"),
    ("good.zip", zipped({"rows.csv": b"a,b\n1,2\n"}), "unpack it"),
    ("torn.zip", b"PK\x03\x04torn", "broken zip"),
    ("cut.xml", b"<ownershipDocument", "XML is broken or cut off"),
    ("cut.json", b'{"a": [1, 2', "JSON is broken or cut off"),
    ("cut.parquet", b"PAR1", "Parquet file is broken or cut off"),
]


@pytest.mark.parametrize(("name", "content", "reason"), CASES, ids=[name for name, *_ in CASES])
def test_what_is_wrong_is_told_from_the_bytes(name: str, content: bytes, reason: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    assert reason in diagnose(tmp_path / name)


@pytest.mark.parametrize("name", ["LICENSE", "README.md", "notes.txt", "other.csv"])
def test_a_file_of_another_kind_has_no_diagnosis(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text("kept, with, care\n")
    assert diagnose(tmp_path / name) == ""


def test_links_out_of_the_folder_and_pipes_are_quarantined_and_never_read(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (tmp_path / "secret.csv").write_text("entity_id,name\nlei:1,Secret\n")
    (folder / "link.csv").symlink_to(tmp_path / "secret.csv")
    (folder / "gone.csv").symlink_to(tmp_path / "nowhere.csv")
    os.mkfifo(folder / "pipe.csv")
    with Ledger.open(tmp_path / "ledger") as ledger:
        report = run(folder, ledger, Files(tmp_path / "files"), tmp_path)
    reasons = {row.path: row.reason for row in report.quarantined}
    assert "out of the folder" in reasons["link.csv"] and "pipe" in reasons["pipe.csv"] and reasons["gone.csv"]
    assert not report.committed


def test_a_link_within_the_folder_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x,y\n")
    (tmp_path / "b.csv").symlink_to(tmp_path / "a.csv")
    assert out_of_reach(tmp_path / "b.csv", tmp_path) == ""


def test_the_reason_stands_in_the_report_beside_what_was_read(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for name, content, _ in CASES:
        (folder / name).write_bytes(content)
    (folder / "README.md").write_text("what lies here")
    with Ledger.open(tmp_path / "ledger") as ledger:
        report = run(folder, ledger, Files(tmp_path / "files"), tmp_path)
    assert {row.path for row in report.quarantined} == {name for name, *_ in CASES}
    assert report.untaken == ["README.md"]


def test_a_table_with_the_line_ends_of_old_macs_is_told_and_its_neighbours_are_read(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "mac.csv").write_bytes(b"a,b\r1,2\r")
    (folder / "good.csv").write_text("time,payer_account,payee_account,amount,currency\n2024-01-03,A,B,1,EUR\n")
    with Ledger.open(tmp_path / "home" / "ledger") as ledger:
        report = run(folder, ledger, Files(tmp_path / "home" / "files"), tmp_path / "home")
    assert report.untaken == ["mac.csv"] and report.names["PAID"] == 1
