"""A CLIP model is read from a folder of the user's, and from nowhere else."""

from dataclasses import replace
from pathlib import Path
from shutil import copytree

import numpy as np
import pytest
import torch

import kgrisk
from gnn.encoders.clip import WEIGHTS, Clip
from gnn.pipeline import Settings, chosen_encoders
from gnn.views import Views
from kg.errors import ModelError
from tests.clip_folder import folder
from tests.gnn_world import CUT, build, picture

pytestmark = pytest.mark.slow


def test_images_and_words_come_into_one_space_of_unit_vectors() -> None:
    own, draw = Clip(folder()), np.random.default_rng(0)
    seen = own.encode([picture((200, 30, 30), draw), picture((30, 30, 200), draw)])
    said = own.words(["a red page", "a red page", "a letter of credit " * 40])
    assert seen.shape == (2, 12) and said.shape == (3, 12) and own.dim == 12
    assert torch.allclose(torch.cat([seen, said]).norm(dim=1), torch.ones(5), atol=1e-5)
    assert torch.equal(said[0], said[1]) and not torch.equal(said[0], said[2])
    assert own.fingerprint.startswith("clip-") and own.fingerprint == Clip(folder()).fingerprint


def test_without_a_folder_it_is_said_that_no_weights_come_with_the_project() -> None:
    with pytest.raises(ModelError, match="no weights come with kgrisk; give the folder"):
        Clip().encode([b""])


@pytest.mark.parametrize(
    ("gone", "put", "told"),
    [
        (WEIGHTS, "pytorch_model.bin", "its weights are pickle \\(pytorch_model.bin\\)"),
        (WEIGHTS, "", "it has no weights"),
        ("config.json", "", "lacks config.json"),
    ],
)
def test_a_folder_without_safe_weights_is_refused(tmp_path: Path, gone: str, put: str, told: str) -> None:
    copied = copytree(folder(), tmp_path / "model")
    (copied / gone).unlink()
    if put:
        (copied / put).write_bytes(b"\x80\x04.")
    with pytest.raises(ModelError, match=told):
        Clip(copied).encode([b""])


def test_torn_weights_and_values_that_are_none_are_refused(tmp_path: Path) -> None:
    copied = copytree(folder(), tmp_path / "model")
    (copied / WEIGHTS).write_bytes(b"torn")
    with pytest.raises(ModelError, match="holds no CLIP model that can be read"):
        _ = Clip(copied).dim
    own = Clip(folder())
    for bad in (b"no image", 5):
        with pytest.raises(ModelError, match="clip encoder: expected the bytes of an image"):
            own.encode([bad])
    with pytest.raises(ModelError, match="a text that is not empty"):
        own.words([" "])


def test_the_folder_is_a_setting_of_a_run_and_of_kgrisk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = build(tmp_path / "home", firms=6)
    views, asked = Views(world.ledger, world.files, None), Settings(modalities=("image",), encoders={"image": "clip"})
    (own,) = chosen_encoders(views, CUT, replace(asked, clip=folder()))
    graph = views.tensors(CUT, [own])
    assert graph.features["image"].values.shape[1] == 12 and len(graph.features["image"].rows)
    with pytest.raises(ModelError, match="no weights come with kgrisk; give the folder"):
        chosen_encoders(views, CUT, asked)
    with pytest.raises(ModelError, match=r"lacks config\.json"):
        chosen_encoders(views, CUT, replace(asked, clip=tmp_path))
    monkeypatch.setenv("KGRISK_CLIP", str(tmp_path))
    with kgrisk.open(tmp_path / "home") as graph_, pytest.raises(ModelError, match=r"lacks config\.json"):
        graph_.train(CUT.date(), settings={"modalities": ["image"], "encoders": {"image": "clip"}})
