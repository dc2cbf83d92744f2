"""Worth is whether a sentence can tell anything, seen from its words and names alone, before it is parsed.

A relation has two parties and so have most events; whoever is not named, not the speaker and not the firm of the
sentence before is none. Some events have a single party: these need one of their own words. All else would be parsed
for nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from ingest.extract.text.names import Mention, text_id
from ingest.extract.text.recognise import unexplained

_SPEAKS: Final = re.compile(r"\b(?:(?i:we|us|our|registrant)|Company)\b")
"""Words by which the speaker names itself."""
_REFERS: Final = re.compile(
    r"\b(?:it|its|they|their|he|she|compan(?:y|ies)|(?:bank|group|firm|lender|borrower|fund|registrant|issuer|insurer|"
    r"supplier|manufacturer|retailer)s?)\b",
    re.I,
)
"""Words that may stand for the firm of the sentence before."""
_OFFICE: Final = re.compile(
    r"executive|officer|chair|president|director|\bc[eftoir]o\b|treasurer|secretar|\bhead|manag|controll|governor|"
    r"found|chief|counsel|board|helm|reins|\bpost|position|role|job\b|\blead|\bled\b|\brun|\bran\b|finance|duty|seat|"
    r"place|responsib|title|appoint|elect|promot|resign|retire|depart",
    re.I,
)
"""Words of an office: beside them capitals that no one knows may be a person, and the firm may go without saying."""
_RESULT: Final = r"profit|earning|result|loss|revenue|income|\bsale|turnover|margin|quarter"
_MOVE: Final = (
    r"\bcut|lower|reduc|slash|drop|\btak|\btook|\bmov|push|downgrad|relegat|rais|lift|increas|boost|bump|upgrad"
)
_STOP: Final = (
    r"\bhalt|suspend|\bstop|\bceas|\bpaus|\bshut|\bclos|\bidl|curtail|interrupt|disrupt|\bcut|hamper|crippl|paraly|"
    r"delay|mothball"
)
_DEBT: Final = (
    r"payment|coupon|interest|\bbond|loan|debt|\bnotes?\b|instal|obligation|principal|repa[iy]|maturit|liabilit|"
    r"deadline"
)
_GRADE: Final = (
    r"\b(?:to|into|at)\b.*\b(?-i:AAA?|A|BBB?|B|CCC?|C|D|Aaa?|Baa?|Caa?|SD|RD)[1-3]?(?:[+-]|\b)|\b(?:to|into|at)\b.*"
    r"\b(?:junk|speculative|selective|investment|buy|hold|sell|neutral|overweight|underweight|outperform|"
    r"underperform|stable)\b"
)
_COMPARED: Final = (
    r"(?:above|below|short of|ahead of|better|worse|wider|narrower|higher|lower|larger|smaller|bigger|more|less|"
    r"stronger|weaker)\b[^.;]*\b(?:expect|forecast|estimat|consensus|predict|project|anticipat)"
)
_ALONE: Final = (
    # insolvency
    (r"bankrup|insolv|administrat|receiver|liquidat|examinership|\bw(?:i|ou)nd|\bbust\b",),
    (
        r"protection|\bchapter",
        r"\bfil(?:e|ing)|appl|petition|seek|sought|\benter|declar|request|\bslid|\bf[ae]ll|collaps|"
        r"\bgo(?:es|ing|ne)?\b|\bwent|plung|\bplac|\bput|push|\btip|open",
    ),
    # default
    (r"default|\bbehind\b",),
    (
        rf"\bfail|unable|incapable|\bmiss|\bskip|\bnot\b|n['’]t\b|\bnever\b|{_STOP}",
        r"\bpay|\bpaid|repa[iy]|\bmeet|\bmet\b|\bma[dk]|hono|servic|settl|redeem|\bmiss|\bskip|halt|suspend",
        _DEBT,
    ),
    # ratings
    (r"upgrad|downgrad",),
    (r"\b(?:rating|grade)s?\b", rf"{_MOVE}|regain|recover|\bw[io]n|\blos[et]|strip"),
    (_MOVE, _GRADE),
    # sanctions
    (
        r"sanction|blacklist|debar|penali[sz]|\bfin(?:es?|ed|ing)\b|penalt|embargo|\bban(?:s|ned|ning)?\b|freez|froze|seiz",
    ),
    (r"\bbar(?:s|red|ring)?\b|exclu|suspend", r"\btender|market|trading|contract"),
    # fraud
    (
        r"fraud|brib|embezzl|corrupt|launder|manipulat|\bforg|racketeer|misconduct|insider|ponzi|pyramid|falsif|swindl|"
        r"misstat|overstat|\binflat|\bdoctor|\bcook",
    ),
    # results
    (
        r"estimat|expectation|forecast|consensus|guidance|target|projection|prediction|\bview|outlook",
        r"\bbeat|\btop|exceed|surpass|outstrip|\bmiss|undersh|trounce|\blag|trail|crush|smash|short|\btrim|hik|withdr|"
        rf"scrap|{_MOVE}",
    ),
    (r"\bwarn", _RESULT),
    (rf"surpris|unexpected|unforeseen|{_COMPARED}", _RESULT),
    # lawsuits
    (
        r"lawsuit|\bsuits?\b|complaint|litigation|\bwrits?\b",
        r"\bfac(?:e|ing)|answer|defen[ds]|\bf(?:ight|ought)|contest|settl|resolv|\blos[et]|\bhit|serv(?:e|ing)|slap|accus|"
        r"\bnam|alleg|target",
    ),
    (
        r"lawsuit|\bsuits?\b|complaint|claim|litigation|proceeding|\baction|arbitrat|\bwrit",
        r"against",
        r"\bfil(?:e|ing)|br(?:ing|ought)|launch|lodg|initiat|\bstart|commenc|\bopen|pursu|institut|\bbeg[aiu]n",
    ),
    (r"\bliable|negligent",),
    (r"\border", r"\bpay"),
    # stoppages
    (
        rf"{_STOP}|standstill",
        r"production|output|deliver|shipment|suppl|\bplant|factor|\bline|\bmine|refiner|operation|manufactur|assembl|"
        r"smelter|\bmill|export|works|shipping|pipeline|\bunit|\bsite|chain|\bgas\b",
    ),
    (r"majeure|\br[ua]n(?:s|ning)?\b.*\bout\b|(?:\bcom|\bcame|grind|ground|\bbr(?:ing|ought)).*(?:halt|stop)",),
)
"""Words of events that one party suffices for: of one row each pattern must be found."""
ALONE: Final = tuple(tuple(re.compile(one, re.I | re.S) for one in row) for row in _ALONE)


def worth_parsing(
    sentence: str, start: int, inside: Sequence[Mention], topic: Mention | None, speaker: Mention | None
) -> bool:
    """True if the sentence may tell something. It begins at `start` of the text that the names in it count from."""
    ids = {_id(m) for m in inside}
    office = _OFFICE.search(sentence)
    if speaker and _SPEAKS.search(sentence):
        ids.add(_id(speaker))
    if topic and (office or _REFERS.search(sentence)):
        ids.add(_id(topic))
    if len(ids) != 1:
        return len(ids) > 1
    return bool(office and unexplained(sentence, start, inside)) or _alone(sentence)


def _id(m: Mention) -> str:
    return text_id(m.name, m.label)


def _alone(sentence: str) -> bool:
    return any(all(one.search(sentence) for one in row) for row in ALONE)
