"""Ten thousand banks from plain files to the payments that clear them, by one command, in seconds on the clock.

The command is `kgrisk risk eisenberg_noe --exposures edges.csv --banks banks.csv --json` in a process of its own, so
starting Python and compiled code counts; the answer is checked against the equation it should solve.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.exposed import system
from benchmarks.figure import Figure

BANKS, PER_BANK, WEALTH = 10_000, 10, 0.05
SECONDS = 30.0


def measure() -> list[Figure]:
    claims, outside, debts = system(BANKS * PER_BANK, WEALTH)
    claims.setdiag(0.0)
    claims.eliminate_zeros()
    debts = np.maximum(debts, np.asarray(claims.sum(axis=0)).reshape(-1))
    with TemporaryDirectory() as folder:
        written(Path(folder), claims.tocoo(), outside, debts)
        command = [str(Path(sys.executable).with_name("kgrisk")), "risk", "eisenberg_noe", "--json"]
        began = time.perf_counter()
        done = subprocess.run(
            [*command, "--exposures", "edges.csv", "--banks", "banks.csv"], cwd=folder, capture_output=True, check=True
        )
        took = time.perf_counter() - began
    answer: dict[str, Any] = json.loads(done.stdout)
    paid = np.array([answer["payments"][f"bank{k}"] for k in range(BANKS)])
    share = np.divide(paid, debts, out=np.zeros_like(paid), where=debts > 0)
    missed = np.abs(np.minimum(debts, outside + claims @ share) - paid).max() / debts.max()
    note = f"{claims.nnz:,} claims, {len(answer['defaults']):,} default in {answer['rounds']} rounds"
    return [
        Figure(f"{BANKS:,} banks, files to clearing payments", took, SECONDS, least=False, unit="s", note=note),
        Figure("the equation of clearing is missed by, over the largest debt", float(missed), 1e-9, least=False),
    ]


def written(folder: Path, claims: Any, outside: NDArray[Any], debts: NDArray[Any]) -> None:
    """The two files; what is owed outside is the rest of the debts."""
    i, j = claims.coords
    owed = np.maximum(debts - np.asarray(claims.sum(axis=0)).reshape(-1), 0.0)
    edges = [f"bank{a},bank{b},{amount!r}" for a, b, amount in zip(i, j, claims.data.tolist(), strict=True)]
    banks = [
        f"bank{k},{has!r},{out!r}" for k, (has, out) in enumerate(zip(outside.tolist(), owed.tolist(), strict=True))
    ]
    for name, header, lines in (
        ("edges.csv", "creditor,debtor,amount", edges),
        ("banks.csv", "id,external_assets,external_liabilities", banks),
    ):
        (folder / name).write_text("\n".join([header, *lines]) + "\n")
