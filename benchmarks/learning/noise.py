"""What is left of each modality's figure as its test content gets noisier; everything is learned from clean content.

Text: letters of held-out wordings exchanged, dropped or doubled. Pages: grey noise on every pixel. Sound: white noise
at a ratio to the loudness of each recording. Series: noise on what a network is given. Tables: cells told in thousands
by mistake. Graph: false edges beside the true ones, there at training too, since nobody can tell them apart. Fused: the
vector of the modality that carries the label drowned in noise, beside that modality alone. Needs KGRISK_REAL_DATA.
"""

from __future__ import annotations

import io
import wave
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
import torch
from PIL import Image as Pillow

from benchmarks.figure import Figure, real_data
from benchmarks.learning.fusion import cohorts, fitted
from benchmarks.learning.pages import right
from benchmarks.learning.series import HIDDEN, LAG, Steps, follows, planted, windows
from benchmarks.learning.sound import recordings
from benchmarks.page_pictures import pictures
from gnn.encoders.image import Image
from gnn.encoders.table import COLUMNS
from gnn.encoders.whisper import Whisper
from gnn.evaluate import auroc, bootstrap, rank
from gnn.lessons import Next
from gnn.links import LinkTask
from gnn.missing import shown
from gnn.model import Shape, seeded
from gnn.models.paths import PathModel
from gnn.networks import Recurrent
from gnn.train import Recipe, fit
from tests.planted_five import accounts, scaled_table, sentence_vector
from tests.planted_links import INSURED_BY, drawn, plain, ruled
from tests.planted_sentences import said, turns

SEED: Final = 3
TYPOS: Final = (0.0, 0.05, 0.1, 0.2, 0.4)
"""Share of letters that are spoilt."""
GREY: Final = (0, 16, 32, 64, 128)
"""Standard deviation of the noise of a pixel, of 255."""
DECIBELS: Final = (None, 20, 10, 5, 0)
"""How much louder a recording is than its noise; None: no noise."""
SERIES: Final = (0.0, 0.25, 0.5, 1.0, 2.0)
"""Deviation of the noise, that of the series being one."""
CELLS: Final = (0.0, 0.02, 0.05, 0.1, 0.25)
"""Share of cells a thousand times too small."""
FALSE: Final = (0.0, 0.25, 0.5, 1.0, 2.0)
"""False edges for each true one."""
DROWNED: Final = (0.0, 0.5, 1.0, 2.0, 4.0)
"""Deviation of the noise on a vector, in deviations of that vector."""


def measure() -> list[Figure]:
    torch.set_num_threads(1)
    return [*text(), *pages(), *sound(), *series(), *tables(), *graph(), *fused()]


def curve(name: str, levels: Sequence[object], values: Sequence[float], notes: Sequence[str]) -> Iterator[Figure]:
    """One figure a level."""
    for level, value, note in zip(levels, values, notes, strict=True):
        yield Figure(f"{name} {level}", value, note=note)


def text() -> Iterator[Figure]:
    """AUROC of good and ill sentences in wordings never learned from, by a regression on sentence vectors."""
    learn, _, asked = turns(0)
    draw = np.random.default_rng(SEED)
    train, test = (
        [(said(bool(worse), wordings, draw), worse) for worse in draw.integers(0, 2, count)]
        for wordings, count in ((learn, 600), (asked, 400))
    )
    model = _regression(np.stack([sentence_vector(own) for own, _ in train]), [bad for _, bad in train])
    truth = np.array([bad for _, bad in test])
    found = []
    for share in TYPOS:
        vectors = np.stack([sentence_vector(misspelt(own, share, draw)) for own, _ in test])
        found.append(auroc(truth, model(vectors)))
    yield from curve("text, AUROC, share of letters spoilt", TYPOS, found, ["400 sentences, held-out wording"] * 5)


def misspelt(words: str, share: float, draw: np.random.Generator) -> str:
    """The words with a share of their letters exchanged for another, dropped or doubled."""
    made = []
    for letter in words:
        kind = draw.integers(0, 3) if letter.isalpha() and draw.random() < share else 3
        other = "abcdefghijklmnopqrstuvwxyz"[draw.integers(0, 26)]
        made.append((other, "", letter * 2, letter)[kind])
    return "".join(made)


def pages() -> Iterator[Figure]:
    """Kind of a drawn page told by the image encoder and a regression, with its interval."""
    train, test = pictures(11, 12), pictures(12, 12)
    encoder, draw = Image(), np.random.default_rng(SEED)
    known = encoder.encode([page.content for page in train]).numpy()
    kinds, truth = [page.kind for page in train], [page.kind for page in test]
    hits = []
    for grey in GREY:
        seen = encoder.encode([grained(page.content, grey, draw) for page in test]).numpy()
        hits.append(right(known, kinds, seen, truth))
    yield from _shares("pages, kind told, deviation of a pixel", GREY, hits)


def grained(content: bytes, deviation: float, draw: np.random.Generator) -> bytes:
    """The picture with noise on every pixel."""
    given = np.asarray(Pillow.open(io.BytesIO(content)).convert("RGB")).astype(np.float64)
    noisy = np.clip(given + draw.normal(0, 1, (*given.shape[:2], 1)) * deviation, 0, 255).astype(np.uint8)
    sink = io.BytesIO()
    Pillow.fromarray(noisy).save(sink, "PNG")
    return sink.getvalue()


def sound() -> Iterator[Figure]:
    """Digits of two speakers who were never heard, told from Whisper's states by a regression on the other four."""
    content, digits, speakers = recordings(real_data())
    out = np.isin(speakers, sorted(set(speakers))[:2])
    encoder, draw = Whisper(), np.random.default_rng(SEED)
    known = encoder.encode([one for one, held in zip(content, out, strict=True) if not held]).numpy()
    asked = [one for one, held in zip(content, out, strict=True) if held]
    hits = []
    for level in DECIBELS:
        heard = encoder.encode([one if level is None else hissed(one, level, draw) for one in asked]).numpy()
        hits.append(right(known, digits[~out].tolist(), heard, digits[out].tolist()))
    yield from _shares("sound, digits told, dB over the noise", DECIBELS, hits)


def hissed(content: bytes, decibels: float, draw: np.random.Generator) -> bytes:
    """A 16-bit recording with white noise so many decibels below its own power."""
    with wave.open(io.BytesIO(content)) as given:
        form, samples = given.getparams(), np.frombuffer(given.readframes(given.getnframes()), "<i2").astype(np.float64)
    assert form.sampwidth == 2
    power = float((samples**2).mean()) / 10 ** (decibels / 10)
    noisy = np.clip(samples + draw.normal(0, np.sqrt(power), len(samples)), -32768, 32767).astype("<i2")
    sink = io.BytesIO()
    with wave.open(sink, "wb") as made:
        made.setparams(form)
        made.writeframes(noisy.tobytes())
    return sink.getvalue()


def series() -> Iterator[Figure]:
    """Squared error of the next step of a planted lag, by a GRU and by the lagged value itself."""
    x, draw = planted(SEED), torch.Generator().manual_seed(SEED)
    train, valid, test = (windows(part, n) for part, n in zip(np.split(x, [3000, 4500]), (16, 2, 1), strict=True))
    with seeded(SEED):
        model = Next(Recurrent(1, HIDDEN, "gru"), HIDDEN, 1)
    fit(model, Steps(train, valid), Recipe(epochs=40, rate=0.02, schedule="cosine", patience=40, seed=SEED))
    after, found, notes = test[:, -1, 0].double(), [], []
    for deviation in SERIES:
        noisy = test + deviation * torch.randn(test.shape, generator=draw)
        lagged = float(((0.8 * noisy[:, -1 - LAG, 0].double() - after) ** 2).mean())
        found.append(float(((follows(model, noisy).double() - after) ** 2).mean()))
        notes.append(f"0.8 of the value {LAG} steps back: {lagged:.3f}; nobody can do better than 0.36")
    yield from curve("series, squared error, deviation of the noise", SERIES, found, notes)


def tables() -> Iterator[Figure]:
    """AUROC of weak accounts by a regression on the table encoder, some cells told in thousands by mistake."""
    draw, encoder = np.random.default_rng(SEED), scaled_table()
    worse = draw.normal(size=(2, 1000))
    clean, later = (accounts(own, draw) for own in worse)
    ill = (worse > 0).astype(int)
    model, found = _regression(encoder.encode(list(clean)).numpy(), ill[0]), []
    for share in CELLS:
        wrong = np.where(draw.random((len(later), len(COLUMNS))) < share, later / 1000, later)
        found.append(auroc(ill[1], model(encoder.encode(list(wrong)).numpy())))
    yield from curve("tables, AUROC, share of cells in thousands", CELLS, found, ["1,000 firms"] * 5)


def graph() -> Iterator[Figure]:
    """MRR of links that follow from a rule of two steps, by the model of paths, false edges beside the true."""
    found, notes = [], []
    for share in FALSE:
        true, asked = ruled(400, SEED)
        false = drawn(len(true), int(share * len(true.edges)), SEED).edges.tolist() if share else []
        rule = torch.nonzero(true.edges[:, 1] == INSURED_BY).squeeze(1)[::4]
        kept = torch.ones(len(true.edges), dtype=torch.bool)
        kept[rule] = False
        noisy = plain([*map(tuple, true.edges[kept].tolist()), *map(tuple, false)], len(true))
        model = PathModel(Shape.of(noisy), seed=SEED)
        fit(model, LinkTask(noisy, true.edges[rule]), Recipe(epochs=12, rate=0.01, schedule="linear", weight_decay=0.0))
        ranks = rank(model, noisy, asked, true.edges[rule]).reciprocals
        low, high = bootstrap(ranks)
        found.append(float(ranks.mean()))
        notes.append(f"95 % interval {low:.3f} to {high:.3f}, {len(ranks)} links")
    yield from curve("graph, MRR, false edges for each true one", FALSE, found, notes)


def fused(carrier: str = "text") -> Iterator[Figure]:
    """AUROC of a fused head and of the carrier alone, as the carrier's vector drowns; the others stay clean."""
    *train, now = cohorts(carrier, SEED)
    head, alone = fitted(train, SEED, "late"), frozenset([carrier])
    single = fitted([shown(own, alone) for own in train], SEED)
    draw, found, notes = torch.Generator().manual_seed(SEED), [], []
    for deviation in DROWNED:
        own = now.graph.features[carrier]
        noise = deviation * own.values.std(0) * torch.randn(own.values.shape, generator=draw)
        drowned = replace(own, values=own.values + noise)
        later = replace(now, graph=now.graph.with_features({**now.graph.features, carrier: drowned}))
        found.append(auroc(later.truth, head.predict(later)))
        notes.append(f"{carrier} alone {auroc(later.truth, single.predict(shown(later, alone))):.3f}")
    yield from curve(f"five fused, AUROC, noise on {carrier}, the carrier", DROWNED, found, notes)


def _regression(vectors: np.ndarray, truth: Sequence[int]) -> Callable[[np.ndarray], np.ndarray]:
    """A logistic regression over standardised columns; gives probabilities."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000, C=0.01)).fit(vectors, truth)
    return lambda asked: model.predict_proba(asked)[:, 1]


def _shares(name: str, levels: Sequence[object], hits: Sequence[np.ndarray]) -> Iterator[Figure]:
    """Share told right at each level, with its interval."""
    notes = ["95 % interval {:.3f} to {:.3f}, {} of them".format(*bootstrap(own), len(own)) for own in hits]
    yield from curve(name, levels, [float(own.mean()) for own in hits], notes)
