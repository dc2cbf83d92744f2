"""Resolution: which ids are one entity, as judgements that are claims and can be undone.

Strong identifiers speak first (equal LEI, CIK, ISIN, CUSIP, ticker), names last, and names only join an id that is itself no
more than a name. Two ids of one cluster may never carry different LEIs or CIKs, nor be a pair that someone forbade.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
from rapidfuzz import fuzz

from ingest import match
from ingest.extract.names import Gazetteer
from kg.errors import LedgerError
from kg.files import Files
from kg.identity import strength
from kg.ledger import Ledger
from kg.model import Claim, ClaimBatch, Evidence, Judgement, RunManifest
from kg.ontology import FIRMS, scheme

UNIQUE = ("lei", "cik", "cusip", "isin")
"""Schemes of which an entity has one: two different ones are two entities (a firm's ISINs stand on its securities)."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two ids that a rule holds for one entity."""

    a: str
    b: str
    rule: str
    score: float
    why: str


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


def resolve(ledger: Ledger, files: Files) -> ResolveReport:
    """Judge what is alive in the ledger, in one commit; nothing new to say writes nothing."""
    known = _Known(ledger.alive())
    clusters = _Clusters(known)
    found = [pair for rule in _RULES for pair in rule(known, clusters) if clusters.join(pair)]
    report = ResolveReport(ledger.head, False, len(found), dict(Counter(p.rule for p in found)), dict(clusters.vetoes))
    report.clusters = clusters.count()
    if found:
        rows = [f"{p.a} = {p.b}: {p.why}; score {p.score:g}" for p in found]
        report.commit, report.committed = _judge(ledger, files, found, rows), True
    return report


def undo(ledger: Ledger, files: Files, a: str, b: str) -> int:
    """Retract the judgements that two ids are one entity; returns the commit. A later resolution may judge it again."""
    alive = ledger.alive()
    ids = _judged(alive, lambda x, y: {x, y} == {a, b})
    if not ids:
        raise LedgerError(
            f"no alive judgement says that {a} and {b} are the same; look at the `same` rows of ledger.alive()"
        )
    manifest = RunManifest("resolve", {"rows": [f"undo {a} = {b}"], "head": ledger.head})
    files.put(manifest.to_bytes())
    return ledger.commit(ClaimBatch.of(()), manifest, retract=ids)


def forbid(ledger: Ledger, files: Files, a: str, b: str) -> int:
    """Say that two ids are two entities, for good; what joined the weaker one to the other is retracted."""
    alive = ledger.alive()
    clusters = _Clusters(_Known(alive))
    weaker = max(a, b, key=strength)
    joined = clusters.find(a) == clusters.find(b)
    ids = _judged(alive, lambda x, y: weaker in (x, y)) if joined else []
    pair = Pair(a, b, "forbidden", 1.0, "said to be two")
    return _judge(ledger, files, [pair], [f"{a} is not {b}: said to be two"], same=False, retract=ids)


def _judged(alive: pa.Table, wanted: object) -> list[str]:
    rows = alive.filter(pc.equal(alive["kind"], "same")).select(["claim", "subject", "object"]).to_pylist()
    return [row["claim"] for row in rows if wanted(row["subject"], row["object"])]  # type: ignore[operator]


def _judge(
    ledger: Ledger,
    files: Files,
    pairs: Sequence[Pair],
    rows: Sequence[str],
    same: bool = True,
    retract: Sequence[str] = (),
) -> int:
    """Commit judgements whose evidence is the run's manifest, row by row."""
    manifest = RunManifest("resolve", {"rows": list(rows), "head": ledger.head})
    document = files.put(manifest.to_bytes())
    published = ledger.known(ledger.head)
    claims = (
        Claim(
            Judgement(pair.a, pair.b, same),
            Evidence(
                document, f"run:{manifest.id} row:{n}", row, f"resolve.{pair.rule.replace(' ', '_')}@1", pair.score
            ),
            published,
        )
        for n, (pair, row) in enumerate(zip(pairs, rows, strict=True), 1)
    )
    return ledger.commit(ClaimBatch.of(claims), manifest, retract=retract)


class _Known:
    """What the alive claims say that identity can be told from."""

    def __init__(self, alive: pa.Table) -> None:
        rows = pl.DataFrame(alive.select(["kind", "subject", "name", "object", "value_text"]))
        nodes = rows.filter(pl.col("kind") == "node")
        self.labels: dict[str, str] = dict(nodes.select("subject", "name").iter_rows())
        properties = (
            rows.filter(pl.col("kind") == "property")
            .unique(["subject", "name", "value_text"])
            .sort("subject", "value_text")
        )
        self.names: dict[str, list[str]] = self._texts(properties, "name")
        self.tickers = self._texts(properties, "ticker")
        self.identifiers = self._texts(properties, "identifier")
        judged = (
            rows.filter(pl.col("kind").is_in(["same", "not_same"])).select("kind", "subject", "object").sort(pl.all())
        )
        self.same = [(a, b) for kind, a, b in judged.iter_rows() if kind == "same"]
        self.not_same = {frozenset((a, b)) for kind, a, b in judged.iter_rows() if kind == "not_same"}
        offices = rows.filter((pl.col("kind") == "edge") & (pl.col("name") == "OFFICER_OF")).select("subject", "object")
        self.offices: list[tuple[str, str]] = sorted(set(offices.iter_rows()))
        firms = sorted(id for id, label in self.labels.items() if label in FIRMS)
        self.identified = [id for id in firms if scheme(id) != "name"]
        self.named = [id for id in firms if scheme(id) == "name"]

    @staticmethod
    def _texts(properties: pl.DataFrame, name: str) -> dict[str, list[str]]:
        texts: dict[str, list[str]] = defaultdict(list)
        for id, text in properties.filter(pl.col("name") == name).select("subject", "value_text").iter_rows():
            texts[id].append(text)
        return texts

    def called(self, ids: Iterable[str]) -> Iterator[tuple[str, str]]:
        """(id, name) for every name of these ids."""
        for id in ids:
            for name in self.names.get(id, ()):
                yield id, name


class _Clusters:
    """Ids joined so far, with what forbids joining more."""

    def __init__(self, known: _Known) -> None:
        self._known = known
        self._parent: dict[str, str] = {}
        self._strong: dict[str, dict[str, str]] = {}
        self._apart: dict[str, set[str]] = defaultdict(set)
        self._members: dict[str, set[str]] = {}
        self.vetoes: Counter[str] = Counter()
        for pair in known.not_same:
            a, b = sorted(pair)
            self._apart[a].add(b)
            self._apart[b].add(a)
        for a, b in known.same:
            if frozenset((a, b)) not in known.not_same:
                self._union(self.find(a), self.find(b))

    def find(self, id: str) -> str:
        """The least id of the cluster."""
        while (parent := self._parent.get(id, id)) != id:
            self._parent[id] = self._parent.get(parent, parent)
            id = parent
        return id

    def join(self, pair: Pair) -> bool:
        """Join two ids; False if they are joined already or may not be."""
        a, b = self.find(pair.a), self.find(pair.b)
        if a == b:
            return False
        if why := self._forbids(a, b):
            self.vetoes[why] += 1
            return False
        self._union(a, b)
        return True

    def one(self, ids: Iterable[str]) -> str | None:
        """The strongest of these ids if all are of one cluster, else None."""
        ids = list(ids)
        return min(ids, key=strength) if len({self.find(id) for id in ids}) == 1 else None

    def count(self) -> int:
        return len(self._members)

    def _union(self, a: str, b: str) -> None:
        if a == b:
            return
        least, other = sorted((a, b), key=strength)
        strong = self._ids(other) | self._ids(least)
        members = self._members.pop(other, {other}) | self._members.pop(least, {least})
        self._parent[other], self._strong[least], self._members[least] = least, strong, members

    def _ids(self, root: str) -> dict[str, str]:
        """The unique identifier of each scheme that a cluster carries."""
        if root not in self._strong:
            given = [root, *self._known.identifiers.get(root, ())]
            self._strong[root] = {scheme(id): id for id in given if scheme(id) in UNIQUE}
        return self._strong[root]

    def _forbids(self, a: str, b: str) -> str:
        labels = {self._known.labels.get(a, ""), self._known.labels.get(b, "")}
        if len(labels) > 1 and not labels <= set(FIRMS):
            return "other kind of node"
        left, right = self._ids(a), self._ids(b)
        if clash := sorted(s for s in left.keys() & right.keys() if left[s] != right[s]):
            return f"different {clash[0]}"
        if any(self._apart[id] & self._members.get(b, {b}) for id in self._members.get(a, {a}) if id in self._apart):
            return "forbidden"
        return ""


def _by_identifier(known: _Known, clusters: _Clusters) -> Iterator[Pair]:
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


def _by_ticker(known: _Known, clusters: _Clusters) -> Iterator[Pair]:
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


def _by_name(known: _Known, clusters: _Clusters) -> Iterator[Pair]:
    """A name that is the name of one identified firm: in full, then without its legal form."""
    for rule, spelt, score in (("name", match.full, 0.98), ("plain name", match.plain, 0.93)):
        firms: dict[str, set[str]] = defaultdict(set)
        for id, name in known.called(known.identified):
            firms[spelt(name)].add(id)
        for id, name in known.called(known.named):
            ids = {
                f for f in firms.get(spelt(name), ()) if any(match.compatible(name, other) for other in known.names[f])
            }
            if (best := clusters.one(ids)) is not None:
                yield Pair(id, best, rule, score, f"{name!r} is the {rule} of {best} ({' / '.join(known.names[best])})")
            elif ids:
                clusters.vetoes[f"several firms of that {rule}"] += 1


def _by_short_name(known: _Known, clusters: _Clusters) -> Iterator[Pair]:
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


def _by_spelling(known: _Known, clusters: _Clusters) -> Iterator[Pair]:
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


def _among_names(known: _Known, clusters: _Clusters) -> Iterator[Pair]:
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


def _by_office(known: _Known, clusters: _Clusters) -> Iterator[Pair]:
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


_RULES = (_by_identifier, _by_ticker, _by_name, _by_short_name, _by_spelling, _among_names, _by_office)
"""The strongest first."""
