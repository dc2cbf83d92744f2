"""A pointer is a path into a JSON file (RFC 6901): what stands there is quoted as the text itself, or as compact JSON.

`json:/3/recordDetails/name` is read in the whole file; of a JSON lines file the lines are a list counted from 0, so
that `json:/3` is its fourth line. Decimal numbers keep the digits they are written with.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any

from ingest.clean import decode
from kg.errors import RecordError

BROKEN = object()
"""Stands for a line of a JSON lines file that is no JSON."""


@lru_cache(maxsize=2)
def read_json(content: bytes) -> Any:
    """Value of a JSON file, or the lines of a JSON lines file (BROKEN for a bad one); RecordError for neither."""
    text = decode(content)[0]
    if not text.strip():
        raise RecordError("the file is empty; expected JSON")
    try:
        return _load(text)
    except (ValueError, RecursionError) as error:
        lines = [_line(line) for line in text.removesuffix("\n").split("\n")]  # str.splitlines would part texts too
        if sum(isinstance(line, dict) for line in lines) * 2 > len(lines):
            return lines
        raise RecordError(f"the JSON cannot be read: {error}; expected one value, or one object a line") from error


def _load(text: str) -> Any:
    return json.loads(text, parse_float=Decimal, parse_constant=_no_number)


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is no number of JSON")


def _line(text: str) -> Any:
    try:
        return _load(text) if text.strip() else None
    except (ValueError, RecursionError):
        return BROKEN


def pointer(steps: Sequence[str | int]) -> str:
    """Locator of a place, from the keys and indexes that lead there."""
    return "json:/" + "/".join(str(step).replace("~", "~0").replace("/", "~1") for step in steps)


def at(value: Any, path: str) -> Any:
    """What stands at `/3/name`; RecordError if the path leads nowhere."""
    for step in path.split("/")[1:]:
        key = step.replace("~1", "/").replace("~0", "~")
        try:
            value = value[int(key)] if isinstance(value, list) else value[key]
        except (KeyError, IndexError, ValueError, TypeError) as error:
            raise RecordError(f"nothing stands at json:{path}: step {key!r} leads nowhere") from error
    return value


def read_pointer(content: bytes, path: str) -> str:
    """How the place is quoted."""
    return written(at(read_json(content), path))


def written(value: Any) -> str:
    """A text as it is, anything else as compact JSON with the digits of the file."""
    return value if isinstance(value, str) else _compact(value)


def _compact(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(k, ensure_ascii=False)}:{_compact(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_compact, value)) + "]"
    return str(value) if isinstance(value, Decimal) else json.dumps(value, ensure_ascii=False)
