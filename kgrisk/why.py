"""Why a model expects a link: what each modality and the structure bring to its log odds, and the paths behind it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from kg.files import Files
from kg.ledger import Ledger
from kg.model import AsOf
from kg.snapshot import Snapshot
from kgrisk.evidence import Explanation
from kgrisk.extras import need

Triple = tuple[str, str, str]


def stories(ledger: Ledger, files: Files, checkpoint: Path, triples: Sequence[Triple], known: datetime) -> list[Any]:
    """A `gnn.explaining.link.LinkStory` for each triple of ids, by the model of a run and what was known then."""

    def then(at: AsOf) -> Snapshot:
        return ledger.view(replace(at, known=known))

    room = need("gnn.explaining.of_run", "learn")
    found: list[Any] = room.stories(then, files, checkpoint, triples, files.folder.parent / "cache")
    return found


def of_edge(ledger: Ledger, files: Files, runs: Path, found: Explanation) -> Any | None:
    """The story of a predicted edge; None of any other, and where the folder of its run is gone."""
    what, checkpoint = found.what, runs / found.run.get("run", "-")
    if what.get("type") != "PREDICTED" or not checkpoint.is_dir():
        return None
    triple = (what["source"], what["key"], what["target"])
    return stories(ledger, files, checkpoint, [triple], what["known_from"])[0]


def sums(story: Any) -> str:
    """The log odds as a sum: `2.31 = -0.40 alone + 1.80 structure + 0.91 text`."""
    parts = " ".join(f"{'+' if value >= 0 else '-'} {abs(value):.2f} {name}" for name, value in story.shares.items())
    return f"{story.log_odds:.2f} = {story.base:.2f} alone {parts}"


def lines(story: Any) -> Iterator[str]:
    """The story in words."""
    yield f"log odds against chance {sums(story)}"
    for reason in story.reasons:
        yield f"without {reason.words}: {-reason.effect:+.2f}"
    for id, figures in story.figures.items():
        yield f"figures of {id}: " + ", ".join(f"{name} {value:+.2f}" for name, value in figures.items())
