"""Speech: word error rate of the known sentence, plain and in noise; spoken digits; work per second of sound."""

from __future__ import annotations

import io
import re
import time
import wave
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import Levenshtein

from benchmarks.figure import Figure, real_data
from ingest.extract.sound.sound import RATE, decode_sound, seconds
from ingest.extract.sound.speech import Listener

SENTENCE = (
    "And so, my fellow Americans: ask not what your country can do for you, ask what you can do for your country."
)
"""J. F. Kennedy, inaugural address, 1961, as spoken in jfk.flac."""
DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
NOISE = 10.0
"""Decibels by which the speech is louder than the noise."""


def words(text: str) -> list[str]:
    """Words in small letters without punctuation, digits spelt out."""
    found = re.findall(r"[a-z]+|\d", text.lower().replace("'", ""))
    return [DIGITS[int(word)] if word.isdigit() else word for word in found]


def error_rate(heard: str, said: str) -> float:
    """Word error rate: substitutions, deletions and insertions over the words said."""
    return Levenshtein.distance(words(heard), words(said)) / len(words(said))


def heard(content: bytes) -> str:
    return " ".join(word.text for word in Listener().words(content))


def pink(count: int, seed: int) -> NDArray[np.float64]:
    """Noise whose power falls by half with each octave, of unit power."""
    spectrum = np.fft.rfft(np.random.default_rng(seed).normal(size=count))
    spectrum[1:] /= np.sqrt(np.arange(1, len(spectrum)))
    noise = np.fft.irfft(spectrum, count)
    even: NDArray[np.float64] = noise / noise.std()
    return even


def recorded(samples: NDArray[np.floating]) -> bytes:
    """A WAV file of samples in -1..1 at RATE."""
    content = io.BytesIO()
    with wave.open(content, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
    return content.getvalue()


def digits_right(files: Sequence[Path]) -> float:
    """Share of recordings of one digit (its name begins with it) that are heard as that digit.

    A digit alone is shorter than the model was made for: half a second of silence stands around it.
    """
    pause = np.zeros(RATE // 2, np.float32)
    right = 0
    for file in files:
        sound = recorded(np.concatenate([pause, decode_sound(file.read_bytes()), pause]))
        right += words(heard(sound))[:1] == [DIGITS[int(file.name[0])]]
    return right / len(files)


def measure() -> list[Figure]:
    folder = real_data() / "speech"
    content = (folder / "jfk.flac").read_bytes()
    sound = decode_sound(content)
    heard(recorded(sound[:RATE]))  # loads the model, which is not what is timed
    began = time.process_time()
    plain = heard(content)
    share = (time.process_time() - began) / seconds(sound)
    noisy = sound + pink(len(sound), 0) * sound.std() / 10 ** (NOISE / 20)
    digits = sorted((folder / "digits").glob("*.wav"))
    return [
        Figure("jfk.flac word error rate", error_rate(plain, SENTENCE), 0.05, False),
        Figure(
            f"jfk.flac word error rate, pink noise {NOISE:g} dB below", error_rate(heard(recorded(noisy)), SENTENCE)
        ),
        Figure(
            "spoken digits heard right", digits_right(digits[::3]), note=f"{len(digits[::3])} of {len(digits)} files"
        ),
        Figure("CPU seconds per second of speech", share, unit="s/s"),
    ]
