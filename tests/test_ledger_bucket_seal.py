"""What a home beside a bucket notices: copies spoiled here, files damaged there, a bucket set back to older times."""

from __future__ import annotations

import json
import logging
import shutil
from pathlib import Path

import pyarrow.fs as pafs
import pytest
from deltalake import DeltaTable

from kg.errors import LedgerError
from kg.ledger import Ledger
from kg.model import AsOf
from kg.moving import move_here, move_to
from kg.store import open_store
from tests.operations import START, Ticking
from tests.s3_server import S3, SECRET
from tests.store_world import banks, commit, lend_in_a_ring
from tests.test_faults_spoiled import Spoil, cut, flip, tables, ways

pytestmark = [pytest.mark.faults, pytest.mark.slow]
REFUSED = r"restore the bucket from a backup, or begin with a new home"


class Bucket:
    """A ledger in a bucket, the homes beside it, and its objects by their names, which tests may spoil."""

    def __init__(self, url: str, s3: S3, homes: Path) -> None:
        self.url, self.options, self.homes, self.clock = url, s3.options, homes, Ticking()
        server = pafs.S3FileSystem(
            access_key="tests", secret_key=SECRET, endpoint_override=f"http://127.0.0.1:{s3.port}", region="us-east-1"
        )
        self.store = pafs.SubTreeFileSystem(url.removeprefix("s3://"), server)

    def opened(self, home: str) -> Ledger:
        """The ledger as this home sees it."""
        beside = self.homes / home / "ledger"
        return Ledger.open(self.url, storage_options=self.options, beside=beside, clock=self.clock)

    def rows(self, home: str) -> list[dict[str, object]]:
        with self.opened(home) as ledger:
            return ledger.events().to_pylist()  # type: ignore[no-any-return]  # pyarrow is untyped

    def copies(self, home: str) -> dict[Path, int]:
        """The files that a home copied, and when each was written."""
        found = sorted((self.homes / home / "ledger" / "copies").iterdir())
        return {path: path.stat().st_mtime_ns for path in found}

    def table(self) -> DeltaTable:
        return DeltaTable(self.url, storage_options=self.options)

    def names(self, part: str) -> list[str]:
        """Objects whose name has this part."""
        found = self.store.get_file_info(pafs.FileSelector("", recursive=True))
        return sorted(one.path for one in found if part in one.path and one.type == pafs.FileType.File)

    def get(self, name: str) -> bytes:
        with self.store.open_input_stream(name) as file:
            return bytes(file.read())

    def put(self, name: str, data: bytes) -> None:
        with self.store.open_output_stream(name) as file:
            file.write(data)

    def state(self) -> dict[str, bytes]:
        return {name: self.get(name) for name in self.names("")}

    def set_back(self, state: dict[str, bytes]) -> None:
        for name in set(self.names("")) - set(state):
            self.store.delete_file(name)
        for name, data in state.items():
            self.put(name, data)
        assert self.state() == state


@pytest.fixture
def bucket(request: pytest.FixtureRequest, s3: S3, tmp_path: Path) -> Bucket:
    """A ledger of three commits, which the home `one` has made and read."""
    name = "".join(letter if letter.isalnum() else "-" for letter in request.node.name)
    made = Bucket(f"s3://bucket/{name}/ledger", s3, tmp_path)
    with made.opened("one") as ledger:
        lend_in_a_ring(ledger)
        for bank in ("late", "later"):
            commit(ledger, *banks(bank))
        assert ledger.events().num_rows
    return made


@ways
def test_a_spoiled_copy_is_copied_anew_and_every_answer_is_the_same(
    spoil: Spoil, bucket: Bucket, caplog: pytest.LogCaptureFixture
) -> None:
    rows, (copy, *others) = bucket.rows("one"), bucket.copies("one")
    with bucket.opened("one") as ledger:
        asked = [AsOf(START, ledger.known(number)) for number in (1, 3)]
        calm, data = [tables(ledger.view(at)) for at in asked], copy.read_bytes()
    shutil.rmtree(bucket.homes / "one" / "cache")
    kept = bucket.copies("one")
    spoil(copy)
    with caplog.at_level(logging.WARNING), bucket.opened("one") as ledger:
        assert ledger.events().to_pylist() == rows
        assert [tables(ledger.view(at)) for at in asked] == calm
    assert f"{copy.parent}: changed, cut or gone: {copy.name} (1 of them); copied anew from {bucket.url}" in caplog.text
    assert copy.read_bytes() == data
    caplog.clear()
    now = bucket.copies("one")
    assert [now[other] for other in others] == [kept[other] for other in others], "what is whole is not copied again"
    assert bucket.rows("one") == rows and bucket.copies("one") == now and not caplog.text


def test_a_store_filled_from_copies_that_were_spoiled_has_the_same_graph(bucket: Bucket) -> None:
    hashes = []
    for name in ("calm", "spoiled"):
        if name == "spoiled":
            for number, copy in enumerate(bucket.copies("one")):
                (flip, cut, Path.unlink)[number](copy)
        with bucket.opened("one") as ledger:
            store = open_store(f"arcadedb://{bucket.homes}/{name}?heap=512m", bucket.homes)
            store.sync(ledger)
            hashes.append(store.graph_hash())
            store.close()
    assert hashes[0] == hashes[1]


def test_an_object_that_is_cut_gone_or_no_parquet_file_is_named_and_who_has_a_copy_goes_on(bucket: Bucket) -> None:
    rows = bucket.rows("one")
    for name, damage, told in zip(
        bucket.names(".parquet"),
        (lambda data: data[: len(data) // 2], lambda data: data[:8], lambda data: b"x" * len(data)),
        (r"has \d+ bytes, but the log of its table says \d+", "has 8 bytes, but", r"cannot be read \(.*\)"),
        strict=True,
    ):
        whole = bucket.get(name)
        bucket.put(name, damage(whole))
        with pytest.raises(LedgerError, match=rf"(?s){bucket.url}/{name} {told}.*restore it from a backup"):
            bucket.opened("two")
        assert bucket.rows("one") == rows
        bucket.store.delete_file(name)
        with pytest.raises(LedgerError, match=f"{bucket.url}/{name} is gone, but the log of its table names it"):
            bucket.opened("two")
        bucket.put(name, whole)
    assert bucket.rows("two") == rows, "what was refused left nothing behind"


def test_an_object_that_changed_since_it_was_copied_is_not_copied_again(bucket: Bucket) -> None:
    (copy, *_), (name, *_) = bucket.copies("one"), bucket.names(".parquet")
    flip(copy)
    bucket.put(name, copy.read_bytes())
    copy.unlink()
    with pytest.raises(LedgerError, match=f"{bucket.url}/{name} has another sha256 than when this home copied it"):
        bucket.opened("one")
    assert not copy.exists()


def test_a_bucket_that_was_set_back_is_refused_by_a_home_that_saw_more_and_taken_by_a_new_one(bucket: Bucket) -> None:
    bucket.rows("two")
    old, rows = bucket.state(), bucket.rows("one")
    with bucket.opened("one") as ledger:
        assert commit(ledger, *banks("acknowledged")) == 4
    bucket.set_back(old)
    for _ in range(2):
        with pytest.raises(
            LedgerError, match=f"{bucket.url} ends at commit 3, but this home has seen commit 4.*{REFUSED}"
        ):
            bucket.opened("one")
    with pytest.raises(LedgerError, match=r"ends at commit 3, but this home has seen commit 4"):
        move_here(bucket.homes / "one" / "ledger", bucket.options)
    assert bucket.rows("new") == bucket.rows("two") == rows
    with bucket.opened("new") as ledger:
        assert commit(ledger, *banks("another")) == 4
    with pytest.raises(LedgerError, match=f"has not the commit 4 that this home has seen.*{REFUSED}"):
        bucket.opened("one")
    with bucket.opened("two") as ledger:
        assert commit(ledger, *banks("further")) == 5
    with pytest.raises(LedgerError, match="has not the commit 4 that this home has seen"):
        bucket.opened("one")


def test_a_commit_to_a_bucket_that_was_set_back_while_it_was_open_is_refused(bucket: Bucket) -> None:
    old = bucket.state()
    with bucket.opened("one") as ledger:
        commit(ledger, *banks("fourth"))
        assert ledger.events().num_rows
        bucket.set_back(old)
        with pytest.raises(LedgerError, match=f"ends before what was read of it.*{REFUSED}"):
            commit(ledger, *banks("fifth"))
    assert bucket.state() == old, "no gap is left in the log"


def test_a_commit_to_a_bucket_that_went_another_way_while_it_was_open_is_refused(bucket: Bucket) -> None:
    old = bucket.state()
    with bucket.opened("one") as ledger:
        commit(ledger, *banks("fourth"))
        assert ledger.events().num_rows
        bucket.set_back(old)
        with bucket.opened("two") as other:
            assert [commit(other, *banks(name)) for name in ("other", "further")] == [4, 5]
        there = bucket.state()
        with pytest.raises(LedgerError, match=f"has not the commit 4 that this home has seen.*{REFUSED}"):
            commit(ledger, *banks("fifth"))
    assert bucket.state() == there, "nothing of it is written"


def test_what_others_commit_compact_and_clean_up_is_no_damage(bucket: Bucket, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING), bucket.opened("one") as reader, bucket.opened("two") as writer:
        for number in range(4):
            commit(writer, *banks(f"more{number}"))
            assert reader.head == 4 + number and reader.events().num_rows
        writer.compact(keep_hours=0)
        assert reader.events().to_pylist() == writer.events().to_pylist() == bucket.rows("one")
        seen = json.loads((bucket.homes / "one" / "ledger" / "seen.json").read_text())
        assert list(seen["files"]) == [path.name for path in bucket.copies("one")] and seen["head"] == 7
        bucket.table().create_checkpoint()
        commit(writer, *banks("after"))
        for name in bucket.names(".json"):  # as the library does with entries of more than 30 days ago
            if name.startswith("_delta_log/0") and int(Path(name).stem) <= seen["version"]:
                bucket.store.delete_file(name)
        assert bucket.rows("one") == reader.events().to_pylist() == bucket.rows("two") == bucket.rows("new")
        assert reader.head == 8
    assert not caplog.text


def test_copies_of_a_home_that_wrote_down_nothing_are_taken_in_unless_the_log_names_another_size(
    bucket: Bucket, caplog: pytest.LogCaptureFixture
) -> None:
    rows, (copy, *others) = bucket.rows("one"), bucket.copies("one")
    (bucket.homes / "one" / "ledger" / "seen.json").unlink()
    kept, data = bucket.copies("one"), copy.read_bytes()
    cut(copy)
    assert bucket.rows("one") == rows and copy.read_bytes() == data and copy.name in caplog.text
    now = bucket.copies("one")
    assert [now[other] for other in others] == [kept[other] for other in others]
    caplog.clear()
    flip(copy)
    assert bucket.rows("one") == rows and copy.name in caplog.text, "from here on each has its sha256"


def test_a_spoiled_note_of_what_was_seen_is_named_and_without_it_the_bucket_is_taken_as_it_is(bucket: Bucket) -> None:
    rows, note = bucket.rows("one"), bucket.homes / "one" / "ledger" / "seen.json"
    cut(note)
    with pytest.raises(LedgerError, match=r"seen\.json cannot be read.*or remove it"):
        bucket.opened("one")
    note.unlink()
    assert bucket.rows("one") == rows and json.loads(note.read_text())["head"] == 3


def test_a_ledger_that_moved_is_not_held_against_the_bucket_where_it_was(bucket: Bucket) -> None:
    rows, folder = bucket.rows("one"), bucket.homes / "one" / "ledger"
    move_here(folder, bucket.options)
    assert not (folder / "seen.json").exists() and not (folder / "copies").exists()
    for name in bucket.names(""):
        bucket.store.delete_file(name)
    move_to(folder, bucket.url, bucket.options)  # its log begins anew, with the same commits
    assert bucket.rows("one") == rows
    assert json.loads((folder / "seen.json").read_text())["head"] == 3
