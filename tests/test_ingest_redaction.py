"""Redaction: what is said of one person is gone from a file, and every other place in it reads back as before."""

from __future__ import annotations

import io
import json

import polars as pl
import pytest
from PIL import Image

from ingest.blot import Blot
from ingest.locate import locate
from ingest.redaction import Cite, Left, redact

NAME = "Zoë Müller-Ng"
HER = Blot([NAME, "person:abc123"], ["Zoë Müller-Ng Holding Ltd"])


def cite(content: bytes, locator: str, *words: str, source: str = "filings") -> Cite:
    return Cite(locator, locate(content, locator, source), source, words)


def redacted(content: bytes, gone: list[Cite], kept: list[Cite]) -> tuple[bytes, Left]:
    """What is left; every place of others is read back here once more."""
    left = redact(content, gone, kept, HER)
    assert left.content is not None and not HER.finds_in(left.content)
    for own in kept:
        now = locate(left.content, own.locator, own.source)
        assert now == left.quotes.get((own.locator, own.source), own.quote) and len(now) == len(own.quote)
    return left.content, left


def test_a_sentence_of_a_text_is_covered_and_the_places_after_it_stay() -> None:
    text = f"Before. {NAME} sold her stake. The bank lost 40 million. zoë  müller-ng again; {NAME} Holding Ltd stays."
    content = text.encode()
    begin, end = text.index(NAME), text.index(" The bank")
    after = cite(content, f"chars:{end + 1}-{end + 30}")
    left, _ = redacted(content, [cite(content, f"chars:{begin}-{end}")], [after])
    told = left.decode()
    assert len(told) == len(text) and "stake" not in told and "again; Zoë Müller-Ng Holding Ltd stays." in told
    assert told.startswith("Before. ███ ██████-██ ████ ███ █████.")


@pytest.mark.parametrize("code", ["utf-8-sig", "cp1252", "utf-16"])
def test_any_encoding_keeps_its_encoding(code: str) -> None:
    text = f"{NAME} left. Others stayed at Größe 7."
    content = text.encode(code)
    kept = cite(content, f"chars:{text.index('Others')}-{len(text)}")
    left, _ = redacted(content, [], [kept])
    assert left.decode(code)[len(NAME) :] == text[len(NAME) :] and left[:2] == (
        content[:2] if code != "cp1252" else b"**"
    )


def test_a_page_keeps_its_tags_and_the_text_behind_them() -> None:
    page = (
        b"<html><body><p>Mrs <b>Zo&euml;</b> <i>M&uuml;ller-Ng</i> owns a fifth.</p><p>The bank owes &pound;4.</p>"
        b"<table><tr><td>Zo&#235; M&#252;ller-Ng</td><td>12</td></tr><tr><td>Bank</td><td>13</td></tr></table>"
        b"</body></html>"
    )
    kept = [cite(page, "table:1 row:2 cell:1"), cite(page, "table:1 row:2 cell:2")]
    left, _ = redacted(page, [], kept)
    assert b"<b>" in left and b"&uuml;" not in left


def test_of_a_row_that_others_share_what_they_say_of_it_stays() -> None:
    rows = (f"person:abc123,{NAME},1970-01-02,lei:XYZ,40", "person:zzz999,Otto,1971-01-02,lei:XYZ,50")
    table = "\n".join(("id,name,born,bank,amount", *rows, ""))
    content = table.encode()
    hers = cite(content, "row:1", "person:abc123", "lei:XYZ")
    bank = cite(content, "row:1", "lei:XYZ")
    other = cite(content, "row:2", "person:zzz999", "lei:XYZ")
    left, what = redacted(content, [hers], [bank, other])
    assert left.decode().splitlines()[1] == "██████:██████,███ ██████-██,████-██-██,lei:XYZ,██"
    assert left.decode().splitlines()[2] == table.splitlines()[2] and set(what.quotes) == {("row:1", "filings")}
    alone, _ = redacted(content, [hers], [other])
    assert "lei:XYZ" not in alone.decode().splitlines()[1]
    cells = Cite("row:2 cells:born", "1971-01-02", "filings")
    part, _ = redacted(content, [cells], [cite(content, "row:1 cells:bank")])
    assert "person:zzz999,Otto,████-██-██,lei:XYZ,50" in part.decode()


def test_a_parquet_table_keeps_its_types() -> None:
    sink = io.BytesIO()
    pl.DataFrame({"who": [NAME, "Otto"], "amount": [40, 50]}).write_parquet(sink)
    content = sink.getvalue()
    left, _ = redacted(content, [cite(content, "row:1")], [cite(content, "row:2")])
    assert pl.read_parquet(io.BytesIO(left)).to_dict(as_series=False) == {
        "who": ["███ ██████-██", "Otto"],
        "amount": [None, 50],
    }


def test_a_record_of_a_json_file_is_emptied_and_others_keep_their_pointers() -> None:
    told = [{"id": 1, "name": NAME, "share": 12.50}, {"id": 2, "name": "Otto", "share": 1.10, "of": {"x": NAME}}]
    for content in (json.dumps(told).encode(), "\n".join(map(json.dumps, told)).encode()):
        gone, kept = cite(content, "json:/0/name"), [cite(content, "json:/1/name"), cite(content, "json:/1/share")]
        left, _ = redacted(content, [gone], kept)
        assert locate(left, "json:/0/share") == "null" and locate(left, "json:/1/of/x") == "███ ██████-██"


def test_an_xml_element_keeps_the_path_of_the_others() -> None:
    content = f"<r><p><n>{NAME}</n><s>director of it</s></p><p><n>Otto Brandt</n></p></r>".encode()
    gone = [cite(content, "xpath:/r[1]/p[1]/n[1]"), cite(content, "xpath:/r[1]/p[1]/s[1]")]
    left, _ = redacted(content, gone, [cite(content, "xpath:/r[1]/p[2]/n[1]")])
    assert left.decode() == "<r><p><n>███ ██████-██</n><s>████████ ██ ██</s></p><p><n>Otto Brandt</n></p></r>"


def test_a_box_of_a_picture_is_painted_over_and_nothing_else() -> None:
    sink = io.BytesIO()
    Image.new("RGB", (60, 40), (250, 250, 250)).save(sink, "PNG")
    left = redact(sink.getvalue(), [Cite("page:1 box:10,10,30,20", NAME, "images")], [], HER).content
    assert left is not None
    with Image.open(io.BytesIO(left)) as made:
        assert made.getpixel((20, 15)) == (0, 0, 0) and made.getpixel((40, 30)) == (250, 250, 250)


def test_a_file_in_which_a_place_cannot_be_covered_goes_as_a_whole() -> None:
    for content in (b"%PDF-1.7 \0\0", b"RIFF\0\0\0\0WAVEfmt "):
        left = redact(
            content, [Cite("page:1 chars:0-4", NAME, "pdf")], [Cite("page:1 chars:9-12", f"of {NAME}", "pdf")], HER
        )
        assert left.content is None and left.quotes == {("page:1 chars:9-12", "pdf"): "of ███ ██████-██"}
    text = b"nothing of what was quoted stands here"
    assert redact(text, [Cite("table:1 row:1", "words that are not there", "filings")], [], HER).content is None


def test_a_name_is_found_in_both_orders_with_a_comma_and_without() -> None:
    own = Blot(["Vera Lomskaya", "Ng, Ana-Maria", "Juan Perez Diaz"], ["Lomskaya Vera Steel"])
    written = "lomskaya vera/LOMSKAYA,VERA/Lomskaya, Vera/lomskaya+vera/q=Lomskaya%2C+Vera/vera_lomskaya"
    for text in written.split("/"):
        assert own.finds(text) and own.finds_in(text.encode()), text
    for text in ("Ana-Maria Ng", "ng ana-maria", "Perez Diaz, Juan", "diaz juan perez"):
        assert own.finds(text), text
    assert not any(map(own.finds, ("Lomskaya Vera Steel", "Vera of Lomskaya", "Juan Diaz", "Lomskaya")))
    assert own.cover("by lomskaya vera, twice") == "by ████████ ████, twice"


def test_short_and_shared_words_are_left_alone_and_slugs_are_found() -> None:
    own = Blot(["Li", "Anna Lee"], ["Anna Lee & Sons", "Joanna Leeds"])
    assert own.words == ["Anna Lee"]
    assert own.cover("Li met ANNA  LEE of Anna Lee & Sons, Joanna Leeds, /anna-lee/ and Lee, Anna") == (
        "Li met ████  ███ of Anna Lee & Sons, Joanna Leeds, /████-███/ and ███, ████"
    )
    assert own.finds_in(b"x\0\0Anna Lee7") and not own.finds_in(b"Joanna Leeds")
    assert own.finds_in("Anna Lee".encode("utf-16")) and not Blot([]).finds_in(b"anything")
