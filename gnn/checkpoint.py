"""Weights on disk: safetensors beside JSON, tied together by sha256; never pickle."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from torch import Tensor, nn

from gnn.vocabulary import LABELS, RELATIONS
from kg.errors import MissingExtraError, ModelError
from kg.files import write_whole
from kg.model import digest

HINT = "checkpoints need safetensors; run: pip install 'kgrisk[learn]' (or: pip install safetensors)"
WEIGHTS = "weights.safetensors"
FACTS = "checkpoint.json"
PICKLED: Final = (b"PK\x03\x04", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")
"""How files of torch.save and of pickle begin."""


def ontology() -> str:
    """Digest of the labels and relations that the numbers in a model's tensors stand for."""
    return digest(json.dumps([LABELS, RELATIONS]).encode())


def save_tensors(folder: Path, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> Path:
    """Write tensors and facts into `folder`. A reader sees the old pair or the new pair, never a mixture."""
    try:
        from safetensors.torch import save
    except ImportError as error:
        raise MissingExtraError(HINT) from error
    data = save({name: value.detach().contiguous().clone() for name, value in sorted(tensors.items())})
    name = f"{digest(data)[:16]}.{WEIGHTS}"
    manifest = {"weights": name, "sha256": digest(data), "facts": dict(facts), "of_facts": _of(facts)}
    text = json.dumps(manifest, sort_keys=True, indent=1)
    put_whole(folder / name, data)
    put_whole(folder / FACTS, text.encode())  # this is the moment the new pair counts
    for old in folder.glob(f"*.{WEIGHTS}"):
        if old.name != name:
            old.unlink(missing_ok=True)
    return folder


def load_tensors(folder: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors and facts; ModelError if something is missing, foreign, or not of the sha256 written beside it."""
    from safetensors import SafetensorError
    from safetensors.torch import load

    _folder(folder)
    try:
        manifest = json.loads((folder / FACTS).read_text())
        name, sha256, facts = str(manifest["weights"]), str(manifest["sha256"]), dict(manifest["facts"])
        if Path(name).name != name:
            raise ValueError(f"weights {name!r} are not beside {FACTS}")
        if manifest.get("of_facts", _of(facts)) != _of(facts):
            raise ValueError(f"the facts in {FACTS} have another sha256 than the one beside them")
        data = (folder / name).read_bytes()
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise ModelError(
            f"no checkpoint can be read in {folder} ({error}); expected {FACTS} and weights; train again"
        ) from error
    if digest(data) != sha256:
        raise ModelError(f"checkpoint {folder / name}: another sha256 than in {FACTS}; train again or restore it")
    if data.startswith(PICKLED):
        raise ModelError(_refusal(folder / name))
    try:
        return load(data), facts
    except SafetensorError as error:
        raise ModelError(f"checkpoint {folder / name} holds no safetensors ({error}); train again") from error


def fill(model: nn.Module, tensors: Mapping[str, Tensor], folder: Path) -> None:
    """Put the tensors of a checkpoint into a model; ModelError if they are those of another one."""
    try:
        model.load_state_dict(dict(tensors))
    except RuntimeError as error:
        raise ModelError(
            f"checkpoint {folder} does not fit the model: it was made by another version or for another graph; "
            f"train again ({str(error).splitlines()[-1].strip()})"
        ) from error


def _folder(path: Path) -> None:
    """ModelError if a file is given where a folder is expected, pickles being refused as such."""
    if not path.is_file():
        return
    with path.open("rb") as file:
        head = file.read(4)
    if head.startswith(PICKLED):
        raise ModelError(_refusal(path))
    raise ModelError(f"{path} is a file; name the folder that holds {FACTS} and its weights")


def _refusal(path: Path) -> str:
    return (
        f"{path} is a pickle (torch.save), which can run any code when it is read, so it is not read; "
        f"expected a folder with {FACTS} and safetensors; save the weights with gnn.checkpoint.save_tensors"
    )


def _of(facts: Mapping[str, Any]) -> str:
    """sha256 of the facts as they are read back."""
    return digest(json.dumps(json.loads(json.dumps(dict(facts))), sort_keys=True).encode())


def put_whole(path: Path, data: bytes) -> None:
    """Write a file of a run, which has one writer, durably and whole or not at all; DiskError if the disk refuses."""
    write_whole(path, data, what="what a run keeps", alone=True)
