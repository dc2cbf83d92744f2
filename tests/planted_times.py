"""A temporal knowledge graph whose laws are known, seeded, written as train.txt, valid.txt and test.txt with steps.

pays        a pair recurs every 5, 7 or 12 steps, nine times in ten
trades      every event calls up the same pair again soon: decaying self-excitement
reports     twice in twelve steps, at a phase of the head, always to the head's own office: seasonal
announces   a new pair, its tail by popularity ...
acquires    ... and the same pair three steps later, eight times in ten: a rule
lends       the head's group turns from one block of banks to the next as time goes on: drift
meets       any two: noise
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

SHARES = (0.8, 0.1)
"""Shares of the steps that are for training and for validation; the rest is the test."""

Event = tuple[int, str, int, int]


def planted(nodes: int = 200, steps: int = 200, seed: int = 0) -> list[Event]:
    """(head, relation, tail, step) of every event, by step."""
    draw = np.random.default_rng(seed)
    made = [*_pays(draw, nodes, steps), *_trades(draw, nodes, steps), *_reports(draw, nodes, steps)]
    made += [*_deals(draw, nodes, steps), *_lends(draw, nodes, steps), *_meets(draw, nodes, steps)]
    return sorted(set(made), key=lambda event: (event[3], *event[:3]))


def write(folder: Path, events: list[Event]) -> Path:
    """The events as a split by time."""
    last = max(event[3] for event in events) + 1
    ends = [int(last * SHARES[0]), int(last * sum(SHARES)), last]
    for part, low, high in zip(("train", "valid", "test"), [0, *ends], ends, strict=False):
        lines = [f"n{h:03d}\t{r}\tn{t:03d}\t{step}" for h, r, t, step in events if low <= step < high]
        (folder / f"{part}.txt").write_text("\n".join(lines) + "\n")
    return folder


def _pays(draw: np.random.Generator, nodes: int, steps: int) -> list[Event]:
    made: list[Event] = []
    for _ in range(nodes // 2):
        h, t = draw.integers(0, nodes, 2).tolist()
        period = int(draw.choice([5, 7, 12]))
        made += [(h, "pays", t, s) for s in range(int(draw.integers(period)), steps, period) if draw.random() < 0.9]
    return made


def _trades(draw: np.random.Generator, nodes: int, steps: int) -> list[Event]:
    made: list[Event] = []
    for _ in range(nodes * steps // 100):
        h, t = draw.integers(0, nodes, 2).tolist()
        step = int(draw.integers(steps))
        while step < steps:
            made.append((h, "trades", t, step))
            if draw.random() > 0.75:
                break
            step += int(draw.geometric(0.5))
    return made


def _reports(draw: np.random.Generator, nodes: int, steps: int) -> list[Event]:
    phase, office = draw.integers(0, 12, nodes).tolist(), draw.integers(0, nodes // 10, nodes).tolist()
    return [
        (h, "reports", office[h], step)
        for h in range(nodes)
        for step in range(steps)
        if (step - phase[h]) % 12 in (0, 4) and draw.random() < 0.4
    ]


def _deals(draw: np.random.Generator, nodes: int, steps: int) -> list[Event]:
    made: list[Event] = []
    weight = 1 / np.arange(1, nodes + 1)
    weight = draw.permutation(weight / weight.sum())
    for step in range(steps):
        for h, t in zip(draw.integers(0, nodes, 4).tolist(), draw.choice(nodes, 4, p=weight).tolist(), strict=True):
            made.append((h, "announces", t, step))
            if step + 3 < steps and draw.random() < 0.8:
                made.append((h, "acquires", t, step + 3))
    return made


def _lends(draw: np.random.Generator, nodes: int, steps: int) -> list[Event]:
    made: list[Event] = []
    blocks = 10
    size = nodes // blocks
    for step in range(steps):
        for h in draw.integers(0, nodes, 6).tolist():
            block = (h % blocks + step // 25) % blocks
            made.append((h, "lends", int(block * size + draw.integers(size)), step))
    return made


def _meets(draw: np.random.Generator, nodes: int, steps: int) -> list[Event]:
    return [
        (*draw.integers(0, nodes, 1).tolist(), "meets", *draw.integers(0, nodes, 1).tolist(), s) for s in range(steps)
    ]
