"""A device that is not there, for tests: numbers lie on the processor, and every rule about devices is enforced.

A tensor of it tells that it is on `meta`, the one device that torch lets be named where there is none. An operation is
done on the processor, with real numbers, and fails as it would on a machine with such a device if it mixes both: an
operation takes tensors of one device alone, but for numbers without dimensions, and for what copies between devices.
`numpy()` of such a tensor fails as it does there.

What it cannot tell: whether the device has a kernel for an operation, how it rounds, and how fast it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode, return_and_correct_aliasing
from torch.utils._pytree import tree_flatten, tree_map

THERE = torch.device("meta")


class Elsewhere(Tensor):
    """A tensor that says it is elsewhere; `near` are its numbers."""

    near: Tensor

    @staticmethod
    def __new__(cls, near: Tensor) -> Elsewhere:
        own = Tensor._make_wrapper_subclass(  # type: ignore[attr-defined]  # torch's own door to such tensors
            cls,
            near.shape,
            strides=near.stride(),
            storage_offset=near.storage_offset(),
            dtype=near.dtype,
            device=THERE,
            requires_grad=near.requires_grad,
        )
        own.near = near
        return own  # type: ignore[no-any-return]  # made of this class

    def __repr__(self, **_: Any) -> str:  # type: ignore[override]  # for failures of tests
        return f"Elsewhere({self.near})"

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return done(func, args, kwargs or {})


def done(func: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    """An operation on the numbers, after its devices were looked at."""
    given = [one for one in tree_flatten((args, kwargs))[0] if isinstance(one, Tensor)]
    far = [one for one in given if isinstance(one, Elsewhere)]
    name, asked = func._schema.name, kwargs.get("device")
    if far and "copy" not in name and any(not isinstance(one, Elsewhere) and one.dim() for one in given):
        told = [(type(one).__name__, tuple(one.shape)) for one in given]
        raise RuntimeError(f"Expected all tensors to be on the same device: {name} of {told}")
    there = bool(far) if asked is None else torch.device(asked).type == THERE.type
    if name == "aten::copy_":
        there = isinstance(args[0], Elsewhere)
    if asked is not None:
        kwargs = {**kwargs, "device": torch.device("cpu")}
    near_args, near_kwargs = tree_map(lambda one: one.near if isinstance(one, Elsewhere) else one, (args, kwargs))
    found = func(*near_args, **near_kwargs)
    if name == "aten::_to_copy" and found is near_args[0]:
        found = found.clone()
    out = tree_map(lambda one: Elsewhere(one) if there and isinstance(one, Tensor) else one, found)
    return return_and_correct_aliasing(func, args, kwargs, out) if far and there else out


class _Made(TorchDispatchMode):
    """New tensors and copies that ask for the device land on it."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return done(func, args, kwargs or {})


class _Asked(TorchFunctionMode):
    """What torch does in one piece, past every operation: tensors of given numbers, and lists of numbers."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func is torch.tensor and kwargs.get("device") is not None:
            return func(*args, **{**kwargs, "device": "cpu"}).to(kwargs["device"])
        if func is Tensor.tolist and isinstance(args[0], Elsewhere):
            return args[0].near.tolist()
        return func(*args, **kwargs)


@contextmanager
def elsewhere() -> Iterator[torch.device]:
    """The device is there inside."""
    before = torch.__future__.get_overwrite_module_params_on_conversion()
    torch.__future__.set_overwrite_module_params_on_conversion(True)
    try:
        with _Made(), _Asked():
            yield THERE
    finally:
        torch.__future__.set_overwrite_module_params_on_conversion(before)
