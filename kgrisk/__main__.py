"""Start: the command line, or only as much of it as a command needs that has to answer at once."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Final

ALONE: Final = {"mcp": "kgrisk.mcp_command"}
"""Commands that load nothing of the others."""


def main() -> None:
    """Entry point of `kgrisk` and `python -m kgrisk`."""
    import_module(ALONE.get(" ".join(sys.argv[1:2]), "kgrisk.cli")).main()


if __name__ == "__main__":
    main()
