"""Card: what a training run learned from, what came out and what it is for, as Markdown and JSON.

Model card (Mitchell et al. 2019) and data sheet (Gebru et al. 2021) of one run. Every number is read from the manifest
of the run, which its id is the digest of; the words around them are fixed. What the manifest does not hold is not said,
but for the digest of the source files that ran, which stands beside the release.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from gnn.checkpoint import put_whole
from gnn.tensors import EPOCH, GraphTensors
from kg.errors import ModelError
from kg.model import COMPUTED, RunManifest
from kg.version import built

USE: Final = (
    "Meant for analysts who look for links and firms to examine first; a predicted link comes with edges behind it.",
    "Not meant to decide about a person, a loan or a trade alone, nor for times far from the cut.",
)
LIMITS: Final = (
    "What no source had published by the cut was not known to the model; identity of firms is as resolved today.",
    "The score of a link says how it stands beside one wrong link of the right types; true links are far rarer.",
    "Scores were calibrated on the past: where the world changes, they are off until trained again.",
)
UNCERTIFIED: Final = (
    "No no-peek certificate: certify=off, so nothing was scored again with what came later made up anew."
)
LICENCES: Final = "Of every document as its publisher set it: a ledger keeps documents, not the terms they came under."
NEVER_JUDGED: Final = "Not measured by this run; `kgrisk fairness` measures a score that is published."
SETTINGS: Final = ("model", "head", "seed", "settings", "encoders", "torch")
DATA: Final = ("ledger", "commit", "cut")
"""What the manifest must say; `data` (see `data_sheet`), `remarks`, `use` and `limits` are told where it has them."""


def data_sheet(graph: GraphTensors) -> dict[str, Any]:
    """Counts per label, relation and modality of the graph at the cut, and when its edges were published: what a
    manifest holds under `data`."""
    words = graph.vocabulary
    labels = Counter(words.labels[label] for label in graph.labels.tolist())
    relations = Counter(words.relations[relation] for relation in graph.edges[:, 1].tolist())
    window = [_day(int(graph.first.min())), _day(int(graph.last.max()))] if len(graph.edges) else []
    return {
        "nodes": len(graph),
        "edges": len(graph.edges),
        "statements": int(graph.counts.sum()),
        "labels": dict(sorted(labels.items())),
        "relations": dict(sorted(relations.items())),
        "modalities": {name: len(own.rows) for name, own in sorted(graph.features.items())},
        "published": window,
    }


def sources(alive: pa.Table, cut: datetime) -> dict[str, dict[str, int]]:
    """Claims and documents of each extractor that were public by the cut: what a manifest holds under `sources`."""
    public = alive.filter(pc.less_equal(alive["published"], cut))
    counted = public.group_by("extractor").aggregate([("claim", "count"), ("document", "count_distinct")]).to_pylist()
    return {
        row["extractor"]: {"claims": row["claim_count"], "documents": row["document_count_distinct"]}
        for row in sorted(counted, key=lambda row: str(row["extractor"]))
        if row["extractor"].partition(".")[0] not in COMPUTED
    }


def without(data: Mapping[str, Any]) -> dict[str, int]:
    """Nodes that have nothing of a modality."""
    return {name: data["nodes"] - count for name, count in (data.get("modalities") or {}).items()}


def card(manifest: RunManifest) -> dict[str, Any]:
    """The card of a run. ModelError if the manifest is not that of a training run."""
    details = manifest.details
    if missing := [name for name in (*DATA, *SETTINGS, "metrics") if name not in details]:
        raise ModelError(
            f"run {manifest.id}: its manifest says nothing of {', '.join(missing)}; give that of a run of train()"
        )
    data = dict(details.get("data") or {})
    return {
        "run": manifest.id,
        "code": built(manifest.code),
        "data": {name: details[name] for name in DATA}
        | data
        | ({"missing": without(data)} if data.get("modalities") else {}),
        "sources": dict(details.get("sources") or {}),
        "licences": LICENCES,
        "model": {name: details[name] for name in SETTINGS},
        "figures": list(details["metrics"]),
        "certificate": dict(details.get("certificate") or {}),
        "fairness": list(details.get("fairness") or ()),
        "remarks": [*(details.get("remarks") or ()), *uncertified(details["settings"])],
        "use": list(details.get("use") or USE),
        "limits": list(details.get("limits") or LIMITS),
    }


def uncertified(settings: Mapping[str, Any]) -> list[str]:
    """Why a run has no certificate, where its settings asked for none."""
    return [UNCERTIFIED] if settings.get("certify") == "off" else []


def written(made: Mapping[str, Any], folder: Path) -> tuple[Path, Path]:
    """`card.md` and `card.json` in a folder."""
    text, data = folder / "card.md", folder / "card.json"
    put_whole(text, markdown(made).encode())
    put_whole(data, (json.dumps(made, indent=1, sort_keys=True, default=str) + "\n").encode())
    return text, data


def markdown(made: Mapping[str, Any]) -> str:
    """The card for people."""
    parts = [
        [f"# Run {made['run']}", "", f"Code {made['code']}."],
        ["## Use", "", *_list(made["use"])],
        ["## Data", "", *_pairs(made["data"])],
        ["## Sources", "", *_sources(made["sources"]), *_list([f"licences: {made['licences']}"])],
        ["## Model", "", *_pairs(made["model"])],
        ["## Figures", "", *_figures(made["figures"])],
        ["## Certificate", "", *(_pairs(made["certificate"]) or _list(["None."]))],
        ["## Fairness", "", *_fairness(made["fairness"])],
        ["## Remarks", "", *_list(made["remarks"] or ["None."])],
        ["## Limits", "", *_list(made["limits"])],
    ]
    return "\n\n".join("\n".join(part) for part in parts) + "\n"


def _pairs(values: Mapping[str, Any]) -> list[str]:
    """A list of names and values; a mapping within becomes one line."""
    return _list(f"{name}: {_said(value)}" for name, value in values.items())


def _said(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_said(own)}" for name, own in value.items()) or "none"
    if isinstance(value, list | tuple):
        return " to ".join(map(str, value)) or "none"
    return "none" if value is None else str(value)


def _figures(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """A table with a row per figure, baselines among the models."""
    head = ["| task | model | figure | value | 95 % interval | of |", "|---|---|---|---|---|---|"]
    return head + [
        f"| {row['task']} | {row['model']} | {row['metric']} | {row['value']!r} | {_interval(row)} | {row['count']} |"
        for row in rows
    ]


def _sources(rows: Mapping[str, Mapping[str, int]]) -> list[str]:
    return _list(f"{name}: {own['claims']} claims in {own['documents']} documents" for name, own in rows.items())


def _fairness(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """A table with a row per group and measure."""
    if not rows:
        return _list([NEVER_JUDGED])
    head = ["| by | group | measure | value | 95 % interval | of |", "|---|---|---|---|---|---|"]
    return head + [
        f"| {row['by']} | {row['group']} | {row['measure']} | {row['value']!r} | {_interval(row)} | {row['count']} |"
        for row in rows
    ]


def _interval(row: Mapping[str, Any]) -> str:
    return "" if row.get("low") is None else f"{row['low']!r} to {row['high']!r}"


def _list(lines: Iterable[str]) -> list[str]:
    return [f"- {line}" for line in lines]


def _day(moment: int) -> str:
    return f"{EPOCH + timedelta(microseconds=moment):%Y-%m-%d}"
