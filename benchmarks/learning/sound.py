"""Spoken digits of speakers who were never heard in training: Whisper's states, plain measures, a small LSTM.

180 recordings of six speakers (free-spoken-digit-dataset); each speaker in turn is left out. On Whisper's states and on
the measures is the same logistic regression, its strength chosen by cross-validation on the other speakers; the LSTM is
trained on their recordings end to end, its epochs fixed beforehand. Loudness alone is the baseline.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.figure import Figure, real_data
from benchmarks.learning.pages import right
from gnn.encoders.acoustic import CEPSTRA, Acoustic
from gnn.encoders.lstm import Lstm
from gnn.encoders.whisper import Whisper
from gnn.evaluate import bootstrap
from gnn.train import Recipe, fit

EPOCHS: Final = 40
TEN: Final = 10


class Digits:
    """Cross-entropy of the digit of each recording, its bands a little louder or softer each time."""

    def __init__(self, given: Tensor, digits: Tensor) -> None:
        self.given, self.digits = given, digits

    def losses(self, model: nn.Module) -> Iterator[Tensor]:
        order = torch.randperm(len(self.given))
        for at in range(0, len(order), 32):
            part = order[at : at + 32]
            given = self.given[part]
            noise = 0.1 * torch.randn(len(part), 1, given.shape[2]) + 0.1 * torch.randn_like(given)
            yield F.cross_entropy(model(given + noise * (given != 0)), self.digits[part])

    def validate(self, model: nn.Module) -> float | None:
        return None


def recordings(folder: Path) -> tuple[list[bytes], np.ndarray, list[str]]:
    """Bytes, digit and speaker of each recording."""
    paths = sorted((folder / "speech" / "digits").glob("*.wav"))
    names = [path.stem.split("_") for path in paths]
    return [path.read_bytes() for path in paths], np.array([int(n[0]) for n in names]), [n[1] for n in names]


def trained(given: Tensor, digits: np.ndarray, asked: Tensor, truth: np.ndarray) -> np.ndarray:
    """(recordings,) 1.0 where the LSTM, trained on the other speakers alone, told the digit."""
    own = Lstm()
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = nn.Sequential(own.network, nn.Linear(own.dim, TEN))
    recipe = Recipe(epochs=EPOCHS, rate=0.01, schedule="cosine", optimiser="adamw", weight_decay=0.01)
    fit(model, Digits(given, torch.from_numpy(digits)), recipe)
    with torch.no_grad():
        return (model(asked).argmax(1).numpy() == truth).astype(np.float64)  # type: ignore[no-any-return]  # numpy


def told(folder: Path) -> dict[str, np.ndarray]:
    """By encoder, which recordings of the speaker left out were told right."""
    content, digits, speakers = recordings(folder)
    plain = Acoustic().encode(content).numpy()
    tables = {"loudness": plain[:, 3 * CEPSTRA : 3 * CEPSTRA + 2], "plain measures": plain}
    tables["Whisper's states"] = Whisper().encode(content).numpy()
    own = Lstm()
    prepared = torch.stack([own.prepare(one) for one in content])
    prepared = prepared[:, -int((prepared != 0).any(2).sum(1).max()) :]  # no recording reaches further back
    found: dict[str, list[np.ndarray]] = {name: [] for name in (*tables, "the LSTM")}
    for speaker in sorted(set(speakers)):
        out = np.array([one == speaker for one in speakers])
        for name, table in tables.items():
            found[name].append(right(table[~out], digits[~out].tolist(), table[out], digits[out].tolist()))
        mask = torch.from_numpy(out)
        found["the LSTM"].append(trained(prepared[~mask], digits[~out], prepared[mask], digits[out]))
    return {name: np.concatenate(parts) for name, parts in found.items()}


def measure() -> list[Figure]:
    torch.set_num_threads(1)
    hits, figures = told(real_data()), []
    for name, own in hits.items():
        low, high = bootstrap(own)
        note = f"95 % interval {low:.3f} to {high:.3f}, {len(own)} recordings of speakers never heard; chance is 0.100"
        figures.append(Figure(f"spoken digits told by {name}", float(own.mean()), note=note))
    for name, other in (
        ("Whisper's states", "plain measures"),
        ("the LSTM", "loudness"),
        ("the LSTM", "plain measures"),
    ):
        low, high = bootstrap(hits[name] - hits[other])
        gap = float((hits[name] - hits[other]).mean())
        note = f"difference {gap:+.3f}, interval {low:+.3f} to {high:+.3f}, paired by recording"
        aim = None if (name, other) == ("the LSTM", "plain measures") else 0.0
        figures.append(Figure(f"low end of what {name} gained over {other}", low, aim, note=note))
    return figures
