"""Search across modalities on a small real graph: what is found, where it stands, and what is refused."""

from __future__ import annotations

import io
import wave as wav
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pytest
import torch

from benchmarks.page_pictures import pictures
from gnn.contrastive import Space
from gnn.crosslingual import MODEL, index
from gnn.encoder import VectorCache
from gnn.encoders.image import Image
from gnn.encoders.multilingual import Multilingual
from gnn.publish import vectors
from gnn.retrieval import Index, asked, belonging, modality_of
from gnn.shared_space import learned, pairs, part_of
from gnn.things import Thing, encoded, stretch, things
from gnn.train import Recipe
from kg.errors import ModelError
from kg.files import Files
from kg.ledger import Ledger
from kg.model import AsOf, Claim, ClaimBatch, Evidence, Facts, Node, RunManifest, digest
from kg.store import open_store

CALL = (Path(__file__).parent / "data" / "call-tiny.ogg").read_bytes()
EARLY, LATE = datetime(2023, 1, 5, tzinfo=UTC), datetime(2023, 6, 1, tzinfo=UTC)
SAID = {"time:0.00-1.50": "The bank granted a new loan", "time:1.50-2.60": "The factory burned down in March"}
KINDS = ("chart", "cheque", "photograph", "receipt")


def page_claims(content: bytes, words: str, when: datetime) -> list[Claim]:
    name = digest(content)
    proof = Evidence(name, "page:1 box:1,2,30,40", words, "images.ocr@3")
    said = {"caption": words, "path": name}
    return [Claim(Node("Page", f"page:{name}", {key: value}), proof, when) for key, value in said.items()]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight pages of four kinds, a recording of two stretches, a page whose file is gone, and a document of words."""
    folder = tmp_path_factory.mktemp("shared")
    files, made = Files(folder / "files"), []
    for page in [p for p in pictures(5, 2) if p.kind in KINDS]:
        files.put(page.content)
        made += page_claims(page.content, f"This page is a {page.kind}", EARLY)
    made += page_claims(b"gone", "A page whose file is gone", EARLY)
    call = files.put(CALL)
    for where, words in SAID.items():
        proof = Evidence(call, where, words, "calls.audio@1")
        made.append(Claim(Node("Document", f"doc:{call}", {"duration": 2.6}), proof, LATE))
        made.append(Claim(Facts(f"doc:{call}", {"segment": words}, where), proof, LATE, LATE))
    text = Evidence("d" * 64, "chars:0-20", "Rates were raised", "news.text@1")
    made.append(Claim(Node("Document", "doc:" + "d" * 64, {"text": "Rates were raised"}), text, EARLY))
    with Ledger.open(folder / "ledger") as ledger:
        ledger.commit(ClaimBatch.of(made), RunManifest("ingest"))
    return folder


@pytest.fixture(scope="module")
def space(home: Path) -> Space:
    """Learned from other drawn pages, each with the words for its kind."""
    cache = VectorCache(home / "cache")
    drawn = [
        Thing("", "image", str(n), "", EARLY, page.content, f"This page is a {page.kind}")
        for n, page in enumerate(pictures(6, 6))
        if page.kind in KINDS
    ]
    rows = encoded(drawn, {"image": Image()}, cache)
    words = Multilingual().encode([thing.words for thing, _ in rows])
    own = pairs((thing, vector, said) for (thing, vector), said in zip(rows, words, strict=True))
    half = {"image": own["image"].take(torch.arange(16))}
    rest = {"image": own["image"].take(torch.arange(16, 24))}
    return learned({"train": half, "valid": rest, "test": {}}, None, "text", Recipe(epochs=25, rate=0.01)).space


@pytest.fixture(scope="module")
def filled(home: Path, space: Space) -> Path:
    with Ledger.open(home / "ledger") as ledger:
        index(ledger, Files(home / "files"), home / "cache", space)
    return home


def found(folder: Path, at: AsOf = AsOf()) -> Index:
    with Ledger.open(folder / "ledger") as ledger:
        return Index(ledger, Files(folder / "files"), at)


@pytest.mark.slow
def test_things_are_images_and_stretches_and_a_page_without_its_file_is_none(home: Path) -> None:
    with Ledger.open(home / "ledger") as ledger:
        made = list(things(ledger, Files(home / "files")))
        words = list(things(ledger, Files(home / "files"), {"text"}))
    assert sorted(thing.modality for thing in made) == ["audio"] * 2 + ["image"] * 8 + ["text"] * 2
    assert {thing.words for thing in made if thing.modality == "audio"} == set(SAID.values())
    assert all(thing.words.startswith("This page is a ") for thing in made if thing.modality == "image")
    assert {thing.key for thing in words} == {f"{MODEL}.text|{where}" for where in SAID}
    assert {part_of(thing) for thing in made} <= {"train", "valid", "test"}


@pytest.mark.slow
def test_words_find_the_stretch_of_a_recording_and_say_its_seconds(filled: Path) -> None:
    best = found(filled).search(asked("text", "银行发放贷款"), 1, modalities=["text"])[0]
    assert (best.document, best.locator, best.quote) == (digest(CALL), "time:0.00-1.50", SAID["time:0.00-1.50"])
    assert best.label == "Document" and best.probability is None


@pytest.mark.slow
def test_words_find_pages_by_their_look_and_a_page_finds_its_words(filled: Path, space: Space) -> None:
    own = found(filled)
    right = 0
    for kind in KINDS:
        hits = own.search(asked("text", f"This page is a {kind}"), 2, modalities=["image"])
        right += sum(hit.quote == f"This page is a {kind}" for hit in hits)
        assert all(hit.label == "Page" and hit.locator == "page:1 box:1,2,30,40" for hit in hits)
        assert all(hit.id == f"page:{hit.document}" for hit in hits)
    assert right >= 7
    chart = next(page.content for page in pictures(8, 1) if page.kind == "chart")
    near = belonging(own.search(asked("image", chart, space), 3, modalities=["image"]), "image", space)
    assert near[0].quote == "This page is a chart" and near[0].probability is None  # no two images were ever paired
    told = belonging(own.search(asked("text", "This page is a chart"), 8, modalities=["image"]), "text", space)
    sure = [hit.probability or 0.0 for hit in told]
    assert sure == sorted(sure, reverse=True) and sure[0] > 0.5 > sure[-1]


@pytest.mark.slow
def test_a_search_keeps_to_labels_modalities_and_what_was_published_by_then(filled: Path) -> None:
    vector = asked("text", "loan")
    own = found(filled)
    assert {hit.label for hit in own.search(vector, 99)} == {"Page", "Document"}
    assert {hit.label for hit in own.search(vector, 99, labels=["Page"])} == {"Page"}
    assert {hit.modality for hit in own.search(vector, 99, modalities=["image"])} == {"image"}
    before = found(filled, AsOf(published=EARLY)).search(vector, 99)
    assert digest(CALL) not in {hit.document for hit in before} and before


@pytest.mark.slow
def test_the_store_gives_the_same_nearest_as_the_exact_search(filled: Path) -> None:
    with Ledger.open(filled / "ledger") as ledger:
        store = open_store(f"arcadedb://{filled / 'store'}", filled)
        store.sync(ledger)
        for words in ("a receipt", "a chart of revenue", "贷款"):
            near = store.nearest("Page", asked("text", words), 5, model=f"{MODEL}.image")
            own = found(filled).search(asked("text", words), 5, ["Page"], ["image"])
            assert near["id"].to_pylist() == [hit.id for hit in own]
            assert near["score"].to_pylist() == pytest.approx([hit.score for hit in own], abs=1e-5)
        store.close()


@pytest.mark.slow
def test_indexing_again_adds_nothing_and_no_vector_is_taken_for_one_of_a_graph_model(
    filled: Path, space: Space
) -> None:
    with Ledger.open(filled / "ledger") as ledger:
        files, head = Files(filled / "files"), ledger.head
        assert index(ledger, files, filled / "cache", space) == head
        assert vectors(ledger.view(AsOf()), files).num_rows == 0
        alive = ledger.alive()
        keys = alive.filter(pc.equal(alive["name"], "embedding"))["key"].to_pylist()
    assert {modality_of(key) for key in keys} == {"text", "image"} and keys.count(f"{MODEL}.image") == 8


def test_a_stretch_is_cut_out_of_a_recording_and_a_moment_is_none() -> None:
    pytest.importorskip("faster_whisper")
    part = stretch(CALL, "time:0.50-1.50")
    assert part is not None
    with wav.open(io.BytesIO(part)) as file:
        assert (file.getframerate(), file.getnframes()) == (16_000, 16_000)
    assert stretch(CALL, "time:0.50-0.60") is None and stretch(CALL, "time:900.00-905.00") is None
    with pytest.raises(ModelError, match="names no stretch of a recording"):
        stretch(CALL, "page:1")


@pytest.mark.slow
def test_what_cannot_be_searched_is_refused_with_a_reason(filled: Path, tmp_path: Path, space: Space) -> None:
    with Ledger.open(tmp_path / "ledger") as ledger:
        files = Files(tmp_path / "files")
        with pytest.raises(ModelError, match="run `kgrisk index` first"):
            Index(ledger, files).search([1.0] * 512)
        with pytest.raises(ModelError, match="only a space with the anchor 'text'"):
            index(ledger, files, None, Space({"image": 4, "text": 512}))
    own = found(filled)
    for bad in ([0.0] * 512, [1.0] * 3, [np.nan] * 512):
        with pytest.raises(ModelError, match="a vector of 512 finite numbers"):
            own.search(bad)
    with pytest.raises(ModelError, match="needs a shared space"):
        asked("image", b"")
    with pytest.raises(ModelError, match="not of 'video'"):
        asked("video", b"", space)
    with pytest.raises(ModelError, match="are no image"):
        asked("image", b"no image", space)
    with pytest.raises(ModelError, match="needs 8 pairs of a kind"):
        learned({"train": {}, "valid": {}, "test": {}}, None, "text")
