"""A dossier is one filing while it is read: header, sidecar and documents, each by the reader of its kind.

What the filing says of itself (form, filers, publication) is told once; each document then speaks with that date.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from ingest.clean import when
from ingest.extract.filings import beneficial, forms, sections, subsidiaries
from ingest.extract.filings import cover as covers
from ingest.extract.filings.attachment import attachments
from ingest.extract.filings.companyfacts import CompanyFacts, is_company_facts
from ingest.extract.filings.document import cover_of, is_tagged, is_viewer, opening, tagged_facts, xml_root
from ingest.extract.filings.filing import Cover, Party, Spot, Witness
from ingest.extract.filings.grid import of_page
from ingest.extract.filings.submission import Header, header, is_submission, parts
from ingest.extract.filings.tabular import figure_claims
from ingest.extract.filings.xbrl import Facts, properties
from ingest.extract.formats.identifier import identify
from ingest.extract.formats.markup import local
from ingest.extract.prose.assertions import Origin, to_claims
from ingest.extract.prose.relations import relations
from ingest.extract.text.names import Mention
from ingest.locate import is_page, text_of
from ingest.sidecar import end_of_day
from ingest.source import Extract, Models, Record, Refusal
from kg.errors import OntologyError, RecordError
from kg.model import FIRST, Claim, ClaimBatch, Node, as_time, digest

PROSE_LENGTH = 200_000
"""Characters of a filing's first document whose sentences are read for relations."""
PROSE = "filings.text@1"
"""Extractor of those relations; all else is the source's own."""
_FIGURES = re.compile(r"10-?[KQ]|8-K|EX-(?:13|99)|6-K|20-F", re.IGNORECASE)
"""Kinds of documents whose tables hold figures of the filer."""


class Dossier:
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
        if is_company_facts(content):
            self._add(CompanyFacts(content).claims(Witness(self._record.document, FIRST, self._extractor)))
        elif is_submission(content):
            self._submission()
        else:
            self._single(content)
        batch = ClaimBatch(_one_node_each(self._batch().table))
        return Extract(batch, tuple(self._refused), sorted(self._skipped), dict(self._rules))

    def _batch(self) -> ClaimBatch:
        """The claims as one batch; values that no column can hold (a sum of 40 digits) are refused one by one."""
        try:
            return ClaimBatch.of(self._claims)
        except OntologyError:
            good: list[ClaimBatch] = []
            for claim in self._claims:
                try:
                    good.append(ClaimBatch.of([claim]))
                except OntologyError as error:
                    self._refused.append(Refusal(claim.evidence.locator, str(error)))
            return ClaimBatch.concat(good)

    def _submission(self) -> None:
        """Header first; the documents then speak with its date and filers."""
        said = header(self._record.content)
        head = covers.of_header(said)
        documents = parts(self._record.content)
        first = cover_of(documents[0].content) if documents else Cover()
        witness = self._witness(head.published, first.published)
        text = opening(documents[0].content) if documents else None
        if text:
            text = Spot(f"part:1 {text.locator}", text.quote)
        self._add(head.claims(witness, self._start(), text))
        self._add(_items(said, witness))
        if not head.parties:
            self._add(first.filed(replace(witness, prefix="part:1 ")))
            head.parties = first.parties
        head.period = head.period or first.period
        if documents:
            self._sentences(documents[0].content, replace(witness, prefix="part:1 "), head.parties)
        for part in documents:
            self._content(part.content, replace(witness, prefix=f"part:{part.number} "), head, part.type)

    def _single(self, content: bytes) -> None:
        beside = self._beside()
        cover = cover_of(content)
        witness = self._witness(beside.published if beside else None, cover.published)
        if beside:
            self._add(beside.filed(replace(witness, document=digest(self._record.sidecar)), witness.document))
        self._add(cover.claims(witness, self._start(), opening(content)))
        self._sentences(content, witness, cover.parties)
        form = cover.form.quote if cover.form else ""
        self._content(content, witness, beside or cover, form if xml_root(content) is None else "")

    def _sentences(self, content: bytes, witness: Witness, parties: Sequence[Party]) -> None:
        """What the prose asserts; `we` and `the Company` are the filer."""
        if xml_root(content) is not None:
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
        told = said or covers.named_date(path) or signed or covers.accession_year(path)
        published = self._record.published or (told and end_of_day(told))
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

    def _content(self, content: bytes, witness: Witness, cover: Cover, kind: str = "") -> None:
        """What one document says beyond its cover; `kind` is its type in the submission or the form it names."""
        root = xml_root(content)
        if root is not None and local(root) == "xbrl":
            self._facts(tagged_facts(content), witness, cover)
        elif root is not None:
            if local(root) == "informationTable":
                self._rules["13f.thousands"] += forms.in_thousands(witness)
            self._add(forms.claims(root, witness, cover))
            self._attached(content, witness, cover)
        elif not content.lstrip().startswith(b"<?xml") or is_page(content):
            self._text(content, witness, cover, kind)

    def _attached(self, content: bytes, witness: Witness, cover: Cover) -> None:
        """Tables that a form carries in base64; other attachments (pages, pictures) are counted and left."""
        for number, inside in enumerate(attachments(content), 1):
            root = xml_root(inside) if inside else None
            if inside is None:
                self._refused.append(Refusal(f"{witness.prefix}attachment:{number}", "the attachment is not base64"))
            elif root is None:
                self._rules["attachment.left"] += 1
            else:
                self._content(inside, replace(witness, prefix=f"{witness.prefix}attachment:{number} "), cover)

    def _text(self, content: bytes, witness: Witness, cover: Cover, kind: str) -> None:
        """A page or a text: tagged facts, items, a schedule of owners, a list of subsidiaries, tables of figures."""
        tagged = is_tagged(content)
        if tagged:
            self._facts(tagged_facts(content), witness, cover)
        text = text_of(content)
        form = sections.kind_of(kind or (cover.form.quote if cover.form else ""))
        if form and not kind.upper().startswith("EX"):
            self._add(sections.claims(sections.sections(text, form), witness))
        if beneficial.is_schedule(text):
            self._add(beneficial.of_text(text, witness, cover.parties))
        page = is_page(content)
        if subsidiaries.is_subsidiaries(kind if kind.upper().startswith("EX") else "", text):
            self._subsidiaries(subsidiaries.listed(of_page(content) if page else (), text), witness, cover)
        elif page and not tagged and (_FIGURES.match(kind) or is_viewer(content)):
            self._add(figure_claims(of_page(content), witness))

    def _subsidiaries(self, firms: list[subsidiaries.Subsidiary], witness: Witness, cover: Cover) -> None:
        parent = next((party for party in cover.parties if party.role == "filer"), None)
        if parent is None:
            why = "the list of subsidiaries names no filer; put a sidecar <name>.meta.json with cik and name beside it"
            self._refused.append(Refusal(f"{witness.prefix}chars:0-0", why))
            return
        if not firms:
            self._refused.append(Refusal(f"{witness.prefix}chars:0-0", "no subsidiary could be read from the list"))
        self._add(subsidiaries.claims(firms, witness, parent, cover.period))

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
            node = Node(labels.get(subject, "Company"), subject, *fact.stated(ours.get(id(fact))))
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


def _items(said: Header, witness: Witness) -> Iterator[Claim]:
    """Items of an 8-K that the header lists, by code or by title."""
    for number, span in enumerate(said.items, 1):
        node = Node("Document", f"doc:{witness.document}", {"statement": span.text}, f"header item {number}")
        yield witness.says(node, Spot(span.locator, span.text))


def _one_node_each(table: pa.Table) -> pa.Table:
    """The table with one node row per subject, the first, and without repeated rows."""
    rows = table.append_column("#", pa.array(range(table.num_rows), pa.int64()))
    nodes = rows.filter(pc.equal(rows["kind"], "node")).group_by("subject").aggregate([("#", "min")])["#_min"]
    others = rows.filter(pc.not_equal(rows["kind"], "node"))
    keys = ["kind", "subject", "name", "object", "key", "locator", "value_text"]
    first = others.group_by(keys).aggregate([("#", "min")])["#_min"]
    keep = sorted([*nodes.to_pylist(), *first.to_pylist()])
    return table.take(pa.array(keep, pa.int64()))
