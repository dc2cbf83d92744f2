"""Words that a score rests on are read back where they stand, not where the claim beside them stands."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ingest.locate import locate
from kg.files import Files
from kg.ledger import Ledger
from kg.model import AsOf, Claim, ClaimBatch, Evidence, Node, RunManifest
from kgrisk.proof import Proofs, span

TITLE, BODY = "Payment missed by Nordhafen", "The yard opened in May. It seeks\n more time from its banks."
DAY = datetime(2022, 5, 1, tzinfo=UTC)


def proofs(folder: Path, text: str, content: bytes, place: tuple[str, str]) -> tuple[Proofs, str]:
    """A document of this text whose claim stands at a place with a quote, and the statement of its text."""
    files, ledger = Files(folder / "files"), Ledger.open(folder / "ledger")
    document = files.put(content)
    claim = Claim(Node("Document", "doc:x", {"text": text}), Evidence(document, *place, "news.article@1"), DAY)
    ledger.commit(ClaimBatch.of([claim]), RunManifest("ingest", {}))
    (row,) = ledger.view(AsOf()).facts_of("text").to_pylist()
    return Proofs(ledger, files, AsOf()), str(row["statement"])


def article(body: str) -> bytes:
    return json.dumps({"title": TITLE, "content": body, "published": "2022-05-01T00:00:00Z"}).encode()


def test_words_below_the_headline_have_a_place_of_their_own(tmp_path: Path) -> None:
    read, statement = proofs(tmp_path, BODY, article(BODY), (f"chars:0-{len(TITLE)}", TITLE))
    words = "It seeks\n more time from its banks."
    first = BODY.index(words)
    part = {"statement": statement, "words": words, "where": f"chars:{first}-{len(BODY)}"}
    found = read.part(part, "text")
    assert found["read_back"] and found["quote"] == words and "note" not in found
    assert locate(read.files.get(found["document"]), found["locator"], "news") == words
    assert found["locator"].startswith("chars:") and found["locator"] != f"chars:0-{len(TITLE)}"


def test_words_that_the_document_does_not_have_are_not_located(tmp_path: Path) -> None:
    read, statement = proofs(tmp_path, "Said by nobody at all.", article(BODY), (f"chars:0-{len(TITLE)}", TITLE))
    found = read.part({"statement": statement, "words": "Said by nobody at all.", "where": "chars:0-22"}, "text")
    assert not found["read_back"] and found["note"] == "not located" and found["quote"] == TITLE


@pytest.mark.parametrize(
    ("text", "value", "words", "first", "found"),
    [
        ("a b. See a b.", "See a b.", "a", 4, (9, 10)),  # the one within the value, not the first
        ("one\n two three", "one two three", "two", 4, (5, 8)),  # white space may differ
        ("ab a b", "x a", "a", 2, (3, 4)),  # a word alone, once, and no part of another
        ("a and a", "x a", "a", 2, None),  # which of the two?
        ("Firm 3 fell. Firm 3 rose.", "the Firm 3", "Firm 3", 4, (0, 6)),
        ("nothing", "", "", 0, None),
    ],
)
def test_a_span_is_that_of_the_value(text: str, value: str, words: str, first: int, found: object) -> None:
    assert span(text, value, words, first) == found
