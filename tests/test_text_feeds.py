"""Feeds, posts, pages and tables of headlines become documents, and what is none of these is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ingest.extract.news.article import read_article
from ingest.extract.news.feed import is_feed, items
from ingest.extract.text.language import language
from ingest.locate import locate
from ingest.source import Extract, Models, Record
from ingest.sources.news import News
from kg.errors import RecordError
from kg.model import digest

ITEM = (
    "<item>\n<title>Brent &amp; Sons plc</title><link>https://example.org/1</link><dc:creator>Ann Roe</dc:creator>"
    "<description>&lt;p&gt;It fell&nbsp;3%.&lt;/p&gt;&lt;p&gt;Then rose.&lt;/p&gt;</description>"
    "<pubDate>Wed, 05 Apr 2023 09:30:00 +0200</pubDate></item>"
)
RSS = f'<?xml version="1.0" encoding="utf-8"?>\n<rss version="2.0"><channel><title>x</title>{ITEM}</channel></rss>'


def records(tmp_path: Path, name: str, content: bytes | str) -> list[Record]:
    (tmp_path / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return list(News(tmp_path).records())


def props(record: Record) -> dict[str, object]:
    """What an article says of its document, each value read back from where it says it stands."""
    table = Extract.of(News(Path("."), []).claims(record, Models())).claims.table.to_pylist()
    assert all(locate(record.content, row["locator"], "news") == row["quote"] for row in table)
    values = {row["name"]: row["value_text"] or row["value_int"] for row in table if row["kind"] == "property"}
    return values | {"published": table[0]["published"].isoformat()}


def refused(record: Record) -> str:
    with pytest.raises(RecordError) as error:
        News(Path("."), []).claims(record, Models())
    return str(error.value)


def test_an_item_of_a_feed_is_a_document_of_its_own_bytes(tmp_path: Path) -> None:
    [record] = records(tmp_path, "a.rss", RSS)
    assert record.content == ITEM.encode() and record.document == digest(ITEM.encode())
    said = props(record)
    assert (said["title"], said["text"]) == ("Brent & Sons plc", "It fell 3%.\nThen rose.")
    assert (said["author"], said["url"]) == ("Ann Roe", "https://example.org/1")
    assert said["published"] == "2023-04-05T07:30:00+00:00"


def test_an_atom_entry_has_its_link_time_and_text_in_xhtml(tmp_path: Path) -> None:
    entry = (
        '<entry><title type="html">A &amp;lt; B</title><link rel="self" href="x"/><link href="https://example.org/2"/>'
        "<author><name>Bo</name></author><updated>2023-04-06T00:00:00Z</updated><published>2023-04-05T00:00:00Z"
        '</published><content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>One.</p><p>Two.</p></div>'
        "</content></entry>"
    )
    [record] = records(tmp_path, "a.xml", f'<feed xmlns="http://www.w3.org/2005/Atom">{entry}</feed>')
    said = props(record)
    assert (said["title"], said["text"], said["author"]) == ("A < B", "One.\nTwo.", "Bo")
    assert (said["url"], said["published"]) == ("https://example.org/2", "2023-04-05T00:00:00+00:00")


def test_rdf_items_and_markup_words_inside_text_are_told_apart() -> None:
    rdf = b"""<rdf:RDF xmlns="http://purl.org/rss/1.0/" xmlns:rdf="r"><channel><items/></channel>
    <item><title><![CDATA[the </item> tag]]></title></item><!-- <item> --><item><title>b</title></item></rdf:RDF>"""
    assert is_feed(rdf)
    assert [read_article(item).title for item in items(rdf)] == ["the tag", "b"]


def test_an_item_without_a_time_is_public_when_its_feed_was_built(tmp_path: Path) -> None:
    feed = (
        "<rss><channel><lastBuildDate>Wed, 05 Apr 2023 09:30:00 GMT</lastBuildDate>"
        "<item><title>Quiet day</title></item></channel></rss>"
    )
    assert props(*records(tmp_path, "a.rss", feed))["published"] == "2023-04-05T09:30:00+00:00"


def test_a_feed_cut_off_keeps_its_whole_items(tmp_path: Path) -> None:
    first, torn = records(tmp_path, "a.rss", RSS.replace("</channel></rss>", "<item><title>to"))
    assert props(first)["title"] == "Brent & Sons plc"
    assert "cut off" in refused(torn)


def test_a_feed_that_declares_entities_is_refused_and_reads_nothing(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("hidden")
    bomb = f'<!DOCTYPE rss [<!ENTITY a SYSTEM "file://{secret}">]>{RSS.split("?>")[1]}'.replace("Ann Roe", "&a;")
    [record] = records(tmp_path, "a.rss", bomb)
    assert "declares entities" in refused(record)
    assert "hidden" not in str(read_article(ITEM.replace("Ann Roe", "&a;").encode()).fields)


@pytest.mark.parametrize("name", ["a.rss", "a.atom"])
@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n", b"version https://git-lfs.example/spec/v1\noid x"])
def test_what_only_calls_itself_a_feed_is_refused(tmp_path: Path, name: str, content: bytes) -> None:
    [record] = records(tmp_path, name, content)
    assert refused(record)


def test_xml_that_is_no_feed_is_left_to_others(tmp_path: Path) -> None:
    assert records(tmp_path, "a.xml", '<?xml version="1.0"?><ownershipDocument><item/></ownershipDocument>') == []


@pytest.mark.parametrize("encoding", ["utf-16", "gb2312", "utf-8"])
def test_feeds_in_other_encodings_are_read(tmp_path: Path, encoding: str) -> None:
    feed = RSS.replace("Brent &amp; Sons plc", "远山银行").replace('"utf-8"', f'"{encoding}"')
    assert props(*records(tmp_path, "a.rss", feed.encode(encoding)))["title"] == "远山银行"


def test_a_post_carries_author_reach_and_what_it_repeats(tmp_path: Path) -> None:
    post = {
        "id": 7,
        "full_text": "So it begins 📉\ud83d",
        "user": {"screen_name": "harbour", "followers_count": 12},
        "created_at": "Wed Apr 05 09:30:00 +0000 2023",
        "in_reply_to_status_id": 5,
        "lang": "en",
    }
    said = props(*records(tmp_path, "a.jsonl", json.dumps(post)))
    assert (said["author"], said["reach"], said["identifier"], said["statement"]) == ("harbour", 12, "post:7", "5")
    assert said["text"] == "So it begins 📉\ufffd"


def test_a_reach_that_is_no_number_is_refused_and_the_post_kept(tmp_path: Path) -> None:
    [record] = records(tmp_path, "a.jsonl", '{"text": "x y z", "date": "2023-04-05", "reach": "many"}')
    found = News(Path("."), []).claims(record, Models())
    assert [r.locator for r in found.refused] == ["field:reach"] and len(found.claims)


def test_json_lines_of_other_sources_are_left_to_them(tmp_path: Path) -> None:
    assert records(tmp_path, "a.jsonl", '{"id": "x", "schema": "Company", "properties": {"name": ["X"]}}\n') == []
    nested = records(tmp_path, "a.jsonl", b"[" * 100_000)
    assert "not one JSON object" in refused(*nested)


def test_each_row_of_a_table_of_headlines_is_a_document_with_its_header(tmp_path: Path) -> None:
    table = (
        'date,Title,n\r\n2023-04-05 09:30:00,"Acme, ""Beta"" and\nGamma rise again",1\r\n'
        ",Fell two per cent,2\r\nx,y\r\n"
    )
    first, dateless, short = records(tmp_path, "a.csv", table)
    assert first.content == b'date,Title,n\n2023-04-05 09:30:00,"Acme, ""Beta"" and\nGamma rise again",1'
    assert props(first)["title"] == 'Acme, "Beta" and\nGamma rise again'
    assert props(first)["published"] == "2023-04-05T09:30:00+00:00"
    assert "no publication time" in refused(dateless)
    assert "2 cells" in refused(short)


def test_a_quote_that_is_never_closed_spoils_one_row(tmp_path: Path) -> None:
    found = records(tmp_path, "a.csv", 'date,title\n2023-04-05,"torn off here\n2023-04-05,Acme plc rises again\n')
    assert "quotes" in refused(found[0])
    assert props(found[1])["title"] == "Acme plc rises again"


def test_a_table_without_dates_was_public_when_it_was_read(tmp_path: Path) -> None:
    [record] = records(tmp_path, "a.csv", "S No.,Title\n1,Acme plc rises again\n")
    found = News(Path("."), []).claims(record, Models())
    assert found.rules == {"published.when_read": 1}
    assert found.claims.table["published"][0].as_py() == record.meta["read"]


def test_menus_adverts_and_lists_of_links_are_no_text_of_a_page() -> None:
    page = b"""<html><head><title>T</title><meta name="published" content="2023-04-05"></head><body class="has-sidebar">
    <header><div class="top-menu"><p>Home Markets</p></div></header><article><div class="ad-slot"><p>Buy now</p></div>
    <p>Said <a href="x">Acme</a> here.</p><ul><li><a href="y">Read also this</a></li><li>A point</li></ul>
    <blockquote><p>Quoted once.</p></blockquote><div class="related"><p>More stories</p></div></article>
    <article><p>Teaser</p></article><div id="comments"><p>First!</p></div></body></html>"""
    assert read_article(page).body == "Said Acme here.\nA point\nQuoted once."


def test_a_page_whose_wrapper_is_marked_keeps_its_text() -> None:
    page = b'<html><meta name="published" content="2023-04-05"><body><div class="social"><p>All of it.</p></div></body>'
    assert read_article(page).body == "All of it."


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Acme plc rose 3%", "en"),
        ("瑞银将Acme plc评级上调，称前景良好", "zh"),
        ("三井物産は新しい工場をつくると発表した", "ja"),
        ("삼성전자는 새 공장을 짓는다", "ko"),
        ("Die Bank hat der Firma für den Bau einen Kredit gegeben und ist mit der Lage nicht zufrieden", "de"),
        ("Банк дал кредит", ""),
        ("12 345", ""),
    ],
)  # fmt: skip
def test_the_language_is_told_by_script_and_common_words(text: str, code: str) -> None:
    assert language(text) == code


@pytest.mark.parametrize(
    ("written", "public"),
    [
        ("2023-04-05", "2023-04-06T00:00:00+00:00"),  # nobody had read it at its midnight
        ("20230405", "2023-04-06T00:00:00+00:00"),
        ("2023-04-05T00:00:00Z", "2023-04-05T00:00:00+00:00"),
        ("2023-04-05T09:30:00+02:00", "2023-04-05T07:30:00+00:00"),
        ("Wed, 05 Apr 2023 09:30:00 GMT", "2023-04-05T09:30:00+00:00"),
    ],
)
def test_a_day_without_a_time_is_public_at_its_end(tmp_path: Path, written: str, public: str) -> None:
    line = json.dumps({"published": written, "title": "Brent & Sons plc", "body": "It fell 3%. Then it rose again."})
    (record,) = records(tmp_path, "a.jsonl", line)
    assert props(record)["published"] == public
