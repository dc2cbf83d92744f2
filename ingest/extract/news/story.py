"""A story is a text someone published, as its carrier gives it: title, body, clock and the fields beside them.

Whatever the carrier (a page, a line of JSON, an item of a feed, a row of a table), its readers give a Story, and every
`chars:` and `field:` locator of a news document is read from that.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from ingest.clean import decode
from kg.errors import RecordError
from kg.model import as_time, next_day

_SPACES: Final = re.compile(r"\s+")
_LONE: Final = re.compile(r"[\ud800-\udfff]")
_CHARSET: Final = re.compile(rb"""(?:encoding|charset)\s*=\s*["']?\s*([\w.:-]{2,20})""", re.I)
_CHARSETS: Final = re.compile(r"gb2312|gbk|gb18030|big5|shift_jis|euc[_-](jp|kr)|iso-?8859-\d+|windows-125\d", re.I)
"""Declared encodings that are believed if the bytes fit them; gb2312 is read as its superset gb18030."""
_DIGITS: Final = re.compile(r"\d{10}|\d{13}")


@dataclass(frozen=True, slots=True)
class Article:
    """A news article or post as its carrier gives it."""

    title: str
    body: str
    published: datetime | None
    """None where the carrier does not say; a publication time is never guessed."""
    fields: Mapping[str, str] = field(default_factory=dict)
    """Text of url, author, reach, language, id, reply_to and repost_of as it stands there, where it does."""
    dated: bool = False
    """True if the carrier has a place for the time, so that an article without one is at fault."""

    @property
    def text(self) -> str:
        """What locators count in: title, line break, body."""
        return f"{self.title}\n{self.body}"

    @property
    def url(self) -> str:
        return self.fields.get("url", "")


def decoded(content: bytes) -> str:
    """Text of bytes: UTF-8, UTF-16 by its mark, the encoding they declare if they fit it, else as `clean.decode`."""
    text, found = decode(content)
    declared = _CHARSET.search(content[:1024])
    if found in ("utf-8", "utf-16") or not declared:
        return text
    name = declared[1].decode("ascii").lower()
    if not _CHARSETS.fullmatch(name):
        return text
    try:
        return codecs.decode(content, "gb18030" if name == "gb2312" else name)
    except (UnicodeDecodeError, LookupError):
        return text


def collapse(text: str) -> str:
    """One line, without white space around it and without halves of characters, which no encoding can write."""
    return _SPACES.sub(" ", whole(text)).strip()


def whole(text: str) -> str:
    """The text with lone surrogates as U+FFFD; of the same length."""
    return _LONE.sub("\ufffd", text)


def moment(text: str, path: str, zone: bool = True) -> datetime:
    """An ISO date or time, the time of a mail, feed or post, or seconds since 1970; a date alone is its end in UTC.

    A time that names no zone is refused, or with `zone` False taken as UTC, as the tables of all sources are.
    """
    written = text.strip()
    found = _iso(written) or _mail(written) or _post(written) or _seconds(written)
    if found is None:
        raise RecordError(f"{path}: published {text!r} is no ISO date or time, such as 2023-04-05T09:30:00Z")
    if _day(written):
        return next_day(found.replace(tzinfo=UTC))
    if found.tzinfo is not None:
        return as_time(found)
    if zone and len(written) > len("2023-04-05"):
        raise RecordError(f"{path}: published {text!r} has no zone; write it with Z or an offset")
    return found.replace(tzinfo=UTC)


def _day(text: str) -> bool:
    """True for a date without a time."""
    try:
        return bool(date.fromisoformat(text))
    except ValueError:
        return False


def _iso(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _mail(text: str) -> datetime | None:
    """`Wed, 05 Apr 2023 09:30:00 GMT`, as feeds write it; -0000 is UTC of an unknown place."""
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError):
        return None
    return found.replace(tzinfo=UTC) if text.endswith("-0000") else found


def _post(text: str) -> datetime | None:
    """`Wed Apr 05 09:30:00 +0000 2023`, as posts write it."""
    try:
        return datetime.strptime(text, "%a %b %d %H:%M:%S %z %Y")
    except ValueError:
        return None


def _seconds(text: str) -> datetime | None:
    """Seconds or milliseconds since 1970, from 2001 on."""
    if not _DIGITS.fullmatch(text):
        return None
    return datetime.fromtimestamp(int(text[:10]), UTC)
