"""Which reader reads which of the SEC's XML forms, by root element and submission type."""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from ingest.extract.filings import beneficial, notice, offering
from ingest.extract.filings.filing import Cover, Party, Witness
from ingest.extract.filings.form import Form
from ingest.extract.filings.holdings import DOLLARS_SINCE, positions
from ingest.extract.filings.ownership import Ownership
from ingest.extract.filings.portfolio import Portfolio
from ingest.extract.formats.markup import local
from ingest.source import Refusal
from kg.errors import RecordError
from kg.model import Claim


def claims(root: etree._Element, witness: Witness, cover: Cover) -> Iterator[Claim | Refusal]:
    """What a form says beyond its cover; nothing for forms that have no reader of their own."""
    name = local(root)
    if name == "ownershipDocument":
        yield from _insiders(root, witness)
    elif name == "informationTable":
        yield from positions(root, witness, _with_cik(cover), cover.period)
    elif name == "proxyVoteTable":
        yield from notice.votes(root, witness)
    elif name == "edgarSubmission":
        yield from _submitted(root, witness, cover)


def in_thousands(witness: Witness) -> bool:
    """True if values of a 13F of that date are thousands of dollars."""
    return witness.published < DOLLARS_SINCE


def _submitted(root: etree._Element, witness: Witness, cover: Cover) -> Iterator[Claim | Refusal]:
    kind = Form(root).text("submissionType").upper()
    filer = _with_cik(cover) or next(iter(cover.parties), None)
    if kind.startswith("NPORT"):
        yield from Portfolio(root, witness).claims()
    elif kind in ("D", "D/A"):
        yield from offering.form_d(root, witness)
    elif kind.startswith("144"):
        yield from notice.form_144(root, witness, _seller(cover))
    elif kind.startswith("SCHEDULE 13"):
        yield from beneficial.of_xml(root, witness)
    elif kind.startswith("24F"):
        yield from offering.form_24f(root, witness, filer)
    elif kind in ("C", "C/A", "C-U", "C-AR", "C-AR/A", "C-TR", "C-U/A"):
        yield from offering.form_c(root, witness, filer)


def _insiders(root: etree._Element, witness: Witness) -> Iterator[Claim]:
    form = Ownership(root)
    if form.issuer is None:
        raise RecordError("the ownershipDocument names no issuer; it is cut off or of another kind")
    for party in [*form.owners, form.issuer]:
        yield from party.claims(witness)
    yield from form.claims(witness)


def _with_cik(cover: Cover) -> Party | None:
    return next((party for party in cover.parties if party.cik), None)


def _seller(cover: Cover) -> Party | None:
    return next((party for party in cover.parties if "owner" in party.role), None) or _with_cik(cover)
