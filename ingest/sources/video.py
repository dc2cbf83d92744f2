"""Videos (MP4, MOV, MKV, WebM): the sound track as a recording, and each picture that stays as a page.

Both go the way of sound and of page images; a claim cites the seconds of its words or the second of its picture.
The sidecar is that of a recording: `published`, `title`, `subject_id`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from ingest.extract.pages.claims import Page, page_claims, unsure
from ingest.extract.pages.film import KeyFrame, key_frames
from ingest.extract.pages.ocr import Box, PageReader, locator, read_box
from ingest.extract.pages.per_kind import read_page
from ingest.extract.prose.assertions import Origin
from ingest.extract.sound.recording import Recording
from ingest.extract.sound.sound import decode_sound
from ingest.extract.sound.speech import Listener
from ingest.extract.text.names import Gazetteer
from ingest.sidecar import published_beside, said_beside, sidecar_of
from ingest.source import Extract, Models, Record, Refusal, Source
from ingest.sources.audio import publication, subject
from kg.errors import RecordError
from kg.model import Claim, ClaimBatch, Edge, Evidence, Node, digest


class Video(Source):
    """Recorded presentations and meetings."""

    extractor = "video.film@3"
    patterns = ("*.mp4", "*.mov", "*.mkv", "*.webm")

    def records(self) -> Iterator[Record]:
        now = datetime.now(UTC)
        for path in self.files:
            sidecar = sidecar_of(path)
            name = path.relative_to(self.folder).as_posix()
            yield Record("video", name, path.read_bytes(), published_beside(sidecar), {"read": now}, sidecar)

    def claims(self, record: Record, models: Models) -> Extract:
        """Claims of one video, pure given its bytes, its sidecar and the names known."""
        said = said_beside(record.sidecar, record.path)
        published, rules = publication(record, said)
        origin = Origin(record.document, published, self.extractor)
        frames = key_frames(record.content)
        claims: list[Claim] = []
        refused: list[Refusal] = []
        for frame in frames:
            shown, doubtful = _shown(frame, origin, models)
            claims += shown
            refused += doubtful
        speaker, unknown = subject(said, models)
        try:
            wave = decode_sound(record.content)
            words = Listener(models.cache).words(record.content, wave)
            recording = Recording(wave, words, said.get("title", ""))
            claims += recording.claims(origin, models, speaker) if words else ()
        except RecordError as error:
            refused.append(Refusal("sound", str(error)))
        if not claims:
            raise RecordError(f"{record.path}: nothing is written in its {len(frames)} pictures and nothing was heard")
        claims.append(Claim(Node("Document", f"doc:{record.document}"), claims[0].evidence, published))
        return Extract(ClaimBatch.of(claims), (*refused, *unknown), rules=rules)


def _shown(frame: KeyFrame, origin: Origin, models: Models) -> tuple[list[Claim], list[Refusal]]:
    """What is written in one picture: nothing if there are no words in it."""
    reader, at = PageReader(models.cache), f"frame:{frame.second:.2f} "
    boxes = reader.read(frame.image)
    if not boxes:
        return [], []

    def quote(inside: Sequence[Box]) -> tuple[str, str]:
        where = locator(inside)
        return at + where, read_box(frame.image, where, reader)

    id, reading = f"page:{digest(frame.image)}", read_page(boxes)
    page = Page(origin.document, id, boxes, quote, origin.published, origin.extractor)
    claims = [_kept(claim) for claim in page_claims(page, reading, models.gazetteer or Gazetteer())]
    whole: Evidence = page.evidence(boxes, 1.0)
    edge = Edge("PAGE_OF", id, f"doc:{origin.document}")
    claims.append(Claim(edge, whole, origin.published, origin.published))
    return claims, [unsure(at + locator(field.boxes), reason) for field, reason in reading.doubtful]


def _kept(claim: Claim) -> Claim:
    """Without the address of a page's bytes: those of a picture are in the video, and no file of their own."""
    if isinstance(claim.what, Node) and "path" in claim.what.props:
        props = {name: value for name, value in claim.what.props.items() if name != "path"}
        return replace(claim, what=replace(claim.what, props=props))
    return claim
