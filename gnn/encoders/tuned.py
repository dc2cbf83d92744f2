"""Sentences by MiniLM whose last layer can be trained on: 384 numbers, at first those of `text`."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gnn.encoders.text import Text
from gnn.lessons import Twins, Values
from gnn.train import Recipe, Task
from gnn.trainable import Trainable
from kg.errors import ModelError

TOKENS: Final = 64
"""Tokens that are read of a text, some fifty words."""
WIDTH: Final = 384
DROPPED: Final = 0.1
"""Share of the tokens that a view of a text leaves out."""


class Tuned(Trainable):
    """The first five layers of MiniLM stand still and are the preparation; the sixth and the mean are the network.

    The states before the last layer are computed once for each text, so that an epoch costs one layer of six.
    """

    name = "tuned"
    modality = "text"
    dim = WIDTH
    shape = (TOKENS, WIDTH + 1)
    recipe = Recipe(epochs=3, rate=3e-5, weight_decay=0.0, schedule="linear", optimiser="adamw")

    def __init__(self, seed: int = 0) -> None:
        super().__init__(seed)
        self.ready = True  # trained by its makers

    @cached_property
    def text(self) -> Text:
        return Text()

    def prepare(self, value: Any) -> Tensor:
        states = self._states(value)
        table = torch.zeros(self.shape)
        table[: len(states), :WIDTH], table[: len(states), WIDTH] = states, 1.0
        return table

    def build(self) -> nn.Module:
        return Last(self._layers()[-1])

    def lesson(self, given: Tensor) -> tuple[Task, nn.Module]:
        return Values(given), Twins(self.network, self.dim, view, heat=0.05)

    def _layers(self) -> Any:
        model: Any = self.text.model
        return model[0].auto_model.encoder.layer

    def _states(self, value: Any) -> Tensor:
        """(tokens, WIDTH) before the last layer."""
        words, kept = self.text.words(value), []
        model: Any = self.text.model
        inputs = model[0].tokenizer([words], truncation=True, max_length=TOKENS, return_tensors="pt")
        hook = self._layers()[-1].register_forward_pre_hook(lambda _, given: kept.append(given[0]))
        try:
            with torch.no_grad():
                model[0].auto_model(**inputs)
        finally:
            hook.remove()
        if not kept:
            raise ModelError("tuned encoder: the last layer of MiniLM was not reached; install the pinned versions")
        found: Tensor = kept[0][0].clone()
        return found


class Last(nn.Module):
    """The last layer of a BERT as torch's own, and the mean of its tokens scaled to length one."""

    def __init__(self, layer: Any) -> None:
        super().__init__()
        self.layer = nn.TransformerEncoderLayer(
            WIDTH, 12, 4 * WIDTH, dropout=0.0, activation="gelu", layer_norm_eps=1e-12, batch_first=True
        )
        own, after = layer.attention.self, layer.attention.output
        parts = {
            "self_attn.in_proj": [own.query, own.key, own.value],
            "self_attn.out_proj.": [after.dense],
            "norm1.": [after.LayerNorm],
            "linear1.": [layer.intermediate.dense],
            "linear2.": [layer.output.dense],
            "norm2.": [layer.output.LayerNorm],
        }
        state = {}
        for name, given in parts.items():
            for kind in ("weight", "bias"):
                joint = name if name.endswith(".") else f"{name}_"
                state[joint + kind] = torch.cat([getattr(part, kind).detach() for part in given])
        self.layer.load_state_dict(state)

    def forward(self, x: Tensor) -> Tensor:
        """(texts, TOKENS, WIDTH + 1), the last number 1 where there is a token -> (texts, WIDTH)."""
        x = x[:, : int(x[..., WIDTH].sum(1).max())]  # what stands after the longest text says nothing
        there = x[..., WIDTH]
        states = self.layer(x[..., :WIDTH], src_key_padding_mask=there == 0)
        states = torch.where(there[..., None] > 0, states, 0.0)
        return F.normalize(states.sum(1) / there.sum(1, keepdim=True), dim=1)


def view(given: Tensor) -> Tensor:
    """The texts with some tokens left out; the first one, which stands for the whole, stays."""
    out = torch.rand(given.shape[:2]) < DROPPED
    out[:, 0] = False
    mixed = given.masked_fill(out[..., None], 0.0)
    order = (mixed[..., WIDTH] == 0).to(torch.int8).argsort(dim=1, stable=True)  # what is left moves up
    return mixed.gather(1, order[..., None].expand_as(mixed))
