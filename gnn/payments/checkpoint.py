"""Checkpoint of a detector: trees, network and calibration as safetensors beside a manifest; never pickle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch

from gnn.calibrate import Platt
from gnn.checkpoint import fill, load_tensors, save_tensors
from gnn.payments.boost import Boost
from gnn.payments.detector import Band, Detector, Settings
from gnn.payments.features import columns
from gnn.payments.lesson import Course
from gnn.payments.network import Network, Wiring
from gnn.payments.protocol import Protocol
from gnn.train import Recipe
from kg.errors import ModelError

KIND: Final = "detector of payments"
VERSION: Final = 2
"""Raised when the columns, the trees or the network are read in another way."""


def save(detector: Detector, folder: Path, facts: Mapping[str, Any] = {}) -> Path:
    """Keep a detector in a folder, with more facts about it."""
    tensors = {f"network.{name}": value for name, value in detector.network.state_dict().items()}
    tensors |= {f"boost.{name}": torch.from_numpy(value) for name, value in detector.boost.arrays().items()}
    tensors["band"] = torch.from_numpy(detector.band.draws)
    kept = {
        "kind": KIND,
        "version": VERSION,
        "settings": told(detector.settings),
        "names": list(detector.boost.names),
        "start": detector.boost.start,
        "scales": {name: [scale.a, scale.b] for name, scale in detector.scales.items()},
        "threshold": detector.threshold,
        "share": detector.share,
        "wiring": asdict(detector.network.wiring),
        "tried": dict(detector.tried),
    }
    return save_tensors(folder, tensors, dict(facts) | kept)


def load(folder: Path) -> tuple[Detector, dict[str, Any]]:
    """The detector in a folder, scoring to the bit as it did, and its facts. ModelError where there is none of ours."""
    tensors, facts = load_tensors(folder)
    if facts.get("kind") != KIND:
        raise ModelError(f"{folder} holds no detector of payments but {facts.get('kind') or 'another model'}")
    if facts.get("version") != VERSION:
        raise ModelError(
            f"{folder} holds a detector of version {facts.get('version')}, this is {VERSION}; train it again"
        )
    arrays = {name.partition(".")[2]: value.numpy() for name, value in tensors.items() if name.startswith("boost.")}
    weights = {name.partition(".")[2]: value for name, value in tensors.items() if name.startswith("network.")}
    try:
        settings, names = settings_of(facts["settings"]), tuple(facts["names"])
        boost = Boost.read(names, float(facts["start"]), arrays)
        network = Network(Wiring(**facts["wiring"]))
        scales = {name: Platt(*map(float, scale)) for name, scale in facts["scales"].items()}
        limits = float(facts["threshold"]), Band(tensors["band"].numpy()), float(facts["share"])
        made = Detector(settings, boost, network, scales, *limits, facts["tried"])
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"{folder} holds no whole detector ({error!r}); train it again") from error
    fill(network, weights, folder)
    _check(made, folder)
    return made, facts


def _check(made: Detector, folder: Path) -> None:
    """ModelError where numbers are missing, or the columns are not those that this version makes."""
    if set(made.scales) != {"boost", "network", "both"} or not np.isfinite(made.threshold):
        raise ModelError(f"{folder} holds a detector without its whole calibration; train it again")
    if made.boost.names != columns(made.settings.wiring.amounts):
        raise ModelError(f"{folder} holds a detector over other columns than this version makes; train it again")
    made.network.eval()


def told(settings: Settings) -> dict[str, Any]:
    """Settings as JSON holds them."""
    return asdict(settings) | {"valid": settings.valid.total_seconds()}


def settings_of(facts: Mapping[str, Any]) -> Settings:
    """What `told` gave."""
    course = dict(facts["course"])
    course |= {"fans": tuple(course["fans"]), "recipe": Recipe(**course["recipe"])}
    return Settings(
        Protocol(**facts["protocol"]),
        timedelta(seconds=facts["valid"]),
        Wiring(**facts["wiring"]),
        tuple(facts["tried"]),
        Course(**course),
        facts["reasons"],
    )
