"""BIS: claims of a country's banks on other countries at a period end, with GDP, reserves and external debt by year.

A position stands for a year, until the next report: a pair that the next one lacks has ended. Files do not say when
they were published: half a year after the period end, which is later than the BIS releases, unless a sidecar says.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar, Final

from ingest.extract.formats.identifier import COUNTRIES
from ingest.extract.formats.pointer import pointer, read_json, written
from ingest.extract.registers.countries import ALPHA2
from ingest.sidecar import published_beside, read_beside
from ingest.source import Extract, Models, Record, Refusal, Source
from kg.errors import RecordError
from kg.model import Claim, ClaimBatch, Edge, Evidence, Facts, Node, Value, day, next_day

FIGURES: Final[Mapping[str, str]] = {
    "gdp_usd": "gdp",
    "reserves_usd": "reserves",
    "external_debt_usd": "external debt",
}
"""Figures of a country in US dollars, and what they are called."""
CLAIMS: Final = "bank claims"
_QUARTER = re.compile(r"(\d{4})-Q([1-4])")
_ENDS = {"1": "03-31", "2": "06-30", "3": "09-30", "4": "12-31"}
_SMALLEST: Final = Decimal("1e-9")
_KNOWN = frozenset(("id", "name", "lat", "lng", "years", *FIGURES, "creditor", "debtor", "period", "amount"))


class Bis(Source):
    """Exposures between countries, and countries' figures."""

    extractor: ClassVar[str] = "bis.claims@1"
    patterns: ClassVar[Sequence[str]] = ("*.json",)

    def records(self) -> Iterator[Record]:
        now = datetime.now(UTC)
        for path in self.files:
            with path.open("rb") as file:
                head = file.read(4_000)
            if is_bis(head):
                beside = path.with_name(f"{path.name}.meta.json")
                sidecar = read_beside(beside)
                name = path.relative_to(self.folder).as_posix()
                yield Record("bis", name, path.read_bytes(), published_beside(sidecar), {"read": now}, sidecar)

    def claims(self, record: Record, models: Models) -> Extract:
        value = read_json(record.content)
        if not isinstance(value, dict) or not value:
            raise RecordError("no table of the BIS; expected an object with nodes and edges, or codes and names")
        reading = _Reading(record, self.extractor)
        if all(isinstance(name, str) for name in value.values()):
            reading.names(value)
        else:
            reading.graph(value)
        return Extract(ClaimBatch.of(reading.claims), reading.refused, sorted(reading.unread), dict(reading.rules))


def is_bis(head: bytes) -> bool:
    """True for the beginning of a file of nodes with figures, or of the BIS's country codes."""
    return (b'"nodes"' in head and b'_usd"' in head) or b'"5A": "All reporting countries"' in head


def released(end: datetime) -> datetime:
    """When figures of a period are taken to be public: half a year after its end."""
    return end + timedelta(days=182)


class _Reading:
    """One file being read."""

    def __init__(self, record: Record, extractor: str) -> None:
        self._record, self._extractor = record, extractor
        self._placed: set[str] = set()
        self.claims: list[Claim] = []
        self.refused: list[Refusal] = []
        self.unread: set[str] = set()
        self.rules: Counter[str] = Counter()

    def graph(self, value: Mapping[str, Any]) -> None:
        """Countries with figures, then what their banks claim."""
        edges = _list(value, "edges")
        year = next((str(edge.get("period"))[:4] for edge in edges if isinstance(edge, dict)), "")
        for number, node in enumerate(_list(value, "nodes")):
            self._guarded(self._country, ["nodes", number], node, year)
        for number, edge in enumerate(edges):
            self._guarded(self._exposure, ["edges", number], edge, year)

    def names(self, value: Mapping[str, str]) -> None:
        """Names of countries by code; codes of groups of countries are told as unread."""
        public = self._record.published or self._record.meta.get("read") or datetime.now(UTC)
        for code, name in value.items():
            if code in COUNTRIES:
                said = Node("Country", f"iso:{code}", {"name": name})
                self._say(said, [code], name, public)
            else:
                self.unread.add(code)

    def _guarded(self, read: Any, steps: list[str | int], item: Any, year: str) -> None:
        try:
            if not isinstance(item, dict):
                raise RecordError("no object; expected a country or a claim")
            self.unread |= set(item) - _KNOWN
            read(steps, item, year)
        except RecordError as error:
            self.refused.append(Refusal(pointer(steps), str(error)))

    def _country(self, steps: list[str | int], item: Mapping[str, Any], year: str) -> None:
        id = _code(item, "id")
        years = item.get("years")
        years = years if isinstance(years, dict) else {}
        first = min([*years, *([year] if year else [])], default="1990")
        public = self._public(_year_end(first))
        self._placed.add(id)
        self._say(Node("Country", id), [*steps, "id"], item["id"], public)
        if name := item.get("name"):
            self._say(Facts(id, {"name": str(name)}), [*steps, "name"], name, public)
        for key, prop in (("lat", "latitude"), ("lng", "longitude")):
            if isinstance(item.get(key), Decimal | int):
                self._say(Facts(id, {prop: float(item[key])}), [*steps, key], item[key], public)
        if year:
            self._figures(id, steps, item, year)
        for one, figures in years.items():
            if isinstance(figures, dict):
                self.unread |= set(figures) - _KNOWN
                self._figures(id, [*steps, "years", one], figures, one)

    def _figures(self, id: str, steps: list[str | int], item: Mapping[str, Any], year: str) -> None:
        end = _year_end(year)
        for key, called in FIGURES.items():
            if item.get(key) is not None:
                props: dict[str, Value] = {"fact": self._amount(item[key], key), "currency": "USD"}
                said = Facts(id, props, f"{called}|{year}")
                self._say(said, [*steps, key], item[key], self._public(end), (next_day(end), None))

    def _exposure(self, steps: list[str | int], item: Mapping[str, Any], year: str) -> None:
        creditor, debtor = _code(item, "creditor"), _code(item, "debtor")
        end = _period_end(str(item.get("period")))
        amount = self._amount(item.get("amount"), "amount")
        if amount < 0 or creditor == debtor:
            raise RecordError(f"claim of {amount} of {creditor} on {debtor}: expected two countries and no minus")
        for country, key in ((creditor, "creditor"), (debtor, "debtor")):
            if country not in self._placed:
                self._placed.add(country)
                self._say(Node("Country", country), [*steps, key], item[key], self._public(end))
        props: dict[str, Value] = {"amount": amount, "currency": "USD", "role": CLAIMS}
        edge = Edge("EXPOSED_TO", creditor, debtor, props, f"{CLAIMS}/{end.date().isoformat()}")
        holds = (end, end.replace(year=end.year + 1))
        self._say(edge, steps, item, self._public(end), holds)

    def _amount(self, value: Any, key: str) -> Decimal:
        """The amount to the billionth that the ledger holds; finer digits are noise of the file's floats."""
        if isinstance(value, bool) or not isinstance(value, Decimal | int):
            raise RecordError(f"{key} {value!r} is no number")
        exact = Decimal(value)
        if exact.adjusted() > 27:
            raise RecordError(f"{key} {value!r} is no amount")
        rounded = exact.quantize(_SMALLEST)
        if rounded != exact:
            self.rules["amount.rounded"] += 1
        return rounded

    def _public(self, end: datetime) -> datetime:
        return self._record.published or released(end)

    def _say(
        self,
        what: Node | Facts | Edge,
        steps: Sequence[str | int],
        value: Any,
        published: datetime,
        holds: tuple[datetime | None, datetime | None] = (None, None),
    ) -> None:
        evidence = Evidence(self._record.document, pointer(steps), written(value), self._extractor)
        self.claims.append(Claim(what, evidence, published, *holds))


def _list(value: Mapping[str, Any], key: str) -> list[Any]:
    given = value.get(key, [])
    if not isinstance(given, list):
        raise RecordError(f"{key} is no list")
    return given


def _code(item: Mapping[str, Any], key: str) -> str:
    code = str(item.get(key))
    if (known := ALPHA2.get(code, code if code in COUNTRIES else "")) == "":
        raise RecordError(f"{key} {code} is no ISO 3166 country")
    return f"iso:{known}"


def _year_end(year: str) -> datetime:
    if not re.fullmatch(r"(19|20)\d\d", year):
        raise RecordError(f"year {year!r} is not from 1900 to 2099")
    return day(f"{year}-12-31")


def _period_end(period: str) -> datetime:
    if not (match := _QUARTER.fullmatch(period)):
        raise RecordError(f"period {period!r} is no quarter such as 2019-Q4")
    return day(f"{match[1]}-{_ENDS[match[2]]}")
