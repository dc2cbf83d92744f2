"""Articles become documents, mentions, relations and events, and the score tells how well."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ingest.extract.news.article import is_article, read_article
from ingest.extract.prose.score import score
from ingest.extract.text.names import Gazetteer
from ingest.locate import locate
from ingest.pipeline import run
from ingest.source import Extract, Models, Record
from ingest.sources.news import News
from kg.errors import RecordError
from kg.files import Files
from kg.ledger import Ledger
from kg.model import ClaimBatch
from kg.validate import LABELS, violations

MODELS = Models(Gazetteer([("lei:a", "Bank", "Brentholm Bank"), ("lei:b", "Company", "Corvina Timber AG")]))
ARTICLE = {
    "id": "1",
    "published": "2023-04-05T09:30:00Z",
    "title": "Corvina Timber in court",
    "body": "Brentholm Bank sued Corvina Timber AG over EUR 5 million. "
    "Zürich’s Corvina Timber AG denied that it had defaulted.",
    "url": "https://example.org/1",
}
PAGE = """<html><head><title>Corvina Timber  borrows</title>
<meta name="published" content="2023-04-05T09:30:00Z"></head>
<body><nav>Menu</nav><article><p>Brentholm Bank lent EUR 5&nbsp;million to
 <b>Corvina Timber AG</b>.</p><p>It is due in 2030.</p></article></body></html>"""


def write(folder: Path, *articles: dict[str, str]) -> Path:
    (folder / "news").mkdir()
    lines = "\n".join(json.dumps(a, ensure_ascii=False) for a in articles)
    (folder / "news" / "a.jsonl").write_text(lines + "\n", encoding="utf-8")
    return folder


def claims(folder: Path) -> ClaimBatch:
    source = News(folder)
    return ClaimBatch.concat(Extract.of(source.claims(r, MODELS)).claims for r in source.records())


def test_an_article_gives_document_mentions_and_event(tmp_path: Path) -> None:
    table = claims(write(tmp_path, ARTICLE)).table.to_pylist()
    edges = {(r["name"], r["subject"], r["value_text"]) for r in table if r["kind"] == "edge"}
    assert {
        ("AFFECTED_BY", "name:brentholm bank", "plaintiff"),
        ("AFFECTED_BY", "name:corvina timber ag", "defendant"),
    } <= edges
    assert not any(r["value_text"] == "default" for r in table)
    counts = {r["subject"]: r["value_int"] for r in table if r["name"] == "MENTIONED_IN"}
    assert counts["name:corvina timber ag"] == 2


def test_every_quote_is_read_back_from_the_bytes(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(PAGE, encoding="utf-8")
    folder = write(tmp_path, ARTICLE)
    contents = {r.document: r.content for r in News(folder).records()}
    rows = claims(folder).table.to_pylist()
    assert len(contents) == 2
    for row in rows:
        assert locate(contents[row["document"]], row["locator"], "news") == row["quote"]


def test_news_claims_fit_the_vocabulary(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(PAGE, encoding="utf-8")
    batch = claims(write(tmp_path, ARTICLE))
    assert violations(batch.table, LABELS.empty_table()).to_pylist() == []


def test_a_page_is_its_title_and_paragraphs() -> None:
    assert is_article(PAGE.encode())
    article = read_article(PAGE.encode())
    assert (
        article.text
        == "Corvina Timber borrows\nBrentholm Bank lent EUR 5 million to Corvina Timber AG.\nIt is due in 2030."
    )
    assert article.published is not None and article.published.hour == 9


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "no bytes"),
        (b'{"title": "x", "body"', "not one JSON object"),
        (b'{"title": "", "body": " "}', "are empty"),
        (b'{"title": 3}', "expected text"),
        (b'{"title": "x", "published": "in spring"}', "no ISO date"),
        (b'{"title": "x", "published": "2023-04-05T09:30:00"}', "no zone"),
    ],
)
def test_a_bad_article_is_refused_with_its_reason(content: bytes, reason: str) -> None:
    with pytest.raises(RecordError, match=reason):
        read_article(content, "a.jsonl#1")


def test_an_article_without_a_time_is_refused() -> None:
    with pytest.raises(RecordError, match="no publication time"):
        News(Path("."), []).claims(Record("news", "a.jsonl#1", b'{"title": "x"}'), MODELS)


def truth_row(sentence: str, type: str, source: str, target: str, **rest: object) -> dict[str, object]:
    base = {"file": "news/a.jsonl", "line": 1, "sentence": sentence, "type": type, "source": source, "target": target}
    return base | {"props": {}, "negated": False, "form": "f", "held_out": False} | rest


def test_the_score_counts_right_wrong_and_denied(tmp_path: Path) -> None:
    folder = write(tmp_path, ARTICLE)
    first, second = ARTICLE["body"].split(". ", 1)
    rows = [
        truth_row(first, "AFFECTED_BY", "Brentholm Bank", "lawsuit", props={"role": "plaintiff"}),
        truth_row(first, "AFFECTED_BY", "Corvina Timber AG", "lawsuit", props={"role": "defendant"}),
        truth_row(
            second,
            "AFFECTED_BY",
            "Corvina Timber AG",
            "default",
            props={"role": "subject"},
            negated=True,
            held_out=True,
        ),
        truth_row(second, "LENDS_TO", "Brentholm Bank", "Corvina Timber AG", held_out=True),
    ]
    truth = folder / "truth.json"
    entities = {i: {"name": n, "aliases": []} for i, n in (("lei:a", "Brentholm Bank"), ("lei:b", "Corvina Timber AG"))}
    truth.write_text(json.dumps({"relations": rows, "entities": entities}), encoding="utf-8")
    table = {(r["relation"], r["forms"]): r for r in score(claims(folder).table, truth).to_pylist()}
    assert (table["lawsuit", "seen"]["precision"], table["lawsuit", "seen"]["recall"]) == (1.0, 1.0)
    assert (table["LENDS_TO", "held out"]["recall"], table["LENDS_TO", "held out"]["precision"]) == (0.0, None)
    assert (table["default", "held out"]["denied"], table["default", "held out"]["denied_asserted"]) == (1, 0)
    assert table["all", "all"]["recall"] == pytest.approx(2 / 3)


def test_a_corrected_line_of_a_feed_takes_the_place_of_the_first_and_the_others_stay(tmp_path: Path) -> None:
    other = ARTICLE | {"id": "2", "title": "Corvina Timber sued"}
    torn = ARTICLE | {"id": "3", "title": "Corvina Timber at law"}
    write(tmp_path, ARTICLE, other, torn)
    feed, home = tmp_path / "news" / "a.jsonl", tmp_path / "home"
    with Ledger.open(home / "ledger") as ledger:
        run(feed.parent, ledger, Files(home / "files"), home, sources=("news",))
        lines = feed.read_text("utf-8").splitlines()
        feed.write_text("\n".join([lines[1], lines[0].replace("in court", "settles"), lines[2][:40]]), "utf-8")
        report = run(feed.parent, ledger, Files(home / "files"), home, sources=("news",))
        titles = {
            row["value_text"]
            for row in ledger.alive().to_pylist()
            if row["name"] == "title" and row["subject"].startswith("doc:")
        }
    assert titles == {"Corvina Timber settles", "Corvina Timber sued", "Corvina Timber at law"}
    assert (report.commit, report.superseded, [q.path for q in report.quarantined]) == (2, 1, ["a.jsonl#3"])
