"""A loan that a register and a text both tell counts once: by judgement, with both as evidence, until it is undone."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from ingest.locate import locate
from ingest.obligations import join, judge, judged
from ingest.quality import quality
from ingest.resolve import resolve
from ingest.rulings import Author
from kg.errors import LedgerError, OntologyError
from kg.files import Files
from kg.ledger import Ledger
from kg.model import AsOf, Claim, ClaimBatch, Edge, Evidence, Judgement, Node, RunManifest, SameEdge, day
from kg.store import GraphStore
from queries.catalog import Catalog
from queries.exposures import Exposures

BANK, FIRM = "lei:BANK", "lei:FIRM"
ME = Author("an analyst", "read both")
BOTH = "EUR 5.1 million"


def loan(amount: str, facility: str = "", *, to: str = FIRM, currency: str = "EUR") -> Edge:
    return Edge("LENDS_TO", BANK, to, {"amount": Decimal(amount), "currency": currency}, facility)


def said(
    what: Node | Edge | Judgement, document: str, words: str = "as told", *,
    on: str = "2020-03-01", since: str | None = None, until: str | None = None,
) -> Claim:  # fmt: skip
    source = {"r": "registers.exposures@1", "n": "news.relations@1", "p": "images.page@1"}[document[0]]
    evidence = Evidence((document * 64)[:64], f"row:{document}", words, source, 0.9)
    start = day(since) if since else day(on)
    return Claim(what, evidence, day(on), start, day(until) if until else None)


def tell(ledger: Ledger, *claims: Claim) -> None:
    ledger.commit(ClaimBatch.of(claims), RunManifest("test", {"n": ledger.head}))


def parties(ledger: Ledger) -> None:
    tell(ledger, *(said(Node("Company", id), "r0") for id in (BANK, FIRM, "name:firm")))


REGISTER = said(loan("5123456.78", "F-1"), "r1", since="2019-06-01")
ARTICLE = said(loan("5100000"), "n1", f"The bank lent the firm {BOTH}.", on="2020-05-01")


def amounts(ledger: Ledger, at: AsOf = AsOf(valid=day("2021-01-01"))) -> list[Decimal]:
    return sorted(ledger.view(at).edges_of("LENDS_TO")["value_decimal"].to_pylist())


def loans(store: GraphStore, at: datetime | None = None) -> list[tuple[str, int, str]]:
    text = """MATCH (:Entity)-[r:LENDS_TO]->(:Entity) WHERE r.valid_from <= $valid AND r.valid_to > $valid
    AND r.known_from <= $known AND r.known_to > $known AND r.published <= $published AND r.published_to > $published
    RETURN r.id AS id, r.amount_minor AS minor, r.statement AS statement ORDER BY id"""
    rows = store.query(text, {}, AsOf(day("2021-01-01"), at)).to_pylist()
    return [(r["id"], r["minor"], r["statement"]) for r in rows]


def test_a_loan_in_a_register_and_in_an_article_counts_once(ledger: Ledger, files: Files) -> None:
    parties(ledger)
    tell(ledger, REGISTER, ARTICLE)
    assert amounts(ledger) == [Decimal("5100000"), Decimal("5123456.78")]
    report = resolve(ledger, files)
    assert (report.obligations, report.obligations_undecided, report.committed) == (1, 0, True)
    assert amounts(ledger) == [Decimal("5123456.78")]  # the exact one
    exposures = Exposures.from_snapshot(ledger.view(AsOf(valid=day("2021-01-01"))))
    assert exposures.claims.sum() == 5123456.78 and exposures.edges.num_rows == 1


def test_both_sources_are_evidence_of_the_loan_and_no_conflict(ledger: Ledger, files: Files) -> None:
    parties(ledger)
    tell(ledger, REGISTER, ARTICLE)
    join(ledger, files)
    at = AsOf(valid=day("2021-01-01"))
    (edge,) = ledger.view(at).edges_of("LENDS_TO").to_pylist()
    assert edge["key"] == "F-1"
    told = ledger.evidence(edge["statement"], at).to_pylist()
    assert {row["extractor"] for row in told} == {"registers.exposures@1", "news.relations@1"}
    early = ledger.evidence(edge["statement"], AsOf(published=day("2020-04-01"))).to_pylist()
    assert [row["extractor"] for row in early] == ["registers.exposures@1"]
    opens = ledger.delta(0).opens.to_pylist()
    assert {row["conflict"] for row in opens if row["type"] == "LENDS_TO"} == {0}


def test_the_judgement_says_why_and_can_be_read_back(ledger: Ledger, files: Files) -> None:
    parties(ledger)
    tell(ledger, REGISTER, ARTICLE)
    join(ledger, files)
    (row,) = [r for r in ledger.alive().to_pylist() if r["kind"] == "same_edge"]
    assert "rounded as" in row["quote"] and BOTH in row["quote"] and "no other key fits" in row["quote"]
    assert locate(files.get(row["document"]), row["locator"], "resolve") == row["quote"]
    assert not join(ledger, files).committed


def test_amounts_that_differ_stay_two_loans(ledger: Ledger, files: Files) -> None:
    parties(ledger)
    tell(ledger, REGISTER, said(loan("5200000"), "n1", "The bank lent the firm EUR 5.2 million."))
    assert not join(ledger, files).committed and len(amounts(ledger)) == 2


def test_an_amount_written_in_full_is_not_taken_for_a_rounded_one(ledger: Ledger, files: Files) -> None:
    parties(ledger)
    tell(ledger, REGISTER, said(loan("5100000"), "n1", "The bank lent the firm EUR 5,100,000."))
    assert not join(ledger, files).committed and len(amounts(ledger)) == 2


def test_rounding_never_hides_more_than_a_twentieth(ledger: Ledger, files: Files) -> None:
    parties(ledger)
    words = "The bank lent the firm EUR 1 million."
    tell(ledger, said(loan("1400000", "F-1"), "r1"), said(loan("1000000"), "n1", words))
    assert not join(ledger, files).committed


def test_another_currency_debtor_or_time_is_another_loan(ledger: Ledger, files: Files) -> None:
    parties(ledger)
    ended = said(loan("7000000", "F-2"), "r1", since="2010-01-01", until="2012-01-01")
    tell(
        ledger, REGISTER, ended,
        said(loan("5123456.78", currency="USD"), "n1"),
        said(loan("5123456.78", to="name:firm"), "n2"),
        said(loan("7000000"), "n3", on="2020-05-01"),
        said(loan("5123456.78"), "n4", on="2024-05-01", since="2024-04-01"),
    )  # fmt: skip
    assert not join(ledger, files).committed


def test_two_facilities_that_fit_stay_beside_the_article_and_are_listed(ledger: Ledger, files: Files) -> None:
    parties(ledger)
    tell(ledger, REGISTER, said(loan("5123456.78", "F-2"), "r2"), ARTICLE)
    report = resolve(ledger, files)
    assert (report.obligations, report.obligations_undecided) == (0, 1) and len(amounts(ledger)) == 3
    (finding,) = [one for one in quality(ledger).of("duplicate") if "several" in one.what]
    assert finding.count == 1 and "'F-1' or 'F-2'" in finding.examples[0]


def test_a_person_decides_between_two_facilities(ledger: Ledger, files: Files) -> None:
    parties(ledger)
    tell(ledger, REGISTER, said(loan("5123456.78", "F-2"), "r2"), ARTICLE)
    (doubt,) = judged(ledger.alive())[1]
    judge(ledger, files, doubt.told.statement, "F-2", ME)
    assert len(amounts(ledger)) == 2 and not join(ledger, files).committed
    assert judged(ledger.alive())[1] == []


def test_what_is_undone_is_two_again_and_stays_so(ledger: Ledger, files: Files) -> None:
    parties(ledger)
    tell(ledger, REGISTER, ARTICLE)
    joined = join(ledger, files).commit
    (row,) = [r for r in ledger.alive().to_pylist() if r["kind"] == "same_edge"]
    judge(ledger, files, row["value_text"], "F-1", ME, same=False)
    assert len(amounts(ledger)) == 2
    assert not join(ledger, files).committed and len(amounts(ledger)) == 2
    assert len(amounts(ledger, AsOf(day("2021-01-01"), ledger.known(joined)))) == 1
    assert len(amounts(ledger, AsOf(day("2021-01-01"), ledger.known(joined - 1)))) == 2
    with pytest.raises(LedgerError, match="no alive edge"):
        judge(ledger, files, "0" * 32, "F-1", ME)


def test_before_the_second_document_there_is_one_loan_on_every_clock(ledger: Ledger, files: Files) -> None:
    parties(ledger)
    tell(ledger, REGISTER)
    first = ledger.known(ledger.head)
    tell(ledger, ARTICLE)
    join(ledger, files)
    assert amounts(ledger, AsOf(day("2021-01-01"), first)) == [Decimal("5123456.78")]
    assert amounts(ledger, AsOf(day("2021-01-01"), published=day("2020-04-01"))) == [Decimal("5123456.78")]
    assert amounts(ledger, AsOf(day("2020-04-01"))) == [Decimal("5123456.78")]


def test_an_article_that_was_first_stands_alone_until_the_register_is_public(ledger: Ledger, files: Files) -> None:
    parties(ledger)
    late = said(loan("5123456.78", "F-1"), "r1", on="2020-09-01", since="2019-06-01")
    tell(ledger, ARTICLE, late)
    join(ledger, files)
    seen = [amounts(ledger, AsOf(day("2021-01-01"), published=day(t))) for t in ("2020-06-01", "2020-10-01")]
    assert seen == [[Decimal("5100000")], [Decimal("5123456.78")]]


def test_a_register_that_is_corrected_takes_its_judgement_with_it(ledger: Ledger, files: Files) -> None:
    parties(ledger)
    tell(ledger, REGISTER, ARTICLE)
    join(ledger, files)
    wrong = [r["claim"] for r in ledger.alive().to_pylist() if r["locator"] == "row:r1"]
    corrected = ClaimBatch.of([said(loan("9000000", "F-1"), "r9", since="2019-06-01")])
    ledger.commit(corrected, RunManifest("test", {"n": "corrected"}), retract=wrong)
    assert join(ledger, files).retracted == 1 and amounts(ledger) == [Decimal("5100000"), Decimal("9000000")]


def test_a_page_that_spells_the_facility_otherwise_tells_of_the_same_loan(ledger: Ledger, files: Files) -> None:
    parties(ledger)
    tell(ledger, REGISTER, said(loan("5123456.78", "f 1"), "p1"), said(loan("5123456.78", "F-3"), "p2"))
    assert join(ledger, files).joined == 1 and len(amounts(ledger)) == 2


def test_ends_that_are_judged_one_are_one_for_loans_too(ledger: Ledger, files: Files) -> None:
    parties(ledger)
    tell(ledger, REGISTER, said(loan("5100000", to="name:firm"), "n1", f"Lent {BOTH}.", on="2020-05-01"))
    assert not join(ledger, files).committed
    tell(ledger, said(Judgement("name:firm", FIRM), "n2"))
    assert join(ledger, files).joined == 1 and amounts(ledger) == [Decimal("5123456.78")]


def test_a_row_without_facility_beside_one_with_it_in_one_file_is_another_loan(ledger: Ledger, files: Files) -> None:
    parties(ledger)
    tell(ledger, REGISTER, said(loan("5123456.78"), "r1", since="2019-06-01"))
    assert not join(ledger, files).committed


def test_a_judgement_of_an_edge_must_name_statement_key_and_ends(ledger: Ledger) -> None:
    parties(ledger)
    for what, why in (
        (SameEdge("LENDS_TO", BANK, FIRM, "loan", "F-1"), "needs the statement"),
        (SameEdge("LENDS_TO", BANK, FIRM, "0" * 32, ""), "needs the key"),
        (SameEdge("LENDS_TO", BANK, "lei:NONE", "0" * 32, "F-1"), "has no node row"),
        (SameEdge("LENT", BANK, FIRM, "0" * 32, "F-1"), "edge type LENT is unknown"),
    ):
        with pytest.raises(OntologyError, match=why):
            tell(ledger, Claim(what, Evidence("d", "row:0", "", "resolve.judged@1"), day("2020-01-01")))


def test_every_store_counts_the_loan_once_and_again_twice(ledger: Ledger, files: Files, store: GraphStore) -> None:
    parties(ledger)
    tell(ledger, REGISTER, ARTICLE)
    store.sync(ledger)
    before = loans(store)
    joined = join(ledger, files).commit
    store.sync(ledger)
    (one,) = loans(store)
    asked: dict[str, Any] = {"id": BANK}
    (owed,) = Catalog().run(store, "exposure_by_counterparty", asked, AsOf(day("2021-01-01"))).to_pylist()
    assert len(before) == 2 and one[1] == 512345678 and (owed["owed_minor"], owed["claims"]) == (512345678, 1)
    (row,) = [r for r in ledger.alive().to_pylist() if r["kind"] == "same_edge"]
    judge(ledger, files, row["value_text"], "F-1", ME, same=False)
    store.sync(ledger)
    assert loans(store) == before and loans(store, ledger.known(joined)) == [one]
    hashed = store.graph_hash()
    store.rebuild(ledger)
    assert store.graph_hash() == hashed
