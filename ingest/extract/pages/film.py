"""Film: the key frames of a video as still images, each with its second.

A picture is kept where it differs from the last one kept: one frame a second is looked at, small and grey. Slides and
documents held up to a camera stand still, so that each is kept once.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ingest.extract.pages.ocr import PageReader, read_box
from kg.errors import MissingExtraError, RecordError

EVERY: Final = 1.0
"""Seconds between the frames looked at: a cited time is at most that far from when the picture came."""
CHANGED: Final = 4.0
"""Mean difference of grey levels (0 to 255) from which a picture is another one."""
MOST: Final = 500
"""Key frames kept of one video."""
_SMALL: Final = (64, 36)
_MOST_PIXELS: Final = 4096 * 2304
_LOCATOR: Final = re.compile(r"frame:(\d+\.\d\d) (page:1 box:\d+,\d+,\d+,\d+)")


@dataclass(frozen=True, slots=True)
class KeyFrame:
    """A still picture of a video."""

    second: float
    """When it is first seen, to hundredths."""
    image: bytes
    """PNG."""


@lru_cache(maxsize=4)
def key_frames(content: bytes) -> tuple[KeyFrame, ...]:
    """Key frames in order; RecordError if the bytes are no video."""
    try:
        import av
    except ImportError as error:
        raise MissingExtraError("reading videos needs av; install kgrisk[sound]") from error
    if not content:
        raise RecordError("the video is empty; expected MP4, MOV, MKV or WebM")
    try:
        with av.open(io.BytesIO(content)) as media:
            return tuple(_kept(media))
    except (av.FFmpegError, ValueError, OSError) as error:
        raise RecordError(f"the video cannot be decoded: {error}; expected MP4, MOV, MKV or WebM") from error


def _kept(media: Any) -> Iterator[KeyFrame]:
    if not media.streams.video:
        raise RecordError("the file has no pictures")
    last: NDArray[np.float32] | None = None
    due, count = 0.0, 0
    for frame in media.decode(video=0):
        second = float(frame.time or 0.0)
        if second < due:
            continue
        if frame.width * frame.height > _MOST_PIXELS:
            size = f"{frame.width} x {frame.height}"
            raise RecordError(f"the pictures have {size} pixels; at most {_MOST_PIXELS} are read")
        due = second + EVERY
        small = frame.reformat(*_SMALL, format="gray").to_ndarray().astype(np.float32)
        if last is None or float(np.abs(small - last).mean()) >= CHANGED:
            last = small
            if (count := count + 1) > MOST:
                raise RecordError(f"the video has more than {MOST} different pictures; cut it into parts")
            yield KeyFrame(round(second, 2), _png(frame))


def _png(frame: Any) -> bytes:
    image = io.BytesIO()
    frame.to_image().save(image, "PNG", compress_level=6)
    return image.getvalue()


def frame_at(content: bytes, second: float) -> KeyFrame:
    """The key frame of that second; RecordError if there is none."""
    frames = key_frames(content)
    found = next((frame for frame in frames if abs(frame.second - second) < 0.005), None)
    if found is None:
        raise RecordError(f"no key frame at {second:.2f} s; there are {len(frames)}")
    return found


def read_frame(content: bytes, where: str, reader: PageReader | None = None) -> str:
    """The words in the box of a `frame:12.00 page:1 box:...` locator."""
    match = _LOCATOR.fullmatch(where)
    if not match:
        raise RecordError(f"locator {where!r}: expected frame:12.00 page:1 box:x0,y0,x1,y1")
    return read_box(frame_at(content, float(match[1])).image, match[2], reader)
