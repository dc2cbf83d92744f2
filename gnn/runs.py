"""The store of training runs: what each was asked, on which data, with which code, what it found and what it cost."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from kg.errors import ModelError
from kg.files import write_whole
from kg.memory import MIB
from kg.meter import Meter
from kg.model import RunManifest, iso
from kg.version import built

RECORD: Final = "run.json"
TABLE = pa.schema(
    [
        pa.field("run", pa.string()),
        pa.field("ended", pa.string()),
        pa.field("model", pa.string()),
        pa.field("cut", pa.string()),
        pa.field("seed", pa.int64()),
        pa.field("ledger", pa.string()),
        pa.field("commit", pa.int64()),
        pa.field("code", pa.string()),
        pa.field("extractor", pa.string()),
        pa.field("seconds", pa.float64()),
        pa.field("peak_bytes", pa.int64()),
        pa.field("mrr", pa.float64()),
        pa.field("brier", pa.float64()),
        pa.field("auprc", pa.float64()),
        pa.field("config", pa.string()),  # JSON
        pa.field("metrics", pa.string()),  # JSON: task/model/metric -> value
    ]
)
DIFFERENCES = pa.schema(
    [
        pa.field("what", pa.string()),
        pa.field("a", pa.string()),
        pa.field("b", pa.string()),
        pa.field("change", pa.float64()),  # b less a, where both are numbers
    ]
)


@dataclass(frozen=True)
class Stage:
    """What one part of a run took."""

    name: str
    seconds: float
    cpu_seconds: float
    peak_bytes: int
    """The most memory that the process held during the stage; of runs recorded before 0.2, until its end."""


class Stages:
    """The parts of a run as they are measured."""

    def __init__(self) -> None:
        self._meter = Meter()

    def __call__(self, name: str) -> AbstractContextManager[None]:
        """Measure what runs inside."""
        return self._meter.stage(name)

    @property
    def rows(self) -> list[Stage]:
        """The parts in the order they ended."""
        own = self._meter.stages
        return [Stage(one.name, one.seconds, one.cpu_seconds, int(one.peak_mb * MIB)) for one in own]


@dataclass(frozen=True)
class Run:
    """One run as it was recorded."""

    id: str
    ended: str
    code: str
    """The release, and a digest of the source files that ran (kg/version.py)."""
    details: Mapping[str, Any]
    """The manifest without the rows it said: model, cut, seed, settings, ledger, commit, encoders, metrics."""
    stages: Sequence[Stage]
    losses: Sequence[Mapping[str, Any]]
    """The loss curve: model, epoch, rate, loss, valid."""
    folder: Path = Path()
    """Where its record, its checkpoint and its card lie."""

    @property
    def metrics(self) -> dict[str, float]:
        """task/model/metric -> value."""
        rows = self.details.get("metrics", ())
        return {f"{m['task']}/{m['model']}/{m['metric']}": m["value"] for m in rows if m["value"] is not None}

    @property
    def card(self) -> dict[str, Any]:
        """Model card and data sheet as the run wrote them; ModelError if it keeps none."""
        made: dict[str, Any] = json.loads(self._kept("card.json"))
        return made

    @property
    def card_text(self) -> str:
        """The same as Markdown."""
        return self._kept("card.md")

    def _kept(self, name: str) -> str:
        try:
            return (self.folder / name).read_text(encoding="utf-8")
        except OSError as error:
            raise ModelError(f"run {self.id[:12]} keeps no {name} in {self.folder}; train again to have one") from error

    @property
    def config(self) -> dict[str, Any]:
        """What was asked and on what, flat: settings.dim, commit, cut."""
        return _flat({name: value for name, value in self.details.items() if name not in ("metrics", "vectors")})


class RunStore:
    """A folder with a folder for each run, named by the run's id; the checkpoint lies in it too."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def record(self, manifest: RunManifest, stages: Sequence[Stage], losses: Sequence[Mapping[str, Any]]) -> Run:
        """Keep a run. The same run again (same inputs, same bits) takes the place of its former record."""
        details = {name: value for name, value in manifest.details.items() if name != "rows"}
        kept = {
            "run": manifest.id,
            "ended": iso(datetime.now(UTC)),
            "code": built(manifest.code),
            "details": details,
            "stages": [asdict(stage) for stage in stages],
            "losses": list(losses),
        }
        path = self.folder / manifest.id / RECORD
        write_whole(path, json.dumps(kept, indent=1, sort_keys=True, ensure_ascii=False, default=str).encode())
        return self.get(manifest.id)

    def ids(self) -> list[str]:
        """Ids of the runs, the one that ended last first."""
        found = [self.get(path.parent.name) for path in self.folder.glob(f"*/{RECORD}")]
        return [run.id for run in sorted(found, key=lambda run: (run.ended, run.id), reverse=True)]

    def get(self, id: str) -> Run:
        """A run by its id or the beginning of it; ModelError if there is none, several, or its record is broken."""
        found = sorted(path.parent.name for path in self.folder.glob(f"*/{RECORD}") if path.parent.name.startswith(id))
        if len(found) != 1 or not id:
            raise ModelError(f"{len(found)} runs in {self.folder} begin with {id!r}; name one: see `kgrisk runs`")
        path = self.folder / found[0] / RECORD
        try:
            kept = json.loads(path.read_text())
            stages = [Stage(**stage) for stage in kept["stages"]]
            return Run(kept["run"], kept["ended"], kept["code"], kept["details"], stages, kept["losses"], path.parent)
        except (ValueError, KeyError, TypeError) as error:
            raise ModelError(f"{path} is no record of a run ({error}); remove its folder or train again") from error

    def latest(self, *models: str) -> Path | None:
        """Folder of the run of one of these models that ended last; None where there is none."""
        return next((self.folder / id for id in self.ids() if self.get(id).details.get("model") in models), None)

    def table(self) -> pa.Table:
        """One row per run, the last one first."""
        return pa.Table.from_pylist([_row(self.get(id)) for id in self.ids()], schema=TABLE)

    def compare(self, a: str, b: str) -> pa.Table:
        """What two runs were asked differently, and all they found and took, side by side."""
        one, other = self.get(a), self.get(b)
        rows = []
        sides: Sequence[tuple[Mapping[str, Any], Mapping[str, Any], bool]] = (
            ({"code": one.code}, {"code": other.code}, False),
            (one.config, other.config, False),
            (one.metrics, other.metrics, True),
            (_spent(one), _spent(other), True),
        )
        for left, right, all_of_it in sides:
            for name in sorted({*left, *right}):
                x, y = left.get(name), right.get(name)
                if all_of_it or x != y:
                    rows.append({"what": name, "a": _text(x), "b": _text(y), "change": _change(x, y)})
        return pa.Table.from_pylist(rows, schema=DIFFERENCES)


def _row(run: Run) -> dict[str, Any]:
    kept = {name: run.details.get(name) for name in ("model", "cut", "seed", "ledger", "commit", "extractor")}
    found = run.metrics
    return kept | {
        "run": run.id,
        "ended": run.ended,
        "code": run.code,
        "seconds": sum(stage.seconds for stage in run.stages),
        "peak_bytes": max((stage.peak_bytes for stage in run.stages), default=None),
        "mrr": found.get(f"links/{run.details.get('model')}/mrr"),
        "brier": found.get(f"risk/{run.details.get('head')}/brier", found.get("payments/both/Brier")),
        "auprc": found.get(f"risk/{run.details.get('head')}/auprc", found.get("payments/both/AUPRC")),
        "config": json.dumps(run.config, sort_keys=True, ensure_ascii=False, default=str),
        "metrics": json.dumps(found, sort_keys=True),
    }


def _spent(run: Run) -> dict[str, float]:
    spent = {f"seconds/{stage.name}": stage.seconds for stage in run.stages}
    return spent | {f"peak_bytes/{stage.name}": float(stage.peak_bytes) for stage in run.stages}


def _flat(tree: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in tree.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{before}{name}.")
        else:
            flat[f"{before}{name}"] = value
    return flat


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _change(a: object, b: object) -> float | None:
    return float(b - a) if isinstance(a, int | float) and isinstance(b, int | float) else None
