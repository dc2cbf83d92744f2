"""A CLIP model of a few thousand random weights, written as transformers writes one: its vectors mean nothing."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import torch


@cache
def folder() -> Path:
    """One folder for the whole process."""
    return written(Path(mkdtemp(prefix="clip-")))


def written(path: Path) -> Path:
    """Configuration, a tokenizer of hardly more than letters, and weights as safetensors."""
    from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel, CLIPTokenizer

    letters = [chr(n) for n in range(33, 127)]
    names = [*letters, *(f"{letter}</w>" for letter in letters), "ab", "<|startoftext|>", "<|endoftext|>"]
    (path / "vocab.json").write_text(json.dumps({name: n for n, name in enumerate(names)}))
    (path / "merges.txt").write_text("#version: 0.2\na b\n")
    small = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    last = len(names) - 1
    words = {"vocab_size": len(names), "max_position_embeddings": 24, "eos_token_id": last, "bos_token_id": last - 1}
    config = CLIPConfig(
        text_config=small | words, vision_config=small | {"image_size": 32, "patch_size": 8}, projection_dim=12
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        CLIPModel(config).save_pretrained(path, safe_serialization=True)
    CLIPImageProcessor(size={"shortest_edge": 32}, crop_size=32).save_pretrained(path)
    CLIPTokenizer(str(path / "vocab.json"), str(path / "merges.txt")).save_pretrained(path)
    return path
