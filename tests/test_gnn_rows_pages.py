"""A convolutional network tells kinds of pages better than their colours do."""

from __future__ import annotations

import pytest

from benchmarks.learning.pages import compared
from gnn.evaluate import bootstrap


@pytest.mark.slow
def test_a_network_tells_the_kind_of_a_page_better_than_its_colours() -> None:
    told = compared(each=4)
    low, _ = bootstrap(told["network"] - told["colours"])
    assert low > 0.05 and told["network"].mean() > 0.85
    assert told["colours"].mean() > 2 / 7  # the baseline is one: it knows more than chance
