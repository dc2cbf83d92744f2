"""Cycles: a walk over networks that all have the same sums of rows and columns.

Along a cycle of 2k cells amounts go up and down by one Delta in turn, so every sum stays. A cell is empty with its own
chance 1 - p and else exponential with its own rate, so Delta has the density exp(-Delta (sum of rates that go up - sum
of those that go down)) between the ends where some cell reaches 0, and an atom at either end: (1 - p) / (p rate) of its
one empty cell. An end with several empty cells takes all (Gandy, Veraart, "A Bayesian methodology for systemic risk
assessment in financial networks", Management Science 63(12), 2017).

Cycles drawn evenly are nearly all stuck where links are few. So some follow links instead: a path of 2k - 1 filled
cells, closed by any cell. Such a cycle is drawn more often in some networks than in others, which is made good by
accepting its move with the ratio of both chances (Metropolis, Hastings).

Beside the law of single cells the number of links L can be asked for: networks weigh exp(-(L - aim)^2 / (2 variance)).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from queries.kernels.compiled import compiled

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MOST = 200.0
"""Largest exponent of a weight: beyond, an end is certain anyhow, and the number would overflow."""


class Board(NamedTuple):
    """The free part of a network as it is now. Rows lend, columns borrow."""

    x: Floats
    """(rows, columns) amounts."""
    free: NDArray[np.bool_]
    """(rows, columns) what may be moved."""
    rate: Floats
    """(rows, columns) rate of the exponential amount, if there is one."""
    empty: Floats
    """(rows, columns) weight of an empty cell beside one that holds next to nothing: (1 - p) / (p rate)."""
    across: Ints
    """(rows, columns) filled columns of each row, first `wide` of them count."""
    wide: Ints
    down: Ints
    """(columns, rows) filled rows of each column, first `deep` of them count."""
    deep: Ints
    place: Ints
    """(2, rows, columns) where a filled cell stands in `across` and in `down`."""
    links: Ints
    """(1,) filled cells."""
    aim: Floats
    """(2,) how many links there should be, and with which variance; infinite: any number is as good."""

    @classmethod
    def of(cls, x: Floats, free: NDArray[np.bool_]) -> Board:
        """With these amounts, which are 0 where nothing is free; rates and weights are to be filled in."""
        many, much = x.shape
        lists = np.zeros((many, much), np.int64), np.zeros(many, np.int64)
        others = np.zeros((much, many), np.int64), np.zeros(much, np.int64)
        cells, place, links = np.zeros(x.shape), np.zeros((2, *x.shape), np.int64), np.zeros(1, np.int64)
        aim = np.array([0.0, np.inf])
        made = cls(cells, free, np.ones(x.shape), np.ones(x.shape), *lists, *others, place, links, aim)
        for i, j in np.argwhere(x > 0).tolist():
            put(made, i, j, float(x[i, j]))
        return made


@compiled
def put(board: Any, i: int, j: int, amount: float) -> None:  # pragma: no cover
    """Set a cell, and keep the lists of filled ones."""
    before = board.x[i, j]
    board.x[i, j] = amount
    if before == 0 and amount > 0:
        board.across[i, board.wide[i]], board.place[0, i, j] = j, board.wide[i]
        board.down[j, board.deep[j]], board.place[1, i, j] = i, board.deep[j]
        board.wide[i] += 1
        board.deep[j] += 1
        board.links[0] += 1
    elif before > 0 and amount == 0:
        board.wide[i] -= 1
        board.deep[j] -= 1
        board.links[0] -= 1
        last, at = board.across[i, board.wide[i]], board.place[0, i, j]
        board.across[i, at], board.place[0, i, last] = last, at
        last, at = board.down[j, board.deep[j]], board.place[1, i, j]
        board.down[j, at], board.place[1, last, j] = last, at


@compiled
def turns(
    board: Any, count: int, following: float, random: Any
) -> None:  # pragma: no cover - machine code, as all below
    """As many cycles, each turned as chance has it; `following` is the share of them that follows links."""
    most = min(board.x.shape)
    if most < 2:
        return
    r, c = np.zeros(most + 1, np.int64), np.zeros(most, np.int64)
    for _ in range(count):
        k = 2
        while k < most and random.random() < 0.5:
            k += 1
        follow = random.random() < following
        if not (linked(board, k, r, c, random) if follow else anywhere(board, k, r, c, random)):
            continue
        before = drawn(board, k, r, c) if follow else 1.0
        if before == 0:
            continue
        delta = shift(board, k, r, c, random)
        if delta == 0:
            continue
        held = np.empty((2, k))
        for m in range(k):
            held[0, m], held[1, m] = board.x[r[m], c[m]], board.x[r[m + 1], c[m]]
        move(board, k, r, c, delta)
        if follow and random.random() * before > drawn(board, k, r, c):
            for m in range(k):  # not accepted: back, to the bit
                put(board, r[m], c[m], held[0, m])
                put(board, r[m + 1], c[m], held[1, m])


@compiled
def anywhere(board: Any, k: int, r: Any, c: Any, random: Any) -> bool:  # pragma: no cover
    """A cycle of k rows and columns drawn evenly: up at (r[m], c[m]), down at (r[m + 1], c[m])."""
    for m in range(k):
        r[m] = int(random.random() * board.x.shape[0])
        c[m] = int(random.random() * board.x.shape[1])
        for other in range(m):
            if r[other] == r[m] or c[other] == c[m]:
                return False
    r[k] = r[0]
    moves = True
    for m in range(k):
        moves = moves and board.free[r[m], c[m]] and board.free[r[m + 1], c[m]]
    return moves


@compiled
def linked(board: Any, k: int, r: Any, c: Any, random: Any) -> bool:  # pragma: no cover
    """A cycle along filled cells from c[k - 1] over r[0], c[0], ... to r[k - 1]; the cell that closes it is any."""
    column = int(random.random() * board.x.shape[1])
    c[k - 1] = column
    for m in range(k):
        if board.deep[column] == 0:
            return False
        r[m] = board.down[column, int(random.random() * board.deep[column])]
        if m < k - 1:
            column = board.across[r[m], int(random.random() * board.wide[r[m]])]
            c[m] = column
            if column == c[k - 1]:
                return False
        for other in range(m):
            if r[other] == r[m] or (m < k - 1 and c[other] == c[m]):
                return False
    r[k] = r[0]
    return bool(board.free[r[k - 1], c[k - 1]])


@compiled
def drawn(board: Any, k: int, r: Any, c: Any) -> float:  # pragma: no cover
    """How often `linked` draws this cycle, up to what is the same in every network."""
    empty, closing, ways, chance = 0, 0, 0.0, 1.0
    for m in range(k):
        ways += 2.0 * board.wide[r[m]]
        chance /= max(board.wide[r[m]], 1) * max(board.deep[c[m]], 1)
        for row in (r[m], r[m + 1]):
            if board.x[row, c[m]] == 0:
                empty, closing = empty + 1, row
    if empty > 1:
        return 0.0
    return chance * (board.wide[closing] if empty else ways)


@compiled
def shift(board: Any, k: int, r: Any, c: Any, random: Any) -> float:  # pragma: no cover
    """Delta, drawn from its law along this cycle."""
    low, high = np.inf, np.inf
    fewer, more, tilt, from_low, from_high, links = 0, 0, 0.0, 0.0, 0.0, board.links[0]
    for m in range(k):
        up, down = board.x[r[m], c[m]], board.x[r[m + 1], c[m]]
        tilt += board.rate[r[m], c[m]] - board.rate[r[m + 1], c[m]]
        links += (up == 0) + (down == 0)
        if up == low:
            fewer += 1
        elif up < low:
            low, fewer, from_low = up, 1, board.empty[r[m], c[m]]
        if down == high:
            more += 1
        elif down < high:
            high, more, from_high = down, 1, board.empty[r[m + 1], c[m]]
    span, steep = low + high, abs(tilt)
    if span <= 0:
        return 0.0
    if fewer > 1 or more > 1:
        between, from_low, from_high = 0.0, 1.0 if fewer >= more else 0.0, 1.0 if more >= fewer else 0.0
    else:
        between = -np.expm1(-steep * span) / steep if steep * span > 1e-12 else span
        fits = np.exp(min((links - 0.5 - board.aim[0]) / board.aim[1], MOST))
        from_low *= fits * (np.exp(-steep * span) if tilt < 0 else 1.0)
        from_high *= fits * (np.exp(-steep * span) if tilt > 0 else 1.0)
    pick = random.random() * (from_low + from_high + between)
    if pick < from_low:
        return -low
    if pick < from_low + from_high:
        return high
    part = random.random()
    along = -np.log1p(part * np.expm1(-steep * span)) / steep if steep * span > 1e-12 else part * span
    return float(along - low if tilt >= 0 else high - along)


@compiled
def move(board: Any, k: int, r: Any, c: Any, delta: float) -> None:  # pragma: no cover
    """Turn the cycle; what rounding leaves of a cell that is emptied is nothing."""
    for m in range(k):
        up, down = board.x[r[m], c[m]], board.x[r[m + 1], c[m]]
        put(board, r[m], c[m], 0.0 if up == -delta else max(up + delta, 0.0))
        put(board, r[m + 1], c[m], 0.0 if down == delta else max(down - delta, 0.0))
