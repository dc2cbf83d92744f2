"""The store of runs: what is kept, compared, and handed to other tools."""

import json
import re
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gnn.exports import export, plain
from gnn.runs import RECORD, RunStore, Stage, Stages
from kg.errors import MissingExtraError, ModelError
from kg.model import RunManifest
from kg.version import built, source_digest


def manifest(seed: int, dim: int, mrr: float) -> RunManifest:
    metrics = [
        {"task": "links", "model": "relational", "metric": "mrr", "value": mrr, "low": None, "high": None, "count": 9},
        {"task": "risk", "model": "network", "metric": "brier", "value": 0.1, "low": 0.0, "high": 0.2, "count": 9},
    ]
    details: dict[str, Any] = {"model": "relational", "head": "network", "cut": "2023-01-01", "seed": seed}
    details |= {"settings": {"dim": dim, "epochs": 3}, "ledger": "l", "commit": 4, "extractor": "model.relational@2"}
    return RunManifest("train", details | {"metrics": metrics, "rows": ["a", "b"], "vectors": "v"})


LOSSES = [
    {"model": "relational", "epoch": 1, "rate": 0.01, "loss": 2.0, "valid": 0.1},
    {"model": "relational", "epoch": 2, "rate": 0.005, "loss": 1.0},
]


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    store = RunStore(tmp_path / "runs")
    store.record(manifest(0, 8, 0.25), [Stage("links", 2.0, 1.5, 1000), Stage("risk", 1.0, 1.0, 3000)], LOSSES)
    store.record(manifest(1, 16, 0.5), [Stage("links", 5.0, 4.0, 2000)], LOSSES)
    return store


def test_a_run_is_kept_with_what_it_was_asked_found_and_took(store: RunStore) -> None:
    rows = {row["seed"]: row for row in store.table().to_pylist()}
    assert rows[0]["run"] == manifest(0, 8, 0.25).id and rows[0]["commit"] == 4 and rows[0]["ledger"] == "l"
    assert (rows[0]["mrr"], rows[0]["brier"], rows[0]["seconds"], rows[0]["peak_bytes"]) == (0.25, 0.1, 3.0, 3000)
    assert rows[0]["code"].startswith("kgrisk@") and rows[0]["extractor"] == "model.relational@2"
    own = store.get(rows[0]["run"][:10])
    assert own.losses == LOSSES and own.config["settings.dim"] == 8 and "rows" not in own.details
    assert [row["seed"] for row in store.table().to_pylist()] == [1, 0]  # the last one first


def test_the_code_of_a_run_tells_its_source_files_and_its_id_does_not(store: RunStore, tmp_path: Path) -> None:
    made = manifest(0, 8, 0.25)
    assert store.get(made.id).code == built(made.code) and re.fullmatch(
        r"kgrisk@.+\+src\.[0-9a-f]{12}", built(made.code)
    )
    assert b"src." not in made.to_bytes()
    for name in ("kg/a.py", "gnn/models/b.py", "elsewhere/c.py"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text("one = 1\n")
    before = source_digest(tmp_path)
    (tmp_path / "elsewhere" / "c.py").write_text("one = 2\n")
    assert source_digest(tmp_path) == before, "no file of the packages"
    (tmp_path / "gnn" / "models" / "b.py").write_text("one = 2\n")
    after = source_digest(tmp_path)
    (tmp_path / "gnn" / "models" / "b.py").rename(tmp_path / "gnn" / "models" / "d.py")
    assert len({before, after, source_digest(tmp_path)}) == 3


def test_runs_of_other_code_are_compared_by_it(store: RunStore) -> None:
    a, b = manifest(0, 8, 0.25).id, manifest(1, 16, 0.5).id
    record = store.folder / b / RECORD
    record.write_text(record.read_text().replace(store.get(b).code, "kgrisk@0.1.0+src.other"))
    rows = {row["what"]: (row["a"], row["b"]) for row in store.compare(a, b).to_pylist()}
    assert rows["code"] == (store.get(a).code, "kgrisk@0.1.0+src.other")


def test_the_same_run_again_takes_the_place_of_its_record(store: RunStore) -> None:
    store.record(manifest(0, 8, 0.25), [Stage("links", 9.0, 9.0, 1)], LOSSES)
    assert len(store.ids()) == 2 and store.get(manifest(0, 8, 0.25).id).stages == [Stage("links", 9.0, 9.0, 1)]


def test_two_runs_are_compared_by_what_differs_and_all_they_found(store: RunStore) -> None:
    a, b = manifest(0, 8, 0.25).id, manifest(1, 16, 0.5).id
    rows = {row["what"]: (row["a"], row["b"], row["change"]) for row in store.compare(a, b).to_pylist()}
    assert rows["settings.dim"] == ("8", "16", 8.0) and rows["seed"] == ("0", "1", 1.0)
    assert "settings.epochs" not in rows and "cut" not in rows  # they are the same
    assert rows["links/relational/mrr"] == ("0.25", "0.5", 0.25) and rows["risk/network/brier"][2] == 0.0
    assert rows["seconds/links"][2] == 3.0 and rows["seconds/risk"] == ("1.0", None, None)


def test_runs_that_are_not_there_or_not_told_apart_or_broken_are_named(store: RunStore, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"0 runs in .* begin with 'xyz'"):
        store.get("xyz")
    with pytest.raises(ModelError, match=r"2 runs .* begin with ''"):
        store.get("")
    path = store.folder / store.ids()[0] / RECORD
    path.write_text(json.dumps({"run": "x"}))
    with pytest.raises(ModelError, match=r"is no record of a run.*train again"):
        store.table()
    assert RunStore(tmp_path / "none").table().num_rows == 0


def test_the_peak_of_a_stage_is_that_of_no_other() -> None:
    spent = Stages()
    for name, size in (("small", 1), ("large", 200), ("small again", 1)):
        with spent(name):
            held = np.ones(size << 17)
            time.sleep(0.12)
            del held
    small, large, again = spent.rows
    assert [one.name for one in spent.rows] == ["small", "large", "small again"]
    assert large.peak_bytes - max(small.peak_bytes, again.peak_bytes) > 150 << 20
    assert all(one.seconds >= 0.1 and one.cpu_seconds >= 0 for one in spent.rows)


@pytest.mark.parametrize(
    ("tool", "package"), [("tensorboard", "kgrisk.tracking"), ("wandb", "wandb"), ("mlflow", "mlflow")]
)
def test_a_tool_that_is_not_there_is_named_with_how_to_get_it(
    store: RunStore, tmp_path: Path, tool: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard" if tool == "tensorboard" else tool, None)
    with pytest.raises(MissingExtraError, match=f"needs {tool}.*pip install '?{package}"):
        export(store.get(store.ids()[0]), tool, tmp_path)


def test_a_tool_that_nobody_knows_is_refused(store: RunStore, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="mlflow, tensorboard, wandb, not to 'excel'"):
        export(store.get(store.ids()[0]), "excel", tmp_path)


def test_tensorboard_reads_the_loss_curve_back(store: RunStore, tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    run = store.get(manifest(0, 8, 0.25).id)
    events = EventAccumulator(str(export(run, "tensorboard", tmp_path)))
    events.Reload()
    assert [(e.step, e.value) for e in events.Scalars("loss/relational")] == [(1, 2.0), (2, 1.0)]
    assert [e.step for e in events.Scalars("valid/relational")] == [1]
    assert events.Scalars("links/relational/mrr")[0].value == 0.25
    (config,) = events.Tensors("config/text_summary")
    assert json.loads(config.tensor_proto.string_val[0])["settings.dim"] == 8


def test_mlflow_reads_the_run_back(store: RunStore, tmp_path: Path) -> None:
    mlflow = pytest.importorskip("mlflow")
    folder = export(store.get(manifest(0, 8, 0.25).id), "mlflow", tmp_path)
    client = mlflow.MlflowClient(tracking_uri=f"sqlite:///{folder / 'mlflow.db'}")
    (kept,) = client.search_runs([client.get_experiment_by_name("kgrisk").experiment_id])
    assert kept.data.params["settings.dim"] == "8" and kept.data.metrics["links/relational/mrr"] == 0.25
    curve = client.get_metric_history(kept.info.run_id, "loss/relational")
    assert [(point.step, point.value) for point in curve] == [(1, 2.0), (2, 1.0)]


def test_wandb_leaves_an_offline_run_with_the_figures(store: RunStore, tmp_path: Path) -> None:
    pytest.importorskip("wandb")
    folder = export(store.get(manifest(0, 8, 0.25).id), "wandb", tmp_path)
    (log,) = folder.rglob("*.wandb")
    assert b"links/relational/mrr" in log.read_bytes() and "offline" in log.parent.name


def test_names_are_made_such_as_mlflow_takes() -> None:
    assert plain("links/relational/hits@10") == "links/relational/hits_at_10"
    assert plain("payments/boosting, raw columns/recall at 1 %") == "payments/boosting_ raw columns/recall at 1 _"


def test_a_run_shows_the_card_it_wrote_and_says_where_one_is_missing(store: RunStore) -> None:
    run = store.get(store.ids()[0])
    with pytest.raises(ModelError, match=r"keeps no card\.json"):
        _ = run.card
    (run.folder / "card.json").write_text('{"run": "x"}')
    (run.folder / "card.md").write_text("# Run x")
    assert run.card == {"run": "x"} and run.card_text == "# Run x"
    assert store.latest("relational") == run.folder and store.latest("payments") is None


def test_the_table_holds_configuration_and_figures_of_every_run(store: RunStore) -> None:
    rows = {row["seed"]: row for row in store.table().to_pylist()}
    assert json.loads(rows[1]["config"])["settings.dim"] == 16 and rows[1]["model"] == "relational"
    assert json.loads(rows[1]["metrics"]) == {"links/relational/mrr": 0.5, "risk/network/brier": 0.1}
