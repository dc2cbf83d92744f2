"""Failures that are not the record's: the run stops, or reads the record again; nothing of it is staged."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ingest.pipeline import extract, run
from ingest.report import RunReport
from ingest.source import Models, Record
from ingest.sources.filings import Filings
from kg.errors import KgRiskError, MissingExtraError, RecordError, SourceError
from kg.files import Files
from kg.ledger import Ledger
from kg.model import Claim
from tests.ingest_reading import DATA

Claims = Callable[[Filings, Record, Models], Iterator[Claim]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    inputs = tmp_path / "inputs"
    inputs.mkdir()
    shutil.copy(DATA / "form4-tiny.xml", inputs)
    return inputs


def ingest(inputs: Path, ledger: Ledger) -> RunReport:
    home = ledger.folder.parent
    return run(inputs, ledger, Files(home / "files"), home, sources=("filings",))


def raising(error: Exception) -> Claims:
    def claims(source: Filings, record: Record, models: Models) -> Iterator[Claim]:
        raise error
        yield  # a generator fails when it is read, as most sources do

    return claims


def silent(source: Filings, record: Record, models: Models) -> Iterator[Claim]:
    yield from ()


STOPPING = [
    (MissingExtraError("reading this needs a package; install it"), MissingExtraError, "install it"),
    (ModuleNotFoundError("No module named 'lxml'"), MissingExtraError, "No module named 'lxml'; install"),
    (OSError(errno.ENOSPC, "No space left on device"), SourceError, "form4-tiny.xml: .*No space left .* run again"),
    (SourceError("the folder went away; mount it"), SourceError, "mount it"),
]


@pytest.mark.parametrize(("error", "kind", "message"), STOPPING)
def test_what_is_wrong_with_the_machine_stops_the_run_and_is_forgotten_once_mended(
    error: Exception, kind: type[KgRiskError], message: str, folder: Path, ledger: Ledger
) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Filings, "claims", raising(error))
        with pytest.raises(kind, match=message) as caught:
            ingest(folder, ledger)
        assert not isinstance(caught.value, RecordError)
        with pytest.raises(kind, match=message):
            list(extract("filings", [folder / "form4-tiny.xml"]))
    assert ledger.head == 0 and not [f for f in (ledger.folder.parent / "staging").rglob("*") if f.is_file()]
    mended = ingest(folder, ledger)
    assert mended.quarantined == [] and mended.claims == ledger.alive().num_rows > 5


@pytest.mark.parametrize("error", [ZeroDivisionError("division by zero"), OSError("cannot identify image")])
def test_an_unexpected_failure_is_quarantined_and_the_record_read_again(
    error: Exception, folder: Path, ledger: Ledger
) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Filings, "claims", raising(error))
        (told,) = ingest(folder, ledger).quarantined
        assert told.path == "form4-tiny.xml" and "please report it" in told.reason
    mended = ingest(folder, ledger)
    assert (mended.sources["filings"].resumed, mended.quarantined) == (0, []) and mended.claims > 5


def test_what_a_record_is_refused_for_is_staged(folder: Path, ledger: Ledger) -> None:
    (folder / "form4-tiny.xml").write_text("<ownershipDocument></ownershipDocument>")
    first, again = ingest(folder, ledger), ingest(folder, ledger)
    assert again.sources["filings"].resumed == 1 and again.quarantined == first.quarantined != []


def test_an_extractor_that_says_nothing_more_retracts_all_it_said(
    folder: Path, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    ingest(folder, ledger)
    monkeypatch.setattr(Filings, "extractor", "filings.form@99")
    monkeypatch.setattr(Filings, "claims", silent)
    report = ingest(folder, ledger)
    assert (report.commit, report.claims, ledger.alive().num_rows) == (2, 0, 0)


def test_an_extractor_that_refuses_the_whole_retracts_nothing(
    folder: Path, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = ingest(folder, ledger).claims
    monkeypatch.setattr(Filings, "extractor", "filings.form@99")
    monkeypatch.setattr(Filings, "claims", raising(RecordError("cannot be read")))
    report = ingest(folder, ledger)
    assert not report.committed and ledger.alive().num_rows == before
