"""The search across kinds of content at the front door: words find pages and sound, pages find words, with evidence."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from benchmarks.page_pictures import pictures
from kg.errors import KgRiskError, ModelError
from kg.files import Files
from kg.ledger import Ledger
from kg.model import AsOf, Claim, ClaimBatch, Evidence, Facts, Node, RunManifest
from kgrisk.api import open as open_graph
from tests.kgrisk_world import kgrisk_here
from tests.test_gnn_fusion_retrieval import CALL, EARLY, KINDS, LATE, SAID, page_claims

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pages of four kinds with captions and a recording of two stretches, not yet indexed."""
    folder = tmp_path_factory.mktemp("meaning") / "home"
    files, made = Files(folder / "files"), []
    for page in [p for p in pictures(5, 7) if p.kind in KINDS]:
        files.put(page.content)
        made += page_claims(page.content, f"This page is a {page.kind}", EARLY)
    call = files.put(CALL)
    said = {
        f"time:{n / 10:.2f}-{n / 10 + 0.5:.2f}": f"The {'bank' if n < 12 else 'mill'} speaks {n}" for n in range(20)
    }
    for where, words in (SAID | said).items():
        proof = Evidence(call, where, words, "calls.audio@1")
        made.append(Claim(Node("Document", f"doc:{call}", {"duration": 2.6}), proof, LATE))
        made.append(Claim(Facts(f"doc:{call}", {"segment": words}, where), proof, LATE, LATE))
    with Ledger.open(folder / "ledger") as ledger:
        ledger.commit(ClaimBatch.of(made), RunManifest("ingest"))
    return folder


@pytest.fixture(scope="module")
def filled(home: Path) -> Path:
    """The same with a space learned and everything indexed, by the command."""
    done = kgrisk_here("index", "--shared", "--home", home, "--json", cwd=home.parent)
    assert done.returncode == 0, done.stderr
    rows = {row["asked"]: row for row in json.loads(done.stdout)["space"]}
    assert set(rows) == {f"{a} -> {b}" for x in ("image", "audio") for a, b in ((x, "text"), ("text", x))}
    assert all(row["learned"] >= 8 and row["held"] > 1 and 0 <= row["recall"] <= 1 for row in rows.values())
    return home


def found(home: Path, *args: str) -> list[dict[str, object]]:
    done = kgrisk_here("search", *args, "--home", home, "--json", cwd=home.parent)
    assert done.returncode == 0, done.stderr
    rows: list[dict[str, object]] = json.loads(done.stdout)
    return rows


def test_words_find_pages_by_their_look_each_with_its_place(filled: Path) -> None:
    right = 0
    for kind in KINDS:
        rows = found(filled, f"This page is a {kind}", "--modality", "image", "-k", "3")
        right += sum(row["quote"] == f"This page is a {kind}" for row in rows)
        assert all(row["locator"] == "page:1 box:1,2,30,40" and row["label"] == "Page" for row in rows)
        assert all(row["id"] == f"page:{row['document']}" for row in rows)
    assert right >= 9  # of 12


def test_words_find_the_seconds_of_a_recording_in_another_language(filled: Path) -> None:
    (row,) = found(filled, "银行发放贷款", "--modality", "text", "-k", "1")
    assert row["locator"] == "time:0.00-1.50" and row["quote"] == SAID["time:0.00-1.50"]


def test_a_page_finds_words_and_pages_and_says_how_likely_they_belong_together(filled: Path, tmp_path: Path) -> None:
    chart = next(page.content for page in pictures(8, 1) if page.kind == "chart")
    (tmp_path / "chart.png").write_bytes(chart)
    asked = (str(tmp_path / "chart.png"), "--by", "image")
    words = found(filled, *asked, "--modality", "text", "-k", "3")
    assert len(words) == 3 and all(row["quote"] and row["probability"] is not None for row in words)
    rows = found(filled, *asked, "--modality", "image", "-k", "3")
    assert rows[0]["quote"] == "This page is a chart" and rows[0]["label"] == "Page"
    own = found(filled, str(rows[0]["id"]), "--by", "image", "--modality", "image", "-k", "1")  # a page of the graph
    assert own[0]["id"] == rows[0]["id"] and own[0]["score"] == pytest.approx(1.0, abs=1e-5)


def test_words_and_seconds_of_sound_find_stretches_of_a_recording_with_their_place(filled: Path) -> None:
    rows = found(filled, "a loan by the bank", "--modality", "audio", "-k", "5")
    assert {row["modality"] for row in rows} == {"audio"} and all(
        str(row["locator"]).startswith("time:") for row in rows
    )
    call = Path(__file__).parent / "data" / "call-tiny.ogg"
    asked = ("--by", "audio", "--part", "time:0.50-1.00")
    (best,) = found(filled, str(call), *asked, "--modality", "audio", "-k", "1")
    assert best["locator"] == "time:0.50-1.00" and best["score"] == pytest.approx(1.0, abs=1e-4)
    (words,) = found(filled, str(call), *asked, "--modality", "text", "-k", "1")
    assert words["quote"] and words["probability"] is not None


def test_what_was_not_yet_published_is_not_found(filled: Path) -> None:
    early = found(filled, "loan", "--modality", "all", "-k", "99", "--published", "2023-02-01")
    assert early and "Document" not in {row["label"] for row in early}
    assert "Document" in {row["label"] for row in found(filled, "loan", "--modality", "all", "-k", "99")}


def test_the_same_in_python_by_label_and_as_of_a_time(filled: Path) -> None:
    with open_graph(filled) as graph:
        rows = graph.find("a receipt", labels=["Page"], k=5).rows()
        assert {row["label"] for row in rows} == {"Page"} and rows[0]["probability"] is not None
        assert graph.find("a receipt", k=5, at=AsOf(published=EARLY))["label"].count("Document") == 0
        head = graph.ledger.head
        assert graph.index_texts() == head  # the space learned last is used again, and nothing is new
        (run,) = graph.runs().rows()
        assert run["model"] == "space" and "pairs of image and text" in graph.run(run["run"]).card["data"]


def test_without_the_space_only_texts_are_left(filled: Path, tmp_path: Path) -> None:
    shutil.copytree(filled, tmp_path / "home")
    done = kgrisk_here("index", "--texts-only", "--home", "home", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert {row["modality"] for row in found(tmp_path / "home", "loan", "--modality", "all", "-k", "99")} == {"text"}


REFUSED = {
    "no modality video": (["loan", "--modality", "video"], 1),
    "not of 'smell'": (["loan", "--by", "smell"], 1),
    "is no file and no document": (["nowhere.png", "--by", "image"], 1),
    "are no image": (["words.txt", "--by", "image"], 1),
    "only where the question is audio": (["loan", "--part", "time:0.00-1.00", "--modality", "text"], 1),
    "the index is empty": (["loan", "--modality", "text", "--published", "1999-01-01"], 1),
}


@pytest.mark.parametrize("why", REFUSED)
def test_a_question_that_cannot_be_asked_is_refused(why: str, filled: Path, tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("no image")
    args, code = REFUSED[why]
    done = kgrisk_here("search", *args, "--home", filled, cwd=tmp_path)
    assert done.returncode == code and why in done.stderr, done.stderr


def test_a_graph_without_space_or_pairs_says_what_is_missing(home: Path, tmp_path: Path) -> None:
    shutil.copytree(home / "ledger", tmp_path / "home" / "ledger")
    with open_graph(tmp_path / "home") as graph:
        with pytest.raises(ModelError, match="needs a shared space"):
            graph.find(b"picture", by="image")
        with pytest.raises(ModelError, match="needs 8 pairs of a kind"):
            graph.learn_space("2001-01-01")
        with pytest.raises(KgRiskError, match="is no date"):
            graph.learn_space("soon")
