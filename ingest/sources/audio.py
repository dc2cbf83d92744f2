"""Recordings of speech (WAV, FLAC, MP3, Ogg, M4A): what is said when, how it sounds, and what it says of firms.

A sidecar `<name>.meta.json` may give `published`, `title` and `subject_id`, the firm that speaks (`we` is that firm).
Without `published` a day in the file's name counts, else the time the file was read, which is late but never early.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from ingest.extract.prose.assertions import Origin
from ingest.extract.sound.recording import Recording
from ingest.extract.sound.sound import decode_sound, seconds
from ingest.extract.sound.speech import Listener
from ingest.extract.text.names import Gazetteer, Mention
from ingest.sidecar import moment, named_day, published_beside, said_beside, sidecar_of
from ingest.source import Extract, Models, Record, Refusal, Source
from kg.errors import RecordError
from kg.model import ClaimBatch


class Audio(Source):
    """Earnings calls and phone calls."""

    extractor = "audio.speech@3"
    patterns = ("*.wav", "*.flac", "*.mp3", "*.ogg", "*.opus", "*.m4a")

    def records(self) -> Iterator[Record]:
        now = datetime.now(UTC)
        for path in self.files:
            sidecar = sidecar_of(path)
            name = path.relative_to(self.folder).as_posix()
            yield Record("audio", name, path.read_bytes(), published_beside(sidecar), {"read": now}, sidecar)

    def claims(self, record: Record, models: Models) -> Extract:
        """Claims of one recording, pure given its bytes, its sidecar and the names known."""
        said = said_beside(record.sidecar, record.path)
        published, rules = publication(record, said)
        wave = decode_sound(record.content)
        words = Listener(models.cache).words(record.content, wave)
        if not words:
            raise RecordError(f"{record.path}: no words were heard in {seconds(wave):.1f} s of sound")
        speaker, refused = subject(said, models)
        recording = Recording(wave, words, said.get("title", ""))
        origin = Origin(record.document, published, self.extractor)
        return Extract(ClaimBatch.of(recording.claims(origin, models, speaker)), refused, rules=rules)


def publication(record: Record, said: Mapping[str, str]) -> tuple[datetime, Mapping[str, int]]:
    """When a recording was made public, and the cleaning rule that says how that was told."""
    if "published" in said and moment(said["published"]) is None:
        raise RecordError(
            f"{record.path}: published {said['published']!r} in its sidecar is no ISO date or time; write it like "
            "2023-04-06 or 2023-04-06T09:00:00Z"
        )
    if when := record.published or named_day(record.path):
        return when, {}
    if not isinstance(read := record.meta.get("read"), datetime):
        raise RecordError(f"{record.path} does not say when it was published; put <name>.meta.json beside it")
    return read, {"published.when_read": 1}


def subject(said: Mapping[str, str], models: Models) -> tuple[Mention | None, tuple[Refusal, ...]]:
    """The firm a sidecar names as the speaker; a refusal if nothing is known of it."""
    if not (id := said.get("subject_id", "")):
        return None, ()
    gazetteer = models.gazetteer or Gazetteer()
    if (label := gazetteer.labels.get(id)) is None:
        reason = f"subject {id} is not known; read the register that lists it in the same run or before"
        return None, (Refusal("sidecar", reason),)
    name = gazetteer.name_of(id)
    return Mention(0, 0, name, label, name, id), ()
