"""Tone towards a firm in Chinese: several firms of one sentence, what turns and clears, and how it reaches stores."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest

from benchmarks.ingest import sentiment
from ingest.extract.prose.chinese_tone import chinese_tone
from ingest.extract.prose.chinese_tone_words import KINDS, lists, words_of
from ingest.extract.prose.tone import Tone
from ingest.locate import locate
from ingest.pipeline import run
from ingest.source import Extract, Models
from ingest.sources.news import News
from kg.errors import SourceError
from kg.files import Files
from kg.ledger import Ledger
from kg.store import GraphStore
from queries.catalog import Catalog

A, B = "远山重工", "青禾银行"
KINDER_AND_HARSHER = [
    ("{A}没有违约", "{A}违约"),
    ("{A}否认财务造假", "{A}财务造假"),
    ("{A}未被处罚", "{A}被处罚"),
    ("{A}摆脱债务危机", "{A}陷入债务危机"),
    ("{A}摆脱债务危机", "{A}难以摆脱债务危机"),
    ("{A}盈利", "{A}未能盈利"),
    ("{A}不良率下降", "{A}不良率上升"),
    ("{A}亏损收窄", "{A}亏损扩大"),
    ("{A}成本降低", "{A}成本上升"),
    ("{A}利润增长", "{A}利润减少"),
    ("{A}诉讼被撤销", "{A}遭遇诉讼"),
    ("{A}申请获批", "{A}申请被拒绝"),
    ("{A}虽遭罢工，业绩仍超预期", "{A}遭遇罢工"),
    ("{A}分红", "{A}取消分红"),
    ("{A}起诉{B}", "{A}被{B}起诉"),
    ("{A}击败{B}", "{A}不敌{B}"),
    ("{B}增持{A}", "{B}减持{A}"),
    ("{B}上调{A}评级", "{B}下调{A}评级"),
]
APART = [
    ("{A}大涨，{B}跌停", "positive", "negative"),
    ("{A}亏损扩大，而{B}盈利创新高", "negative", "positive"),
    ("虽然{A}营收下滑，{B}却逆市上涨", "negative", "positive"),
    ("{A}起诉{B}", "neutral", "negative"),
    ("{A}被{B}起诉", "negative", "neutral"),
    ("{A}看好{B}", "neutral", "positive"),
    ("{A}认为{B}前景堪忧", "neutral", "negative"),
    ("{A}向{B}提供五亿元贷款", "neutral", "neutral"),
    ("{A}与{B}双双涨停", "positive", "positive"),
]


def chinese(sentence: str) -> list[Tone]:
    """Tone towards A and B (those there are)."""
    text = sentence.format(A=A, B=B)
    return chinese_tone(text, [(text.index(n), text.index(n) + len(n)) for n in (A, B) if n in text])


@pytest.mark.parametrize(("kinder", "harsher"), KINDER_AND_HARSHER)
def test_chinese_that_is_negated_denied_or_turned_is_kinder_or_harsher(kinder: str, harsher: str) -> None:
    assert chinese(kinder)[0].value > chinese(harsher)[0].value


@pytest.mark.parametrize(("sentence", "first", "second"), APART)
def test_two_firms_of_one_chinese_headline_may_differ(sentence: str, first: str, second: str) -> None:
    assert [told.label for told in chinese(sentence)] == [first, second]


def test_a_chinese_name_has_no_tone_of_its_own() -> None:
    assert chinese_tone("违约亏损集团开会", [(0, 6)])[0].label == "neutral"


@pytest.mark.parametrize("text", ["", "\ue000大涨", "🙂", "不" * 400, "：，。；", "ABC 大涨"])
def test_odd_chinese_is_judged_too(text: str) -> None:
    assert chinese_tone(text, []) == []
    assert len(chinese_tone("甲" + text, [(0, 1), (0, 1)])) == 2


@pytest.mark.parametrize("line", ["good 大涨", "nice\t大涨", "upon 1\t起诉", "good\t "])
def test_a_line_that_is_no_list_of_words_is_told_with_its_number(line: str) -> None:
    with pytest.raises(SourceError, match=r"line 2: .*expected a kind"):
        words_of(f"good\t上涨\n{line}")


def test_every_kind_of_word_has_words() -> None:
    assert {kind for kinds in lists().kinds.values() for kind in kinds} == set(KINDS)
    assert len(lists().kinds) > 1500


FROZEN = {
    "held": "02f9e8f807d644062a708f7cbeea53a1f00926ca597236f8b3ca9069dea1f7e3",
    "fresh": "918a9e48b833add6e9cb36576003b10de7b6966351ccf227150745136fc475de",
}


@pytest.mark.parametrize("half", FROZEN)
def test_held_out_chinese_sentences_are_those_put_aside(half: str) -> None:
    assert sha256((sentiment.DATA / f"chinese_tone_{half}.tsv").read_bytes()).hexdigest() == FROZEN[half]


def test_chinese_tone_is_as_good_as_measured() -> None:
    """Floors a little under what was reached; `fresh` avoids the words of the lists, which know no other way."""
    reached = {f.what.removeprefix("Chinese entity sentiment, "): f.value for f in sentiment.measure_chinese()}
    floors = {"held": 0.92, "late": 0.75, "tuned": 0.95, "fresh": 0.37}
    assert all(reached[f"{half}: macro-F1"] >= floor for half, floor in floors.items()), reached
    for half in ("held", "late", "tuned"):
        assert reached[f"{half}: macro-F1"] > reached[f"{half}: counting good and bad words"] + 0.05
    assert all(reached[f"{half}: macro-F1"] > reached[f"{half}: the commonest class"] + 0.2 for half in floors)


def articles(folder: Path) -> Path:
    """Two Chinese articles and an English one, of three days."""
    told = [
        ("2023-06-14T08:00:00Z", "远山重工股价大涨，青禾银行跌停", "远山重工今日开会。"),
        (
            "2023-06-15T08:00:00Z",
            "远山重工未能按期兑付债券",
            "青禾银行称业务正常。\n\nBrentholm Bank plc slumps on fraud.",
        ),
        ("2023-06-16T08:00:00Z", "Brentholm Bank plc surges on record profit", "It was a good day."),
    ]
    lines = [json.dumps(dict(zip(("published", "title", "body"), t, strict=True)), ensure_ascii=False) for t in told]
    (folder / "a.jsonl").write_text("\n".join(lines), "utf-8")
    return folder


def test_chinese_tone_is_claimed_with_the_sentence_that_says_most(tmp_path: Path) -> None:
    source = News(articles(tmp_path))
    found = {}
    for record in source.records():
        for row in Extract.of(source.claims(record, Models())).claims.table.to_pylist():
            if row["name"] == "sentiment":
                assert locate(record.content, row["locator"], "news") == row["quote"]
                found[row["subject"], row["published"].day] = (row["value_real"], row["quote"])
    assert found["name:远山重工", 14][0] > 0 > found["name:青禾银行", 14][0]
    assert found["name:远山重工", 14][1] == "远山重工股价大涨，青禾银行跌停"
    assert found["name:远山重工", 15][0] < 0
    assert found["name:brentholm bank plc", 15][0] < 0 < found["name:brentholm bank plc", 16][0]


def test_chinese_sources_count_in_the_sentiment_of_a_day_and_in_what_was_said(
    tmp_path: Path, ledger: Ledger, store: GraphStore
) -> None:
    (tmp_path / "in").mkdir()
    run(articles(tmp_path / "in"), ledger, Files(tmp_path / "files"), tmp_path)
    store.sync(ledger)
    days = Catalog().run(store, "sentiment_by_day", {"id": "name:远山重工"}).to_pylist()
    assert [(d["day"], d["mean"] > 0, d["documents"]) for d in days] == [
        ("2023-06-14", True, 1),
        ("2023-06-15", False, 1),
    ]
    since = {"id": "name:远山重工", "since": "2023-06-15", "until": "2023-06-16"}
    said = Catalog().run(store, "said_about", since).to_pylist()
    assert {"sentiment", "AFFECTED_BY", "MENTIONED_IN"} <= {row["says"] for row in said}
    assert {row["source"] for row in said} == {"news"}
    assert all(row["quote"] and row["locator"] and row["published"].startswith("2023-06-15") for row in said)
    whole = Catalog().run(store, "said_about", {"id": "name:远山重工"}).to_pylist()
    times = [row["published"] for row in whole]
    assert times == sorted(times, reverse=True) and len(whole) > len(said)
    assert datetime.fromisoformat(times[0]) < datetime.now(UTC)
