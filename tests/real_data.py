"""Pytest plug-in for tests marked `real`: skips them without the real files, and says how many ran."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

VARIABLE = "KGRISK_REAL_DATA"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    folder = os.environ.get(VARIABLE, "")
    if folder and not Path(folder).is_dir():
        raise pytest.UsageError(f"{VARIABLE}={folder} is no folder; name the folder of the real files, or unset it")
    if not folder:
        skip = pytest.mark.skip(reason=f"set {VARIABLE} to the folder of the real files")
        for item in items:
            if item.get_closest_marker("real"):
                item.add_marker(skip)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    passed = [r for r in terminalreporter.stats.get("passed", []) if r.when == "call" and "real" in r.keywords]
    terminalreporter.write_line(f"real: {len(passed)} passed" if passed else "REAL DATA NOT RUN")


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of the real files."""
    return Path(os.environ[VARIABLE])
