"""Filings at the SEC: 10-K, 10-Q and 8-K pages with inline XBRL, Forms 3, 4, 5 and 13F, and the cover of any other
form.

A filing comes as one page, one XML file or one submission with an SGML header and several documents. It is
published when EDGAR accepted it; where the file does not say, by its sidecar (`<name>.meta.json`), a date in its
name, its signature date, the year of its accession number, or else when it was read.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from lxml import etree

from ingest.clean import when
from ingest.extract import cover as covers
from ingest.extract.article import is_article
from ingest.extract.assertions import Origin, to_claims
from ingest.extract.filing import TEXT_LENGTH, Cover, Party, Spot, Witness
from ingest.extract.holdings import DOLLARS_SINCE, positions
from ingest.extract.identifier import identify
from ingest.extract.markup import local, parse
from ingest.extract.names import Mention
from ingest.extract.ownership import Ownership
from ingest.extract.relations import relations
from ingest.extract.submission import header, is_submission, parts
from ingest.extract.xbrl import Fact, Facts, properties, read_facts
from ingest.locate import is_page, text_of
from ingest.source import Extract, Models, Record, Refusal, Source
from kg.errors import RecordError
from kg.model import Claim, ClaimBatch, Node, Value, as_time, digest

PROSE_LENGTH = 200_000
"""Characters of a filing's first document whose sentences are read for relations."""
PROSE = "filings.text@1"
"""Extractor of those relations; all else is the source's own."""
_ROOTS = ("ownershipDocument", "edgarSubmission", "informationTable")


class Filings(Source):
    """Filings of the SEC's forms."""

    extractor = "filings.form@1"
    patterns = ("*.xml", "*.htm", "*.html", "*.txt", "*.nc")

    def records(self) -> Iterator[Record]:
        """One record per file that is a filing: no news article, no text without an SGML header."""
        now = datetime.now(UTC)
        for path in self.files:
            content = path.read_bytes()
            if is_filing(content, path):
                sidecar = _sidecar(path)
                name = path.relative_to(self.folder).as_posix()
                yield Record("filings", name, content, _said_by(sidecar), {"read": now}, sidecar)

    def claims(self, record: Record, models: Models) -> Extract:
        if not record.content.strip():
            raise RecordError(f"{record.path} is empty; expected a filing")
        return _Reading(record, self.extractor, models).extract()


def is_filing(content: bytes, path: Path) -> bool:
    """True for submissions, for XML of the SEC's forms, and for pages that are no articles."""
    if path.suffix in (".txt", ".nc"):
        return is_submission(content)
    if path.suffix == ".xml":
        return any(name.encode() in content[:5000] for name in _ROOTS)
    return is_submission(content) or (is_page(content) and not is_article(content))


def _sidecar(path: Path) -> bytes:
    """Bytes of `<name>.meta.json` beside a file, with or without the file's own ending."""
    for name in (f"{path.name}.meta.json", f"{path.stem}.meta.json"):
        if (beside := path.with_name(name)).exists():
            return beside.read_bytes()
    return b""


def _said_by(sidecar: bytes) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(json.loads(sidecar)["published"])) if sidecar else None
    except (ValueError, KeyError):
        return None
    return moment if moment is None or moment.tzinfo else moment.replace(tzinfo=UTC)


class _Reading:
    """One filing being read: what it gives is collected here."""

    def __init__(self, record: Record, extractor: str, models: Models) -> None:
        self._record = record
        self._models = models
        self._extractor = extractor
        self._claims: list[Claim] = []
        self._refused: list[Refusal] = []
        self._skipped: set[str] = set()
        self._rules: Counter[str] = Counter()

    def extract(self) -> Extract:
        """Everything the filing gives."""
        content = self._record.content
        self._submission() if is_submission(content) else self._single(content)
        batch = ClaimBatch(_one_node_each(ClaimBatch.of(self._claims).table))
        return Extract(batch, tuple(self._refused), sorted(self._skipped), dict(self._rules))

    def _submission(self) -> None:
        """Header first; the parts then speak with its date and filers."""
        head = covers.of_header(header(self._record.content))
        documents = parts(self._record.content)
        first = _cover_of(documents[0].content) if documents else Cover()
        witness = self._witness(head.published, first.published)
        text = _opening(documents[0].content) if documents else None
        if text:
            text = Spot(f"part:1 {text.locator}", text.quote)
        self._add(head.claims(witness, self._start(), text))
        if not head.parties:
            self._add(first.filed(replace(witness, prefix="part:1 ")))
        if documents:
            self._sentences(documents[0].content, replace(witness, prefix="part:1 "), head.parties or first.parties)
        for part in documents:
            self._content(part.content, replace(witness, prefix=f"part:{part.number} "), head)

    def _single(self, content: bytes) -> None:
        beside = self._beside()
        cover = _cover_of(content)
        witness = self._witness(beside.published if beside else None, cover.published)
        if beside:
            self._add(beside.filed(replace(witness, document=digest(self._record.sidecar)), witness.document))
        self._add(cover.claims(witness, self._start(), _opening(content)))
        self._sentences(content, witness, cover.parties)
        self._content(content, witness, beside or cover)

    def _sentences(self, content: bytes, witness: Witness, parties: Sequence[Party]) -> None:
        """What the prose asserts; `we` and `the Company` are the filer."""
        if _xml_root(content) is not None:
            return
        text = text_of(content)[:PROSE_LENGTH]
        filer = next((party for party in parties if party.role == "filer" and party.name), None)
        speaker = Mention(0, 0, filer.name, filer.kind, filer.name, filer.id) if filer else None
        found = relations(text, self._models, witness.published, speaker)
        self._add(to_claims(found, text, Origin(witness.document, witness.published, PROSE, witness.prefix)))

    def _beside(self) -> Cover | None:
        """Cover made from the sidecar; its places count characters of the sidecar's text."""
        if not self._record.sidecar:
            return None
        text = self._record.sidecar.decode("utf-8", "replace")
        try:
            said = {str(key): str(value) for key, value in json.loads(text).items()}
        except (ValueError, AttributeError) as error:
            raise RecordError(f"the sidecar of {self._record.path} is not a JSON object: {error}") from error
        name, cik = said.get("name", ""), said.get("cik", "")
        cover = Cover(published=self._record.published, period=when(said.get("period", "")))
        place = text.find(name or cik)
        if cik and place >= 0:
            cover.parties.append(Party(name, Spot(f"chars:{place}-{place + len(name or cik)}", name or cik), cik))
        return cover

    def _witness(self, said: datetime | None, signed: datetime | None) -> Witness:
        """The voice of this filing, with its publication by the first that tells it."""
        path, read = self._record.path, self._record.meta.get("read")
        published = self._record.published or said or covers.named_date(path) or signed or covers.accession_year(path)
        if published is None:
            self._rules["published.when_read"] += 1
            published = read
        if published is None:
            raise RecordError(
                f"{path} does not say when it was published; put <name>.meta.json with `published` beside it"
            )
        return Witness(self._record.document, as_time(published), self._extractor)

    def _start(self) -> Spot:
        quote = text_of(self._record.content)[:80]
        return Spot(f"chars:0-{len(quote)}", quote)

    def _content(self, content: bytes, witness: Witness, cover: Cover) -> None:
        """What one document says beyond its cover."""
        root = _xml_root(content)
        name = local(root) if root is not None else ""
        if root is not None and name == "ownershipDocument":
            form = Ownership(root)
            if form.issuer is None:
                raise RecordError("the ownershipDocument names no issuer; it is cut off or of another kind")
            people = [*form.owners, form.issuer]
            self._add(claim for party in people for claim in party.claims(witness))
            self._add(form.claims(witness))
        elif root is not None and name == "informationTable":
            manager = next((party for party in cover.parties if party.cik), None)
            if witness.published < DOLLARS_SINCE:
                self._rules["13f.thousands"] += 1
            self._add(positions(root, witness, manager, cover.period))
        elif is_tagged(content):
            self._facts(read_facts(parse(content)), witness, cover)

    def _facts(self, facts: Facts, witness: Witness, cover: Cover) -> None:
        labels = {party.id: party.kind for party in cover.parties}
        self._refused += [Refusal(witness.prefix + place, why) for place, why in facts.refused]
        self._skipped |= set(facts.skipped)
        ours = {id(fact): name for name, fact in properties(facts)}
        for fact in facts.facts:
            if not fact.context.entity:
                self._refused.append(Refusal(f"{witness.prefix}xpath:{fact.path}", "the context names no CIK"))
                continue
            subject = identify(f"cik:{fact.context.entity}")
            node = Node(labels.get(subject, "Company"), subject, *_property(fact, ours.get(id(fact))))
            spot = Spot(f"xpath:{fact.path}", fact.quote)
            is_text = isinstance(fact.value, str)
            start = as_time(fact.context.start) if is_text and fact.context.start else fact.context.valid_from
            self._claims.append(witness.says(node, spot, start))

    def _add(self, found: Iterable[Claim | Refusal]) -> None:
        for one in found:
            if isinstance(one, Refusal):
                self._refused.append(one)
            else:
                self._claims.append(one)


def _property(fact: Fact, name: str | None) -> tuple[dict[str, Value], str]:
    """Properties and key of the node that states a fact."""
    if isinstance(fact.value, str):
        return {"statement": fact.value}, fact.key
    if fact.money:
        return {name or "fact": fact.value, "currency": fact.unit}, fact.context.period if name else fact.key
    return {"measure": float(fact.value)}, fact.key


def is_tagged(content: bytes) -> bool:
    """True for a page with inline XBRL."""
    return b"ix:nonFraction" in content or b"ix:nonNumeric" in content


def _xml_root(content: bytes) -> etree._Element | None:
    """Root of a document in XML that is no page."""
    head = content[:3000].lstrip()
    if not head.startswith(b"<") or is_page(content):
        return None
    root = parse(content)
    return root if local(root) in _ROOTS else None


def _cover_of(content: bytes) -> Cover:
    """Cover of one document, by its kind."""
    root = _xml_root(content)
    if root is not None:
        if local(root) == "informationTable":
            return Cover()
        return Ownership(root).cover() if local(root) == "ownershipDocument" else covers.of_xml(root)
    text = covers.of_text(text_of(content))
    if not is_tagged(content):
        return text
    tagged = covers.of_facts(read_facts(parse(content)))
    tagged.published = text.published
    if not tagged.parties:
        tagged.parties = text.parties
    tagged.form = tagged.form or text.form
    tagged.period = tagged.period or text.period
    return tagged


def _opening(content: bytes) -> Spot | None:
    """The first part of a page's text; XML has none."""
    if _xml_root(content) is not None:
        return None
    quote = text_of(content)[:TEXT_LENGTH]
    return Spot(f"chars:0-{len(quote)}", quote)


def _one_node_each(table: pa.Table) -> pa.Table:
    """The table with one node row per subject, the first, and without repeated rows."""
    rows = table.append_column("#", pa.array(range(table.num_rows), pa.int64()))
    nodes = rows.filter(pc.equal(rows["kind"], "node")).group_by("subject").aggregate([("#", "min")])["#_min"]
    others = rows.filter(pc.not_equal(rows["kind"], "node"))
    keys = ["kind", "subject", "name", "object", "key", "locator", "value_text"]
    first = others.group_by(keys).aggregate([("#", "min")])["#_min"]
    keep = sorted([*nodes.to_pylist(), *first.to_pylist()])
    return table.take(pa.array(keep, pa.int64()))
