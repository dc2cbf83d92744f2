"""Exhibit 21 lists the subsidiaries of a registrant: name, where it is incorporated, at times the share held.

Read from the tables of a page (a row a firm) or from lines of text: `Acme Ltd (England)`, `Acme LLC, a Delaware limited
liability company`, or name and jurisdiction parted by dots, dashes or wide gaps. The list does not say who holds whom
within the group, so every firm is said to be controlled by the registrant.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from ingest.clean import number
from ingest.extract.filings.filing import Party, Spot, Witness
from ingest.extract.filings.grid import Grid
from ingest.extract.filings.jurisdiction import country
from ingest.extract.formats.identifier import corporate, name_id
from kg.model import Claim, Edge, Node, Value, as_time

_TITLE = re.compile(
    r"subsidiar(?:y|ies)\s+(?:list|of\b)|list\s+of\s+(?:\w+\s+){0,3}subsidiaries|^\s*subsidiaries\b", re.I | re.M
)
_EXHIBIT = re.compile(r"\bexhibit\s+21\b|\bex-21\b", re.IGNORECASE)
_HEAD = re.compile(
    r"jurisdiction|incorporat|organi[sz]ation|state\s+or\s+|name\s+of|^name$|^subsidiary$|^company$|percent|owned|country",
    re.I,
)
_AN = re.compile(
    r"^(?P<name>.{3,120}?),?\s+an?\s+(?P<place>[A-Z][\w’'. ]{2,40}?)\s+(?:limited|corporation|company|partnership"
    r"|trust|LLC|statutory|exempted|business|private|public|general|s\.a)",
    re.S,
)
_BRACKET = re.compile(r"^(?P<name>.{3,120}?)\s*\((?P<place>[A-Za-z][\w’'., &]{1,40})\)\s*[*†]?$")
_GAP = re.compile(r"^(?P<name>.{3,120}?)(?:\s*\.{3,}\s*|\s{3,}|\t+|\s+[-–—]\s+)(?P<place>\S.{1,60}?)\s*$")
_LONGEST = 400
"""Characters of a line that may name a firm."""
_PERCENT = re.compile(r"^(\d{1,3}(?:\.\d+)?)\s*%?$")
_MARKS = re.compile(r"\s*(?:\(\d+\)|[*†‡]+)\s*$")


@dataclass(frozen=True, slots=True)
class Subsidiary:
    """One firm of the list."""

    name: str
    jurisdiction: str
    share: float | None
    spot: Spot


def is_subsidiaries(kind: str, opening: str) -> bool:
    """True for a part of type EX-21, or for a page that opens as such a list."""
    if kind.upper().startswith("EX-21"):
        return True
    head = opening[:1200]
    return not kind and _EXHIBIT.search(head) is not None and _TITLE.search(head) is not None


def listed(grids: tuple[Grid, ...], text: str) -> list[Subsidiary]:
    """The firms of the tables; of the lines of the text where tables hold none."""
    found = [one for number, grid in enumerate(grids, 1) for one in _of_grid(grid, number)]
    return found or list(_of_lines(text))


def claims(firms: list[Subsidiary], witness: Witness, parent: Party, period: date | None) -> Iterator[Claim]:
    """Each firm with its name and country, controlled by the registrant from the end of the period reported."""
    since = as_time(period) if period else witness.published
    for firm in firms:
        party = Party(firm.name, firm.spot, label="" if corporate(firm.name) else "Company")
        id = name_id(firm.name)
        if id == parent.id:
            continue
        yield from party.claims(witness)
        props: dict[str, Value] = {} if firm.share is None else {"share": firm.share}
        yield witness.says(Edge("SUBSIDIARY_OF", id, parent.id, props), firm.spot, since)
        if firm.jurisdiction:
            said = Node(party.kind, id, {"statement": firm.jurisdiction}, "ex-21:jurisdiction")
            yield witness.says(said, firm.spot, since)
        if code := country(firm.jurisdiction):
            yield witness.says(Node("Country", f"iso:{code}"), firm.spot)
            yield witness.says(Edge("IN_COUNTRY", id, f"iso:{code}"), firm.spot, since)


def _of_grid(grid: Grid, number: int) -> Iterator[Subsidiary]:
    for row in range(len(grid.rows)):
        texts = grid.texts(row)
        if not texts or len(texts) > 6 or sum(_HEAD.search(text) is not None for text in texts) > len(texts) / 2:
            continue
        spot = Spot(f"table:{number} row:{row + 1}", " ".join(texts))
        if len(texts) == 1:
            if (firm := _of_line(texts[0], spot)) is not None:
                yield firm
            continue
        places = [text for text in texts[1:] if country(text)]
        words = [text for text in texts[1:] if re.search("[A-Za-z]{2}", text)]
        place = places[0] if places else words[-1] if words else ""
        if place and _is_name(texts[0]) and (places or corporate(texts[0])):
            yield Subsidiary(_named(texts[0]), place.strip(), _share(texts[1:]), spot)


def _of_lines(text: str) -> Iterator[Subsidiary]:
    start = 0
    for line in text.splitlines(keepends=True):
        plain = line.strip()
        at = start + line.find(plain) if plain else start
        start += len(line)
        if (
            plain
            and not _TITLE.search(plain)
            and (firm := _of_line(plain, Spot(f"chars:{at}-{at + len(plain)}", plain)))
        ):
            yield firm


def _of_line(line: str, spot: Spot) -> Subsidiary | None:
    if len(line) > _LONGEST:
        return None
    for form in (_AN, _BRACKET, _GAP):
        match = form.match(line)
        if match is None or not _is_name(match["name"]):
            continue
        place = re.sub(r"\s{2,}.*", "", match["place"]).strip(" .")
        share = _share(re.split(r"\s{2,}", line)[1:])
        if country(place) or (form is _AN and corporate(match["name"])):
            return Subsidiary(_named(match["name"]), place, share, spot)
    return None


def _is_name(text: str) -> bool:
    return 3 <= len(text) <= 160 and re.search("[^\\W\\d_]{2}", text) is not None and not _HEAD.fullmatch(text)


def _named(text: str) -> str:
    """The name without footnote marks."""
    return _MARKS.sub("", text).strip(" ,•·-–")


def _share(texts: list[str]) -> float | None:
    for text in texts:
        if (
            (match := _PERCENT.match(text.strip()))
            and "%" in text
            and (value := number(match[1])) is not None
            and value <= 100
        ):
            return float(value) / 100
    return None
