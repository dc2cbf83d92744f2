"""Fetching from EDGAR, against a web server on this machine: pace, memory, cuts, refusals and broken lists."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from ingest.edgar import Hosts, Wanted, fetch
from ingest.sources.filings import Filings
from kg.errors import SettingsError, SourceError
from tests.ingest_reading import DATA

AGENT = "Oakmere Research desk@oakmere.example"
SUBMISSION = (DATA / "submission-tiny.txt").read_bytes()


class Edgar(ThreadingHTTPServer):
    """A small EDGAR: files by path, faults by path, and what was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.files: dict[str, bytes] = {}
        self.faults: dict[str, list[Any]] = {}
        """By path: numbers are statuses to answer once, ("cut", n) ends the transfer after n bytes, once."""
        self.asked: list[tuple[float, str, dict[str, str]]] = []

    def hosts(self, rate: float = 10.0) -> Hosts:
        root = f"http://127.0.0.1:{self.server_port}"
        return Hosts(data=root, archive=root, rate=rate, patience=0.01)

    def list(
        self, filings: list[tuple[str, str, str]], files: list[dict[str, str]] | None = None, cik: str = "990011"
    ) -> None:
        recent = dict(
            zip(("accessionNumber", "form", "filingDate"), map(list, zip(*filings, strict=True)), strict=True)
        )
        self.files[f"/submissions/CIK{cik:0>10}.json"] = json.dumps(
            {"filings": {"recent": recent, "files": files or []}}
        ).encode()
        for accession, _, _ in filings:
            self.files[path(accession, cik)] = SUBMISSION

    def paths(self) -> list[str]:
        return [asked for _, asked, _ in self.asked]


class _Answer(BaseHTTPRequestHandler):
    server: Edgar
    protocol_version = "HTTP/1.0"

    def do_GET(self) -> None:
        self.server.asked.append((time.monotonic(), self.path, {k.title(): v for k, v in self.headers.items()}))
        fault = self.server.faults.get(self.path, [])
        now = fault.pop(0) if fault else None
        body = self.server.files.get(self.path)
        if isinstance(now, int) or body is None:
            self.send_response(now if isinstance(now, int) else 404)
            self.end_headers()
            return
        etag = f'"{len(body)}-{sum(body[:4000])}"'
        if self.headers.get("If-None-Match") == etag:
            self.send_response(304)
            self.end_headers()
            return
        start = 0
        if (wants := self.headers.get("Range")) and self.headers.get("If-Range") == etag:
            start = int(wants.removeprefix("bytes=").rstrip("-"))
        self.send_response(206 if start else 200)
        self.send_header("ETag", etag)
        self.send_header("Content-Length", str(len(body) - start))
        self.end_headers()
        self.wfile.write(body[start : start + now[1]] if now else body[start:])

    def log_message(self, *_: Any) -> None:
        pass


def path(accession: str, cik: str = "990011") -> str:
    return f"/Archives/edgar/data/{cik}/{accession.replace('-', '')}/{accession}.txt"


@pytest.fixture
def edgar() -> Iterator[Edgar]:
    server = Edgar()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


THREE = [
    ("0000990011-24-000003", "10-K", "2024-08-14"),
    ("0000990011-24-000002", "8-K", "2024-03-02"),
    ("0000990011-23-000001", "10-K", "2023-08-14"),
]


def test_filings_are_chosen_by_filer_form_and_date_and_the_source_reads_them(edgar: Edgar, tmp_path: Path) -> None:
    edgar.list(THREE)
    wanted = Wanted(["0000990011"], forms=["10-K"], since=date(2024, 1, 1))
    got = fetch(wanted, tmp_path / "in", tmp_path / "cache", AGENT, edgar.hosts())
    file = tmp_path / "in" / "990011" / "0000990011-24-000003.txt"
    assert got.new == [file] and file.read_bytes() == SUBMISSION and got.requests == 2
    assert {headers["User-Agent"] for _, _, headers in edgar.asked} == {AGENT}
    assert [record.path for record in Filings(tmp_path / "in").records()] == ["990011/0000990011-24-000003.txt"]


def test_older_lists_are_fetched_only_if_their_days_are_wanted(edgar: Edgar, tmp_path: Path) -> None:
    name = "CIK0000990011-submissions-001.json"
    edgar.list(THREE[:1], [{"name": name, "filingFrom": "2001-01-01", "filingTo": "2019-12-31"}])
    old = ("0000990011-05-000009", "10-K", "2005-08-14")
    recent = dict(zip(("accessionNumber", "form", "filingDate"), ([value] for value in old), strict=True))
    edgar.files[f"/submissions/{name}"] = json.dumps(recent).encode()
    edgar.files[path(old[0])] = SUBMISSION
    fetch(Wanted(["990011"], since=date(2020, 1, 1)), tmp_path / "a", tmp_path / "cache", AGENT, edgar.hosts())
    assert f"/submissions/{name}" not in edgar.paths()
    got = fetch(Wanted(["990011"], until=date(2010, 1, 1)), tmp_path / "a", tmp_path / "cache", AGENT, edgar.hosts())
    assert [file.name for file in got.new] == [f"{old[0]}.txt"]


def test_no_more_than_ten_requests_start_in_any_second(edgar: Edgar, tmp_path: Path) -> None:
    edgar.list([(f"0000990011-24-0000{n:02}", "8-K", "2024-01-01") for n in range(14)])
    got = fetch(Wanted(["990011"]), tmp_path / "in", tmp_path / "cache", AGENT, edgar.hosts())
    times = [moment for moment, _, _ in edgar.asked]
    assert len(got.new) == 14 and len(times) == 15
    assert (len(times) - 1) / (times[-1] - times[0]) <= 10 * 1.05  # the clocks of two threads differ a little


@pytest.mark.parametrize("rate", [0, -1, 10.5, float("nan")])
def test_a_faster_rate_is_refused(rate: float, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="at most 10"):
        fetch(Wanted(["1"]), tmp_path, tmp_path, AGENT, Hosts(rate=rate))


@pytest.mark.parametrize("agent", ["", "python-urllib", "desk@oakmere.example"])
def test_without_a_declared_user_agent_nothing_is_asked(agent: str, edgar: Edgar, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="give a name and an address"):
        fetch(Wanted(["990011"]), tmp_path, tmp_path, agent, edgar.hosts())
    assert edgar.asked == []


def test_what_is_there_is_not_fetched_again_and_an_unchanged_list_costs_no_body(edgar: Edgar, tmp_path: Path) -> None:
    edgar.list(THREE)
    places = tmp_path / "in", tmp_path / "cache"
    edgar.files["/api/xbrl/companyfacts/CIK0000990011.json"] = (DATA / "companyfacts-tiny.json").read_bytes()
    wanted = Wanted(["990011"], facts=True)
    assert len(fetch(wanted, *places, AGENT, edgar.hosts()).new) == 4
    edgar.asked.clear()
    again = fetch(wanted, *places, AGENT, edgar.hosts())
    assert again.new == [] and len(again.kept) == 4
    assert edgar.paths() == ["/submissions/CIK0000990011.json", "/api/xbrl/companyfacts/CIK0000990011.json"]
    assert all("If-None-Match" in headers for _, _, headers in edgar.asked)
    edgar.list([("0000990011-24-000007", "8-K", "2024-09-01"), *THREE])
    assert [file.stem for file in fetch(wanted, *places, AGENT, edgar.hosts()).new] == ["0000990011-24-000007"]


def test_a_transfer_that_is_cut_goes_on_where_it_stopped(edgar: Edgar, tmp_path: Path) -> None:
    edgar.list(THREE[:1])
    place = path(THREE[0][0])
    edgar.faults[place] = [("cut", 200)]
    (file,) = fetch(Wanted(["990011"]), tmp_path / "in", tmp_path / "cache", AGENT, edgar.hosts()).new
    assert file.read_bytes() == SUBMISSION
    assert [headers.get("Range") for _, asked, headers in edgar.asked if asked == place] == [None, "bytes=200-"]


def test_a_run_that_was_cut_goes_on_in_the_next_and_shows_no_half_file(edgar: Edgar, tmp_path: Path) -> None:
    edgar.list(THREE[:1])
    place = path(THREE[0][0])
    edgar.faults[place] = [("cut", 200), *[503] * 5]
    with pytest.raises(SourceError, match=r"in 6 tries: the host answered 503"):
        fetch(Wanted(["990011"]), tmp_path / "in", tmp_path / "cache", AGENT, edgar.hosts())
    assert list(Filings(tmp_path / "in").records()) == []
    edgar.asked.clear()
    (file,) = fetch(Wanted(["990011"]), tmp_path / "in", tmp_path / "cache", AGENT, edgar.hosts()).new
    assert file.read_bytes() == SUBMISSION and edgar.asked[-1][2]["Range"] == "bytes=200-"


def test_a_file_that_changed_since_the_cut_is_fetched_whole(edgar: Edgar, tmp_path: Path) -> None:
    edgar.list(THREE[:1])
    place = path(THREE[0][0])
    edgar.faults[place] = [("cut", 200), *[503] * 5]
    with pytest.raises(SourceError):
        fetch(Wanted(["990011"]), tmp_path / "in", tmp_path / "cache", AGENT, edgar.hosts())
    edgar.files[place] = SUBMISSION.replace(b"OAKMERE", b"OAKMARE")
    (file,) = fetch(Wanted(["990011"]), tmp_path / "in", tmp_path / "cache", AGENT, edgar.hosts()).new
    assert file.read_bytes() == edgar.files[place]


def test_a_list_cut_while_it_is_renewed_is_not_taken_for_the_new_one(edgar: Edgar, tmp_path: Path) -> None:
    edgar.list(THREE[1:])
    places = tmp_path / "in", tmp_path / "cache"
    fetch(Wanted(["990011"]), *places, AGENT, edgar.hosts())
    edgar.list(THREE)
    edgar.faults["/submissions/CIK0000990011.json"] = [("cut", 50), *[503] * 5]
    with pytest.raises(SourceError):
        fetch(Wanted(["990011"]), *places, AGENT, edgar.hosts())
    assert [file.stem for file in fetch(Wanted(["990011"]), *places, AGENT, edgar.hosts()).new] == [THREE[0][0]]


def test_a_busy_host_is_asked_again_and_a_missing_file_is_told(edgar: Edgar, tmp_path: Path) -> None:
    edgar.list(THREE[:2])
    edgar.faults[path(THREE[0][0])] = [429, 503]
    del edgar.files[path(THREE[1][0])]
    got = fetch(Wanted(["990011"]), tmp_path / "in", tmp_path / "cache", AGENT, edgar.hosts())
    assert [file.stem for file in got.new] == [THREE[0][0]]
    assert [url.endswith(path(THREE[1][0])) for url in got.missing] == [True]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"<html>Undeclared tool</html>", "is no JSON"),
        (b"[1]", "expected a JSON object"),
        (b'{"filings": {"recent": {"form": []}}}', "expected filings/recent/accessionNumber"),
        (
            b'{"filings": {"recent": {"accessionNumber": ["../../x"], "form": ["8-K"], "filingDate": ["2024-01-01"]}}}',
            "accession number",
        ),
        (
            b'{"filings": {"recent": {"accessionNumber": ["0000990011-24-000001"], "form": [], "filingDate": []}}}',
            "no list of filings",
        ),
    ],
)
def test_a_broken_list_stops_the_run_with_its_reason_and_is_asked_for_again(
    body: bytes, reason: str, edgar: Edgar, tmp_path: Path
) -> None:
    edgar.files["/submissions/CIK0000990011.json"] = body
    with pytest.raises(SourceError, match=reason):
        fetch(Wanted(["990011"]), tmp_path / "in", tmp_path / "cache", AGENT, edgar.hosts())
    edgar.list(THREE[:1])
    assert len(fetch(Wanted(["990011"]), tmp_path / "in", tmp_path / "cache", AGENT, edgar.hosts()).new) == 1


def test_a_redirect_and_a_refusal_end_the_run_with_what_to_do(edgar: Edgar, tmp_path: Path) -> None:
    edgar.list(THREE[:1])
    for status, hint in ((302, "redirects are not followed"), (403, "refuses user agents")):
        edgar.faults["/submissions/CIK0000990011.json"] = [status]
        with pytest.raises(SourceError, match=hint):
            fetch(Wanted(["990011"]), tmp_path / "in", tmp_path / "cache", AGENT, edgar.hosts())
    with pytest.raises(SourceError, match="lists no filings of CIK 77"):
        fetch(Wanted(["77"]), tmp_path / "in", tmp_path / "cache", AGENT, edgar.hosts())
    with pytest.raises(SettingsError, match="is no CIK"):
        fetch(Wanted(["Oakmere"]), tmp_path / "in", tmp_path / "cache", AGENT, edgar.hosts())
