"""The pipeline runs sources into the ledger: extract each record, stage it, check everything, commit once.

A bad record is quarantined with its reason and the run goes on; a run whose counts fall outside what was expected, or
that lacks a package or a working disk, commits nothing; the same folder again adds nothing; a file corrected in place
takes the place of what it said before. Names that registers and filings give are known when later sources are read.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypedDict, Unpack

import pyarrow as pa
import pyarrow.compute as pc

from ingest.diagnosis import diagnose, out_of_reach
from ingest.erased import Erased
from ingest.extract.text.names import Gazetteer
from ingest.labels import names, one_label_each
from ingest.order import naming, ordered
from ingest.readings import SIDECAR, Readings
from ingest.report import Quarantined, RunReport, SourceCount
from ingest.sharded import PACKAGE as PACKAGE
from ingest.sharded import Means, Reader
from ingest.source import Extract, Models, Record, Source
from ingest.staging import Staging, attempt, is_whole_refusal
from kg import plugins
from kg.errors import ExpectationError, SourceError
from kg.executor import Executor, Here
from kg.files import Files, digest_of
from kg.ledger import Ledger, OnIO
from kg.meter import Meter
from kg.model import ClaimBatch, RunManifest, digest
from kg.validate import violations

Progress = Callable[[str, int, int], None]
"""Source, files done, files."""
Range = tuple[int, int | None]


class Options(TypedDict, total=False):
    """How a run differs from the usual."""

    sources: Sequence[str]
    """Names of the sources to run; all by default."""
    progress: Progress
    executor: Executor
    """Where records are read; in this process by default. Whoever gives it closes it."""
    on_io: OnIO
    """Called with `stage:before`, `stage:after` and the ledger's stages."""
    limits: Mapping[str, int]
    """Caps on super-nodes by name, see docs/sources/trades.md; what a cap leaves out is counted in the report."""
    expectations: Mapping[str, Range]
    """Least and most (None: any number) of: `records`, `claims`, `quarantined`, a source, a label, edge type or
    property.
    """


def run(
    inputs: Path | Sequence[Path], ledger: Ledger, files: Files, home: Path, **options: Unpack[Options]
) -> RunReport:
    """Read a folder (or the files given) into the ledger in one commit; staged work lies in home/staging.

    SourceError if a source cannot be read at all, MissingExtraError if one needs a package that is not there,
    ExpectationError if the counts are out of range: nothing is committed then.
    """
    return _Run(inputs, ledger, files, home, options).run()


def extract(source: str, paths: Sequence[Path], models: Models | None = None) -> Iterator[tuple[Record, Extract]]:
    """Records of one source and what each gives, without a ledger."""
    folder, files = _inputs(paths)
    made = plugins.load(PACKAGE, source, Source)(folder, files)  # type: ignore[type-abstract]  # load gives a concrete one
    for record in made.records():
        yield record, attempt(made, record, models or Models())[0]


def sources() -> Mapping[str, str]:
    """Name and first line of each source there is."""
    return plugins.summaries(PACKAGE)


class _Run:
    """One run while it lasts."""

    def __init__(
        self, inputs: Path | Sequence[Path], ledger: Ledger, files: Files, home: Path, options: Options
    ) -> None:
        self._folder, self._paths = _inputs(inputs)
        self._ledger, self._files, self._home, self._options = ledger, files, home, options
        self._on_io = options.get("on_io", _ignore)
        self._staging = Staging(home / "staging", self._on_io)
        self._executor, self._erased = options.get("executor") or Here(), Erased(ledger.folder, files)
        self._readings = Readings(home / "readings.parquet")
        self._report, self._meter = RunReport(), Meter()
        self._tables: list[pa.Table] = []
        self._paths_of: dict[str, str] = {}
        self._replaces: set[str] = set()

    def run(self) -> RunReport:
        taken: set[Path] = set()
        for name in ordered(self._options.get("sources") or plugins.names(PACKAGE)):
            with self._meter.stage(f"read {name}"):
                taken |= self._source(name)
        with self._meter.stage("check"):
            self._left_over(taken)
            batch = self._checked(ClaimBatch(pa.concat_tables(self._tables)) if self._tables else ClaimBatch.of(()))
            self._count(batch)
            self._expect()
        with self._meter.stage("commit"):
            self._commit(batch)
        self._report.stages = self._meter.rows()
        return self._report

    def _every(self) -> set[Path]:
        if self._paths is not None:
            return set(self._paths)
        found = self._folder.rglob("*")
        return {p for p in found if not p.is_dir() or (p.is_symlink() and out_of_reach(p, self._folder))}

    def _left_over(self, taken: set[Path]) -> None:
        """Files no source took: quarantined where their bytes tell what is wrong, else listed."""
        for path in sorted(self._every() - taken):
            why = out_of_reach(path, self._folder) if self._paths is None else ""
            if not why and self._used(path):
                continue
            if why := why or diagnose(path):
                self._report.quarantined.append(Quarantined("", self._relative(path), "", why))
            else:
                self._report.untaken.append(self._relative(path))

    def _used(self, path: Path) -> bool:
        """True for a sidecar: its bytes came in with the record beside it."""
        try:
            return digest_of(path) in self._paths_of
        except OSError:
            return False

    def _source(self, name: str) -> set[Path]:
        """Read one source; returns the files it took."""
        kind = plugins.load(PACKAGE, name, Source)  # type: ignore[type-abstract]  # load gives a concrete one
        source = kind(self._folder, self._paths and [p for p in self._paths if any(p.match(g) for g in kind.patterns)])
        named = self._named(name)
        models = Models(Gazetteer(named()) if naming(name) else None, self._home / "cache", self._options.get("limits"))
        count = self._report.sources.setdefault(name, SourceCount(files=len(source.files)))
        started, taken = time.perf_counter(), set[Path]()
        progress = self._options.get("progress", _quiet)
        progress(name, 0, count.files)
        place = {path: number for number, path in enumerate(source.files, 1)}
        reader = Reader(Means(name, source, models, named), self._executor, self._staging, self._erased)
        for record, found in reader.extracts(source.records(), count):
            whole = self._folder / record.path
            path = whole if whole in place else self._folder / record.path.partition("#")[0]
            taken.add(path)
            self._note(record, path, found)
            self._take(record, found, count)
            progress(name, place.get(path, 0), count.files)
        progress(name, count.files, count.files)
        count.seconds = round(time.perf_counter() - started, 3)
        return taken

    def _named(self, name: str) -> Callable[[], Iterator[tuple[str, str, str]]]:
        """Names known to a source: of the ledger and of what this run has read, from identified entities only.

        Names that text alone gave are left out: otherwise a second run would know more than the first and say more.
        """
        if not (known := naming(name)):
            return lambda: iter(())
        # what documents of this run still say is in its tables, and what they no longer say is about to be retracted
        ends = pa.array(sorted(self._replaces | self._superseded()), pa.string())
        head, read = self._ledger.head, tuple(self._tables)

        def told() -> Iterator[tuple[str, str, str]]:
            alive = self._ledger.alive(head)
            alive = alive.filter(pc.invert(pc.is_in(alive["document"], ends)))
            return (row for table in (alive, *read) for row in names(table, known))

        return told

    def _note(self, record: Record, path: Path, found: Extract) -> None:
        """Write down which documents a file gives; what one cannot be read that was read before still counts."""
        file, part = path.resolve(), record.path.removeprefix(self._relative(path))
        self._readings.add(file, part, record.document)
        if record.sidecar:
            self._readings.add(file, SIDECAR, digest(record.sidecar))
        if is_whole_refusal(found):
            self._readings.refuse(file, part)

    def _superseded(self) -> set[str]:
        """Documents of files that now give others; files given one by one may share a sidecar with some not given."""
        return self._readings.superseded(sidecars=self._paths is None)

    def _take(self, record: Record, found: Extract, count: SourceCount) -> None:
        count.records += 1
        count.claims += len(found.claims)
        count.refused += len(found.refused)
        report = self._report
        report.quarantined += [Quarantined(record.source, record.path, r.locator, r.reason) for r in found.refused]
        report.cleaned(found.rules)
        if found.unread:
            report.unread[record.path] = sorted(found.unread)
        if is_whole_refusal(found):
            return  # what the same bytes gave before stands until they can be read
        self._replaces.add(record.document)
        if record.sidecar and self._paths is None:  # files given one by one may share a sidecar with others not given
            self._replaces.add(digest(record.sidecar))
        if not len(found.claims):
            return
        if record.file:
            self._paths_of[self._files.put_file(record.file, record.document)] = record.path
        for content in (record.content, record.sidecar):
            if content:
                self._paths_of[digest(content)] = record.path
                self._files.put(content)
        self._tables.append(found.claims.table)

    def _checked(self, batch: ClaimBatch) -> ClaimBatch:
        """The batch without what the vocabulary refuses; each row left out is quarantined with its reason."""
        labels = self._ledger.labels()
        table = one_label_each(batch.table, labels)
        while (bad := violations(table, labels)).num_rows:
            rows = table.take(bad["row"])
            for row, reason in zip(
                rows.select(["document", "locator", "extractor"]).to_pylist(), bad["reason"].to_pylist(), strict=True
            ):
                source = row["extractor"].partition(".")[0]
                self._report.quarantined.append(
                    Quarantined(source, self._paths_of.get(row["document"], row["document"]), row["locator"], reason)
                )
            keep = pc.invert(pc.is_in(pa.array(range(table.num_rows), pa.int64()), bad["row"].combine_chunks()))
            table = table.filter(keep)
        return ClaimBatch(table)

    def _count(self, batch: ClaimBatch) -> None:
        for column, counter in (("extractor", self._report.extractors), ("name", self._report.names)):
            counts = batch.table[column].value_counts().to_pylist()
            counter.update(sorted((row["values"], row["counts"]) for row in counts))

    def _expect(self) -> None:
        report = self._report
        have = {"records": report.records, "claims": report.claims, "quarantined": len(report.quarantined)}
        have |= dict(report.names) | {name: count.claims for name, count in report.sources.items()}
        wrong = [
            f"{name}: {have.get(name, 0)}, expected {least} to {'any number' if most is None else most}"
            for name, (least, most) in self._options.get("expectations", {}).items()
            if have.get(name, 0) < least or (most is not None and have.get(name, 0) > most)
        ]
        if wrong:
            raise ExpectationError(
                f"nothing was committed, the counts are out of range: {'; '.join(wrong)}; look at the files and the "
                f"{len(report.quarantined)} quarantined parts{report.first}, mend them or the range, and "
                "run again"
            )

    def _commit(self, batch: ClaimBatch) -> None:
        report, head = self._report, self._ledger.head
        void = self._superseded()
        void = void & set(self._ledger.alive()["document"].unique().to_pylist()) if void else void
        details = {"documents": sorted(self._replaces), "extractors": sorted(report.extractors)}
        manifest = RunManifest("ingest", details | {"claims": report.claims, "superseded": sorted(void)})
        report.run, report.superseded = manifest.id, len(void)
        replaces = sorted(self._replaces | void)
        with self._ledger.lease:
            self._readings.save()
            self._files.put(manifest.to_bytes())  # first: a commit whose run cannot be read is worse than one unused
            report.commit = self._ledger.commit(batch, manifest, replaces=replaces, on_io=self._on_io)
        report.committed = report.commit != head

    def _relative(self, path: Path) -> str:
        return path.relative_to(self._folder).as_posix() if path.is_relative_to(self._folder) else path.name


def _inputs(inputs: Path | Sequence[Path]) -> tuple[Path, list[Path] | None]:
    """The folder that paths are told from, and the files if files were given."""
    paths = [inputs] if isinstance(inputs, Path) else list(inputs)
    if missing := [str(path) for path in paths if not path.exists()]:
        raise SourceError(f"{', '.join(missing)}: not there; give a folder or files to read")
    if len(paths) == 1 and paths[0].is_dir():
        return paths[0], None
    files = sorted({f for p in paths for f in (p.rglob("*") if p.is_dir() else [p]) if f.is_file()})
    folders = [file.parent for file in files]
    common = (
        next((f for f in [folders[0], *folders[0].parents] if all(o.is_relative_to(f) for o in folders)), Path("/"))
        if files
        else Path()
    )
    return common, files


def _ignore(_: str) -> None:
    return None


def _quiet(_: str, __: int, ___: int) -> None:
    return None
