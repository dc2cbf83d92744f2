"""The items of an annual, quarterly or current report: where each begins and ends in the text of the document.

A line that starts with `Item 7.` is a candidate, in the table of contents as well as at the item itself. Of all
candidates the sequence in the order of the form is taken whose items are longest together (weighted longest increasing
subsequence), which leaves tables of contents and cross references out.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from ingest.extract.filings.filing import Spot, Witness
from kg.model import Claim, Node

_ITEM = re.compile(
    r"^[ \t\u200b]*(?:part\s+(?P<part>i{1,3}v?|iv)\b[\s.,:;\-–—]*)?item[ \u00a0\t]*"
    r"(?P<code>\d{1,2}\.\d\d|\d{1,2}[ \t]?\(?[abc]?\)?)"
    r"(?![\w%])(?P<mark>[ \t]*[.:\-–—)]*)[ \t]*(?P<title>[^\n]*)",
    re.IGNORECASE | re.MULTILINE,
)
_PART = re.compile(r"^[ \t]*part\s+(i{1,3}v?|iv)\b(?=[\s.,:;\-–—]*(?:$|[A-Z]))", re.IGNORECASE | re.MULTILINE)
_END = re.compile(r"^[ \t]*signatures?[ \t]*$", re.IGNORECASE | re.MULTILINE)
_ANNUAL = {
    "1": "business|general|description",
    "1A": "risk",
    "1B": "unresolved",
    "1C": "cybersecurity",
    "2": "propert|description of propert",
    "3": "legal",
    "4": "mine|submission|removed|reserved|\\[|\\(",
    "5": "market|registrant",
    "6": "selected|reserved|\\[|\\(|consolidated",
    "7": "management|discussion",
    "7A": "quantitative|market",
    "8": "financial|consolidated",
    "9": "change|disagreement",
    "9A": "control",
    "9B": "other",
    "9C": "disclosure",
    "10": "director",
    "11": "executive",
    "12": "security",
    "13": "certain",
    "14": "principal|exhibit|control",
    "15": "exhibit|principal",
    "16": "form|exhibit",
}
"""Words that the titles of a 10-K's items start with; they changed over the years."""
_LONGEST_TITLE = 160
_MOST = 2000
"""Candidates beyond which a text is no report; real ones have fewer than 200."""
_FULL = 40_000
"""Characters beyond which an item is long enough: one long item does not outweigh many."""


@dataclass(frozen=True, slots=True)
class Section:
    """One item: its code (`1A`, `I.2` of a 10-Q, `2.02` of an 8-K), title, and its characters, heading included."""

    code: str
    title: str
    start: int
    end: int
    heading: str
    """The line that opens it, as it stands."""


@dataclass(frozen=True, slots=True)
class _Candidate:
    order: tuple[int, float, str]
    code: str
    title: str
    start: int
    heading: str


def kind_of(form: str) -> str:
    """10-K, 10-Q or 8-K for a form that has items (10-K405, 10-Q/A ...), else ""."""
    match = re.match(r"(10-K|10-Q|8-K)", form.upper().replace("10K", "10-K"))
    return match[1] if match else ""


def sections(text: str, kind: str) -> list[Section]:
    """Items of a report in their order; none where the text has no headings for them."""
    found = _candidates(text, kind)
    if not found or len(found) > _MOST:
        return []
    starts = [candidate.start for candidate in found]
    lengths = [end - start for start, end in zip(starts, [*starts[1:], len(text)], strict=True)]
    chosen = _best(found, lengths)
    ends = [found[i].start for i in chosen[1:]]
    last = _END.search(text, found[chosen[-1]].start)
    ends.append(last.start() if last else len(text))
    return [
        Section(found[i].code, found[i].title, found[i].start, end, found[i].heading)
        for i, end in zip(chosen, ends, strict=True)
    ]


def claims(found: list[Section], witness: Witness) -> Iterator[Claim]:
    """Title and place of each item, as statements of the document; the quote is the heading."""
    document = f"doc:{witness.document}"
    for one in found:
        spot = Spot(f"chars:{one.start}-{one.start + len(one.heading)}", one.heading)
        place = f"{witness.prefix}chars:{one.start}-{one.end}"
        yield witness.says(
            Node("Document", document, {"statement": one.title or one.heading}, f"item {one.code}"), spot
        )
        yield witness.says(Node("Document", document, {"statement": place}, f"item {one.code} place"), spot)


def _candidates(text: str, kind: str) -> list[_Candidate]:
    parts = [(match.start(), match[1].upper()) for match in _PART.finditer(text)] if kind == "10-Q" else []
    found = []
    for match in _ITEM.finditer(text):
        code = re.sub(r"[\s()]", "", match["code"]).upper()
        title, heading = _titled(text, match)
        if (
            len(title) > _LONGEST_TITLE
            or not _fits(code, title, kind)
            or ("." in code) != (kind == "8-K" and "." in code)
        ):
            continue
        part = (match["part"] or _part_at(parts, match.start())).upper() if kind == "10-Q" else ""
        number = float(re.sub("[A-C]", "", code))
        name = f"{part}.{code}" if part else code
        start = match.start() + len(match[0]) - len(match[0].lstrip(" \t\u200b"))
        found.append(
            _Candidate((len(part), number, code[-1] if code[-1].isalpha() else ""), name, title, start, heading)
        )
    return found


def _titled(text: str, match: re.Match[str]) -> tuple[str, str]:
    """Title and whole heading; a title on the next line belongs to it."""
    title = match["title"].strip(" .:-–—|\t\u200b")
    if not title:
        following = re.match(r"\n[ \t]*([^\n]{3,120})", text[match.end() : match.end() + 200])
        if following and not _ITEM.match(following[1]):
            return following[1].strip(" ."), match[0].strip(" \t\u200b")
    return title, match[0].strip(" \t\u200b")


def _fits(code: str, title: str, kind: str) -> bool:
    if kind == "8-K":
        return re.match(r"(?:of|and|in|above|below|to|is)\b", title) is None
    if "." in code or (kind == "10-K" and code not in _ANNUAL):
        return False
    if kind == "10-K":
        return not title or re.match(rf"[“\"\s]*(?:{_ANNUAL[code]})", title, re.IGNORECASE) is not None
    return not title or title[:1].isupper() or title[:1] in "[("


def _part_at(parts: list[tuple[int, str]], place: int) -> str:
    before = bisect_right(parts, (place, "~"))
    return parts[before - 1][1] if before else "I"


def _best(found: list[_Candidate], lengths: list[int]) -> list[int]:
    """Indexes of the increasing sequence with the greatest sum of lengths, each item once."""
    score: list[float] = []
    back: list[int] = []
    for i, candidate in enumerate(found):
        own = min(lengths[i], _FULL) + 1
        before = max((j for j in range(i) if found[j].order < candidate.order), key=lambda j: score[j], default=-1)
        score.append(own + (score[before] if before >= 0 else 0))
        back.append(before)
    i = max(range(len(found)), key=lambda k: score[k])
    chosen = []
    while i >= 0:
        chosen.append(i)
        i = back[i]
    return chosen[::-1]
