"""Form N-PORT: the portfolio of a fund at the end of a month, position by position.

The holder is the series, by its LEI where that is one, else by the names of registrant and series; a filing without
series is held by the registrant. A position HOLDS a security with its value in US dollars, its balance and, as role,
unit, long or short, and currency. It stands until the next quarter's report is due, 60 days after its end (17 CFR
270.30b1-9).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal

from lxml import etree

from ingest.extract.filings.filing import Label, Party, Spot, Witness
from ingest.extract.filings.form import Form
from ingest.extract.filings.holdings import quarter_after
from ingest.extract.formats.identifier import COUNTRIES, identify, name_id
from ingest.source import Refusal
from kg.model import Claim, Edge, Node, Value, as_time

_FIGURES = {"totAssets": "assets", "totLiabs": "liabilities", "netAssets": "equity"}
_NOTHING = ("", "N/A", "NONE", "000000000", "0")
_SOVEREIGN = ("UST", "USGA", "USGSE", "NUSS")
"""Issuer categories of governments and their agencies; UST and NUSS are the country itself."""


class Portfolio:
    """One N-PORT submission."""

    def __init__(self, root: etree._Element, witness: Witness) -> None:
        self._form, self._witness = Form(root), witness
        self._period = self._form.day("repPdDate") or self._form.day("repPdEnd")
        self._lines: Counter[str] = Counter()

    def claims(self) -> Iterator[Claim | Refusal]:
        """The fund with its totals, the securities with their issuers, and the positions."""
        form = self._form
        place = form.spot_of("regName") or form.spot_of("regCik")
        if place is None or self._period is None:
            yield Refusal(self._prefix("/edgarSubmission[1]"), "the report names no registrant, or no period it is of")
            return
        registrant = Party(form.text("regName"), place, form.text("regCik"), label="Fund")
        yield from registrant.claims(self._witness)
        if lei := _checked("lei", form.text("regLei")):
            spot = form.spot_of("regLei") or place
            yield self._witness.says(Node("Fund", registrant.id, {"identifier": lei}), spot)
        fund = self._series(registrant) or registrant.id
        yield from self._fund(fund, registrant)
        yield from self._totals(fund)
        for row in form.all("invstOrSec"):
            try:
                yield from self._position(row, fund)
            except ValueError as error:
                yield Refusal(self._prefix(form.spot(row).locator), f"{error} (in {form.spot(row).quote[:80]!r})")

    def _prefix(self, path: str) -> str:
        return self._witness.prefix + (path if path.startswith("xpath:") else f"xpath:{path}")

    def _series(self, registrant: Party) -> str:
        """Id of the series that holds the positions, "" if there is none."""
        name = self._form.text("seriesName")
        if name.upper() in _NOTHING:
            return ""
        return _checked("lei", self._form.text("seriesLei")) or name_id(f"{registrant.name} {name}")

    def _fund(self, id: str, registrant: Party) -> Iterator[Claim]:
        spot = self._form.spot_of("seriesName")
        if id == registrant.id or spot is None:
            return
        yield self._witness.says(Node("Fund", id, {"name": spot.quote}), spot)
        if series := self._form.spot_of("seriesId"):
            yield self._witness.says(Node("Fund", id, {"identifier": f"series:{series.quote}"}), series)
        yield self._witness.says(Edge("SUBSIDIARY_OF", id, registrant.id), spot)

    def _totals(self, fund: str) -> Iterator[Claim]:
        for element, name in _FIGURES.items():
            value, spot = self._form.amount(element), self._form.spot_of(element)
            if value is not None and spot is not None:
                node = Node("Fund", fund, {name: value, "currency": "USD"}, str(self._period))
                yield self._witness.says(node, spot, self._end())

    def _end(self) -> datetime:
        assert self._period is not None
        return as_time(self._period + timedelta(days=1))

    def _position(self, row: etree._Element, fund: str) -> Iterator[Claim]:
        form, whole = self._form, self._form.spot(row)
        value, balance = form.amount("valUSD", row), form.amount("balance", row)
        if value is None or balance is None:
            raise ValueError("valUSD or balance is not a number")
        id, others = self._security(row)
        title = " ".join(
            part for part in (form.text("name", row), form.text("title", row)) if part.upper() not in _NOTHING
        )
        yield self._witness.says(Node("Security", id, {"name": title}), whole)
        for other, place in others:
            yield self._witness.says(Node("Security", id, {"identifier": other}), place)
        yield from self._issued(row, id, whole)
        key = str(self._period)
        self._lines[id] += 1
        if self._lines[id] > 1:
            key = f"{key}#{self._lines[id]}"
        assert self._period is not None
        until = as_time(quarter_after(self._period) + timedelta(days=60))
        edge = Edge("HOLDS", fund, id, self._held(row, value, balance), key)
        yield self._witness.says(edge, whole, as_time(self._period), until)

    def _held(self, row: etree._Element, value: Decimal, balance: Decimal) -> dict[str, Value]:
        form = self._form
        conditional = form.first("currencyConditional", row)
        currency = form.text("curCd", row) or (str(conditional.get("curCd", "")) if conditional is not None else "")
        role = " ".join(part for part in (form.text("units", row), form.text("payoffProfile", row), currency) if part)
        return {"amount": value, "currency": "USD", "quantity": float(balance), "role": role}

    def _security(self, row: etree._Element) -> tuple[str, list[tuple[str, Spot]]]:
        """Its id by ISIN, else CUSIP, else by name; and the identifiers it has, each with its place."""
        form, found = self._form, dict[str, tuple[str, Spot]]()
        element = form.first("isin", row)
        if element is not None and (isin := _checked("isin", str(element.get("value", "")))):
            found["isin"] = isin, form.attribute(element, "value")
        if (cusip := _checked("cusip", form.text("cusip", row))) and (spot := form.spot_of("cusip", row)):
            found["cusip"] = cusip, spot
        if not found:
            name = " ".join((form.text("name", row), form.text("title", row))).strip()
            if not name:
                raise ValueError("the position has neither ISIN, CUSIP nor name")
            return name_id(name), []
        return next(iter(found.values()))[0], list(found.values())

    def _issued(self, row: etree._Element, security: str, whole: Spot) -> Iterator[Claim]:
        """Its issuer, by LEI where that is one; a treasury is its country."""
        form = self._form
        name, kind, land = form.text("name", row), form.text("issuerCat", row), form.text("invCountry", row).upper()
        if kind in ("UST", "NUSS") and land in COUNTRIES:
            yield self._witness.says(Node("Country", f"iso:{land}"), whole)
            yield self._witness.says(Edge("ISSUED", f"iso:{land}", security), whole)
            return
        if name.upper() in _NOTHING:
            return
        label: Label = "Fund" if kind in ("RF", "PF") else ""
        issuer = Party(name, whole, label=label)
        id = _checked("lei", form.text("lei", row)) or issuer.id
        yield self._witness.says(Node(issuer.kind, id, {"name": name}), whole)
        yield self._witness.says(Edge("ISSUED", id, security), whole)
        if land in COUNTRIES and kind not in _SOVEREIGN:
            yield self._witness.says(Node("Country", f"iso:{land}"), whole)
            yield self._witness.says(Edge("IN_COUNTRY", id, f"iso:{land}"), whole)


def _checked(scheme: str, value: str) -> str:
    """The id, or "" where the form says there is none or it fails its check."""
    if value.upper() in _NOTHING:
        return ""
    try:
        return identify(f"{scheme}:{value}")
    except ValueError:
        return ""
