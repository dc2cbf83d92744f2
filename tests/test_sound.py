"""Recordings: what is heard, how it sounds, whom it names; each word leads back to its second."""

from __future__ import annotations

import io
import itertools
import json
import wave
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.ingest.speech import SENTENCE, error_rate
from ingest.extract.sound.sound import RATE, acoustics, decode_sound
from ingest.extract.sound.speech import Listener, Word, read_time
from ingest.extract.sound.spoken import likeness, transcript
from ingest.extract.text.names import Gazetteer
from ingest.locate import locate
from ingest.source import Extract, Models, Record
from ingest.sources.audio import Audio
from ingest.sources.calls import Calls
from kg.errors import RecordError
from tests.contract.examples import calls as call_example
from tests.ingest_reading import DATA

CALL = (DATA / "call-tiny.ogg").read_bytes()
KNOWN = Gazetteer(
    [
        ("lei:1", "Company", "Oakmere Turbines Inc."),
        ("lei:2", "Bank", "Larch Hill Bank plc"),
        ("lei:3", "Company", "Fernbrook Logistics AG"),
        ("lei:4", "Company", "Calder Steel plc"),
    ]
)


def recorded(samples: NDArray[np.float64], rate: int = RATE) -> bytes:
    """A WAV file of samples in -1..1."""
    content = io.BytesIO()
    with wave.open(content, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((samples * 32767).astype("<i2").tobytes())
    return content.getvalue()


def tone(hertz: float, seconds: float, rate: int = RATE) -> NDArray[np.float64]:
    return 0.5 * np.sin(2 * np.pi * hertz * np.arange(int(seconds * rate)) / rate)


def said(text: str, score: float = 0.5) -> list[Word]:
    return [Word(float(n), n + 0.9, word, score, word.endswith(".")) for n, word in enumerate(text.split(" "))]


def read(tmp_path: Path, name: str = "2024-02-29-call.ogg", **beside: str) -> tuple[Record, Extract]:
    (tmp_path / name).write_bytes(CALL)
    if beside:
        (tmp_path / f"{name}.meta.json").write_text(json.dumps(beside))
    source = Audio(tmp_path)
    (record,) = source.records()
    return record, source.claims(record, Models(KNOWN))


@pytest.mark.parametrize("hertz", [90.0, 123.4, 220.0, 330.0])
def test_the_pitch_of_a_pure_tone_is_its_frequency(hertz: float) -> None:
    measured = acoustics(decode_sound(recorded(tone(hertz, 1.0))))
    assert measured["pitch mean"] == pytest.approx(hertz, rel=0.02)
    assert measured["pitch deviation"] < 2
    assert measured["voiced share"] > 0.95


def test_intensity_is_in_decibels_of_full_scale() -> None:
    loud, quiet = (acoustics(decode_sound(recorded(share * tone(200, 1.0)))) for share in (1.0, 0.1))
    assert loud["intensity mean"] == pytest.approx(20 * np.log10(0.5 / np.sqrt(2)), abs=0.2)
    assert loud["intensity mean"] - quiet["intensity mean"] == pytest.approx(20, abs=0.2)


def test_pauses_are_counted_between_sounds_only() -> None:
    silence = np.zeros(RATE // 2)
    sound = np.concatenate([silence, tone(200, 1), silence, tone(200, 1), silence, tone(200, 1), silence])
    assert acoustics(decode_sound(recorded(sound)))["pauses a minute"] == pytest.approx(2 * 60 / 5, rel=0.01)


def test_silence_and_noise_have_no_pitch() -> None:
    noise = 0.3 * np.random.default_rng(1).normal(size=RATE).clip(-1, 1)
    assert acoustics(decode_sound(recorded(noise))).get("voiced share", 0) < 0.05
    assert "pitch mean" not in acoustics(decode_sound(recorded(np.zeros(RATE))))


def test_another_rate_is_brought_to_16_khz() -> None:
    assert len(decode_sound(recorded(tone(200, 2.0, 44_100), 44_100))) == pytest.approx(2 * RATE, rel=0.01)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b"RIFF\x00\x00\x00\x00WAVEjunk", "cannot be decoded"),
        (b"no sound at all", "cannot be decoded"),
        (recorded(np.zeros(0)), "cannot be decoded|no sample"),
        (recorded(tone(200, 1))[:44], "cannot be decoded|no sample"),
    ],
)
def test_a_file_without_sound_is_refused_with_the_reason(content: bytes, reason: str) -> None:
    with pytest.raises(RecordError, match=reason):
        decode_sound(content)


def test_words_come_with_their_times_in_order() -> None:
    words = Listener().words(CALL)
    assert [word.text for word in words[:4]] == ["Good", "morning,", "and", "thank"]
    assert all(a.start <= a.end <= b.start for a, b in itertools.pairwise(words))


def test_words_are_kept_by_digest_and_read_back_alike(tmp_path: Path) -> None:
    first = Listener(tmp_path).words(CALL)
    (kept,) = (tmp_path / "speech").iterdir()
    kept.write_text(kept.read_text().replace("morning", "evening"))
    assert Listener(tmp_path).words(CALL)[1].text == "evening,"
    assert first[1].text == "morning,"


def test_a_time_is_read_back_as_the_words_said_then() -> None:
    words = Listener().words(CALL)
    assert read_time(CALL, f"time:{words[0].start:.2f}-{words[1].end:.2f}") == "Good morning,"
    with pytest.raises(RecordError, match=r"expected time:12\.40-15\.92"):
        read_time(CALL, "time:1-2")
    with pytest.raises(RecordError, match="no words in"):
        read_time(CALL, "time:900.00-901.00")


@pytest.mark.parametrize(
    ("heard", "name"),
    [
        ("spirit error systems", "spirit aerosystems"),
        ("larch hillbank", "larch hill bank"),
        ("firn brook logistics", "fernbrook logistics"),
    ],
)
def test_words_that_sound_like_a_name_are_near_it(heard: str, name: str) -> None:
    assert likeness(heard, name) >= 0.88


@pytest.mark.parametrize(
    ("heard", "name"), [("sales", "thales"), ("third quarter", "calder steel"), ("large", "larch")]
)
def test_ordinary_words_are_not(heard: str, name: str) -> None:
    assert likeness(heard, name) < 0.8


def test_a_misheard_name_is_repaired_and_what_was_heard_is_kept() -> None:
    read = transcript(said("Yesterday okemeer turbine's borrowed money from larch hillbank."), KNOWN)
    assert read.text == "Yesterday Oakmere Turbines borrowed money from Larch Hill Bank."
    assert read.repaired == {"Oakmere Turbines": "okemeer turbine's", "Larch Hill Bank": "larch hillbank."}
    start = read.text.index("Larch")
    assert [word.text for word in read.said(start, start + 5)] == ["larch", "hillbank."]


def test_a_possessive_stays() -> None:
    assert transcript(said("calder steel's mill closed."), KNOWN).text == "calder steel's mill closed."
    assert transcript(said("colder steal's mill closed."), KNOWN).text == "Calder Steel's mill closed."


def test_a_word_that_many_names_share_speaks_for_none() -> None:
    many = Gazetteer(
        [(f"lei:{n}", "Company", f"{name} Logistics AG") for n, name in enumerate(("Minakura", "Fernbrook"))]
    )
    assert transcript(said("the mountie logistics grew.", 0.2), many).text == "the mountie logistics grew."
    assert transcript(said("the fernbrock logistics grew.", 0.2), many).text == "the Fernbrook Logistics grew."


def test_words_between_two_names_alike_are_left_as_heard() -> None:
    twins = Gazetteer([("lei:1", "Company", "Brend Marine plc"), ("lei:2", "Company", "Brand Marine plc")])
    assert transcript(said("brond marine grew."), twins).text == "brond marine grew."


def test_every_claim_of_a_call_plays_back_from_its_seconds(tmp_path: Path) -> None:
    record, found = read(tmp_path)
    rows = found.claims.table.select(["document", "locator", "quote"]).to_pylist()
    assert len(rows) > 20
    assert all(locate(CALL, row["locator"], "audio") == row["quote"] for row in rows)
    assert {row["document"] for row in rows} == {record.document}


def test_a_loan_told_in_a_call_becomes_an_edge_between_the_known_firms(tmp_path: Path) -> None:
    _, found = read(tmp_path)
    (loan,) = [row for row in found.claims.table.to_pylist() if row["name"] == "LENDS_TO"]
    assert (loan["subject"], loan["object"]) == ("name:larch hill bank", "name:oakmere turbines")
    assert (loan["value_decimal"], loan["unit"]) == (50_000_000, "EUR")
    assert loan["quote"].startswith("In the third quarter, Oakmere turbines borrowed 50 million euros from Large Hill")


def test_a_name_that_is_only_heard_never_becomes_an_entity(tmp_path: Path) -> None:
    (tmp_path / "2024-02-29-call.ogg").write_bytes(CALL)
    source = Audio(tmp_path)
    (record,) = source.records()
    table = source.claims(record, Models(Gazetteer())).claims.table
    assert set(table["subject"].to_pylist()) == {f"doc:{record.document}"}


def test_the_sidecar_says_who_speaks_and_when(tmp_path: Path) -> None:
    beside = {"published": "2024-03-01T09:00:00Z", "title": "Results", "subject_id": "lei:1"}
    _, found = read(tmp_path, "call.ogg", **beside)
    rows = found.claims.table.to_pylist()
    assert {row["published"].isoformat() for row in rows} == {"2024-03-01T09:00:00+00:00"}
    assert [row["value_text"] for row in rows if row["name"] == "title"] == ["Results"]
    assert "name:oakmere turbines inc." in {row["subject"] for row in rows if row["name"] == "MENTIONED_IN"}


def test_a_speaker_nobody_knows_is_refused_beside_the_claims(tmp_path: Path) -> None:
    _, found = read(tmp_path, "call.ogg", published="2024-03-01", subject_id="lei:9")
    assert [refusal.reason for refusal in found.refused] == [
        "subject lei:9 is not known; read the register that lists it in the same run or before"
    ]
    assert len(found.claims)


def test_a_sidecar_without_a_true_date_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="published 'soon' in its sidecar is no ISO date"):
        read(tmp_path, "call.ogg", published="soon")


def test_an_undated_recording_is_public_when_it_is_read(tmp_path: Path) -> None:
    _, found = read(tmp_path, "call.ogg")
    assert found.rules == {"published.when_read": 1}


def transcribed(tmp_path: Path, files: dict[str, bytes]) -> Extract:
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    source = Calls(tmp_path)
    (record,) = source.records()
    return source.claims(record, Models())


def test_a_transcript_brings_its_sentences_and_the_mean_of_each_feature(tmp_path: Path) -> None:
    found = transcribed(tmp_path, call_example.good())
    rows = found.claims.table.to_pylist()
    assert [r["key"] for r in rows if r["name"] == "segment"] == ["sentence 1", "sentence 2"]
    means = {r["key"]: (r["value_real"], r["quote"]) for r in rows if r["name"] == "measure"}
    assert means == {
        "acoustic|Mean pitch": (130.45, "count 2, mean 130.45"),
        "acoustic|Jitter local": (1.9, "count 1, mean 1.9"),
    }
    assert found.rules == {"feature.undefined": 1}
    assert {r["published"].date().isoformat() for r in rows} == {"2024-03-01"}


def test_features_that_do_not_match_the_text_are_refused_and_the_text_is_kept(tmp_path: Path) -> None:
    files = call_example.good() | {"20240229_OAKM/features.csv": b"Mean pitch\n140\n120\n90\n"}
    found = transcribed(tmp_path, files)
    assert "2 sentences and features.csv 3 rows" in found.refused[0].reason
    assert "LENDS_TO" in found.claims.table["name"].to_pylist()


def test_a_feature_that_is_no_number_is_refused_by_its_row(tmp_path: Path) -> None:
    files = call_example.good() | {"20240229_OAKM/features.csv": b"Mean pitch\nnan\n120\n"}
    found = transcribed(tmp_path, files)
    assert [(r.locator, r.reason) for r in found.refused] == [
        ("features.csv row:1", "Mean pitch is 'nan', expected a number")
    ]


@pytest.mark.real
def test_the_known_sentence_is_heard_word_for_word(real_data: Path) -> None:
    heard = Listener().words((real_data / "speech" / "jfk.flac").read_bytes())
    assert error_rate(" ".join(word.text for word in heard), SENTENCE) <= 0.05


@pytest.mark.real
def test_spoken_digits_go_in_or_say_why_not(real_data: Path, tmp_path: Path) -> None:
    source = Audio(real_data / "speech", sorted((real_data / "speech" / "digits").glob("*_0.wav"))[:12])
    done = 0
    for record in source.records():
        try:
            done += len(source.claims(record, Models()).claims) > 0
        except RecordError as error:
            assert "no words were heard" in str(error)
    assert done >= 9


@pytest.mark.real
def test_a_real_call_brings_every_sentence_and_feature(real_data: Path) -> None:
    source = Calls(real_data / "maec", sorted((real_data / "maec").rglob("text.txt"))[:1])
    (record,) = source.records()
    found = source.claims(record, Models())
    names = found.claims.table["name"].to_pylist()
    assert names.count("segment") == len(record.content.decode().splitlines())
    assert names.count("measure") == 29 and not found.refused
