"""Filings at the SEC: reports with inline XBRL, their items and tables, insiders, owners, holdings, offerings, votes.

A filing comes as one page, one XML file, one submission with an SGML header and several documents, or the JSON of all
facts of a company. It is published when EDGAR accepted it; where the file does not say, by its sidecar
(`<name>.meta.json`), a date in its name, its signature date, its accession number's year, or else when it was read.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from ingest.extract.filings.companyfacts import is_company_facts
from ingest.extract.filings.document import is_form
from ingest.extract.filings.dossier import Dossier
from ingest.extract.filings.submission import is_submission
from ingest.extract.news.article import is_article
from ingest.locate import is_page
from ingest.sidecar import published_beside, sidecar_of
from ingest.source import Extract, Models, Record, Source
from kg.errors import RecordError


class Filings(Source):
    """Filings of the SEC's forms."""

    extractor = "filings.form@4"
    patterns = ("*.xml", "*.htm", "*.html", "*.txt", "*.nc", "*.json")

    def records(self) -> Iterator[Record]:
        """One record per file that is a filing: no news article, no text without an SGML header, no other JSON."""
        now = datetime.now(UTC)
        for path in self.files:
            content = path.read_bytes()
            if is_filing(content, path):
                sidecar = sidecar_of(path)
                name = path.relative_to(self.folder).as_posix()
                yield Record("filings", name, content, published_beside(sidecar), {"read": now}, sidecar)

    def claims(self, record: Record, models: Models) -> Extract:
        if not record.content.strip():
            raise RecordError(f"{record.path} is empty; expected a filing")
        return Dossier(record, self.extractor, models).extract()


def is_filing(content: bytes, path: Path) -> bool:
    """True for submissions, for XML of the SEC's forms, for company facts, and for pages that are no articles."""
    if path.suffix == ".json":
        return is_company_facts(content)
    if path.suffix in (".txt", ".nc"):
        return is_submission(content)
    if path.suffix == ".xml":
        return is_form(content)
    return is_submission(content) or (is_page(content) and not is_article(content))
