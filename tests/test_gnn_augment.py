"""Augmentation keeps labels and entities, is drawn from a seed, and is judged by what a model gains from it."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw
from sklearn.linear_model import LogisticRegression

from gnn.augment import SYNONYMS, Jitter, Marked, with_changed_image, with_other_names, with_synonyms
from kg.errors import ModelError

TEXT = "Larch Hill Bank bought a stake in Oakmere Turbines; the firm said debt fell."
MARKED = Marked(TEXT, ((0, 15), (34, 50)))
NAMES = ["Ösel Loan AG", "Bought & Sold plc", "Ada", "寒山银行", "Calder Steel plc"]


@given(seed=st.integers(0, 2**32 - 1), rate=st.floats(0, 1))
def test_entities_survive_synonyms_letter_by_letter(seed: int, rate: float) -> None:
    changed = with_synonyms(MARKED, np.random.default_rng(seed), rate)
    assert changed.names() == MARKED.names()


@given(seed=st.integers(0, 2**32 - 1))
def test_entities_are_called_otherwise_at_the_right_places(seed: int) -> None:
    changed = with_other_names(MARKED, NAMES, np.random.default_rng(seed))
    assert set(changed.names()) <= set(NAMES) and len(set(changed.names())) == 2
    first, second = changed.names()
    assert changed.text == f"{first} bought a stake in {second}; the firm said debt fell."


def test_one_entity_named_twice_gets_one_new_name() -> None:
    twice = Marked("Ada sued Bob. Ada won.", ((0, 3), (9, 12), (14, 17)))
    names = with_other_names(twice, NAMES[:2] + NAMES[3:], np.random.default_rng(3)).names()
    assert names[0] == names[2] != names[1]


def test_too_few_names_are_told() -> None:
    with pytest.raises(ModelError, match="2 entities need as many other names, 1 are given"):
        with_other_names(MARKED, ["Ada"], np.random.default_rng(0))


def test_every_word_with_synonyms_is_exchanged_at_the_rate_of_one() -> None:
    changed = with_synonyms(MARKED, np.random.default_rng(0), 1.0).text
    assert not {"bought", "stake", "firm", "said", "debt", "fell"} & set(
        changed.replace(";", "").rstrip(".").split()[3:]
    )


def test_synonyms_go_both_ways() -> None:
    assert all(word in SYNONYMS[other] for word, others in SYNONYMS.items() for other in others if other in SYNONYMS)


def drawn(kind: int, random: np.random.Generator) -> bytes:
    """A small page: bars (0), lines of text (1) or a framed table (2), each a little different."""
    image = Image.new("L", (48, 48), 255)
    draw = ImageDraw.Draw(image)
    x, y = random.integers(2, 8, 2)
    if kind == 0:
        for n in range(5):
            draw.rectangle((x + 8 * n, 44 - random.integers(8, 34), x + 8 * n + 4, 44), fill=60)
    elif kind == 1:
        for n in range(7):
            draw.line((x, y + 5 * n, x + random.integers(20, 38), y + 5 * n), fill=60, width=2)
    else:
        for n in range(5):
            draw.line((x, y + 8 * n, x + 36, y + 8 * n), fill=60)
            draw.line((x + 9 * n, y, x + 9 * n, y + 32), fill=60)
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def pixels(images: list[bytes]) -> np.ndarray:
    opened = [Image.open(io.BytesIO(image)).convert("L").resize((24, 24)) for image in images]
    return np.stack([np.asarray(image, dtype=float).ravel() / 255 for image in opened])


def test_a_changed_image_keeps_its_size_and_depends_on_the_seed_alone() -> None:
    page = drawn(2, np.random.default_rng(0))
    one, same, other = (with_changed_image(page, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert one == same != other
    assert Image.open(io.BytesIO(one)).size == (48, 48)


def test_no_jitter_leaves_the_picture_as_it_is() -> None:
    page = drawn(0, np.random.default_rng(0))
    kept = with_changed_image(page, np.random.default_rng(1), Jitter(0, 0, 0, 0))
    assert np.abs(pixels([kept]) - pixels([page])).max() < 0.02


def test_bytes_that_are_no_image_are_told() -> None:
    with pytest.raises(ModelError, match="4 bytes are no image"):
        with_changed_image(b"torn", np.random.default_rng(0))


def accuracies(degrees: float) -> tuple[np.ndarray, np.ndarray]:
    """Accuracy on pages turned by up to so many degrees, over ten draws: trained as drawn, and augmented.

    Both models make the same number of passes over as many examples: the plain one sees each page again and again.
    """
    plain, augmented = [], []
    for seed in range(10):
        random = np.random.default_rng(seed)
        kinds = np.repeat([0, 1, 2], 8)
        pages = [drawn(kind, random) for kind in kinds]
        turned = [with_changed_image(page, random) for page in pages for _ in range(6)]
        tested = np.repeat([0, 1, 2], 30)
        test = [with_changed_image(drawn(kind, random), random, Jitter(degrees, 0, 0.1, 0)) for kind in tested]
        for found, train, labels in (
            (plain, pages * 6, np.tile(kinds, 6)),
            (augmented, turned, np.repeat(kinds, 6)),
        ):
            model = LogisticRegression(max_iter=200).fit(pixels(train), labels)
            found.append(float(model.score(pixels(test), tested)))
    return np.array(plain), np.array(augmented)


@pytest.mark.slow
@pytest.mark.parametrize("degrees", [4.0, 12.0])
def test_training_on_changed_pages_makes_a_model_robust_to_turned_ones(degrees: float) -> None:
    plain, augmented = accuracies(degrees)
    gain = augmented - plain
    assert gain.mean() - 1.96 * gain.std(ddof=1) / np.sqrt(len(gain)) > 0
