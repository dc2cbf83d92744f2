"""What the wheel carries is what the source gives: a rebuild of the page is the same to the byte."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.browser.world import missing

WEB = Path(__file__).parents[2] / "web"
STATIC = WEB.parent / "kgrisk" / "serve" / "static"


def test_the_lock_file_names_no_address_and_every_package_has_its_sum() -> None:
    lock = (WEB / "package-lock.json").read_text()
    assert not re.search(r'"(resolved|funding)"|https?://', lock)
    assert lock.count('"integrity"') == lock.count('"node_modules/')


@pytest.mark.slow
def test_a_rebuild_gives_the_same_files(tmp_path: Path) -> None:
    if not shutil.which("npm"):
        missing("no npm: install Node.js 20 to rebuild the page")
    folder = tmp_path / "web"
    shutil.copytree(WEB, folder, ignore=shutil.ignore_patterns("node_modules"))
    fetched = subprocess.run(
        ["npm", "ci", "--prefer-offline", "--no-audit", "--no-fund"], cwd=folder, capture_output=True, text=True
    )
    if fetched.returncode:
        missing(f"npm ci could not fetch the packages: {fetched.stderr[-400:]}")
    run = ["npx", "--no-install"]
    checked = subprocess.run([*run, "tsc", "--noEmit"], cwd=folder, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout
    built = subprocess.run(
        [*run, "vite", "build", "--outDir", str(tmp_path / "out")], cwd=folder, capture_output=True, text=True
    )
    assert built.returncode == 0, built.stderr
    assert {path.name for path in (tmp_path / "out").iterdir()} == {path.name for path in STATIC.iterdir()}
    for path in sorted(STATIC.iterdir()):
        assert (tmp_path / "out" / path.name).read_bytes() == path.read_bytes(), (
            f"{path.name}: run `npx vite build` in web/"
        )
