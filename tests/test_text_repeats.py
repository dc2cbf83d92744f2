"""Reposts and copies collapse to the first document with a count, and the events they tell to one."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import permutations
from pathlib import Path

import pytest

from ingest import resolve
from ingest.extract.news.repeats import WINDOW, Text, repeats, shingles, signatures
from ingest.locate import locate
from ingest.pipeline import run
from ingest.repeats import collapse
from kg.files import Files
from kg.ledger import Ledger
from kg.model import AsOf, digest
from tests.rewriting import CHINESE, FIRMS, pairs

START = datetime(2023, 4, 5, 8, tzinfo=UTC)
SUIT = "Brentholm Freight AG sued Corvina Timber AG over EUR 5 million. The goods were never delivered, it said."
OTHER = {"id": "9", "text": "A quiet day at the port of Parma, with nothing to tell at all.", "author": "d", "hour": 1}
POSTS: Sequence[Mapping[str, object]] = (
    {"id": "1", "text": SUIT, "author": "wire", "hour": 0},
    {"id": "2", "text": f"RT @wire: {SUIT} https://t.example/1", "author": "a", "hour": 2},
    {"id": "3", "text": "this!", "author": "b", "repost_of": "1", "hour": 3},
    {"id": "4", "text": "and this!", "author": "c", "repost_of": "3", "hour": 4},
    {"id": "5", "text": SUIT.replace("said", "added").replace("never", "not"), "author": "c", "hour": 5},
    OTHER,
)


def text(id: str, written: str, hours: float = 0) -> Text:
    names = frozenset(name for name in (*FIRMS, *CHINESE) if name in written)
    return Text(id, START + timedelta(hours=hours), written, names=names)


def line(post: Mapping[str, object]) -> str:
    when = START + timedelta(hours=int(str(post["hour"])))
    return json.dumps({k: v for k, v in post.items() if k != "hour"} | {"date": when.isoformat()})


def read(folder: Path, ledger: Ledger, posts: Sequence[Mapping[str, object]], name: str = "a.jsonl") -> None:
    feed = folder / "feed"
    feed.mkdir(exist_ok=True)
    (feed / name).write_text("\n".join(map(line, posts)), "utf-8")
    run(feed, ledger, Files(folder / "files"), folder, sources=("news",))


def counts(ledger: Ledger) -> dict[str, int]:
    return {r["subject"]: r["value_int"] for r in ledger.alive().to_pylist() if r["name"] == "reposts"}


def test_rewritten_articles_are_told_from_other_stories() -> None:
    found: Counter[tuple[bool, bool]] = Counter()
    for pair in pairs(seed=7, count=40):
        got = bool(repeats([text("a", pair.first), text("b", pair.second, 1)]))
        found[pair.repeat, got] += 1
    assert found[False, True] == 0
    assert found[True, True] >= 0.9 * (found[True, True] + found[True, False])


@pytest.mark.parametrize("order", list(permutations(range(3)))[:4])
def test_the_first_is_the_earliest_whatever_the_order(order: tuple[int, ...]) -> None:
    told = [text("c", SUIT, 0), text("a", SUIT.upper(), 1), text("b", f"RT @x: {SUIT}", 2)]
    assert {(r.id, r.first, r.how) for r in repeats([told[n] for n in order])} == {
        ("a", "c", "exact"),
        ("b", "c", "exact"),
    }


def test_the_same_notice_a_quarter_later_is_news_of_its_own() -> None:
    later = WINDOW / timedelta(hours=1) + 1
    assert repeats([text("a", SUIT), text("b", SUIT, later)]) == []
    assert len(repeats([text("a", SUIT), text("b", SUIT, later - 2)])) == 1


def test_a_template_with_another_name_or_number_is_another_story() -> None:
    assert (
        repeats([text("a", "Oakmere Turbines Q2 net profit up 4%"), text("b", "Ardleigh Foods Q2 net profit up 4%")])
        == []
    )
    assert (
        repeats([text("a", "Oakmere Turbines Q2 net profit up 4%"), text("b", "Oakmere Turbines Q2 net profit up 9%")])
        == []
    )


def test_signatures_are_the_same_on_every_machine() -> None:
    assert (
        digest(signatures([shingles("oakmere turbines"), shingles("远山重工")]).astype("<u8").tobytes())[:12]
        == "983a4fe47a1c"
    )


def test_reposts_are_counted_on_the_first_with_evidence_and_again_adds_nothing(tmp_path: Path) -> None:
    files = Files(tmp_path / "files")
    with Ledger.open(tmp_path / "ledger") as ledger:
        read(tmp_path, ledger, POSTS)
        report = collapse(ledger, files)
        assert (report.committed, report.documents, report.repeats, report.firsts) == (True, 6, 4, 1)
        [row] = [r for r in ledger.alive().to_pylist() if r["name"] == "reposts"]
        assert row["value_int"] == 4 and row["quote"].startswith(f"{row['subject']} is repeated by 4: ")
        assert locate(files.get(row["document"]), row["locator"], "repeats") == row["quote"]
        assert row["published"] == START + timedelta(hours=5)
        head = ledger.head
        read(tmp_path, ledger, POSTS)
        assert not collapse(ledger, files).committed and ledger.head == head


def test_any_order_of_arrival_gives_the_same_count(tmp_path: Path) -> None:
    found = []
    for name, order in (("one", (4, 3, 2, 1, 0, 5)), ("two", (2, 0, 4, 5, 1, 3))):
        folder = tmp_path / name
        files = Files(folder / "files")
        with Ledger.open(folder / "ledger") as ledger:
            for n, at in enumerate(order):
                read(folder, ledger, [POSTS[at]], f"{n}.jsonl")
                if n % 2:
                    collapse(ledger, files)
            collapse(ledger, files)
            found.append(counts(ledger))
    assert found[0] == found[1] and list(found[0].values()) == [4]


def test_a_repeat_in_the_next_year_tells_the_same_event(tmp_path: Path) -> None:
    files = Files(tmp_path / "files")
    late = {"id": "6", "text": f"RT @wire: {SUIT}", "author": "e", "hour": 0}
    with Ledger.open(tmp_path / "ledger") as ledger:
        feed = tmp_path / "feed"
        feed.mkdir()
        said = [
            json.dumps({**POSTS[0], "date": "2023-12-31T23:00:00Z"}),
            json.dumps({**late, "date": "2024-01-01T09:00:00Z"}),
        ]
        (feed / "a.jsonl").write_text("\n".join(said), "utf-8")
        run(feed, ledger, files, tmp_path, sources=("news",))
        assert collapse(ledger, files).events == 1
        resolve.resolve(ledger, files)
        nodes = ledger.view(AsOf()).nodes.to_pylist()
        same = [r for r in ledger.alive().to_pylist() if r["kind"] == "same" and r["extractor"] == "repeats.event@1"]
        assert len(same) == 1 and same[0]["subject"].startswith("event:")
        assert sum(n["label"] == "Event" for n in nodes) == 1
        assert not collapse(ledger, files).committed


def test_what_no_longer_holds_is_retracted(tmp_path: Path) -> None:
    files = Files(tmp_path / "files")
    with Ledger.open(tmp_path / "ledger") as ledger:
        read(tmp_path, ledger, POSTS[:2])
        collapse(ledger, files)
        assert list(counts(ledger).values()) == [1]
        read(tmp_path, ledger, [POSTS[0], OTHER])
        collapse(ledger, files)
        assert counts(ledger) == {}
