"""Resolution: what is one entity, why, what is never one, and that it can be undone."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from ingest import match
from ingest.locate import locate
from ingest.resolve import forbid, resolve, undo
from kg.errors import LedgerError
from kg.files import Files
from kg.ledger import Ledger
from kg.model import Claim, ClaimBatch, Edge, Evidence, Node, RunManifest, day


def tell(ledger: Ledger, *said: Node | Edge) -> None:
    """Commit nodes and edges of one made-up register."""
    evidence = Evidence("0" * 64, "row:1", "a row", "registers.rows@1")
    batch = ClaimBatch.of(Claim(what, evidence, day("2020-01-01")) for what in said)
    ledger.commit(batch, RunManifest("test", {"n": ledger.head}))


def firm(id: str, *names: str, **props: str) -> list[Node]:
    return [Node("Company", id, {"name": name, **props}) for name in names]


def pairs(ledger: Ledger) -> set[tuple[str, str, str]]:
    rows = ledger.alive().to_pylist()
    return {(r["subject"], r["object"], r["extractor"]) for r in rows if r["kind"] == "same"}


def ids(ledger: Ledger) -> list[str]:
    return ledger.view().ids


def test_equal_identifiers_make_one_entity(ledger: Ledger, files: Files) -> None:
    tell(
        ledger,
        *firm("lei:L1", "Oakmere Turbines Inc."),
        Node("Company", "lei:L1", {"identifier": "cik:1"}),
        *firm("cik:1", "OAKMERE"),
    )
    report = resolve(ledger, files)
    assert report.rules == {"identifier": 1} and ids(ledger) == ["lei:L1"]


def test_an_isin_and_the_cusip_inside_it_are_one_security(ledger: Ledger, files: Files) -> None:
    tell(ledger, Node("Security", "isin:US0378331005"), Node("Security", "cusip:037833100"))
    resolve(ledger, files)
    assert ids(ledger) == ["isin:US0378331005"]


def test_a_ticker_joins_firms_of_like_names_only(ledger: Ledger, files: Files) -> None:
    tell(
        ledger,
        *firm("lei:L1", "Oakmere Turbines Inc.", ticker="OAKT"),
        *firm("cik:1", "Oakmere Turbines Corporation", ticker="OAKT"),
        *firm("cik:2", "Zebra Biscuits plc", ticker="OAKT"),
    )
    assert resolve(ledger, files).rules == {"ticker": 1}
    assert ids(ledger) == ["cik:2", "lei:L1"]


@pytest.mark.parametrize(
    ("written", "rule"),
    [
        ("OAKMERE TURBINES, INC", "name"),
        ("Oakmere Turbines", "plain name"),
        ("Oakmere Turbines Corp.", "plain name"),
        ("Oakmere Turbynes", "spelling"),
        ("Oak Mere Turbines", "spelling"),
    ],
)
def test_a_name_joins_the_one_firm_it_can_mean(ledger: Ledger, files: Files, written: str, rule: str) -> None:
    id = f"name:{written.casefold()}"
    tell(ledger, *firm("lei:L1", "Oakmere Turbines Inc."), *firm("lei:L2", "Larch Hill plc"), *firm(id, written))
    report = resolve(ledger, files)
    assert report.rules == {rule: 1} and ids(ledger) == ["lei:L1", "lei:L2"]


@pytest.mark.parametrize("written", ["Oakmere Turbines GmbH", "Oakmere Pumps", "Oakmere"])
def test_a_name_that_may_be_another_firm_joins_none(ledger: Ledger, files: Files, written: str) -> None:
    id = f"name:{written.casefold()}"
    others = firm("lei:L2", "Oakmere Foods Inc.")
    tell(ledger, *firm("lei:L1", "Oakmere Turbines Inc."), *others, *firm(id, written))
    resolve(ledger, files)
    assert id in ids(ledger)


def test_a_name_that_two_firms_bear_joins_neither_and_is_counted(ledger: Ledger, files: Files) -> None:
    tell(
        ledger,
        *firm("lei:L1", "Oakmere Inc."),
        *firm("lei:L2", "Oakmere Inc."),
        *firm("name:oakmere inc.", "Oakmere Inc."),
    )
    report = resolve(ledger, files)
    assert report.judgements == 0 and report.vetoes["several firms of that name"] == 1


def test_a_former_name_counts_as_a_name(ledger: Ledger, files: Files) -> None:
    tell(
        ledger,
        *firm("lei:L1", "Oakmere Turbines Inc.", "Windmill Works Ltd"),
        *firm("name:windmill works", "Windmill Works"),
    )
    resolve(ledger, files)
    assert ids(ledger) == ["lei:L1"]


def test_different_leis_are_never_one_whatever_else_is_equal(ledger: Ledger, files: Files) -> None:
    tell(
        ledger,
        *firm("lei:L1", "Oakmere Turbines Inc.", ticker="OAKT", identifier="cik:1"),
        *firm("lei:L2", "Oakmere Turbines Inc.", ticker="OAKT", identifier="cik:1"),
        *firm("cik:1", "Oakmere Turbines Inc."),
    )
    report = resolve(ledger, files)
    assert report.vetoes["different lei"] >= 1
    assert {"lei:L1", "lei:L2"} <= set(ids(ledger))


def test_names_that_differ_in_the_legal_form_only_are_one_unless_two_forms_clash(ledger: Ledger, files: Files) -> None:
    one = [*firm("name:larch", "Larch Hill"), *firm("name:larch plc", "Larch Hill plc")]
    two = [*firm("name:elm ag", "Elm Row AG"), *firm("name:elm gmbh", "Elm Row GmbH"), *firm("name:elm", "Elm Row")]
    tell(ledger, *one, *two)
    assert resolve(ledger, files).rules == {"same plain name": 1}
    assert ids(ledger) == ["name:elm", "name:elm ag", "name:elm gmbh", "name:larch"]


def test_persons_of_one_name_at_one_firm_are_one_and_at_two_firms_two(ledger: Ledger, files: Files) -> None:
    people = [
        Node("Person", f"person:{n}", {"name": name})
        for n, name in enumerate(("HALLAM IRIS J", "Iris Hallam", "Iris Hallam"))
    ]
    offices = [
        Edge("OFFICER_OF", f"person:{n}", firm, {"role": "x"}, "x")
        for n, firm in ((0, "cik:1"), (1, "name:oak"), (2, "cik:2"))
    ]
    tell(ledger, *firm("cik:1", "Oak Inc."), *firm("cik:2", "Elm Inc."), *firm("name:oak", "Oak"), *people, *offices)
    report = resolve(ledger, files)
    assert report.rules == {"plain name": 1, "same office": 1}
    assert [id for id in ids(ledger) if id.startswith("person:")] == ["person:0", "person:2"]


def test_every_judgement_explains_itself_and_reads_back(ledger: Ledger, files: Files) -> None:
    tell(ledger, *firm("lei:L1", "Oakmere Turbines Inc."), *firm("name:oakmere turbines", "Oakmere Turbines"))
    resolve(ledger, files)
    (row,) = (r for r in ledger.alive().to_pylist() if r["kind"] == "same")
    assert locate(files.get(row["document"]), row["locator"]) == row["quote"]
    assert "'Oakmere Turbines' is the plain name of lei:L1 (Oakmere Turbines Inc.); score 0.93" in row["quote"]
    assert row["extractor"] == "resolve.plain_name@1" and row["confidence"] == 0.93


def test_resolving_twice_adds_nothing(ledger: Ledger, files: Files) -> None:
    tell(ledger, *firm("lei:L1", "Oakmere Turbines Inc."), *firm("name:oakmere turbines", "Oakmere Turbines"))
    first, second = resolve(ledger, files), resolve(ledger, files)
    assert first.committed and not second.committed
    assert (second.commit, second.judgements, second.clusters) == (first.commit, 0, 1)


def test_undo_parts_two_ids_and_the_past_still_knows_them_as_one(ledger: Ledger, files: Files) -> None:
    tell(ledger, *firm("lei:L1", "Oakmere Turbines Inc."), *firm("name:oakmere turbines", "Oakmere Turbines"))
    merged = resolve(ledger, files).commit
    assert undo(ledger, files, "lei:L1", "name:oakmere turbines") == merged + 1
    assert ids(ledger) == ["lei:L1", "name:oakmere turbines"]
    assert any(r["kind"] == "same" for r in ledger.alive(merged).to_pylist())
    with pytest.raises(LedgerError, match="no alive judgement"):
        undo(ledger, files, "lei:L1", "name:oakmere turbines")


def test_a_forbidden_pair_never_merges_again_not_even_by_way_of_a_third(ledger: Ledger, files: Files) -> None:
    tell(
        ledger,
        *firm("lei:L1", "Oakmere Turbines Inc."),
        *firm("name:oakmere turbines", "Oakmere Turbines"),
        *firm("name:oakmere turbines inc", "Oakmere Turbines Inc"),
    )
    resolve(ledger, files)
    assert ids(ledger) == ["lei:L1"]
    forbid(ledger, files, "name:oakmere turbines", "name:oakmere turbines inc")
    report = resolve(ledger, files)
    assert len(ids(ledger)) == 2 and report.vetoes["forbidden"] >= 1
    assert not resolve(ledger, files).committed


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("deutsche bank", "deutsche bahn", False),
        ("siemens energy", "siemens energie", False),
        ("spirit aerosystems", "spirit aero systems", True),
        ("vestas windsystems", "vestas windsystens", True),
        ("fund 12345678", "fund 12345679", False),
    ],
)
def test_a_misspelling_is_one_letter_in_a_long_word(a: str, b: str, expected: bool) -> None:
    assert match.misspelt(a, b) is expected


def test_spellings_are_found_in_blocks() -> None:
    known = [f"alpine works {n} holdings" for n in range(50)] + ["brackwick packaging"]
    found: Sequence[tuple[str, str]] = list(match.spellings(["brackwyck packaging", "unrelated"], known))
    assert found == [("brackwyck packaging", "brackwick packaging")]
