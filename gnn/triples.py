"""Triples in a folder: `train.txt`, `valid.txt`, `test.txt`, as public benchmarks of link prediction come."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import torch
from torch import Tensor

from gnn.tensors import EPOCH, GraphTensors, microseconds
from gnn.vocabulary import Vocabulary
from kg.errors import ModelError

PARTS = ("train", "valid", "test")
WRONG = ("valid_negatives", "test_negatives")
"""Files of triples known to be wrong, which some benchmarks add (Safavi and Koutra 2020)."""


@dataclass(frozen=True)
class Triples:
    """A public split: what is learned from as a graph, and what is asked."""

    graph: GraphTensors
    """The training triples. Nodes are those of all three files, as the benchmarks count them."""
    valid: Tensor
    """(valid, 3) int64 rows of head, relation, tail."""
    test: Tensor
    """(test, 3) int64."""
    times: tuple[Tensor, Tensor, Tensor] | None
    """Per part (triples,) int64 time steps by order, where the files have a fourth column; rows are as in `all`."""
    rows: tuple[Tensor, Tensor, Tensor]
    """Per part (triples, 3) every line as it stands, repeated triples included."""
    wrong: tuple[Tensor, Tensor] | None = None
    """(wrong, 3) int64 triples known to be wrong, for validation and for test, where the folder has them."""

    @property
    def unseen(self) -> int:
        """Entities that no training triple has: what is said of them is nowhere learned."""
        return len(self.graph) - len(torch.unique(self.graph.edges[:, [0, 2]]))

    @property
    def unseen_relations(self) -> int:
        """Relations that no training triple has."""
        return len(self.graph.vocabulary.relations) - len(torch.unique(self.graph.edges[:, 1]))

    @property
    def remarks(self) -> list[str]:
        """How many test triples name what no training triple has, in words; nothing where none does."""
        learned, ends = self.graph.edges, self.test[:, [0, 2]]
        ends_new, kinds_new = ~torch.isin(ends, learned[:, [0, 2]]), ~torch.isin(self.test[:, 1], learned[:, 1])
        both = int((ends_new.any(1) | kinds_new).sum())
        if not both:
            return []
        lost = len(torch.unique(ends[ends_new])), len(torch.unique(self.test[:, 1][kinds_new]))
        return [
            f"{both} of {len(self.test)} test triples name {lost[0]} entities and {lost[1]} relations that no training "
            "triple has: nothing was learned of these, so the ranks of such triples are little more than luck."
        ]

    @property
    def known(self) -> Tensor:
        """All triples: what filtered ranking leaves out."""
        return torch.cat([self.graph.edges, self.valid, self.test])


def read_triples(folder: Path) -> Triples:
    """Read the three files: tab-separated head, relation, tail, and perhaps a time (a number or an ISO date).

    Beside them may stand the files of WRONG. ModelError if a file is missing or empty or a line has another shape.
    """
    lines = [_lines(folder / f"{part}.txt") for part in PARTS]
    widths = {len(line) for part in lines for line in part}
    if len(widths) != 1:
        raise ModelError(f"{folder}: some lines have a time and some have none; expected one shape in all three files")
    entities = _numbers(end for part in lines for line in part for end in (line[0], line[2]))
    relations = _numbers(line[1] for part in lines for line in part)
    rows = [torch.tensor([[entities[h], relations[r], entities[t]] for h, r, t, *_ in part]) for part in lines]
    moments = [[_moment(line[3], folder) for line in part] for part in lines] if widths == {4} else None
    graph = _graph(tuple(entities), tuple(relations), rows[0], moments[0] if moments else None)
    steps = None
    if moments:
        order = {moment: step for step, moment in enumerate(sorted({m for part in moments for m in part}))}
        steps = tuple(torch.tensor([order[m] for m in part]) for part in moments)
    valid, test = (torch.unique(part, dim=0) for part in rows[1:])
    wrong = _wrong(folder, entities, relations)
    return Triples(graph, valid, test, steps, tuple(rows), wrong)  # type: ignore[arg-type]  # three of each


def _wrong(folder: Path, entities: dict[str, int], relations: dict[str, int]) -> tuple[Tensor, Tensor] | None:
    if not all((folder / f"{part}.txt").exists() for part in WRONG):
        return None
    lines = [_lines(folder / f"{part}.txt") for part in WRONG]
    for head, relation, tail, *_ in (line for part in lines for line in part):
        if head not in entities or tail not in entities or relation not in relations:
            raise ModelError(
                f"{folder}: the wrong triple {head} {relation} {tail} has a name that the other files do not have; "
                f"expected names of {', '.join(PARTS)}"
            )
    one, two = (torch.tensor([[entities[h], relations[r], entities[t]] for h, r, t, *_ in part]) for part in lines)
    return one, two


def _lines(path: Path) -> list[list[str]]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or error
        raise ModelError(f"{path}: {why}; expected UTF-8 text of lines head, relation, tail parted by tabs") from error
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        cells = line.split("\t")
        if len(cells) not in (3, 4) or not all(cell.strip() for cell in cells):
            raise ModelError(
                f"{path}:{number}: {line[:80]!r} has {len(cells)} cells; expected head, relation, tail and perhaps a "
                "time, parted by tabs"
            )
        found.append(cells)
    if not found:
        raise ModelError(f"{path} is empty; expected lines of head, relation, tail")
    return found


def _numbers(names: Iterable[str]) -> dict[str, int]:
    return {name: number for number, name in enumerate(sorted(set(names)))}


def _moment(text: str, folder: Path) -> int:
    """Microseconds since 1970 of an ISO date; a plain number is its own."""
    try:
        return int(text)
    except ValueError:
        pass
    try:
        found = datetime.fromisoformat(text)
        return microseconds(found if found.tzinfo else found.replace(tzinfo=UTC))
    except ValueError as error:
        raise ModelError(f"{folder}: {text!r} is no time; expected a whole number or an ISO date") from error


def _graph(
    entities: tuple[str, ...], relations: tuple[str, ...], rows: Tensor, moments: list[int] | None
) -> GraphTensors:
    edges, inverse, counts = torch.unique(rows[:, [1, 0, 2]], dim=0, return_inverse=True, return_counts=True)
    when = torch.tensor(moments) if moments else torch.zeros(len(rows), dtype=torch.int64)
    first = torch.full((len(edges),), torch.iinfo(torch.int64).max).scatter_reduce(0, inverse, when, "amin")
    last = torch.full((len(edges),), torch.iinfo(torch.int64).min).scatter_reduce(0, inverse, when, "amax")
    labels = torch.zeros(len(entities), dtype=torch.int64)
    words = Vocabulary.plain(relations)
    return GraphTensors(entities, labels, edges[:, [1, 0, 2]], first, last, counts, EPOCH, vocabulary=words)
