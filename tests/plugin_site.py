"""Example packages of the docs, built and installed into a folder by pip."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

OPTIONS = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check"]


def installed_in(tmp_path_factory: pytest.TempPathFactory, package: Path) -> Path:
    """A folder with the package, made from a copy, so that the build leaves nothing in the docs."""
    copy, target = tmp_path_factory.mktemp("plugin") / "copy", tmp_path_factory.mktemp("site")
    shutil.copytree(package, copy)
    subprocess.run(
        [sys.executable, "-m", "pip", "install", *OPTIONS, "--target", target, copy], check=True, timeout=120
    )
    return target
