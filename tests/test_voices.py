"""Voices: two speakers are told apart by their sound, and one is not made into two."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ingest.extract.prose.assertions import Origin
from ingest.extract.sound.recording import Recording, segments
from ingest.extract.sound.sound import RATE, Wave, decode_sound
from ingest.extract.sound.speech import Listener
from ingest.extract.sound.voices import speakers
from ingest.source import Models
from kg.model import ClaimBatch, day
from tests.ingest_reading import DATA

PANEL = (DATA / "panel-tiny.ogg").read_bytes()
TURNS = ["S1"] * 4 + ["S2"] * 4 + ["S1"] * 2 + ["S2"] * 2
"""Who says the twelve sentences of the panel: two synthetic voices that nothing was fitted on."""


def stretches(content: bytes) -> tuple[Wave, list[tuple[float, float]]]:
    wave = decode_sound(content)
    return wave, [(said[0].start, said[-1].end) for said in segments(Listener().words(content, wave))]


def test_the_turns_of_two_speakers_are_told_apart() -> None:
    told = speakers(*stretches(PANEL))
    assert len(told) == len(TURNS)
    assert sum(a == b for a, b in zip(told, TURNS, strict=True)) >= 11


def test_one_speaker_is_one() -> None:
    assert set(speakers(*stretches((DATA / "call-tiny.ogg").read_bytes()))) - {""} == {"S1"}


def test_a_stretch_too_short_to_tell_is_left_out() -> None:
    wave = np.asarray(0.3 * np.sin(np.arange(3 * RATE) / 20), np.float32)
    assert speakers(wave, [(0.0, 0.5), (0.5, 2.5), (9.0, 12.0)]) == ["", "S1", ""]
    assert speakers(wave, []) == []


def test_only_a_recording_of_several_says_who_speaks() -> None:
    wave = decode_sound(PANEL)
    recording = Recording(wave, Listener().words(PANEL, wave))
    rows = ClaimBatch.of(recording.claims(Origin("d", day("2024-03-01"), "audio.speech@2"), Models())).table.to_pylist()
    told = {row["key"]: row["value_text"] for row in rows if row["name"] == "speaker"}
    assert set(told.values()) == {"S1", "S2"}
    assert set(told) <= {row["key"] for row in rows if row["name"] == "segment"}
    alone = decode_sound((DATA / "call-tiny.ogg").read_bytes())
    words = Listener().words((DATA / "call-tiny.ogg").read_bytes(), alone)
    single = ClaimBatch.of(Recording(alone, words).claims(Origin("d", day("2024-03-01"), "audio.speech@2"), Models()))
    assert "speaker" not in single.table["name"].to_pylist()


@pytest.mark.real
def test_spoken_digits_of_two_people_are_told_apart(real_data: Path) -> None:
    folder = real_data / "speech" / "digits"
    wrong = count = 0
    for first, second in (("george", "theo"), ("jackson", "lucas"), ("nicolas", "yweweler")):
        pieces, turns, at = [], [], 0.0
        for turn, who in enumerate((first, second, first, second, first, second)):
            said = [
                decode_sound((folder / f"{(5 * turn + n) % 10}_{who}_{turn // 2}.wav").read_bytes()) for n in range(5)
            ]
            pieces.append(np.concatenate(said))
            turns.append((at, at := at + len(pieces[-1]) / RATE))
        told = speakers(np.concatenate(pieces), turns)
        known = [(name, ("S1", "S2")[turn % 2]) for turn, name in enumerate(told) if name]
        wrong += sum(name != true for name, true in known)
        count += len(known)
    assert wrong / count <= 0.25, (wrong, count)
