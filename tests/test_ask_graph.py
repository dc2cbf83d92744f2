"""Questions to the graph: typed slots, clocks, citations, and every way of saying that it is not in the graph."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from benchmarks.serving import questions as asked_of_sample
from kg.errors import KgRiskError
from kg.model import AsOf, as_time
from kgrisk.api import Graph
from kgrisk.api import open as open_graph
from kgrisk.cases import Cases
from kgrisk.questions.clock_words import times
from kgrisk.questions.finders import FINDERS
from kgrisk.questions.kinds import KINDS
from kgrisk.questions.linking import Names
from kgrisk.serve.view import View
from kgrisk.settings import Settings
from tests.ingest_reading import DATA
from tests.kgrisk_world import BIG, FIRM, SMALL, kgrisk_here, write_registers
from tests.serve_planted import plant


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Graph]:
    """The registers of the small world, a second firm of one name, and an owner."""
    folder = tmp_path_factory.mktemp("asked")
    registers = write_registers(folder / "in") / "registers"
    with (registers / "entities.csv").open("a") as file:
        file.write("cik:1111,Company,Larch Hill Ltd,,GB,,,,,1111,2020-01-07,\n")
        file.write("cik:2222,Company,Larch Hill plc,,GB,,,,,2222,2020-01-07,\n")
    (registers / "ownership.csv").write_text(
        "owner_id,owned_id,share,share_class,valid_from,valid_to,published\n"
        f"{BIG},{FIRM},0.25,ordinary,2020-01-01,2021-06-30,2020-02-01\n"
        f"{SMALL},{FIRM},0.4,ordinary,2021-07-01,,2021-08-01\n"
    )
    with open_graph(folder / "home", settings=Settings(home=folder / "home")) as made:
        made.ingest(folder / "in")
        yield made


@pytest.mark.parametrize(
    ("question", "kind", "text"),
    [
        ("Who is hit if Big Bank fails?", "hit_if_fails", "Small Bank plc lends to Big Bank AG (100 EUR, deposit)"),
        ("Who owns Steel Works?", "owners", "Small Bank plc owns a share of Steel Works SA (40 %, ordinary)"),
        ("Who owned Steel Works in 2020?", "owners", "Big Bank AG owns a share of Steel Works SA (25 %, ordinary)"),
        (
            "What does Steel Works SA owe Big Bank AG?",
            "debt",
            "Big Bank AG lends to Steel Works SA (40 EUR, term loan)",
        ),
        ("What was Steel Works' revenue in 2019?", "figure", "The revenue of Steel Works SA for 2019-12-31 is 50 EUR."),
        ("Path between Small Bank and Steel Works", "path", "Small Bank plc owns a share of Steel Works SA"),
        (f"Who is {FIRM}?", "profile", "Steel Works SA is described so: “A steel maker.”"),
        ("Which banks are most exposed to Steel Works SA?", "exposed_to", "Big Bank AG lends to Steel Works SA"),
    ],
)
def test_a_question_of_a_kind_is_answered_in_cited_sentences(graph: Graph, question: str, kind: str, text: str) -> None:
    found = graph.answer(question)
    assert found.kind == kind, found.note
    assert any(said.text.startswith(text) for said in found.sentences), [said.text for said in found.sentences]
    for sentence in found.to_dict()["sentences"]:
        assert sentence["statements"]
        for claim in sentence["claims"]:
            assert claim["quote"] and claim["locator"] and len(claim["document"]) == 64
            assert graph.explain(claim["statement"]).evidence["read_back"][0]


@pytest.mark.parametrize(
    ("question", "reason", "note"),
    [
        ("Who owns Nobody Industries plc?", "unknown entity", "nobody is called 'Nobody Industries"),
        ("Who owns Big Bnak AG?", "unknown entity", "near: Big Bank AG"),
        ("Who owns Big Bank Insurance?", "unknown entity", "Big Bank Insurance"),
        ("Who owns Steel Works GmbH?", "unknown entity", "Steel Works GmbH"),
        ("Who owns Larch Hill?", "ambiguous entity", "cik:1111"),
        ("Who owns Big Bank?", "no such fact", "Big Bank AG is known, but no statement tells"),
        ("What was Steel Works' revenue in 2035?", "no such fact", "Steel Works SA is known"),
        ("Who owned Steel Works in 2015?", "no such fact", "known"),
        ("Who owns Steel Works as known on 2019-01-01?", "unknown entity", "Steel Works"),
        ("What changed about Steel Works?", "no such fact", "say since when"),
    ],
)
def test_what_the_graph_does_not_hold_is_not_guessed(graph: Graph, question: str, reason: str, note: str) -> None:
    found = graph.answer(question)
    assert found.abstained and (found.reason, note in found.note) == (reason, True), (found.reason, found.note)
    assert found.to_dict()["answer"] == "not in the graph" and found.to_dict()["case"]["title"] == question


def test_a_word_that_nobody_understood_makes_a_question_of_no_kind(graph: Graph) -> None:
    names = Names(View(graph.snapshot()))
    for question in ("Who owns the chapel of Steel Works?", "Which secret suppliers has Steel Works?"):
        assert all(kind.match(names.read(question).text) is None for kind in KINDS), question


def test_the_clocks_of_the_caller_and_of_the_question_both_count(graph: Graph) -> None:
    early = AsOf(published=as_time(date(2020, 1, 31)))
    assert graph.answer("What does Steel Works SA owe Big Bank AG?", early).abstained
    assert graph.answer("What does Steel Works SA owe Big Bank AG as published by 2020-01-31?").abstained
    assert not graph.answer("What does Steel Works SA owe Big Bank AG as published by 2020-03?").abstained


def test_who_is_hit_is_whom_the_named_query_names(graph: Graph) -> None:
    found = graph.answer("Who is hit if Steel Works SA fails?")
    rows = graph.query(found.query["name"], **found.query["parameters"])
    names = {"Big Bank AG": BIG, "Small Bank plc": SMALL}
    assert {names[said.text.partition(" lends")[0]] for said in found.sentences} == set(rows["creditor"])


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Graph]:
    """The small world with scores of distress (0.9 the holding, 0.6 the firm, 0.4 and 0.2 the banks) and two lenders
    of the larger bank, one of them a bank."""
    folder = tmp_path_factory.mktemp("scored")
    with open_graph(folder / "home", settings=Settings(home=folder / "home")) as made:
        plant(made, folder / "in")
        yield made


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("Which bank has the highest distress score?", ["Big Bank AG"]),
        ("Which of the banks has the highest distress score?", ["Big Bank AG"]),
        ("Which banks have the highest distress scores?", ["Big Bank AG", "Small Bank plc"]),
        ("Which company has the highest distress score?", ["Zobeltran Holding"]),
        ("Who is most likely to fail?", ["Zobeltran Holding"]),
        ("Who is the largest lender to Big Bank AG?", ["Zobeltran Holding lends"]),
        ("Which bank is most exposed to Big Bank AG?", ["Small Bank plc lends"]),
        ("Who are the largest lenders to Big Bank AG?", ["Zobeltran Holding lends", "Small Bank plc lends"]),
        (
            "How many lenders does Big Bank AG have?",
            ["Creditors of Big Bank AG: 2 (Zobeltran Holding, Small Bank plc)"],
        ),
        ("How many banks lend to Big Bank AG?", ["Creditors of Big Bank AG that are banks: 1 (Small Bank plc)"]),
    ],
)
def test_as_many_are_told_and_of_that_kind_as_were_asked_for(scored: Graph, question: str, told: list[str]) -> None:
    found = scored.answer(question)
    texts = [said.text for said in found.sentences]
    assert len(texts) == len(told) and all(map(str.__contains__, texts, told)), (texts, found.note)
    assert not found.note and all(found.evidence[one] for said in found.sentences for one in said.statements)


def test_a_count_cites_every_statement_that_it_counts(scored: Graph) -> None:
    (said,) = scored.answer("How many lenders does Big Bank AG have?").sentences
    listed = scored.answer("Who lends to Big Bank AG?").sentences
    assert set(said.statements) == {one for sentence in listed for one in sentence.statements} and len(listed) == 2


@pytest.mark.parametrize(
    ("question", "reason"),
    [
        ("How many employees does Big Bank AG have?", "not covered"),
        ("How many documents mention Steel Works SA?", "not covered"),
        ("How many funds have the highest distress score?", "not covered"),
        ("How many suppliers does Big Bank AG have?", "no such fact"),
        ("Which fund has the highest distress score?", "no such fact"),
    ],
)
def test_what_cannot_be_counted_or_is_of_no_such_kind_gives_no_list(scored: Graph, question: str, reason: str) -> None:
    found = scored.answer(question)
    assert (found.abstained, found.reason) == (True, reason), [said.text for said in found.sentences]


@pytest.mark.parametrize(
    ("question", "rest", "since", "until", "known"),
    [
        ("revenue in 2022?", "revenue ?", date(2022, 1, 1), date(2023, 1, 1), None),
        ("said in March 2023", "said", date(2023, 3, 1), date(2023, 4, 1), None),
        ("said on 5 March 2023", "said", date(2023, 3, 5), date(2023, 3, 6), None),
        ("said in Q4 2021", "said", date(2021, 10, 1), date(2022, 1, 1), None),
        ("new since 2023-06-30", "new", date(2023, 6, 30), None, None),
        ("new between 2021 and 2022", "new", date(2021, 1, 1), date(2023, 1, 1), None),
        ("debt as known on 2023-06-30", "debt", None, None, date(2023, 6, 30)),
        ("said on 2023-02-31", "said on 2023-02-31", None, None, None),
    ],
)
def test_times_are_read_out_of_a_question(
    question: str, rest: str, since: date | None, until: date | None, known: date | None
) -> None:
    found = times(question)
    assert (found.rest, found.since, found.until, found.known) == (rest, since, until, known)


def test_every_kind_has_a_finder_and_every_named_query_exists(graph: Graph) -> None:
    assert [kind.name for kind in KINDS] == list(dict.fromkeys(kind.name for kind in KINDS))
    assert {kind.name for kind in KINDS} == set(FINDERS)
    assert all(kind.query in graph.catalog.queries for kind in KINDS if kind.query)


def test_no_sentinel_is_shown_as_a_date_and_no_country_as_an_id(graph: Graph) -> None:
    none = graph.answer("Who owns Big Bank?")
    assert "whatever was published" in none.note and "9999" not in none.note
    assert any("--hand-over" in line for line in none.lines())
    (said,) = graph.answer("Where is Big Bank AG based?").sentences
    assert said.text.startswith("Big Bank AG is domiciled in DE")


def test_three_letters_inside_a_name_are_not_near_it(graph: Graph) -> None:
    names = Names(View(graph.snapshot()))
    assert names.near("API") == names.near("ill") == []
    assert names.near("Steel Wroks") and names.near("Larch")


def test_a_question_that_is_not_answered_becomes_a_case(graph: Graph) -> None:
    ask = ("ask", "Who owns Big Bank?", "--hand-over", "Ada", "--json", "--home", graph.home)
    told = json.loads(kgrisk_here(*ask, cwd=graph.home.parent).stdout)
    case = Cases(graph.home / "cases")[told["case"]["id"]]
    assert (case.title, case.by, [item.what for item in case.items]) == ("Who owns Big Bank?", "Ada", [BIG])
    assert case.notes[0].text.startswith("no such fact: ")


def test_a_spoken_question_is_understood_as_words(graph: Graph) -> None:
    done = kgrisk_here("ask", "--audio", DATA / "call-tiny.ogg", "--home", graph.home, cwd=graph.home.parent)
    assert "understood: " in done.stderr and "revenue" in done.stderr and done.returncode == 0


def test_one_question_is_asked_at_a_time(graph: Graph) -> None:
    both = kgrisk_here("ask", "Who?", "--image", "a.png", "--home", graph.home, cwd=graph.home.parent)
    none = kgrisk_here("ask", "--home", graph.home, cwd=graph.home.parent)
    assert both.returncode == none.returncode == 2
    with pytest.raises(KgRiskError, match="asks for nothing"):
        graph.answer("???")


@pytest.mark.slow
def test_questions_on_the_sample_are_answered_or_rightly_not(tmp_path: Path) -> None:
    """Floors a little below what `python -m benchmarks.serving questions` measures."""
    whole = asked_of_sample.questions()
    assert len(whole) >= 60 and sum(not asked.answerable for asked in whole) >= len(whole) / 3
    with open_graph(tmp_path, settings=Settings(home=tmp_path)) as sample:
        sample.ingest(asked_of_sample.SAMPLE.parent, sources=["registers", "news"])
        sample.resolve()
        shown, held = (asked_of_sample.score(sample, wording) for wording in asked_of_sample.WAYS)
    assert shown.accuracy >= 0.93 and shown.recall >= 0.9, shown.wrong
    assert held.accuracy >= 0.82 and held.recall >= 0.83, held.wrong
