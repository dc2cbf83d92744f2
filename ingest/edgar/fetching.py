"""Fetching brings filings from EDGAR into a folder that the `filings` source reads: by filer, form and date.

Each filing is the whole submission (`<folder>/<cik>/<accession>.txt`), which says itself when it was accepted. Lists
and the memory of what was fetched lie in `cache`, so that the folder holds nothing but filings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from ingest.edgar.client import Client, NotThereError
from ingest.edgar.listing import Listed, read_list
from ingest.edgar.pace import MOST, Pace
from ingest.extract.formats.identifier import identify
from kg.errors import SettingsError, SourceError

Progress = Callable[[str, int, int], None]
"""Filer, filings done, filings wanted."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which filings."""

    ciks: Sequence[str]
    """CIKs of the filers, with or without leading zeros."""
    forms: Sequence[str] = ()
    """Forms such as `10-K` and `8-K`, without their amendments unless these are named; all if none is."""
    since: date | None = None
    until: date | None = None
    """First and last filing date."""
    facts: bool = False
    """True: company facts (every figure tagged) as well."""


@dataclass(frozen=True, slots=True)
class Hosts:
    """Where EDGAR is; tests and mirrors give others."""

    data: str = "https://data.sec.gov"
    archive: str = "https://www.sec.gov"
    rate: float = MOST
    """Requests a second, at most 10."""
    patience: float = 1.0
    """Seconds before the first new try; each further pause is twice as long."""


@dataclass(slots=True)
class Fetched:
    """What a run brought."""

    new: list[Path] = field(default_factory=list)
    kept: list[Path] = field(default_factory=list)
    """Files that were there already and are unchanged."""
    missing: list[str] = field(default_factory=list)
    """Addresses of what a list names and the archive does not have."""
    requests: int = 0


def fetch(
    wanted: Wanted,
    folder: Path,
    cache: Path,
    user_agent: str,
    hosts: Hosts | None = None,
    progress: Progress | None = None,
) -> Fetched:
    """Bring the filings wanted into `folder`; what is there is not fetched again, what was cut goes on.

    `user_agent` names who asks, with a mail address. SettingsError for a bad setting, SourceError if EDGAR cannot be
    read; the files that came before are whole and stay.
    """
    ciks = [_cik(cik) for cik in wanted.ciks]
    if not ciks:
        raise SettingsError("no filer to fetch: give at least one CIK")
    hosts = hosts or Hosts()
    client = Client(user_agent, cache / "fetched.json", Pace(hosts.rate), hosts.patience)
    found = Fetched()
    for cik in ciks:
        filings = [one for one in _filings(client, hosts, cache, (cik, wanted)) if _is_wanted(one, wanted)]
        for number, one in enumerate(filings):
            (progress or _quiet)(cik, number, len(filings))
            _bring(client, hosts.archive + one.path, folder / cik / f"{one.accession}.txt", found, unchanging=True)
        if wanted.facts:
            url = f"{hosts.data}/api/xbrl/companyfacts/CIK{cik:0>10}.json"
            _bring(client, url, folder / cik / "companyfacts.json", found)
        (progress or _quiet)(cik, len(filings), len(filings))
    found.requests = client.requests
    return found


def _cik(text: str) -> str:
    try:
        return identify(f"cik:{text}").removeprefix("cik:")
    except ValueError as error:
        raise SettingsError(f"{text!r} is no CIK: {error}") from error


def _filings(client: Client, hosts: Hosts, cache: Path, asked: tuple[str, Wanted]) -> Iterator[Listed]:
    """Filings of one filer, newest list first; lists that lie outside the dates wanted are not fetched."""
    cik, wanted = asked
    listed, further = _list(client, hosts, cache, (cik, f"CIK{cik:0>10}.json"))
    yield from listed
    for name, first, last in further:
        if (wanted.since is None or last >= wanted.since) and (wanted.until is None or first <= wanted.until):
            yield from _list(client, hosts, cache, (cik, name))[0]


def _list(
    client: Client, hosts: Hosts, cache: Path, asked: tuple[str, str]
) -> tuple[list[Listed], list[tuple[str, date, date]]]:
    cik, name = asked
    file = cache / name
    try:
        client.get(f"{hosts.data}/submissions/{name}", file)
    except NotThereError as error:
        raise SourceError(f"EDGAR lists no filings of CIK {cik}: {error}; look at the number") from error
    try:
        return read_list(file, cik)
    except SourceError:
        file.unlink()  # a broken list must not be kept by a 304
        raise


def _is_wanted(one: Listed, wanted: Wanted) -> bool:
    return (
        (not wanted.forms or one.form in wanted.forms)
        and (wanted.since is None or one.filed >= wanted.since)
        and (wanted.until is None or one.filed <= wanted.until)
    )


def _bring(client: Client, url: str, into: Path, found: Fetched, unchanging: bool = False) -> None:
    try:
        (found.new if client.get(url, into, unchanging) else found.kept).append(into)
    except NotThereError:
        found.missing.append(url)


def _quiet(_: str, __: int, ___: int) -> None:
    return None
