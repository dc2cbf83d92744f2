"""Tables as DuckDB streams them from disk: text cells in numbered rows, never the whole file as Python objects.

Rows are numbered and quoted as `ingest.extract.formats.table` does, so that a row can be read back from the bytes. A
CSV that is written plainly (UTF-8, no blank lines, no blanks before a quote) is streamed; any other goes through that
module.
"""

from __future__ import annotations

import os
from codecs import getincrementaldecoder
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType

import duckdb
import polars as pl
import pyarrow as pa

from ingest.extract.formats.table import QUOTE, ROW, columns_of, parquet_columns, read_table, separator
from ingest.source import Refusal
from kg.errors import RecordError
from kg.place import quoted_path
from kg.project import connect

MEMORY = "640MiB"
"""What DuckDB may hold; the rest goes to disk."""
_CHUNK = 1 << 22
_BLANK, _QUOTED = (b"\n\n", b"\n\r\n"), (b' "', b'\t"')


class Stream:
    """Views of files in one DuckDB that lives as long as the `with` block.

    `lenient` reads every CSV through `ingest.extract.formats.table`: the way to go when a query on a streamed one fails
    (duckdb.InvalidInputException), since its rows are not all of one width.
    """

    def __init__(self, *, lenient: bool = False) -> None:
        self._lenient = lenient
        self._folder = TemporaryDirectory(prefix="kgrisk-")
        self.con = connect()
        self.con.execute(f"SET memory_limit = '{MEMORY}'; SET threads = {min(4, os.cpu_count() or 1)}")
        self.con.execute(f"SET temp_directory = '{self._folder.name}'")
        # joins build on the small table as written: of a CSV the optimiser does not know that it is the large one
        self.con.execute("SET disabled_optimizers = 'build_side_probe_side,join_order'")
        self._paths: dict[str, Path] = {}
        self.columns: dict[str, tuple[str, ...]] = {}
        """Columns of each view, beside k_n and k_body."""

    def __enter__(self) -> Stream:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.con.close()
        self._folder.cleanup()

    def add(self, view: str, content: bytes | Path, fixed: Mapping[str, str] | None = None) -> tuple[Refusal, ...]:
        """Make a view of a table, with columns of a fixed value; returns the rows of a wrong width.

        RecordError if the bytes are no table.
        """
        path = content if isinstance(content, Path) else self._written(view, content)
        self._paths[view] = path
        head = path.open("rb").read(65_536)
        if not head.strip():
            raise RecordError("the file is empty; expected a CSV with a header line or a Parquet file")
        more = fixed or {}
        if head[:4] == b"PAR1":
            return self._parquet(view, path, more)
        names = columns_of(head)
        if not self._lenient and len(names) == len(set(names)) and all(names) and _plain(path):
            self._csv(view, path, names, separator(head.split(b"\n", 1)[0].decode("utf-8", "replace")), more)
            return ()
        return self._table(view, path, more)

    def _written(self, view: str, content: bytes) -> Path:
        path = Path(self._folder.name) / view
        path.write_bytes(content)
        return path

    def _csv(self, view: str, path: Path, names: tuple[str, ...], parted: str, more: Mapping[str, str]) -> None:
        types = ", ".join(f"{_text(name)}: 'VARCHAR'" for name in names)
        source = f"""read_csv({quoted_path(str(path))}, auto_detect = false, hive_partitioning = false, header = true,
          delim = {_text(parted)}, quote = '"', escape = '"', nullstr = '', columns = {{{types}}})"""
        self._view(view, f"SELECT row_number() OVER () AS k_n, * FROM {source}", names, more)

    def _parquet(self, view: str, path: Path, more: Mapping[str, str]) -> tuple[Refusal, ...]:
        try:
            names = parquet_columns(path)
        except pl.exceptions.PolarsError as error:
            raise RecordError(f"the Parquet file cannot be read: {error}") from error
        cells = ", ".join(f"CAST({_name(name)} AS VARCHAR) AS {_name(name)}" for name in names)
        source = f"""SELECT file_row_number + 1 AS k_n, {cells}
          FROM read_parquet({quoted_path(str(path))}, hive_partitioning = false, file_row_number = true)"""
        try:
            self._view(view, source, names, more)
        except duckdb.Error as error:
            raise RecordError(f"the Parquet file cannot be read: {str(error).splitlines()[0]}") from error
        return ()

    def _table(self, view: str, path: Path, more: Mapping[str, str]) -> tuple[Refusal, ...]:
        table = read_table(path.read_bytes())
        frame = table.frame.rename({ROW: "k_n"})
        self.con.register(f"{view}_", frame.drop(QUOTE).to_arrow(compat_level=pl.CompatLevel.oldest()))
        self._view(view, f"SELECT * FROM {view}_", table.columns, more)
        return table.refused

    def _view(self, view: str, source: str, names: tuple[str, ...], more: Mapping[str, str]) -> None:
        if taken := {"k_n", "k_body"} & {*names, *more}:
            raise RecordError(f"the column {', '.join(taken)} has a name kept for row numbers; call it otherwise")
        body = ", ".join(f"coalesce({_name(name)}, '')" for name in names)
        fixed = "".join(f", {_text(v)} AS {_name(k)}" for k, v in more.items() if k not in names)
        some = f"coalesce({', '.join(_name(name) for name in names)}) IS NOT NULL"
        self.con.execute(
            f"CREATE TEMP VIEW {view} AS SELECT *, concat_ws(',', {body}) AS k_body{fixed} FROM ({source}) WHERE {some}"
        )
        self.columns[view] = (*names, *(name for name in more if name not in names))

    def table(self, sql: str) -> pa.Table:
        """Rows of a query."""
        return self.con.sql(sql).to_arrow_table()

    def frame(self, sql: str) -> pl.DataFrame:
        """Rows of a query as polars holds them."""
        found = pl.from_arrow(self.table(sql))
        assert isinstance(found, pl.DataFrame)
        return found

    def register(self, name: str, table: pa.Table) -> None:
        """Make a table known by a name."""
        self.con.register(name, table)

    def quotes(self, view: str, rows: Iterable[int]) -> dict[int, str]:
        """Rows as they are quoted, by number."""
        wanted = pa.table({"n": pa.array(sorted(rows), pa.int64())})
        path = self._paths[view]
        if not len(wanted):
            return {}
        if path.open("rb").read(4) == b"PAR1":
            return dict(_quoted(path, pl.Series(ROW, wanted["n"].to_pylist(), pl.Int64)))
        self.con.register("wanted", wanted)
        found = self.table(f"SELECT k_n, k_body FROM {view} WHERE k_n IN (SELECT n FROM wanted)")
        return dict(zip(found["k_n"].to_pylist(), found["k_body"].to_pylist(), strict=True))


def _quoted(path: Path, rows: pl.Series) -> Iterator[tuple[int, str]]:
    """Rows of a Parquet file with each value as polars writes it."""
    every = pl.scan_parquet(path, glob=False).with_row_index(ROW, 1).with_columns(pl.col(ROW).cast(pl.Int64))
    picked = every.join(rows.to_frame().lazy(), on=ROW, how="semi").collect(engine="streaming")
    cells = [pl.col(name).cast(pl.String).fill_null("") for name in picked.columns if name != ROW]
    yield from picked.select(ROW, pl.concat_str(cells, separator=",")).iter_rows()


def _plain(path: Path) -> bool:
    """True for UTF-8 without blank lines and without blanks before a quote: DuckDB and polars read that alike."""
    last, decoder = b"", getincrementaldecoder("utf-8")()
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                seen = last + chunk
                decoder.decode(chunk)
                odd = (*_BLANK, *_QUOTED) if b'"' in seen else _BLANK
                if any(mark in seen for mark in odd):
                    return False
                last = chunk[-2:]
            decoder.decode(b"", True)
    except UnicodeDecodeError:
        return False
    return True


def _name(column: str) -> str:
    return '"' + column.replace('"', '""') + '"'


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
