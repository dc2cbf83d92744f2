"""Relations and events that sentences assert: who owns, lends to, supplies, leads, sues whom, and who defaults.

Names are found first; only sentences with a name and a telling word are parsed. Each frame of the lexicon then looks
for its parties in the tree; what is denied, wished or asked is left out, what has ended carries its end.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Final, TypeVar

from ingest.extract.clauses.certainty import Certainty
from ingest.extract.clauses.grammar import parses
from ingest.extract.clauses.match import Match
from ingest.extract.clauses.patterns import matches
from ingest.extract.happenings.happenings import EVENT_WORDS, happenings
from ingest.extract.prose.contracts import Duty, duties, parties, uses
from ingest.extract.text.dates import find_dates
from ingest.extract.text.names import Gazetteer, Mention, longest, text_id
from ingest.extract.text.quantities import Moment, Money, Share, money, shares
from ingest.extract.text.recognise import guessed_names, pipe, seen_names, written_names
from ingest.extract.text.sentences import sentences
from kg.model import Value, as_time
from kg.ontology import EDGES, FIRMS

if TYPE_CHECKING:
    from ingest.source import Models

TRIGGER: Final = re.compile(
    r"\b(own|stake|sharehold|stockhold|interest|acqui|bought|buy|purchas|take ?over|took over|takes over|"
    r"taken over|taking over|merge|"
    r"absorb|subsidiar|parent|unit of|arm of|division of|control|belong|lend|lent|loan|borrow|credit|facilit|"
    r"financ|ow(?:e|es|ed|ing)\b|"
    r"mortgage|suppl|deliver|customer|vendor|order|contract|rel(?:y|ies|ied)\b|depend|sourc|procur|provid|"
    r"furnish|ship|sell|sold|"
    r"appoint|nam(?:e|es|ed|ing)\b|elect|hire|promot|join|chie|chair|presid|director|ceo\b|cfo\b|coo\b|officer|"
    r"head of|treasurer|"
    r"resign|retir|step|quit|left\b|leav|depart|dismiss|oust|fired|succe|replac|becom|became|serv(?:e|es|ed|"
    r"ing)\b|sue|suing|lawsuit|"
    r"suit\b|complaint|litigation|court|legal|default|miss|fail|unable|repay|bankrupt|insolv|chapter (?:7|11)|"
    r"administrat|receiver|"
    r"liquidat|lower|\bcut\b|junk|payment|coupon|interest|debt|obligation|servicing|behind|creditor|wound up|"
    r"wind(?:ing)?.up|collaps|downgrad|rating|percent|per cent|%|" + EVENT_WORDS + r")",
    re.I,
)
BESIDE_NAMES: Final = re.compile(
    r"\b(expos|guarant|receivab|compet|rival|vie[sd]?\b|vying|drew\b|draw|tap|advanc|indebt|liabilit|claims?\b|"
    r"runs?\b|led by|leads?\b|leading|heads?\b|boss|in charge|helm|reins|sworn|board|job\b)",
    re.I,
)
"""Words too common to look for names because of them, that tell something where a firm is named."""
_NO_NAME: Final = re.compile(r"(?:Neither|Either|Both|Not|No|Former|Ex)\s+(?=[A-Z])")
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


@dataclass(slots=True)
class _Memory:
    """What earlier sentences of the text leave behind for later ones."""

    speaker: Mention | None
    people: dict[str, Mention] = field(default_factory=dict)
    """Full mention of each person by surname."""
    topic: Mention | None = None
    """The one firm of the sentence before, which `the company` then is."""


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
    memory = _Memory(speaker)
    found: list[Finding] = []
    for span in sentences(text):
        if only and not any(span[0] < end and start < span[1] for start, end in only):
            continue
        sentence = text[span[0] : span[1]]
        firms = {m.id for m in _within(names, span) if m.label in FIRMS}
        if len(sentence) > 2000 or not _telling(sentence, len(firms)):
            memory.topic = _topic(_within(names, span))
            continue
        inside = _names_of_sentence(text, span, names, gazetteer, memory)
        if inside or speaker:
            said = _matches(text, span, inside, sums, memory)
            found += _findings(said, (text, span), published, sums)
        memory.topic = _topic(inside)
    if terms and not only:
        found += [_owed(duty, published) for duty in duties(text, terms, names, published)]
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


def _telling(sentence: str, firms: int) -> bool:
    return firms > 1 or bool(TRIGGER.search(sentence) or (firms and BESIDE_NAMES.search(sentence)))


def _within(names: list[Mention], span: tuple[int, int]) -> list[Mention]:
    return [m for m in names if span[0] <= m.start and m.end <= span[1]]


def _topic(names: list[Mention]) -> Mention | None:
    firms = {m.id: m for m in names if m.label in FIRMS}
    return next(iter(firms.values())) if len(firms) == 1 else None


def _names_of_sentence(
    text: str, span: tuple[int, int], names: list[Mention], gazetteer: Gazetteer, memory: _Memory
) -> list[Mention]:
    """Names found by writing, then those the model sees between them; a lone surname is the person named before."""
    written = _within(names, span)
    doc = pipe().get_pipe("ner")(pipe().make_doc(text[span[0] : span[1]]))
    sums = ((span[0] + m.start, span[0] + m.end) for m in money(text[span[0] : span[1]]))
    inside = [_bare(m) for m in _added(written, seen_names(doc, span[0], text, gazetteer), list(sums))]
    for m in inside:
        if m.label == "Person":
            memory.people.setdefault(m.name.split()[-1], m)
    inside = longest([*inside, *_surnames(text, span, inside, memory)])
    return _added(inside, guessed_names(doc, span, text, gazetteer), [])


def _bare(m: Mention) -> Mention:
    """A name without the word of denial that the model took for its first."""
    match = _NO_NAME.match(m.text)
    if not match or m.entity:
        return m
    rest = m.text[match.end() :]
    return replace(m, start=m.start + match.end(), text=rest, name=m.name.removeprefix(match[0]))


def _added(found: list[Mention], more: Iterable[Mention], taken: list[tuple[int, int]]) -> list[Mention]:
    """Names found, and those of the others that overlap neither them nor the places taken."""
    places = {i for start, end in (*taken, *((m.start, m.end) for m in found)) for i in range(start, end)}
    return longest([*found, *(m for m in more if places.isdisjoint(range(m.start, m.end)))])


def _surnames(text: str, span: tuple[int, int], inside: list[Mention], memory: _Memory) -> Iterator[Mention]:
    taken = {i for m in inside for i in range(m.start, m.end)}
    for surname, person in memory.people.items():
        for match in re.finditer(rf"(?<![\w-]){re.escape(surname)}(?![\w-])", text[span[0] : span[1]]):
            start, end = span[0] + match.start(), span[0] + match.end()
            if taken.isdisjoint(range(start, end)):
                yield replace(person, start=start, end=end, text=match[0])


def _matches(
    text: str, span: tuple[int, int], inside: list[Mention], sums: list[Money], memory: _Memory
) -> list[Match]:
    """What the sentence says; where two names stand together and one tree says nothing, a second tree is asked."""
    trees = parses(pipe(), text, span, inside, sums)
    said, told = list[Match](), list[Match]()
    for parsed in islice(trees, 2 if len(inside) > 1 else 1):
        told = told or happenings(parsed, memory.topic, memory.speaker)
        if said := list(matches(parsed, memory.topic, memory.speaker)):
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
