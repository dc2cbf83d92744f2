"""Cases on disk: entries only added, which outlive a killed writer and whose change is found out; their packs."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from kg.errors import CatalogError
from kg.model import AsOf
from kgrisk.alerts import alerts
from kgrisk.api import Graph
from kgrisk.api import open as open_graph
from kgrisk.case_pack import pack
from kgrisk.cases import CaseError, Cases, ClosedCaseError, Item, NoCaseError
from kgrisk.copied import filled, neighbourhood, told, written
from kgrisk.history import history
from kgrisk.settings import Settings
from kgrisk.views import NoViewError, SavedViews
from tests.kgrisk_world import BIG, FIRM, SMALL, kgrisk_here, write_registers


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Graph]:
    folder = tmp_path_factory.mktemp("cases")
    with open_graph(folder / "home", settings=Settings(home=folder / "home")) as made:
        made.ingest(write_registers(folder / "in"))
        yield made


@pytest.fixture
def cases(tmp_path: Path) -> Cases:
    return Cases(tmp_path / "cases")


def test_a_case_tells_who_did_what_in_the_order_it_was_done(cases: Cases) -> None:
    case = cases.open("Steel", "ann", [Item(FIRM, "owes much")])
    cases.note(case.id, "bob", "The loan is secured.")
    cases.add(case.id, "bob", [Item(BIG), Item(FIRM, "owes much")])
    cases.close(case.id, "ann", "Nothing in it.")
    found = cases[case.id]
    assert [(entry.by, entry.act) for entry in found.entries] == [
        ("ann", "open"),
        ("bob", "note"),
        ("bob", "add"),
        ("ann", "close"),
    ]
    assert [item.what for item in found.items] == [FIRM, BIG] and found.state == "closed"
    assert [row.row()["title"] for row in cases] == ["Steel"]


def test_a_closed_case_takes_nothing_until_it_is_reopened(cases: Cases) -> None:
    case = cases.open("Steel", "ann")
    cases.close(case.id, "ann", "Nothing in it.")
    with pytest.raises(ClosedCaseError, match="reopen it first"):
        cases.note(case.id, "bob", "But look.")
    assert cases.reopen(case.id, "bob", "New payments.").state == "open"
    with pytest.raises(ClosedCaseError, match="open already"):
        cases.reopen(case.id, "bob")
    assert cases.note(case.id, "bob", "Look.").notes[-1].text == "Look."


def test_what_makes_no_sense_is_refused_with_a_way_out(cases: Cases) -> None:
    for bad in ("0" * 12, "../keys", "x" * 300, ""):
        with pytest.raises(NoCaseError, match="kgrisk cases list"):
            cases[bad]
        with pytest.raises(NoCaseError):
            cases.note(bad, "ann", "words")
    case = cases.open("Steel", "ann", [Item(FIRM)])
    with pytest.raises(CaseError, match="holds all of these"):
        cases.add(case.id, "ann", [Item(FIRM)])
    for act in (cases.note, cases.close):
        with pytest.raises(CaseError):
            act(case.id, "ann", "  ")
    with pytest.raises(CaseError, match="title"):
        cases.open(" ", "ann")


def test_a_writer_killed_in_the_middle_of_a_line_costs_no_entry(cases: Cases) -> None:
    case = cases.open("Steel", "ann")
    cases.note(case.id, "ann", "one")
    path = cases.folder / f"{case.id}.jsonl"
    whole = path.read_bytes()
    for cut in (1, 7, len(whole.splitlines()[-1])):
        path.write_bytes(whole + whole.splitlines()[-1][:cut])
        assert [entry.text for entry in cases[case.id].entries] == ["Steel", "one"]
        cases.note(case.id, "ann", "two")
        assert [entry.text for entry in cases[case.id].entries] == ["Steel", "one", "two"]
        path.write_bytes(whole)


def test_a_changed_entry_is_named(cases: Cases) -> None:
    case = cases.open("Steel", "ann")
    cases.note(case.id, "ann", "it is harmful")
    cases.note(case.id, "ann", "two")
    path = cases.folder / f"{case.id}.jsonl"
    path.write_bytes(path.read_bytes().replace(b"harmful", b"harmless"))
    with pytest.raises(CaseError, match="line 2 was changed"):
        cases[case.id]


def test_many_who_write_at_once_lose_nothing(cases: Cases) -> None:
    case = cases.open("Steel", "ann")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: Cases(cases.folder).note(case.id, f"user {n % 4}", f"note {n}"), range(40)))
    assert {entry.text for entry in cases[case.id].notes} == {f"note {n}" for n in range(40)}


def test_a_pack_holds_every_claim_with_its_words_and_proves_itself(graph: Graph, cases: Cases) -> None:
    edge = graph.snapshot().edges["id"][0].as_py()
    case = cases.open("Steel", "ann", [Item(FIRM), Item(edge), Item("gone")])
    content = pack(graph, cases.note(case.id, "ann", "=1+1 is no formula"))
    assert content == pack(graph, cases[case.id])
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    sums = json.loads(files["manifest.json"])["sha256"]
    assert sums == {name: hashlib.sha256(own).hexdigest() for name, own in files.items() if name != "manifest.json"}
    claims = json.loads(files["claims.json"])
    assert all(claim["read_back"] and claim["quote"] for claim in claims) and len(claims) > 5
    rows = list(csv.DictReader(io.StringIO(files["statements.csv"].decode("utf-8-sig"))))
    assert {row["statement"] for row in rows} == {claim["statement"] for claim in claims}
    assert [row["what"] for row in json.loads(files["case.json"])["missing"]] == ["gone"]
    assert b"=1+1 is no formula" in files["notes.txt"]


def test_cases_are_worked_on_from_the_terminal(graph: Graph, tmp_path: Path) -> None:
    def run(*args: str | Path) -> dict[str, object]:
        done = kgrisk_here("cases", *args, "--home", graph.home, "--json", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        told: dict[str, object] = json.loads(done.stdout)
        return told

    made = run("open", "Steel", FIRM, "--by", "ann", "--why", "owes much", "--valid", "2022-12-31")
    id = str(made["id"])
    run("note", id, "Asked the branch.", "--by", "ann")
    run("add", id, SMALL, "--by", "bob")
    packed = run("pack", id, tmp_path / "case.zip")
    assert packed["bytes"] == (tmp_path / "case.zip").stat().st_size
    again = kgrisk_here("cases", "pack", id, tmp_path / "case.zip", "--home", graph.home, cwd=tmp_path)
    assert again.returncode == 1 and "cannot be written" in again.stderr
    assert run("close", id, "Nothing in it.")["state"] == "closed"
    assert [entry["by"] for entry in run("show", id)["entries"]][:3] == ["ann", "ann", "bob"]  # type: ignore[attr-defined]
    unknown = kgrisk_here("cases", "open", "X", "lei:nobody", "--home", graph.home, cwd=tmp_path)
    assert unknown.returncode == 1 and "lei:nobody" in unknown.stderr


def test_history_tells_what_was_said_and_when_it_was_taken_back(graph: Graph) -> None:
    before = history(graph.ledger, BIG, "equity")
    assert [(row["key"], row["value"], row["taken_back"]) for row in before] == [("2019-12-31", 20, None)]
    assert history(graph.ledger, BIG, "equity", AsOf(published=before[0]["published"].replace(year=2019))) == []
    assert history(graph.ledger, "lei:nobody", "equity") == []


def test_a_copied_question_runs_as_it_stands_and_gives_the_same_rows(graph: Graph) -> None:
    at = graph.snapshot().at
    copy = written(graph.catalog["exposure_by_counterparty"], {"id": BIG}, at)
    assert graph.cypher(copy).rows() == graph.query("exposure_by_counterparty", id=BIG).rows() != []
    assert len(graph.cypher(neighbourhood(BIG, at)).rows()) >= 2
    assert filled("// $id\nRETURN '$id' AS a, $id AS b", {"id": "x' OR 1=1 //\\"}, at).endswith(
        "RETURN '$id' AS a, 'x\\' OR 1=1 //\\\\' AS b"
    )
    assert told([1, None, True, "é"]) == "[1, null, true, 'é']"
    with pytest.raises(CatalogError, match=r"\$nobody has no value"):
        filled("RETURN $nobody", {}, at)


def test_a_saved_view_is_kept_under_the_digest_of_itself(tmp_path: Path) -> None:
    views = SavedViews(tmp_path / "views")
    id = views.save({"title": "one", "by": "ann", "state": {"id": BIG}})
    assert views.save({"by": "ann", "state": {"id": BIG}, "title": "one"}) == id and views[id]["state"] == {"id": BIG}
    assert [own["id"] for own in views] == [id]
    for bad in ("0" * 16, "../../keys", ""):
        with pytest.raises(NoViewError):
            views[bad]


def test_a_graph_without_runs_has_no_alert_and_a_finding_is_one(graph: Graph) -> None:
    assert alerts(graph.snapshot()).num_rows == 0
