"""The 18 scanned receipts: how many words are read, how many key fields are right, at which cost.

Words: runs between blanks in small letters; counted once more without punctuation, and once more as runs of letters
and digits. F1 is summed over all receipts, each word counted as often as it stands on its receipt (a multiset), the
place on the page not compared. A field is right if it equals the key after case folding and dropping blanks and
punctuation; strictly: if the very characters are equal. The rules were developed on these receipts.
"""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.figure import Figure, peak_mib, real_data
from ingest.extract.pages.ocr import PageReader, lines
from ingest.extract.pages.receipts import receipt

FIELDS: Final = ("company", "date", "address", "total")


@dataclass(frozen=True)
class Read:
    """One receipt: what stands on it and what was read."""

    name: str
    words: Sequence[str]
    printed: Sequence[str]
    fields: Mapping[str, str]
    key: Mapping[str, str]
    cpu: float


def read_all(folder: Path) -> list[Read]:
    """Every receipt of the folder, read afresh."""
    return [_read(folder, image) for image in sorted((folder / "img").glob("*.jpg"))]


def _read(folder: Path, image: Path) -> Read:
    content, began = image.read_bytes(), time.process_time()
    boxes = PageReader().read(content)
    found = {name: field.text for name, field in receipt(lines(boxes)).items()}
    cpu = time.process_time() - began
    box = (folder / "box" / f"{image.stem}.csv").read_text(encoding="utf-8-sig")
    printed = [line.split(",", 8)[8] for line in box.splitlines() if line.count(",") >= 8]
    key = json.loads((folder / "key" / f"{image.stem}.json").read_text())
    return Read(image.stem, [b.text for b in boxes], printed, found, key, cpu)


def _blanks(text: str) -> list[str]:
    return text.casefold().split()


def _bare(text: str) -> list[str]:
    return [word for word in (re.sub(r"[\W_]", "", word) for word in _blanks(text)) if word]


def _runs(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", text.casefold())


def word_f1(read: Sequence[Read]) -> dict[str, float]:
    """F1 under each way to count words; `words` is without punctuation."""
    ways: dict[str, Callable[[str], list[str]]] = {
        "words": _bare,
        "letters and digits": _runs,
        "between blanks": _blanks,
    }
    return {way: _f1(read, split) for way, split in ways.items()}


def _f1(read: Sequence[Read], split: Callable[[str], list[str]]) -> float:
    both = have = want = 0
    for one in read:
        said = Counter(word for text in one.words for word in split(text))
        printed = Counter(word for text in one.printed for word in split(text))
        both, have, want = both + (said & printed).total(), have + said.total(), want + printed.total()
    return 2 * both / (have + want)


def plain(text: str) -> str:
    return re.sub(r"[\W_]", "", text.casefold())


def fields_right(read: Sequence[Read], strict: bool = False) -> Counter[str]:
    """How often each key field is right."""
    right: Counter[str] = Counter()
    for one in read:
        for name in FIELDS:
            said, key = one.fields.get(name, ""), one.key[name]
            right[name] += said == key if strict else plain(said) == plain(key)
    return right


def measure() -> list[Figure]:
    read = read_all(real_data() / "receipts")
    f1, right = word_f1(read), fields_right(read)
    halves = {"even": read[0::2], "odd": read[1::2]}
    asked = len(read) * len(FIELDS)
    told = ", ".join(f"{name} {right[name]}" for name in FIELDS)
    peak = peak_mib()
    return [
        Figure("receipts: F1 of words without punctuation", f1["words"], 0.92, note="development set"),
        Figure("receipts: F1 of runs of letters and digits", f1["letters and digits"]),
        Figure("receipts: F1 of words between blanks, punctuation counted", f1["between blanks"]),
        Figure("receipts: share of key fields right", right.total() / asked, 0.95, note=f"of {len(read)}: {told}"),
        *(
            Figure(
                f"receipts: share of key fields right, {half} half",
                fields_right(part).total() / (len(part) * len(FIELDS)),
                note=f"words {word_f1(part)['words']:.3f}; both halves were seen while the rules were written",
            )
            for half, part in halves.items()
        ),
        Figure("receipts: share of key fields equal to the last sign", fields_right(read, strict=True).total() / asked),
        Figure("receipts: CPU seconds an image", sum(one.cpu for one in read) / len(read), least=False, unit="s"),
        Figure("receipts: peak memory of reading all of them", peak, 1024, least=False, unit="MiB"),
    ]
