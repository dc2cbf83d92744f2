"""Questions on the bundled sample: how many are answered right, and how often `not in the graph` is said rightly.

The truth is read out of the registers' own CSV files, never out of the graph. Wordings marked `shown` were at hand
when the cues were written, those marked `held` were not.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.figure import Figure
from kgrisk.api import Graph
from kgrisk.api import open as open_graph
from kgrisk.questions.answered import Answered
from kgrisk.settings import Settings

HERE = Path(__file__).parent
SAMPLE = HERE.parents[1] / "kgrisk" / "sample" / "data" / "registers"
WAYS = ("shown", "held")
AIMS = {"shown": 0.95, "held": 0.85}
Row = dict[str, str]


@dataclass(frozen=True)
class Question:
    """A question with what is true of it."""

    wording: str
    truth: str
    text: str

    @property
    def answerable(self) -> bool:
        return self.truth != "none"


def questions() -> list[Question]:
    """The whole set."""
    with (HERE / "questions.tsv").open(newline="", encoding="utf-8") as file:
        return [Question(r["wording"], r["truth"], r["question"]) for r in csv.DictReader(file, delimiter="\t")]


class Registers:
    """The registers of the sample, as they lie there."""

    def rows(self, name: str) -> list[Row]:
        with (SAMPLE / f"{name}.csv").open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))

    @cached_property
    def entities(self) -> Mapping[str, Row]:
        """Each entity by its name."""
        return {row["name"]: row for row in self.rows("entities")}

    @cached_property
    def names(self) -> Mapping[str, str]:
        return {row["id"]: name for name, row in self.entities.items()}

    def standing(self, name: str, *key: str) -> list[Row]:
        """Rows without an end: of several with one key the one that was published last."""
        last: dict[tuple[str, ...], Row] = {}
        for row in sorted(self.rows(name), key=lambda row: row["published"]):
            last[tuple(row[part] for part in key)] = row
        return [row for row in last.values() if not row["valid_to"] and _told(row)]

    def ends(self, name: str, of: str, other: str, who: str) -> set[str]:
        """Names at the other end of the rows of one entity."""
        id = self.entities[who]["id"]
        key = (of, other, "facility") if name == "exposures" else (of, other)
        return {self.names[row[other]] for row in self.standing(name, *key) if row[of] == id}

    def expected(self, truth: str) -> tuple[set[str], bool]:
        """What an answer has to hold, and whether it may name nobody else."""
        kind, *who = truth.split("|")
        if kind == "owners":
            return self.ends("ownership", "owned_id", "owner_id", who[0]), True
        if kind in ("creditors", "hit"):
            return self.ends("exposures", "debtor_id", "creditor_id", who[0]), kind == "creditors"
        if kind == "suppliers":
            return self.ends("supply", "customer_id", "supplier_id", who[0]), True
        if kind == "customers":
            return self.ends("supply", "supplier_id", "customer_id", who[0]), True
        if kind == "supplied":
            return set(who), True
        if kind in ("country", "sector", "ticker"):
            return {self.entities[who[0]][kind]}, True
        return set(self._values(kind, who)), True

    def _values(self, kind: str, who: list[str]) -> Iterator[str]:
        """Amounts, shares and days as they have to stand in an answer."""
        ids = [self.entities[name]["id"] for name in who[:2] if name in self.entities]
        if kind == "claim":
            for row in self.standing("exposures", "creditor_id", "debtor_id", "facility"):
                if [row["creditor_id"], row["debtor_id"]] == ids:
                    yield _money(row["amount"])
        elif kind == "stake":
            for row in self.standing("ownership", "owner_id", "owned_id"):
                if [row["owner_id"], row["owned_id"]] == ids:
                    yield f"{format((Decimal(row['share']) * 100).normalize(), 'f')} %"
        elif kind == "failed":
            own = [row for row in self.rows("events") if row["entity_id"] == ids[0]]
            yield from (row["date"] for row in own if row["event_type"] in ("default", "bankruptcy"))
        elif kind == "figure":
            own = [row for row in self.rows("balances") if row["entity_id"] == ids[0] and row["period_end"] == who[2]]
            yield _money(max(own, key=lambda row: row["published"])[who[1]])

    def written(self, named: set[str], truth: str) -> set[str]:
        """Of these names those that articles of the sample, too, tie to who is asked about, as its truth file says."""
        asked = {self.entities[name]["id"] for name in truth.split("|") if name in self.entities}
        ends = [{row["source_id"], row["target_id"]} for row in self.articles if not row["negated"]]
        near = {id for pair in ends if pair & asked for id in pair}
        return {name for name in named if self.entities[name]["id"] in near}

    @cached_property
    def articles(self) -> list[dict[str, Any]]:
        """Relations that articles and pages state."""
        told = json.loads((SAMPLE.parent / "truth.json").read_text(encoding="utf-8"))
        found: list[dict[str, Any]] = [*told["relations"], *({"negated": False, **page} for page in told["pages"])]
        return found

    def right(self, asked: Question, found: Answered) -> bool:
        """True if an answer holds all that is true and names nobody whom the truth does not, or is rightly none."""
        if not asked.answerable or found.abstained:
            return not asked.answerable and found.abstained
        wanted, alone = self.expected(asked.truth)
        assert wanted, asked.truth  # a truth of nothing would make every answer right
        text = " ".join(said.text for said in found.sentences)
        for name, row in self.entities.items():
            text = text.replace(row["former_name"], name) if row["former_name"] else text
        named = {name for name in self.entities if name in text}
        strangers = named - wanted - set(asked.truth.split("|")) - self.written(named, asked.truth)
        return all(part in text for part in wanted) and not (alone and strangers)


def _told(row: Row) -> bool:
    """False for the rows that the sample plants as broken."""
    value = row.get("amount") or row.get("share") or ""
    return value.replace(".", "").isdigit() and not (row.get("share") and Decimal(row["share"]) > 1)


def _money(text: str) -> str:
    return format(Decimal(text).normalize(), ",f")


@dataclass(frozen=True)
class Score:
    """How a set of questions went."""

    right: list[Question]
    wrong: list[tuple[Question, Answered]]

    @property
    def accuracy(self) -> float:
        return len(self.right) / (len(self.right) + len(self.wrong))

    @property
    def answered(self) -> float:
        """Of the questions that have an answer, the share that got it."""
        able = [q for q in self.right if q.answerable]
        return len(able) / (len(able) + sum(1 for q, _ in self.wrong if q.answerable))

    @property
    def precision(self) -> float:
        """Of the times that nothing was answered, the share in which there was nothing to answer."""
        rightly = sum(1 for q in self.right if not q.answerable)
        return rightly / max(1, rightly + sum(1 for q, found in self.wrong if found.abstained))

    @property
    def recall(self) -> float:
        """Of the questions without an answer, the share that got none."""
        rightly = sum(1 for q in self.right if not q.answerable)
        return rightly / (rightly + sum(1 for q, _ in self.wrong if not q.answerable))


def score(graph: Graph, wording: str) -> Score:
    """The questions of one kind of wording."""
    registers, right, wrong = Registers(), [], []
    for asked in (q for q in questions() if q.wording == wording):
        found = graph.answer(asked.text)
        if registers.right(asked, found):
            right.append(asked)
        else:
            wrong.append((asked, found))
    return Score(right, wrong)


def measure() -> list[Figure]:
    """Figures of both kinds of wording."""
    figures = []
    with TemporaryDirectory() as folder:
        home = Path(folder)
        with open_graph(home, settings=Settings(home=home)) as graph:  # type: ignore[call-arg]  # all others have defaults
            graph.ingest(SAMPLE.parent, sources=["registers", "news"])
            graph.resolve()
            for wording in WAYS:
                found = score(graph, wording)
                count = len(found.right) + len(found.wrong)
                for name in ("accuracy", "answered", "precision", "recall"):
                    aim = AIMS[wording]
                    figures.append(
                        Figure(f"questions, {wording}: {name}", getattr(found, name), aim, note=f"of {count}")
                    )
    return figures
