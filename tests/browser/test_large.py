"""Five thousand entities and twenty thousand edges on the canvas, through the real API."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.serving.explorer import EDGES, NODES, large
from kgrisk.layout import layout
from tests.browser.world import Page, served

pytestmark = pytest.mark.slow


def test_a_large_graph_is_drawn_where_the_server_laid_it(browser: Any, tmp_path: Path) -> None:
    with served(large(tmp_path / "home")) as address:
        at = Page(browser, address)
        page = at.open(whole="1")
        assert page.evaluate("[kgrisk.nodes(), kgrisk.edges()]") == [NODES, EDGES]
        with page.expect_download() as waiting:
            page.locator("#legend").get_by_role("button", name="PNG").click()
        from PIL import Image

        colours = Image.open(waiting.value.path()).convert("RGB").getcolors(1 << 22) or []
        white = max(count for count, colour in colours if colour == (255, 255, 255))
        assert len(colours) > 100 and white < 0.9 * sum(count for count, _ in colours)
        at.shot("whole")
        at.close()


def test_a_layout_is_the_same_every_time_and_brings_neighbours_together() -> None:
    made = np.random.default_rng(5)
    source = made.integers(0, 300, 1500)
    target = (source // 30) * 30 + made.integers(0, 30, 1500)
    places = layout(300, source, target)
    assert np.array_equal(places, layout(300, source, target)) and np.abs(places).max() <= 1.0
    near = np.linalg.norm(places[source] - places[target], axis=1).mean()
    far = np.linalg.norm(places - places[made.permutation(300)], axis=1).mean()
    assert near < 0.7 * far
    assert layout(0, source[:0], source[:0]).shape == (0, 2) and layout(2, source[:0], source[:0]).shape == (2, 2)
