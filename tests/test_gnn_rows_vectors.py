"""Vectors are stored under a schema and a version; plain figures of images stand beside those of a network."""

from __future__ import annotations

import io
import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image as Pillow

from gnn import encoder as store
from gnn.encoder import Encoder, VectorCache
from gnn.encoders.appearance import PARTS, Appearance, colours, edges, textures
from gnn.encoders.table import COLUMNS, Table
from kg.errors import ModelError
from kg.model import digest
from tests.gnn_world import picture


class Counted(Appearance):
    """The real encoder, counting what it is asked for."""

    def __init__(self, version: str = "appearance-1") -> None:
        self.calls, self.version = 0, version

    @property
    def fingerprint(self) -> str:
        return self.version

    def encode(self, values: Any) -> torch.Tensor:
        self.calls += len(values)
        return super().encode(values)


def pages(count: int, seed: int = 0) -> list[bytes]:
    draw = np.random.default_rng(seed)
    return [picture((30 * n, 90, 250 - 40 * n), draw) for n in range(count)]


def bytes_under(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_the_same_input_gives_the_same_bytes_on_disk(tmp_path: Path) -> None:
    given = pages(4)
    VectorCache(tmp_path / "one").vectors(Counted(), given)
    VectorCache(tmp_path / "two").vectors(Counted(), given[::-1])
    first, second = bytes_under(tmp_path / "one"), bytes_under(tmp_path / "two")
    assert first == second and len(first) == 5  # four vectors and what they are


def test_a_second_run_reads_what_the_first_one_wrote_and_asks_the_encoder_nothing(tmp_path: Path) -> None:
    given, own = pages(4), Counted()
    first = VectorCache(tmp_path).vectors(own, given)
    assert own.calls == 4
    again = Counted()
    second = VectorCache(tmp_path).vectors(again, given)
    assert again.calls == 0
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True) if a is not None and b is not None)


def test_another_version_of_the_encoder_or_another_file_is_encoded_anew(tmp_path: Path) -> None:
    given, cache = pages(2), VectorCache(tmp_path)
    cache.vectors(Counted(), given)
    newer, other = Counted("appearance-2"), Counted()
    cache.vectors(newer, given)
    assert newer.calls == 2
    changed = bytearray(given[0])
    changed.append(0)  # the picture is the same, the file is not
    cache.vectors(other, [bytes(changed), given[1]])
    assert other.calls == 1


def test_the_schema_stands_beside_the_vectors(tmp_path: Path) -> None:
    own = Counted()
    VectorCache(tmp_path).vectors(own, pages(1))
    (manifest,) = tmp_path.rglob(store.MANIFEST)
    told = json.loads(manifest.read_text())
    assert told == {
        "schema": store.SCHEMA,
        "encoder": own.fingerprint,
        "modality": "image",
        "numbers": "float32",
        "dim": own.dim,
    }
    (file,) = tmp_path.rglob("*.npy")
    assert np.load(file).shape == (own.dim,) and file.stem == digest(pages(1)[0])


def test_another_schema_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given, own = pages(2), Counted()
    VectorCache(tmp_path).vectors(own, given)
    monkeypatch.setattr(store, "SCHEMA", store.SCHEMA + 1)
    VectorCache(tmp_path).vectors(own, given)
    assert own.calls == 4


def test_vectors_of_another_length_under_the_same_name_are_made_again_and_it_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    given, own = pages(2), Counted()
    VectorCache(tmp_path).vectors(own, given)
    (manifest,) = tmp_path.rglob(store.MANIFEST)
    manifest.write_text(manifest.read_text().replace(str(own.dim), "7"))
    with caplog.at_level(logging.WARNING):
        VectorCache(tmp_path).vectors(own, given)
    assert own.calls == 4 and "another schema" in caplog.text
    VectorCache(tmp_path).vectors(own, given)
    assert own.calls == 4


def test_one_flipped_bit_of_a_stored_vector_is_found(tmp_path: Path) -> None:
    given, own = pages(1), Counted()
    cache = VectorCache(tmp_path)
    (right,) = cache.vectors(own, given)
    (file,) = tmp_path.rglob("*.npy")
    data = bytearray(file.read_bytes())
    data[-store.SEAL - 1] ^= 1
    file.write_bytes(data)
    (again,) = cache.vectors(own, given)
    assert own.calls == 2 and right is not None and again is not None and torch.equal(right, again)


def test_colour_tells_red_from_green_and_texture_does_not() -> None:
    red, green = Appearance().encode([flat((220, 20, 20)), flat((20, 200, 40))])
    split = PARTS["colour"]
    assert not torch.equal(red[:split], green[:split])
    assert torch.equal(red[split:], green[split:])


def test_shares_of_colours_and_patterns_sum_to_one() -> None:
    grey = np.random.default_rng(1).integers(0, 256, (30, 40)).astype(float)
    assert colours(np.stack([grey] * 3, axis=2)).sum() == pytest.approx(1.0)
    assert textures(grey).sum() == pytest.approx(1.0)


def test_texture_is_that_of_a_quarter_turn_and_of_a_brighter_page() -> None:
    grey = np.random.default_rng(2).integers(0, 200, (32, 32)).astype(float)
    assert np.allclose(textures(grey), textures(np.rot90(grey)))
    assert np.array_equal(textures(grey), textures(grey + 50))


def test_a_flat_page_is_one_uniform_pattern_without_edges() -> None:
    grey = np.full((20, 20), 90.0)
    assert textures(grey)[8] == 1.0 and not edges(grey).any()


@pytest.mark.parametrize(("across", "turn"), [(True, 0), (False, 4)])
def test_the_direction_and_the_place_of_an_edge_are_told(across: bool, turn: int) -> None:
    grey = np.zeros((224, 224))
    grey[:56, 28:] = 200.0 if across else 0.0
    if not across:
        grey[28:, :56] = 200.0
    found = edges(grey).reshape(4, 4, 8)
    assert found[0, 0].argmax() == turn and found[0, 0, turn] > 0
    assert found[2, 2].sum() == 0.0


def test_what_is_no_image_is_refused() -> None:
    with pytest.raises(ModelError, match="no image"):
        Appearance().encode([b"torn"])
    assert Appearance().encode([]).shape == (0, Appearance.dim)


def test_the_scale_of_numbers_that_a_model_was_trained_with_gives_the_same_bits_again() -> None:
    rows = np.random.default_rng(3).lognormal(15, 2, (40, len(COLUMNS)))
    fitted = Table().fit(rows)
    kept = json.loads(json.dumps(fitted.scale))  # as it stands in the checkpoint
    again: Encoder = Table(kept)
    assert torch.equal(fitted.encode(list(rows)), again.encode(list(rows)))
    assert fitted.fingerprint == again.fingerprint


def flat(colour: tuple[int, int, int]) -> bytes:
    """A page of one colour."""
    image = Pillow.new("RGB", (60, 80), colour)
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()
