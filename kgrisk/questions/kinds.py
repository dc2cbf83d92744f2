"""Kinds: the questions that can be asked, as data.

A cue is words in their order: `<own>` is any word of that group, `x?` may be missing, `{a}` and `{b}` are entities and
`{figure}` is a figure. Between them only silent words may stand, and nothing but polite ones before or after: a
question with a word that nobody understood is of no kind, so that it is not answered as another one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal

from kgrisk.questions.vocabulary import FIGURES, GROUPS, POLITE, SILENT

Time = Literal["instant", "window", "period"]


@dataclass(frozen=True)
class Kind:
    """A kind of question."""

    name: str
    tells: str
    cues: tuple[str, ...]
    time: Time = "instant"
    """What a time in it is: the instant looked at, days on which something happened, or the period of a figure."""
    query: str = ""
    """The named query that gives the rows behind the answer, where one does."""

    @cached_property
    def patterns(self) -> tuple[re.Pattern[str], ...]:
        return tuple(compiled(cue) for cue in self.cues)

    def match(self, text: str) -> dict[str, str] | None:
        """Slots of a question of this kind; None for one that is not."""
        for pattern in self.patterns:
            for found in pattern.finditer(text):
                rest = (text[: found.start()] + " " + text[found.end() :]).split()
                if all(word in POLITE for word in rest):
                    return found.groupdict()
        return None


_BETWEEN: Final = r"(?: (?:" + "|".join(sorted(SILENT)) + r"))*"


def compiled(cue: str) -> re.Pattern[str]:
    """The expression of a cue."""
    out, begun = "", False
    for written in cue.split():
        part = written.removesuffix("?")
        if part == "{figure}":
            part = "(?P<figure>" + "|".join(sorted(FIGURES, key=len, reverse=True)) + ")"
        elif part.startswith("{"):
            part = rf"(?P<{part[1:-1]}>E\d)"
        elif part.startswith("<"):
            part = "(?:" + "|".join(GROUPS[part[1:-1]].split()) + ")"
        part, optional = part + r"(?!\S)", written.endswith("?")
        if begun:
            out += f"(?:{_BETWEEN} {part})?" if optional else f"{_BETWEEN} {part}"
        else:
            out += f"(?:{part}{_BETWEEN} )?" if optional else part
        begun = begun or not optional
    return re.compile(r"(?<!\S)" + out)


KINDS: Final = (
    Kind(
        "hit_if_fails",
        "Who loses if an entity fails, and over which claims",
        (
            "<lose> <money>? <if> {a} to? <fail> <bust>?",
            "<if> {a} to? <fail> <bust>? <ask>? <lose> <money>?",
            "<failure> {a} <lose>",
            "<lose> by? <failure> {a}",
        ),
        query="hit_if_fails",
    ),
    Kind(
        "ultimate_owners",
        "Who stands at the top of a company",
        (
            "<top> <own> {a}",
            "<top> <owner> {a}",
            "<own> {a} <top>",
            "<top> behind {a}",
            "{a} <top> <own> by",
            "at top {a}",
        ),
        query="ultimate_owner",
    ),
    Kind(
        "stake",
        "Whether and how much one entity owns of another",
        (
            "{a} <own> <share>? in? {b}",
            "<share> {b} <own> by {a}",
            "<share> {b} {a} <own>",
            "<share> {a} <own>? in? {b}",
            "{b} <own> by {a}",
            "{b} subsidiary {a}",
        ),
    ),
    Kind(
        "owners",
        "Who owns a company",
        (
            "<ask> <own> <share>? in? {a}",
            "<owner> {a}",
            "{a} <owner>",
            "{a} <works> to",
            "{a} <own> by",
            "{a} subsidiary",
        ),
        query="ownership_chain",
    ),
    Kind(
        "holdings",
        "What an entity owns",
        ("<ask> <share>? {a} <own> <share>? in?", "<holdings> <own>? by? {a}", "{a} <holdings>", "<own> by {a}"),
    ),
    Kind(
        "debt",
        "What one entity owes another",
        (
            "{a} <owe> <money>? to? from? {b}",
            "{b} <lend> <money>? to? {a}",
            "<loan> from? {b} <onto> {a}",
            "<loan> {a} <onto> {b}",
            "{b} <exposed> to? {a}",
            "{b} <lender> {a}",
            "{a} <debtor> {b}",
        ),
    ),
    Kind(
        "exposed_to",
        "Who has the largest claims on an entity",
        (
            "<most>? <exposed> <most>? <onto> {a} <most>?",
            "<most>? <loan> <onto> {a}",
            "<ask> bank? banks? <lend> <money>? to? {a}",
            "<most>? <lender> to? {a}",
            "{a} <lender>",
            "{a} <owe> <money>? to? from?",
            "{a} <pay> by",
            "<ask> <pay> {a}",
        ),
    ),
    Kind(
        "exposures",
        "On whom an entity has the largest claims",
        (
            "{a} <lend> <money>? to",
            "<most>? <loan> {a}",
            "{a} <most>? <loan>",
            "<most>? <debtor> {a}",
            "{a} <most>? <debtor>",
            "<ask> <owe> <money>? to? from? {a}",
            "{a} <most>? <exposed> <most>? to",
        ),
        query="exposure_by_counterparty",
    ),
    Kind(
        "supplies",
        "Whether one entity supplies another",
        ("{a} <supply> to? {b}", "{b} <buy> from {a}", "{a} <supplier> to? {b}", "{b} <customer> {a}"),
    ),
    Kind(
        "suppliers",
        "Who supplies an entity",
        ("<ask> <supply> to? {a}", "<supplier> to? {a}", "{a} <supplier>", "{a} <buy> from", "{a} <supply> by"),
        query="supply_chain_upstream",
    ),
    Kind(
        "customers",
        "Whom an entity supplies",
        ("{a} <supply> to?", "<customer> {a}", "{a} <customer>", "<ask> <buy> from {a}"),
    ),
    Kind(
        "competitors",
        "Whom an entity competes with",
        ("<rival> to? {a}", "{a} <rival>", "<compete> against? {a}", "{a} <compete> against?"),
    ),
    Kind(
        "figure",
        "A figure of an entity, of a year or the latest",
        (
            "{figure} <report>? by? {a} <report>?",
            "{a} <report>? {figure}",
            "{figure} {a} <hand>",
            "{a} <hand> {figure}",
        ),
        time="period",
        query="entity_profile",
    ),
    Kind(
        "path",
        "How two entities hang together",
        (
            "<path> from? between? {a} to? {b}",
            "{a} <tied> together? to? {b}",
            "<path> {a} to? {b}",
            "<tied> {a} to? {b}",
            "{a} {b} <tied> together?",
            "links {a} to? {b}",
        ),
    ),
    Kind(
        "mention_both",
        "Documents that name two entities",
        ("<document> <mention> both? {a} {b}", "{a} {b} <mention> together?"),
        time="window",
        query="documents_that_mention_both",
    ),
    Kind(
        "sentiment",
        "How documents spoke of an entity",
        ("<mood> <document>? about? <onto>? {a}", "{a} <mood>"),
        time="window",
        query="sentiment_by_day",
    ),
    Kind(
        "said_about",
        "What documents said of an entity",
        (
            "<document>? <said> about? on? {a}",
            "<document> about? on? {a} <said>?",
            "<document> <mention> {a}",
            "{a} in <document>",
            "<mention> {a}",
        ),
        time="window",
        query="said_about",
    ),
    Kind(
        "score",
        "The distress score of an entity, and why",
        (
            "<distress>? <score> <distress>? {a} <distress>? why?",
            "{a} <distress>? <score> why?",
            "likely {a} to? <fail> <bust>?",
        ),
        query="distress_ranking",
    ),
    Kind(
        "warnings",
        "Early warnings of an entity",
        ("early? <warning> about? on? {a}", "{a} <warning>"),
        query="warnings_of",
    ),
    Kind(
        "country",
        "Where an entity is domiciled",
        ("where {a} <based>?", "<country> {a} <based>? from?", "{a} <country>", "{a} <based>"),
    ),
    Kind("sector", "The sector of an entity", ("<sector> {a} <works>? to?", "{a} <sector>")),
    Kind("ticker", "The ticker of an entity", ("<ticker> {a}", "{a} <ticker>")),
    Kind("officers", "Who is in the management", ("<officer> {a}", "{a} <officer>", "<ask> <run> {a}")),
    Kind(
        "events",
        "What happened to an entity",
        ("happened to {a}", "<event> <lose>? {a}", "{a} <event>"),
        time="window",
    ),
    Kind(
        "failed",
        "Whether and when an entity failed",
        ("{a} <fail> <bust>?", "{a} gone? <bust>", "<failure> {a}", "{a} <failure>"),
        time="window",
    ),
    Kind(
        "changed",
        "What was published about an entity since a day",
        ("<changed> about? with? {a}", "{a} <changed>"),
        time="window",
        query="what_changed_between",
    ),
    Kind("profile", "Who an entity is", ("<profile> {a}", "who {a}", "what {a}", "about {a}", "{a} <profile>")),
    Kind(
        "distress_ranking",
        "Who is most likely in distress",
        (
            "<label>? <most> likely? <distress> <label>? <score>?",
            "<label>? <most> <distress> <score>",
            "<label>? most likely to? <fail> <bust>?",
            "<most> <distress> <score> <label>",
        ),
        query="distress_ranking",
    ),
)
"""The kinds, the more special ones first."""
