"""Writes the bundled sample: `python -m kgrisk.sample.make [folder]`; the same bytes every time."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

from kgrisk.sample.articles import Newsroom, write_articles
from kgrisk.sample.distress import make_world
from kgrisk.sample.newspaper import print_news
from kgrisk.sample.truth import assemble
from kgrisk.sample.world import HERE

DATA = HERE / "data"


def as_json(value: Any) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=1, sort_keys=False) + "\n").encode()


def make() -> dict[str, bytes]:
    """Every file of the sample by its path."""
    world = make_world()
    room = Newsroom(world)
    articles = write_articles(room)
    files, placed, bad = print_news(articles)
    files["truth.json"] = as_json(assemble(world, placed, room.tell.aliases, {"bad": bad}))
    return files


def write(folder: Path) -> None:
    """Replace what stands in `folder`."""
    if folder.exists():
        shutil.rmtree(folder)
    for path, content in sorted(make().items()):
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else DATA)
