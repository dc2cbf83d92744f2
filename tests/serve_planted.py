"""A small graph in which something stands that not everybody may see: a person, a source, and texts that name them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from kg.model import Claim, ClaimBatch, Edge, Evidence, Facts, Judgement, Node, RunManifest
from kgrisk.api import Graph
from tests.kgrisk_world import BIG, FIRM, SMALL, write_registers

PERSON, LISTED = "person:quarz1aa77", "name:zobeltran holding"
PERSON_NAME, LISTED_NAME, FLAG = "Walburga Quarzheim", "Zobeltran Holding", "embargo-kappa-nine"
ARTICLE = (
    f"{PERSON_NAME} leads Big Bank AG since May. Revenue of Big Bank AG was 11 million euros, said "
    "Quarzheim Walburga to the press."
)
OTHER = f"Steel Works SA sold a mill. Its lawyer wrote to {PERSON_NAME} on Monday."
LIST = f"{LISTED_NAME} lent 7 million euros to Big Bank AG; Steel Works SA is marked {FLAG}."
SECRETS = {
    "person": (PERSON, PERSON_NAME, "quarz1aa77", "Quarzheim"),
    "sanctions": (LISTED, LISTED_NAME, "Zobeltran", FLAG, "zobeltran"),
}
"""What must not be told to whom it is hidden from, by what is hidden."""
WHEN = datetime(2020, 3, 1, tzinfo=UTC)


def plant(graph: Graph, folder: Path) -> dict[str, str]:
    """Registers, an article about a person, a list of sanctions, scores and links that name both; gives digests."""
    graph.ingest(write_registers(folder))
    digests = {name: graph.files.put(text.encode()) for name, text in _TEXTS.items()}
    run = RunManifest("train", {"commit": 1, "rows": [PERSON, LISTED, BIG]})
    digests["run"] = graph.files.put(run.to_bytes())
    graph.ledger.commit(ClaimBatch.of([*_article(digests), *_list(digests), *_model(run.id)]), RunManifest("ingest"))
    return digests


_TEXTS = {"article": ARTICLE, "other": OTHER, "list": LIST}


def _said(digest: str, text: str, quote: str, extractor: str) -> Evidence:
    begin = text.index(quote)
    return Evidence(digest, f"chars:{begin}-{begin + len(quote)}", quote, extractor, 0.9)


def _article(digests: dict[str, str]) -> list[Claim]:
    news, doc, other = "filings.prose@1", digests["article"], digests["other"]
    leads, page = _said(doc, ARTICLE, PERSON_NAME, news), f"doc:{doc}"
    told = _said(doc, ARTICLE, "11 million euros", news)
    sold = _said(other, OTHER, "Steel Works SA", news)
    return [
        Claim(Node("Document", page, {"title": f"Who is {PERSON_NAME}?"}), leads, WHEN),
        Claim(Node("Document", f"doc:{other}", {"title": "A mill is sold"}), sold, WHEN),
        Claim(Node("Person", PERSON, {"name": PERSON_NAME}), leads, WHEN),
        Claim(Edge("OFFICER_OF", PERSON, BIG, {"role": "chair"}), leads, WHEN),
        Claim(Facts(BIG, {"revenue": 11_000_000, "currency": "EUR"}, "2020"), told, WHEN),
        Claim(Facts(FIRM, {"description": "sells mills"}), _said(other, OTHER, f"wrote to {PERSON_NAME}", news), WHEN),
        Claim(Edge("MENTIONED_IN", FIRM, f"doc:{other}"), sold, WHEN),
    ]  # fmt: skip


def _list(digests: dict[str, str]) -> list[Claim]:
    own, doc = "sanctions.parties@2", digests["list"]
    listed = _said(doc, LIST, LISTED_NAME, own)
    return [
        Claim(Node("Company", LISTED, {"name": LISTED_NAME}), listed, WHEN),
        Claim(Edge("LENDS_TO", LISTED, BIG, {"amount": 7_000_000, "currency": "EUR"}), listed, WHEN),
        Claim(Node("Company", FIRM, {"flag": FLAG}), _said(doc, LIST, FLAG, own), WHEN),
        Claim(Node("Company", "reg:zobeltran7"), listed, WHEN),
        Claim(Judgement("reg:zobeltran7", FIRM), Evidence(doc, "chars:0-17", LISTED_NAME, "resolve.rule@1"), WHEN),
    ]


def _model(run: str) -> list[Claim]:
    """Scores of everyone, and links to everyone, as a model that saw everything publishes them."""
    scores = {BIG: 0.4, SMALL: 0.2, FIRM: 0.6, LISTED: 0.9, PERSON: 0.1}
    say = lambda id: Evidence(run, f"run:{id}", f"{id} {scores.get(id, 0)}", "model.gnn@1")  # noqa: E731
    claims = [Claim(Facts(id, {"distress": value}), say(id), WHEN) for id, value in scores.items()]
    return [
        *claims,
        Claim(Edge("PREDICTED", LISTED, SMALL, {"score": 0.8}, "LENDS_TO"), say(LISTED), WHEN),
        Claim(Edge("PREDICTED", FIRM, SMALL, {"score": 0.7}, "LENDS_TO"), say(FIRM), WHEN),
        Claim(Facts(BIG, {"finding": 0.5}, key=f"ring|{LISTED}"), say(BIG), WHEN),
    ]
