"""Places in registers: cells of a row, paths into JSON, attributes of XML, and tables parted by other marks."""

from __future__ import annotations

import pytest

from ingest.extract.formats.pointer import BROKEN, pointer, read_json
from ingest.extract.formats.table import columns_of, read_table
from ingest.locate import locate
from kg.errors import RecordError

JSON = '[{"a/b": {"c": [1.50, "Mü"]}}]'.encode()
XML = b'<e xmlns="urn:x"><n whole="A B" first=""/><n whole="C"/></e>'


def test_a_path_into_json_is_read_back_with_the_digits_of_the_file() -> None:
    assert locate(JSON, pointer([0, "a/b", "c", 0])) == "1.50"
    assert locate(JSON, "json:/0/a~1b/c/1") == "Mü"
    assert locate(JSON, "json:/0/a~1b") == '{"c":[1.50,"Mü"]}'


def test_lines_of_a_json_lines_file_are_a_list_and_a_bad_one_is_told() -> None:
    content = b'{"a": 1}\n{"a": 2\n\n{"a": 3}\r\n{"a": "x\xe2\x80\xa8y"}\n'
    assert read_json(content) == [{"a": 1}, BROKEN, None, {"a": 3}, {"a": "x\u2028y"}]
    assert locate(content, "json:/3/a") == "3"


@pytest.mark.parametrize("path", ["json:/9", "json:/0/x", "json:/0/a~1b/c/x", "json:/0/a~1b/c/1/2"])
def test_a_path_that_leads_nowhere_says_so(path: str) -> None:
    with pytest.raises(RecordError, match="leads nowhere"):
        locate(JSON, path)


@pytest.mark.parametrize("content", [b"", b"{", b"[NaN]", b"[" * 100_000])
def test_what_is_no_json_is_refused(content: bytes) -> None:
    with pytest.raises(RecordError, match="JSON"):
        read_json(content)


def test_an_attribute_is_read_back() -> None:
    assert locate(XML, "xpath:/e[1]/n[2]/@whole") == "C"
    with pytest.raises(RecordError, match="no attribute"):
        locate(XML, "xpath:/e[1]/n[2]/@first")


def test_some_cells_of_a_row_are_read_back() -> None:
    assert locate(b"a,b,c\n1,,3\n", "row:1 cells:c,b") == "3,"
    with pytest.raises(RecordError, match="row 1 or a column of x"):
        locate(b"a,b\n1,2\n", "row:1 cells:x")


@pytest.mark.parametrize("mark", [",", "\t", ";"])
def test_tables_are_parted_by_commas_tabs_or_semicolons(mark: str) -> None:
    content = f'a{mark}b\n1{mark}"x{mark}y"\n'.encode()
    assert columns_of(content) == ("a", "b")
    assert read_table(content).frame.row(0)[2:] == ("1", f"x{mark}y")
