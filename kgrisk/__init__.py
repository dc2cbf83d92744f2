"""The front door: settings, the Python API, the command line, refresh, schedule and the demo.

`kgrisk.open(home)` is all a program needs. It is loaded on first use, so that `import kgrisk` stays cheap.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kgrisk.api import Graph, open
    from kgrisk.trials import models

__version__ = "0.1.0"
__all__ = ["Graph", "__version__", "models", "open"]
ROOMS = {"Graph": "kgrisk.api", "open": "kgrisk.api", "models": "kgrisk.trials"}


def __getattr__(name: str) -> Any:
    if name in ROOMS:
        return getattr(import_module(ROOMS[name]), name)
    raise AttributeError(f"module 'kgrisk' has no attribute {name!r}; it has {', '.join(__all__)}")
