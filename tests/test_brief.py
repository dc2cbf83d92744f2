"""Briefs: every number and name of every sentence stands in the statements it cites, at both clocks."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import date
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from kg.errors import KgRiskError
from kg.model import AsOf, as_time
from kgrisk.api import Graph
from kgrisk.api import open as open_graph
from kgrisk.brief_page import page
from kgrisk.settings import Settings
from tests.kgrisk_world import BIG, FIRM, SMALL, kgrisk_here, write_registers

NUMBER = re.compile(r"(?<![\w-])\d[\d,]*(?:\.\d+)?(?![\w-])")
DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
NASTY = "<script>alert(1)</script> Steel Works SA fell."


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Graph]:
    """Registers, events, an article whose title is a script, and the losses of a published run."""
    folder = tmp_path_factory.mktemp("brief")
    registers = write_registers(folder / "in") / "registers"
    (registers / "events.csv").write_text(
        f"event_id,event_type,entity_id,role,date,published\nE1,default,{FIRM},subject,2020-05-01,2020-05-04\n"
    )
    (folder / "in" / "news").mkdir()
    article = {
        "id": "a1",
        "published": "2020-03-01T08:00:00Z",
        "title": NASTY,
        "body": "Steel Works SA had bad losses.",
    }
    (folder / "in" / "news" / "2020.jsonl").write_text(json.dumps(article) + "\n")
    with open_graph(folder / "home", settings=Settings(home=folder / "home")) as made:
        made.ingest(folder / "in")
        made.resolve()
        made.risk(shock=FIRM, publish=True)
        yield made


def held(graph: Graph, statement: str) -> str:
    """All that a statement holds: its value, its days, its key, the names of its ends, and what its claims quote."""
    found = graph.explain(statement)
    what: dict[str, Any] = found.what
    values = what["value"] if isinstance(what["value"], dict) else {"value": what["value"]}
    parts = [str(part) for part in values.values()]
    numbers = [value for value in values.values() if not isinstance(value, str) and value is not None]
    parts += [f"{float(n):.2f}" for n in numbers] + [f"{float(n):.4f}" for n in numbers]
    parts += [f"{float(n) * 100:g}" for n in numbers if isinstance(n, float)]
    parts += [str(what[name]) for name in what if name not in ("value", "statement", "edge")]
    return " ".join([*parts, *found.evidence["quote"], *found.evidence["title"]])


def figures(text: str) -> set[float]:
    return {round(float(number.replace(",", "")), 4) for number in NUMBER.findall(DAY.sub(" ", text))}


@pytest.mark.parametrize("id", [FIRM, BIG, SMALL])
def test_every_number_day_and_name_stands_in_the_statements_cited(graph: Graph, id: str) -> None:
    names = {"Big Bank AG", "Small Bank plc", "Steel Works SA"}
    made = graph.brief(id, since=as_time(date(2020, 1, 1)))
    count = 0
    for section in made.sections:
        for said in section:
            assert said.statements, said
            given = " ".join(held(graph, statement) for statement in said.statements)
            assert figures(said.text) <= figures(given), (said.text, given)
            assert set(DAY.findall(said.text)) <= set(DAY.findall(given)), (said.text, given)
            assert {name for name in names if name in said.text} <= {name for name in names if name in given}
            count += 1
    assert count > 12


def test_a_brief_tells_who_money_exposures_scores_news_and_alerts(graph: Graph) -> None:
    made = graph.brief(FIRM, since=as_time(date(2020, 2, 10)))
    told = {section.name: [said.text for said in section] for section in made.sections}
    assert "Steel Works SA is described so: “A steel maker.”" in told["who it is"]
    assert "The equity of Steel Works SA for 2019-12-31 is 30 EUR." in told["money"]
    assert told["who would lose by it"] == ["Big Bank AG lends to Steel Works SA (40 EUR, term loan) from 2020-01-01."]
    assert any(text.startswith("The contagion loss of Steel Works SA") for text in told["scores"])
    assert "speaks of Steel Works SA with a tone of -" in told["news"][0]
    assert "Steel Works SA is subject of a default on 2020-05-01." in told["alerts"]
    assert "what was published since" in told and not any("term loan" in text for text in told[SINCE])


SINCE = "what was published since"


def test_a_brief_is_of_its_instant_and_the_same_again(graph: Graph) -> None:
    early = graph.brief(FIRM, AsOf(published=as_time(date(2020, 2, 10))))
    assert {"money", "alerts", "scores"} & {section.name for section in early.sections} == set()
    assert page(graph.brief(FIRM)) == page(graph.brief(FIRM))
    with pytest.raises(KgRiskError, match="no entity 'lei:nobody'"):
        graph.brief("lei:nobody")


class Links(HTMLParser):
    """Ids and links of a page, and whether a script came through."""

    def __init__(self) -> None:
        super().__init__()
        self.ids, self.links, self.tags = set[str](), list[str](), set[str]()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.ids |= {value for name, value in attrs if name == "id" and value}
        self.links += [value for name, value in attrs if name == "href" and value]


def test_the_page_links_every_sentence_to_its_evidence_and_runs_no_script(graph: Graph, tmp_path: Path) -> None:
    done = kgrisk_here("brief", FIRM, "--html", tmp_path / "b.html", "--home", graph.home, cwd=tmp_path)
    assert done.returncode == 0 and "written" in done.stderr
    read = Links()
    read.feed((tmp_path / "b.html").read_text())
    assert read.links and {link.removeprefix("#") for link in read.links} == read.ids
    assert "script" not in read.tags and "&lt;script&gt;" in (tmp_path / "b.html").read_text()


def test_the_command_prints_sentences_or_json(graph: Graph) -> None:
    plain = kgrisk_here("brief", FIRM, "--home", graph.home, cwd=graph.home.parent).stdout
    assert "who it is:" in plain and "Steel Works SA" in plain
    told = json.loads(kgrisk_here("brief", FIRM, "--json", "--home", graph.home, cwd=graph.home.parent).stdout)
    assert all(said["claims"] for section in told["sections"] for said in section["sentences"])
    assert kgrisk_here("brief", "x", "--home", graph.home, cwd=graph.home.parent).returncode == 1
