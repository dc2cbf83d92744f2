"""Inline XBRL facts, read with lxml alone: value, unit, period and dimensions of every tagged number and short
text.

A tagged number is text x 10^scale with the sign of its `sign` attribute, written in one of the formats of the
inline XBRL transformation registry. Facts of the filer without dimensions whose us-gaap concept the ontology has
become its properties (`assets`, `revenue`, ...) keyed by their period; every other fact becomes `fact` (money),
`measure` or `statement`, keyed `concept|period|dimensions`. A fact holds from the day after its period's end.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation

from lxml import etree

from ingest.extract.formats.markup import Paths, inner, local
from kg.errors import RecordError
from kg.model import Value, day, next_day

CONCEPTS: Mapping[str, tuple[str, ...]] = {
    "assets": ("Assets",),
    "liabilities": ("Liabilities",),
    "equity": ("StockholdersEquity", "StockholdersEquityIncludingPortionAttributableToNoncontrollingInterest"),
    "revenue": (
        "Revenues",
        "RevenueFromContractWithCustomerExcludingAssessedTax",
        "RevenueFromContractWithCustomerIncludingAssessedTax",
        "SalesRevenueNet",
    ),
    "net_income": ("NetIncomeLoss", "ProfitLoss"),
    "operating_income": ("OperatingIncomeLoss",),
    "cash": ("CashAndCashEquivalentsAtCarryingValue", "CashAndDueFromBanks"),
    "debt": ("DebtLongtermAndShorttermCombinedAmount", "LongTermDebt"),
    "current_assets": ("AssetsCurrent",),
    "current_liabilities": ("LiabilitiesCurrent",),
    "interest_expense": ("InterestExpense", "InterestExpenseNonoperating"),
}
"""us-gaap concepts of each numeric property, the one preferred first."""
NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
LONGEST_TEXT = 500
"""Longer tagged texts (notes, policies) stay in the document's text."""
_ZERO = ("fixed-zero", "zerodash", "numdash", "fixed-empty", "nocontent")
_ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
    " eighteen nineteen twenty"
)
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_WORDS = {word: n for n, word in enumerate(_ONES.split())}
_WORDS |= {word: 10 * n for n, word in enumerate(_TENS.split(), 2)} | {"no": 0, "none": 0, "nil": 0}


@dataclass(frozen=True, slots=True)
class Context:
    """Whose fact it is, when, and along which dimensions."""

    entity: str
    """CIK as written, "" if the entity is identified otherwise."""
    start: date | None
    """None for an instant."""
    end: date
    dimensions: str
    """`axis=member` in alphabetical order, parted by `;`."""

    @property
    def period(self) -> str:
        """`2023-10-01/2024-09-28`, or `2024-09-28` for an instant."""
        return f"{self.start}/{self.end}" if self.start else str(self.end)

    @property
    def valid_from(self) -> datetime:
        """Midnight UTC after the period's end."""
        return next_day(day(str(self.end)))


@dataclass(frozen=True, slots=True)
class Fact:
    """One tagged value with the place it stands at."""

    concept: str
    """With its prefix: `us-gaap:Assets`."""
    context: Context
    value: Decimal | str
    unit: str
    """ISO 4217 code of money, another unit such as `shares` or `USD/shares`, "" for texts."""
    precision: int
    """`decimals` of the fact: -6 is exact to the million; exact facts have 99."""
    path: str
    quote: str

    @property
    def money(self) -> bool:
        return re.fullmatch("[A-Z]{3}", self.unit) is not None

    @property
    def key(self) -> str:
        """Key of a fact that no property is made for."""
        parts = [self.concept, self.context.period, self.context.dimensions]
        if self.unit and not self.money and self.unit != "pure":
            parts.append(self.unit)
        return "|".join(parts).rstrip("|")

    def stated(self, name: str | None) -> tuple[dict[str, Value], str]:
        """Properties and key of the node that states it; `name` is the property it is, if it is one."""
        if isinstance(self.value, str):
            return {"statement": self.value}, self.key
        if self.money:
            return {name or "fact": self.value, "currency": self.unit}, self.context.period if name else self.key
        return {"measure": float(self.value)}, self.key


@dataclass(frozen=True, slots=True)
class Facts:
    """All facts of a document, and the tags that could not be read with the reason."""

    facts: tuple[Fact, ...]
    refused: tuple[tuple[str, str], ...]
    skipped: tuple[str, ...]
    """Concepts of texts longer than LONGEST_TEXT and of nil facts."""


Said = tuple[Mapping[str, Context], Mapping[str, str]]
"""Contexts and units of a document by id."""
Read = Callable[[etree._Element, str, Said, Paths], Fact | None]


def read_facts(root: etree._Element) -> Facts:
    """Facts of an inline XBRL document; one fact per concept, context and unit: the most precise, then the first."""
    tagged = (e for e in root.iter(etree.Element) if local(e) in ("nonFraction", "nonNumeric"))
    return collected(root, ((element, element.get("name", "")) for element in tagged), _fact)


def collected(root: etree._Element, tagged: Iterable[tuple[etree._Element, str]], read: Read) -> Facts:
    """Facts of elements and their concepts, each read by `read` with the contexts and units of the document."""
    contexts, units = _contexts(root), _units(root)
    paths = Paths()
    best: dict[tuple[str, Context, str], Fact] = {}
    refused: list[tuple[str, str]] = []
    skipped: set[str] = set()
    for element, concept in tagged:
        try:
            fact = read(element, concept, (contexts, units), paths)
        except RecordError as error:
            refused.append((f"xpath:{paths.of(element)}", str(error)))
            continue
        except (ValueError, ArithmeticError) as error:  # a scale or decimals that is no number, or beyond all numbers
            refused.append((f"xpath:{paths.of(element)}", f"{concept}: {type(error).__name__}: {error}"))
            continue
        if fact is None:
            skipped.add(concept)
        elif (
            known := best.get(key := (fact.concept, fact.context, fact.unit))
        ) is None or known.precision < fact.precision:
            best[key] = fact
    return Facts(tuple(best.values()), tuple(refused), tuple(sorted(skipped)))


def properties(facts: Facts) -> Iterator[tuple[str, Fact]]:
    """(property, fact) for the facts of the ontology's numeric properties: money, without dimensions, the preferred
    concept.
    """
    return properties_of(facts.facts)


def properties_of(facts: Iterable[Fact]) -> Iterator[tuple[str, Fact]]:
    """The same of any facts; in one context the preferred concept counts."""
    given: dict[str, dict[Context, Fact]] = {}
    for fact in facts:
        if fact.money and not fact.context.dimensions:
            given.setdefault(fact.concept, {})[fact.context] = fact
    for name, concepts in CONCEPTS.items():
        taken: set[Context] = set()
        for concept in concepts:
            for context, fact in given.get(f"us-gaap:{concept}", {}).items():
                if context not in taken:
                    taken.add(context)
                    yield name, fact


def number(text: str, format: str) -> Decimal:
    """Decimal of a tagged text in a transformation format; RecordError if it is none."""
    kind = format.rpartition(":")[2].lower()
    plain = re.sub(r"[\s\u00a0$€£]", "", text)
    if kind.startswith(_ZERO) or (plain in ("-", "—", "–") and kind != "num-comma-decimal"):
        return Decimal(0)
    if kind == "numwordsen":
        return _words(text)
    if kind.replace("-", "") in ("numcommadecimal", "numcomma"):
        plain = plain.replace(".", "").replace("'", "").replace(",", ".")
    try:
        return Decimal(plain.replace(",", "").strip("()"))
    except InvalidOperation as error:
        raise RecordError(f"{text!r} is no number in format {format or 'none'!r}") from error


def _words(text: str) -> Decimal:
    total = 0
    for word in re.findall("[a-z]+", text.lower().replace(" and ", " ")):
        if word in ("hundred", "thousand", "million", "billion"):
            total = max(total, 1) * {"hundred": 100, "thousand": 10**3, "million": 10**6, "billion": 10**9}[word]
        elif word in _WORDS:
            total += _WORDS[word]
        else:
            raise RecordError(f"{text!r} is no number in words")
    return Decimal(total)


def _fact(element: etree._Element, concept: str, said: Said, paths: Paths) -> Fact | None:
    if element.get(NIL) == "true":
        return None
    context = context_of(element, concept, said)
    text = inner(element)
    if local(element) == "nonNumeric":
        if not text or len(text) > LONGEST_TEXT:
            return None
        return Fact(concept, context, text, "", 99, paths.of(element), text)
    unit = unit_of(element, concept, said)
    value = number(text, element.get("format", "")).scaleb(int(element.get("scale") or 0))
    signed = -value if element.get("sign") == "-" else value
    return Fact(concept, context, signed, unit, precision_of(element), paths.of(element), text)


def context_of(element: etree._Element, concept: str, said: Said) -> Context:
    """The context an element names; RecordError if the document has none of that name."""
    if (context := said[0].get(element.get("contextRef", ""))) is None:
        raise RecordError(f"{concept}: context {element.get('contextRef')!r} is not in the document")
    return context


def unit_of(element: etree._Element, concept: str, said: Said) -> str:
    """The unit an element names; RecordError if the document has none of that name."""
    if (unit := said[1].get(element.get("unitRef", ""))) is None:
        raise RecordError(f"{concept}: unit {element.get('unitRef')!r} is not in the document")
    return unit


def precision_of(element: etree._Element) -> int:
    precision = element.get("decimals", "INF")
    return 99 if precision == "INF" else int(precision)


def _contexts(root: etree._Element) -> dict[str, Context]:
    found: dict[str, Context] = {}
    for element in root.iter("{*}context"):
        inside = {local(e): (e.text or "").strip() for e in element.iter(etree.Element)}
        identifier = next(element.iter("{*}identifier"), None)
        is_cik = identifier is not None and identifier.get("scheme", "").upper().endswith("CIK")
        dimensions = sorted(
            f"{e.get('dimension')}={inner(e)}"
            for e in element.iter(etree.Element)
            if local(e) in ("explicitMember", "typedMember")
        )
        try:
            end = date.fromisoformat((inside.get("instant") or inside.get("endDate") or "")[:10])
            start = date.fromisoformat(inside["startDate"][:10]) if "startDate" in inside else None
        except ValueError:
            continue  # a context without a date: its facts are refused by name
        found[element.get("id", "")] = Context(
            inside.get("identifier", "") if is_cik else "", start, end, ";".join(dimensions)
        )
    return found


def _units(root: etree._Element) -> dict[str, str]:
    found: dict[str, str] = {}
    for element in root.iter("{*}unit"):
        measures = [(e.text or "").strip().rpartition(":")[2] for e in element.iter("{*}measure")]
        found[element.get("id", "")] = "/".join(measures)
    return found
