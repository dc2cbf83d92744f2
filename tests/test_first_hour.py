"""The commands of docs/first-hour.md, typed in their order; tests/test_kgrisk_demo.py does so on what its demo left."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

from tests.kgrisk_world import kgrisk_here

PAGE = Path(__file__).parents[1] / "docs" / "first-hour.md"
BANK = "lei:9KGR00R7ZH626RFHJZ38"
SAYS = {
    "doctor": "ledger",
    "quality": "missing",
    "queries": "hit_if_fails",
    "brief": "Falkkamp Kreditbank AG (Bank",
    "ask": "lends to Falkkamp Kreditbank AG",
    "query": "at risk",
    "explain": "reads back",
    "risk": "Falkkamp Kreditbank AG",
    "attribute": "paths and the rest add up to",
    "suppose": "banks_lose_three_tenths",
    "patterns": "cycles",
    "scores": "distress",
    "links": "LENDS_TO",
    "lineage": "100.0% of documents kept",
    "fairness": "not over the limit",
    "runs": "relational",
    "cases": "Falkkamp Kreditbank",
    "export": "facts.csv",
}
"""What each command tells, among other things."""


def typed() -> list[list[str]]:
    """The commands of the page's code blocks, without the program's name."""
    blocks = re.findall(r"```bash\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines() if line.strip()]
    assert all(line.startswith("kgrisk ") for line in lines)
    return [shlex.split(line)[1:] for line in lines]


def test_the_page_is_an_hour_of_different_commands() -> None:
    assert {words[0] for words in typed()} == SAYS.keys() and len(typed()) >= 18
    assert all(words[-2:] == ["--home", "demo-home"] for words in typed() if words[0] != "queries")


def hour(folder: Path) -> None:
    """Type the page in a folder that holds `demo-home`."""
    for words in typed():
        done = kgrisk_here(*words, cwd=folder)
        told = " ".join((done.stdout + done.stderr).split())
        assert done.returncode == 0, f"{words}: {done.stderr[-2000:]}"
        assert SAYS[words[0]] in told, f"{words}: {told[:2000]}"
    assert (folder / "tables" / "edges.csv").stat().st_size > 100_000
    shutil.rmtree(folder / "tables")
