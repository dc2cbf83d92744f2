"""The reader: lines found and read by PP-OCRv6 (its weights lie in the rapidocr wheel), on one thread.

Each line is cut out twice, close and with a margin, and the surer reading kept. The reader's own probabilities are
decoded here (greedy CTC: Graves et al. 2006, "Connectionist temporal classification") because the usual decoding
throws away what print of poor quality needs: a blank between words that is only half seen, a decimal point that
hardly marked the paper, and that a Latin line holds no Chinese signs.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any, Final

from kg.errors import MissingExtraError

MARGINS: Final = (0.0, 0.16)
"""Room around a found line, in its heights: the readings of both are compared."""
BLANK: Final = 0.1
"""Least probability of a blank between two letters for it to stand."""
POINT: Final = 0.02
"""The same of the point before the last two digits of a bare number."""
ACCENT: Final = 0.97
"""Least probability of a letter with an accent."""
FIND: Final = 1_600_000
"""Pixels among which lines are looked for; they are read from the whole picture."""
FOREIGN: Final = 0.8
"""Least sureness of a line in another script: dirt looks like Chinese, too."""
LEAST: Final = 0.6
"""Lines read with less than this are noise."""
_DETECT: Final = {
    "Det.thresh": 0.2,
    "Det.box_thresh": 0.3,
    "Det.unclip_ratio": 1.5,
    "Det.use_dilation": False,
    "Global.use_cls": False,
    "Global.log_level": "error",
}
_HEIGHT: Final = 48
_WIDEST: Final = 80.0
"""Width over height beyond which a line is squeezed, and the sum of a batch: bounds the reader's memory."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of print: its four corners (from the top left, clockwise) and what it says."""

    corners: tuple[tuple[float, float], ...]
    text: str
    score: float


@dataclass(frozen=True)
class _Alphabet:
    """The signs the reader knows, and which of them a Latin line may hold."""

    signs: Sequence[str]
    latin: Any
    """Numbers of those signs, ascending; `blank` and `point` are places in it."""
    blank: int
    point: int


@lru_cache(maxsize=1)
def _engine() -> Any:
    try:
        from rapidocr import RapidOCR
    except ImportError as error:
        raise MissingExtraError("reading page images needs rapidocr; install kgrisk[images]") from error
    one = {f"EngineConfig.onnxruntime.{kind}_op_num_threads": 1 for kind in ("intra", "inter")}
    return RapidOCR(params={**one, **_DETECT})


@lru_cache(maxsize=1)
def _alphabet() -> _Alphabet:
    import numpy as np

    signs = _engine()._load_rec_model().postprocess_op.character  # rapidocr shows its recogniser nowhere else
    latin = [i for i, sign in enumerate(signs) if i == 0 or (len(sign) == 1 and (sign < "ɐ" or sign in "€–—‘’“”•"))]
    kept = [signs[i] for i in latin]
    return _Alphabet(signs, np.array(latin), kept.index(" "), kept.index("."))


def read_lines(image: Any) -> list[Line]:
    """Lines of print on a picture (height x width x 3, red green blue), in no order."""
    import numpy as np

    picture = np.ascontiguousarray(image[:, :, ::-1])
    quads = _find(picture)
    if not quads:
        return []
    readings = [_recognise([_cut(picture, quad, margin) for quad in quads]) for margin in MARGINS]
    readings.append(_recognise_upwards(picture, quads))
    lines = (
        Line(tuple((float(x), float(y)) for x, y in quad), *max(said, key=_worth))
        for quad, *said in zip(quads, *readings, strict=True)
    )
    return [line for line in lines if line.text and line.score >= LEAST]


def _find(picture: Any) -> list[Any]:
    """Corners of every line, looked for on a smaller picture where the page is large."""
    import cv2
    import numpy as np

    scale = min(1.0, math.sqrt(FIND / (picture.shape[0] * picture.shape[1])))
    small = picture if scale == 1 else cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    found = _engine()(small, use_det=True, use_rec=False, use_cls=False).boxes
    return [] if found is None else [np.asarray(quad, np.float32) / scale for quad in found]


def _worth(said: tuple[str, float]) -> float:
    """How good a reading is: its sureness, and a little for each letter, for a cut-off line is read surely too."""
    return said[1] + 0.01 * sum(sign != " " for sign in said[0])


def _cut(picture: Any, quad: Any, margin: float) -> Any:
    """The line with its margin, turned level."""
    import numpy as np
    from rapidocr.utils.process_img import get_rotate_crop_image

    along, down = quad[1] - quad[0], quad[3] - quad[0]
    height = float(np.linalg.norm(down)) * margin
    right = along / (float(np.linalg.norm(along)) or 1.0) * height
    under = down / (float(np.linalg.norm(down)) or 1.0) * height
    grown = quad + np.array([-right - under, right - under, right + under, under - right], np.float32)
    limits = [picture.shape[1] - 1, picture.shape[0] - 1]
    return get_rotate_crop_image(picture, np.clip(grown, 0, limits).astype(np.float32))


def _recognise_upwards(picture: Any, quads: Sequence[Any]) -> list[tuple[str, float]]:
    """A standing line may read upwards or downwards; it is cut out downwards, so here once more the other way."""
    import numpy as np

    tall = [i for i, q in enumerate(quads) if np.linalg.norm(q[3] - q[0]) > 1.5 * np.linalg.norm(q[1] - q[0])]
    said = [("", 0.0)] * len(quads)
    for i, reading in zip(tall, _recognise([np.rot90(_cut(picture, quads[i], 0.1), 2) for i in tall]), strict=True):
        said[i] = reading
    return said


def _recognise(cuts: Sequence[Any]) -> list[tuple[str, float]]:
    """What each cut says and how sure that is, read in batches of like width."""
    import numpy as np

    reader = _engine()._load_rec_model()
    said: list[tuple[str, float]] = [("", 0.0)] * len(cuts)
    for batch in _batches([min(cut.shape[1] / cut.shape[0], _WIDEST) for cut in cuts]):
        widest = max(320 / _HEIGHT, *(min(cuts[i].shape[1] / cuts[i].shape[0], _WIDEST) for i in batch))
        grid = np.stack([reader.resize_norm_img(cuts[i], widest) for i in batch]).astype(np.float32)
        for i, chances in zip(batch, reader.session(grid), strict=True):
            said[i] = _decode(chances)
    return said


def _batches(widths: Sequence[float]) -> Iterator[list[int]]:
    batch: list[int] = []
    for i in sorted(range(len(widths)), key=lambda i: (widths[i], i)):
        if batch and (len(batch) == 6 or widths[i] * (len(batch) + 1) > _WIDEST):
            yield batch
            batch = []
        batch.append(i)
    if batch:
        yield batch


def _decode(chances: Any) -> tuple[str, float]:
    """Words of one line from the probabilities of each sign at each step."""
    alphabet = _alphabet()
    best, steps = _steps(chances)
    every = "".join(alphabet.signs[best[n]] for n in steps)
    sure = float(chances[steps, best[steps]].mean()) if steps else 0.0
    if sure >= FOREIGN and _foreign(every):
        return " ".join(every.split()), sure
    return _latin(chances[:, alphabet.latin], alphabet)


def _steps(chances: Any) -> tuple[Any, list[int]]:
    """Likeliest sign at each step, and the steps at which a new sign begins (0 is the gap between signs)."""
    best = chances.argmax(1)
    return best, [n for n, i in enumerate(best) if i and (n == 0 or best[n - 1] != i)]


def _foreign(text: str) -> bool:
    """True if a good part of the letters is of another script, so that the line may be Chinese."""
    letters = [sign for sign in text if sign.isalpha()]
    return sum(sign > "ɐ" for sign in letters) > 0.3 * len(letters)


def _latin(chances: Any, alphabet: _Alphabet) -> tuple[str, float]:
    best, steps = _steps(chances)
    if not steps:
        return "", 0.0
    signs = [_sign(alphabet.signs[alphabet.latin[best[n]]], chances[n, best[n]]) for n in steps]
    said = signs[0]
    for sign, before, here in zip(signs[1:], steps, steps[1:], strict=False):
        said += " " + sign if _peak(chances, before, here, alphabet.blank) > BLANK else sign
    said = " ".join(said.split())
    if 3 <= len(signs) <= 5 and said.isdigit() and _peak(chances, steps[-3], steps[-2], alphabet.point) > POINT:
        said = f"{said[:-2]}.{said[-2:]}"
    return said, float(chances[steps, best[steps]].mean())


def _sign(sign: str, chance: float) -> str:
    """The letter without its accent unless that was clearly seen: a speck of dirt is no accent."""
    plain = unicodedata.normalize("NFKD", sign)[0]
    return sign if chance > ACCENT or not plain.isascii() else plain


def _peak(chances: Any, before: int, after: int, sign: int) -> float:
    """Highest chance of a sign between two steps."""
    between = chances[before + 1 : after, sign]
    return float(between.max()) if len(between) else 0.0


def turn(lines: Sequence[Line]) -> float:
    """How far the lines are turned from level, in radians: the angle at which most ends of lines stand level."""
    ends = [(end, line) for line in lines if len(line.text) > 1 for end in _ends(line)]
    if len(ends) < 8:
        return 0.0
    heights = sorted(math.dist(line.corners[0], line.corners[3]) for _, line in ends)
    near = 0.12 * heights[len(heights) // 2]
    best, most = 0.0, 0.0
    for quarter in sorted(range(-20, 21), key=abs):
        angle = math.radians(quarter / 4)
        heights = sorted(y * math.cos(angle) - x * math.sin(angle) for (x, y), _ in ends)
        level = sum(below - above < near for above, below in pairwise(heights))
        if level > most * (1.05 if best == 0.0 else 1.0):
            best, most = angle, float(level)
    return best


def _ends(line: Line) -> tuple[tuple[float, float], tuple[float, float]]:
    """Middle of the left and of the right side."""
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = line.corners
    return ((ax + dx) / 2, (ay + dy) / 2), ((bx + cx) / 2, (by + cy) / 2)
