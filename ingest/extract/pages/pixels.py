"""Pixels of a page image: what may be decoded, how large, and in which form it is read.

The size is taken from the header before anything is unpacked, so that a picture that claims to be huge costs nothing.
Colours become red, green, blue on white; the picture is turned as its EXIF mark says; of a moving one the first
frame is read. Coordinates of boxes are whole pixels from the top left corner of the picture as shown.
"""

from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING, Any, Final

from kg.errors import RecordError

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_PIXELS: Final = 40_000_000
"""An A4 page at 600 dots an inch has 35 million."""
MAX_SIDE: Final = 20_000
MIN_SIDE: Final = 8
_KINDS: Final = {b"\x89PNG": "PNG", b"\xff\xd8\xff": "JPEG"}


def is_image(content: bytes) -> bool:
    """True if the bytes begin like a PNG or JPEG picture, whatever the file is called."""
    return any(content.startswith(mark) for mark in _KINDS)


def pixels(content: bytes) -> Any:
    """The picture as an array of height x width x 3 (red, green, blue); RecordError for what is none."""
    import numpy as np

    image = _open(content)
    _fits(image.width, image.height)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image.load()
    except (OSError, SyntaxError, ValueError, EOFError, MemoryError, ArithmeticError) as error:
        raise RecordError(
            f"the {len(content)} bytes begin like a picture but cannot be decoded ({error}); it is cut off or damaged"
        ) from error
    return np.asarray(_plain(image))


def _open(content: bytes) -> Image:
    from PIL import Image, UnidentifiedImageError

    if not content:
        raise RecordError("the image has no bytes; expected PNG or JPEG")
    if not is_image(content):
        raise RecordError(f"the file begins with {content[:8]!r}; expected PNG or JPEG")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a large picture is told by our error
            return Image.open(io.BytesIO(content), formats=("PNG", "JPEG"))
    except Image.DecompressionBombError as error:
        raise RecordError(
            f"the header claims a picture of absurd size ({error}); at most {MAX_PIXELS} pixels"
        ) from error
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        # what Pillow says of an unknown picture holds an address, which differs from run to run
        why = "" if isinstance(error, UnidentifiedImageError) else f" ({error})"
        raise RecordError(
            f"the {len(content)} bytes begin like a picture but cannot be decoded{why}; it is cut off or damaged"
        ) from error


def _fits(width: int, height: int) -> None:
    if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE:
        raise RecordError(
            f"the image has {width} x {height} pixels; at most {MAX_PIXELS} with sides up to {MAX_SIDE} are read; "
            "scan it at 300 dots an inch"
        )
    if min(width, height) < MIN_SIDE:
        raise RecordError(
            f"the image has {width} x {height} pixels; nothing can be read on less than {MIN_SIDE} a side"
        )


def _plain(image: Image) -> Image:
    """Red, green, blue in eight bits on white, upright."""
    from PIL import Image as Images
    from PIL import ImageOps

    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I") or image.mode == "F":
        return _eight_bits(image).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        layer = image.convert("RGBA")
        white = Images.new("RGB", layer.size, (255, 255, 255))
        white.paste(layer, mask=layer.getchannel("A"))
        return white
    return image.convert("RGB")


def _eight_bits(image: Image) -> Image:
    """Sixteen bits of grey scaled to eight; Pillow itself would cut them off."""
    import numpy as np
    from PIL import Image as Images

    grey = np.asarray(image).astype(np.float32)
    return Images.fromarray(np.clip(grey / 257.0, 0, 255).astype(np.uint8))
