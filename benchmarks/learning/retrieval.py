"""The shared space: are pages found by words and words by pages, and spoken digits by theirs, among things not seen?

Drawn pages (benchmarks/page_pictures.py) are paired with the words of their fields; real recordings of single digits
(KGRISK_REAL_DATA, speech) with the digit in words, test speakers being none of those learned from. With KGRISK_HOME,
the folder of a graph, the same is measured on the pairs that it holds. Recall is told beside that of guessing.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import numpy as np
import torch

from benchmarks.figure import Figure, real_data
from benchmarks.page_pictures import pictures
from gnn.calibrate import expected_error
from gnn.contrastive import Pairs, Space, chance, cosines, found_at
from gnn.encoders.image import Image
from gnn.encoders.multilingual import Multilingual
from gnn.encoders.whisper import Whisper
from gnn.evaluate import bootstrap
from gnn.shared_space import learn, learned
from kg.files import Files
from kg.ledger import Ledger

EACH: Final = {"train": 10, "valid": 4, "test": 6}
"""Drawn pages of each of the seven kinds."""
SPEAKERS: Final = {"train": ("jackson", "lucas", "nicolas", "theo"), "valid": ("george",), "test": ("yweweler",)}
DIGITS: Final = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
ANCHORS: Final = {"text": "text vectors as they are", "": "a head for every modality"}
DEPTHS: Final = (1, 5)


def measure() -> list[Figure]:
    torch.set_num_threads(1)
    figures = list[Figure]()
    for made, what in ((drawn(), "drawn pages"), (digits(), "spoken digits")):
        for anchor, told in ANCHORS.items():
            found = learned(made, None, anchor)
            for name, held in found.held.items():
                count = found.train[name]
                figures += recalls(found.space, held, f"{what}, {told}, {count} pairs learned from")
                figures.append(calibration(found.space, held, f"{what}, {told}"))
    return [*figures, *graph()]


def drawn() -> dict[str, dict[str, Pairs]]:
    """Pages with the words of their fields, of other seeds for each part."""
    image, text, made = Image(), Multilingual(), {}
    for seed, (part, each) in enumerate(EACH.items()):
        pages = pictures(31 + seed, each)
        words = [f"{page.kind}: " + ", ".join([*page.fields.values()][:6]) for page in pages]
        made[part] = {"image": Pairs("image", "text", image.encode([p.content for p in pages]), text.encode(words))}
    return made


def digits() -> dict[str, dict[str, Pairs]]:
    """Three takes of each digit by each speaker, with its word."""
    folder, sound, text = real_data() / "speech" / "digits", Whisper(), Multilingual()
    words, made = text.encode([f"the digit {word}" for word in DIGITS]), {}
    for part, speakers in SPEAKERS.items():
        takes = [(digit, who, take) for who in speakers for digit in range(10) for take in range(3)]
        heard = [(folder / f"{digit}_{who}_{take}.wav").read_bytes() for digit, who, take in takes]
        made[part] = {"audio": Pairs("audio", "text", sound.encode(heard), words[[digit for digit, *_ in takes]])}
    return made


def recalls(space: Space, held: Pairs, what: str) -> Iterator[Figure]:
    """Recall at each depth, both ways, beside guessing."""
    ranks = found_at(space, held)
    ways = (f"{held.left} -> {held.right}", f"{held.right} -> {held.left}")
    for way, rank, place in zip(ways, ranks, (0, 1), strict=True):
        for k in DEPTHS:
            hits = (rank <= k).double().numpy()
            low, high = bootstrap(hits)
            guess = chance(held, k)[place]
            note = f"95 % interval {low:.3f} to {high:.3f}, guessing {guess:.3f}; {len(held)} held pairs; {what}"
            yield Figure(f"recall@{k} {way}", float(hits.mean()), note=note)


def calibration(space: Space, held: Pairs, what: str) -> Figure:
    """Whether the probability that two things belong together is that share of the time true."""
    scale = space.belongs.get(" ".join(sorted((held.left, held.right))))
    score, truth = cosines(space, held)
    error = expected_error(scale(score), truth) if scale is not None else float("nan")
    note = f"{len(score)} true and wrong pairs; {what}"
    return Figure(f"expected calibration error, {held.left} and {held.right}", error, 0.1, least=False, note=note)


def graph() -> list[Figure]:
    """The pairs of an ingested graph, where one is named: few, and told as such."""
    if not (home := os.environ.get("KGRISK_HOME")):
        return []
    with Ledger.open(Path(home) / "ledger") as ledger:
        found = learn(ledger, Files(Path(home) / "files"), Path(home) / "cache")
    held: Mapping[str, Pairs] = found.held
    what = "pairs of the graph"
    return [
        figure
        for name, own in held.items()
        for figure in recalls(found.space, own, f"{what}, {found.train[name]} learned from")
        if np.isfinite(figure.value)
    ]
