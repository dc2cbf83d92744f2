"""News: articles made of frozen sentence forms, signals of tone, profiles and filler, with their truth."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

from kgrisk.sample.network import YEARS, World
from kgrisk.sample.wording import MARK, Teller
from kgrisk.sample.world import BANKS, FUNDS, Firm, lexicon, stream


@dataclass
class Article:
    """One news item; `truths` are the statements of its sentences."""

    published: datetime
    title: str
    sentences: list[str]
    truths: list[dict[str, Any]] = field(default_factory=list)
    id: str = ""

    @property
    def paragraphs(self) -> list[str]:
        """Two or three sentences to a paragraph, then the line that marks the sample."""
        cut = [" ".join(self.sentences[i : i + 3]) for i in range(0, len(self.sentences), 3)]
        return [*cut, MARK]


def dated(form: dict[str, Any]) -> bool:
    """Does the truth fix the date of the statement (a link that starts, a default), or may it be said any day?"""
    kind, _, target, _ = form["relations"][0]
    return not form["negated"] and kind != "OFFICER_OF" and target not in {"=lawsuit", "=downgrade"}


class Newsroom:
    """Writes the articles of the five years."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.rng = stream("articles")
        self.tell = Teller(world, self.rng)
        self.articles: list[Article] = []
        self.companies = world.firms[BANKS + FUNDS :]
        self.people = [f"{a} {b}" for a in lexicon()["people"]["first"] for b in lexicon()["people"]["last"]]
        self.rng.shuffle(self.people)

    def moment(self, first: date, last: date) -> datetime:
        day = first + timedelta(days=self.rng.randrange(max(1, (last - first).days)))
        return datetime(day.year, day.month, day.day, self.rng.randrange(6, 19), self.rng.randrange(60))

    def other(self, *not_these: int, day: date | None = None) -> Firm:
        """Some other company that is on the market."""
        while True:
            firm = self.rng.choice(self.companies)
            if firm.n not in not_these and firm.alive(day or date(2022, 6, 1)):
                return firm

    def publish(
        self,
        when: datetime,
        topic: str,
        firm: Firm,
        sentences: list[str],
        truths: list[dict[str, Any]],
        b: Firm | None = None,
    ) -> None:
        title = self.tell.title(topic, firm, b or firm)
        self.articles.append(Article(when, title, sentences, truths))

    def about_tone(self, firm: Firm, year: int) -> None:
        """An article of the year's second half that sounds as the firm's tone says."""
        tone = {-1: "negative", 0: "neutral", 1: "positive"}[firm.tone[year]]
        when = self.moment(date(year, 7, 1), date(year, 12, 24))
        said = [*self.tell.fill(tone, firm, 3), self.tell.profile(firm)]
        if tone != "neutral":
            said += self.tell.fill("neutral", firm, self.rng.choice([1, 2]))
        truths: list[dict[str, Any]] = []
        if self.rng.random() < 0.4:
            other = self.other(firm.n, day=when.date())
            said.append(self.tell.distract(firm, other))
        self.publish(when, tone, firm, self._shuffled(said), truths)

    def _shuffled(self, sentences: list[str]) -> list[str]:
        head, tail = sentences[:1], sentences[1:]
        self.rng.shuffle(tail)
        return head + tail

    def about_forms(self, *forms: dict[str, Any]) -> None:
        """An article of one or two items, each around a sentence form; the first one sets the date."""
        when, first, said, truths = None, dict[str, Any](), list[str](), list[dict[str, Any]]()
        for form in forms:
            when, names = self.cast(form, when)
            first = first or names
            lead = names.get("b") or names["a"]
            sentence, told = self.tell.form(form, names)
            filler = self.tell.fill("neutral", lead, self.rng.choice([0, 1, 2]))
            place = 0 if self.rng.random() < 0.6 else len(filler) // 2
            filler[place:place] = [sentence, self.tell.profile(lead)]
            said += filler
            truths += told
        assert when is not None
        if self.rng.random() < 0.5:
            x = self.other(day=when.date())
            said.append(self.tell.distract(x, self.other(x.n, day=when.date())))
        lead = first.get("b") or first["a"]
        self.publish(when, forms[0]["relations"][0][0], first.get("a", lead), said, truths, lead)

    def cast(self, form: dict[str, Any], when: datetime | None) -> tuple[datetime, dict[str, Any]]:
        """Who plays the parts of a form, and when: true links, or, if negated, pairs without one."""
        kind = form["relations"][0][0]
        if dated(form):
            return self._cast_distress(form) if kind == "AFFECTED_BY" else self._cast_link(kind, "{c}" in form["text"])
        when = when or self.moment(date(2019, 3, 1), date(2023, 12, 15))
        if kind == "OFFICER_OF":
            return when, {"b": self.other(day=when.date()), "person": self.people.pop()}
        if kind != "AFFECTED_BY":
            return when, self._cast_strangers(kind, when.date())
        troubled = self._in_trouble(when.date()) if form["negated"] else set()
        a = self.other(*troubled, day=when.date())
        return when, {"a": a, "b": self.other(a.n, *troubled, day=when.date())} if "{b}" in form["text"] else {"a": a}

    def _in_trouble(self, day: date) -> set[int]:
        """Firms whose distress is so near that nobody would deny it."""
        return {d.firm for d in self.world.distress if -400 < (d.day - day).days < 30}

    def _cast_link(self, kind: str, joint: bool) -> tuple[datetime, dict[str, Any]]:
        wanted = "OWNS" if kind == "SUBSIDIARY_OF" else kind
        pool = [k for k in self.world.links if k.type == wanted and (kind != "SUBSIDIARY_OF" or k.share > 0.5)]
        carried = [k for k in pool if k.carrier == "news"] or pool
        link = self.rng.choice([k for k in carried if not k.told] or carried)
        link.told = True
        when = self.moment(link.published, min(link.published + timedelta(days=25), date(2023, 12, 28)))
        a, b = (link.target, link.source) if kind == "SUBSIDIARY_OF" else (link.source, link.target)
        names: dict[str, Any] = {"a": self.world.firms[a], "b": self.world.firms[b], "link": link}
        if joint:
            names["c"] = self.rng.choice(
                [f for f in self.world.firms[:BANKS] if f.n not in self.world.lenders.get(b, ())]
            )
            self.world.add(replace(link, source=names["c"].n))
        return when, names

    def _cast_strangers(self, kind: str, day: date) -> dict[str, Any]:
        while True:
            b = self.other(day=day)
            a = self.rng.choice(self.world.firms[:BANKS]) if kind == "LENDS_TO" else self.other(b.n, day=day)
            pairs = {(a.n, kind, b.n), (b.n, kind, a.n), (a.n, "OWNS", b.n), (b.n, "OWNS", a.n)}
            if not pairs & self.world.triples:
                return {"a": a, "b": b}

    def _cast_distress(self, form: dict[str, Any]) -> tuple[datetime, dict[str, Any]]:
        event = form["relations"][0][2].removeprefix("=")
        pool = [d for d in self.world.distress if d.event == event or (event == "default" and d.event == "distress")]
        case = self.rng.choice([d for d in pool if not d.told] or pool)
        case.told = True
        when = self.moment(case.day, min(case.day + timedelta(days=6), date(2023, 12, 29)))
        return when, {"a": self.world.firms[case.firm]}

    def about_market(self) -> None:
        """A round-up that names many companies and says nothing about relations between them."""
        when = self.moment(date(2019, 2, 1), date(2023, 12, 20))
        firms = self.rng.sample([f for f in self.companies if f.alive(when.date())], 6)
        said = [self.tell.distract(*firms[i : i + 2]) for i in (0, 2, 4)] + self.tell.fill("neutral", firms[0], 2)
        self.publish(when, "neutral", firms[0], self._shuffled(said), [])


def write_articles(room: Newsroom) -> list[Article]:
    """Every article in the order of publication, with ids."""
    for year in YEARS[:-1]:
        for firm in room.companies:
            if firm.born.year > year or (firm.gone and firm.gone < date(year, 7, 1)):
                continue
            if (
                firm.tone[year] < 0
                or (firm.tone[year] > 0 and room.rng.random() < 0.35)
                or (firm.tone[year] == 0 and room.rng.random() < 0.04)
            ):
                room.about_tone(firm, year)
    deck = [form for form in lexicon("forms")["forms"] for _ in range(4 if form["negated"] else 6)]
    room.rng.shuffle(deck)
    free = [form for form in deck if not dated(form)]
    for form in (f for f in deck if dated(f)):
        room.about_forms(form, *([free.pop()] if free and room.rng.random() < 0.35 else []))
    while free:
        room.about_forms(*(free.pop() for _ in range(min(len(free), 2))))
    for _ in range(12):
        room.about_market()
    room.articles.sort(key=lambda a: (a.published, a.title))
    for n, article in enumerate(room.articles):
        article.id = f"kgs-{article.published:%Y%m%d}-{n:03d}"
    return room.articles
