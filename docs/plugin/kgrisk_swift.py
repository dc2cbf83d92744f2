"""SWIFT MT103 customer payments as text files: who paid whom, when, how much, and what for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

from ingest.extract.formats.identifier import account_id, name_id
from ingest.source import Extract, Models, Record, Refusal, Source
from kg.errors import RecordError
from kg.model import Claim, ClaimBatch, Edge, Evidence, Node

_MESSAGE = re.compile(r"\{4:(.*?)-\}", re.DOTALL)
_FIELD = re.compile(r"^:(\d{2}[A-Z]?):(.*?)(?=^:\d{2}[A-Z]?:|\Z)", re.DOTALL | re.MULTILINE)
_VALUE = re.compile(r"(\d{6})([A-Z]{3})(\d{1,12},\d{0,2})")
Span = tuple[int, int]


class Swift(Source):
    """Files of MT103 messages."""

    extractor = "swift.mt103@1"
    patterns = ("*.txt", "*.mt103", "*.fin")

    def records(self) -> Iterator[Record]:
        """One record per file; other text files are left to other sources."""
        for path in self.files:
            content = path.read_bytes()
            if b"{4:" in content and b":32A:" in content:
                yield Record("swift", path.relative_to(self.folder).as_posix(), content)

    def claims(self, record: Record, models: Models) -> Extract:
        """One payment per message; a message that lacks a party, an account or the amount is refused."""
        text = record.content.decode("utf-8", "replace")
        messages = list(_MESSAGE.finditer(text))
        if not messages:
            raise RecordError(
                f"{record.path} holds no message; expected a text block {{4:...-}} with the fields of an MT103"
            )
        claims: list[Claim] = []
        refused: list[Refusal] = []
        for message in messages:
            try:
                claims += _Payment(text, message.span(1), record, self.extractor).claims()
            except RecordError as error:
                refused.append(Refusal(f"chars:{message.start()}-{message.end()}", str(error)))
        return Extract(ClaimBatch.of(claims), refused)


class _Payment:
    """One message: its fields, and where each stands."""

    def __init__(self, text: str, block: Span, record: Record, extractor: str) -> None:
        self._text, self._document, self._extractor = text, record.document, extractor
        self._fields = {f[1]: (f.start(2), f.end(2)) for f in _FIELD.finditer(text, *block)}
        self._day, self._amount, self._currency = self._value()
        self._published = record.published or self._day

    def claims(self) -> list[Claim]:
        payer, payer_place = self._account("50K", "50A", "50F")
        payee, payee_place = self._account("59", "59A", "59F")
        reference, _ = self._field("20")
        paid = Edge("PAID", payer, payee, {"amount": self._amount, "currency": self._currency}, reference)
        return [
            *self._party(payer, payer_place),
            *self._party(payee, payee_place),
            self._claim(paid, self._field("32A")[1], self._day),
        ]

    def _value(self) -> tuple[datetime, Decimal, str]:
        """Day, amount and currency of field 32A, such as `240315EUR12500,50`."""
        value, _ = self._field("32A")
        if (match := _VALUE.fullmatch(value)) is None:
            raise RecordError(f"field 32A is {value!r}; expected date, currency and amount such as 240315EUR12500,50")
        try:
            day = datetime.strptime(match[1], "%y%m%d").replace(tzinfo=UTC)
        except ValueError as error:
            raise RecordError(f"field 32A names no day: {error}") from error
        return day, Decimal(match[3].replace(",", ".")), match[2]

    def _field(self, *names: str) -> tuple[str, Span]:
        """Text and place of the first of these fields that is there."""
        for name in names:
            if name in self._fields:
                start, end = self._fields[name]
                text = self._text[start:end]
                return text.strip(), (start, start + len(text.rstrip()))
        raise RecordError(f"the message has no field {' or '.join(names)}; it has {', '.join(self._fields)}")

    def _account(self, *names: str) -> tuple[str, Span]:
        text, place = self._field(*names)
        if not text.startswith("/"):
            raise RecordError(f"field {names[0]} begins with no account: {text[:40]!r}")
        return account_id(text.splitlines()[0].strip("/ ")), place

    def _party(self, account: str, place: Span) -> Iterator[Claim]:
        """The account, and its owner by name; a name alone does not tell a person from a firm: taken as a firm."""
        yield self._claim(Node("Account", account), place)
        lines = self._text[slice(*place)].splitlines()
        if len(lines) > 1:
            owner = name_id(lines[1])
            yield self._claim(Node("Company", owner, {"name": lines[1].strip()}), place, sure=0.8)
            yield self._claim(Edge("HAS_ACCOUNT", owner, account), place, sure=0.8)

    def _claim(self, what: Node | Edge, place: Span, since: datetime | None = None, sure: float = 1.0) -> Claim:
        locator, quote = f"chars:{place[0]}-{place[1]}", self._text[slice(*place)]
        evidence = Evidence(self._document, locator, quote, self._extractor, sure)
        return Claim(what, evidence, self._published, since)
