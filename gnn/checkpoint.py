"""Weights on disk: safetensors beside JSON, tied together by sha256; never pickle."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from kg.errors import MissingExtraError, ModelError
from kg.model import digest

HINT = "checkpoints need safetensors; run: pip install 'kgrisk[learn]' (or: pip install safetensors)"
WEIGHTS = "weights.safetensors"
FACTS = "checkpoint.json"


def save_tensors(folder: Path, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> Path:
    """Write tensors and facts into `folder`. A reader sees the old pair or the new pair, never a mixture."""
    try:
        from safetensors.torch import save
    except ImportError as error:
        raise MissingExtraError(HINT) from error
    folder.mkdir(parents=True, exist_ok=True)
    data = save({name: value.detach().contiguous().clone() for name, value in sorted(tensors.items())})
    name = f"{digest(data)[:16]}.{WEIGHTS}"
    text = json.dumps({"weights": name, "sha256": digest(data), "facts": dict(facts)}, sort_keys=True, indent=1)
    _write(folder / name, data)
    _write(folder / FACTS, text.encode())  # this is the moment the new pair counts
    for old in folder.glob(f"*.{WEIGHTS}"):
        if old.name != name:
            old.unlink(missing_ok=True)
    return folder


def load_tensors(folder: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors and facts; ModelError if something is missing or does not have the sha256 written beside it."""
    from safetensors.torch import load

    try:
        manifest = json.loads((folder / FACTS).read_text())
        data = (folder / manifest["weights"]).read_bytes()
    except (OSError, KeyError, ValueError) as error:
        raise ModelError(
            f"no checkpoint can be read in {folder} ({error}); expected {FACTS} and weights; train again"
        ) from error
    if digest(data) != manifest["sha256"]:
        raise ModelError(
            f"checkpoint {folder / manifest['weights']}: another sha256 than in {FACTS}; train again or restore it"
        )
    return load(data), manifest["facts"]


def _write(path: Path, data: bytes) -> None:
    new = path.with_name(f".new-{path.name}")
    with new.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(new, path)
