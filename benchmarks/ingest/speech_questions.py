"""Questions to recordings, videos and texts: is the right second cited, and is nothing said where nothing answers.

The questions stand in speech_questions.tsv: document, question, what the passage that answers has in it (nothing: the
document does not answer), and the second it begins. Those marked `tuned` set the weights and the threshold of
kgrisk/answers.py, and `python -m benchmarks.ingest.speech_questions` fits them again; only those marked `held` count.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.figure import Figure, real_data
from kgrisk.answering import encode
from kgrisk.answers import THRESHOLD, Answer, measures, nearest, ranked, topic
from kgrisk.passages import Passage, places

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
_RECORDED = {
    "panel": "tests/data/panel-tiny.ogg",
    "call": "tests/data/call-tiny.ogg",
    "talk": "tests/data/talk-tiny.mp4",
    "coldwick": "kgrisk/sample/recordings/coldwick-2023-02-14.ogg",
    "yarrleigh": "kgrisk/sample/recordings/yarrleigh-2023-03-02.ogg",
    "kestmont": "kgrisk/sample/recordings/kestmont-2023-06-20.mp4",
}
SLIDES = (
    ("Outlook", "Bond rating BB+", "Debt 140 million EUR"),
    ("Sales", "312 turbines sold in 2023", "Order book 95 turbines"),
    ("Dates", "General meeting on 14 May", "Audit committee: chair Ida Fell"),
)
EACH = 4
"""Seconds that a slide stands."""


@dataclass(frozen=True)
class Asked:
    """A question, what its answer has in it (nothing if there is none) and the second it begins."""

    document: str
    question: str
    answer: tuple[str, ...]
    second: float | None

    def right(self, passage: Passage) -> bool:
        return any(text.lower() in passage.quote.lower() for text in self.answer)

    def near(self, answer: Answer) -> bool:
        """True if the cited second is within one of that at which the answer begins."""
        return bool(answer.seconds and self.second is not None and abs(answer.seconds[0] - self.second) <= 1.0)


def questions(of: str) -> list[Asked]:
    """The questions marked `tuned` or `held`."""
    with (HERE / "speech_questions.tsv").open(newline="") as file:
        rows = [row + [""] * (5 - len(row)) for row in csv.reader(file, delimiter="\t")][1:]
    return [
        Asked(document, question, tuple(filter(None, answer.split("|"))), float(second) if second else None)
        for mark, document, question, answer, second in rows
        if mark == of
    ]


def film(slides: Sequence[Sequence[str]]) -> bytes:
    """A silent video of slides, each EACH seconds long."""
    import av
    from PIL import Image, ImageDraw

    from kgrisk.sample.pages import font

    content = io.BytesIO()
    with av.open(content, "w", format="mp4") as media:
        stream = media.add_stream("libx264", rate=1)
        stream.width, stream.height, stream.pix_fmt = 640, 360, "yuv420p"
        for number, lines in enumerate(slides):
            picture = Image.new("RGB", (640, 360), (255, 255, 255) if number % 2 else (225, 235, 250))
            for row, line in enumerate(lines):
                ImageDraw.Draw(picture).text((40, 40 + 80 * row), line, font=font(28), fill=(0, 0, 0))
            for _ in range(EACH):
                media.mux(stream.encode(av.VideoFrame.from_image(picture)))  # type: ignore[no-untyped-call]
        media.mux(stream.encode(None))
    return content.getvalue()


@lru_cache(maxsize=32)
def passages(name: str) -> tuple[Passage, ...]:
    """What can be quoted of a document of the set."""
    if name == "slides":
        content, source = film(SLIDES), "video"
    elif name == "jfk":
        content, source = (real_data() / "speech" / "jfk.flac").read_bytes(), "audio"
    elif name in _RECORDED:
        file = ROOT / _RECORDED[name]
        content, source = file.read_bytes(), "video" if file.suffix == ".mp4" else "audio"
    else:
        content, source = (HERE / "asked" / name).read_bytes(), "calls"
    return tuple(Passage(name, where, quote, source) for where, quote in places(content, source))


def scored(asked: Sequence[Asked]) -> dict[str, float]:
    """Recall of the first passage, seconds within one, and how well nothing is said where nothing answers."""
    vectors = encode()
    best = [ranked(one.question, passages(one.document), vectors)[0] for one in asked]
    pairs = list(zip(asked, best, strict=True))
    first = [one.right(top.passage) for one, top in pairs if one.answer]
    timed = [one.near(top) for one, top in pairs if one.second is not None]
    silent = [one for one, top in pairs if top.score < THRESHOLD]
    none = [one for one in asked if not one.answer]
    told = [one.right(top.passage) for one, top in pairs if top.score >= THRESHOLD]
    return {
        "recall@1": float(np.mean(first)),
        "within a second": float(np.mean(timed)) if timed else 1.0,
        "abstention precision": sum(not one.answer for one in silent) / max(1, len(silent)),
        "abstention recall": sum(one in silent for one in none) / max(1, len(none)),
        "told is right": float(np.mean(told)) if told else 1.0,
    }


def measure() -> list[Figure]:
    held = questions("held")
    note = f"{len(held)} questions, {sum(not one.answer for one in held)} without answer, "
    note += f"{len({one.document for one in held})} documents"
    aims = {"recall@1": 0.8, "within a second": 0.8, "abstention precision": 0.75, "abstention recall": 0.85}
    return [Figure(f"questions: {name}", value, aims.get(name), note=note) for name, value in scored(held).items()]


def _examples() -> Iterator[tuple[NDArray[np.float64], list[bool]]]:
    vectors = encode()
    for one in questions("tuned"):
        near = nearest(topic(one.question), passages(one.document))
        yield measures(one.question, near, vectors), [one.right(passage) for passage in near]


def main() -> None:
    """Fit the weights again and print them."""
    from sklearn.linear_model import LogisticRegression

    rows, right = zip(*_examples(), strict=True)
    fitted = LogisticRegression(C=3.0, max_iter=2000).fit(np.vstack(rows), np.concatenate(right))
    print("weights", fitted.coef_[0].round(1), "bias", fitted.intercept_.round(1))
    for name, value in scored(questions("tuned")).items():
        print(f"{name} {value:.3f}")


if __name__ == "__main__":
    main()
