"""A submission is an EDGAR file with an SGML header and its documents, as the SEC has sent them out since 1993.

Two spellings of the header are read: labelled lines (`COMPANY CONFORMED NAME:  X`) and tags (`<CONFORMED-NAME>X`), in
`.txt`, `.nc` and index-headers pages, whole or cut off. Offsets count characters of the decoded bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from ingest.clean import decode

_HEAD = re.compile(
    r"<SEC-HEADER>|<SEC-DOCUMENT>|<SUBMISSION>|<IMS-HEADER>|CONFORMED SUBMISSION TYPE:|^\s*<DOCUMENT>\s*<TYPE>"
)
_TOKEN = re.compile(r"<([A-Z][A-Z0-9-]+)>([^<\r\n]*)|^[ \t]*([A-Z][A-Z0-9 .-]*):[ \t]*([^\r\n]*)$", re.MULTILINE)
_DOCUMENT = re.compile(r"<DOCUMENT>(.*?)(?:</DOCUMENT>|\Z)", re.DOTALL)
_FIELDS = {
    "CONFORMED SUBMISSION TYPE": "form",
    "TYPE": "form",
    "ACCEPTANCE-DATETIME": "accepted",
    "FILED AS OF DATE": "filed",
    "FILING-DATE": "filed",
    "CONFORMED PERIOD OF REPORT": "period",
    "PERIOD": "period",
    "COMPANY CONFORMED NAME": "name",
    "CONFORMED-NAME": "name",
    "CENTRAL INDEX KEY": "cik",
    "CIK": "cik",
    "STANDARD INDUSTRIAL CLASSIFICATION": "sic",
    "ASSIGNED-SIC": "sic",
    "STATE OF INCORPORATION": "state",
    "STATE-OF-INCORPORATION": "state",
    "FORMER CONFORMED NAME": "former",
    "FORMER-CONFORMED-NAME": "former",
    "DATE OF NAME CHANGE": "changed",
    "DATE-CHANGED": "changed",
    "ITEM INFORMATION": "item",
    "ITEMS": "item",
    "GROUP MEMBERS": "member",
    "GROUP-MEMBERS": "member",
}
_ROLES = {
    "FILER",
    "REPORTING-OWNER",
    "ISSUER",
    "SUBJECT COMPANY",
    "SUBJECT-COMPANY",
    "FILED BY",
    "FILED-BY",
    "FILED FOR",
    "FILED-FOR",
    "SERIAL COMPANY",
    "SERIAL-COMPANY",
}


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a document's text: where it starts, and what stands there."""

    start: int
    text: str

    @property
    def locator(self) -> str:
        return f"chars:{self.start}-{self.start + len(self.text)}"


@dataclass(slots=True)
class HeaderParty:
    """One party of the header with the role it is listed under."""

    role: str
    values: dict[str, Span] = field(default_factory=dict)
    former: list[tuple[Span, str]] = field(default_factory=list)
    """Earlier names, each with the day it was given up as the header writes it ("" if it does not)."""


@dataclass(slots=True)
class Header:
    """What the header says: form, dates and parties."""

    values: dict[str, Span] = field(default_factory=dict)
    parties: list[HeaderParty] = field(default_factory=list)
    items: list[Span] = field(default_factory=list)
    """Items of an 8-K: their codes or titles."""
    members: list[Span] = field(default_factory=list)
    """Names of those who file as a group."""


@dataclass(frozen=True, slots=True)
class Part:
    """The n-th document of a submission."""

    number: int
    type: str
    start: int
    body: str

    @property
    def content(self) -> bytes:
        """Bytes of the body, without the tag that wraps XML."""
        return self.body.encode()


def is_submission(content: bytes) -> bool:
    """True for a file with an SGML header or SGML documents."""
    return _HEAD.search(decode(content[:4000])[0]) is not None


@lru_cache(maxsize=4)
def parts(content: bytes) -> tuple[Part, ...]:
    """The documents of a submission, in their order."""
    return tuple(_part(number, match) for number, match in enumerate(_DOCUMENT.finditer(decode(content)[0]), 1))


def _part(number: int, match: re.Match[str]) -> Part:
    inside = match[1]
    kind = re.search(r"<TYPE>([^<\r\n]*)", inside)
    start = re.search(r"<TEXT>\s*(?:<XML>|<XBRL>)?\s*", inside)
    begin = start.end() if start else 0
    end = inside.find("</TEXT>", begin)
    body = inside[begin:] if end < 0 else inside[begin:end].rstrip()
    for tag in ("</XML>", "</XBRL>"):
        body = body.removesuffix(tag).rstrip() if body.endswith(tag) else body
    return Part(number, kind[1].strip() if kind else "", match.start(1) + begin, body)


def header(content: bytes) -> Header:
    """The header of a submission; what it does not say is missing."""
    text = decode(content)[0]
    end = min((i for i in (text.find("</SEC-HEADER>"), text.find("<DOCUMENT>")) if i > 0), default=len(text))
    if _HEAD.match(text.lstrip()) and text.lstrip().startswith("<DOCUMENT>"):
        end = min(len(text), 400)  # no header at all, but the document says its type
    found = Header()
    party: HeaderParty | None = None
    for name, span in _tokens(text[: min(end, 60_000)]):
        if name in _ROLES and not span.text:
            party = HeaderParty(name.replace("-", " ").lower())
            found.parties.append(party)
        elif known := _FIELDS.get(name):
            _keep(found, party, known, span)
    return found


def _tokens(text: str) -> Iterator[tuple[str, Span]]:
    for match in _TOKEN.finditer(text):
        group = 2 if match[1] else 4
        raw = match[group]
        value = raw.strip()
        yield match[1] or match[3].strip(), Span(match.start(group) + raw.find(value), value)


def _keep(found: Header, party: HeaderParty | None, name: str, span: Span) -> None:
    if not span.text:
        return
    if name in ("form", "accepted", "filed", "period"):
        found.values.setdefault(name, span)
    elif name in ("item", "member"):
        (found.items if name == "item" else found.members).append(span)
    elif party is None:
        return
    elif name == "former":
        party.former.append((span, ""))
    elif name == "changed" and party.former:
        party.former[-1] = (party.former[-1][0], span.text)
    else:
        party.values.setdefault(name, span)
