"""A served graph and a real browser: a cut of the sample with papers, pages, a call and payments, and Chromium."""

from __future__ import annotations

import csv
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

import kgrisk.sample
from kgrisk.api import Graph
from kgrisk.api import open as open_graph
from kgrisk.settings import Settings
from tests.kgrisk_world import clean_environment

SAMPLE = Path(kgrisk.sample.__file__).parent
BANK, OTHER = "lei:9KGR00YHTUPHODWJFZ81", "lei:9KGR00R7ZH626RFHJZ38"
NEAR, NEAR_NAME = "cik:9223134", "Ardrigg Trust Bank Inc."
BANK_NAME, OTHER_NAME = "Rietdam Bank N.V.", "Falkkamp Kreditbank AG"
NEW, NEW_NAME = "lei:9KGR00LATECOMER00196", "Latecomer Steel B.V."
AT = "2023-03-31"
ENDS = frozenset(("id", "entity_id", "creditor_id", "debtor_id", "owner_id", "owned_id", "supplier_id", "customer_id"))
CHROMIUM = ("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome")
SHOTS = Path(__file__).parents[2] / "docs" / "images"
DESK, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}


def cut(folder: Path) -> Path:
    """The banks, every fourth firm and what is said of them; late payments; some news, filings and pages; one call."""
    data = SAMPLE / "data"
    kept = _kept(data / "registers" / "entities.csv", data / "images" / "pages.csv")
    for part, wanted in {
        "registers": lambda row: all(row[name] in kept for name in row if name in ENDS),
        "trades": lambda row: row.get("time", "2022-10") >= "2022-09" and row.get("owner_id", BANK) in kept,
    }.items():
        (folder / part).mkdir(parents=True)
        for path in sorted((data / part).glob("*.csv")):
            _filtered(path, folder / part / path.name, wanted)
    for part, names in {
        "news": [path.name for path in sorted((data / "news").glob("*.html"))[:3]],
        "filings": [path.name for path in sorted((data / "filings").glob("10k-*"))[:2]],
        "images": ["pages.csv", "page-01.png", "page-02.png"],
    }.items():
        (folder / part).mkdir()
        for name in names:
            shutil.copy(data / part / name, folder / part / name)
    _filtered(data / "images" / "pages.csv", folder / "images" / "pages.csv", lambda row: row["file"] < "page-03")
    (folder / "calls").mkdir()
    for path in (SAMPLE / "more" / "calls").glob("gordale-*"):
        shutil.copy(path, folder / "calls" / path.name)
    return folder


def _kept(entities: Path, pages: Path) -> set[str]:
    with entities.open(newline="") as file:
        rows = list(csv.DictReader(file))
    with pages.open(newline="") as file:
        subjects = {row["subject_id"] for row in list(csv.DictReader(file))[:2]}
    return {row["id"] for n, row in enumerate(rows) if row["label"] == "Bank" or n % 4 == 0} | subjects


def _filtered(source: Path, target: Path, wanted: Callable[[dict[str, str]], bool]) -> None:
    with source.open(newline="") as file, target.open("w", newline="") as out:
        reader = csv.DictReader(file)
        writer = csv.DictWriter(out, reader.fieldnames or [])
        writer.writeheader()
        writer.writerows(row for row in reader if wanted(row))


def later(folder: Path) -> Path:
    """What comes in afterwards: a firm that nobody knew, a loan to it, and a balance sheet that is restated."""
    registers = folder / "registers"
    registers.mkdir(parents=True)
    (registers / "entities.csv").write_text(
        "id,label,name,former_name,country,sector,ticker,isin,lei,cik,published,description\n"
        f"{NEW},Company,{NEW_NAME},,NL,steel,,,{NEW[4:]},,2023-02-01,Found late.\n"
    )
    (registers / "exposures.csv").write_text(
        "creditor_id,debtor_id,facility,amount,currency,valid_from,valid_to,published\n"
        f"{BANK},{NEW},term loan,25000000.00,EUR,2023-01-15,,2023-02-01\n"
    )
    with (SAMPLE / "data" / "registers" / "balances.csv").open(newline="") as file:
        reader = csv.DictReader(file)
        last = [row for row in reader if row["entity_id"] == BANK][-1]
    last |= {"equity": str(Decimal(last["equity"]) - 500_000_000), "published": "2023-09-01"}
    with (registers / "balances.csv").open("w", newline="") as out:
        writer = csv.DictWriter(out, list(last))
        writer.writeheader()
        writer.writerow(last)
    return folder


def filled(home: Path, folder: Path) -> Path:
    """A home with the cut in it, what a pattern and the warning found, and commits later what came in afterwards."""
    with open_graph(home, settings=Settings(home=home)) as graph:
        graph.ingest(cut(folder / "first"))
        graph.pattern("cycles", save=True)
        graph.warnings("2023-01-01", publish=True, every=90)
        graph.ingest(later(folder / "second"))
    return home


@contextmanager
def served(home: Path) -> Iterator[str]:
    """The address of a server process of its own over a home."""
    command = [sys.executable, "-m", "kgrisk.cli", "serve", "--port", "0", "--home", str(home)]
    with subprocess.Popen(command, cwd=home, env=clean_environment(), stderr=subprocess.PIPE, text=True) as server:
        try:
            assert server.stderr is not None
            said = server.stderr.readline()
            while "serving" not in said:
                assert said, "the server ended without a word"
                said = server.stderr.readline()
            yield re.findall(r"http://127\.0\.0\.1:\d+", said)[0]
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(60)


def missing(what: str) -> None:
    """Skip because something is not on this machine; in CI that is a fault."""
    if os.environ.get("CI") == "true":
        pytest.fail(what)
    pytest.skip(what)


def chromium() -> str:
    """Where the browser is."""
    found = next((path for path in CHROMIUM if Path(path).exists()), None)
    if found is None:
        missing(f"no Chromium at {', '.join(CHROMIUM)}; install the Debian package chromium")
    return str(found)


@contextmanager
def browsing() -> Iterator[Any]:
    """A headless Chromium."""
    from playwright.sync_api import sync_playwright

    path = chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


class Page:
    """A page of the explorer that keeps every error, every failed request and every address it asked."""

    def __init__(self, browser: Any, address: str, **more: Any) -> None:
        self.address = address
        self.context = browser.new_context(
            viewport=more.pop("viewport", DESK), accept_downloads=True, permissions=more.pop("permissions", []), **more
        )
        self.context.set_default_timeout(90_000)
        self.page = self.context.new_page()
        self.errors: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda said: self.errors.append(said.text) if said.type == "error" else None)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("requestfailed", lambda request: self._failed(request))
        self.page.on("response", lambda response: self._answered(response))

    def _failed(self, request: Any) -> None:
        if request.failure != "net::ERR_ABORTED":  # the page itself gives up what a later question overtook
            self.errors.append(f"{request.url}: {request.failure}")

    def _answered(self, response: Any) -> None:
        if response.status >= 400:
            self.errors.append(f"{response.url}: {response.status}")

    def open(self, **state: str) -> Any:
        """Go to a state of the page, and wait until it is drawn."""
        fragment = "&".join(f"{name}={quote(value, safe='')}" for name, value in state.items())
        self.page.goto(f"{self.address}/#{fragment}" if fragment else self.address)
        self.page.reload()  # a change of the fragment alone loads nothing
        return self.drawn()

    def drawn(self) -> Any:
        """The page once nothing is being asked for any more."""
        self.page.wait_for_selector("body[data-ready=true][data-busy=false]", timeout=60_000)
        return self.page

    def until(self, script: str, seconds: float = 30.0) -> None:
        """Wait until a script of the page is true; asked from outside, because the page lets nothing be evaluated."""
        end = time.monotonic() + seconds
        while not self.page.evaluate(script):
            assert time.monotonic() < end, f"never true: {script}; the page says {self.page.inner_text('#notice')!r}"
            self.page.wait_for_timeout(50)

    def shot(self, name: str) -> None:
        """A picture of the view for the docs, where one is asked for."""
        if os.environ.get("KGRISK_SCREENSHOTS"):
            SHOTS.mkdir(parents=True, exist_ok=True)
            self.page.wait_for_timeout(400)
            self.page.screenshot(path=SHOTS / f"explorer-{name}.png")

    def close(self, expected: tuple[str, ...] = ()) -> None:
        """Close it: nothing went wrong but what was expected, and nothing left this machine."""
        self.context.close()
        faults = [error for error in self.errors if not any(part in error for part in expected)]
        assert not faults, faults
        away = [url for url in self.asked if not url.startswith((self.address, "blob:", "data:"))]
        assert not away, away


def graph_of(home: Path) -> Graph:
    """The graph of a home, to ask it beside the page."""
    return open_graph(home, settings=Settings(home=home))
