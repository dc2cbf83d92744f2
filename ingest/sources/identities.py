"""Identities: which party or account uses which device, phone, e-mail, network or postal address, and who shares one.

A personal value never becomes an id or a quote: it is brought to one spelling and replaced by a keyed pseudonym
(HMAC-SHA256). All files together give one table of pseudonyms, from which SHARES_IDENTIFIER edges are derived; an
identifier of more parties than the cap (a call centre, a proxy) joins nobody and is named in the report.
"""

from __future__ import annotations

import csv
import hmac
import io
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from ipaddress import ip_address
from typing import ClassVar

import polars as pl

from ingest.clean import instants, public
from ingest.extract.formats.identifier import account_id, identified, identify
from ingest.extract.formats.pointer import BROKEN, read_json
from ingest.extract.formats.rows import CLOCK, RowClaims, missing, split
from ingest.extract.formats.table import QUOTE, ROW, columns_of, read_table
from ingest.source import Extract, Models, Record, Refusal, Source
from kg.errors import RecordError
from kg.model import LAST

KINDS: Mapping[str, str] = {
    "device": "device",
    "imei": "device",
    "browser": "device",
    "card": "device",
    "address": "addr",
    "phone": "addr",
    "email": "addr",
    "ip": "addr",
}
"""Kinds of identifier and the scheme of their ids."""
WHO = ("party_id", "account_id", "party", "account")
"""Columns that may name who uses it, the first one there counts."""
SHARED = ("party", "kind", "identifier", "first_seen", "published", "document", "row")
"""Columns of the derived table."""
TIMES = ("first_seen", "last_seen", "published")
_WANTED = frozenset(("kind", "value"))
_READ = frozenset((*WHO, *_WANTED, "first_seen", "last_seen", "published"))


class Identities(Source):
    """Devices and addresses that parties use."""

    extractor = "identities.rows@2"
    patterns = ("*.csv", "*.parquet", "*.jsonl")
    key: ClassVar[bytes] = b"kgrisk"
    """Key of the pseudonyms; who has it can test a guess, so set one of your own for data about persons."""
    sharers: ClassVar[int] = 50
    """Most users of one identifier that are joined with each other."""

    def records(self) -> Iterator[Record]:
        """One record per file, then one of all identifiers with more than one user."""
        now, every = datetime.now(UTC), []
        for path in self.files:
            content = path.read_bytes()
            if not is_identities(columns_of(content) if path.suffix != ".jsonl" else _keys(content)):
                continue
            record = Record("identities", path.relative_to(self.folder).as_posix(), content, meta={"read": now})
            every.append(record)
            yield record
        if content := _shared([self._seen(record) for record in every]):
            yield Record("identities", "#shared", content, meta={"kind": "shared"})

    def claims(self, record: Record, models: Models) -> Extract:
        if record.meta.get("kind") == "shared":
            return self._sharing(record, models.limits.get("sharers", self.sharers))
        good, refused, columns = self._users(record)
        out = RowClaims(record.document, self.extractor)
        for scheme, label in (("device", "Device"), ("addr", "Address")):
            out.nodes(good.filter(pl.col("#scheme") == scheme), pl.col("#id"), label)
        out.nodes(good.filter(pl.col("#who").str.contains("^(iban|acct):")), pl.col("#who"), "Account")
        out.nodes(good.filter(pl.col("#who").str.starts_with("person:")), pl.col("#who"), "Person")
        spell = {"valid_from": pl.col("#first"), "valid_to": pl.col("#to")}
        out.add(good, "edge", subject=pl.col("#who"), name="USES", object=pl.col("#id"), **spell)
        return Extract(out.batch(), refused, sorted(columns - _READ))

    def _seen(self, record: Record) -> pl.DataFrame:
        """Users of a file as rows of the derived table; none of one that cannot be read: its own record tells why."""
        try:
            good, _, _ = self._users(record)
        except RecordError:
            return pl.DataFrame(schema=dict.fromkeys(SHARED, pl.String))
        return good.select(
            pl.col("#who").alias("party"),
            pl.col("kind"),
            pl.col("#id").alias("identifier"),
            pl.col("#first").dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ").alias("first_seen"),
            pl.col("published").dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ").alias("published"),
            pl.lit(record.document).alias("document"),
            pl.col(ROW).cast(pl.String).alias("row"),
        )

    def _users(self, record: Record) -> tuple[pl.DataFrame, list[Refusal], set[str]]:
        """Good rows: who, which identifier, from when until when."""
        frame, bad = _table(record)
        columns = set(frame.columns) - {ROW, QUOTE, "locator", "quote"}
        who = next((column for column in WHO if column in columns), "")
        if not is_identities(tuple(columns)):
            raise RecordError(f"expected columns kind, value and one of {', '.join(WHO)}")
        for column in TIMES:
            if column not in columns:
                frame = frame.with_columns(pl.lit(None, pl.String).alias(column))
        frame = frame.with_columns(pl.col("kind").str.strip_chars().str.to_lowercase().alias("kind"))
        frame = frame.with_columns(pl.format("{}:{}", "kind", "value").alias("#value"))
        frame = identified(frame, who, "#who", rule=account_id if who.startswith("account") else identify)
        frame = identified(frame, "#value", "#id", rule=self.pseudonym)
        frame = frame.with_columns(*(instants(c).alias(f"#{c}") for c in TIMES[:2]), pl.col("published").alias("#said"))
        frame = frame.with_columns(public("published").alias("#published"))
        read = pl.lit(record.published or record.meta.get("read"), CLOCK)
        frame = frame.with_columns(
            pl.coalesce("#published", pl.max_horizontal("#last_seen", "#first_seen"), read).alias("published"),
            pl.coalesce("#first_seen", pl.lit(datetime(1, 1, 1, tzinfo=UTC), CLOCK)).alias("#first"),
            pl.coalesce(pl.col("#last_seen") + pl.duration(days=1), pl.lit(LAST, CLOCK)).alias("#to"),
            pl.col("#id").str.split(":").list.first().alias("#scheme"),
        )
        reason = pl.coalesce(
            pl.col("#who!"),
            missing("#who", who, "an id"),
            pl.col("#id!"),
            missing("#id", "kind", "a kind with a value"),
            *(
                pl.when(pl.col(raw).is_not_null() & pl.col(f"#{c}").is_null()).then(
                    pl.format("{} {} is not an ISO date", pl.lit(c), pl.col(raw))
                )
                for c, raw in zip(TIMES, ("first_seen", "last_seen", "#said"), strict=True)
            ),
            pl.when(pl.col("#to") <= pl.col("#first")).then(pl.lit("last_seen is before first_seen")),
        )
        good, refused = split(frame, reason)
        return good, [*bad, *refused], columns

    def pseudonym(self, value: str) -> str:
        """Id of an identifier `kind:value`; ValueError says what is wrong with it, without the value itself."""
        kind, _, raw = value.partition(":")
        if kind not in KINDS:
            raise ValueError(f"kind {kind or '(empty)'} is none of {', '.join(KINDS)}")
        plain = f"{kind}:{spelled(kind, raw)}"
        return f"{KINDS[kind]}:{hmac.new(self.key, plain.encode(), sha256).hexdigest()[:32]}"

    def _sharing(self, record: Record, cap: int) -> Extract:
        """SHARES_IDENTIFIER edges between the users of one identifier, once for each pair and kind."""
        table = read_table(record.content)
        if tuple(table.columns) != SHARED:
            raise RecordError(f"expected the columns {', '.join(SHARED)}")
        seen = table.frame.with_columns(*(instants(c).alias(f"#{c}") for c in ("first_seen", "published")))
        seen = seen.sort(ROW).unique(["party", "identifier"], keep="first", maintain_order=True)
        users = seen.group_by("identifier", maintain_order=True).agg(pl.len().alias("#users"), pl.col(ROW).first())
        crowd = users.filter(pl.col("#users") > cap)
        refused = [
            Refusal(f"row:{row}", f"{name} has {many} users, the cap is {cap}: they are not joined by it")
            for name, many, row in crowd.iter_rows()
        ]
        seen = seen.join(crowd, on="identifier", how="anti")
        out = RowClaims(record.document, self.extractor)
        if (pairs := _pairs(seen)).height:
            edge = {"subject": pl.col("party"), "object": pl.col("party_right"), "key": pl.col("kind")}
            out.add(
                pairs, "edge", name="SHARES_IDENTIFIER", value_int=pl.col("#count"), valid_from=pl.col("#from"), **edge
            )
        rules = Counter({"identities.capped_identifier": crowd.height})
        return Extract(out.batch(), refused, (), +rules)


def is_identities(columns: tuple[str, ...]) -> bool:
    """True for a table of who uses what."""
    return set(columns) >= _WANTED and bool({*WHO} & set(columns))


def spelled(kind: str, raw: str) -> str:
    """The one spelling of an identifier; ValueError if it is none of its kind."""
    text = " ".join(raw.split()).casefold()
    if kind == "email" and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", text):
        raise ValueError("the e-mail address has no name, @ and domain")
    if kind == "phone":
        text = re.sub(r"^00", "+", re.sub(r"[^\d+]", "", text))
        if not re.fullmatch(r"\+?\d{5,15}", text):
            raise ValueError("the phone number does not have 5 to 15 digits")
    if kind == "ip":
        try:
            return str(ip_address(text))
        except ValueError:
            raise ValueError("the network address is neither IPv4 nor IPv6") from None
    if kind == "address":
        text = " ".join(re.sub(r"[^\w\s]", " ", text).split())
    if not text:
        raise ValueError(f"the {kind} is empty")
    return text


def _keys(content: bytes) -> tuple[str, ...]:
    """Keys of the first object of a JSON lines file."""
    import json

    try:
        first = json.loads(content.lstrip().split(b"\n", 1)[0])
    except (ValueError, RecursionError):
        return ()
    return tuple(first) if isinstance(first, dict) else ()


def _table(record: Record) -> tuple[pl.DataFrame, list[Refusal]]:
    """Rows as text with the place each stands at, and those that are no rows."""
    if not record.path.endswith(".jsonl"):
        table = read_table(record.content)
        cells = [column for column in table.columns if column in {*WHO, "kind", "first_seen", "last_seen"}]
        quote = pl.concat_str([pl.col(column).fill_null("") for column in cells], separator=",")
        where = pl.format(f"row:{{}} cells:{','.join(cells)}", ROW)
        return table.frame.with_columns(where.alias("locator"), quote.alias("quote")), list(table.refused)
    found = read_json(record.content)
    lines = found if isinstance(found, list) else [found]
    many = isinstance(found, list)
    rows, bad = [], []
    for number, line in enumerate(lines):
        if isinstance(line, dict):
            place = f"json:/{number}/kind" if many else "json:/kind"
            text = {k: str(v) for k, v in line.items() if v is not None and not isinstance(v, dict | list)}
            rows.append(text | {ROW: number + 1, "locator": place, "quote": str(line.get("kind", ""))})
        elif line is BROKEN or line is not None:
            bad.append(Refusal(f"json:/{number}", "the line is no JSON object"))
    frame = pl.DataFrame(rows, infer_schema_length=None).with_columns(pl.lit("x").alias(QUOTE))
    return frame.with_columns(pl.col(ROW).cast(pl.Int64)), bad


def _shared(tables: list[pl.DataFrame]) -> bytes:
    """Uses of identifiers with more than one user, as CSV; empty if there are none."""
    every = pl.concat(tables) if tables else pl.DataFrame(schema=dict.fromkeys(SHARED, pl.String))
    shared = every.filter(pl.col("party").n_unique().over("identifier") > 1).sort(
        "identifier", "party", "document", "row"
    )
    if not shared.height:
        return b""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerows([SHARED, *shared.select(SHARED).iter_rows()])
    return out.getvalue().encode()


def _pairs(seen: pl.DataFrame) -> pl.DataFrame:
    """Pairs of users by kind: how many identifiers they share, since when, and the two rows of the first."""
    both = seen.join(seen, on=["identifier", "kind"]).filter(pl.col("party") < pl.col("party_right"))
    both = both.with_columns(
        pl.max_horizontal("#first_seen", "#first_seen_right").alias("#from"),
        pl.max_horizontal("#published", "#published_right").alias("published"),
    ).drop("published_right", strict=False)
    by = ["party", "party_right", "kind"]
    both = both.sort("published", ROW).group_by(by, maintain_order=True).agg(
        pl.len().cast(pl.Int64).alias("#count"),
        pl.col("#from").min(),
        pl.col("published").max(),
        pl.col(ROW).first(),
        pl.col(f"{ROW}_right").first(),
    )  # fmt: skip
    return both.with_columns(
        pl.format("rows:{},{} cells:party,kind", ROW, f"{ROW}_right").alias("locator"),
        pl.format("{},{}; {},{}", "party", "kind", "party_right", "kind").alias("quote"),
    )
