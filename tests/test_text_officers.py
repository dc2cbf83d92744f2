"""Who holds, takes, leaves or is denied an office: sentences of officers.tsv by form, floors on the half not tuned on.

`says` of a row lists who holds an office where (`+X B`), who left one (`-X B`) and what may be read or not (`~X B`:
who did not leave still holds it); a row that says nothing denies, doubts or asks.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from ingest.extract.prose.relations import relations
from tests.paraphrases import FIRMS, MODELS, PEOPLE, PUBLISHED
from tests.paraphrases import TABLE as PARAPHRASES

TABLE = PARAPHRASES.parent / "officers.tsv"
DENIALS = ("denied", "rumour", "refused", "supposed")
Office = tuple[str, str, bool]
"""Person, firm and whether the office has ended."""


@dataclass
class Tally:
    """Offices said, read and right, and sentences misread."""

    said: int = 0
    read: int = 0
    right: int = 0
    misread: list[str] = field(default_factory=list)
    """Looked at for the tuned half only."""

    @property
    def precision(self) -> float:
        return self.right / max(1, self.read)

    @property
    def recall(self) -> float:
        return self.right / max(1, self.said)

    @property
    def f1(self) -> float:
        return 2 * self.right / max(1, self.read + self.said)


def sentences(half: str) -> Iterator[tuple[str, str, set[Office], set[Office]]]:
    """Form, sentence, offices said, offices that may be read."""
    with TABLE.open(encoding="utf-8") as file:
        for number, row in enumerate(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)):
            if row["half"] != half:
                continue
            firms = [FIRMS[(number + i) % len(FIRMS)].rstrip(".") for i in range(2)]
            people = [PEOPLE[(number + i) % len(PEOPLE)] for i in range(2)]
            names = dict(zip("BCXY", (*firms, *people), strict=True))
            units = [unit for unit in row["says"].split() if unit in "BC" or unit[0] in "+-~"]
            pairs = [(units[i], units[i + 1]) for i in range(0, len(units), 2)]
            said = {(names[p[1]], names[f], p[0] == "-") for p, f in pairs if p[0] != "~"}
            may = {(names[p[1]], names[f], False) for p, f in pairs if p[0] == "~"}
            yield row["form"], row["sentence"].format(**names), said, may


def tallied(half: str) -> dict[str, Tally]:
    """Counts by form, and of all."""
    tallies: dict[str, Tally] = defaultdict(Tally)
    for form, sentence, said, may in sentences(half):
        found = {
            (f.source.name, f.target.name.rstrip("."), f.valid_to is not None)
            for f in relations(sentence, MODELS, PUBLISHED)
            if f.type == "OFFICER_OF"
        } - may
        for name in (form, "all"):
            tallies[name].said += len(said)
            tallies[name].read += len(found)
            tallies[name].right += len(said & found)
            if said != found:
                tallies[name].misread.append(f"{sentence} | missed {said - found} wrong {found - said}")
    return tallies


@pytest.fixture(scope="module")
def tallies() -> dict[str, Tally]:
    return tallied("test")


def test_offices_are_read_in_sentences_that_nothing_was_tuned_on(tallies: dict[str, Tally]) -> None:
    assert tallies["all"].f1 >= 0.79
    assert tallies["all"].precision >= 0.85


def test_few_denials_of_an_office_are_taken_for_one(tallies: dict[str, Tally]) -> None:
    """Four of the 45 were when this was written."""
    assert sum(tallies[form].read for form in DENIALS) <= 5
    assert tallies["denied"].read == 0


@pytest.mark.parametrize(
    "sentence",
    [
        "It is untrue that Ilse Varga was named chairman of Dovre Capital.",
        "Dovre Capital poured cold water on suggestions that Ilse Varga will be its next chief executive.",
        "At no time was Ilse Varga an officer of Dovre Capital.",
        "The job of chief executive at Dovre Capital did not go to Ilse Varga.",
        "Ilse Varga, not yet chief executive of Dovre Capital, spoke in Oslo.",
        "Ilse Varga is among the candidates to become chief executive of Dovre Capital.",
        "Dovre Capital has yet to name Ilse Varga as chief executive.",
        "FALSE: Ilse Varga has been named CEO of Dovre Capital.",
    ],
)
def test_an_office_denied_in_any_of_these_ways_is_none(sentence: str) -> None:
    assert [f for f in relations(sentence, MODELS, PUBLISHED) if f.type == "OFFICER_OF"] == []


def test_of_two_names_set_against_each_other_the_right_one_takes_the_post() -> None:
    found = relations("Ilse Varga, not Marcus Thornbury, is chief executive of Dovre Capital.", MODELS, PUBLISHED)
    assert [f.source.name for f in found if f.type == "OFFICER_OF"] == ["Ilse Varga"]


def test_who_leaves_one_firm_for_another_holds_the_second_post() -> None:
    found = relations("Ilse Varga leaves Ludwell Motors to become chair of Dovre Capital.", MODELS, PUBLISHED)
    held = {f.target.name: f.valid_to for f in found if f.type == "OFFICER_OF"}
    assert held == {"Ludwell Motors": PUBLISHED, "Dovre Capital": None}
