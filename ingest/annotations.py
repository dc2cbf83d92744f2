"""Annotations are labels that people gave to spans of documents and to pairs of entities: who, when, and how far two
people agree.

    store = Annotations(home / "annotations.jsonl", {"relation": ("OWNS", "LENDS_TO", "none"), "same": ("yes", "no")})
    store.add(Label("relation", Span(document, "chars:120-188", quote), "OWNS", "ann", now))
    store.agreement("relation")      # Cohen's kappa of each two annotators
    store.disagreements("relation")  # what to look at again, the most disputed first
    store.export(path)               # .csv or .jsonl

The file only grows: a person who changes a label adds one, and the last of a person counts. Nothing is ever lost.
"""

from __future__ import annotations

import csv
import io
import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import combinations
from math import log2
from pathlib import Path
from typing import Any

from kg.errors import RecordError, SourceError
from kg.model import as_time

FIELDS = ("task", "document", "locator", "quote", "a", "b", "label", "annotator", "time", "note")


@dataclass(frozen=True, slots=True)
class Span:
    """A place in a document, and exactly what stands there."""

    document: str
    locator: str
    quote: str


@dataclass(frozen=True, slots=True)
class Pair:
    """Two ids, in either order."""

    a: str
    b: str

    def __post_init__(self) -> None:
        if self.a == self.b:
            raise RecordError(f"a pair needs two ids, both are {self.a}")
        if self.a > self.b:
            first, second = self.b, self.a
            object.__setattr__(self, "a", first)
            object.__setattr__(self, "b", second)


Item = Span | Pair


@dataclass(frozen=True, slots=True)
class Label:
    """One label that one person gave to one item."""

    task: str
    item: Item
    label: str
    annotator: str
    time: datetime
    note: str = ""


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far two annotators agree on the items that both labelled."""

    first: str
    second: str
    items: int
    observed: float
    kappa: float
    """Cohen's kappa: 1 is full agreement, 0 what chance gives; nan where there is no item."""


@dataclass(frozen=True, slots=True)
class Dispute:
    """An item on which people differ, with what each of them said."""

    item: Item
    labels: Mapping[str, str]
    """Label by annotator."""
    entropy: float
    """Bits of the labels' distribution; higher is more disputed."""


def cohen_kappa(first: Sequence[str], second: Sequence[str]) -> float:
    """(p_o - p_e) / (1 - p_e) of two lists of labels of the same items (Cohen 1960); nan where they are empty.

    Where both gave one and the same label to everything p_e is 1 and nothing can be told: that is nan too.
    """
    if len(first) != len(second):
        raise RecordError(f"two lists of labels of one length are wanted, not {len(first)} and {len(second)}")
    n = len(first)
    one, two = Counter(first), Counter(second)
    by_chance = sum(one[label] * two[label] for label in one) / n**2 if n else 1.0
    if by_chance == 1:
        return float("nan")
    observed = sum(a == b for a, b in zip(first, second, strict=True)) / n
    return (observed - by_chance) / (1 - by_chance)


class Annotations:
    """The labels of one file; `tasks` names the labels that each task allows."""

    def __init__(self, path: Path, tasks: Mapping[str, Sequence[str]]) -> None:
        self._path, self._tasks = path, tasks

    def add(self, *labels: Label) -> None:
        """Append labels, all or none; RecordError if a task or label is unknown or nobody is named."""
        lines = "".join(json.dumps(_row(self._checked(label)), ensure_ascii=False) + "\n" for label in labels)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("ab+") as file:
            if file.seek(0, os.SEEK_END):
                file.seek(-1, os.SEEK_END)
                lines = lines if file.read(1) == b"\n" else f"\n{lines}"  # a killed writer left half a line
            file.write(lines.encode())
            file.flush()
            os.fsync(file.fileno())

    def _checked(self, label: Label) -> Label:
        if label.task not in self._tasks:
            raise RecordError(f"task {label.task!r} is unknown; known: {', '.join(sorted(self._tasks))}")
        if label.label and label.label not in self._tasks[label.task]:
            known = ", ".join(self._tasks[label.task])
            raise RecordError(f"label {label.label!r} of task {label.task} is unknown; known: {known}")
        if not label.annotator.strip():
            raise RecordError("a label needs the name of its annotator")
        as_time(label.time)
        return label

    def history(self, task: str) -> Iterator[Label]:
        """Every label of a task ever given, in the order given; half a line that a killed writer left is skipped."""
        if not self._path.exists():
            return
        for number, line in enumerate(self._path.read_text("utf-8").split("\n"), 1):
            try:
                row = json.loads(line)
            except ValueError:
                continue
            try:
                label = _label(row)
            except (KeyError, TypeError, ValueError) as error:
                raise SourceError(f"{self._path}:{number} is no label ({error!r}); mend or remove the line") from error
            if label.task == task:
                yield label

    def labels(self, task: str) -> dict[Item, dict[str, str]]:
        """The label that counts of each item by annotator; an empty label takes the former one back."""
        found: dict[Item, dict[str, str]] = {}
        for one in sorted(self.history(task), key=lambda one: one.time):
            by = found.setdefault(one.item, {})
            by.pop(one.annotator, None)
            if one.label:
                by[one.annotator] = one.label
        return {item: by for item, by in found.items() if by}

    def agreement(self, task: str) -> list[Agreement]:
        """Agreement of each two annotators, by name."""
        labels = list(self.labels(task).values())
        people = sorted({name for by in labels for name in by})
        found = []
        for first, second in combinations(people, 2):
            both = [(by[first], by[second]) for by in labels if first in by and second in by]
            equal = sum(a == b for a, b in both)
            kappa = cohen_kappa([a for a, _ in both], [b for _, b in both])
            found.append(Agreement(first, second, len(both), equal / len(both) if both else float("nan"), kappa))
        return found

    def disagreements(self, task: str) -> list[Dispute]:
        """Items with more than one label, the most disputed first."""
        disputes = [
            Dispute(item, by, _entropy(by)) for item, by in self.labels(task).items() if len({*by.values()}) > 1
        ]
        return sorted(disputes, key=lambda one: (-one.entropy, str(one.item)))

    def alone(self, task: str) -> list[Item]:
        """Items that one person has labelled so far: a second opinion is wanted."""
        return [item for item, by in self.labels(task).items() if len(by) == 1]

    def agreed(self, task: str, least: int = 2) -> dict[Item, str]:
        """Items that at least so many people labelled, all alike: what models may learn from."""
        labels = self.labels(task).items()
        return {item: next(iter(by.values())) for item, by in labels if len(by) >= least and len({*by.values()}) == 1}

    def export(self, path: Path) -> int:
        """Write the whole history as .csv or .jsonl; returns how many labels."""
        rows = [_row(label) for task in sorted(self._tasks) for label in self.history(task)]
        if path.suffix == ".csv":
            out = io.StringIO(newline="")
            writer = csv.DictWriter(out, FIELDS, lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
            text = out.getvalue()
        elif path.suffix == ".jsonl":
            text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        else:
            raise RecordError(f"{path.name}: labels are exported as .csv or .jsonl")
        path.write_text(text, "utf-8")
        return len(rows)

    def take_in(self, path: Path) -> int:
        """Add the labels of an exported file that are not here yet; returns how many."""
        text = path.read_text("utf-8")
        given: list[Any] = (
            list(csv.DictReader(io.StringIO(text)))
            if path.suffix == ".csv"
            else [json.loads(line) for line in text.split("\n") if line.strip()]
        )
        try:
            labels = [_label(row) for row in given]
        except (KeyError, TypeError, ValueError) as error:
            raise RecordError(f"{path.name} holds no labels ({error!r}); expected {', '.join(FIELDS)}") from error
        have = {label for task in self._tasks for label in self.history(task)}
        fresh = list(dict.fromkeys(label for label in labels if label not in have))
        self.add(*fresh)
        return len(fresh)


def _entropy(by: Mapping[str, str]) -> float:
    shares = [count / len(by) for count in Counter(by.values()).values()]
    return -sum(share * log2(share) for share in shares)


def _row(label: Label) -> dict[str, str]:
    said = dict.fromkeys(FIELDS, "") | {key: str(value) for key, value in asdict(label.item).items()}
    said |= {"task": label.task, "label": label.label, "annotator": label.annotator, "note": label.note}
    return said | {"time": as_time(label.time).isoformat()}


def _label(row: Mapping[str, str]) -> Label:
    item: Item = Pair(row["a"], row["b"]) if row["a"] else Span(row["document"], row["locator"], row["quote"])
    time = datetime.fromisoformat(row["time"])
    return Label(row["task"], item, row["label"], row["annotator"], as_time(time), row["note"])
