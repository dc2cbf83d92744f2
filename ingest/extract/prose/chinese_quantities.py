"""Money, shares and dates in Chinese text, each with the characters it stands on."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Final

from ingest.extract.text.quantities import Moment, Money, Share

_CURRENCIES: Final = {
    "美元": "USD", "美金": "USD", "欧元": "EUR", "港元": "HKD", "港币": "HKD", "日元": "JPY", "英镑": "GBP",
    "瑞士法郎": "CHF", "新加坡元": "SGD", "新元": "SGD", "新台币": "TWD", "韩元": "KRW", "澳元": "AUD", "加元": "CAD",
    "卢布": "RUB", "人民币": "CNY", "元人民币": "CNY", "元": "CNY",
}  # fmt: skip
_SCALES: Final = {
    "": 0, "十": 1, "百": 2, "千": 3, "万": 4, "十万": 5, "百万": 6, "千万": 7, "亿": 8, "十亿": 9, "百亿": 10,
    "千亿": 11, "万亿": 12,
}  # fmt: skip
_DIGIT: Final = {c: n for n, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_UNIT: Final = {"十": 10, "百": 100, "千": 1000}
_NUMBER: Final = r"(?:\d[\d,，]*(?:[.．]\d+)?|[零〇一二两三四五六七八九十百千]+)"
_MONEY: Final = re.compile(
    rf"(?P<before>人民币|美元|港币)?\s?(?P<number>{_NUMBER})\s?(?P<scale>万亿|[十百千]?[万亿]|[百千](?!分))?\s?"
    rf"(?P<unit>{'|'.join(sorted(_CURRENCIES, key=len, reverse=True))})?"
)
_SHARE: Final = re.compile(r"(?P<number>\d{1,3}(?:[.．]\d+)?)\s?[%％]|百分之(?P<words>[零一二三四五六七八九十百点]+)")
_DATE: Final = re.compile(
    r"(?:(?P<year>\d{4})年)?(?P<month>\d{1,2})月(?:(?P<day>\d{1,2})[日号])?|(?P<only>\d{4})年(?P<part>年?[底末初])?(?!\d)|"
    r"(?P<iso>\d{4}-\d{2}-\d{2})|(?:本|这)?(?P<before>上)?(?:周|星期)(?P<weekday>[一二三四五六日天])|"
    r"(?P<word>今日|今天|昨日|昨天|昨晚|前天|上周|上月|上个月|去年|今年)(?P<end>年?[底末])?"
)
_AGO: Final = {"今日": 0, "今天": 0, "昨日": 1, "昨天": 1, "昨晚": 1, "前天": 2, "上周": 7}


def money(text: str) -> list[Money]:
    """Amounts with a currency: `5亿元`, `1,200万美元`, `人民币三千万元`."""
    return [found for match in _MONEY.finditer(text) if (found := _money(match))]


def _money(match: re.Match[str]) -> Money | None:
    unit = match["unit"] or match["before"]
    value = number(match["number"])
    if unit is None or value is None or (match["before"] and match["unit"] not in (None, "元")):
        return None
    currency = _CURRENCIES[match["before"] or unit] if match["unit"] in (None, "元") else _CURRENCIES[unit]
    return Money(match.start(), match.end(), value.scaleb(_SCALES[match["scale"] or ""]), currency)


def number(written: str) -> Decimal | None:
    """Decimal of digits or of Chinese numerals below ten thousand; None for neither."""
    if written[0].isdigit():
        try:
            return Decimal(re.sub("[,，]", "", written).replace("．", "."))
        except InvalidOperation:
            return None
    total = digit = 0
    for c in written:
        if c in _DIGIT:
            digit = _DIGIT[c]
        else:
            total += (digit or 1) * _UNIT[c]
            digit = 0
    return Decimal(total + digit)


def shares(text: str) -> list[Share]:
    """Percentages up to 100."""
    found = []
    for match in _SHARE.finditer(text):
        whole, _, part = (match["words"] or "").partition("点")
        if match["number"]:
            value = Decimal(match["number"].replace("．", "."))
        else:
            digits = "".join(str(_DIGIT.get(c, 0)) for c in part)
            value = (number(whole) or Decimal(0)) + (Decimal(f"0.{digits}") if digits else 0)
        if value <= 100:
            found.append(Share(match.start(), match.end(), float(value / 100)))
    return found


def dates(text: str, published: datetime) -> list[Moment]:
    """Dates in the text; without a year the last such day before the publication, relative ones back from it."""
    base = published.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    found = ((match, _date(match, base)) for match in _DATE.finditer(text))
    return [Moment(match.start(), match.end(), when) for match, when in found if when]


def _date(match: re.Match[str], base: datetime) -> datetime | None:
    try:
        if match["iso"]:
            return datetime.fromisoformat(match["iso"]).replace(tzinfo=UTC)
        if match["month"]:
            return _in_year(match, base)
        if match["only"]:
            year = int(match["only"])
            return (
                datetime(year, 12, 31, tzinfo=UTC)
                if (match["part"] or "")[-1:] in ("底", "末") and match["part"]
                else (datetime(year, 1, 1, tzinfo=UTC))
            )
    except ValueError:
        return None
    if match["weekday"]:
        days = (base.weekday() - "一二三四五六日".index(match["weekday"].replace("天", "日"))) % 7
        return base - timedelta(days=days + (7 if match["before"] and days < base.weekday() + 1 else 0))
    return _worded(match["word"], match["end"] or "", base)


def _in_year(match: re.Match[str], base: datetime) -> datetime:
    day = int(match["day"] or 1)
    if match["year"]:
        return datetime(int(match["year"]), int(match["month"]), day, tzinfo=UTC)
    when = datetime(base.year, int(match["month"]), day, tzinfo=UTC)
    return when if when <= base + timedelta(days=1) else when.replace(year=base.year - 1)


def _worded(word: str, end: str, base: datetime) -> datetime:
    if word in _AGO:
        return base - timedelta(days=_AGO[word])
    if word in ("上月", "上个月"):
        return (base.replace(day=1) - timedelta(days=1)).replace(day=1)
    year = base.year - (word == "去年")
    return datetime(year, 12, 31, tzinfo=UTC) if end else datetime(year, 1, 1, tzinfo=UTC)
