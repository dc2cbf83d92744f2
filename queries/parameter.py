"""Parameter: one declared input of a named query, checked before any store sees it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from rapidfuzz import process

from kg.errors import CatalogError, ClockError
from kg.model import as_time, iso

_LINE = re.compile(r"(?P<name>\w+)\s*:\s*(?P<type>[\w<>|]+)(?:\s*=\s*(?P<default>.*?))?(?:\s{2,}(?P<doc>.*))?$")
_LIST = re.compile(r"list<(\w+)>$")
_CHOICE = re.compile(r"choice<([\w|]+)>$")


@dataclass(frozen=True, slots=True)
class Parameter:
    """One declared input: `name: type = default  what it is`."""

    name: str
    type: str
    """string, int, float, bool, money, date, time, list<one of these>, choice<A|B>."""
    default: str | None
    """As written in the head comment; None: it must be given."""
    doc: str

    @classmethod
    def parse(cls, text: str) -> Parameter:
        """From the text after `@param`. CatalogError if it is not `name: type = default  description`."""
        match = _LINE.match(text.strip())
        if match is None:
            raise CatalogError(f"@param {text!r}: expected `name: type = default  description` (two spaces before it)")
        default = "" if match["default"] == '""' else match["default"]
        made = cls(match["name"], match["type"], default, match["doc"] or "")
        if not _known(made.type):
            raise CatalogError(
                f"@param {made.name}: type {made.type!r} is unknown; known: {', '.join(_READ)}, list<...>, choice<A|B>"
            )
        if made.default is not None:
            made.read(made.default)
        return made

    def read(self, value: Any) -> Any:
        """The value as stores take it: money in minor units, dates and times as fixed-width UTC text.

        Text is read too, as a command line gives it. CatalogError says what was given and what is expected.
        """
        if inner := _LIST.match(self.type):
            items = value.split(",") if isinstance(value, str) else value
            if not isinstance(items, (list, tuple)):
                raise self._wrong(value)
            each = Parameter(self.name, inner[1], None, "")
            return [each.read(item.strip() if isinstance(item, str) else item) for item in items]
        if chosen := _CHOICE.match(self.type):
            choices = chosen[1].split("|")
            if value not in choices:
                near = suggestion(str(value), choices)
                raise CatalogError(f"parameter {self.name}: {value!r} is not one of {', '.join(choices)}{near}")
            return value
        try:
            return _READ[self.type](value)
        except (TypeError, ValueError, InvalidOperation, ClockError) as error:
            raise self._wrong(value) from error

    def _wrong(self, value: Any) -> CatalogError:
        form = _FORMS.get(self.type, "")
        return CatalogError(f"parameter {self.name}: {value!r} is no {self.type}{form}")


def suggestion(given: str, known: list[str]) -> str:
    """`; did you mean x?` where something known is near."""
    near = process.extractOne(given, known, score_cutoff=60)
    return f"; did you mean {near[0]}?" if near else ""


def _known(type: str) -> bool:
    inner = _LIST.match(type)
    return type in _READ or bool(inner and inner[1] in _READ) or bool(_CHOICE.match(type))


def _string(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("not text")
    return value


def _int(value: Any) -> int:
    if isinstance(value, bool) or (isinstance(value, float) and not value.is_integer()):
        raise TypeError("not a whole number")
    return int(value)


def _float(value: Any) -> float:
    number = float(value)
    if isinstance(value, bool) or number != number or number in (float("inf"), float("-inf")):
        raise ValueError("not a finite number")
    return number


def _bool(value: Any) -> bool:
    words = {"true": True, "yes": True, "false": False, "no": False}
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in words:
        return words[value.lower()]
    raise TypeError("not true or false")


def _money(value: Any) -> int:
    """Minor units of `1250.50`, `1250.50 EUR` or a Decimal; without a currency, two decimals."""
    if isinstance(value, (bool, float)):
        raise TypeError("a float is not exact; give text or a Decimal")
    amount, _, currency = str(value).strip().partition(" ")
    minor = Decimal(amount) * 10 ** MINOR_DIGITS.get(currency, 2)
    if not minor.is_finite() or minor != minor.to_integral_value():
        raise ValueError("more decimals than the currency has")
    return int(minor)


def _date(value: Any) -> str:
    return iso(value if isinstance(value, date) else date.fromisoformat(value))


def _time(value: Any) -> str:
    if isinstance(value, str):
        moment = datetime.fromisoformat(value)
        return iso(moment if "T" in value or " " in value else moment.date())
    return iso(as_time(value))


MINOR_DIGITS: Mapping[str, int] = {
    **dict.fromkeys(
        (
            "BIF",
            "CLP",
            "DJF",
            "GNF",
            "ISK",
            "JPY",
            "KMF",
            "KRW",
            "PYG",
            "RWF",
            "UGX",
            "UYI",
            "VND",
            "VUV",
            "XAF",
            "XOF",
            "XPF",
        ),
        0,
    ),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}
"""Decimals of a currency's minor unit where they are not two (ISO 4217)."""

_READ: Mapping[str, Callable[[Any], Any]] = {
    "string": _string,
    "int": _int,
    "float": _float,
    "bool": _bool,
    "money": _money,
    "date": _date,
    "time": _time,
}
_FORMS: Mapping[str, str] = {
    "money": "; write 1250.50 or 1250.50 EUR",
    "date": "; write 2024-09-28",
    "time": "; write 2024-09-28 or 2024-09-28T12:00:00+00:00",
}
