"""Writes the bundled sample, data/ and more/: `python -m kgrisk.sample.make [folder]`; the same bytes every time."""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from pathlib import Path
from typing import Any

from kgrisk.sample.articles import Newsroom, write_articles
from kgrisk.sample.counted_and_listed import rows
from kgrisk.sample.distress import make_world
from kgrisk.sample.filings import print_filings
from kgrisk.sample.newspaper import print_news
from kgrisk.sample.pages import print_pages
from kgrisk.sample.payments import accounts, payments, trades
from kgrisk.sample.planted import planted
from kgrisk.sample.registers import print_registers
from kgrisk.sample.reports import skipped
from kgrisk.sample.spoken_and_written import Planted, words
from kgrisk.sample.truth import assemble
from kgrisk.sample.world import HERE

DATA = HERE / "data"
MORE = HERE / "more"
"""The second delivery: every other kind of input, read after the rest."""


def as_json(value: Any) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=1, sort_keys=False) + "\n").encode()


def make() -> dict[str, bytes]:
    """Every file of the sample by its path."""
    world = make_world()
    room = Newsroom(world)
    articles = write_articles(room)
    files, placed, bad = print_news(articles)
    files |= print_registers(world, skipped(world), bad)
    reports, restated, insiders = print_filings(world)
    files |= reports
    images, pages = print_pages(world, bad)
    files |= images
    files["trades/accounts.csv"], of = accounts(world)
    files["trades/payments.csv"], circles = payments(world, of, bad)
    files["trades/trades.parquet"], sellers = trades(world)
    structures = planted(world) | {
        "cycles": circles,
        "insider_sales": insiders,
        "fund_sales": sellers,
        "restatements": restated,
    }
    files["truth.json"] = as_json(
        assemble(world, placed, room.tell.aliases, {"pages": pages, "planted": structures, "bad": bad})
    )
    return files


def make_more() -> tuple[dict[str, bytes], Planted]:
    """Every file of the second delivery by its path, and what they state."""
    world = make_world()
    (written, told), (listed, stated) = words(world), rows(world)
    return {**written, **listed}, [*told, *stated]


def digests(files: dict[str, bytes]) -> dict[str, str]:
    """sha256 of every file, by path."""
    return {path: hashlib.sha256(content).hexdigest() for path, content in sorted(files.items())}


def write(folder: Path, files: dict[str, bytes], manifest: str) -> None:
    """Replace what stands in `folder`; the manifest beside it lists the digests."""
    if folder.exists():
        shutil.rmtree(folder)
    for path, content in sorted(files.items()):
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    (folder.parent / manifest).write_bytes(as_json(digests(files)))


if __name__ == "__main__":
    place = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE
    write(place / "data", make(), "manifest.json")
    more, stated = make_more()
    write(place / "more", more, "more-manifest.json")
    (place / "more-truth.json").write_bytes(as_json(stated))
