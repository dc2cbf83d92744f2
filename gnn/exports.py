"""Exports: a run of the store as files of TensorBoard, Weights & Biases or MLflow; no server is asked."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from gnn.runs import Run
from kg.errors import MissingExtraError, ModelError

PROJECT: Final = "kgrisk"


def export(run: Run, tool: str, folder: Path) -> Path:
    """Write a run for a tool below a folder; gives where the files are. ModelError for a tool that is not known.

    MissingExtraError where the tool is not installed.
    """
    if tool not in TOOLS:
        raise ModelError(f"runs go to {', '.join(sorted(TOOLS))}, not to {tool!r}")
    folder.mkdir(parents=True, exist_ok=True)
    return TOOLS[tool](run, folder)


def to_tensorboard(run: Run, folder: Path) -> Path:
    """Event files with the loss curves and figures of a run, for TensorBoard to show."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise _missing("tensorboard", error) from error
    with SummaryWriter(str(folder / run.id)) as writer:
        for name, value, step in points(run):
            writer.add_scalar(name, value, step)
        writer.add_text("config", json.dumps(run.config, indent=1, default=str))
    return folder / run.id


def to_wandb(run: Run, folder: Path) -> Path:
    """An offline run of Weights & Biases; `wandb sync` sends it where you will. No socket off this machine opens."""
    wandb = _tool("wandb")
    settings = {"mode": "offline", "dir": str(folder), "project": PROJECT, "name": run.id[:12]}
    with wandb.init(config=run.config, **settings) as there:
        steps: dict[int, dict[str, float]] = {}
        for name, value, step in points(run):
            steps.setdefault(step, {})[name] = value
        for step, values in sorted(steps.items()):
            there.log(values, step=step)
    return folder


def to_mlflow(run: Run, folder: Path) -> Path:
    """A run in an MLflow store on disk: one SQLite file. No server is asked."""
    mlflow = _tool("mlflow")
    client = mlflow.MlflowClient(tracking_uri=f"sqlite:///{(folder / 'mlflow.db').resolve()}")
    known = client.get_experiment_by_name(PROJECT)
    place = known.experiment_id if known else client.create_experiment(PROJECT)
    there = client.create_run(place, run_name=run.id[:12]).info.run_id
    for name, value in run.config.items():
        client.log_param(there, plain(name), str(value)[:500])
    for name, value, step in points(run):
        client.log_metric(there, plain(name), value, step=step)
    client.set_terminated(there)
    return folder


TOOLS: Final[Mapping[str, Callable[[Run, Path], Path]]] = {
    "mlflow": to_mlflow,
    "tensorboard": to_tensorboard,
    "wandb": to_wandb,
}


def plain(name: str) -> str:
    """A name as MLflow takes it: letters, digits, and _-. :/ alone."""
    return "".join(c if c.isalnum() or c in "_-. :/" else "_" for c in name.replace("@", "_at_"))


def points(run: Run) -> Iterator[tuple[str, float, int]]:
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


def _tool(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError as error:
        raise _missing(name, error) from error


def _missing(name: str, error: ImportError) -> MissingExtraError:
    package = "'kgrisk[tracking]'" if name == "tensorboard" else name
    return MissingExtraError(f"this export needs {name}, which is not installed ({error}); run: pip install {package}")
