"""Chinese sentences: names with their characters, sums and days, and what is asserted, denied or over."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from ingest.extract.prose.chinese import entities, is_body, sentences, words
from ingest.extract.prose.chinese_quantities import dates, money, shares
from ingest.extract.prose.chinese_relations import findings
from ingest.extract.prose.chinese_score import score
from ingest.extract.prose.relations import Finding
from ingest.extract.text.names import Gazetteer, label_of, plain_name
from ingest.locate import locate
from ingest.source import Extract, Models
from ingest.sources.news import News
from kg.validate import LABELS, violations

DATA = Path(__file__).parent / "data"
PUBLISHED = datetime(2023, 6, 15, 8, tzinfo=UTC)
GAZETTEER = Gazetteer(
    [
        ("lei:1", "Company", "远山重工集团股份有限公司"),
        ("lei:2", "Bank", "青禾银行股份有限公司"),
        ("lei:3", "Company", "深圳市鸣泉网络科技有限公司"),
        ("lei:4", "Company", "鸣泉控股有限公司"),
        ("lei:5", "Company", "Acme plc"),
    ]
)


def said(text: str) -> list[str]:
    _, found = findings(text, [(0, len(text))], Gazetteer(), PUBLISHED)
    return [told(f) for f in found]


def told(finding: Finding) -> str:
    return f"{finding.event or finding.type} " + ",".join(m.text for _, m in finding.parties)


def test_names_of_each_kind_stand_where_they_say() -> None:
    text = "2023年3月19日，证监会在北京对海棠证券处以罚款。王小明未回应。"
    found = [word for span in sentences(text) for word in entities(words(text, *span))]
    assert [(w.tag, w.text) for w in found] == [
        ("TIME", "2023年3月19日"),
        ("ORG", "证监会"),
        ("LOC", "北京"),
        ("ORG", "海棠证券"),
        ("PER", "王小明"),
    ]
    assert all(text[w.start : w.end] == w.text for w in found)
    assert [w.text for w in found if is_body(w)] == ["证监会"]


def test_a_firm_is_told_by_the_trade_at_its_end_where_the_tagger_fails() -> None:
    named, _ = findings("向瑞禾咖啡借款的是云岭生物医药。", [(0, 16)], Gazetteer(), PUBLISHED)
    assert [m.text for m in named] == ["瑞禾咖啡", "云岭生物医药"]


def test_registered_names_are_found_by_their_core_and_shared_cores_stand_for_nobody() -> None:
    text = "远山重工向青禾银行借款，鸣泉网络科技和鸣泉未参与，Acme plc也没有。"
    named, _ = findings(text, [(0, len(text))], GAZETTEER, PUBLISHED)
    assert {m.text: m.entity for m in named} == {
        "远山重工": "lei:1", "青禾银行": "lei:2", "鸣泉网络科技": "lei:3", "鸣泉": "", "Acme plc": "lei:5",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "plain", "label"),
    [
        ("远山重工集团股份有限公司", "远山重工集团", "Company"),
        ("青禾银行股份有限公司", "青禾银行", "Bank"),
        ("蓝桥（集团）有限责任公司", "蓝桥", "Company"),
        ("长河成长基金", "长河成长基金", "Fund"),
    ],
)
def test_legal_forms_fall_away_and_labels_come_from_the_words(name: str, plain: str, label: str) -> None:
    assert (plain_name(name), label_of(name)) == (plain, label)


@pytest.mark.parametrize(
    ("text", "amount", "currency"),
    [
        ("5亿元", "500000000", "CNY"),
        ("1,200.5万美元", "12005000", "USD"),
        ("人民币三千万元", "30000000", "CNY"),
        ("两百五十亿港元", "25000000000", "HKD"),
        ("３万亿日元", "3000000000000", "JPY"),
        ("7600元", "7600", "CNY"),
    ],
)
def test_sums_are_read_exactly(text: str, amount: str, currency: str) -> None:
    [found] = money(f"共{text}。")
    assert (found.amount, found.currency) == (Decimal(amount), currency)


@pytest.mark.parametrize("text", ["元旦放假", "增长7%", "3家公司", "2023年"])
def test_what_has_no_currency_is_no_sum(text: str) -> None:
    assert money(text) == []


def test_shares_are_read_in_digits_and_words() -> None:
    assert [s.value for s in shares("51.2%、百分之三十五、百分之七点五，增长120%")] == [0.512, 0.35, 0.075]


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2023年3月19日", "2023-03-19"),
        ("2022年末", "2022-12-31"),
        ("3月19日", "2023-03-19"),
        ("11月5日", "2022-11-05"),
        ("昨日", "2023-06-14"),
        ("周二", "2023-06-13"),
        ("上周五", "2023-06-09"),
        ("去年底", "2022-12-31"),
        ("上月", "2023-05-01"),
    ],
)
def test_days_count_from_the_publication(text: str, day: str) -> None:
    [found] = dates(text, PUBLISHED)
    assert found.when.date().isoformat() == day


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("青禾银行向远山重工提供5亿元贷款。", ["LENDS_TO 青禾银行,远山重工"]),
        ("青禾银行未向远山重工提供任何贷款。", []),
        ("青禾银行或将向远山重工提供贷款。", []),
        ("据传青禾银行起诉远山重工。", []),
        ("远山重工违约的传闻不实。", []),
        ("青禾科技的第一大股东是玉衡资本，持股31%。", ["OWNS 玉衡资本,青禾科技"]),
        ("玉衡资本以15亿元的价格拿下青禾科技51%股权。", ["OWNS 玉衡资本,青禾科技"]),
        ("青禾科技隶属于玉衡资本。", ["SUBSIDIARY_OF 青禾科技,玉衡资本"]),
        ("青禾汽车是鸣泉科技的最大客户。", ["SUPPLIES 鸣泉科技,青禾汽车"]),
        ("鸣泉科技不是青禾汽车的竞争对手。", []),
        ("鸣泉科技是青禾汽车的竞争对手。", ["COMPETES_WITH 鸣泉科技,青禾汽车"]),
        ("青禾银行批准了鸣泉地产8000万元的贷款申请。", ["LENDS_TO 青禾银行,鸣泉地产"]),
        ("央行对青禾银行罚款500万元。", ["sanction 青禾银行"]),
        ("周文彬接替孙立出任鸣泉科技总经理。", ["OFFICER_OF 周文彬,鸣泉科技", "officer_change 鸣泉科技,周文彬,孙立"]),
    ],
)
def test_only_what_is_asserted_counts(text: str, what: list[str]) -> None:
    assert said(text) == what


def test_who_holds_an_office_no_more_has_left_it() -> None:
    _, found = findings("孙立不再担任鸣泉科技董事。", [(0, 13)], Gazetteer(), PUBLISHED)
    assert [(f.type, f.valid_to) for f in found if not f.event] == [("OFFICER_OF", PUBLISHED)]


def test_the_company_is_the_firm_spoken_of_before() -> None:
    assert said("远山重工今日公告。公司为青禾储能提供2亿元担保。") == ["EXPOSED_TO 远山重工,青禾储能"]


def test_an_ended_stake_carries_its_end() -> None:
    _, [found] = findings("青禾资本曾持有远山重工8%股份。", [(0, 17)], Gazetteer(), PUBLISHED)
    assert (found.valid_from, found.valid_to, found.props) == (None, PUBLISHED, {"share": 0.08})


def test_an_article_in_two_languages_gives_claims_that_read_back(tmp_path: Path) -> None:
    article = {
        "title": "𠮷远食品起诉金穗乳业，索赔2500万元",
        "body": "远山银行向𠮷远食品提供5亿元贷款。📉\n\nBrentholm Bank lent EUR 5 million to Corvina Timber AG.",
        "published": "2023-06-15T08:00:00Z",
    }
    (tmp_path / "a.jsonl").write_text(json.dumps(article, ensure_ascii=False), encoding="utf-8")
    source = News(tmp_path)
    [record] = source.records()
    table = Extract.of(source.claims(record, Models())).claims.table
    rows = table.to_pylist()
    assert all(locate(record.content, row["locator"], "news") == row["quote"] for row in rows)
    assert violations(table, LABELS.empty_table()).num_rows == 0
    loans = {(r["subject"], r["object"], r["value_decimal"], r["unit"]) for r in rows if r["name"] == "LENDS_TO"}
    assert loans == {
        ("name:远山银行", "name:𠮷远食品", Decimal("500000000"), "CNY"),
        ("name:brentholm bank", "name:corvina timber ag", Decimal("5000000"), "EUR"),
    }
    assert {(r["subject"], r["value_text"]) for r in rows if r["name"] == "AFFECTED_BY"} == {
        ("name:𠮷远食品", "plaintiff"),
        ("name:金穗乳业", "defendant"),
    }


@pytest.mark.parametrize(
    ("half", "names", "what"), [("tuned", (0.95, 0.95), (0.95, 0.95)), ("held", (0.8, 0.8), (0.8, 0.7))]
)
def test_marked_sentences_are_read_as_well_as_measured(
    half: str, names: tuple[float, float], what: tuple[float, float]
) -> None:
    found = score((DATA / f"chinese_{half}.tsv").read_text("utf-8").splitlines())
    for kind, floor in (("names", names), ("said", what)):
        assert found[kind][0] >= floor[0] and found[kind][1] >= floor[1], found
