"""Videos: pictures that stay are read as pages, the sound track as a recording, each cited by its second."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ingest.extract.pages.film import key_frames, read_frame
from ingest.locate import locate
from ingest.source import Extract, Models
from ingest.sources.video import Video
from kg.errors import RecordError
from tests.ingest_reading import DATA
from tests.test_sound import CALL, KNOWN

TALK = (DATA / "talk-tiny.mp4").read_bytes()


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Extract:
    folder = tmp_path_factory.mktemp("film")
    (folder / "talk.mp4").write_bytes(TALK)
    (folder / "talk.meta.json").write_text('{"published": "2024-02-29T10:00:00Z", "subject_id": "lei:1"}')
    source = Video(folder)
    (record,) = source.records()
    return source.claims(record, Models(KNOWN))


def film(*levels: int) -> bytes:
    """A silent video of grey pictures, one a second."""
    import av

    content = io.BytesIO()
    with av.open(content, "w", format="mp4") as media:
        stream = media.add_stream("libx264", rate=1)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        for level in levels:
            picture = np.full((64, 64, 3), level, np.uint8)
            media.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        media.mux(stream.encode(None))
    return content.getvalue()


def test_a_picture_that_stays_is_kept_once_with_the_second_it_came() -> None:
    assert [frame.second for frame in key_frames(film(10, 10, 10, 200, 200, 10))] == [0.0, 3.0, 5.0]


def test_the_two_slides_of_a_talk_are_found_within_a_second_of_their_change() -> None:
    first, second = key_frames(TALK)
    assert first.second == 0.0 and second.second == pytest.approx(4.5, abs=1.0)


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"", "is empty"), (b"\x00\x00\x00\x18ftypmp42", "cannot be decoded"), (CALL, "has no pictures")],
)
def test_what_is_no_video_is_refused_with_the_reason(content: bytes, reason: str) -> None:
    with pytest.raises(RecordError, match=reason):
        key_frames(content)


def test_words_of_a_picture_are_read_back_by_second_and_box() -> None:
    assert "Lender" in read_frame(TALK, "frame:0.00 page:1 box:0,0,640,360")
    with pytest.raises(RecordError, match=r"no key frame at 3\.00 s"):
        read_frame(TALK, "frame:3.00 page:1 box:0,0,640,360")


def test_a_loan_on_a_slide_and_in_the_talk_stand_side_by_side(found: Extract) -> None:
    loans = [row for row in found.claims.table.to_pylist() if row["name"] == "LENDS_TO"]
    assert {row["locator"].partition(":")[0] for row in loans} == {"frame", "time"}
    assert {(row["value_decimal"], row["unit"]) for row in loans} == {(50_000_000, "EUR")}
    ends = {(row["subject"], row["object"]) for row in loans}
    assert ends == {
        ("name:larch hill bank plc", "name:oakmere turbines inc."),
        ("name:larch hill bank", "name:oakmere turbines inc."),
    }


def test_every_claim_reads_back_from_its_picture_or_its_seconds(found: Extract) -> None:
    rows = found.claims.table.select(["locator", "quote"]).to_pylist()
    assert all(locate(TALK, row["locator"], "video") == row["quote"] for row in rows)


def test_pictures_are_pages_of_the_video(found: Extract) -> None:
    rows = found.claims.table.to_pylist()
    (document,) = {row["subject"] for row in rows if row["kind"] == "node" and row["name"] == "Document"}
    assert len([row for row in rows if row["name"] == "PAGE_OF" and row["object"] == document]) == 2


def test_a_silent_video_gives_its_pictures_and_says_that_it_is_silent(tmp_path: Path) -> None:
    import av

    silent = io.BytesIO()
    with av.open(io.BytesIO(TALK)) as given, av.open(silent, "w", format="mp4") as media:
        stream = media.add_stream_from_template(given.streams.video[0])
        for packet in given.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                media.mux(packet)
    (tmp_path / "2024-02-29-talk.mp4").write_bytes(silent.getvalue())
    source = Video(tmp_path)
    (record,) = source.records()
    found = source.claims(record, Models(KNOWN))
    assert [refusal.reason for refusal in found.refused] == ["the file has no sound track"]
    assert "LENDS_TO" in found.claims.table["name"].to_pylist()


def test_a_video_in_which_nothing_is_written_or_said_is_refused(tmp_path: Path) -> None:
    (tmp_path / "2024-02-29-grey.mp4").write_bytes(film(10, 200))
    source = Video(tmp_path)
    (record,) = source.records()
    with pytest.raises(RecordError, match="nothing is written in its 2 pictures and nothing was heard"):
        source.claims(record, Models())


def test_the_sound_track_of_a_video_is_decoded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import av

    tracks: list[str] = []
    opened = av.open

    def counted(*args: Any, **options: Any) -> Any:
        media = opened(*args, **options)
        tracks.append("a track")
        return media

    (tmp_path / "2024-02-29-talk.mp4").write_bytes(TALK + b"\0" * 8)  # bytes that no test has heard before
    source = Video(tmp_path)
    (record,) = source.records()
    monkeypatch.setattr(av, "open", counted)
    found = source.claims(record, Models(KNOWN))
    assert "segment" in found.claims.table["name"].to_pylist()
    assert len(tracks) == 2  # its pictures, its sound
