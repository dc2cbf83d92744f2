"""Transcripts of earnings calls: text.txt, a sentence a line, beside features.csv, how each was said.

Its rows are acoustic features, one row a sentence. The folder names the day and the symbol (`20160225_DPZ`); a call was
public at the end of its day.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from ingest.clean import decode
from ingest.extract.formats.table import mean_quote
from ingest.extract.prose.assertions import Origin
from ingest.extract.prose.prose import prose
from ingest.source import Extract, Models, Record, Refusal, Source
from kg.errors import RecordError
from kg.model import Claim, ClaimBatch, Edge, Evidence, Facts, Node, digest, next_day

FEATURES = "features.csv"
_FOLDER = re.compile(r"(?P<day>(?:19|20)\d{6})_(?P<symbol>[A-Z][A-Z.\-]{0,9})")
_UNDEFINED = "--undefined--"
_OPENING = 2000


class Calls(Source):
    """Earnings calls as sentences with acoustic features."""

    extractor = "calls.transcript@2"
    patterns = ("text.txt",)

    def records(self) -> Iterator[Record]:
        for path in self.files:
            if found := _FOLDER.fullmatch(path.resolve().parent.name):
                beside = path.with_name(FEATURES)
                sidecar = beside.read_bytes() if beside.is_file() else b""
                name = path.relative_to(self.folder).as_posix()
                yield Record("calls", name, path.read_bytes(), None, found.groupdict(), sidecar)

    def claims(self, record: Record, models: Models) -> Extract:
        """Claims of one call, pure given its text, its features and the names known."""
        text = decode(record.content)[0]
        if "\0" in text:
            raise RecordError(f"{record.path} is no text: it holds NUL bytes; expected a sentence a line")
        sentences = _sentences(text)
        if not sentences:
            raise RecordError(f"{record.path} is empty; expected a sentence a line")
        origin = Origin(record.document, _end_of_day(record), self.extractor)
        claims = [*_said(text, sentences, str(record.meta["symbol"]), origin)]
        claims += prose(text, origin, f"doc:{record.document}", models)
        if not record.sidecar:
            return Extract(ClaimBatch.of(claims), (Refusal(FEATURES, f"no {FEATURES} beside the text"),))
        features, refused, rules = _features(record, len(sentences), origin)
        return Extract(ClaimBatch.of([*claims, *features]), refused, rules=rules)


def _end_of_day(record: Record) -> datetime:
    try:
        day = datetime.strptime(str(record.meta["day"]), "%Y%m%d").replace(tzinfo=UTC)
    except ValueError as error:
        raise RecordError(f"{record.path}: {record.meta['day']} in the folder's name is no day") from error
    return next_day(day)


def _sentences(text: str) -> list[tuple[int, int]]:
    """Character span of each line that says something."""
    return [match.span() for match in re.finditer(r"\S[^\n\r]*", text)]


def _said(text: str, sentences: Sequence[tuple[int, int]], symbol: str, origin: Origin) -> Iterator[Claim]:
    """The document, the firm whose call it is, and each sentence."""
    document, firm = f"doc:{origin.document}", f"ticker:{symbol}"
    opening = origin.evidence(text, sentences[0], 1.0)
    props = {"title": f"Earnings call of {symbol}", "text": text[:_OPENING]}
    yield Claim(Node("Document", document, props), opening, origin.published)
    yield Claim(Node("Company", firm, {"ticker": symbol}), opening, origin.published)
    yield Claim(Edge("MENTIONED_IN", firm, document), opening, origin.published, origin.published)
    for number, (start, end) in enumerate(sentences, 1):
        evidence = origin.evidence(text, (start, end), 1.0)
        fact = Facts(document, {"segment": text[start:end]}, f"sentence {number}")
        yield Claim(fact, evidence, origin.published, origin.published)


def _features(record: Record, sentences: int, origin: Origin) -> tuple[list[Claim], Sequence[Refusal], dict[str, int]]:
    """The mean of each acoustic feature over the sentences where it is defined."""
    names, *rows = csv.reader(io.StringIO(decode(record.sidecar)[0]))
    if len(rows) != sentences:
        why = f"the text has {sentences} sentences and {FEATURES} {len(rows)} rows: which belong together is not known"
        return [], (Refusal(FEATURES, why),), {}
    claims: list[Claim] = []
    refused: list[Refusal] = []
    rules: Counter[str] = Counter()
    for column, name in enumerate(name.strip() for name in names):
        values: dict[int, float] = {}
        for number, row in enumerate(rows, 1):
            cell = row[column].strip() if column < len(row) else ""
            if cell in ("", _UNDEFINED):
                rules["feature.undefined"] += 1
            elif (value := _number(cell)) is None:
                refused.append(Refusal(f"{FEATURES} row:{number}", f"{name} is {cell!r}, expected a number"))
            else:
                values[number] = value
        if values:
            locator = f"rows:{','.join(map(str, values))} mean:{name}"
            mean = math.fsum(values.values()) / len(values)
            quote = mean_quote(len(values), mean)
            evidence = Evidence(digest(record.sidecar), locator, quote, origin.extractor, 1.0)
            fact = Facts(f"doc:{origin.document}", {"measure": float(f"{mean:.6g}")}, f"acoustic|{name}")
            claims.append(Claim(fact, evidence, origin.published, origin.published))
    return claims, refused, dict(rules)


def _number(cell: str) -> float | None:
    try:
        value = float(cell)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
