"""The no-peek certificate holds for what looks back only, and is refused for what looks past the date."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from gnn.encoder import Encoder
from gnn.peek import Overlay, Readable, certificate, related, scrambled, told
from gnn.pipeline import Settings, train
from gnn.sample import fresh
from gnn.tensors import fitted_table
from gnn.views import Views, months
from kg.errors import ModelError
from kg.files import Files
from kg.model import AsOf, Claim, ClaimBatch, Evidence, Judgement, RunManifest, digest
from kg.ontology import EDGES
from kg.snapshot import Snapshot
from tests.gnn_world import CUT, World, build

Score = Callable[[Readable, Files], dict[str, bytes]]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return build(tmp_path_factory.mktemp("world"), firms=24)


def encoders(views: Views) -> list[Encoder]:
    start = months(CUT, -12)
    return [fitted_table(views.snapshot(start), start)]


def honest(ledger: Readable, files: Files) -> dict[str, bytes]:
    """All that a model reads at the cut, and how much is new in the window before it."""
    views = Views(ledger, files, None)
    graph = views.tensors(CUT, encoders(views))
    before = views.tensors(months(CUT, -12))
    tensors = (graph.edges, graph.first, graph.last, graph.counts, graph.features["numeric"].values)
    return {
        "edges": b"".join(t.numpy().tobytes() for t in tensors) + repr(graph.ids).encode(),
        "fresh": fresh(before, [graph]).triples.numpy().tobytes(),
    }


def all_of_it(ledger: Readable, files: Files) -> dict[str, bytes]:
    """A degree counted over everything known today."""
    return {"degree": np.bincount(ledger.view(AsOf()).edges["source"].to_numpy()).tobytes()}


def publication_forgotten(ledger: Readable, files: Files) -> dict[str, bytes]:
    """What held at the cut, no matter when it came out."""
    edges = ledger.view(AsOf(valid=CUT)).edges
    return {"edges": repr(edges.select(["source", "target", "type"]).to_pylist()).encode()}


def tomorrows_words(ledger: Readable, files: Files) -> dict[str, bytes]:
    """The latest text of each node, of whatever day."""
    facts = ledger.view(AsOf()).facts_of("text").sort_by("published")
    return {"text": repr(sorted(facts["value_text"].to_pylist())).encode()}


def tomorrows_pictures(ledger: Readable, files: Files) -> dict[str, bytes]:
    """The bytes of all pictures."""
    names = ledger.view(AsOf()).facts_of("path")["value_text"].to_pylist()
    return {"pictures": b"".join(sorted(files.get(name) for name in names))}


def tomorrows_figures(ledger: Readable, files: Files) -> dict[str, bytes]:
    """A table scaled by all the years, those to come among them."""
    views = Views(ledger, files, None)
    return {"scale": repr(fitted_table(views.snapshot(None), datetime.max.replace(tzinfo=CUT.tzinfo)).scale).encode()}


def test_scores_that_look_back_get_their_certificate(world: World) -> None:
    found = certificate(honest, world.ledger, world.files, CUT, seed=5)
    assert found.holds and found.moved == [] and found.before == found.after and set(found.before) == {"edges", "fresh"}
    late = pc.greater(world.ledger.alive()["published"], pa.scalar(CUT, pa.timestamp("us", "UTC")))
    assert found.changed == pc.sum(late).as_py() > 100 and found.kept > 500
    assert "stayed the same to the last bit" in found.remark() and found.to_dict()["holds"] is True


def test_judgements_of_identity_are_taken_as_of_today_and_stay_as_they_are(tmp_path: Path) -> None:
    own = build(tmp_path, firms=12)
    late = datetime(2026, 1, 1, tzinfo=CUT.tzinfo)
    pair = Judgement(own.firms[0], own.firms[1])
    claim = Claim(pair, Evidence(digest(b"world"), "row:0", "one firm", "resolve.test@1"), late)
    before = certificate(honest, own.ledger, own.files, CUT)
    own.ledger.commit(ClaimBatch.of([claim]), RunManifest("resolve", {}))
    found = certificate(honest, own.ledger, own.files, CUT)
    assert found.holds and found.changed == before.changed and found.kept == before.kept + 1
    assert found.before["edges"] != before.before["edges"]  # the judgement does reach the graph


@pytest.mark.parametrize(
    "leak", [all_of_it, publication_forgotten, tomorrows_words, tomorrows_pictures, tomorrows_figures]
)
def test_a_planted_leak_is_caught(world: World, leak: Score) -> None:
    both: Score = lambda ledger, files: honest(ledger, files) | leak(ledger, files)  # noqa: E731  # it is one line
    found = certificate(both, world.ledger, world.files, CUT)
    assert not found.holds and set(found.moved) <= set(leak(world.ledger, world.files))
    assert "REFUSED" in found.remark() and "reads the future" in found.remark()


def test_every_datum_after_the_date_is_another_one(world: World, tmp_path: Path) -> None:
    claims = told(world.ledger)
    later = claims.filter(pc.greater(claims["published"], pa.scalar(CUT, pa.timestamp("us", "UTC"))))
    labels = dict(zip(*world.ledger.labels().select(["id", "label"]).to_pydict().values(), strict=True))
    files = Overlay(tmp_path, world.files)
    made = scrambled(later, claims, labels, files, (CUT, 1))
    assert len(made) == len(later) and pc.min(made["published"]).as_py() > CUT
    changed = {
        "edges": list[bool](),
        "types": list[bool](),
        "text": list[bool](),
        "money": list[bool](),
        "day": list[bool](),
    }
    for old, new in zip(later.to_pylist(), made.to_pylist(), strict=True):
        if old["kind"] == "edge":
            changed["edges"].append((old["subject"], old["object"]) != (new["subject"], new["object"]))
            changed["types"].append(old["name"] != new["name"] or related(old["name"]) == [old["name"]])
        if old["name"] in ("text", "title", "path"):
            changed["text"].append(old["value_text"] != new["value_text"])
        if old["value_decimal"] is not None:
            changed["money"].append(old["value_decimal"] != new["value_decimal"])
        if old["kind"] != "node":
            changed["day"].append(old["valid_from"] != new["valid_from"] or old["valid_from"].year < 1900)
    assert all(changed[name] for name in changed)
    assert all(all(rows) for name, rows in changed.items() if name not in ("edges", "day"))
    assert np.mean(changed["edges"]) > 0.9 and np.mean(changed["day"]) > 0.9
    pictures = [row["value_text"] for row in made.to_pylist() if row["name"] == "path"]
    assert pictures and all(name in files and name not in world.files for name in pictures)


def test_another_type_runs_between_the_same_labels() -> None:
    for name in EDGES:
        for other in related(name):
            assert (EDGES[other].source, EDGES[other].target) == (EDGES[name].source, EDGES[name].target)


def test_nothing_scored_and_nothing_to_come_are_said_so(world: World) -> None:
    with pytest.raises(ModelError, match="no scores to certify"):
        certificate(lambda ledger, files: {}, world.ledger, world.files, CUT)
    late = certificate(all_of_it, world.ledger, world.files, CUT.replace(year=2030))
    assert late.changed == 0 and "it says nothing" in late.remark()


def test_without_the_ledger_itself_no_certificate_is_given(world: World, tmp_path: Path) -> None:
    quick = Settings(epochs=1, dim=4, modalities=("numeric",), members=1, certify="small")
    with pytest.raises(ModelError, match="needs the ledger itself"):
        train(world.ledger.view, world.files, CUT, out=tmp_path, settings=quick)


QUICK = Settings(epochs=2, dim=8, modalities=("numeric",), links_each=3, members=1, certify="small")


@pytest.mark.slow
def test_a_run_carries_its_certificate(tmp_path: Path) -> None:
    own = build(tmp_path, firms=12)
    result = train(own.ledger, own.files, CUT, out=tmp_path / "runs", settings=QUICK)
    assert result.certificate is not None and result.certificate.holds
    assert result.manifest.details["certificate"] == result.certificate.to_dict()
    assert result.remarks[-1] == result.certificate.remark() and result.certificate.scale == "small"
    without = train(own.ledger, own.files, CUT, out=tmp_path / "b", settings=replace(QUICK, certify="off"))
    assert without.certificate is None and without.links.equals(result.links) and without.scores.equals(result.scores)


@pytest.mark.slow
def test_a_run_that_reads_the_future_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The leak: a snapshot at a date that forgets when things were published."""
    own = build(tmp_path, firms=12)

    def leaky(self: Views, date: datetime | None) -> Snapshot:
        return self._at(AsOf() if date is None else AsOf(valid=date))

    monkeypatch.setattr(Views, "snapshot", leaky)
    monkeypatch.setattr("gnn.tensors._published", lambda table, cut: table)
    with pytest.raises(ModelError, match=r"moved, so something reads the future.*find what reads past the cut"):
        train(own.ledger, own.files, CUT, out=tmp_path / "runs", settings=QUICK)
    assert not list((tmp_path / "runs").glob("*/run.json"))
