"""Search by meaning across languages: vectors of texts in an index of their own, as old as the texts."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pytest

from gnn.crosslingual import MODEL, index, question, texts
from gnn.encoder import VectorCache
from gnn.encoders.multilingual import Multilingual
from gnn.encoders.text import Text
from gnn.publish import vectors
from kg.errors import ModelError
from kg.files import Files
from kg.ledger import Ledger
from kg.model import AsOf, Claim, ClaimBatch, Evidence, Node, RunManifest
from kg.store import open_store

pytestmark = pytest.mark.slow
PROOF = Evidence("d" * 64, "row:1", "a row", "news.text@1")
EARLY, LATE = datetime(2023, 1, 5, tzinfo=UTC), datetime(2023, 6, 1, tzinfo=UTC)
SAID = {
    "doc:" + "a" * 64: "银行向钢铁公司提供了两亿欧元贷款",
    "doc:" + "b" * 64: "The retailer opened forty new shops in spring",
    "doc:" + "c" * 64: "公司因未能支付债券利息而违约",
}
PAIRS = [
    ("银行收购了保险公司的股份", "The bank bought a stake in the insurer"),
    ("监管机构对该公司处以罚款", "The regulator fined the company"),
    ("首席执行官将于下月辞职", "The chief executive will resign next month"),
    ("工厂火灾导致供应中断", "A fire at the factory interrupted supplies"),
    ("评级机构下调了评级", "The agency lowered the rating"),
]


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("search")
    with Ledger.open(home / "ledger") as ledger:
        said = [Claim(Node("Document", id, {"text": text}), PROOF, EARLY) for id, text in SAID.items()]
        said.append(Claim(Node("Document", "doc:" + "b" * 64, {"title": "Spring"}), PROOF, LATE))
        said.append(Claim(Node("Person", "person:0123456789abcdef", {"name": "Ada Quill"}), PROOF, EARLY))
        ledger.commit(ClaimBatch.of(said), RunManifest("ingest"))
        index(ledger, Files(home / "files"), home / "cache")
    return home


def test_each_chinese_sentence_is_nearest_to_its_english_meaning() -> None:
    encoder = Multilingual()
    chinese, english = (encoder.encode([pair[side] for pair in PAIRS]).numpy() for side in (0, 1))
    assert (np.argmax(chinese @ english.T, axis=1) == np.arange(len(PAIRS))).all()


def test_a_question_in_english_finds_the_chinese_document(filled: Path) -> None:
    with Ledger.open(filled / "ledger") as ledger:
        store = open_store(f"arcadedb://{filled / 'store'}", filled)
        store.sync(ledger)
        for asked, id in (("loan to a steel maker", "a"), ("failed to pay interest on bonds", "c"), ("商店", "b")):
            found = store.nearest("Document", question(asked), 1, model=MODEL)
            assert found["id"].to_pylist() == ["doc:" + id * 64]
        before = store.nearest("Document", question("shops"), 9, AsOf(published=EARLY), MODEL)
        assert set(before["id"].to_pylist()) == {"doc:" + "a" * 64, "doc:" + "c" * 64}
        store.close()


def test_a_vector_is_as_old_as_its_newest_text_and_persons_have_none(filled: Path) -> None:
    with Ledger.open(filled / "ledger") as ledger:
        said = {id: when for id, _, when in texts(ledger.view())}
        assert said["doc:" + "b" * 64] == LATE and said["doc:" + "a" * 64] == EARLY
        assert "person:0123456789abcdef" not in said
        alive = ledger.alive()
        assert alive.filter(pc.equal(alive["key"], MODEL)).num_rows == len(SAID)


def test_vectors_of_texts_are_not_taken_for_those_of_a_graph_model(filled: Path) -> None:
    with Ledger.open(filled / "ledger") as ledger:
        assert vectors(ledger.view(), Files(filled / "files")).num_rows == 0


def test_indexing_again_adds_nothing_and_a_new_text_takes_the_place_of_the_old(filled: Path) -> None:
    with Ledger.open(filled / "ledger") as ledger:
        head = ledger.head
        assert index(ledger, Files(filled / "files"), filled / "cache") == head
        ledger.commit(
            ClaimBatch.of([Claim(Node("Document", "doc:" + "e" * 64, {"text": "罚款"}), PROOF, LATE)]),
            RunManifest("ingest"),
        )
        assert index(ledger, Files(filled / "files"), filled / "cache") == head + 2
        alive = ledger.alive()
        assert alive.filter(pc.equal(alive["key"], MODEL)).num_rows == len(SAID) + 1


def test_the_english_encoder_leaves_chinese_texts_out() -> None:
    assert VectorCache(None).vectors(Text(), ["公司因未能支付债券利息而违约"]) == [None]
    (kept,) = VectorCache(None).vectors(Text(), ["The bond of 雅利 defaulted in spring, its trustee said."])
    assert kept is not None


def test_an_empty_question_is_refused() -> None:
    with pytest.raises(ModelError, match="write some words"):
        question("  ")
