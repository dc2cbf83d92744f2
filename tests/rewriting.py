"""Pairs of texts of which it is known whether one repeats the other: articles rewritten as the press rewrites them.

Repeats: other signs and case, a repost's head, an agency's line before it, the last sentence cut, a word or two changed
or left out. Others: the same wording with another firm or another number, and the next article about the same firm.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

FIRMS = (
    "Oakmere Turbines",
    "Larch Hill Bank",
    "Corvina Timber",
    "Brentholm Freight",
    "Zellrode Kreditbank",
    "Ardleigh Foods",
)
CHINESE = ("远山重工", "青禾银行", "瑞禾咖啡", "九曲地产", "飞虹物流", "长歌信托")
ENGLISH_STORIES = (
    "{a} lent EUR {n} million to {b}. The loan falls due in {y} and is secured on two plants. "
    "Shares of {b} rose {k} percent.",
    "{a} sues {b} over EUR {n} million. The suit says goods were not delivered in {y}. A hearing is set for autumn.",
    "{a} Q{q} profit up {k}% at EUR {n} million",
    "{a} misses a bond payment of EUR {n} million. Holders have {k} days to claim. "
    "The group had warned in {y} of thin cash.",
    "Ratings of {a} cut by two notches after a loss of EUR {n} million; {b}, its biggest lender, keeps its line open",
    "{a} to buy {b} for EUR {n} million in cash. "
    "The deal should close in {y}, the buyer said on Monday. Unions objected.",
    "{a} names a new chief financial officer from {b}",
)
CHINESE_STORIES = (
    "{a}向{b}提供{n}亿元贷款，期限{k}年，用于扩建两座工厂。双方上周在北京签署协议，{b}股价当日上涨。",
    "{a}起诉{b}，索赔{n}亿元，案件将于秋季开庭审理，{b}尚未回应。",
    "{a}未能按期兑付{n}亿元债券本息，持有人有{k}天宽限期，公司称正在筹措资金。",
)
_SYNONYMS = {
    "rose": "climbed", "sues": "takes to court", "said": "announced", "set": "due", "cut": "lowered", "buy": "acquire",
    "secured on": "backed by", "warned": "cautioned", "new": "next", "上涨": "走高", "签署": "签订", "尚未": "暂未",
    "称": "表示",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Pair:
    """Two texts, and whether the second repeats the first."""

    first: str
    second: str
    repeat: bool
    how: str


def pairs(seed: int, count: int) -> list[Pair]:
    """`count` pairs of each kind."""
    rng = random.Random(seed)
    made = [pair for _ in range(count) for pair in _pairs(rng)]
    return [p for p in made if p.first != p.second]


def _pairs(rng: random.Random) -> Iterator[Pair]:
    chinese = rng.random() < 0.3
    stories, firms = (CHINESE_STORIES, CHINESE) if chinese else (ENGLISH_STORIES, FIRMS)
    a, b, c, d = rng.sample(firms, 4)
    form, other = rng.sample(stories, 2)
    values = {"n": rng.randint(2, 90), "k": rng.randint(2, 30), "y": rng.randint(2024, 2032), "q": rng.randint(1, 4)}
    story = form.format(a=a, b=b, **values)
    for how, rewrite in REWRITES.items():
        yield Pair(story, rewrite(story, rng), True, how)
    yield Pair(story, form.format(a=c, b=d, **values), False, "other firms")
    yield Pair(story, form.format(a=a, b=b, **(values | {"n": values["n"] + 7})), False, "other number")
    yield Pair(story, other.format(a=a, b=b, **values), False, "other story")


def _words(story: str, rng: random.Random) -> str:
    told = [(old, new) for old, new in _SYNONYMS.items() if old in story]
    for old, new in rng.sample(told, min(2, len(told))):
        story = story.replace(old, new, 1)
    return story


def _cut(story: str, rng: random.Random) -> str:
    return re.sub(r"(?<=[.。，；;]).[^.。]*[.。]?$", "", story) or story


def _shortened(story: str, rng: random.Random) -> str:
    return re.sub(r" (?:in cash|of thin cash|on Monday|its biggest|two)\b|当日|上周", "", story)


REWRITES: dict[str, Callable[[str, random.Random], str]] = {
    "signs": lambda story, rng: story.replace(",", " –").replace(".", "!").upper().replace("!", "."),
    "repost": lambda story, rng: f"RT @harbour{rng.randint(1, 99)}: {story} https://t.example/{rng.randint(1, 9999)}",
    "agency": lambda story, rng: f"PARMA (Newswire) - {story}",
    "cut": _cut,
    "words": _words,
    "shorter": _shortened,
}
