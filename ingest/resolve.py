"""Resolution: which ids are one entity, as judgements that are claims and can be undone.

Strong identifiers speak first (equal LEI, CIK, ISIN, CUSIP, ticker), names last, and names only join an id that is
itself no more than a name. Two ids of one cluster may never carry different LEIs or CIKs, nor be a pair that
someone forbade.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from rapidfuzz import fuzz

from ingest import match
from ingest.clusters import UNIQUE, Clusters, Known, Pair
from ingest.extract.text.names import Gazetteer
from ingest.obligations import join
from ingest.review import Scored, scored, undecided
from ingest.rulings import parting, ruling, undoing
from kg.files import Files
from kg.identity import strength
from kg.ledger import Ledger
from kg.ontology import FIRMS, scheme


@dataclass(slots=True)
class ResolveReport:
    """What one resolution judged."""

    commit: int = 0
    committed: bool = False
    judgements: int = 0
    rules: dict[str, int] = field(default_factory=dict)
    """Judgements by rule."""
    vetoes: dict[str, int] = field(default_factory=dict)
    """Pairs not judged, by reason."""
    clusters: int = 0
    """Entities that more than one id stands for."""
    undecided: int = 0
    """Pairs alike enough for a person to look at: `kgrisk resolve --review`."""
    obligations: int = 0
    """Loans told without their facility that are one with a loan told with it."""
    obligations_undecided: int = 0
    """Those that fit several facilities: `ingest.obligations.judged`, and the quality report."""


def resolve(ledger: Ledger, files: Files) -> ResolveReport:
    """Judge what is alive in the ledger: entities in one commit, then loans; nothing new to say writes nothing."""
    known = Known(ledger.alive())
    clusters = Clusters(known)
    found = [pair for rule in _RULES for pair in rule(known, clusters) if clusters.join(pair)]
    alike = scored(known, clusters)
    found += [pair for pair in _by_likeness(known, clusters, alike) if clusters.join(pair)]
    found += [pair for pair in _by_office(known, clusters) if clusters.join(pair)]
    report = ResolveReport(ledger.head, False, len(found), dict(Counter(p.rule for p in found)), dict(clusters.vetoes))
    report.clusters, report.undecided = clusters.count(), len(undecided(known, clusters, alike))
    if found:
        rows = [f"{p.a} = {p.b}: {p.why}; score {p.score:g}" for p in found]
        report.commit, report.committed = ruling(ledger, found, rows).commit(ledger, files), True
    loans = join(ledger, files)
    report.obligations, report.obligations_undecided = loans.joined, len(loans.doubts)
    if loans.committed:
        report.commit, report.committed = loans.commit, True
    return report


def undo(ledger: Ledger, files: Files, a: str, b: str) -> int:
    """Retract the judgements that two ids are one entity; returns the commit. A later resolution may judge it again."""
    return undoing(ledger, a, b).commit(ledger, files)


def forbid(ledger: Ledger, files: Files, a: str, b: str) -> int:
    """Say that two ids are two entities, for good; what joined the weaker one to the other is retracted."""
    return parting(ledger, a, b).commit(ledger, files)


def _by_identifier(known: Known, clusters: Clusters) -> Iterator[Pair]:
    """An identifier of one entity is the id, or an identifier, of another; the CUSIP inside a US or Canadian ISIN."""
    holders: dict[str, list[str]] = defaultdict(list)
    for id, values in known.identifiers.items():
        for value in values:
            holders[value].append(id)
    for value, ids in sorted(holders.items()):
        if value in known.labels:
            yield from (Pair(id, value, "identifier", 1.0, f"{id} carries the identifier {value}") for id in ids)
        elif scheme(value) in UNIQUE:
            yield from (Pair(ids[0], id, "identifier", 1.0, f"both carry the identifier {value}") for id in ids[1:])
    for id in sorted(known.labels):
        if scheme(id) == "isin" and id[5:7] in ("US", "CA") and (cusip := f"cusip:{id[7:16]}") in known.labels:
            yield Pair(id, cusip, "cusip in isin", 1.0, f"{id} contains the CUSIP {cusip[6:]}")


def _by_ticker(known: Known, clusters: Clusters) -> Iterator[Pair]:
    """Firms with one ticker whose names are not strangers to each other."""
    holders: dict[str, list[str]] = defaultdict(list)
    for id, values in known.tickers.items():
        if known.labels.get(id) in FIRMS:
            for value in values:
                holders[value.upper()].append(id)
    for ticker, ids in sorted(holders.items()):
        first, *others = sorted(set(ids), key=strength)
        for id in others:
            close = max(
                (
                    fuzz.token_set_ratio(match.plain(x), match.plain(y))
                    for _, x in known.called([first])
                    for _, y in known.called([id])
                ),
                default=0,
            )
            if close >= 60:
                yield Pair(
                    first, id, "ticker", 0.97, f"both have the ticker {ticker} and names alike to {close:.0f} of 100"
                )


def _by_name(known: Known, clusters: Clusters) -> Iterator[Pair]:
    """A name that is the name of one identified firm: in full, then without its legal form."""
    for rule, spelt, score in (("name", match.full, 0.98), ("plain name", match.plain, 0.93)):
        firms: dict[str, set[str]] = defaultdict(set)
        for id, name in known.called(known.identified):
            firms[spelt(name)].add(id)
        for id, name in known.called(known.named):
            ids = {
                f for f in firms.get(spelt(name), ()) if any(match.compatible(name, other) for other in known.names[f])
            }
            if len({clusters.find(f) for f in ids}) > 1:  # who bore the name when it was written
                ids = {f for f in ids if known.bore(f, spelt, spelt(name), id)} or ids
            if (best := clusters.one(ids)) is not None:
                yield Pair(id, best, rule, score, f"{name!r} is the {rule} of {best} ({' / '.join(known.names[best])})")
            elif ids:
                clusters.vetoes[f"several firms of that {rule}"] += 1


def _by_short_name(known: Known, clusters: Clusters) -> Iterator[Pair]:
    """`Acme` for `Acme Holdings plc`, where no other firm is called so."""
    longer = list(known.called(known.identified))
    gazetteer = Gazetteer((id, known.labels[id], name) for id, name in longer)
    decided = {spelt(name) for _, name in longer for spelt in (match.full, match.plain)}
    for id, name in known.called(known.named):
        best = None if decided & {match.full(name), match.plain(name)} else gazetteer.lookup(name)
        if best is not None and any(match.compatible(name, other) for other in known.names[best]):
            yield Pair(
                id, best, "short name", 0.88, f"{name!r} is short for {best} ({' / '.join(known.names[best])}) alone"
            )


def _by_spelling(known: Known, clusters: Clusters) -> Iterator[Pair]:
    """A misspelling of the name of one identified firm."""
    firms: dict[str, set[str]] = defaultdict(set)
    for id, name in known.called(known.identified):
        firms[match.plain(name)].add(id)
    loose = [
        (id, name)
        for id, name in known.called(known.named)
        if clusters.find(id) == id and match.plain(name) not in firms
    ]
    close: dict[str, set[str]] = defaultdict(set)
    for written, right in match.spellings([match.plain(name) for _, name in loose], list(firms)):
        close[written].add(right)
    for id, name in loose:
        rights = close.get(match.plain(name), set())
        best = clusters.one(id for right in rights for id in firms[right])
        if best is not None and any(match.compatible(name, other) for other in known.names[best]):
            score = max(fuzz.ratio(match.plain(name), right) for right in rights)
            why = f"{name!r} is {best} ({' / '.join(known.names[best])}) misspelt, alike to {score:.0f} of 100"
            yield Pair(id, best, "spelling", round(0.8 * score / 100, 3), why)


def _among_names(known: Known, clusters: Clusters) -> Iterator[Pair]:
    """Names that differ only in their legal form, or in that one has none."""
    alike: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for id, name in known.called(known.named):
        alike[match.plain(name)].append((id, name))
    for same in alike.values():
        if len({match.family(name) for _, name in same} - {""}) > 1:
            continue  # Acme AG and Acme GmbH: a bare Acme could be either
        (first, written), *others = sorted(same, key=lambda pair: strength(pair[0]))
        for id, name in others:
            yield Pair(first, id, "same plain name", 0.9, f"{written!r} and {name!r} differ in the legal form only")


def _by_likeness(known: Known, clusters: Clusters, alike: Sequence[Scored]) -> Iterator[Pair]:
    """A name whose words are those of one firm, in another order, script or spelling."""
    loose = {id for id in known.named if clusters.find(id) == id and clusters.size(id) == 1}
    partners: dict[str, list[Scored]] = defaultdict(list)
    for pair in alike:
        if pair.verdict.band == "merge" and match.compatible(*pair.verdict.names):
            for id in {pair.a, pair.b} & loose:
                partners[id].append(pair)
    for id, pairs in sorted(partners.items()):
        best = max(pairs, key=lambda pair: (pair.verdict.score, pair.other(id)))
        either = (id, best.other(id))
        if any(clusters.one(p.other(end) for p in partners[end]) is None for end in either if end in partners):
            clusters.vetoes["several firms alike"] += 1
            continue
        left, right = best.verdict.names if best.a == id else best.verdict.names[::-1]
        why = f"{left!r} is like {right!r} of {best.other(id)}: {best.verdict.told()}"
        yield Pair(id, best.other(id), "likeness", round(min(0.9, best.verdict.score), 3), why)


def _by_office(known: Known, clusters: Clusters) -> Iterator[Pair]:
    """Persons of one name who hold an office at one firm."""
    staff: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for person, firm in known.offices:
        if known.labels.get(person) == "Person":
            staff[clusters.find(firm)].extend(known.called([person]))
    for firm, people in sorted(staff.items()):
        for n, (a, name) in enumerate(people):
            for b, other in people[n + 1 :]:
                if a != b and match.one_person(name, other):
                    yield Pair(
                        a,
                        b,
                        "same office",
                        0.9,
                        f"the two have one name, up to order and initials, and an office at {firm}",
                    )


_RULES = (_by_identifier, _by_ticker, _by_name, _by_short_name, _by_spelling, _among_names)
"""The strongest first; likeness of names and shared offices come after."""
