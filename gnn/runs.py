"""The store of training runs: what each was asked, on which data, with which code, what it found and what it cost."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from kg.errors import MissingExtraError, ModelError
from kg.memory import peak_bytes
from kg.model import RunManifest, iso

RECORD: Final = "run.json"
TABLE = pa.schema(
    [
        pa.field("run", pa.string()),
        pa.field("ended", pa.string()),
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
    """The most memory the process had held when the stage ended: it never falls."""


class Stages:
    """The parts of a run as they are timed."""

    def __init__(self) -> None:
        self.rows: list[Stage] = []

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        began, busy = time.perf_counter(), time.process_time()
        yield
        self.rows.append(Stage(name, time.perf_counter() - began, time.process_time() - busy, peak_bytes()))


@dataclass(frozen=True)
class Run:
    """One run as it was recorded."""

    id: str
    ended: str
    code: str
    details: Mapping[str, Any]
    """The manifest without the rows it said: model, cut, seed, settings, ledger, commit, encoders, metrics."""
    stages: Sequence[Stage]
    losses: Sequence[Mapping[str, Any]]
    """The loss curve: model, epoch, rate, loss, valid."""

    @property
    def metrics(self) -> dict[str, float]:
        """task/model/metric -> value."""
        rows = self.details.get("metrics", ())
        return {f"{m['task']}/{m['model']}/{m['metric']}": m["value"] for m in rows if m["value"] is not None}

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
            "code": manifest.code,
            "details": details,
            "stages": [asdict(stage) for stage in stages],
            "losses": list(losses),
        }
        path = self.folder / manifest.id / RECORD
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_name(f".{RECORD}.{os.getpid()}")
        new.write_text(json.dumps(kept, indent=1, sort_keys=True, ensure_ascii=False, default=str))
        os.replace(new, path)
        return self.get(manifest.id)

    def ids(self) -> list[str]:
        """Ids of the runs, the one that ended last first."""
        found = [self.get(path.parent.name) for path in self.folder.glob(f"*/{RECORD}")]
        return [run.id for run in sorted(found, key=lambda run: (run.ended, run.id), reverse=True)]

    def get(self, id: str) -> Run:
        """A run by its id or the beginning of it; ModelError if there is none, several, or its record is broken."""
        found = sorted(path.parent.name for path in self.folder.glob(f"*/{RECORD}") if path.parent.name.startswith(id))
        if len(found) != 1 or not id:
            raise ModelError(f"{len(found)} runs in {self.folder} begin with {id!r}; name one of them: see table()")
        try:
            kept = json.loads((self.folder / found[0] / RECORD).read_text())
            stages = [Stage(**stage) for stage in kept["stages"]]
            return Run(kept["run"], kept["ended"], kept["code"], kept["details"], stages, kept["losses"])
        except (ValueError, KeyError, TypeError) as error:
            path = self.folder / found[0] / RECORD
            raise ModelError(f"{path} is no record of a run ({error}); remove its folder or train again") from error

    def table(self) -> pa.Table:
        """One row per run, the last one first."""
        return pa.Table.from_pylist([_row(self.get(id)) for id in self.ids()], schema=TABLE)

    def compare(self, a: str, b: str) -> pa.Table:
        """What two runs were asked differently, and all they found and took, side by side."""
        one, other = self.get(a), self.get(b)
        rows = []
        for left, right, all_of_it in (
            (one.config, other.config, False),
            (one.metrics, other.metrics, True),
            (_spent(one), _spent(other), True),
        ):
            for name in sorted({*left, *right}):
                x, y = left.get(name), right.get(name)
                if all_of_it or x != y:
                    rows.append({"what": name, "a": _text(x), "b": _text(y), "change": _change(x, y)})
        return pa.Table.from_pylist(rows, schema=DIFFERENCES)

    # ---- for other tools

    def to_tensorboard(self, id: str, folder: Path) -> Path:
        """Event files with the loss curves and figures of a run, for TensorBoard to show."""
        run = self.get(id)
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise _missing("tensorboard", error) from error
        with SummaryWriter(str(folder / run.id)) as writer:
            for name, value, step in _points(run):
                writer.add_scalar(name, value, step)
            writer.add_text("config", json.dumps(run.config, indent=1, default=str))
        return folder / run.id

    def to_wandb(self, id: str, folder: Path, project: str = "kgrisk") -> Path:
        """An offline run of Weights & Biases under `folder`; `wandb sync` sends it where you will. No socket opens."""
        run, wandb = self.get(id), _tool("wandb")
        folder.mkdir(parents=True, exist_ok=True)
        settings = {"mode": "offline", "dir": str(folder), "project": project, "name": run.id[:12]}
        with wandb.init(config=run.config, **settings) as there:
            steps: dict[int, dict[str, float]] = {}
            for name, value, step in _points(run):
                steps.setdefault(step, {})[name] = value
            for step, values in sorted(steps.items()):
                there.log(values, step=step)
        return folder

    def to_mlflow(self, id: str, folder: Path, experiment: str = "kgrisk") -> Path:
        """A run in an MLflow store on disk under `folder`. No server is asked."""
        run, mlflow = self.get(id), _tool("mlflow")
        folder.mkdir(parents=True, exist_ok=True)
        client = mlflow.MlflowClient(tracking_uri=f"sqlite:///{(folder / 'mlflow.db').resolve()}")
        known = client.get_experiment_by_name(experiment)
        place = known.experiment_id if known else client.create_experiment(experiment)
        there = client.create_run(place, run_name=run.id[:12]).info.run_id
        for name, value in run.config.items():
            client.log_param(there, name, str(value)[:500])
        for name, value, step in _points(run):
            client.log_metric(there, name.replace("@", "_at_"), value, step=step)
        client.set_terminated(there)
        return folder


def _points(run: Run) -> Iterator[tuple[str, float, int]]:
    """(name, value, epoch) of every loss, rate and validation value, and every figure at epoch 0."""
    for row in run.losses:
        for name in ("loss", "rate", "valid"):
            if row.get(name) is not None:
                yield (
                    f"{name}/{row['model']}".replace(" ", "_").replace("(", "").replace(")", ""),
                    row[name],
                    row["epoch"],
                )
    for name, value in run.metrics.items():
        yield name, value, 0


def _row(run: Run) -> dict[str, Any]:
    kept = {name: run.details.get(name) for name in ("cut", "seed", "ledger", "commit", "extractor")}
    found = run.metrics
    return kept | {
        "run": run.id,
        "ended": run.ended,
        "code": run.code,
        "seconds": sum(stage.seconds for stage in run.stages),
        "peak_bytes": max((stage.peak_bytes for stage in run.stages), default=None),
        "mrr": found.get(f"links/{run.details.get('model')}/mrr"),
        "brier": found.get(f"risk/{run.details.get('head')}/brier"),
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


def _tool(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError as error:
        raise _missing(name, error) from error


def _missing(name: str, error: ImportError) -> MissingExtraError:
    return MissingExtraError(f"this export needs {name}, which is not installed ({error}); run: pip install {name}")
