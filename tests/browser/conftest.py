"""One graph and one server for all tests of the page, and a browser for each module of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.world import Page, browsing, chromium, filled, served


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    chromium()  # who has no browser need not wait for the graph
    if kept := os.environ.get("KGRISK_BROWSER_HOME"):  # made once, for whoever works on the page
        return Path(kept) if Path(kept).exists() else filled(Path(kept), tmp_path_factory.mktemp("explorer"))
    folder = tmp_path_factory.mktemp("explorer")
    return filled(folder / "home", folder / "in")


@pytest.fixture(scope="session")
def address(home: Path) -> Iterator[str]:
    with served(home) as found:
        yield found


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Ended with each module: Playwright keeps a loop of events in this thread, beside which no other one can run."""
    with browsing() as found:
        yield found


@pytest.fixture
def visit(browser: Any, address: str) -> Iterator[Callable[..., Page]]:
    """Opens a page that is checked when the test ends: no error, no failed request, nothing off this machine."""
    pages: list[tuple[Page, tuple[str, ...]]] = []

    def opened(expected: tuple[str, ...] = (), **more: Any) -> Page:
        pages.append((Page(browser, address, **more), expected))
        return pages[-1][0]

    yield opened
    for page, expected in pages:
        page.close(expected)
