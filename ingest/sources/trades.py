"""Payments and trades from CSV and Parquet files, summed by the day without a Python object per row.

One PAID edge for each payer, payee, day and currency and one TRADED edge for each party, security, day, side and
currency carry the exact sum and the count; their locator names the rows summed. Rows said twice count once; cancels and
corrections restate the edges they touch, also from a later file. Accounts carry their owner, country and the fraud
labels of the AMLSim sample, whose steps are counted as days from 2017-01-01 and whose amounts have no currency (XXX).
"""

from __future__ import annotations

import tarfile
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any, ClassVar

import duckdb
import polars as pl

from ingest.clean import decimals, public
from ingest.extract.formats.identifier import account_id, identified
from ingest.extract.formats.rows import RowClaims, missing, split
from ingest.extract.formats.table import Table, columns_in, columns_of, read_table
from ingest.extract.payments.cap import capped
from ingest.extract.payments.edges import Sums, evidenced, simulated, sums
from ingest.extract.payments.files import Part, carried_sums, together
from ingest.extract.payments.layouts import LAYOUTS, PAYMENTS, TRADES, Layout, used
from ingest.extract.payments.stream import Stream
from ingest.source import Extract, Models, Record, Refusal, Source
from kg.errors import RecordError
from kg.model import digest

ACCOUNTS: Mapping[str, frozenset[str]] = {
    "accounts": frozenset(("account_id", "owner_id", "country")),
    "amlsim accounts": frozenset(("nodeid", "isFraud", "init_balance", "fraudStep")),
}
"""Columns that make a file a table of accounts."""
DATED: Mapping[str, frozenset[str]] = {"accounts": frozenset(("published",))}
"""Columns of them that are read where they are there."""
LARGE = 16 << 20
"""Bytes from which a file is left where it lies."""
_UNPACKED = 256 << 20
"""Most bytes of the members of a tar file; they are held in memory."""
_AMLSIM_START = pl.datetime(2017, 1, 1, time_unit="us", time_zone="UTC")


class Trades(Source):
    """Payments, trades and accounts."""

    extractor = "trades.rows@3"
    patterns = ("*.csv", "*.parquet", "*.tgz")
    counterparties: ClassVar[int] = 100_000
    """Most counterparties of one account in a file that have an edge each; those beyond it share one."""

    def records(self) -> Iterator[Record]:
        """One record per file of a known layout, or per such member of a tar file."""
        plain = [path for path in self.files if path.suffix != ".tgz"]
        layouts = {path: layout_of((*columns_in(path), *partitions(path, self.folder))) for path in plain}
        parts = self._parts(layouts)
        for path in self.files:
            name = path.relative_to(self.folder).as_posix()
            if path.suffix == ".tgz":
                yield from self._archive(path, name)
            elif layout := layouts[path]:
                yield self._record(path, name, layout, parts.get(path))

    def _archive(self, path: Path, name: str) -> Iterator[Record]:
        """A record per table of a tar file, and one for each member, or the whole, that cannot be read."""
        if not is_gzip(path):
            return  # the run tells what is wrong with a file that no source takes
        found = False
        for member, content in _members(path):
            if isinstance(content, RecordError):
                found = True
                yield Record("trades", name + member, meta={"broken": str(content)}, content=b"", file=path)
            elif layout := layout_of(columns_of(content)):
                found = True
                yield Record("trades", name + member, content, None, {"layout": layout})
        if not found:
            why = "no CSV of payments, trades or accounts in the tar file; expected one by its columns"
            yield Record("trades", name, meta={"broken": why}, content=b"", file=path)

    def _record(self, path: Path, name: str, layout: str, part: Part | None) -> Record:
        since = _first_use(path) if layout == "accounts" else None
        meta: dict[str, Any] = {"layout": layout}
        if fixed := partitions(path, self.folder):
            meta["fixed"] = fixed
        if part:
            meta |= part.meta()
        large = path.stat().st_size > LARGE and layout in LAYOUTS
        content = b"" if large else path.read_bytes()
        return Record("trades", name, content, since, meta, part.carried if part else b"", path if large else None)

    def _parts(self, layouts: Mapping[Path, str]) -> dict[Path, Part]:
        """What files of one layout must know of each other."""
        found: dict[Path, Part] = {}
        for layout in (PAYMENTS, TRADES):
            paths = [path for path, name in layouts.items() if name == layout.name]
            if len(paths) > 1:
                names = [path.relative_to(self.folder).with_suffix("").as_posix() for path in paths]
                fixed = [partitions(path, self.folder) for path in paths]
                found |= zip(paths, together(list(zip(paths, fixed, strict=True)), names, layout), strict=True)
        return found

    def claims(self, record: Record, models: Models) -> Extract:
        if why := record.meta.get("broken"):
            raise RecordError(why)
        name = str(record.meta.get("layout") or layout_of(columns_of(record.content)))
        out = RowClaims(record.document, self.extractor)
        if name in LAYOUTS:
            cap = models.limits.get("counterparties", self.counterparties)
            return self._summed(record, LAYOUTS[name], out, cap)
        table = read_table(record.whole())
        refused = _READ[name](table, out, record.published) if name in _READ else []
        unread = set(table.columns) - ACCOUNTS.get(name, frozenset()) - DATED.get(name, frozenset())
        return Extract(out.batch(), (*table.refused, *refused), sorted(unread))

    def _summed(self, record: Record, layout: Layout, out: RowClaims, cap: int) -> Extract:
        for lenient in (False, True):
            try:
                with Stream(lenient=lenient) as stream:
                    return self._streamed(stream, record, (layout, cap), out)
            except duckdb.Error as error:
                if lenient or not isinstance(error, duckdb.InvalidInputException):
                    raise RecordError(f"the table cannot be summed: {str(error).splitlines()[0]}") from error
        raise AssertionError("one of the two ways returns or raises")

    def _streamed(self, stream: Stream, record: Record, how: tuple[Layout, int], out: RowClaims) -> Extract:
        """Sums of one file by its layout, with the cap on counterparties."""
        meta, (layout, cap) = record.meta, how
        clashes, repeats = meta.get("clashes", []), meta.get("repeats", [])
        refused = stream.add("cells", record.file or record.content, meta.get("fixed"))
        carried = carried_sums(stream, layout, record.sidecar, record.document, meta.get("order", 0))
        found = sums(stream, layout, (*clashes, *repeats, *carried.own))
        rules = found.rules + carried.rules + Counter({"trades.repeated_row": len(repeats)})
        edges = capped(_parted(found, meta), cap, rules)
        _edges(evidenced(stream, layout, edges), layout, out)
        if carried.edges.height:
            restated = RowClaims(digest(record.sidecar), self.extractor)
            _edges(evidenced(stream, layout, carried.edges, "carried"), layout, restated)
            out.take(restated)
        columns = set(stream.columns["cells"])
        unread = columns - used(layout, columns) - {*meta.get("fixed", ())}
        why = "its id stands in an earlier file with other values; a change needs an action"
        bad = (*refused, *found.refused, *(Refusal(f"row:{n}", why) for n in clashes))
        return Extract(out.batch(), bad, sorted(unread), +rules)


def layout_of(columns: tuple[str, ...]) -> str:
    """Name of the layout whose columns are all there, or ""."""
    wanted = {name: layout.columns for name, layout in LAYOUTS.items()} | {**ACCOUNTS}
    return next((name for name, those in wanted.items() if those <= set(columns)), "")


def partitions(path: Path, folder: Path) -> dict[str, str]:
    """Columns that the names of the folders give, as `currency=EUR` does."""
    above = path.relative_to(folder).parts[:-1] if path.is_relative_to(folder) else ()
    return {name: value for name, at, value in (part.partition("=") for part in above) if name and at and value}


def is_gzip(path: Path) -> bool:
    """True for the first bytes of gzip."""
    with path.open("rb") as file:
        return file.read(2) == b"\x1f\x8b"


def _members(path: Path) -> Iterator[tuple[str, bytes | RecordError]]:
    """CSV files of a tar file; in the place of what cannot be read the reason. Nothing is unpacked to the disk."""
    listed: list[tarfile.TarInfo] = []
    try:
        with tarfile.open(path) as archive:
            for member in archive:  # sizes stand before what they are of: a bomb is not unpacked to be counted
                listed.append(member)
                if sum(m.size for m in listed) > _UNPACKED:
                    raise RecordError(f"the tar file would unpack to more than {_UNPACKED >> 20} MiB; split it")
            for member in sorted((m for m in listed if m.name.endswith(".csv")), key=lambda m: m.name):
                yield f"#{member.name}", _unpacked(archive, member)
    except (tarfile.TarError, OSError, EOFError, ValueError, zlib.error) as error:
        yield "", RecordError(f"cannot be read as a tar file: {error}; pack its CSV files again")
    except RecordError as error:
        yield "", error


def _unpacked(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes | RecordError:
    name = PurePosixPath(member.name)
    if name.is_absolute() or ".." in name.parts:
        return RecordError(f"a member whose name leads out of the tar file ({member.name!r}); not read")
    file = archive.extractfile(member) if member.isfile() else None
    return file.read() if file else RecordError("a member that is a link or a folder, not a file; not read")


def _first_use(path: Path) -> datetime | None:
    """A register of accounts that gives no date was known by the first payment of the files beside it."""
    times = []
    for other in sorted({*path.parent.glob("*.csv"), *path.parent.glob("*.parquet")} - {path}):
        if layout_of(columns_in(other)) in (PAYMENTS.name, TRADES.name):
            with Stream() as stream:
                try:
                    stream.add("cells", other)
                except RecordError:
                    continue
                clock = "try_cast(trim(time) AS TIMESTAMPTZ)"
                times.append(
                    stream.table(f"SELECT min({clock}) AS t FROM cells WHERE isfinite({clock})")["t"][0].as_py()
                )
    return min((time for time in times if time is not None), default=None)


def _parted(found: Sums, meta: Mapping[str, Any]) -> pl.DataFrame:
    """Edges with the name of the part on the days that an earlier file has too."""
    shared = pl.col("day").dt.strftime("%Y-%m-%d").is_in(meta.get("days", []))
    return found.edges.with_columns(pl.when(shared).then(pl.lit(meta.get("part", ""))).otherwise("part").alias("part"))


def _edges(edges: pl.DataFrame, layout: Layout, out: RowClaims) -> None:
    """PAID or TRADED edges of sums, and the node rows of their ends."""
    part = pl.when(pl.col("part") == "").then(pl.lit("")).otherwise(pl.format("/{}", "part"))
    day = pl.col("day").dt.strftime("%Y-%m-%d")
    shared = {
        "subject": pl.col("a"),
        "object": pl.col("b"),
        "value_decimal": pl.col("total"),
        "value_int": pl.col("count"),
        "unit": pl.col("unit"),
        "valid_from": pl.col("day"),
    }
    if layout.edge == "PAID":
        for end in ("a", "b"):
            out.nodes(edges, pl.col(end), "Account")
        out.add(edges, "edge", name="PAID", key=pl.format("{}/{}{}", day, "unit", part), **shared)
        return
    out.nodes(edges, pl.col("b"), "Security")
    out.nodes(edges.filter(pl.col("a").str.starts_with("person:")), pl.col("a"), "Person")
    out.nodes(edges.filter(pl.col("a").str.contains("^(iban|acct):")), pl.col("a"), "Account")
    more = {"value_real": pl.col("quantity").cast(pl.Float64), "value_text": pl.col("side")}
    out.add(edges, "edge", name="TRADED", key=pl.format("{}/{}/{}{}", day, "side", "unit", part), **shared, **more)


def _accounts(table: Table, out: RowClaims, published: datetime | None) -> list[Refusal]:
    frame = identified(table.frame, "account_id", "id", rule=account_id)
    frame = identified(identified(frame, "owner_id", "owner"), "country", "place", "iso:")
    reason = pl.coalesce(missing("id", "account_id", "an account"), pl.col("owner!"), pl.col("place!"), _undated)
    frame = frame.with_columns(_since(table, published).alias("published"))
    good, refused = split(frame, reason)
    out.nodes(good, pl.col("id"), "Account")
    owners, places = good.filter(pl.col("owner").is_not_null()), good.filter(pl.col("place").is_not_null())
    out.nodes(places, pl.col("place"), "Country")
    out.add(owners, "edge", subject=pl.col("owner"), name="HAS_ACCOUNT", object=pl.col("id"))
    out.add(places, "edge", subject=pl.col("id"), name="IN_COUNTRY", object=pl.col("place"))
    return refused


_undated = pl.when(pl.col("published").is_null()).then(
    pl.lit("no date: give it one in a column `published`, or put the payments beside the file")
)


def _since(table: Table, otherwise: datetime | None) -> pl.Expr:
    """When each account was known: by its own cell, an empty one by the first payment beside the file."""
    first = pl.lit(otherwise, pl.Datetime("us", "UTC"))
    if "published" not in table.columns:
        return first
    return pl.when(pl.col("published").is_null()).then(first).otherwise(public("published"))


def _simulated_accounts(table: Table, out: RowClaims, published: datetime | None) -> list[Refusal]:
    frame = identified(table.frame, "nodeid", "id", rule=simulated).with_columns(_AMLSIM_START.alias("published"))
    good, refused = split(frame, missing("id", "nodeid", "an account"))
    out.nodes(good, pl.col("id"), "Account")
    balance = decimals("init_balance")
    out.properties(good, "fact", balance, key="initial balance", unit="XXX")
    out.properties(good, "flag", pl.when(pl.col("isFraud").cast(pl.Int64, strict=False) > 0).then(pl.lit("fraud")))
    step = pl.col("fraudStep").cast(pl.Float64, strict=False)
    out.properties(good, "measure", pl.when(step >= 0).then(step), key="fraud step")
    return refused


_READ = {"accounts": _accounts, "amlsim accounts": _simulated_accounts}
