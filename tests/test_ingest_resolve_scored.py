"""Resolution by scored names: aliases, scripts, dates, small commits, and pairs that stay two for good."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.resolve import forbid, resolve, undo
from ingest.review import doubts
from ingest.rulings import Author, merging, parting
from kg.errors import LedgerError
from kg.files import Files
from kg.identity import clusters as canonical
from kg.ledger import Ledger
from kg.model import Claim, ClaimBatch, Edge, Evidence, Facts, Judgement, Node, RunManifest, day

IRIS = Author("Iris Hallam", "same address in both files")


def tell(ledger: Ledger, *said: Node | Edge | Facts, published: str = "2020-01-01", **valid: str) -> None:
    """Commit what one made-up register says."""
    evidence = Evidence("0" * 64, "row:1", "a row", "registers.rows@1")
    spell = {name: day(text) for name, text in valid.items()}
    batch = ClaimBatch.of(Claim(what, evidence, day(published), **spell) for what in said)
    ledger.commit(batch, RunManifest("test", {"n": ledger.head}))


def firm(id: str, *names: str) -> list[Node]:
    return [Node("Company", id, {"name": name}) for name in names]


def clusters(ledger: Ledger) -> set[frozenset[str]]:
    """Ids that are one entity."""
    rows = ledger.alive().to_pylist()
    same = sorted((r["commit"], *sorted((r["subject"], r["object"]))) for r in rows if r["kind"] == "same")
    apart = {frozenset((r["subject"], r["object"])) for r in rows if r["kind"] == "not_same"}
    nodes = [r["subject"] for r in rows if r["kind"] == "node"]
    found: dict[str, set[str]] = defaultdict(set)
    for id, canon in canonical(((a, b) for _, a, b in same), apart, nodes).items():
        found[canon].add(id)
    assert set(found) == set(ledger.view().ids)
    return {frozenset(ids) for ids in found.values()}


@pytest.mark.parametrize(
    "written",
    [
        "Turbines Oakmere Inc.",
        "OAKMERE TURBINES INCORPORATED",
        "Окмер Турбинс",
        "オークメア・タービン株式会社",
        "Oakmer Turbines",
    ],
)
def test_a_name_in_another_order_script_or_spelling_is_its_firm(ledger: Ledger, files: Files, written: str) -> None:
    aliases = ("Oakmere Turbines Inc.", "Окмер Турбинс ООО", "オークメア・タービン")
    tell(ledger, *firm("lei:L1", *aliases), *firm("lei:L2", "Larch Hill plc"), *firm("name:x", written))
    resolve(ledger, files)
    assert ledger.view().ids == ["lei:L1", "lei:L2"]


def test_an_alias_of_a_register_decides_where_no_dictionary_can(ledger: Ledger, files: Files) -> None:
    tell(ledger, *firm("lei:L1", "Tencent Holdings Limited", "腾讯控股有限公司"), *firm("name:x", "騰訊控股有限公司"))
    assert resolve(ledger, files).judgements == 1 and ledger.view().ids == ["lei:L1"]


def test_of_two_firms_that_bore_a_name_the_one_that_bore_it_then_is_meant(ledger: Ledger, files: Files) -> None:
    tell(ledger, *firm("lei:L1", "Oakmere plc"), *firm("lei:L2", "Larch Hill plc"))
    tell(ledger, *firm("lei:L1", "Windmill Works"), valid_from="2001-01-01", valid_to="2012-01-01")
    tell(ledger, *firm("lei:L2", "Windmill Works"), valid_from="2014-01-01")
    tell(ledger, *firm("name:old", "Windmill Works"), published="2008-05-01")
    tell(ledger, *firm("name:new", "WINDMILL WORKS"), published="2018-05-01")
    tell(ledger, *firm("name:between", "Windmill  Works"), published="2013-05-01")
    resolve(ledger, files)
    judged = {(r["subject"], r["object"]) for r in ledger.alive().to_pylist() if r["kind"] == "same"}
    assert {("name:old", "lei:L1"), ("name:new", "lei:L2")} <= judged
    assert not any("name:between" in pair and pair[1].startswith("lei:") for pair in judged)


def test_a_pair_that_is_neither_merged_nor_refused_waits_for_a_person(ledger: Ledger, files: Files) -> None:
    tell(ledger, *firm("lei:L1", "Oakmere Turbines Inc."), *firm("cik:1", "Oakmere Turbines Inc"))
    report = resolve(ledger, files)
    assert (report.judgements, report.undecided) == (0, 1)
    (doubt,) = doubts(ledger)
    assert {doubt.a, doubt.b} == {"lei:L1", "cik:1"}
    assert sum(contribution for _, contribution in doubt.reasons) == pytest.approx(doubt.score)
    assert all(doubt.evidence[id][0]["quote"] == "a row" for id in ("lei:L1", "cik:1"))


def test_a_person_merges_what_waits_and_who_and_why_stand_in_the_claim(ledger: Ledger, files: Files) -> None:
    tell(ledger, *firm("lei:L1", "Oakmere Turbines Inc."), *firm("cik:1", "Oakmere Turbines Inc"))
    merging(ledger, "lei:L1", "cik:1", IRIS).commit(ledger, files)
    (row,) = (r for r in ledger.alive().to_pylist() if r["kind"] == "same")
    assert row["quote"] == "lei:L1 is cik:1: said by Iris Hallam: same address in both files"
    assert row["extractor"] == "resolve.judged@1" and row["document"] in files
    assert ledger.view().ids == ["lei:L1"] and doubts(ledger) == []


def test_a_person_is_told_why_a_pair_cannot_be_merged(ledger: Ledger, files: Files) -> None:
    tell(ledger, *firm("lei:L1", "Oakmere"), *firm("lei:L2", "Oakmere"), *firm("name:o", "Oakmere"))
    with pytest.raises(LedgerError, match="different lei"):
        merging(ledger, "lei:L1", "lei:L2", IRIS)
    with pytest.raises(LedgerError, match="the ledger has no lei:L9"):
        merging(ledger, "lei:L1", "lei:L9", IRIS)
    parting(ledger, "lei:L1", "name:o", IRIS).commit(ledger, files)
    with pytest.raises(LedgerError, match="forbidden"):
        merging(ledger, "name:o", "lei:L1", IRIS)


WORDS = ("Oakmere", "Thornbury", "Quillfeather", "Drumcarrow")


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_resolving_after_each_small_commit_ends_where_resolving_once_does(tmp_path: Path, seed: int) -> None:
    said = []
    for n, word in enumerate(WORDS):
        said.append(firm(f"lei:L{n}", f"{word} Turbine Works plc"))
        written = (f"{word} Turbine Works", f"Works {word} Turbine plc")
        said += [firm(f"name:{text.casefold()}", text) for text in written]
    Random(seed).shuffle(said)
    files, before = Files(tmp_path / "files"), set[frozenset[str]]()
    with Ledger.open(tmp_path / "once") as once, Ledger.open(tmp_path / "often") as often:
        tell(once, *(node for nodes in said for node in nodes))
        for nodes in said:
            tell(often, *nodes)
            resolve(often, files)
            now = clusters(often)
            assert all(any(old <= new for new in now) for old in before)  # clusters grow, and none is torn
            assert all(new in before for new in now if not any(n.id in new for n in nodes) and len(new) == 1)
            before = now
        resolve(once, files)
        assert clusters(once) == clusters(often)
        assert once.view().ids == often.view().ids == [f"lei:L{n}" for n in range(len(WORDS))]


def test_a_cluster_keeps_its_name_while_others_merge(ledger: Ledger, files: Files) -> None:
    tell(ledger, *firm("lei:L1", "Oakmere plc"), *firm("name:oakmere", "Oakmere"))
    resolve(ledger, files)
    first = ledger.view().ids
    tell(ledger, *firm("lei:L2", "Larch Hill plc"), *firm("name:larch hill", "Larch Hill"))
    resolve(ledger, files)
    assert set(first) <= set(ledger.view().ids)


ACTS = st.lists(
    st.tuples(st.sampled_from(["merge", "part", "raw", "undo", "resolve"]), st.integers(0, 5), st.integers(0, 5)),
    min_size=3,
    max_size=8,
)


@pytest.mark.slow
@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
@given(ACTS)
def test_a_forbidden_pair_is_never_one_whatever_is_judged_after(
    tmp_path_factory: pytest.TempPathFactory, acts: list[tuple[str, int, int]]
) -> None:
    home = tmp_path_factory.mktemp("forbidden")
    files = Files(home / "files")
    names = ("Oakmere", "Oakmere Ltd", "OAKMERE", "Oakmere Limited", "Oak Mere", "Oakmere plc")
    ids = [f"name:{n}" for n in range(6)]
    with Ledger.open(home / "ledger") as ledger:
        tell(ledger, *(node for id, name in zip(ids, names, strict=True) for node in firm(id, name)))
        forbidden: set[frozenset[str]] = set()
        for act, i, j in acts:
            a, b = ids[i], ids[j]
            if act == "resolve":
                resolve(ledger, files)
            elif a != b:
                _do(act, ledger, files, a, b)
                forbidden |= {frozenset((a, b))} if act == "part" else set()
            found = clusters(ledger)
            assert not any(pair <= cluster for pair in forbidden for cluster in found)


def _do(act: str, ledger: Ledger, files: Files, a: str, b: str) -> None:
    """One act of a person, or of a source that judges without asking (`raw`)."""
    try:
        if act == "merge":
            merging(ledger, a, b, IRIS).commit(ledger, files)
        elif act == "part":
            forbid(ledger, files, a, b)
        elif act == "undo":
            undo(ledger, files, a, b)
        else:
            evidence = Evidence("1" * 64, "row:1", "one", "registers.rows@1")
            batch = ClaimBatch.of([Claim(Judgement(a, b), evidence, day("2020-01-01"))])
            ledger.commit(batch, RunManifest("test", {"n": ledger.head}))
    except LedgerError:
        pass  # what cannot be said is refused, and changes nothing
