"""How things are said: names in their variants, amounts, filler, and a form turned into a sentence with its truth."""

from __future__ import annotations

import hashlib
from datetime import date
from random import Random
from typing import Any

from kgrisk.sample.network import Link, World
from kgrisk.sample.world import Firm, lexicon

MARK = "Fictional sample data of kgrisk."


def person_id(name: str) -> str:
    """The opaque id that the project gives to a person known by name only."""
    return "person:" + hashlib.sha256(f"name:{name.casefold()}".encode()).hexdigest()[:16]


class Teller:
    """Turns firms and forms into English."""

    def __init__(self, world: World, rng: Random) -> None:
        self.world = world
        self.rng = rng
        self.phrases = lexicon("phrases")
        self.aliases: dict[int, set[str]] = {}

    def name(self, firm: Firm) -> str:
        """The firm as a journalist would write it: full, short or, now and then, by its former name."""
        draw = self.rng.random()
        if firm.full_only or draw < 0.4:
            said = firm.name
        elif firm.former and draw > 0.8:
            said = firm.former
        else:
            said = firm.short
        self.aliases.setdefault(firm.n, set()).add(said)
        return said

    def words(self) -> dict[str, str]:
        """Values for the blanks that name nobody."""
        r, p = self.rng, self.phrases
        place = r.choice(lexicon()["countries"][r.choice(list(lexicon()["countries"]))]["places"])
        return {
            "place": place,
            "month": r.choice(p["months"]),
            "weekday": r.choice(p["weekdays"]),
            "quarter": r.choice(p["quarters"]),
            "n": str(r.randrange(2, 12)),
            "pct": f"{r.uniform(2, 19):.1f}",
        }

    def fill(self, mood: str, firm: Firm, count: int) -> list[str]:
        """Different sentences of filler in one mood."""
        chosen = self.rng.sample(self.phrases[mood], count)
        staff = {"staff": f"{(firm.n * 37 % 97 + 3) * 100:,}"}
        return [tidy(s.format(a=self.name(firm), **self.words() | staff)) for s in chosen]

    def distract(self, x: Firm, y: Firm) -> str:
        text = self.rng.choice(self.phrases["distractor"])
        return tidy(text.format(x=self.name(x), y=self.name(y), **self.words()))

    def profile(self, firm: Firm) -> str:
        """One sentence that shows the hidden business type."""
        kind = lexicon()["types"][firm.kind]["bank" if firm.label == "Bank" else "company"]
        said: str = self.rng.choice(kind)
        return said if firm.label != "Fund" else f"{firm.short} prefers {firm.likes[0]} and {firm.likes[1]}."

    def title(self, topic: str, a: Firm, b: Firm) -> str:
        text: str = self.rng.choice(self.phrases["title"][topic])
        return text.format(
            a=a.short if not a.full_only else a.name, b=b.short if not b.full_only else b.name, **self.words()
        )

    def money(self, firm: Firm, amount: float | None, local: bool) -> tuple[str, str, str]:
        """An amount as printed, as decimal text and its currency: that of the firm's country, or euro."""
        currency: str = lexicon()["countries"][firm.country]["currency"]
        currency = currency if local and currency != "JPY" else "EUR"
        millions = (
            round(amount / 1e6)
            if amount and amount > 2e6
            else self.rng.choice([12, 18, 25, 40, 65, 90, 120, 175, 240, 310, 1200, 2500])
        )
        if millions >= 1000:
            short = f"{millions / 1000:.1f}".removesuffix(".0")
            value, unit = str(round(float(short) * 1000) * 1_000_000), "billion"
        else:
            short, value, unit = str(millions), str(millions * 1_000_000), "million"
        sign = {"EUR": "€", "USD": "$", "GBP": "£"}.get(currency)
        style = self.rng.randrange(3)
        if sign and style == 0:
            return f"{sign}{short} {unit}", value, currency
        if currency == "EUR" and style == 1:
            return f"{short} {unit} euros", value, currency
        return f"{currency} {short} {unit}", value, currency

    def form(self, form: dict[str, Any], cast: dict[str, Any]) -> tuple[str, list[dict[str, Any]]]:
        """The sentence and one truth for each relation of the form."""
        link: Link | None = cast.get("link")
        said: dict[str, str] = {k: self.name(v) for k, v in cast.items() if isinstance(v, Firm)}
        ids = {k: v.id for k, v in cast.items() if isinstance(v, Firm)}
        if "person" in cast:
            said["person"], ids["person"] = cast["person"], person_id(cast["person"])
        payer = cast.get("b") or cast["a"]
        local = form["relations"][0][0] != "LENDS_TO"  # exposures are in euro throughout
        printed, value, currency = self.money(payer, link.amount if link else None, local)
        share = link.share if link and link.share else round(self.rng.uniform(0.04, 0.6), 3)
        role = self.rng.choice(self.phrases["roles"])
        blanks = (
            said
            | self.words()
            | self._loose(cast, form["negated"])
            | {"amount": printed, "share": f"{share * 100:.1f}".removesuffix(".0"), "role": role}
        )
        sentence = tidy(form["text"].format(**blanks))
        sentence = sentence[0].upper() + sentence[1:]
        known = {"amount": value, "share": share, "role": role, "currency": currency}
        return sentence, [self._truth(form, relation, sentence, said, ids, known) for relation in form["relations"]]

    def _loose(self, cast: dict[str, Any], past: bool) -> dict[str, str]:
        """Values for the blanks that tell of the deal; what is denied or ended lies in the past."""
        r, a = self.rng, cast.get("a")
        products = lexicon()["sectors"].get(a.sector if a else "", {}).get("products", ["goods"])
        grade = r.randrange(len(self.phrases["ratings"]) - 1)
        year = str((cast["link"].published if "link" in cast else date(2021, 1, 1)).year + r.randrange(2, 6))
        return {
            "product": r.choice(products),
            "years": r.choice(["three", "four", "five", "seven"]),
            "year": "2018" if past else year,
            "agency": r.choice(self.phrases["agencies"]),
            "old": self.phrases["ratings"][grade],
            "rating": self.phrases["ratings"][grade + 1],
        }

    def _truth(
        self,
        form: dict[str, Any],
        relation: list[Any],
        sentence: str,
        said: dict[str, str],
        ids: dict[str, str],
        known: dict[str, Any],
    ) -> dict[str, Any]:
        kind, source, target, wanted = relation
        event = target.removeprefix("=") if target.startswith("=") else ""
        props: dict[str, Any] = {}
        for name in wanted:
            if name.startswith("="):
                props["role"] = name[1:]
            else:
                props[name] = known[name]
                if name == "amount":
                    props["currency"] = known["currency"]
        return {
            "sentence": sentence,
            "type": kind,
            "source": said[source],
            "target": event or said[target],
            "source_id": ids[source],
            "target_id": "" if event else ids[target],
            "props": props,
            "negated": form["negated"],
            "hedged": form.get("hedged", False),
            "form": form["id"],
            "held_out": form["held_out"],
        }


def tidy(sentence: str) -> str:
    """A name that ends in a full stop also ends the sentence."""
    return sentence.replace("..", ".")
