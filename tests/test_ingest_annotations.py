"""Labels: the last of a person counts, agreement as scikit-learn has it, disputes first, nothing lost."""

from __future__ import annotations

import math
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sklearn.metrics import cohen_kappa_score

from ingest.annotations import Annotations, Label, Pair, Span, cohen_kappa
from kg.errors import ClockError, RecordError, SourceError

START = datetime(2024, 5, 1, tzinfo=UTC)
TASKS = {"relation": ("OWNS", "LENDS_TO", "none"), "same": ("yes", "no")}


@pytest.fixture
def store(tmp_path: Path) -> Annotations:
    return Annotations(tmp_path / "labels" / "annotations.jsonl", TASKS)


def span(number: int) -> Span:
    return Span("d" * 64, f"chars:{number}-{number + 5}", "Müller, „AG“\nowns\u2028it")


def given(number: int, label: str, who: str, after: int = 0) -> Label:
    return Label("relation", span(number), label, who, START + timedelta(minutes=after))


@pytest.mark.parametrize("seed", range(5))
def test_kappa_is_that_of_scikit_learn(seed: int) -> None:
    chance = random.Random(seed)
    first = chance.choices("abc", [5, 3, 1], k=80)
    second = [label if chance.random() < 0.7 else chance.choice("abc") for label in first]
    assert cohen_kappa(first, second) == pytest.approx(cohen_kappa_score(first, second))


def test_kappa_is_told_only_where_something_can_be_told() -> None:
    assert math.isnan(cohen_kappa([], [])) and math.isnan(cohen_kappa(["a", "a"], ["a", "a"]))
    assert cohen_kappa(["a", "b"], ["b", "a"]) == -1
    with pytest.raises(RecordError, match="one length"):
        cohen_kappa(["a"], [])


def test_the_last_label_of_a_person_counts_and_the_former_stay_in_the_history(store: Annotations) -> None:
    store.add(given(1, "OWNS", "ann"), given(1, "none", "ann", 5), given(2, "OWNS", "ann"), given(2, "", "ann", 1))
    assert store.labels("relation") == {span(1): {"ann": "none"}}
    assert len(list(store.history("relation"))) == 4


def test_agreement_is_told_for_each_two_people(store: Annotations) -> None:
    labels = {"ann": "OWNS OWNS none none", "ben": "OWNS none none none", "eve": "OWNS"}
    store.add(*(given(n, label, who) for who, said in labels.items() for n, label in enumerate(said.split())))
    told = {(one.first, one.second): one for one in store.agreement("relation")}
    assert (told["ann", "ben"].items, told["ann", "ben"].observed, told["ann", "ben"].kappa) == (4, 0.75, 0.5)
    assert told["ann", "eve"].items == 1 and math.isnan(told["ann", "eve"].kappa)


def test_the_most_disputed_items_come_first(store: Annotations) -> None:
    store.add(*(given(1, label, who) for who, label in (("a", "OWNS"), ("b", "OWNS"), ("c", "none"))))
    store.add(*(given(2, label, who) for who, label in (("a", "OWNS"), ("b", "LENDS_TO"), ("c", "none"))))
    store.add(given(3, "OWNS", "a"), given(3, "OWNS", "b"), given(4, "none", "a"))
    assert [dispute.item for dispute in store.disagreements("relation")] == [span(2), span(1)]
    assert store.agreed("relation") == {span(3): "OWNS"} and store.alone("relation") == [span(4)]


def test_a_pair_is_the_same_in_either_order(store: Annotations) -> None:
    pairs = (("ann", Pair("lei:b", "lei:a")), ("ben", Pair("lei:a", "lei:b")))
    store.add(*(Label("same", pair, "yes", who, START) for who, pair in pairs))
    assert store.agreed("same") == {Pair("lei:a", "lei:b"): "yes"}
    with pytest.raises(RecordError, match="two ids"):
        Pair("lei:a", "lei:a")


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_what_is_exported_can_be_taken_in_elsewhere_once(store: Annotations, tmp_path: Path, ending: str) -> None:
    store.add(given(1, "OWNS", "ann"), Label("same", Pair("x:a", "x:b"), "no", "ben", START, "two, firms"))
    assert store.export(tmp_path / f"all.{ending}") == 2
    other = Annotations(tmp_path / "other.jsonl", TASKS)
    assert (other.take_in(tmp_path / f"all.{ending}"), other.take_in(tmp_path / f"all.{ending}")) == (2, 0)
    assert [list(other.history(task)) for task in TASKS] == [list(store.history(task)) for task in TASKS]


def test_labels_that_make_no_sense_are_refused_and_none_of_their_batch_is_kept(store: Annotations) -> None:
    for bad in (given(1, "MAYBE", "ann"), given(1, "OWNS", " "), Label("x", span(1), "OWNS", "ann", START)):
        with pytest.raises(RecordError, match=r"unknown|annotator"):
            store.add(given(2, "OWNS", "ann"), bad)
    with pytest.raises(ClockError):
        store.add(Label("relation", span(1), "OWNS", "ann", datetime(2024, 1, 1)))
    assert store.labels("relation") == {}


def test_half_a_line_of_a_killed_writer_costs_that_line_only(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    store = Annotations(path, TASKS)
    store.add(given(1, "OWNS", "ann"), given(2, "OWNS", "ann"))
    path.write_bytes(path.read_bytes()[:-40])
    store.add(given(3, "none", "ann"))
    assert set(store.labels("relation")) == {span(1), span(3)}
    path.write_text('{"task": "relation"}\n')
    with pytest.raises(SourceError, match="is no label"):
        store.labels("relation")
