"""Relations and events that sentences assert: who owns, lends to, supplies, leads, sues whom, and who defaults.

Names are found first; only sentences with a telling word and the parties for it are parsed, many together. Each frame
of the lexicon then looks for its parties in the tree; what is denied, wished or asked is left out, what has ended
carries its end.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Final, TypeVar

from ingest.extract.clauses.certainty import Certainty
from ingest.extract.clauses.grammar import Parsed, Sentence, parses
from ingest.extract.clauses.match import Match
from ingest.extract.clauses.patterns import matches
from ingest.extract.happenings.happenings import happenings
from ingest.extract.prose.asked import Asked, Reader, Span
from ingest.extract.prose.contracts import Duty, duties, parties, uses
from ingest.extract.prose.corrections import upheld
from ingest.extract.text.dates import find_dates
from ingest.extract.text.names import Gazetteer, Mention, longest, text_id
from ingest.extract.text.quantities import Moment, Money, Share, money, shares
from ingest.extract.text.recognise import pipe, written_names
from ingest.extract.text.sentences import sentences
from kg.model import Value, as_time
from kg.ontology import EDGES

if TYPE_CHECKING:
    from ingest.source import Models

_BLOCK: Final = 128
"""Sentences that are parsed together."""
_Q = TypeVar("_Q", Money, Share, Moment)
_RELATION_AGE: Final = timedelta(days=365 * 40)


@dataclass(frozen=True, slots=True)
class Finding:
    """A relation or event that one sentence asserts. `text[start:end]` is the sentence."""

    type: str
    """An edge type; AFFECTED_BY for an event."""
    parties: tuple[tuple[str, Mention], ...]
    """`source` and `target` of an edge; the roles of an event."""
    start: int
    end: int
    event: str = ""
    """Kind of event, "" for an edge."""
    props: dict[str, Value] = field(default_factory=dict)
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    confidence: float = 0.8
    clause: str = ""
    """Number of the clause of a contract that says it."""

    @property
    def source(self) -> Mention:
        return self.parties[0][1]

    @property
    def target(self) -> Mention:
        return self.parties[1][1]


def relations(
    text: str, models: Models, published: datetime, speaker: Mention | None = None, only: Sequence[tuple[int, int]] = ()
) -> list[Finding]:
    """Findings in the order of the text. Pure given text and models.

    `speaker` is who `we` and `the Registrant` are; with `only` given, sentences over none of these spans are passed by.
    """
    gazetteer = models.gazetteer or Gazetteer()
    names, sums = written_names(text, gazetteer), money(text)
    terms = parties(text, names)
    names = longest([*uses(text, terms), *names]) if terms else names
    found: list[Finding] = []
    spans = (s for s in sentences(text) if not only or any(s[0] < end and start < s[1] for start, end in only))
    for span, said in _said(text, Reader(text, names, gazetteer, speaker).asked(spans), sums, speaker):
        found += _findings(said, (text, span), published, sums)
    if terms and not only:
        found += [_owed(duty, published) for duty in duties(text, terms, names, published)]
    found = upheld(found, text)
    return sorted(found, key=lambda f: f.start) if terms else found


def _owed(duty: Duty, published: datetime) -> Finding:
    """The edge of a duty; its role is the condition, and it holds until it is due."""
    props: dict[str, Value] = {"role": duty.condition} if duty.condition else {}
    if duty.sum:
        props |= {"amount": duty.sum.amount, "currency": duty.sum.currency}
    since = duty.since or published
    since = min(since, duty.due - timedelta(days=1)) if duty.due else since
    ends = (("source", duty.obligor), ("target", duty.obligee))
    sure = 0.8 if duty.named else 0.6
    return Finding("OBLIGED_TO", ends, duty.start, duty.end, "", props, since, duty.due, sure, duty.clause)


def _said(
    text: str, sentences: Iterable[Asked], sums: list[Money], speaker: Mention | None
) -> Iterator[tuple[Span, list[Match]]]:
    """What each sentence says; many are parsed together, for the parser is faster so."""
    rest = iter(sentences)
    while block := list(islice(rest, _BLOCK)):
        trees = parses(pipe(), [Sentence(text, one.span, one.names, sums) for one in block])
        for one, likely in zip(block, trees, strict=True):
            yield one.span, _matches(likely, one, speaker)


def _matches(trees: Iterable[Parsed], asked: Asked, speaker: Mention | None) -> list[Match]:
    """What the sentence says; where two names stand together and one tree says nothing, a second tree is asked."""
    said, told = list[Match](), list[Match]()
    for parsed in islice(trees, 2 if len(asked.names) > 1 else 1):
        told = told or happenings(parsed, asked.topic, speaker)
        if said := list(matches(parsed, asked.topic, speaker)):
            break
    return [*said, *told]


def _findings(
    said: list[Match], place: tuple[str, tuple[int, int]], published: datetime, sums: list[Money]
) -> Iterator[Finding]:
    text, span = place
    sentence = text[span[0] : span[1]]
    inside = [s for s in sums if span[0] <= s.start and s.end <= span[1]]
    portions = [Share(span[0] + s.start, span[0] + s.end, s.value) for s in shares(sentence)]
    days = [replace(d, start=span[0] + d.start, end=span[0] + d.end) for d in find_dates(sentence, published)]
    inside, portions = _now(inside, text), _now(portions, text)
    found = [
        _finding(match, span, published, (inside, portions, days))
        for match in said
        if not (match.certainty is Certainty.OPEN or (match.event and match.certainty is not Certainty.SAID))
    ]
    kept: list[Finding] = []
    for finding in sorted(found, key=_rank):
        if _allowed(finding) and not any(_told(finding, other) for other in kept):
            kept.append(finding)
    yield from kept


def _rank(finding: Finding) -> tuple[int, bool, int, float]:
    """The fullest first; what has ended goes before what held, and a surer reading before one that is implied."""
    role = str(finding.props.get("role", ""))
    return -len(finding.parties), finding.valid_to is None, -len(role), -finding.confidence


def _told(finding: Finding, other: Finding) -> bool:
    """True if the other says as much: the same parties, and for an office no other role."""
    if (finding.type, finding.event) != (other.type, other.event):
        return False
    ids, told = ({(role, m.id) for role, m in f.parties} for f in (finding, other))
    if finding.type == "COMPETES_WITH":
        ids, told = ({("", id) for _, id in pairs} for pairs in (ids, told))
    role, known = (str(f.props.get("role", "")) for f in (finding, other))
    return ids <= told and (finding.type != "OFFICER_OF" or role in known)


def _finding(
    match: Match,
    span: tuple[int, int],
    published: datetime,
    quantities: tuple[list[Money], list[Share], list[Moment]],
) -> Finding:
    sums, portions, days = quantities
    props: dict[str, Value] = {"role": match.role} if match.role else {}
    takes = {"share", "amount"} if match.event else set(EDGES[match.type].props)
    if "amount" in takes and (sum_ := _nearest(sums, match.place)):
        props |= {"amount": sum_.amount, "currency": sum_.currency}
    if "share" in takes and not match.event and (share := match.share or _nearest(portions, match.place)):
        props["share"] = share if isinstance(share, float) else share.value
    days = [d for d in days if not (d.period and match.event == "earnings_surprise")]  # what it is for, not when told
    day = _day([d for d in days if published - _RELATION_AGE < d.when <= as_time(published)], match.place)
    start, end = (None, day or published) if match.certainty is Certainty.ENDED else (day or published, None)
    sure = (0.8 if all(m.entity for _, m in match.parties) else 0.6) - (0.2 if match.implied else 0)
    sure = sure / 2 if match.doubt else sure
    return Finding(match.type, match.parties, span[0], span[1], match.event, props, start, end, sure)


def _now(found: list[_Q], text: str) -> list[_Q]:
    """Without what it was before: of `from 20 to 35 percent` the second."""
    later = [q for q in found if text[max(0, q.start - 5) : q.start] != "from "]
    return later or found


def _nearest(found: list[_Q], place: int) -> _Q | None:
    return min(found, key=lambda q: (abs(q.start - place), q.start), default=None)


def _day(days: list[Moment], place: int) -> datetime | None:
    near = _nearest(days, place)
    return near.when if near else None


def _allowed(finding: Finding) -> bool:
    """True if the ontology lets these labels take these places, and nobody stands in two of them."""
    ids = [text_id(m.name, m.label) for _, m in finding.parties]
    spec = EDGES[finding.type]
    if len(set(ids)) < len(ids):
        return False
    if finding.event:
        return all(m.label in spec.source for _, m in finding.parties)
    return finding.source.label in spec.source and finding.target.label in spec.target
