"""Questions: extracts with their place and second, and nothing where nothing answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from benchmarks.ingest import speech_questions as asked
from ingest.locate import locate
from kg.errors import KgRiskError
from kgrisk import answers
from kgrisk.answering import ask_file, encode, touches
from kgrisk.api import Graph
from kgrisk.api import open as open_graph
from kgrisk.passages import Passage, passages_of_file
from tests.ingest_reading import DATA
from tests.kgrisk_world import kgrisk_here, write_registers

STEEL = (asked.HERE / "asked" / "steel.txt").read_text()


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Graph]:
    """A ledger of registers, a call and a transcript."""
    folder = tmp_path_factory.mktemp("asked")
    write_registers(folder / "in")
    (folder / "in" / "20240229_VARN").mkdir()
    (folder / "in" / "20240229_VARN" / "text.txt").write_text(STEEL)
    (folder / "in" / "2024-02-29-call.ogg").write_bytes((DATA / "call-tiny.ogg").read_bytes())
    with (folder / "in" / "registers" / "entities.csv").open("a") as file:
        file.write("cik:1111,Company,Oakmere Turbines Inc.,,GB,,,,,1111,2020-01-07,\n")
        file.write("cik:2222,Bank,Larch Hill Bank plc,,GB,,,,,2222,2020-01-07,\n")
    with open_graph(folder / "home") as made:
        made.ingest(folder / "in")
        yield made


def passage(quote: str, document: str = "d", locator: str = "chars:0-1") -> Passage:
    return Passage(document, locator, quote, "news")


def letters(texts: object) -> list[np.ndarray]:
    """Vectors that say nothing of meaning: all alike."""
    return [np.array([1.0]) for _ in texts]  # type: ignore[attr-defined]


def test_a_spoken_answer_is_quoted_with_its_seconds() -> None:
    (first, *_) = ask_file("Why was the paper mill closed?", DATA / "panel-tiny.ogg")
    assert "energy was too expensive" in first["quote"]
    assert first["start"] == pytest.approx(3.95, abs=1.0)
    assert locate((DATA / "panel-tiny.ogg").read_bytes(), first["locator"], "audio") == first["quote"]


def test_nothing_is_said_where_nothing_answers() -> None:
    found = ask_file("What fine did the regulator impose?", DATA / "panel-tiny.ogg")
    assert not len(found)
    assert "nothing in" in found.remarks[0] and "answers that" in found.remarks[0]


def test_a_picture_of_a_video_answers_with_the_second_it_came() -> None:
    (first, *_) = ask_file("Who is the lender?", DATA / "talk-tiny.mp4")
    assert (first["quote"], first["start"]) == ("Lender: Larch Hill Bank plc", 0.0)


def test_every_passage_reads_back_from_its_place() -> None:
    content = (DATA / "talk-tiny.mp4").read_bytes()
    read = passages_of_file(DATA / "talk-tiny.mp4")
    assert {p.locator.partition(":")[0] for p in read} == {"frame", "time"}
    assert all(locate(content, p.locator, p.source) == p.quote for p in read)


def test_a_document_of_the_ledger_is_asked_by_its_digest(graph: Graph) -> None:
    digest = next(p.document for p in passages_of_file(graph.home.parent / "in" / "20240229_VARN" / "text.txt"))
    (first, *_) = graph.ask("Why was the furnace stopped?", digest[:12])
    assert "after a fire in February" in first["quote"] and first["document"] == digest
    assert locate(graph.files.get(digest), first["locator"], "calls") == first["quote"]


def test_all_evidence_is_asked_where_no_document_is_named(graph: Graph) -> None:
    (first, *_) = graph.ask("How much did Oakmere Turbines borrow from Larch Hill Bank?")
    assert "borrowed 50 million euros" in first["quote"] and first["source"] == "audio"
    assert any("LENDS_TO" in said for said in first["says"])
    (other, *_) = graph.ask("Who is the new chief engineer?")
    assert "Tamsin Orle" in other["quote"]


def test_what_was_published_later_answers_nothing_earlier(graph: Graph) -> None:
    from kg.model import AsOf, day

    assert not len(graph.ask("Who is the new chief engineer?", at=AsOf(published=day("2023-01-01"))))


def test_the_command_prints_the_quote_and_its_place(graph: Graph) -> None:
    done = kgrisk_here("ask", "Who is the new chief engineer?", "--home", graph.home, "--json", cwd=graph.home.parent)
    assert "Tamsin Orle" in json.loads(done.stdout)["sentences"][0]["text"]
    plain = kgrisk_here("ask", DATA / "call-tiny.ogg", "What do they expect for revenue?", cwd=graph.home.parent)
    assert "We expect higher revenue." in plain.stdout and "second 8.76" in plain.stdout


def test_a_document_that_is_nowhere_is_told(graph: Graph) -> None:
    with pytest.raises(KgRiskError, match="0 documents of the ledger begin so"):
        graph.ask("Who is it?", "0123456789ab")
    with pytest.raises(KgRiskError, match="no such file"):
        ask_file("Who is it?", graph.home / "none.ogg")


def test_a_file_that_no_source_reads_cannot_be_asked(tmp_path: Path) -> None:
    (tmp_path / "broken.ogg").write_bytes(b"RIFF but no recording")
    with pytest.raises(KgRiskError, match="cannot be asked"):
        ask_file("Who is it?", tmp_path / "broken.ogg")


def test_a_question_without_words_is_refused() -> None:
    with pytest.raises(KgRiskError, match="asks for nothing"):
        answers.ranked("what is it?", [passage("A bank.")], letters)


@pytest.mark.parametrize(
    ("question", "has", "lacks"),
    [
        ("How much was paid?", "They paid 9 million euros.", "They paid late."),
        ("When was it paid?", "They paid in March.", "They paid in full."),
        ("Who paid?", "It was paid by Larch Hill.", "It was paid."),
    ],
)
def test_the_kind_of_thing_asked_for_counts(question: str, has: str, lacks: str) -> None:
    found = answers.ranked(question, [passage(lacks), passage(has)], letters)
    assert found[0].passage.quote == has


def test_a_name_that_the_document_does_not_know_speaks_against_it() -> None:
    known, unknown = (
        answers.measures(f"What did {name} lend?", [passage("Large Hill bank lent money.")], letters)[0][-1]
        for name in ("Larch Hill Bank", "Marquand Trust")
    )
    assert (known, unknown) == (0.0, 1.0)


def test_places_touch_where_seconds_or_characters_overlap() -> None:
    assert touches("time:1.00-2.00", "time:1.50-3.00") and touches("part:2 chars:5-9", "part:2 chars:0-6")
    assert not touches("time:1.00-2.00", "time:2.00-3.00") and not touches("part:1 chars:5-9", "part:2 chars:5-9")


@pytest.mark.slow
def test_the_right_second_is_cited_and_nothing_where_nothing_answers() -> None:
    held = [one for one in asked.questions("held") if one.document != "jfk"]
    assert len(held) >= 40 and len({one.document for one in held}) >= 6
    found = asked.scored(held)
    assert found["recall@1"] >= 0.8, found
    assert found["within a second"] >= 0.8, found
    assert found["abstention precision"] >= 0.72 and found["abstention recall"] >= 0.85, found


@pytest.mark.real
def test_a_speech_of_long_ago_answers_what_it_answers(real_data: Path) -> None:
    file = real_data / "speech" / "jfk.flac"
    read = passages_of_file(file)
    best = answers.ranked("What should Americans ask themselves?", read, encode())[0]
    assert "country" in best.passage.quote
    assert best.seconds and best.seconds[1] <= 11.0
    assert not len(ask_file("What was the unemployment rate?", file))
