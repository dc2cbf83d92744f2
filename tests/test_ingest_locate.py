"""Locators of every kind are read back, and those that lead nowhere say so."""

from __future__ import annotations

import json

import pytest

from ingest.extract.filings.submission import header, parts
from ingest.extract.formats.markup import Paths, find, inner, parse
from ingest.locate import locate, text_of
from kg.errors import RecordError
from kg.model import RunManifest
from tests.ingest_reading import DATA

PAGE = b"""<html><head><title>A  page</title><script>no()</script></head><body><ix:header>hidden</ix:header>
<p>One <b>bold</b>&nbsp;line<!-- a remark -->.</p><table><tr><td>Cash</td><td>12</td></tr></table>tail</body></html>"""
XML = b'<?xml version="1.0"?><a xmlns:n="urn:n"><b>1</b><b>2 <c>x</c>\n y</b><n:b>3</n:b></a>'


def test_the_text_of_a_page_is_one_line_per_block_without_what_is_hidden() -> None:
    assert text_of(PAGE) == "A page\nOne bold line.\nCash 12\ntail"
    assert locate(PAGE, "chars:7-15") == "One bold"


def test_plain_text_and_json_are_read_as_they_stand_and_articles_as_articles() -> None:
    assert locate(b"plain words", "chars:6-11") == "words"
    article = json.dumps({"title": "Loss", "body": "Acme lost.", "published": "2024-01-02"}).encode()
    assert locate(article, "chars:5-9", source="news") == "Acme"
    assert locate(article, "chars:2-7", source="filings") == "title"


def test_paths_count_children_by_local_name() -> None:
    root = parse(XML)
    paths = [Paths().of(element) for element in root.iter()]
    assert paths == ["/a[1]", "/a[1]/b[1]", "/a[1]/b[2]", "/a[1]/b[2]/c[1]", "/a[1]/b[3]"]
    assert inner(find(root, "/a[1]/b[2]")) == "2 x y"
    assert locate(XML, "xpath:/a[1]/b[3]") == "3"


def test_parts_of_a_submission_are_documents_of_their_own() -> None:
    content = (DATA / "submission-tiny.txt").read_bytes()
    assert [part.type for part in parts(content)] == ["8-K", "EX-99"]
    assert locate(content, "part:1 chars:0-10") == "Item 1.01."
    assert locate(content, "part:2 chars:0-11") == "An exhibit."
    name = header(content).parties[0].values["name"]
    assert locate(content, name.locator) == "OAKMERE TURBINES INC"


def test_rows_are_read_back_alone_and_summed() -> None:
    content = (DATA / "payments-tiny.csv").read_bytes()
    assert locate(content, "rows:1,3 sum:amount") == "count 2, sum 1210.5"
    assert locate(content, "row:2") == "2,2024-01-03T09:00:00Z,1001,2002,75,EUR,"


def test_a_row_of_a_run_is_read_from_its_manifest() -> None:
    manifest = RunManifest("resolve", {"rows": ["a = b: equal names", "c = d: equal LEI"]})
    assert locate(manifest.to_bytes(), f"run:{manifest.id} row:1") == "c = d: equal LEI"


@pytest.mark.parametrize(
    ("content", "locator", "said"),
    [
        (b"abc", "chars:0-9", "outside the text of 3 characters"),
        (XML, "xpath:/a[1]/z[1]", "leads nowhere"),
        (b"a,b\n1,2\n", "row:2", "the table has 1 rows"),
        (b"a,b\n1,2\n", "rows:1,2 sum:a", "not in the table"),
        (b"abc", "part:1 chars:0-1", "the submission has 0 documents"),
        (b"abc", "page 3", "of no known kind"),
    ],
)
def test_a_locator_that_leads_nowhere_says_so(content: bytes, locator: str, said: str) -> None:
    with pytest.raises(RecordError, match=said):
        locate(content, locator)


def test_xml_entities_are_not_expanded() -> None:
    bomb = b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]><a><b>&x;</b></a>'
    assert inner(parse(bomb)) == ""
