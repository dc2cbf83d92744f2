"""One step ahead: only the past is seen, only what is true at that time is filtered, and counting is the floor."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from gnn.model import Shape
from gnn.models.frequency import Frequency
from gnn.models.temporal import EXACT, MONTH, Temporal
from gnn.sample import predictable
from gnn.temporal import NEVER, Chronicle, Timed, rank_ahead, ranked, steps_of, timed
from gnn.temporal_task import AheadTask, MonthsTask
from gnn.train import Recipe, fit
from gnn.triples import Triples, read_triples
from kg.errors import ModelError
from tests.kgrisk_world import kgrisk_here
from tests.planted_times import planted, write
from tests.test_gnn_convolution import graph, some_edges

NODES, RELATIONS = 12, 3


def events(count: int = 150, steps: int = 20, seed: int = 0) -> tuple[Tensor, Tensor]:
    draw = torch.Generator().manual_seed(seed)
    rows = torch.randint(0, NODES, (count, 3), generator=draw) % torch.tensor([NODES, RELATIONS, NODES])
    return rows, torch.randint(0, steps, (count,), generator=draw)


def chronicle(rows: Tensor, steps: Tensor) -> Chronicle:
    return Chronicle(rows, steps, NODES, RELATIONS)


def models() -> list[Timed]:
    shape = Shape(NODES, {}, 1, RELATIONS)
    return [Frequency(shape, fade=4.0), Temporal(shape, dim=8, fade=4.0).eval()]  # type: ignore[list-item]


@pytest.fixture(scope="module")
def split(tmp_path_factory: pytest.TempPathFactory) -> Triples:
    return read_triples(write(tmp_path_factory.mktemp("planted"), planted(60, 120)))


@pytest.mark.parametrize("model", models(), ids=lambda model: model.name)
def test_what_happens_at_the_asked_step_or_later_moves_no_score(model: Timed) -> None:
    rows, steps = events()
    now, asked = 11, torch.cartesian_prod(torch.arange(NODES), torch.arange(2 * RELATIONS))
    later = steps >= now
    other, moved = rows.clone(), steps.clone()
    other[later] = events(150, seed=5)[0][later]
    moved[later] = now + events(150, seed=6)[1][later]
    with torch.no_grad():
        one = model.ahead(chronicle(rows, steps), now, *asked.T)
        two = model.ahead(chronicle(other, moved), now, *asked.T)
        gone = model.ahead(chronicle(rows[~later], steps[~later]), now, *asked.T)
        shown = model.ahead(chronicle(rows, torch.where(later, now - 1, steps)), now, *asked.T)
    assert torch.equal(one, two) and torch.equal(one, gone)
    assert not torch.equal(one, shown)  # the test could fail: a leak of one step is seen


def test_counts_are_those_of_the_formula() -> None:
    rows, steps = events()
    now, fade = 15, 4.0
    found = Frequency(Shape(NODES, {}, 1, RELATIONS), fade=fade).ahead(
        chronicle(rows, steps), now, torch.tensor([3, 5]), torch.tensor([1, 2 + RELATIONS])
    )
    told = {(h, r, t, s) for (h, r, t), s in zip(rows.tolist(), steps.tolist(), strict=True)}
    both = [*told, *((t, r + RELATIONS, h, s) for h, r, t, s in told)]
    age = {event: 2.718281828 ** ((event[3] - now + 1) / fade) for event in both if event[3] < now}
    for line, (head, relation) in zip(found, [(3, 1), (5, 2 + RELATIONS)], strict=True):
        mass = sum(w for (_, r, _, _), w in age.items() if r == relation)
        for tail in range(NODES):
            pair = sum(w for (h, _, t, _), w in age.items() if (h, t) == (head, tail))
            own = sum(w for (h, r, t, _), w in age.items() if (h, r, t) == (head, relation, tail))
            popular = sum(w for (_, r, t, _), w in age.items() if (r, t) == (relation, tail)) / mass
            assert float(line[tail]) == pytest.approx(own + 0.1 * pair + 0.01 * popular, rel=1e-4)


@pytest.mark.parametrize("model", models(), ids=lambda model: model.name)
def test_ranks_leave_out_only_what_is_true_at_that_step(model: Timed) -> None:
    rows, steps = events(300, 4)
    whole = chronicle(rows, steps)
    found = ranked(model, whole, rows, steps)
    told = sorted({(s, h, r, t) for (h, r, t), s in zip(rows.tolist(), steps.tolist(), strict=True)})
    assert len(found.triples) == len(told)
    for place, (s, h, r, t) in enumerate(told):
        with torch.no_grad():
            tails = model.ahead(whole, s, torch.tensor([h]), torch.tensor([r]))[0]
            heads = model.ahead(whole, s, torch.tensor([t]), torch.tensor([r + RELATIONS]))[0]
        wrong_tails = [n for n in range(NODES) if (s, h, r, n) not in told]
        wrong_heads = [n for n in range(NODES) if (s, n, r, t) not in told]
        for scores, wrong, own, rank in (
            (tails, wrong_tails, t, found.tails[place]),
            (heads, wrong_heads, h, found.heads[place]),
        ):
            above, ties = (scores[wrong] > scores[own]).sum(), (scores[wrong] == scores[own]).sum()
            assert float(rank) == 1 + float(above) + float(ties) / 2


def test_chunks_of_questions_change_no_rank() -> None:
    rows, steps = events()
    one, few = (ranked(models()[1], chronicle(rows, steps), rows, steps, size) for size in (1 << 20, 5 * NODES))
    assert torch.equal(one.tails, few.tails) and torch.equal(one.heads, few.heads)


def test_a_chronicle_knows_when_a_triple_comes_again() -> None:
    rows = torch.tensor([[0, 0, 1], [0, 0, 1], [0, 0, 2], [0, 0, 1]])
    own = Chronicle(rows, torch.tensor([5, 2, 3, 9]), 3, 1)
    _, place = own.past(torch.tensor([0]), 10)
    assert [(int(own.tail[p]), int(own.step[p]), int(own.again[p])) for p in place] == [
        (1, 2, 5),
        (2, 3, NEVER),
        (1, 5, 9),
        (1, 9, NEVER),
    ]


def test_untrained_it_ranks_as_the_baseline_does(split: Triples) -> None:
    shape = Shape.of(split.graph)
    counted, floor = (rank_ahead(kind(shape), split, 1).mrr for kind in (Frequency, Temporal))
    assert floor == pytest.approx(counted, abs=0.02)


def test_what_was_planted_is_learned_beyond_the_baseline(split: Triples) -> None:
    shape, plan = Shape.of(split.graph), Temporal.plan.recipe
    model = Temporal(shape, dim=16)
    before = rank_ahead(Frequency(shape), split)
    fit(model, AheadTask(split), Recipe(**{**plan, "epochs": 4}))
    after = rank_ahead(model, split)
    assert after.mrr > 1.1 * before.mrr
    names = split.graph.vocabulary.relations
    came, made = names.index("announces"), names.index("acquires")
    kernel = model.any[made, came].exp() + model.latest[made, came].exp()
    assert int(kernel[:EXACT].argmax()) == 2  # announced, then acquired three steps later
    own = before.triples[:, 1] == made
    assert after.where(own).mrr > 0.9 > before.where(own).mrr


def test_the_same_seed_learns_the_same(split: Triples) -> None:
    found = []
    for _ in range(2):
        model = Temporal(Shape.of(split.graph), dim=8)
        fit(model, AheadTask(split, warm=0.9, questions=64), Recipe(epochs=1))
        found.append(rank_ahead(model, split).tails)
    assert torch.equal(*found)


def test_relations_by_the_thousand_share_kernels() -> None:
    rows = torch.tensor([[0, 0, 1], [0, 300, 2], [0, 299, 1]])
    model = Temporal(Shape(3, {}, 1, 301), dim=4)
    own = Chronicle(rows, torch.tensor([0, 1, 2]), 3, 301)
    assert model.any.shape[1] == 2
    assert model.ahead(own, 3, torch.tensor([0]), torch.tensor([300])).argmax() == 2


def test_a_graph_is_asked_about_the_step_after_its_cut() -> None:
    own = graph(some_edges(12, 60), 12, years=2.0)
    events, now = Chronicle.of_graph(own, 30 * 86_400_000_000)
    assert now == 1 and int(events.step.max()) == -24 and len(events.step) == 2 * len(own.edges)


class Asked(nn.Module):
    """A model that only keeps what it is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: dict[int, Tensor] = {}

    def loss(self, chronicle: Chronicle, now: int, asked: Tensor) -> Tensor:
        self.asked[now] = asked
        return torch.zeros(())


def test_what_is_new_in_a_month_of_a_graph_is_asked_once_from_what_lay_before_it() -> None:
    own = graph(some_edges(12, 60), 12)
    spread = torch.arange(len(own.edges)) * MONTH // 4
    own = replace(own, first=own.last - spread)
    task, model = MonthsTask(own, MONTH, own.edges[:2]), Asked()
    assert len(list(task.losses(model))) == len(model.asked) == len(task.steps) > 10
    steps, count = steps_of(own, own.first, MONTH), len(own.vocabulary.relations)
    for now, asked in model.asked.items():
        forth = asked[asked[:, 1] < count]
        new = own.edges[(steps == now) & predictable(own)]
        assert {*map(tuple, forth.tolist())} == {*map(tuple, new.tolist())} and len(asked) == 2 * len(forth)
        seen = task.past.past(asked[:, 0], now)[1]
        assert bool((task.past.step[seen] < now).all())
    few = MonthsTask(own, MONTH, None, questions=len(task.steps))
    list(few.losses(model := Asked()))
    assert {len(asked) for asked in model.asked.values()} == {2}


def test_a_graph_of_one_month_teaches_no_time() -> None:
    with pytest.raises(ModelError, match="within 30 days"):
        MonthsTask(graph(some_edges(12, 60), 12), MONTH)


def test_triples_without_times_are_asked_as_before_and_refused_here(tmp_path: Path, split: Triples) -> None:
    assert timed(Temporal, split)
    for part in ("train", "valid", "test"):
        (tmp_path / f"{part}.txt").write_text("a\tr\tb\n")
    bare = read_triples(tmp_path)
    assert not timed(Temporal, bare)
    with pytest.raises(ModelError, match="fourth column"):
        AheadTask(bare)
    for part in ("train", "valid", "test"):
        (tmp_path / f"{part}.txt").write_text("a\tr\tb\t3\n")
    with pytest.raises(ModelError, match="two or more"):
        AheadTask(read_triples(tmp_path))


def test_planted_splits_lie_one_after_the_other(split: Triples, tmp_path: Path) -> None:
    assert split.times is not None
    ends = [(int(part.min()), int(part.max())) for part in split.times]
    assert ends[0][1] < ends[1][0] <= ends[1][1] < ends[2][0]
    again = read_triples(write(tmp_path, planted(60, 120)))
    assert all(torch.equal(a, b) for a, b in zip(split.rows, again.rows, strict=True))


def test_the_command_asks_timed_triples_one_step_ahead_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "kg").mkdir()
    own = write(tmp_path / "kg", planted(40, 60))
    args = ("train", "--triples", own, "--model", "temporal", "--epochs", "1", "--json")
    told = json.loads(kgrisk_here(*args, cwd=tmp_path).stdout)
    assert told["test"]["protocol"].startswith("one step ahead") and "time-aware" in told["test"]["protocol"]
    assert 0 < told["test"]["head"]["mrr"] < 1 and told["valid"]["epoch"] == 1
