"""A ledger lies in a folder of almost any name: what addresses and patterns take for signs is a letter there."""

from __future__ import annotations

from pathlib import Path

import pytest

from kg.changes import EVENTS
from kg.errors import LedgerError
from kg.ledger import Ledger
from kg.model import AsOf, ClaimBatch
from tests.ledger_world import RUN, bank, loan

NAMES = {
    "a b": "a",
    "100%": "100",
    "a#b": "a",
    "a?b": "axb",
    "a*b": "axb",
    "{a,b}": "a",
    "a'b": "a",
    'a"b': "a",
    "a=b": "a",
    "a&b+c;d": "a",
    "\u00e4\u20ac": "a",
    "\U0001f3e6": "a",
    "~a": "a",
}
"""Names of folders, and what each would be as an address or a pattern."""
REFUSED = {"a%20b": "a b", "a%2Fb": "a/b", "a\\b": "a/b", "[ab]": "a", "a^b": "a", "a|b": "a", "a\nb": "ab"}
"""Names that the library of the table takes for another folder or for none, and which."""


@pytest.mark.parametrize(("name", "other"), NAMES.items())
def test_a_folder_holds_a_ledger_whatever_its_name_would_mean_elsewhere(tmp_path: Path, name: str, other: str) -> None:
    folder = tmp_path / name / "ledger"
    with Ledger.open(tmp_path / other / "ledger") as beside:
        beside.commit(ClaimBatch.of([bank("lei:X", "Other")]), RUN)
    with Ledger.open(folder) as ledger:
        ledger.commit(ClaimBatch.of([bank("lei:A", "Alpha"), bank("lei:B", "Beta")]), RUN)
    with Ledger.open(folder) as ledger, Ledger.open(folder) as reader:
        ledger.commit(ClaimBatch.of([loan(10)]), RUN)
        assert (reader.head, reader.events().num_rows) == (2, ledger.events().num_rows)
        assert ledger.view(AsOf()).edges.num_rows == 1
        assert set(ledger.events().schema.names) == set(EVENTS.names), "a name like a=b is no column"
        before = ledger.events()
        ledger.compact(keep_hours=0)
        assert ledger.events().equals(before) and reader.events().equals(before)
        ledger.place.copy(tmp_path / "copies" / name)
    with Ledger.open(tmp_path / "copies" / name) as copy:
        assert (copy.uuid, copy.events()) == (ledger.uuid, before)
    spoil(folder)
    with pytest.raises(LedgerError, match="cannot be read: it was changed on disk"):
        Ledger.open(folder)


@pytest.mark.parametrize(("name", "other"), REFUSED.items())
def test_a_name_that_leads_the_table_astray_is_refused_and_nothing_is_written_or_read_elsewhere(
    tmp_path: Path, name: str, other: str
) -> None:
    with Ledger.open(tmp_path / other / "ledger") as beside:
        beside.commit(ClaimBatch.of([bank("lei:X", "Other")]), RUN)
    with pytest.raises(LedgerError, match=r"no ledger can lie below a name with .*name another folder"):
        Ledger.open(tmp_path / name / "ledger")
    assert not (tmp_path / name).exists()
    with Ledger.open(tmp_path / "plain" / "ledger") as ledger:
        ledger.commit(ClaimBatch.of([bank("lei:A", "Alpha")]), RUN)
        with pytest.raises(LedgerError, match="no ledger can lie below a name with"):
            ledger.place.copy(tmp_path / name / "ledger")
    (tmp_path / "plain").rename(tmp_path / name)
    with pytest.raises(LedgerError, match="no ledger can lie below a name with"):
        Ledger.open(tmp_path / name / "ledger")


def spoil(folder: Path) -> None:
    """One bit of the table's first file."""
    path = min((folder / "table").glob("*.parquet"))
    data = bytearray(path.read_bytes())
    data[100] ^= 1
    path.write_bytes(data)


def test_a_ledger_that_was_opened_by_a_relative_path_stays_where_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    with Ledger.open(Path("a b")) as ledger:
        ledger.commit(ClaimBatch.of([bank("lei:A", "Alpha")]), RUN)
        monkeypatch.chdir(tmp_path / "elsewhere")
        assert ledger.events().num_rows == 2
