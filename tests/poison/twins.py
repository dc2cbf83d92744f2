"""The twins of a true statement: beside it in every way but one, and never to be seen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from typing import Any

from kg.model import LAST
from tests.poison.said import ABSURD, DISPUTED, EVENTS, LOST, PLACE, PROPERTIES, SUSPECTED, Said, day


class Statements:
    """True statements among given nodes, each put with its twins."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.nodes: dict[str, str] = {}
        self.said: list[Said] = []
        self.merges: dict[str, str] = {}
        self.taken: set[tuple[str, str, str, str]] = set()

    def put(
        self, what: str, source: str, target: str, key: str = "", props: dict[str, Any] | None = None,
        moment: datetime | None = None, *, extractor: str = "filings.part@1",
    ) -> None:  # fmt: skip
        r, taken = self.random, self.taken
        group = (what, self.merges.get(source, source), self.merges.get(target, target), key)
        if group in taken:  # one true statement per group, so that the rows of a group are its twins
            return
        taken.add(group)
        start = moment or day(2020, r.randrange(500))
        end = LAST if what in EVENTS else day(2024, 200 + r.randrange(400))
        public = start + timedelta(days=r.randrange(30, 400))
        name = f"{what} {source} {target} {key} {len(self.said)}"
        true = Said(what, source, target, key, props or {}, start, end, public, extractor, f"row:{name} true")
        if r.random() < 0.06:
            true = replace(true, born=3)  # learned late, but true
        elif r.random() < 0.06:
            true = replace(true, died=3)  # given up later
        self.said.append(true)
        self.said += [replace(twin, locator=f"row:{name} {why}") for why, twin in self._twins(true)]
        if r.random() < 0.1 and what not in PROPERTIES:
            self.said.append(replace(true, locator=f"row:{name} again", confidence=0.5))

    def _twins(self, true: Said) -> Iterator[tuple[str, Said]]:
        """Beside the true statement: the same group where the value differs, another end where there is no value."""
        bad, other, third = self._absurd(true), self._absurd(true), self._absurd(true)
        apart = replace(bad, key=true.key + "~")
        many = true.what == "name"
        if true.what not in EVENTS:
            yield "past", replace(bad, valid_from=day(2010), valid_to=true.valid_from)
            yield "future", replace(bad, valid_from=true.valid_to, valid_to=LAST)
        else:
            yield "future", replace(apart, key=true.key + "~future", valid_from=day(2029), published=day(2020))
        strong = "registers.part@1" if true.extractor.startswith("filings") else "filings.part@1"
        if self.random.random() < 0.5 and not many:
            yield "gone", replace(bad, extractor=strong, born=1, died=2)
            yield "late", replace(other, published=true.published + timedelta(days=9), born=3, died=99)
        else:
            yield "gone", replace(apart, key=true.key + "~gone", born=1, died=2)
            yield "late", replace(apart, key=true.key + "~late", born=3, died=99)
        hidden = replace(apart, key=true.key + "~secret", published=day(2031), born=self.random.choice((1, 2, 3)))
        if true.what == "PREDICTED":  # its key is the relation
            hidden = replace(self._elsewhere(hidden), key=true.key, born=hidden.born)
        yield "unpublished", hidden
        if true.what in DISPUTED:
            yield "unpublished too", self._rival(hidden)
            yield "past too", self._rival(replace(bad, valid_from=day(2010), valid_to=true.valid_from))
            yield "future too", self._rival(replace(bad, valid_from=true.valid_to, valid_to=LAST))
        if third.target == true.target and not many and true.props:
            yield "superseded", replace(third, published=true.published - timedelta(days=25))

    def _rival(self, twin: Said) -> Said:
        """A weaker source that says another value of the same twin."""
        name = "share" if "share" in twin.props else "amount"
        other = twin.props | {name: twin.props[name] / 2 if name == "share" else twin.props[name] + 1}
        return replace(twin, props=other, extractor="news.part@1")

    def _absurd(self, true: Said) -> Said:
        props = dict(true.props)
        much = self.random.random()
        if true.target and self.random.random() < 0.3:
            return self._elsewhere(true)
        found = ("distress", "sentiment", "rank_score", "figure", "warning", "alarm", *SUSPECTED)
        numbers = ("share", "score", *found, *PLACE)
        for name in ("amount", "equity", *LOST, *numbers):
            if name in props:
                money = name in ("amount", "equity", *LOST)
                props[name] = ABSURD + int(much * 10**6) if money else round(0.99 + much / 100, 9)
                return replace(true, props=props, born=1, died=99)
        if true.what == "SHARES_IDENTIFIER":
            return replace(true, props={"count": 1_000 + int(much * 10**6)}, born=1, died=99)
        if true.what in ("fails", "run_commit"):
            return replace(true, props={true.what: 1_000 + int(much * 10**6)}, born=1, died=99)
        if true.what in ("name", "event_type", "run", "run_question"):
            return replace(true, props={true.what: f"Wrong {much}"}, born=1, died=99)
        return self._elsewhere(true)

    def _elsewhere(self, true: Said) -> Said:
        """The same relation to somebody else."""
        others = [id for id, label in self.nodes.items() if label == self.nodes[true.target] and id != true.target]
        return replace(true, target=self.random.choice(others), born=1, died=99)
