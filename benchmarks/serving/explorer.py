"""How long the explorer takes to show something: the page on the sample, and a large graph, in headless Chromium.

`first paint` is the browser's own first contentful paint; `first render` is from the address to all of the graph drawn.
Rendering is in software (SwiftShader), as on a machine without a graphics card.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.figure import Figure
from kgrisk.api import open as open_graph
from kgrisk.settings import Settings
from tests.browser.world import BANK, Page, browsing, filled, served

NODES, EDGES = 5_000, 20_000
PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0"


def large(home: Path) -> Path:
    """A home with 5,000 made-up firms and 20,000 made-up loans between them, read like any register."""
    made = np.random.default_rng(11)
    registers = home.parent / "made" / "registers"
    registers.mkdir(parents=True)
    ids = [f"cik:{1_000_000 + number}" for number in range(NODES)]
    rows = [f"{id},Company,Firm {number},,,,,,,,2020-01-07," for number, id in enumerate(ids)]
    head = "id,label,name,former_name,country,sector,ticker,isin,lei,cik,published,description"
    (registers / "entities.csv").write_text("\n".join([head, *rows]) + "\n")
    pairs: set[tuple[int, int]] = set()
    while len(pairs) < EDGES:
        one = int(made.integers(0, NODES))
        other = int(one // 50 * 50 + made.integers(0, 50)) if made.random() < 0.8 else int(made.integers(0, NODES))
        if one != other:
            pairs.add((one, other))
    loans = [f"{ids[a]},{ids[b]},loan,{(a + b) % 900 + 1}.00,EUR,2020-01-01,,2020-02-01" for a, b in sorted(pairs)]
    head = "creditor_id,debtor_id,facility,amount,currency,valid_from,valid_to,published"
    (registers / "exposures.csv").write_text("\n".join([head, *loans]) + "\n")
    with open_graph(home, settings=Settings(home=home)) as graph:  # type: ignore[call-arg]  # all others have defaults
        graph.ingest(registers.parent)
    return home


def measure() -> list[Figure]:
    """First paint on the sample; first render of 5,000 entities and 20,000 edges, on the page's second visit."""
    found: list[Figure] = []
    with tempfile.TemporaryDirectory() as folder, browsing() as browser:
        root = Path(folder)
        with served(filled(root / "small" / "home", root / "small" / "in")) as address:
            paint, ready = _visit(browser, address, root=BANK, id=BANK)
            found.append(Figure("explorer first paint, cut of the sample", paint, 1.0, least=False, unit="s"))
            found.append(Figure("explorer neighbourhood drawn, cut of the sample", ready, unit="s"))
        with served(large(root / "large" / "home")) as address:
            _, ready = _visit(browser, address, whole="1")
            what = f"explorer first render, {NODES:,} entities and {EDGES:,} edges"
            found.append(Figure(what, ready, 5.0, least=False, unit="s", note="software GL"))
    return found


def _visit(browser: Any, address: str, **state: str) -> tuple[float, float]:
    """Seconds to the first paint and to all that was asked for, once the server has the view in memory."""
    at = Page(browser, address)
    at.open(**state)  # the server reads its view of the graph once
    at.close()
    at = Page(browser, address)
    link = "&".join(f"{name}={value}" for name, value in state.items())
    began = time.perf_counter()
    at.page.goto(f"{address}/#{link}")
    at.drawn()
    ready = time.perf_counter() - began
    paint = float(at.page.evaluate(PAINT)) / 1000
    at.close()
    return paint, ready


if __name__ == "__main__":
    for figure in measure():
        print(f"{figure.what}: {figure.value:.2f} {figure.unit} (aim {figure.aim})")
