"""A ledger moves between an object store and a folder, and a person is erased from it where that can be done."""

from __future__ import annotations

from pathlib import Path
from shutil import copyfile

import pytest

from kg.erase import erase
from kg.errors import LedgerError
from kg.ledger import Ledger
from kg.model import ClaimBatch
from kg.moving import move_here, move_to
from kg.tombstones import FILE, KEY
from kgrisk.api import open as open_graph
from kgrisk.erasing import erase_person
from kgrisk.settings import Settings
from tests.erased_person import NAME, VERA, found_in, opened, write_world
from tests.ledger_world import RUN, bank, loan
from tests.s3_server import S3, SECRET


@pytest.fixture
def url(request: pytest.FixtureRequest) -> str:
    """A place of its own for each test."""
    return f"s3://bucket/{request.node.name}"


def at(url: str, s3: S3, folder: Path) -> Ledger:
    """The ledger as a machine whose own folder this is sees it."""
    return Ledger.open(url, storage_options=s3.options, beside=folder)


def rows(ledger: Ledger) -> list[dict[str, object]]:
    return ledger.events().to_pylist()  # type: ignore[no-any-return]  # pyarrow is untyped


def test_a_folder_without_a_ledger_is_not_moved_and_stays_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="holds no ledger and lies beside none"):
        move_here(tmp_path / "none")
    with pytest.raises(LedgerError, match="holds no ledger and lies beside none"):
        move_to(tmp_path / "none", "s3://bucket/ledger")
    assert not (tmp_path / "none").exists()
    Ledger.open(tmp_path / "here").close()
    with pytest.raises(LedgerError, match="expected a folder, or an object store such as s3://"):
        move_to(tmp_path / "here", "gs://bucket/ledger")
    move_here(tmp_path / "here")
    assert Ledger.open(tmp_path / "here").head == 0


@pytest.mark.slow
def test_a_ledger_moves_into_a_folder_and_into_a_bucket_again_and_stays_the_same(
    s3: S3, url: str, tmp_path: Path
) -> None:
    with at(url, s3, tmp_path / "one") as ledger:
        ledger.commit(ClaimBatch.of([bank("lei:A", "Alpha"), bank("lei:B", "Beta")]), RUN)
        was = ledger.uuid, rows(ledger)
    move_here(tmp_path / "one", s3.options)
    with Ledger.open(tmp_path / "one") as here:
        assert not here.place.remote and not (tmp_path / "one" / "copies").exists()
        assert (here.uuid, rows(here)) == was
        assert here.commit(ClaimBatch.of([loan(10)]), RUN) == 2
        said = rows(here)
        with pytest.raises(LedgerError, match="holds another table; name a place where nothing lies"):
            move_to(tmp_path / "one", url, s3.options)
        assert rows(here) == said, "what was refused changed nothing"
    for _ in range(2):  # as after a kill
        move_to(tmp_path / "one", f"{url}-new", s3.options)
    with pytest.raises(LedgerError, match=r"lies beside .*-new already; move the ledger here first"):
        move_to(tmp_path / "one", f"{url}-third", s3.options)
    assert not (tmp_path / "one" / "table").exists()
    with at(f"{url}-new", s3, tmp_path / "two") as two, at(f"{url}-new", s3, tmp_path / "one") as one:
        assert one.place.remote and (one.uuid, two.uuid) == (was[0], was[0])
        assert rows(one) == rows(two) == said
        assert two.commit(ClaimBatch.of([loan(20, "doc2")]), RUN) == 3 and one.head == 3
    assert SECRET not in (tmp_path / "one" / "ledger.json").read_text()


@pytest.mark.slow
def test_a_person_is_erased_once_the_ledger_has_moved_into_its_folder(
    s3: S3, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in s3.environment.items():
        monkeypatch.setenv(name, value)
    home, inputs = tmp_path / "home", write_world(tmp_path / "in")
    with open_graph(home, settings=Settings.load(home=home, ledger=url)) as graph:
        graph.ingest(inputs)
        with pytest.raises(
            LedgerError, match=r"erasing is not done in an object store.*Move the ledger into its folder"
        ):
            erase(graph.ledger, [VERA], lambda table: table, "r")
        kept = sorted(path.name for path in graph.files.folder.rglob("*"))
        with pytest.raises(LedgerError, match="erasing is not done in an object store"):
            erase_person(graph, [VERA], "case 7", "dpo")
        assert sorted(path.name for path in graph.files.folder.rglob("*")) == kept
        assert not (home / "erase.json").exists(), "what is refused is not begun"
    move_here(home / "ledger")
    with opened(home) as graph:
        assert erase_person(graph, [VERA], "case 7", "dpo").rows >= 8
    move_to(home / "ledger", f"{url}-new")
    assert found_in(home, VERA, NAME) == []
    with open_graph(home, settings=Settings.load(home=home, ledger=f"{url}-new")) as graph:
        assert graph.ledger.place.remote and VERA not in graph.ledger.labels()["id"].to_pylist()
        again = graph.ingest(inputs)
        assert not again.committed and all("erased" in one.reason for one in again.quarantined) and again.quarantined
        assert found_in(home, VERA, NAME) == [], "nor does anything of her come back from the bucket"
    other = tmp_path / "other"
    (other / "ledger").mkdir(parents=True)
    for name in (FILE, KEY):
        copyfile(home / "ledger" / name, other / "ledger" / name)
    with open_graph(other, settings=Settings.load(home=other, ledger=f"{url}-new")) as graph:
        assert {one.source for one in graph.ingest(inputs).quarantined} >= {"ftm", "trades"}
    assert found_in(other, VERA, NAME) == [], "nor on another machine that knows the tombstones"
