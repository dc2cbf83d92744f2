"""A field of a measure, figure or pattern as its parameter: read from text by its type, or checked as it is.

Text is what a command line gives: `0.4`, `yes`, `restart`, items apart by commas (`0.1,0.2`), and tables as
`key=value` apart by semicolons (`a=0.1;b=0.2`; the last `=` counts, for ids may hold one).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from kg.errors import MeasureError
from queries.parameter import suggestion

WORDS: Mapping[str, bool] = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def read(where: str, kind: Any, value: Any) -> Any:
    """The value as the type says. MeasureError names the parameter, what was given and what is expected."""
    origin, inside = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return _optional(where, inside, value)
    if origin is Literal:
        return _chosen(where, inside, value)
    if origin in (tuple, list, Sequence):
        items = _split(value, ",") if isinstance(value, str) else value
        if not isinstance(items, (tuple, list)):
            raise _wrong(where, "values apart by commas", value)
        return tuple(read(where, inside[0], item) for item in items)
    if origin in (dict, Mapping):
        return _table(where, inside[1], value)
    reader = _READ.get(kind)
    if reader is None:  # such as an array: it can only be given from Python, and is checked by the class itself
        if isinstance(value, str):
            raise MeasureError(f"parameter {where} cannot be written as text; give it from Python")
        return value
    what, convert = reader
    try:
        return convert(value)
    except (TypeError, ValueError, InvalidOperation) as error:
        raise _wrong(where, what, value) from error


def _wrong(where: str, expected: str, value: Any) -> MeasureError:
    return MeasureError(f"parameter {where} is {value!r}; expected {expected}")


def _optional(where: str, kinds: tuple[Any, ...], value: Any) -> Any:
    """The first kind that takes the value; `none` is None where that is one of them."""
    if NoneType in kinds and (value is None or value == "none"):
        return None
    kinds = tuple(kind for kind in kinds if kind is not NoneType)
    for kind in kinds[:-1]:
        try:
            return read(where, kind, value)
        except MeasureError:
            continue
    return read(where, kinds[-1], value)


def _chosen(where: str, known: tuple[Any, ...], value: Any) -> Any:
    for one in known:
        if value == one or str(value) == str(one):
            return one
    words = [str(one) for one in known]
    raise _wrong(where, f"one of {', '.join(words)}{suggestion(str(value), words)}", value)


def _table(where: str, kind: Any, value: Any) -> Mapping[str, Any]:
    if not isinstance(value, str):
        if not isinstance(value, Mapping):
            raise _wrong(where, "a table of values by id", value)
        return {str(key): read(f"{where} of {key}", kind, one) for key, one in value.items()}
    found: dict[str, Any] = {}
    for item in _split(value, ";"):
        key, equals, text = item.rpartition("=")
        if not equals or not key.strip():
            raise _wrong(where, "key=value, several apart by semicolons", item)
        found[key.strip()] = read(f"{where} of {key.strip()}", kind, text.strip())
    return found


def _split(text: str, mark: str) -> list[str]:
    return [part.strip() for part in text.split(mark) if part.strip()]


def _float(value: Any) -> float:
    if isinstance(value, bool) or not math.isfinite(number := float(value)):
        raise ValueError("not a finite number")
    return number


def _int(value: Any) -> int:
    if isinstance(value, bool) or (isinstance(value, float) and not value.is_integer()):
        raise ValueError("not a whole number")
    return int(value)


def _bool(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in WORDS:
        return WORDS[value.lower()]
    raise ValueError("neither yes nor no")


def _str(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("no text")
    return value


def _decimal(value: Any) -> Decimal:
    number = Decimal(str(value))
    if isinstance(value, bool) or not number.is_finite():
        raise ValueError("not a finite number")
    return number


_READ: Mapping[Any, tuple[str, Callable[[Any], Any]]] = {
    float: ("a finite number", _float),
    int: ("a whole number", _int),
    bool: ("yes or no", _bool),
    str: ("text", _str),
    Decimal: ("a finite decimal number", _decimal),
}
