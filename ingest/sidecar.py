"""A sidecar is `<name>.meta.json` beside a file: what the file itself leaves out, such as when it was published."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from os.path import isfile
from pathlib import Path

from kg.errors import RecordError
from kg.model import as_time, next_day

_DAY = re.compile(r"(?<!\d)((?:19|20)\d\d)[-_]?(0[1-9]|1[0-2])[-_]?(0[1-9]|[12]\d|3[01])(?!\d)")


def sidecar_of(path: Path) -> bytes:
    """Bytes of the sidecar of a file, with or without the file's own ending; empty if there is none."""
    for name in (f"{path.name}.meta.json", f"{path.stem}.meta.json"):
        if content := read_beside(path.with_name(name)):
            return content
    return b""


def read_beside(beside: Path) -> bytes:
    """Bytes of a file that may be there; one whose name is too long to be a file's is not there."""
    return beside.read_bytes() if isfile(beside) else b""


def said_beside(sidecar: bytes, path: str) -> Mapping[str, str]:
    """What a sidecar says, as text; RecordError if it is no JSON object."""
    try:
        said = json.loads(sidecar) if sidecar else {}
        return {str(key): str(value) for key, value in said.items() if value is not None}
    except (ValueError, AttributeError) as error:
        raise RecordError(f"the sidecar of {path} is not a JSON object: {error}") from error


def moment(text: str) -> datetime | None:
    """An ISO date or time, UTC if it names no zone; None if it is neither."""
    try:
        when = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return when if when.tzinfo else when.replace(tzinfo=UTC)


def public(text: str) -> datetime | None:
    """When what is dated so was public: a day at its end, a time as it is written; None if it is neither."""
    try:
        return next_day(as_time(date.fromisoformat(text.strip())))
    except ValueError:
        return moment(text)


def published_beside(sidecar: bytes) -> datetime | None:
    """When the file was published as its sidecar says; None if that is missing or no date."""
    try:
        return public(str(json.loads(sidecar)["published"])) if sidecar else None
    except (ValueError, KeyError, TypeError):
        return None


def end_of_day(when: datetime) -> datetime:
    """A day without a time was public at its end: late, but never early. A time stays as it is."""
    return next_day(when) if when == as_time(when).replace(hour=0, minute=0, second=0, microsecond=0) else when


def named_day(path: str) -> datetime | None:
    """The end of the day in a file's name or in the last folder of its path, `20160225_DPZ` or `2024-10-30`."""
    for part in reversed(path.partition("#")[0].split("/")[-2:]):
        if match := _DAY.search(part):
            year, month, day = (int(group) for group in match.groups())
            try:
                return end_of_day(datetime(year, month, day, tzinfo=UTC))
            except ValueError:
                continue
    return None
