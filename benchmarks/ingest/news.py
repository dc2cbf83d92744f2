"""News: Chinese sentences marked by hand, repeats told from other stories, headlines and the names in them.

Mention recall on SEntFiN counts an entity of `Decisions` as found if a mention holds it or is held by it. Its entities
are firms, but also gold, sectors and markets, which are no parties; recall is told for those with a capital alone too.
`known` is the same with a gazetteer of the entities named in the other half of the headlines, as a register would give.
"""

from __future__ import annotations

import csv
import random
import re
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.figure import Figure, real_data
from ingest.extract.news.repeats import Text, repeats
from ingest.extract.prose import chinese_score
from ingest.extract.text.names import Gazetteer
from ingest.pipeline import extract
from ingest.source import Models
from tests.rewriting import CHINESE, FIRMS, Pair, pairs

DATA = Path(__file__).parents[2] / "tests" / "data"
HEADLINES = 5000
"""Rows of the file that are read for speed and crashes."""
START = datetime(2023, 4, 5, tzinfo=UTC)


def measure() -> list[Figure]:
    return [*_chinese(), *_repeats(), *_gazetteer(), *_headlines()]


def _chinese() -> Iterator[Figure]:
    for half in ("held", "tuned"):
        lines = (DATA / f"chinese_{half}.tsv").read_text("utf-8").splitlines()
        began = time.process_time()
        found = chinese_score.score(lines)
        seconds = time.process_time() - began
        note = f"{len(lines)} fictional sentences, {'written before the patterns' if half == 'held' else 'tuned on'}"
        for kind, what in (("names", "names"), ("said", "relations and events")):
            precision, recall, marked = found[kind]
            yield Figure(f"Chinese {what}, {half}: precision", precision, note=f"{note}; {marked} marked")
            yield Figure(f"Chinese {what}, {half}: recall", recall, note=note)
        _, recall, marked = found["values"]
        yield Figure(f"Chinese amounts, shares, dates, offices, {half}: recall", recall, note=f"{marked} marked")
        yield Figure(f"Chinese sentences a CPU second, {half}", len(lines) / seconds, note="with loading, if first")


def _repeats() -> Iterator[Figure]:
    made = pairs(seed=7, count=150)
    counts: Counter[tuple[bool, bool]] = Counter()
    missed: Counter[str] = Counter()
    for pair in made:
        got = bool(repeats(_texts(pair)))
        counts[pair.repeat, got] += 1
        missed.update([pair.how] if got != pair.repeat else [])
    right = counts[True, True]
    note = f"{len(made)} pairs rewritten by rule; wrong: {dict(missed)}"
    yield Figure("repeats: precision", right / max(right + counts[False, True], 1), note=note)
    yield Figure("repeats: recall", right / max(right + counts[True, False], 1), note=note)


def _texts(pair: Pair) -> list[Text]:
    return [
        Text(id, START + timedelta(hours=n), text, names=frozenset(f for f in (*FIRMS, *CHINESE) if f in text))
        for n, (id, text) in enumerate((("a", pair.first), ("b", pair.second)))
    ]


def _gazetteer() -> Iterator[Figure]:
    """50,000 made-up names, a tenth of them Chinese."""
    rng = random.Random(3)
    made = [_name(rng, n % 10 == 0) for n in range(50_000)]
    began = time.process_time()
    gazetteer = Gazetteer((f"lei:{n}", "Company", name) for n, name in enumerate(made))
    yield Figure("gazetteer of 50,000 names: CPU seconds to build", time.process_time() - began, unit="s", least=False)
    text = " ".join(f"Yesterday {name} rose, and 昨日{rng.choice(made[::10])}公告。" for name in rng.sample(made, 5000))
    began = time.process_time()
    found = gazetteer.find(text)
    seconds = time.process_time() - began
    yield Figure("gazetteer: CPU seconds per million characters", seconds / len(text) * 1e6, unit="s", least=False)
    yield Figure("gazetteer: share of the names in the text found", len(found) / 10_000)


def _name(rng: random.Random, chinese: bool) -> str:
    if chinese:
        return (
            "".join(rng.choice("远山青禾瑞云岭北港松涛银杏星河晨风蓝鲸白沙海棠宏图") for _ in range(4)) + "科技有限公司"
        )
    syllables = (
        "bren",
        "tor",
        "val",
        "mark",
        "holm",
        "sted",
        "wick",
        "lar",
        "fen",
        "oak",
        "ridge",
        "zell",
        "quin",
        "dor",
    )
    word = "".join(rng.choice(syllables) for _ in range(rng.randint(2, 4))).capitalize()
    return f"{word} {rng.choice(('Foods', 'Freight', 'Timber', 'Energy'))} {rng.choice(('plc', 'AG', 'Inc.', 'Ltd'))}"


def _headlines() -> Iterator[Figure]:
    file = real_data() / "sentfin" / "SEntFiN-first5000.csv"
    with file.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))[:HEADLINES]
    began = time.process_time()
    found = _mentions(file, rows, Models())
    seconds = time.process_time() - began
    yield Figure("SEntFiN headlines read", sum(names is not None for names in found), HEADLINES, note="none refused")
    yield Figure("SEntFiN headlines a CPU second", len(found) / seconds, note="one process")
    yield from _recall("no names known", rows, found)
    known = {name for row in rows[::2] for name in _entities(row) if name[:1].isupper()}
    gazetteer = Gazetteer((f"lei:{n}", "Company", name) for n, name in enumerate(sorted(known)))
    odd = rows[1::2][:600]
    with TemporaryDirectory() as folder:
        half = Path(folder) / "half.csv"
        with half.open("w", encoding="utf-8", newline="") as out:
            csv.writer(out).writerows([("n", "Title"), *((n, row["Title"]) for n, row in enumerate(odd))])
        yield from _recall("known", odd, _mentions(half, odd, Models(gazetteer)))


def _entities(row: dict[str, str]) -> list[str]:
    """Names in `Decisions`; 13 of them hold an apostrophe and are no literal of Python."""
    return re.findall(r"""['"]([^:]+?)['"]: ['"](?:positive|negative|neutral)['"]""", row["Decisions"])


def _mentions(file: Path, rows: Sequence[dict[str, str]], models: Models) -> list[set[str] | None]:
    """Names mentioned in each headline, None for one that is refused."""
    found: list[set[str] | None] = []
    for _, got in extract("news", [file], models):
        claims = got.claims.table.select(["name", "quote"]).to_pylist()
        found.append(None if got.refused else {row["quote"] for row in claims if row["name"] == "MENTIONED_IN"})
    return found[: len(rows)]


def _recall(what: str, rows: Sequence[dict[str, str]], found: Sequence[set[str] | None]) -> Iterator[Figure]:
    hits: Counter[str] = Counter()
    for row, names in zip(rows, found, strict=True):
        for entity in _entities(row):
            hit = any(entity.casefold() in n.casefold() or n.casefold() in entity.casefold() for n in names or ())
            for kind in ("all", "capital") if entity[:1].isupper() else ("all",):
                hits[kind] += 1
                hits[kind + " found"] += hit
    yield Figure(f"SEntFiN mention recall, {what}", hits["all found"] / hits["all"], note=f"{hits['all']} entities")
    yield Figure(
        f"SEntFiN mention recall, {what}, entities with a capital",
        hits["capital found"] / hits["capital"],
        note=f"{hits['capital']} entities",
    )
