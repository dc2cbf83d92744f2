"""Device: where a model computes. The one place that moves tensors there and back, and the only one that names devices.

Graphs, triples and whatever is said of them live on the processor. A model may live elsewhere; what asks it (`beside`,
`gnn.train.fit`) carries the graph and the questions over to it, makes new tensors there, and brings the answers home.
On the processor all of this does nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import copy
from dataclasses import fields, is_dataclass, replace
from functools import wraps
from typing import Any, Final, TypeVar

import torch
from torch import Tensor, nn
from torch.utils.weak import WeakIdKeyDictionary

from kg.errors import ModelError

CPU: Final = torch.device("cpu")
Thing = TypeVar("Thing")
Asked = TypeVar("Asked", bound=Callable[..., Any])
_MOVED: Any = WeakIdKeyDictionary()
"""What was carried over already, by what it is a copy of: a graph is carried once, however often it is asked of."""


def named(name: str) -> torch.device:
    """The device of this name; ModelError, with what torch sees and what to do, if there is none."""
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise ModelError(f"device {name!r} is unknown; name cpu, cuda, or one of several as cuda:0") from error
    if device.type == "cpu":
        return CPU
    if device.type == "meta":
        raise ModelError("device 'meta' holds no numbers; name cpu, cuda, or one of several as cuda:0")
    here = torch.accelerator.current_accelerator(check_available=True)
    count = torch.accelerator.device_count() if here is not None else 0
    if here is None or here.type != device.type or (device.index or 0) >= count:
        seen = f"{count} of {here.type}" if here is not None else "none"
        built = f"built for CUDA {torch.version.cuda}" if torch.version.cuda else "built without CUDA"
        raise ModelError(
            f"device {name!r} is not here: torch {torch.__version__} ({built}) sees {seen}; run with device cpu, the "
            "default, or on a machine with that device and its driver"
        )
    return device


def where(model: nn.Module) -> torch.device:
    """Where a model lives; a model without numbers of its own is on the processor."""
    return next((own.device for own in model.state_dict().values()), CPU)


def moved(thing: Thing, device: torch.device) -> Thing:
    """The same thing with every tensor in it on a device: in dataclasses, mappings, lists and tuples, at any depth."""
    found: Thing = _moved(thing, device)
    return found


def _moved(thing: Any, device: torch.device) -> Any:
    if isinstance(thing, Tensor):
        return thing if thing.device == device else thing.to(device)
    if isinstance(thing, Mapping):
        own = {key: _moved(part, device) for key, part in thing.items()}
        return thing if all(own[key] is part for key, part in thing.items()) else own
    if isinstance(thing, list | tuple) and not hasattr(thing, "_fields"):
        parts = [_moved(part, device) for part in thing]
        same = all(new is old for new, old in zip(parts, thing, strict=True))
        return thing if same else type(thing)(parts)
    if is_dataclass(thing) and not isinstance(thing, type):
        return _copied(thing, device)
    return thing


def _copied(thing: Any, device: torch.device) -> Any:
    kept = _MOVED.setdefault(thing, {})
    if device not in kept:
        now = {field.name: getattr(thing, field.name) for field in fields(thing) if field.init}
        new = {name: moved(own, device) for name, own in now.items()}
        kept[device] = None if all(new[name] is now[name] for name in now) else replace(thing, **new)
    return thing if kept[device] is None else kept[device]


def carried(task: Thing, device: torch.device) -> Thing:
    """A task with everything that it knows on a device."""
    if device == CPU:
        return task
    own = copy(task)
    vars(own).update({name: moved(value, device) for name, value in vars(task).items()})
    return own


@contextmanager
def at(device: torch.device) -> Iterator[None]:
    """New tensors are made on a device inside.

    Elsewhere than on the processor arithmetic is not held to repeat bit by bit: some sums have no such form there.
    """
    if device == CPU:
        yield
        return
    strict = torch.get_deterministic_debug_mode()
    torch.set_deterministic_debug_mode("default")
    try:
        with device:
            yield
    finally:
        torch.set_deterministic_debug_mode(strict)


def beside(ask: Asked) -> Asked:
    """A function of a model and what it is asked of runs where the model lives; its answer comes home."""

    @wraps(ask)
    def there(model: nn.Module, *given: Any, **more: Any) -> Any:
        device = where(model)
        if device == CPU:
            return ask(model, *given, **more)
        with at(device):
            return moved(ask(model, *moved(given, device), **moved(more, device)), CPU)

    return there  # type: ignore[return-value]  # the same call


def random_state(device: torch.device) -> dict[str, Tensor]:
    """The states of the random numbers that a fit draws, by name: of the processor, and of the device beside it."""
    state = {"random": torch.random.get_rng_state()}
    return state if device == CPU else state | {"random.there": torch.get_device_module(device).get_rng_state(device)}


def resume_random(device: torch.device, state: Mapping[str, Tensor]) -> None:
    """Go on drawing where `random_state` was told; a state of another device is passed over."""
    torch.random.set_rng_state(state["random"])
    if device != CPU and "random.there" in state:
        torch.get_device_module(device).set_rng_state(state["random.there"], device)
