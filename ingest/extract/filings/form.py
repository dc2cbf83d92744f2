"""A form is one XML document of the SEC while it is read: the text of its elements by name, with their places."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from lxml import etree

from ingest.clean import number, when
from ingest.extract.filings.filing import Spot
from ingest.extract.formats.markup import Paths, inner


class Form:
    """One XML document; names are local, without their namespace."""

    def __init__(self, root: etree._Element) -> None:
        self.root = root
        self._paths = Paths()

    def all(self, name: str, inside: etree._Element | None = None) -> Iterator[etree._Element]:
        """Elements of a name in the order of the document."""
        yield from (self.root if inside is None else inside).iter(f"{{*}}{name}")

    def first(self, name: str, inside: etree._Element | None = None) -> etree._Element | None:
        return next(self.all(name, inside), None)

    def text(self, name: str, inside: etree._Element | None = None) -> str:
        """Text of the first element of that name, of its `value` where it has one; "" if there is none."""
        found = self.first(name, inside)
        if found is None:
            return ""
        value = self.first("value", found) if len(found) else found
        return "" if value is None else inner(value)

    def amount(self, name: str, inside: etree._Element | None = None) -> Decimal | None:
        return number(self.text(name, inside))

    def day(self, name: str, inside: etree._Element | None = None) -> date | None:
        return when(self.text(name, inside))

    def spot(self, element: etree._Element) -> Spot:
        return Spot(f"xpath:{self._paths.of(element)}", inner(element))

    def attribute(self, element: etree._Element, name: str) -> Spot:
        """Place and text of an attribute."""
        return Spot(f"xpath:{self._paths.of(element)}/@{name}", str(element.get(name, "")))

    def spot_of(self, name: str, inside: etree._Element | None = None) -> Spot | None:
        """Place of the first element of that name, if it says anything."""
        found = self.first(name, inside)
        return self.spot(found) if found is not None and inner(found) else None
