"""The bundled sample is reproducible: the files of its manifests, made again from the frozen sentence forms."""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path
from typing import Any

import pytest

import kgrisk.sample

SAMPLE = Path(kgrisk.sample.__file__).parent
DATA = SAMPLE / "data"
FROZEN_FORMS = "c0bcb2a95518e578f7357b75a619ba0b88fd276d83ec4bb332cb25ea38be6f0e"


def test_the_sentence_forms_are_the_frozen_ones_and_a_third_is_held_out() -> None:
    content = (SAMPLE / "forms.json").read_bytes()
    assert hashlib.sha256(content).hexdigest() == FROZEN_FORMS
    forms = json.loads(content)["forms"]
    assert len(forms) >= 45
    assert 0.3 <= sum(f["held_out"] for f in forms) / len(forms) <= 0.36
    kinds = {f["id"].split("-")[0] for f in forms}
    for kind in kinds:
        assert {f["held_out"] for f in forms if f["id"].startswith(kind) and not f["negated"]} == {True, False}
        assert any(f["negated"] for f in forms if f["id"].startswith(kind))


def test_the_committed_files_are_the_ones_of_the_manifest() -> None:
    listed = json.loads((SAMPLE / "manifest.json").read_text())
    present = {p.relative_to(DATA).as_posix(): p for p in DATA.rglob("*") if p.is_file()}
    assert set(listed) == set(present)
    assert {path: hashlib.sha256(p.read_bytes()).hexdigest() for path, p in present.items()} == listed
    assert sum(p.stat().st_size for p in present.values()) < 8_000_000


@pytest.mark.slow
def test_the_generator_writes_the_committed_files_again() -> None:
    pytest.importorskip("PIL", reason="pages need Pillow: install the extra `images`")
    from kgrisk.sample.make import make

    made = make()
    committed = {p.relative_to(DATA).as_posix() for p in DATA.rglob("*") if p.is_file()}
    assert set(made) == committed
    for path, content in made.items():
        known = (DATA / path).read_bytes()
        if path == "images/torn.png":
            assert content[:8] == known[:8]
        elif path.endswith(".png"):
            assert _difference(content, known) < 1.0, path
        elif path.endswith(".parquet"):
            assert _table(content).equals(_table(known))
        else:
            assert content == known, f"{path} changed; run `python -m kgrisk.sample.make` and look at the difference"


def test_the_second_delivery_is_the_one_of_its_manifest() -> None:
    listed = json.loads((SAMPLE / "more-manifest.json").read_text())
    present = {p.relative_to(SAMPLE / "more").as_posix(): p for p in (SAMPLE / "more").rglob("*") if p.is_file()}
    assert {path: hashlib.sha256(p.read_bytes()).hexdigest() for path, p in present.items()} == listed
    assert sum(p.stat().st_size for p in present.values()) < 1_000_000


@pytest.mark.slow
def test_the_generator_writes_the_second_delivery_again() -> None:
    pytest.importorskip("PIL", reason="pages need Pillow: install the extra `images`")
    from kgrisk.sample.make import make_more

    made, stated = make_more()
    assert stated == json.loads((SAMPLE / "more-truth.json").read_text())
    for path, content in made.items():
        known = (SAMPLE / "more" / path).read_bytes()
        if path == "pdf/invoice-2023-07-31.pdf":  # holds a JPEG, whose bytes depend on the build of its library
            assert abs(len(content) - len(known)) < len(known) / 10
        else:
            assert content == known, f"{path} changed; run `python -m kgrisk.sample.make` and look at the difference"
    assert set(made) == {p.relative_to(SAMPLE / "more").as_posix() for p in (SAMPLE / "more").rglob("*") if p.is_file()}


def _difference(a: bytes, b: bytes) -> float:
    """Mean absolute difference of two pictures in grey levels; 0 where the FreeType builds agree."""
    from PIL import Image, ImageChops, ImageStat

    left, right = (Image.open(io.BytesIO(content)).convert("L") for content in (a, b))
    assert left.size == right.size
    return float(ImageStat.Stat(ImageChops.difference(left, right)).mean[0])


def _table(content: bytes) -> Any:
    import pyarrow.parquet as pq

    return pq.read_table(io.BytesIO(content))
