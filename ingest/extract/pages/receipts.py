"""Key fields of a shop's receipt: the seller, its address, the day and the total, from where they stand on it.

The seller heads the receipt, its registry number and address follow, then phone or tax numbers; the total stands
beside a label, and what was tendered, given back, taxed or summed by tax rate is not it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from ingest.extract.pages.fields import DATE, SUM, Field, first_date, holding
from ingest.extract.pages.ocr import Box, join
from ingest.extract.text.lexicon import FORMS
from ingest.extract.text.names import squash

Rows = Sequence[Sequence[Box]]

_BEST: Final = re.compile(
    r"grand|rounde?d?\b(?! ?ing)|round d|incl|nett?\b|payable|amount due|balance due|facture|a payer|ttc", re.I
)
_TOTAL: Final = re.compile(
    r"\b(?:grand total|total\w*|amount due|nett? (?:total|amount)|balance due|amt payable|net a payer|montant)\b", re.I
)
_PART: Final = re.compile(
    r"sub[ -]?tot|qty|quantity|excl|item|disc|saving|tax amount|total (?:gst|tax|sr|vat)|gst total|change|before|"
    r"tender|points?\b|total includes",
    re.I,
)
_SUMMARY: Final = re.compile(r"\b(?:gst|tax|vat|gs[t ]?\w?|sst) ?\w? ?(?:summ\w*|analysis)|^summ?ar|^ummar", re.I)
_PAID: Final = re.compile(r"\b(?:cash|change|tender\w*|visa|master(?:card)?|card|paid|payment|debit|received)\b", re.I)
_STOP: Final = re.compile(
    r"\b(?:tel\w?|fax|phone|h/p|mobile|gst|sst|vat|cash|invoice|invdice|date|bill|doc(?:ument)?|receipt|tax|e?-?mail|www|"
    r"table|cashier|company reg|co\.? ?reg|roc|reg|order|server|member|guest|designation)\b|https?:|@",
    re.I,
)
_PHONE: Final = re.compile(r"^\W*(?:\+?\d{1,3}[- ])?\(?\d{2,3}\)?[- ]\d{3,4}[ -]?\d{3,4}\W*$")
_REGISTRY: Final = re.compile(
    r"^\W*(?:co(?:mpany)?\.? ?(?:reg|r?no)|reg|roc|gst|\(?\d{4,}[-·]?[A-Z0-9]?\)?\W*$|[\d\W]{5,}$)", re.I
)
_NUMBER: Final = re.compile(r"\s*\(?\b\d{4,7}[-·][A-Z]\b\)?\s*$")
"""A registry number behind the name."""
_PLACE: Final = re.compile(
    r"\b(?:jalan|jln|lorong|persiaran|lebuh|taman|lot|level|floor|street|st|road|rd|avenue|ave|lane|drive|suite|unit|"
    r"block|blk|p\.?o\.? ?box|rue|boulevard|autoroute|route|\w*stra(?:ss|ß)e|platz|\w*weg|via|calle|avenida|"
    r"no\.? ?\d)\b|"
    r"^\W*\d+\w?[,.]? \w+",
    re.I,
)
_SHOP: Final = re.compile(
    r"\b(?:enterprise|trading|restaurants?|restoran|kedai|mart|supermarket|store|shop|cafe|hardware|bakery|pharmacy|"
    r"hotel|bistro|stationery|relais)\b",
    re.I,
)
_FORM: Final = re.compile(r"\b(?:sdn\.? ?bhd|s/b|plt|gmbh|ltd|limited|inc|llc|pte|s\.?a\.?r\.?l)\b", re.I)
_GREETING: Final = re.compile(r"\b(?:welcome|thank|receipt|invoice|guest check|home of|licensee|formerly)\b", re.I)
_SLIPS: Final = ((re.compile(r"\bS/[D8]\b"), "S/B"), (re.compile(r"\b(S[DO0]N)\.? ?(BN[DH]|8HD|BHO|B1D)\b"), "SDN BHD"))
"""Legal forms as OCR bends them."""
STATES: Final = [
    "JOHOR",
    "KEDAH",
    "KELANTAN",
    "MELAKA",
    "PAHANG",
    "PERAK",
    "PERLIS",
    "SABAH",
    "SARAWAK",
    "SELANGOR",
    "TERENGGANU",
    "PUTRAJAYA",
    "LABUAN",
    "MALAYSIA",
]
"""Names that close an address; one letter astray is set right."""


def receipt(rows: Rows) -> dict[str, Field]:
    """Company, address, date and total, as far as they are found."""
    return {field.name: field for field in _receipt(rows)}


def _receipt(rows: Rows) -> Iterator[Field]:
    if found := _company(rows):
        company, last = found
        yield company
        if address := _address(rows, last):
            yield address
    if date := first_date(rows):
        yield date
    if total := _total(rows):
        yield total


def _company(rows: Rows) -> tuple[Field, int] | None:
    """The seller and the number of its last line: a top line with a legal form, else the shop's sign."""
    top = [i for i, row in enumerate(rows[:7]) if _is_name(join(row))]
    formed = [i for i in top if _FORM.search(join(rows[i])) or _ends_in_form(join(rows[i]))]
    shops = [i for i in top if _SHOP.search(join(rows[i])) and i - top[0] < 3]
    first = next(iter(formed or [s for s in shops if not _signed_above(rows, s)] or top), None)
    if first is None:
        return None
    last = first if formed else _last_of_name(rows, first)
    boxes = tuple(box for row in rows[first : last + 1] for box in row)
    return Field("company", tidy_name(join(boxes)), boxes), last


def _is_name(text: str) -> bool:
    return sum(c.isalpha() for c in text) > 3 and not _GREETING.search(text) and not DATE.search(text)


def _ends_in_form(text: str) -> bool:
    words = squash(_NUMBER.sub("", text)).split()
    return len(words) > 1 and words[-1] in FORMS


def _signed_above(rows: Rows, shop: int) -> bool:
    """True if a line in capitals heads this one, which then only says what kind of shop it is."""
    above = join(rows[shop - 1]) if shop else ""
    return above.isupper() and _is_name(above) and len(above.split()) > 1


def _last_of_name(rows: Rows, first: int) -> int:
    """A name may run over lines up to the registry number below it."""
    for i in range(first + 1, min(first + 3, len(rows))):
        if _REGISTRY.match(join(rows[i])):
            return i - 1
        if not _is_name(join(rows[i])) or _PLACE.search(join(rows[i])):
            break
    return first


def tidy_name(text: str) -> str:
    """The name without the registry number behind it, its legal form as the law writes it."""
    for slip, form in _SLIPS:
        text = slip.sub(form, text)
    return _NUMBER.sub("", text).strip()


def _address(rows: Rows, company: int) -> Field | None:
    """From the first line that looks like a place to the first that tells something else."""
    found: list[Box] = []
    for row in rows[company + 1 : company + 12]:
        text = join(row)
        other = _STOP.search(text) or _PHONE.match(text) or _REGISTRY.match(text) or DATE.search(text)
        if found and (other or SUM.search(text)):
            break
        if not other and (found or _PLACE.search(text)):
            found += row
    words = join(found)
    return Field("address", _tidy_places(words), tuple(found)) if len(words) > 8 else None


def _tidy_places(text: str) -> str:
    return re.sub(r"[A-Za-z]{5,}", lambda word: _state(word[0]), text)


def _state(word: str) -> str:
    from rapidfuzz.distance import Levenshtein

    near = [state for state in STATES if Levenshtein.distance(word.upper(), state) == 1 and len(state) > 5]
    if not near or word.upper() in STATES:
        return word
    return near[0] if word.isupper() else near[0].capitalize()


def _total(rows: Rows) -> Field | None:
    """The sum of the likeliest total line; of equals the last one before the money is handed over."""
    best: tuple[bool, int] | None = None
    chosen: Field | None = None
    for i, row in enumerate(rows):
        text = join(row)
        if _SUMMARY.search(text) and chosen:
            break
        if not _TOTAL.search(text) or _PART.search(text) or (_PAID.search(text) and not _BEST.search(text)):
            continue
        rank = (bool(_BEST.search(text)), i)
        field = _sum(rows, i)
        if field and (best is None or rank > best):
            best, chosen = rank, field
    return chosen


def _sum(rows: Rows, i: int) -> Field | None:
    """The last sum on the line; where it has none, that of the next line if that says nothing else."""
    for row in rows[i : i + 2]:
        text = join(row)
        if row is not rows[i] and sum(c.isalpha() for c in text) > 2:
            return None
        if sums := SUM.findall(text):
            boxes = holding(row, sums[-1])
            return Field("total", sums[-1], boxes)
    return None
