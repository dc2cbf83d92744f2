"""Files that run code when they are read by the wrong means, given to every door that takes files: nothing runs."""

from __future__ import annotations

import io
import os
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from gnn.checkpoint import load_tensors
from gnn.payments.checkpoint import load as load_detector
from kg.errors import ModelError, StoreError
from kg.files import Files
from kg.vectors import Vectors, address
from kgrisk.api import open as open_graph
from kgrisk.settings import Settings
from tests.kgrisk_world import kgrisk_here, write_registers


class Trap:
    """Makes a folder when it is unpickled."""

    def __init__(self, sprung: Path) -> None:
        self.sprung = sprung

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (os.mkdir, (str(self.sprung),))


def as_torch(trap: Trap) -> bytes:
    buffer = io.BytesIO()
    torch.save({"weights": trap}, buffer)
    return buffer.getvalue()


def as_numpy(trap: Trap) -> bytes:
    body = io.BytesIO()
    np.lib.format.write_array(body, np.array([trap], dtype=object), allow_pickle=bool(1))
    return body.getvalue()


TRAPS: dict[str, Callable[[Trap], bytes]] = {
    "evil.pt": as_torch,
    "evil.npy": as_numpy,
    "evil.joblib": pickle.dumps,
    "evil.pkl": pickle.dumps,
    "model.safetensors": pickle.dumps,
    "evil.csv": pickle.dumps,
    "evil.png": as_torch,
}


@pytest.fixture
def traps(tmp_path: Path) -> Path:
    """A folder of files that spring when they are unpickled."""
    folder = tmp_path / "in"
    folder.mkdir()
    for name, write in TRAPS.items():
        (folder / name).write_bytes(write(Trap(tmp_path / "sprung")))
    return folder


def test_the_traps_would_spring(traps: Path, tmp_path: Path) -> None:
    pickle.loads((traps / "evil.joblib").read_bytes())
    assert (tmp_path / "sprung").exists()


def test_they_are_read_by_no_source_and_the_good_beside_them_is_kept(traps: Path, tmp_path: Path) -> None:
    write_registers(traps)
    with open_graph(tmp_path / "home", settings=Settings(home=tmp_path / "home")) as graph:
        report = graph.ingest(traps)
        assert report.committed and len(graph.snapshot()) > 3
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("name", TRAPS)
def test_no_model_vector_or_image_is_read_from_one(name: str, traps: Path, tmp_path: Path) -> None:
    for load in (load_tensors, load_detector):
        with pytest.raises(ModelError):
            load(traps / name)
        with pytest.raises(ModelError):
            load(traps)
    files = Files(tmp_path / "files")
    with pytest.raises(StoreError, match=r"not a plain \.npy matrix"):
        Vectors(files)(address(files.put((traps / name).read_bytes()), 0))
    assert not (tmp_path / "sprung").exists()


def test_no_command_that_takes_a_file_runs_one(traps: Path, tmp_path: Path) -> None:
    asked = [
        *(("extract", source, traps / "evil.csv") for source in ("registers", "trades", "prices", "news")),
        ("extract", "images", traps / "evil.png"),
        ("risk", "debtrank", "--shock", "x", "--exposures", traps / "evil.npy", "--banks", traps / "evil.pt"),
        ("reconstruct", traps / "evil.joblib"),
    ]
    for args in asked:
        done = kgrisk_here(*args, cwd=tmp_path)
        assert done.returncode in (1, 2, 3) and "Traceback" not in done.stderr, (args, done.stderr)
    assert not (tmp_path / "sprung").exists()
