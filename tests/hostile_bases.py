"""The good files that are made hostile, one or more of each source."""

from __future__ import annotations

import re
from functools import cache
from pathlib import PurePosixPath

from tests.hostile import Case, good

BASES = {
    "filings": ("form4-tiny.xml", "10k-tiny.html", "companyfacts-tiny.json", "submission-tiny.txt"),
    "news": ("a.jsonl", "b.xml", "c.atom", "e.csv"),
    "images": ("notice.png",),
    "pdf": ("letter.pdf",),
    "audio": ("2024-02-29-call.ogg",),
    "video": ("2024-02-29-talk.mp4",),
    "calls": ("20240229_OAKM/text.txt",),
    "market": ("LARC.csv",),
    "trades": ("payments-tiny.csv", "trades-tiny.csv", "accounts-tiny.csv"),
    "identities": ("logins.csv",),
    "chain": ("blocks.json", "ether.jsonl"),
    "incidents": ("events.csv", "assets.csv", "outages.geojson"),
    "registers": ("entities-tiny.csv", "exposures-tiny.csv", "eba-tiny.csv"),
    "gleif": ("lei-golden-copy.csv", "lei-records.xml", "lei-records.json", "rr-records.xml"),
    "bods": ("statements.json", "statements-old.jsonl"),
    "ftm": ("entities.jsonl", "nested.json"),
    "sanctions": ("list-2024-01.xml", "list.csv"),
    "bis": ("2019.json", "codes.json"),
    "tables": ("contexts-tiny.json",),
}


@cache
def bases() -> dict[tuple[str, str], bytes]:
    have = good()
    found = {(source, name): have[f"good/{source}/{name}"] for source, names in BASES.items() for name in names}
    apart = {
        key: re.sub(rb"\n(?=\w)", b"\n9", content).replace(b"2024-", b"2021-")
        for key, content in found.items()
        if key[0] == "trades"
    }
    return found | apart  # payments of other ids and days, so that they do not take part in sums of the good ones


def base(source: str, name: str) -> bytes:
    return bases()[source, name]


def rows(source: str, name: str, fault: str, old: str, new: str, reason: str) -> Case:
    """A good file with one value of it replaced."""
    content = base(source, name)
    assert old.encode() in content, (name, old)
    at = PurePosixPath(name)
    return Case(f"bad/{source}-{fault}-{at.stem}{at.suffix}", content.replace(old.encode(), new.encode(), 1), reason)
