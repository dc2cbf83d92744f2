"""A recording becomes claims: what is said in each stretch, how it sounds, whom it names and what it says of them.

Only known names become entities: a name that was merely heard is left out, with all it takes part in. How a stretch
sounds says nothing but that: no relation and no event is found, left out or weighed by it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ingest.extract.prose.assertions import Origin
from ingest.extract.prose.prose import prose
from ingest.extract.sound.arousal import arousals
from ingest.extract.sound.sound import RATE, Wave, acoustics, seconds
from ingest.extract.sound.speech import Word, join, locator
from ingest.extract.sound.spoken import Transcript, transcript
from ingest.extract.sound.voices import speakers
from ingest.extract.text.names import Gazetteer, Mention
from ingest.source import Models
from kg.model import Claim, Edge, Evidence, Facts, Node, Value

TOLD_APART = 0.6
"""How sure it is whose voice a stretch is: with three readers fitted and three not, up to 44 % went wrong."""
OPENING = 2000
"""Characters of the transcript kept as the document's text."""


@dataclass(frozen=True, slots=True)
class Spoken(Origin):
    """An origin that cites the seconds in which a stretch of the transcript was said."""

    said: Transcript | None = None

    def evidence(self, text: str, span: tuple[int, int], confidence: float) -> Evidence:
        """Evidence in the words heard, as sure as they were heard."""
        assert self.said is not None
        return self.of(self.said.said(*span) or self.said.words[:1], confidence)  # the speaker stands nowhere

    def of(self, words: Sequence[Word], confidence: float) -> Evidence:
        heard = sum(word.score for word in words) / len(words)
        sure = round(confidence * heard, 4)
        return Evidence(self.document, self.prefix + locator(words), join(words), self.extractor, sure)


@dataclass(frozen=True)
class Recording:
    """One sound track: its samples and the words heard in it."""

    wave: Wave
    words: Sequence[Word]
    title: str = ""

    def claims(self, origin: Origin, models: Models, speaker: Mention | None = None) -> Iterator[Claim]:
        """The document with its segments, sound, and what is said; `speaker` is who `we` is."""
        read = transcript(self.words, models.gazetteer or Gazetteer())
        spoken = Spoken(origin.document, origin.published, origin.extractor, origin.prefix, read)
        document = f"doc:{origin.document}"
        props: dict[str, Value] = {"text": read.text[:OPENING], "duration": round(seconds(self.wave), 2)}
        props |= {"title": self.title} if self.title else {}
        yield Claim(Node("Document", document, props), spoken.of(self.words, 1.0), origin.published)
        if speaker:
            opening = spoken.of(self.words[:1], 1.0)
            node = Node(speaker.label, speaker.id, {"name": speaker.name})
            yield Claim(node, opening, origin.published)
            yield Claim(Edge("MENTIONED_IN", speaker.id, document), opening, origin.published, origin.published)
        yield from self._segments(document, spoken)
        yield from prose(read.text, spoken, document, models, speaker, known_only=True)

    def _segments(self, document: str, spoken: Spoken) -> Iterator[Claim]:
        """What is said in each stretch and how it sounds, keyed by its time."""
        stretches = list(segments(self.words))
        sounds = [sounding(self.wave, stretch) for stretch in stretches]
        for stretch, found in zip(stretches, sounds, strict=True):
            evidence, where = spoken.of(stretch, 1.0), locator(stretch)
            yield self._fact(Facts(document, {"segment": join(stretch)}, where), evidence, spoken)
            for name, value in found.items():
                yield self._fact(Facts(document, {"measure": value}, f"acoustic|{name}|{where}"), evidence, spoken)
        told = speakers(self.wave, [(stretch[0].start, stretch[-1].end) for stretch in stretches])
        if len({*told} - {""}) < 2:
            told = ["S1"] * len(stretches)  # what is too short to tell is the one speaker too
        for stretch, name in zip(stretches, told, strict=True) if len({*told}) > 1 else ():
            if name:
                evidence = spoken.of(stretch, TOLD_APART)
                yield self._fact(Facts(document, {"speaker": name}, locator(stretch)), evidence, spoken)
        for name in sorted({*told} - {""}):
            own = [row for row, whose in enumerate(told) if whose == name and sounds[row]]
            heard = [(stretches[row], sounds[row]) for row in own]
            yield from self._agitation(document, spoken, heard)

    def _agitation(
        self, document: str, spoken: Spoken, heard: Sequence[tuple[Sequence[Word], Mapping[str, float]]]
    ) -> Iterator[Claim]:
        """How agitated each stretch of a speaker sounds beside their middle; the wider the interval, the less sure."""
        for (stretch, _), found in zip(heard, arousals([sound for _, sound in heard]), strict=False):
            evidence, where = spoken.of(stretch, 1 - (found.high - found.low)), locator(stretch)
            yield self._fact(Facts(document, {"arousal": found.value}, where), evidence, spoken)
            for end, value in (("low", found.low), ("high", found.high)):
                fact = Facts(document, {"measure": value}, f"arousal {end}|{where}")
                yield self._fact(fact, evidence, spoken)

    @staticmethod
    def _fact(what: Facts, evidence: Evidence, spoken: Spoken) -> Claim:
        return Claim(what, evidence, spoken.published, spoken.published)


def segments(words: Sequence[Word]) -> Iterator[Sequence[Word]]:
    """Runs of words up to the end of a sentence."""
    first = 0
    for number, word in enumerate(words, 1):
        if word.last or number == len(words):
            yield words[first:number]
            first = number


def sounding(wave: Wave, stretch: Sequence[Word]) -> Mapping[str, float]:
    """How a stretch sounds and how fast it is said; nothing where its seconds hold no sample."""
    samples = wave[int(stretch[0].start * RATE) : int(stretch[-1].end * RATE)]
    if not len(samples):
        return {}
    return {**acoustics(samples), "words a minute": round(60 * len(stretch) / seconds(samples), 2)}
