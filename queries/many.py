"""Many: a list of scenarios, out of one YAML file or drawn with a seed, each with an id that its content gives it.

- {name: a, date: 2023-07-28, narrative: ..., source: ..., shocks: [{fails: "lei:..."}]}
- {name: b, date: 2023-07-28, narrative: ..., source: ..., shocks: [{loses: 0.2, who: {label: Bank}}]}
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any, Final

import numpy as np
import yaml

from kg.errors import MeasureError
from kg.memory import Need
from kg.model import digest
from kg.snapshot import Snapshot
from queries.whatif import Scenario, select

SHORT = 12
"""Digits of a scenario's id."""
NEED: Final = Need("drawing", {"scenarios": 2_500}, "draw fewer scenarios, and others with another seed")
"""What a drawn scenario and the row told of it take: above what `pytest tests/test_kg_memory.py` found."""


def identity(scenario: Scenario) -> str:
    """First digits of the sha256 of a scenario's content: the same scenario has the same id anywhere."""
    return digest(json.dumps(asdict(scenario), sort_keys=True, ensure_ascii=False, default=str).encode())[:SHORT]


def read_many(path: Path) -> list[Scenario]:
    """The scenarios of a YAML list. MeasureError names the place of one that cannot be read."""
    try:
        found = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise MeasureError(f"{path} cannot be read ({error}); give a YAML file with a list of scenarios") from error
    except yaml.YAMLError as error:
        raise MeasureError(f"{path.name} is no YAML: {' '.join(str(error).split())}") from error
    if not isinstance(found, list) or not found:
        raise MeasureError(
            f"{path.name}: expected a list of scenarios, each with name, date, narrative, source, shocks"
        )
    scenarios = [Scenario.of(one, f"{path.name} scenario {number}") for number, one in enumerate(found, 1)]
    named: dict[str, int] = {}
    for number, scenario in enumerate(scenarios, 1):
        if (first := named.setdefault(scenario.name, number)) != number:
            raise MeasureError(f"{path.name}: scenarios {first} and {number} are both called {scenario.name!r}")
    return scenarios


def drawn(snapshot: Snapshot, count: int, seed: int = 0, label: str = "Bank", most: int = 3) -> list[Scenario]:
    """Scenarios in each of which one to `most` entities of a kind lose a random part of their equity.

    Each is drawn from a stream of its own, named by seed and number, so that the first hundred of a thousand are those
    of a hundred. MeasureError if there is nobody of that kind, TooLargeError if so many do not fit.
    """
    if count < 1:
        raise MeasureError(f"{count} scenarios are none; draw at least 1")
    NEED.check(scenarios=count)
    ids = [snapshot.ids[row] for row in select({"label": label}, snapshot)]
    return [_draw(ids, seed, number, min(most, len(ids)), snapshot) for number in range(count)]


def _draw(ids: Sequence[str], seed: int, number: int, most: int, snapshot: Snapshot) -> Scenario:
    random = np.random.default_rng([seed, number])
    chosen = sorted(random.choice(len(ids), int(random.integers(1, most + 1)), replace=False).tolist())
    parts = [round(float(part), 6) for part in random.uniform(0.01, 1.0, len(chosen))]
    shocks: list[dict[str, Any]] = [
        {"loses": part, "of": "equity", "who": {"id": ids[place]}} for place, part in zip(chosen, parts, strict=True)
    ]
    told = "; ".join(f"{ids[place]} loses {part:.1%}" for place, part in zip(chosen, parts, strict=True))
    moment = snapshot.at.valid
    when = moment.date() if moment is not None else date.today()
    source = f"drawn with seed {seed}, number {number}"
    return Scenario(f"drawn_{seed}_{number:05d}", when, f"{told} of equity.", source, tuple(shocks))
