"""Articles and posts as data: a JSON object, or a row of a table under its header line.

The fields are found by the names that feeds and social networks use for them.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import islice
from typing import Any, Final

from ingest.extract.news.story import Article, decoded, moment, whole
from kg.errors import RecordError

TITLES: Final = ("title", "headline")
BODIES: Final = (
    "body", "text", "content", "full_text", "content_text", "tweet", "message", "post", "description", "summary",
)  # fmt: skip
TIMES: Final = (
    "published", "date", "published_at", "created_at", "datepublished", "pubdate", "publish_date", "datetime", "time",
    "timestamp",
)  # fmt: skip
FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "url": ("url", "link", "permalink"),
    "author": ("author", "user.screen_name", "user.username", "user.name", "user", "author.username", "author.name",
               "account.acct", "username", "screen_name"),
    "reach": ("reach", "followers", "followers_count", "user.followers_count", "account.followers_count",
              "author.followers_count", "views", "impressions"),
    "language": ("language", "lang"),
    "id": ("id_str", "id", "post_id", "tweet_id"),
    "reply_to": ("reply_to", "in_reply_to", "in_reply_to_id", "in_reply_to_status_id_str", "in_reply_to_status_id"),
    "repost_of": ("repost_of", "retweet_of", "reblog_of", "share_of", "retweeted_status.id_str", "retweeted_status.id",
                  "reblog.id"),
}  # fmt: skip
"""Names of each field, the surest first; a dot steps into an object."""
_OTHERS: Final = frozenset({"event_type", "label", "schema", "statementtype", "s1", "name1", "lei", "cik"})
"""Columns of tables that are no news although they have a title or text."""
_ROW_LINES: Final = 2000
"""Most lines of one row: more are an opening quote without its end."""
_PROSE: Final = re.compile(r"\w+\W+\w+\W+\w+|[\u3400-\u9fff]{5}")


def tells(row: object) -> bool:
    """True for a JSON object that has a place for a title or a text, and none that makes it another kind of record."""
    if not isinstance(row, dict):
        return False
    names = {str(name).lower() for name in row}
    return not names.isdisjoint((*TITLES, *BODIES)) and names.isdisjoint(_OTHERS)


def read_post(content: bytes, path: str = "") -> Article:
    """Article in the bytes of one JSON object."""
    try:
        row = json.loads(decoded(content))
    except (ValueError, RecursionError) as error:
        raise RecordError(f"{path}: not one JSON object ({error}); repair the line") from error
    if not isinstance(row, dict):
        raise RecordError(f"{path}: not one JSON object but a {type(row).__name__}; repair the line")
    return _article({str(name).lower(): value for name, value in row.items()}, path, zone=True)


def read_row(content: bytes, path: str = "") -> Article:
    """Article in the bytes of a header line and one row."""
    try:
        names, *rows = [row for row in csv.reader(io.StringIO(decoded(content), newline=""), strict=True) if row]
    except (csv.Error, ValueError) as error:
        raise RecordError(f"{path}: not a header line and one row ({error}); look at its quotes") from error
    if len(rows) != 1 or len(rows[0]) != len(names):
        cells = len(rows[0]) if rows else 0
        raise RecordError(f"{path}: the row has {cells} cells; the header has {len(names)}")
    return _article({n.strip().lower(): cell for n, cell in zip(names, rows[0], strict=True)}, path, zone=False)


def is_row(content: bytes) -> bool:
    """True for a header line with a column of titles or texts, and something under it."""
    header, _, rest = content.partition(b"\n")
    return bool(rest.strip()) and bool(_wanted(_cells(decoded(header), 1)))


def is_prose(content: bytes) -> bool:
    """True for a CSV with a column of titles or texts whose first rows hold prose, and no columns of other sources."""
    if content[:4] == b"PAR1" or (b"\x00" in content[:4096] and content[:2] not in (b"\xff\xfe", b"\xfe\xff")):
        return False
    names, *rows = _cells(decoded(content[:262_144]), 40) or [[]]
    wanted = _wanted([names])
    told = [any(n < len(row) and _PROSE.search(row[n]) for n in wanted) for row in rows if row]
    return bool(told) and 2 * sum(told) >= len(told)


def _cells(text: str, most: int) -> list[list[str]]:
    """The first rows of a CSV, none if it is none."""
    try:
        return list(islice(csv.reader(io.StringIO(text, newline="")), most))
    except (csv.Error, ValueError):
        return []


def _wanted(rows: list[list[str]]) -> list[int]:
    """Places of the columns that hold titles or texts, none for a table of another source."""
    columns = [name.strip().lower().removeprefix("\ufeff") for name in (rows or [[]])[0]]
    if not _OTHERS.isdisjoint(columns):
        return []
    return [n for n, name in enumerate(columns) if name in (*TITLES, *BODIES)]


def rows(content: bytes) -> Iterator[bytes]:
    """Each row of a CSV with the header line before it: a document that can be read by itself."""
    head, *lines = decoded(content).removeprefix("\ufeff").split("\n")
    header = head.rstrip("\r") + "\n"
    row: list[str] = []
    odd = False
    for line in lines:
        row.append(line)
        odd ^= line.count('"') % 2 == 1
        if odd and len(row) < _ROW_LINES:
            continue
        # a quote that is never closed spoils its line, not the lines after it
        yield from (d for part in row for d in _row(header, part)) if odd else _row(header, "\n".join(row))
        row, odd = [], False
    yield from (d for part in row for d in _row(header, part))


def _row(header: str, row: str) -> Iterator[bytes]:
    if row.strip(" ,\r"):
        yield (header + row.rstrip("\r")).encode("utf-8", "replace")


def _article(row: Mapping[str, Any], path: str, zone: bool) -> Article:
    title, body = _text(row, TITLES, path), _text(row, BODIES, path)
    if not (title + body).strip():
        raise RecordError(f"{path}: fields 'title' and 'body' are empty; an article needs at least one of them")
    fields = {name: text for name, names in FIELDS.items() if (text := _field(row, names))}
    return Article(title, body, _time(row, path, zone), fields, not set(TIMES).isdisjoint(row) or zone)


def _text(row: Mapping[str, Any], names: tuple[str, ...], path: str) -> str:
    """The first of these fields that is not empty."""
    for name in names:
        value = row.get(name)
        if value is not None and not isinstance(value, str):
            raise RecordError(f"{path}: field {name!r} is {type(value).__name__}; expected text")
        if value and value.strip():
            return whole(value)
    return ""


def _time(row: Mapping[str, Any], path: str, zone: bool) -> datetime | None:
    for name in TIMES:
        if row.get(name):
            return moment(str(row[name]), path, zone)
    return None


def _field(row: Mapping[str, Any], names: tuple[str, ...]) -> str:
    for name in names:
        value: Any = row
        for step in name.split("."):
            value = value.get(step) if isinstance(value, Mapping) else None
        if isinstance(value, str | int) and not isinstance(value, bool) and str(value).strip():
            return whole(str(value)).strip()
    return ""
