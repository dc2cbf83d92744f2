"""Faces are compared one against one, only where a matcher is named, and every decision is in the ledger."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from ingest.locate import locate
from kg.errors import KgRiskError, RecordError, SettingsError
from kg.ledger import Ledger
from kg.model import Claim, ClaimBatch, Evidence, Node, RunManifest, digest
from kg.plugins import names
from kgrisk.api import Graph
from kgrisk.api import open as open_graph
from kgrisk.kyc import PACKAGE, Asked, FaceMatcher, face_match
from kgrisk.settings import Settings
from tests.kgrisk_world import kgrisk_here
from tests.plugin_site import installed_in

PLUGIN = Path(__file__).parents[1] / "docs" / "plugin-kyc"
WHO = "person:7731"
ASKED = Asked(WHO, "A. Hale", "account opening 204417")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the example package, built and installed there by pip."""
    return installed_in(tmp_path_factory, PLUGIN)


@pytest.fixture
def installed(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(site))


def face(mouth: int = 30, eyes: int = 12, shift: int = 0, hair: int = 40) -> bytes:
    """A drawing of a face; the numbers are its features, the shift its place."""
    image = Image.new("RGB", (220, 260), "white")
    pen = ImageDraw.Draw(image)
    x, y = 40 + shift, 40 + shift
    pen.ellipse((x, y, x + 130, y + 170), fill=(220, 180, 150))
    pen.chord((x, y, x + 130, y + 170), 200, 340, fill=(hair, hair // 2, 20))
    for middle in (x + 40, x + 90):
        pen.ellipse((middle - eyes, y + 70 - eyes // 2, middle + eyes, y + 70 + eyes // 2), fill=(20, 30, 60))
    pen.rectangle((x + 65 - mouth, y + 125, x + 65 + mouth, y + 135), fill=(160, 40, 50))
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def with_person(home: Path) -> Path:
    """A home whose ledger knows one person and one firm."""
    with Ledger.open(home / "ledger") as ledger:
        manifest = RunManifest("test", {"rows": ["Ann Hale", "Tarn Ltd"]})
        now = ledger.instant()[1].known
        assert now is not None
        evidence = Evidence(manifest.id, f"run:{manifest.id} row:0", "Ann Hale", "registers.test@1")
        nodes = (Node("Person", WHO, {"name": "Ann Hale"}), Node("Company", "name:tarn ltd", {"name": "Tarn Ltd"}))
        ledger.commit(ClaimBatch.of([Claim(node, evidence, now) for node in nodes]), manifest)
    return home


@pytest.fixture
def graph(tmp_path: Path) -> Iterator[Graph]:
    home = with_person(tmp_path / "home")
    with open_graph(home, settings=Settings(home=home, kyc_matcher="lookalike")) as opened:
        yield opened


def logged(graph: Graph) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = graph.ledger.alive().to_pylist()
    return [row for row in rows if str(row["extractor"]).startswith("kyc.")]


def test_it_is_off_unless_a_matcher_is_named_and_then_nothing_is_imported_or_logged(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(site))
    home = with_person(tmp_path / "home")
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_bytes(face())
    before = set(sys.modules)
    words = ("--subject", WHO, "--by", "A. Hale", "--reason", "x", "--home", "home")
    done = kgrisk_here("kyc-match", "a.png", "b.png", *words, cwd=tmp_path)
    assert done.returncode == 1 and done.stdout == ""
    assert "switched off" in done.stderr and "KGRISK_KYC_MATCHER" in done.stderr and "docs/kyc.md" in done.stderr
    assert not {name for name in set(sys.modules) - before if name.startswith(("kgrisk_kyc_", "dlib"))}
    with Ledger.open(home / "ledger") as ledger:
        assert ledger.head == 1


def test_no_matcher_is_part_of_the_project() -> None:
    assert names(PACKAGE) == []


def test_a_matcher_nobody_installed_is_named_with_the_known_ones(graph: Graph, installed: None, tmp_path: Path) -> None:
    graph.settings = graph.settings.model_copy(update={"kyc_matcher": "lookalik"})
    with pytest.raises(KgRiskError, match="known: dlib, lookalike; did you mean lookalike"):
        face_match(graph, face(), face(shift=9), ASKED)
    assert graph.ledger.head == 1


@pytest.mark.parametrize(
    ("probe", "verdict"),
    [(face(shift=9), "match"), (face(mouth=8, eyes=30, hair=250), "no match")],
    ids=["the same drawing elsewhere", "another drawing"],
)
def test_a_decision_is_logged_with_who_asked_why_and_both_digests(
    graph: Graph, installed: None, probe: bytes, verdict: str
) -> None:
    decision = face_match(graph, face(), probe, ASKED)
    assert decision.verdict == verdict and decision.distance is not None and decision.commit == graph.ledger.head
    said, measured = sorted(logged(graph), key=lambda row: str(row["name"]), reverse=True)
    assert (said["subject"], said["value_text"], measured["value_real"]) == (WHO, verdict, decision.distance)
    manifest = graph.files.get(decision.run)
    assert locate(manifest, str(said["locator"]), "kyc") == said["quote"] and said["document"] == decision.run
    told = json.loads(manifest)["details"]
    assert (told["by"], told["why"], told["subject"]) == (ASKED.by, ASKED.why, WHO)
    assert told["pictures"] == {"reference": digest(face()), "probe": digest(probe)}
    assert told["matcher"].keys() == FaceMatcher.__annotations__.keys() and told["distance"] == decision.distance


def test_a_distance_in_the_range_of_doubt_and_a_picture_without_a_face_are_undecided_and_logged(
    graph: Graph, installed: None
) -> None:
    between = face_match(graph, face(), face(mouth=8, eyes=22, hair=150), ASKED)
    assert (between.verdict, between.reason) == ("undecided", "in the range of doubt")
    buffer = io.BytesIO()
    Image.new("RGB", (90, 90), "white").save(buffer, "PNG")
    blank = face_match(graph, face(), buffer.getvalue(), ASKED)
    assert (blank.verdict, blank.distance, blank.reason) == (
        "undecided", None, "the probe shows nothing but background",
    )  # fmt: skip
    assert len({row["key"] for row in logged(graph)}) == 2


def test_the_same_question_twice_is_two_decisions(graph: Graph, installed: None) -> None:
    first, second = (face_match(graph, face(), face(shift=9), ASKED) for _ in range(2))
    assert first.run != second.run and len({row["key"] for row in logged(graph)}) == 2


@pytest.mark.parametrize(
    ("probe", "asked", "reason"),
    [
        (face(), ASKED, "same file"),
        (b"GIF89a", ASKED, "probe is no picture"),
        (b"", ASKED, "probe is no picture"),
        (face(shift=9), Asked("person:none", "A. Hale", "why"), "is not in the ledger"),
        (face(shift=9), Asked("name:tarn ltd", "A. Hale", "why"), "is a Company"),
        (face(shift=9), Asked(WHO, " ", "why"), "who asks and why"),
        (face(shift=9), Asked(WHO, "A. Hale", ""), "who asks and why"),
    ],
)
def test_what_cannot_be_answered_for_is_refused_before_anything_is_compared(
    graph: Graph, installed: None, probe: bytes, asked: Asked, reason: str
) -> None:
    with pytest.raises(KgRiskError, match=reason):
        face_match(graph, face(), probe, asked)
    assert graph.ledger.head == 1


def test_a_picture_that_is_too_large_is_refused(graph: Graph, installed: None) -> None:
    with pytest.raises(RecordError, match="at most 20000000"):
        face_match(graph, face(), face() + bytes(20_000_000), ASKED)


def test_a_matcher_that_states_no_error_rates_is_refused(
    graph: Graph, installed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    import kgrisk_kyc_lookalike

    monkeypatch.delattr(kgrisk_kyc_lookalike.Lookalike, "false_match_rate")
    with pytest.raises(SettingsError, match="does not state false_match_rate"):
        face_match(graph, face(), face(shift=9), ASKED)


def test_the_command_logs_a_decision_that_queries_find_and_no_picture_is_kept(site: Path, tmp_path: Path) -> None:
    home = with_person(tmp_path / "home")
    reference, probe = face(), face(shift=9)
    (tmp_path / "a.png").write_bytes(reference)
    (tmp_path / "b.png").write_bytes(probe)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(site))
        words = ("--subject", WHO, "--by", "A. Hale", "--reason", "account opening", "--home", "home", "--json")
        done = kgrisk_here("kyc-match", "a.png", "b.png", *words, cwd=tmp_path, KGRISK_KYC_MATCHER="lookalike")
    assert done.returncode == 0, done.stderr
    decision = json.loads(done.stdout)
    asked = kgrisk_here("query", "entity_profile", f"id={WHO}", "--home", "home", "--json", cwd=tmp_path)
    [row] = [row for row in json.loads(asked.stdout) if row["property"] == "statement"]
    assert row["text"] == "match" and row["document"] == decision["run"]
    shown = kgrisk_here("explain", row["statement"], "--home", "home", "--json", cwd=tmp_path)
    assert shown.returncode == 0 and "asked by A. Hale: account opening" in shown.stdout
    stored = [file.read_bytes() for file in home.rglob("*") if file.is_file()]
    assert not [data for data in stored if reference[40:200] in data or probe[40:200] in data]
    assert sorted(json.loads(data)["kind"] for data in stored if data.startswith(b'{"code"')) == ["kyc"]
