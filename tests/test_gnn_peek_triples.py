"""On plain triples too a model that reads the future is caught, and where nothing can be certified it is said why."""

import json
from pathlib import Path

import pytest
import torch
from torch import Tensor

from gnn.model import Shape
from gnn.models.complex import Complex
from gnn.models.frequency import Frequency
from gnn.peek_triples import certified
from gnn.temporal import Chronicle
from gnn.triples import Triples, read_triples
from kg.errors import ModelError
from tests.kgrisk_world import kgrisk_here
from tests.planted_times import planted, write


class Reader(Frequency):
    """A model that counts what happens at the very step it is asked about."""

    def ahead(self, chronicle: Chronicle, now: int, heads: Tensor, relations: Tensor) -> Tensor:
        found = super().ahead(chronicle, now, heads, relations)
        return found.index_add(1, chronicle.at(now)[:, 2], torch.ones(len(heads), len(chronicle.at(now))).to(found))


@pytest.fixture(scope="module")
def split(tmp_path_factory: pytest.TempPathFactory) -> Triples:
    return read_triples(write(tmp_path_factory.mktemp("planted"), planted(40, 60)))


def test_a_model_that_looks_back_holds_and_one_that_looks_ahead_is_caught(split: Triples) -> None:
    found = certified(Frequency(Shape.of(split.graph)), split)
    assert found["holds"] is True and found["changed"] >= len(split.rows[2]) and found["before"] == found["after"]
    with pytest.raises(ModelError, match=r"REFUSED: .* reads the future"):
        certified(Reader(Shape.of(split.graph)), split)


def test_a_model_without_time_has_none_and_says_so(split: Triples) -> None:
    found = certified(Complex(Shape.of(split.graph), dim=4), split)
    assert found["holds"] is None and "knows no time" in found["remark"]


def test_the_command_tells_it_for_a_public_split(tmp_path: Path) -> None:
    for part in ("train", "valid", "test"):
        (tmp_path / f"{part}.txt").write_text("a\tr\tb\nb\tr\tc\n")
    done = kgrisk_here("train", "--triples", tmp_path, "--epochs", "1", "--json", cwd=tmp_path)
    told = json.loads(done.stdout)["certificate"]
    assert told["holds"] is None and "has no dates" in told["remark"] and "has no dates" in done.stderr
    (tmp_path / "kg").mkdir()
    args = ("train", "--triples", write(tmp_path / "kg", planted(40, 60)), "--model", "temporal", "--epochs", "1")
    assert json.loads(kgrisk_here(*args, "--json", cwd=tmp_path).stdout)["certificate"]["holds"] is True
