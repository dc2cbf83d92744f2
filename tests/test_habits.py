"""What is asked before each commit, and what is drawn of what was measured, works and stays what it says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from benchmarks.plots import OUT, drawn, growth, ratios, results, stages_plot, svg

ROOT = Path(__file__).parents[1]
CONFIG = ROOT / ".pre-commit-config.yaml"
BIN = Path(sys.executable).parent
HOOKS = ("ruff-format", "ruff-check", "mypy", "lint-imports")
PROJECT = """
[tool.mypy]
strict = true
packages = ["kg", "gnn"]
[tool.importlinter]
root_packages = ["kg", "gnn"]
[[tool.importlinter.contracts]]
name = "one way"
type = "layers"
layers = ["gnn", "kg"]
"""
GOOD = '"""A room."""\n\n\ndef one() -> int:\n    return 1\n'
BAD = {
    "ruff-format": GOOD.replace("return 1", "return  1"),
    "ruff-check": f"import os\n\n{GOOD}",
    # of another size: to mypy a file of the same second and the same size is the one that it has read
    "mypy": GOOD.replace("int:", "bytes:"),
    "lint-imports": "from gnn import one\n\n__all__ = ['one']\n",
}


def git(folder: Path, *words: str) -> None:
    subprocess.run(["git", "-C", str(folder), "-c", "user.name=x", "-c", "user.email=x@x", *words], check=True)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A small project with our hooks and nothing to complain of."""
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "bin").symlink_to(BIN)
    (tmp_path / ".gitignore").write_text(".venv\n.mypy_cache\n.import_linter_cache\n")
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    (tmp_path / CONFIG.name).write_bytes(CONFIG.read_bytes())
    for room in ("kg", "gnn"):
        (tmp_path / room).mkdir()
        (tmp_path / room / "__init__.py").write_text(GOOD)
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", "-A")
    return tmp_path


def hook(project: Path, name: str) -> subprocess.CompletedProcess[str]:
    """One hook over the whole project, without a network or a cache of ours."""
    environment = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(project),
        "PRE_COMMIT_HOME": str(project / ".git" / "hooks-home"),
    }
    environment |= {"http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}
    command = [str(BIN / "pre-commit"), "run", name, "--all-files"]
    return subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, timeout=120)


def test_the_hooks_are_those_of_make_lint_and_none_is_fetched() -> None:
    done = subprocess.run([str(BIN / "pre-commit"), "validate-config", str(CONFIG)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    repos = yaml.safe_load(CONFIG.read_text())["repos"]
    assert {repo["repo"] for repo in repos} == {"local"}
    hooks = [one for repo in repos for one in repo["hooks"]]
    assert tuple(one["id"] for one in hooks) == HOOKS
    assert {one["language"] for one in hooks} == {"system"}
    lint = re.search(r"^lint:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(), re.M)
    assert lint is not None
    asked = [line.split() for line in lint[1].replace("$(BIN)", ".venv/bin").splitlines()]
    for one, words in zip(hooks, asked, strict=True):
        assert [word for word in words if word != "."] == [
            word for word in one["entry"].split() if word != "--force-exclude"
        ]


@pytest.mark.slow
@pytest.mark.parametrize("name", HOOKS)
def test_each_hook_lets_what_is_right_pass_and_stops_what_is_wrong(project: Path, name: str) -> None:
    assert hook(project, name).returncode == 0
    (project / "kg" / "__init__.py").write_text(BAD[name])
    git(project, "add", "-A")
    stopped = hook(project, name)
    assert stopped.returncode == 1 and "Failed" in stopped.stdout, stopped.stdout + stopped.stderr


def test_check_is_format_lint_types_layers_and_the_quick_tests() -> None:
    text = (ROOT / "Makefile").read_text()
    assert re.search(r"^check: lint$", text, re.M)
    for word in ("ruff format --check .", "ruff check", "mypy", "lint-imports"):
        assert word in text.partition("\nlint:")[2].partition("\ncheck:")[0]
    assert '-m "not neo4j and not slow and not real"' in text.partition("\ncheck:")[2].partition("\ntest:")[0]


def test_the_guard_measures_beside_what_is_committed_and_is_judged_by_it() -> None:
    known = {path.stem for path in (ROOT / "benchmarks" / "risk").glob("*.py")}
    done = subprocess.run(["make", "-n", "guard"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    measured, judged = re.findall(r"-m (benchmarks\..*?)(?: &&|\n|$)", done.stdout)
    package, *modules, _, fresh = measured.split()
    assert package == "benchmarks.risk" and modules and set(modules) <= known
    assert "results" not in fresh and judged == f"benchmarks.guard risk {fresh}"


def test_the_plots_show_every_recorded_ratio_and_are_those_that_are_committed() -> None:
    found = list(ratios(results()))
    assert {"scipy", "torch", "igraph", "networkx", "Neo4j GDS", "PyKEEN", "PyG"} == {row.peer for row in found}
    texts = drawn()
    for row in found:
        assert f"{row.value:.3g}<" in texts["benchmarks/peers.svg"], row
    assert all(len(points) == 5 for points in growth(results()).values())
    assert {f"{path.parent.name}/{path.name}" for path in OUT.glob("*/*.svg")} == set(texts)
    for name, text in texts.items():
        kept = (OUT / name).read_text()
        assert shown(text) == shown(kept), f"{name} is drawn from other results: python -m benchmarks.plots"
        assert placed(text) == pytest.approx(placed(kept), abs=1), f"{name} is drawn from other results"


def shown(svg: str) -> list[str]:
    """The words of a plot."""
    return re.findall(r">([^<>\n]+)</text>", svg)


def placed(svg: str) -> list[float]:
    """Where the points of its lines and the corners of its bars lie, in points of the drawing."""
    lines = re.findall(r'<path d="([^"]+)"', svg)
    return [float(number) for line in lines for number in re.findall(r"-?\d+(?:\.\d+)?", line)]


def test_a_plot_of_other_figures_is_found_by_its_lines_where_its_words_are_the_same() -> None:
    one, two = (svg(stages_plot({"build": {100: 1.0, 1000: y, 10_000: 100.0}}, "seconds")) for y in (10.0, 20.0))
    assert shown(one) == shown(two) and len(placed(one)) == len(placed(two))
    assert placed(one) != pytest.approx(placed(two), abs=1)


def test_the_page_of_benchmarks_names_every_room_and_peer() -> None:
    page = (ROOT / "docs" / "benchmarks.md").read_text()
    rooms = {path.parent.name for path in (ROOT / "benchmarks").glob("*/__main__.py")}
    assert rooms == set(re.findall(r"^\| `python -m benchmarks\.(\w+)`", page, re.M)) - {"plots", "pages", "scale"}
    for name in ("PyKEEN", "networkx", "igraph", "scipy", "torch", "Neo4j GDS"):
        assert name in page
    pages = page + (ROOT / "docs" / "scale.md").read_text()
    assert all(f"]({name})" in pages for name in drawn())
