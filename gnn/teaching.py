"""Teaching: which model a run over a graph learns links by, and what it is taught, out of the settings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from inspect import signature
from pathlib import Path
from typing import Any, Final

from torch import Tensor

from gnn.bilinear import Bilinear
from gnn.choice import reads
from gnn.device import named
from gnn.drawn import drawn_task, in_files
from gnn.incremental import LOCAL, SPOKEN
from gnn.links import LinkTask
from gnn.model import Model, Shape
from gnn.models.autoencoder import Autoencoder
from gnn.models.gated import Gated
from gnn.passing import Passing
from gnn.pieces import pieced
from gnn.pretrain import Hiding, Pretraining
from gnn.rerank import Reranked
from gnn.room import check_pass
from gnn.settings import Settings
from gnn.temporal import Timed, placed
from gnn.temporal_task import MonthsTask
from gnn.tensors import GraphTensors
from gnn.train import Fit, Recipe, Task, fit
from kg import plugins
from kg.errors import ModelError

JUDGE: Final = "paths"
"""The model that puts the best answers of another one in order."""
HIDING: Final = {"masked": Hiding(contrast=0.0), "contrast": Hiding(masked=0.0), "both": Hiding()}
"""What each kind of pre-training hides and asks for."""
USUAL: Final = {field.name: field.default for field in fields(Settings)}
PASSES: Final = ("loss", "pretrain", "balance", "rerank", "along", "device")
"""Settings that ask for full passes over a graph, where they are set."""
Say = Callable[[str], None]


def kind(name: str) -> type[Model]:
    """The class of a model by its file name."""
    return plugins.load("gnn.models", name, Model)  # type: ignore[type-abstract]  # load gives a concrete one


def takes(model: type[Model], setting: str) -> bool:
    """Whether the model is built with a setting of this name."""
    return setting in signature(model).parameters


def fusing(model: Model) -> Passing | None:
    """The part of a model that fuses modalities; None where it reads none."""
    if isinstance(model, Reranked):
        return fusing(model.first)
    if isinstance(model, Gated):
        return model.joint
    return model if isinstance(model, Passing) else None


def pretrainable(model: type[Model]) -> bool:
    """Whether vectors hang on edges and features, so that hiding some of them is a lesson."""
    return issubclass(model, Bilinear) and not model.plan.alone


def own_lesson(model: type[Model]) -> bool:
    """Whether the model is taught by a task of its own, with a loss of its own."""
    return issubclass(model, Timed | Autoencoder)


def checked(settings: Settings) -> Settings:
    """The settings; ModelError, with what to do, where the model cannot do what they ask for."""
    name, model = settings.model, kind(settings.model)
    placed(model, named(settings.device))
    changed = [one for one in ("loss", "pretrain", "balance") if getattr(settings, one) != USUAL[one]]
    if not model.trained and changed:
        raise _no(name, changed[0], "it counts and learns nothing", "or name a model that learns")
    if own_lesson(model) and (wrong := [one for one in changed if one != "pretrain"]):
        raise _no(name, wrong[0], "it is taught by a task with a loss of its own", f"or name {_others(own_lesson)}")
    if settings.pretrain and not pretrainable(model):
        where = _others(lambda one: not pretrainable(one))
        raise _no(name, "pretrain", "its vectors hang on no edge or feature that could be hidden", f"or name {where}")
    for setting, asked in (("fusion", settings.fusion != USUAL["fusion"]), ("along", bool(settings.along))):
        needed = "reads" if setting == "along" else setting
        if asked and not takes(model, needed):
            where = _others(lambda one, needed=needed: not takes(one, needed))  # type: ignore[misc]  # bound now
            raise _no(name, setting, "it takes none", f"or name {where}")
    if settings.rerank and name == JUDGE:
        raise _no(name, "rerank", "its answers are those of paths already", "or let it judge another model")
    _check_drawn(settings, model)
    return settings


def _check_drawn(settings: Settings, model: type[Model]) -> None:
    """ModelError where neighbourhoods shall be drawn and cannot be, or what goes with them is asked for alone."""
    name = settings.model
    if not settings.table and not takes(model, "table"):
        where = _others(lambda one: not takes(one, "table"))
        raise _no(name, "table", "it has no such table to leave out", f"or name {where}")
    if settings.neighbours is None:
        if settings.negatives != USUAL["negatives"]:
            raise _no(name, "negatives", "full passes tell an answer from all nodes", "or give neighbours")
        return
    if name not in SPOKEN:
        raise _no(name, "neighbours", "it cannot read drawn neighbourhoods", f"or name {' or '.join(SPOKEN)}")
    if changed := [one for one in PASSES if getattr(settings, one) != USUAL[one]]:
        raise _no(name, changed[0], "it needs full passes over the graph", "or leave neighbours out")


def _no(name: str, setting: str, why: str, otherwise: str) -> ModelError:
    usual = USUAL[setting]
    return ModelError(f"model {name} cannot be asked for {setting}: {why}; leave {setting} at {usual!r} {otherwise}")


def _others(refused: Callable[[type[Model]], bool]) -> str:
    """Models that learn and are not refused."""
    loaded = {name: kind(name) for name in plugins.names("gnn.models")}
    return ", ".join(name for name, own in loaded.items() if own.trained and not refused(own))


def network(graph: GraphTensors, settings: Settings, seed: int) -> Model:
    """A new link model for a graph, with the encoders that learn along for the modalities that the graph has."""
    model = kind(settings.model)
    own = {name: encoder for name, encoder in reads(settings).items() if name in graph.features}
    given: dict[str, Any] = {"dim": settings.dim, "fusion": settings.fusion, "seed": seed, "reads": own}
    given["table"] = settings.table
    make: Callable[..., Model] = model
    if settings.neighbours is not None:
        assert issubclass(model, Passing)  # looked at before the run began
        make, given["layers"] = pieced(model), len(settings.neighbours)
    made = make(Shape.of(graph), **{name: value for name, value in given.items() if takes(model, name)})
    return made.to(named(settings.device))


def task(model: Model, graph: GraphTensors, settings: Settings, valid: Tensor | None = None) -> Task:
    """What a model learns of a graph: month by month if it knows time, what is hidden if it rebuilds, else links."""
    over = dict(model.plan.over)
    if settings.questions is not None:
        over["questions"] = settings.questions
    if isinstance(model, Timed):
        return MonthsTask(graph, model.settings["unit"], valid, **over)
    if isinstance(model, Autoencoder):
        return Pretraining(graph, HIDING["masked"], valid)
    return LinkTask(graph, valid, balance=settings.balance, loss=settings.loss, **over)


def taught(
    model: Model,
    graph: GraphTensors,
    valid: Tensor | None,
    how: tuple[Settings, Recipe],
    state: Path | None,
    say: Say,
) -> tuple[Fit, Fit | None]:
    """Fit a model in place, after pre-training where it is asked for; how both went.

    TooLargeError before the first step, if full passes do not fit into memory.
    """
    settings, recipe = how
    if settings.neighbours is not None:
        with in_files(graph, state) as own:
            return fit(model, drawn_task(own, settings, valid), recipe, state and state / "fit", say), None
    if isinstance(model, Passing):
        check_pass(model, graph)
    before = None
    if settings.pretrain:
        first = Recipe(**{**vars(recipe), "epochs": settings.pretrain})
        lesson = Pretraining(graph, HIDING[settings.pretrain_by])
        before = fit(model, lesson, first, state and state / "pretrain", lambda text: say(f"pre-training {text}"))
    return fit(model, task(model, graph, settings, valid), recipe, state and state / "fit", say), before


def table() -> list[dict[str, Any]]:
    """Every model: what it is, and what it can be asked for; `moves` says that it has vectors of later days."""
    rows = []
    for name, what in plugins.summaries("gnn.models").items():
        own = kind(name)
        rows.append(
            {
                "model": name,
                "graph": "counts" if not own.trained else "learns",
                "triples": "counts" if not own.trained else "learns",
                "features": takes(own, "fusion"),
                "losses": "any" if own.trained and not own_lesson(own) else "own" if own.trained else "none",
                "pretrain": own.trained and pretrainable(own),
                "moves": name in LOCAL,
                "is": what,
            }
        )
    return rows
