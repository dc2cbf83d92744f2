"""Only sentences that may say something are parsed, and those passed by say nothing."""

import csv
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ingest.extract.prose import asked
from ingest.extract.prose.relations import relations
from ingest.extract.text.names import Gazetteer, Mention
from ingest.extract.text.recognise import written_names
from ingest.extract.text.sentences import sentences
from ingest.source import Models

PUBLISHED = datetime(2024, 3, 12, tzinfo=UTC)
EVENTS = Path(__file__).parent / "data" / "events.tsv"
FILER = Mention(0, 0, "Orvik Shipping Inc.", "Company", "Orvik Shipping Inc.", "cik:0000990017")
RISKS = (
    "We may need to purchase more fuel than we have ordered, and the price of it could rise.",
    "The terms of our contracts with customers differ, and each of them can be ended on short notice.",
    "Our success depends on the work of people whom we hire, train and keep.",
    "The Company lent {n} thousand dollars to Halden Bank plc in the year before last.",
    "If the port is closed for {n} days, the order of the voyages has to be changed.",
    "Fees that the crews are owed are shown as a debt at the end of each of the {n} quarters.",
    "We defaulted on a bond of $40 million.",
    "Freight rates are set by brokers, who act for owners and for those who ship goods.",
)
"""Sentences as a report has them; the fourth and the seventh say something."""


def test_of_a_report_little_is_parsed() -> None:
    report = "\n".join(risk.format(n=n) for n in range(2, 12) for risk in RISKS)
    reader = asked.Reader(report, written_names(report, Gazetteer()), Gazetteer(), FILER)
    read = sum(end - start for start, end in (one.span for one in reader.asked(sentences(report))))
    assert 0 < read < 0.3 * len(report)


def test_what_a_report_says_is_found_all_the_same() -> None:
    report = "\n".join(risk.format(n=3) for risk in RISKS)
    found = {(f.event or f.type) for f in relations(report, Models(), PUBLISHED, FILER)}
    assert found == {"LENDS_TO", "default"}


def test_a_sentence_that_is_passed_by_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    with EVENTS.open(encoding="utf-8") as file:
        rows = [row["sentence"] for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)][::4]
    text = "\n".join(re.sub(r"\{[A-Z]+ ([^}]*)\}", r"\1", row) for row in rows)
    chosen = relations(text, Models(), PUBLISHED, FILER)
    monkeypatch.setattr(asked, "worth_parsing", lambda *_: True)
    assert relations(text, Models(), PUBLISHED, FILER) == chosen
