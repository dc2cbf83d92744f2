"""The card of a run says what its manifest says, number for number."""

from __future__ import annotations

import json
import math
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import torch

from gnn.card import card, data_sheet, markdown, sources, written
from gnn.tensors import Features, GraphTensors
from kg.errors import ModelError
from kg.ledger import Ledger
from kg.model import Claim, ClaimBatch, Node, RunManifest
from kg.version import built
from tests.ledger_world import bank, evidence
from tests.operations import START
from tests.test_gnn_convolution import LENDS, MENTIONED, graph

NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?:e[-+]?\d+)?(?![\w])")


def own() -> GraphTensors:
    made = graph([[0, LENDS, 1], [1, LENDS, 2], [0, MENTIONED, 3]], 5, years=1.0)
    return made.with_features({"text": Features(torch.tensor([0, 3]), torch.zeros(2, 4))})


def figure(task: str, model: str, metric: str, value: float, count: int) -> dict[str, Any]:
    row = {"task": task, "model": model, "metric": metric, "value": value, "count": count}
    return row | {"low": None, "high": None}


FAIRNESS = [
    {"by": "country", "group": "iso:DE", "measure": "called", "value": 0.21, "low": 0.11, "high": 0.37, "count": 38}
]
CERTIFICATE = {"holds": True, "changed": 7659, "kept": 30288, "scale": "small", "seed": 3, "before": {"links": "ab"}}
SOURCES = {"registers.rows@3": {"claims": 13444, "documents": 6}, "news.text@3": {"claims": 8849, "documents": 512}}


def manifest(**more: Any) -> RunManifest:
    figures = [
        figure("links", "relational", "mrr", 0.3171, 812) | {"low": 0.29, "high": 0.34},
        figure("links", "frequency", "mrr", 0.2804, 812),
        figure("risk", "network", "ece", 1.25e-05, 97),
    ]
    details = {
        "model": "relational", "head": "network", "cut": "2023-01-01T00:00:00.000000Z", "seed": 7, "ledger": "ab12",
        "commit": 19, "settings": {"epochs": 60, "dim": 64, "rate": 0.01}, "encoders": {"text": "minilm-1f"},
        "torch": "2.15.0", "metrics": figures, "data": data_sheet(own()), "rows": ["x: distress 0.5"],
        "fairness": FAIRNESS, "certificate": CERTIFICATE, "sources": SOURCES,
        "remarks": ["The multimodal model beats the counts by 0.037 MRR."],
    }  # fmt: skip
    return RunManifest("train", {name: value for name, value in {**details, **more}.items() if value is not None})


def leaves(value: Any) -> set[str]:
    """All that a manifest holds, as text."""
    if isinstance(value, dict):
        return set().union(*(leaves(part) | {str(name)} for name, part in value.items()), set())
    if isinstance(value, list | tuple):
        return set().union(*map(leaves, value), set())
    return {repr(value) if isinstance(value, float) else str(value)}


def test_the_data_sheet_counts_nodes_relations_and_modalities() -> None:
    found = data_sheet(own())
    assert found["nodes"] == 5 and found["edges"] == found["statements"] == 3
    assert found["labels"] == {"Company": 5} and found["modalities"] == {"text": 2}
    assert found["relations"] == {"LENDS_TO": 2, "MENTIONED_IN": 1}
    assert found["published"] == ["2021-12-31", "2021-12-31"]
    assert data_sheet(own().without(torch.ones(3, dtype=torch.bool)))["published"] == []


def test_every_number_of_the_card_is_in_the_manifest() -> None:
    made = manifest()
    known = " ".join(leaves(json.loads(made.to_bytes())))
    held = {float(text) for text in NUMBER.findall(known)} | {3.0}  # 3 of 5 nodes have no text: counted from both
    text = markdown(card(made)).replace("95 % interval", "").replace(made.id, "")
    told = [float(found) for found in NUMBER.findall(text)]
    assert len(told) > 25 and set(told) <= held
    off = markdown({**card(made), "remarks": ["It beats the counts by 0.99 MRR."]})
    assert not {float(found) for found in NUMBER.findall(off)} <= held


def test_the_card_holds_all_figures_with_baselines_settings_and_limits() -> None:
    text = markdown(card(manifest()))
    for part in ("| links | frequency | mrr | 0.2804 |  | 812 |", "0.29 to 0.34", "epochs 60", "seed: 7", "cut: 2023"):
        assert part in text
    assert "## Use" in text and "## Limits" in text and "distress 0.5" not in text
    assert "LENDS_TO 2" in text and "published: 2021-12-31 to 2021-12-31" in text


def test_what_the_manifest_does_not_hold_is_not_said() -> None:
    made = card(manifest(data=None, remarks=None))
    assert set(made["data"]) == {"ledger", "commit", "cut"} and made["remarks"] == []
    assert "- None." in markdown(made)


def test_the_card_says_which_sources_ran_and_why_there_is_no_certificate() -> None:
    made = manifest(settings={"certify": "off"})
    assert card(made)["code"] == built(made.code) and "certify=off" in card(made)["remarks"][-1]
    assert "certify" not in " ".join(card(manifest(settings={"certify": "small"}))["remarks"])


def test_a_manifest_of_another_kind_of_run_is_refused() -> None:
    with pytest.raises(ModelError, match="says nothing of ledger"):
        card(RunManifest("ingest", {"source": "news"}))


def test_text_and_json_lie_beside_each_other_and_agree(tmp_path: Path) -> None:
    made = card(manifest())
    text, data = written(made, tmp_path / "run")
    assert json.loads(data.read_text()) == made and text.read_text() == markdown(made)
    again = [path.read_bytes() for path in written(made, tmp_path / "run")]
    assert again == [text.read_bytes(), data.read_bytes()]


def test_a_figure_that_is_no_number_is_said_as_such() -> None:
    assert "| nan |" in markdown(card(manifest(metrics=[figure("links", "m", "mrr", math.nan, 0)])))


def test_the_card_tells_sources_what_is_missing_the_certificate_and_groups() -> None:
    text = markdown(card(manifest()))
    assert "- registers.rows@3: 13444 claims in 6 documents" in text and "licences: Of every document" in text
    assert "missing: text 3" in text and "modalities: text 2" in text
    assert "holds: True" in text and "kept: 30288" in text
    assert "| country | iso:DE | called | 0.21 | 0.11 to 0.37 | 38 |" in text
    none = markdown(card(manifest(fairness=None, certificate=None, sources=None)))
    assert "Not measured by this run" in none and "## Certificate\n\n- None." in none
    assert text.index("## Use") < text.index("## Data") < text.index("## Sources") < text.index("## Limits")


def test_sources_are_counted_from_what_was_public_by_the_cut(ledger: Ledger) -> None:
    ledger.commit(ClaimBatch.of([bank("lei:A", "A"), bank("lei:B", "B", "doc2")]), RunManifest("test"))
    later = Claim(Node("Bank", "lei:C", {"name": "C"}), evidence("doc3"), START + timedelta(days=9))
    model = Claim(Node("Bank", "lei:A", {"distress": 0.5}), evidence("doc4", "model.relational@2"), START)
    ledger.commit(ClaimBatch.of([later, model]), RunManifest("test"))
    assert sources(ledger.alive(), START) == {"registers.csv@1": {"claims": 4, "documents": 2}}
    assert sources(ledger.alive(), START + timedelta(days=9))["registers.csv@1"] == {"claims": 6, "documents": 3}
