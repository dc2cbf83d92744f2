"""Training runs and vectors at the front door: listed, shown with their card, compared, handed over, traced back."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from pyarrow import feather, parquet

from gnn.pipeline import Settings, publish, train
from kg.errors import KgRiskError
from kg.model import AsOf
from kgrisk.api import open as open_graph
from tests.gnn_world import CUT, build
from tests.kgrisk_world import kgrisk_here

pytestmark = pytest.mark.slow
QUICK = Settings(epochs=2, dim=8, modalities=("numeric",), links_each=2, certify="off", seeds=1, members=1)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small graph on which two runs were trained; the second one was published."""
    folder = tmp_path_factory.mktemp("front") / "home"
    world = build(folder, firms=24)
    train(world.ledger, world.files, CUT, seed=1, out=folder / "runs", settings=QUICK)
    other = train(world.ledger, world.files, CUT, seed=2, out=folder / "runs", settings=replace(QUICK, dim=16))
    publish(world.ledger, world.files, other)
    world.ledger.close()
    return folder


def test_runs_are_listed_with_configuration_data_code_figures_and_cost(home: Path) -> None:
    done = kgrisk_here("runs", "--home", home, "--json", cwd=home.parent)
    assert done.returncode == 0, done.stderr
    last, first = json.loads(done.stdout)
    assert (first["seed"], last["seed"]) == (1, 2) and first["commit"] == 1 and first["model"] == "relational"
    assert first["ledger"] and first["code"].startswith("kgrisk@") and first["extractor"].startswith("model.")
    assert first["seconds"] > 0 and first["peak_bytes"] > 1 << 20 and 0 < first["mrr"] < 1
    assert json.loads(last["config"])["settings.dim"] == 16
    assert json.loads(last["metrics"])["links/relational/mrr"] == last["mrr"]
    with open_graph(home) as graph:
        assert graph.runs()["run"] == [last["run"], first["run"]]
    assert "2023-01-01" in kgrisk_here("runs", "--home", home, cwd=home.parent).stdout


def test_one_run_is_shown_with_its_model_card_and_data_sheet(home: Path) -> None:
    with open_graph(home) as graph:
        id = graph.runs()["run"][0]
    done = kgrisk_here("runs", id[:8], "--home", home, "--json", cwd=home.parent)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["run"] == told["card"]["run"] == id and told["card"]["data"]["nodes"] > 20
    assert told["metrics"]["links/relational/mrr"] in [row["value"] for row in told["card"]["figures"]]
    assert [stage["stage"] for stage in told["stages"]][:2] == ["links", "risk"]
    shown = kgrisk_here("runs", id[:8], "--home", home, cwd=home.parent).stdout
    assert f"# Run {id}" in shown and "## Data" in shown and "## Limits" in shown and "peak" in shown


def test_two_runs_are_compared(home: Path) -> None:
    with open_graph(home) as graph:
        ids = graph.runs()["run"]
    done = kgrisk_here("runs", *ids, "--home", home, "--json", cwd=home.parent)
    rows = {row["what"]: row for row in json.loads(done.stdout)}
    assert (rows["settings.dim"]["a"], rows["settings.dim"]["b"], rows["settings.dim"]["change"]) == ("16", "8", -8.0)
    assert "cut" not in rows and rows["links/relational/mrr"]["change"] is not None


def test_a_run_is_handed_to_tensorboard(home: Path, tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    with open_graph(home) as graph:
        id, mrr = graph.runs()["run"][0], graph.runs()["mrr"][0]
    done = kgrisk_here("runs", id, "--tensorboard", tmp_path, "--home", home, "--json", cwd=home.parent)
    assert done.returncode == 0, done.stderr
    events = EventAccumulator(json.loads(done.stdout)["tensorboard"])
    events.Reload()
    assert events.Scalars("links/relational/mrr")[0].value == pytest.approx(mrr, abs=1e-6)


@pytest.mark.parametrize(
    ("args", "code", "why"),
    [
        (["zz"], 1, "0 runs in"),
        (["a", "b", "c"], 2, "two to compare"),
        (["--tensorboard", "x"], 2, "the one run"),
    ],
)
def test_a_wrong_question_about_runs_is_refused(home: Path, args: list[str], code: int, why: str) -> None:
    done = kgrisk_here("runs", *args, "--home", home, cwd=home.parent)
    assert done.returncode == code and why in " ".join(done.stderr.split())


def test_vectors_come_with_the_run_the_version_and_the_commits_they_are_of(home: Path) -> None:
    with open_graph(home) as graph:
        rows, runs = graph.embeddings().rows(), graph.runs().rows()
        proof = graph.explain(rows[0]["statement"])
        assert graph.embeddings(AsOf(published=CUT - timedelta(days=1))).rows() == []
        assert graph.embeddings(AsOf(known=graph.ledger.known(1))).rows() == []
        head, ledger = graph.ledger.head, graph.snapshot().ledger
    assert len(rows) > 20 and {row["run"] for row in rows} == {runs[0]["run"]}
    assert {(row["learned_from"], row["commit"], row["ledger"]) for row in rows} == {(1, head, ledger)}
    assert {row["version"] for row in rows} == {runs[0]["extractor"]} and {row["published"] for row in rows} == {CUT}
    assert proof.run["run"] == runs[0]["run"] and all(row["read_back"] for row in proof.evidence)


@pytest.mark.parametrize("ending", [".parquet", ".arrow"])
def test_vectors_are_written_with_their_provenance(home: Path, tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"vectors{ending}"
    done = kgrisk_here("embeddings", "--to", path, "--home", home, cwd=home.parent)
    assert done.returncode == 0, done.stderr
    table = parquet.read_table(path) if ending == ".parquet" else feather.read_table(path)
    with open_graph(home) as graph:
        assert table.equals(graph.embeddings().table)
    assert table["vector"].type.value_type == "float"


def test_vectors_of_an_unknown_kind_of_file_and_entity_are_refused(home: Path, tmp_path: Path) -> None:
    done = kgrisk_here("embeddings", "--to", tmp_path / "vectors.xlsx", "--home", home, cwd=home.parent)
    assert done.returncode == 1 and ".parquet" in done.stderr
    with open_graph(home) as graph, pytest.raises(KgRiskError, match="has no vector"):
        graph.nearest("lei:nobody")
