"""Arousal: a measure of the voice with its error, and no reason for anything else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.ingest import speech_arousal as figures
from ingest.extract.prose.assertions import Origin
from ingest.extract.sound.arousal import HALF, LEAST, arousals
from ingest.extract.sound.recording import Recording
from ingest.extract.sound.sound import RATE, Wave, acoustics, decode_sound
from ingest.extract.sound.speech import Listener
from ingest.source import Models
from kg.model import ClaimBatch, day
from kg.ontology import PROPERTIES
from tests.ingest_reading import DATA
from tests.test_sound import CALL, KNOWN

ROOT = Path(__file__).parents[1]
SOUNDS = {"segment", "arousal", "measure", "speaker"}


def calm(**more: float) -> dict[str, float]:
    found = {"pitch mean": 120.0, "pitch deviation": 15.0, "intensity mean": -25.0, "spectral tilt": -12.0}
    return found | {"words a minute": 150.0, "jitter": 0.01, "shimmer": 1.0} | more


def said_louder_in_the_middle(wave: Wave) -> Wave:
    """The same words at the same seconds: the third quarter 12 dB louder, the rest softer."""
    gain = np.full(len(wave), 0.2, np.float32)
    gain[len(wave) // 2 : 3 * len(wave) // 4] = 0.8
    return np.asarray(wave * gain, np.float32)


def claims(wave: Wave) -> list[dict[str, Any]]:
    words = Listener().words(CALL)
    origin = Origin("d", day("2024-03-01"), "audio.speech@2")
    rows: list[dict[str, Any]] = ClaimBatch.of(Recording(wave, words).claims(origin, Models(KNOWN))).table.to_pylist()
    return rows


def test_nine_in_ten_sentences_of_voices_not_fitted_on_lie_in_their_interval() -> None:
    true, found = figures.told("held")
    inside = (found[:, 1] <= true) & (true <= found[:, 2])
    assert not set(figures.HELD) & set(figures.TUNED)
    assert len(true) >= 150 and 0.87 <= inside.mean() <= 0.98
    assert (found[:, 2] - found[:, 1]).mean() < 0.25


def test_the_error_is_half_that_of_saying_nothing() -> None:
    true, found = figures.told("held")
    assert np.abs(found[:, 0] - true).mean() < 0.5 * np.abs(0.5 - true).mean()


def test_higher_louder_and_faster_than_before_is_more_agitated() -> None:
    agitated = calm(**{"pitch mean": 170.0, "intensity mean": -18.0, "words a minute": 190.0})
    *rest, last = arousals([calm(), calm(), calm(), calm(), agitated])
    assert all(one.value == 0.5 for one in rest)
    assert last.value > 0.6 and last.low <= last.value <= last.high


def test_a_loud_microphone_and_a_high_voice_are_not_agitated() -> None:
    low = arousals([calm() for _ in range(5)])
    high = arousals([calm(**{"pitch mean": 240.0, "intensity mean": -8.0}) for _ in range(5)])
    assert low == high


def test_nothing_is_told_of_a_speaker_who_hardly_spoke() -> None:
    assert arousals([calm()] * (LEAST - 1)) == []


def test_what_was_measured_is_between_nought_and_one_with_the_interval_beside() -> None:
    extremes = [calm(), calm(), calm(), calm(**{"pitch mean": 400.0, "intensity mean": 0.0, "shimmer": 9.0})]
    assert all(0 <= one.low <= one.value <= one.high <= 1 for one in arousals(extremes))
    assert arousals(extremes)[0].high - arousals(extremes)[0].low == pytest.approx(2 * HALF, abs=0.001)


def test_a_recording_tells_the_arousal_of_each_stretch_with_its_interval() -> None:
    rows = claims(decode_sound(CALL))
    told = {row["key"]: row for row in rows if row["name"] == "arousal"}
    assert told and set(told) <= {row["key"] for row in rows if row["name"] == "segment"}
    ends = {row["key"]: row["value_real"] for row in rows if row["key"].startswith("arousal ")}
    for where, row in told.items():
        assert ends[f"arousal low|{where}"] <= row["value_real"] <= ends[f"arousal high|{where}"]
        assert row["confidence"] < 1


def test_how_it_is_said_changes_no_relation_and_no_event() -> None:
    wave = decode_sound(CALL)
    before, after = claims(wave), claims(said_louder_in_the_middle(wave))
    spoken = [[row["value_real"] for row in rows if row["name"] == "arousal"] for rows in (before, after)]
    assert spoken[0] != spoken[1]
    assert any(row["name"] == "LENDS_TO" for row in before)
    assert [r for r in before if r["name"] not in SOUNDS] == [r for r in after if r["name"] not in SOUNDS]


def test_no_model_query_or_alert_reads_arousal() -> None:
    spec = PROPERTIES["arousal"]
    assert spec.modality == "" and spec.node == "Fact"  # tensors take modalities, scores are other nodes
    readers = [file for room in ("gnn", "queries", "kgrisk") for file in (ROOT / room).rglob("*.*")]
    texts = [f for f in readers if f.suffix in (".py", ".cypher") and "arousal" in f.read_text().lower()]
    assert texts == []


def test_unsteady_pitch_and_level_are_measured() -> None:
    times = np.arange(2 * RATE) / RATE
    steady = np.sin(2 * np.pi * 150 * times)
    shaken = np.sin(2 * np.pi * (150 * times + 3 * np.sin(2 * np.pi * 6 * times))) * (
        1 + 0.5 * np.sin(2 * np.pi * 8 * times)
    )
    even, uneven = (acoustics(np.asarray(0.4 * wave, np.float32)) for wave in (steady, shaken))
    assert even["jitter"] < 0.002 < uneven["jitter"] and even["shimmer"] < 0.05 < uneven["shimmer"]


def test_a_shrill_sound_has_the_greater_tilt() -> None:
    times = np.arange(RATE) / RATE
    dull, shrill = (np.sin(2 * np.pi * 200 * times) + share * np.sin(2 * np.pi * 3000 * times) for share in (0.01, 0.5))
    assert acoustics(np.asarray(dull, np.float32))["spectral tilt"] == pytest.approx(-40, abs=2)
    assert acoustics(np.asarray(shrill, np.float32))["spectral tilt"] == pytest.approx(-6, abs=1)


def test_the_recording_of_a_panel_has_arousal_for_most_of_its_sentences() -> None:
    content = (DATA / "panel-tiny.ogg").read_bytes()
    wave = decode_sound(content)
    recording = Recording(wave, Listener().words(content, wave))
    origin = Origin("d", day("2024-03-01"), "audio.speech@2")
    names = ClaimBatch.of(recording.claims(origin, Models())).table["name"].to_pylist()
    assert names.count("arousal") >= 10
