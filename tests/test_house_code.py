"""No data is ever run as code: what reads pickles, evaluates text or loads YAML objects is found by its syntax."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("kg", "gnn", "ingest", "queries", "kgrisk", "benchmarks", "tests")
MODULES = frozenset({"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"})
CALLS = frozenset({"eval", "exec"})
YAML = frozenset({"load", "load_all", "unsafe_load", "full_load", "unsafe_load_all", "full_load_all"})
WRITERS = ("gnn_train", "kgrisk_payments", "kgrisk_spoiled", "injection_files")
ALLOWED = frozenset({"kg/executor.py", *(f"tests/test_{name}.py" for name in WRITERS)})
"""Tests that write pickles, to see them refused; and what a process hands to those that it spawned itself, in a folder
that is its user's alone and gone when it ends."""


def faults(text: str) -> Iterator[str]:
    """What a module imports or calls that could run data."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (f"import {name.name}" for name in node.names if name.name.split(".")[0] in MODULES)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in MODULES:
            yield f"from {node.module} import"
        elif isinstance(node, ast.Call):
            yield from _called(node)


def _called(node: ast.Call) -> Iterator[str]:
    name = ast.unparse(node.func)
    given = {word.arg: word.value for word in node.keywords}
    if isinstance(node.func, ast.Name) and name in CALLS:
        yield f"{name}()"
    safe = isinstance(given.get("weights_only"), ast.Constant) and ast.unparse(given["weights_only"]) == "True"
    if name == "torch.load" and not safe:
        yield "torch.load() without weights_only=True"
    if name.startswith("yaml.") and name.partition(".")[2] in YAML:
        yield f"{name}()"
    if "allow_pickle" in given and ast.unparse(given["allow_pickle"]) != "False":
        yield f"{name}() that allows pickle"
    if name in ("pd.read_pickle", "pandas.read_pickle", "np.core.multiarray._reconstruct"):
        yield f"{name}()"


def test_no_room_runs_data_as_code() -> None:
    paths = [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]
    found = {path.relative_to(ROOT).as_posix(): list(faults(path.read_text(encoding="utf-8"))) for path in paths}
    assert len(found) > 400
    assert {name: told for name, told in found.items() if told and name not in ALLOWED} == {}


def test_what_is_allowed_is_needed() -> None:
    for name in sorted(ALLOWED):
        assert list(faults((ROOT / name).read_text(encoding="utf-8"))), name


@pytest.mark.parametrize(
    "text",
    [
        "import pickle",
        "from joblib import load",
        "import dill as d",
        "torch.load(p)",
        "torch.load(p, weights_only=False)",
        "torch.load(p, weights_only=flag)",
        "np.load(p, allow_pickle=True)",
        "np.load(p, allow_pickle=some)",
        "yaml.load(t)",
        "yaml.unsafe_load(t)",
        "eval(t)",
        "exec(t)",
        "pd.read_pickle(p)",
    ],
)
def test_each_way_to_run_data_is_seen(text: str) -> None:
    assert list(faults(text))


@pytest.mark.parametrize(
    "text",
    [
        "model.eval()",
        "torch.load(p, weights_only=True)",
        "np.load(p, allow_pickle=False)",
        "np.load(p)",
        "yaml.safe_load(t)",
        "re.compile(t)",
        "ast.literal_eval(t)",
        "tree.execute()",
    ],
)
def test_what_is_safe_is_left_alone(text: str) -> None:
    assert not list(faults(text))
