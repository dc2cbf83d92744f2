"""A language model may reword, never add. The replies were written for these tests and are served by a small local
server that speaks the protocol; no real model was at hand."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from kgrisk.questions.answered import Answered
from kgrisk.questions.cited import Cited
from kgrisk.questions.rewording import TASK, RewordingError, checked, reword
from kgrisk.settings import MASK, Settings

REPLAY: list[dict[str, str]] = json.loads((Path(__file__).parent / "rewording_replay.json").read_text())
KEY = "sk-canary-7"


class Recorded(BaseHTTPRequestHandler):
    """Replies as recorded to what is sent as recorded; to anything else with 400."""

    seen: ClassVar[list[dict[str, Any]]] = []

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.seen.append({"path": self.path, "authorization": self.headers["Authorization"], **body})
        found = [row for row in REPLAY if row["sends"] == body["messages"][-1]["content"]]
        broken = body["model"] == "broken"
        reply = {"choices": [{"message": {"role": "assistant", "content": found[0]["reply"] if found else ""}}]}
        content = b"<html>" if broken else json.dumps(reply).encode()
        self.send_response(200 if found else 400)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args: object) -> None:
        """Nothing on stderr."""


@contextmanager
def model() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Recorded) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/v1"
        finally:
            server.shutdown()
            thread.join()


def answered(row: dict[str, str]) -> Answered:
    said = [line.partition("] ")[2] for line in row["sends"].splitlines()[2:]]
    return Answered(row["question"], "debt", tuple(Cited(text, ("s1",)) for text in said))


@pytest.mark.parametrize("row", REPLAY, ids=[row["question"] for row in REPLAY])
def test_only_what_the_cited_sentences_hold_is_kept_of_a_reply(row: dict[str, str]) -> None:
    Recorded.seen.clear()
    with model() as url:
        found = reword(answered(row), Settings(llm_url=url, llm_model="recorded", llm_key=KEY))  # type: ignore[arg-type]
    assert found.reworded == row["stands"]
    (sent,) = Recorded.seen
    assert (sent["path"], sent["authorization"]) == ("/v1/chat/completions", f"Bearer {KEY}")
    assert sent["messages"][0]["content"] == TASK and sent["temperature"] == 0


def test_no_model_is_asked_unless_one_is_set_or_where_nothing_was_found() -> None:
    found = answered(REPLAY[0])
    assert reword(found, Settings()) is found
    none = Answered("Who?", "", (), reason="not covered")
    assert reword(none, Settings(llm_url="http://127.0.0.1:9/v1", llm_model="m")) is none


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"llm_url": "file:///etc/passwd", "llm_model": "m"}, "no http or https address"),
        ({"llm_url": "http://127.0.0.1:9/v1"}, "KGRISK_LLM_MODEL is not"),
        ({"llm_url": "http://127.0.0.1:9/v1", "llm_model": "m"}, "cannot be reached"),
    ],
)
def test_a_model_that_cannot_be_asked_is_told(settings: dict[str, str], says: str) -> None:
    with pytest.raises(RewordingError, match=says):
        reword(answered(REPLAY[0]), Settings(**settings))  # type: ignore[arg-type]  # read from text


def test_what_is_no_chat_completion_is_told() -> None:
    with model() as url, pytest.raises(RewordingError, match="no chat completion"):
        reword(answered(REPLAY[0]), Settings(llm_url=url, llm_model="broken"))
    other = Answered("Who?", "debt", (Cited("Nobody recorded this.", ("s1",)),))
    with model() as url, pytest.raises(RewordingError, match="answered 400"):
        reword(other, Settings(llm_url=url, llm_model="recorded"))


def test_the_key_of_a_model_is_never_shown() -> None:
    settings = Settings(llm_key=KEY)  # type: ignore[arg-type]  # read from text
    assert settings.shown()["llm_key"] == MASK and KEY not in repr(settings)


@pytest.mark.parametrize(
    ("sentence", "stands"),
    [
        ("Acme lends 1,000 EUR [1]", True),
        ("Acme lends 1000 EUR [1]", True),
        ("Acme lends 1,001 EUR [1]", False),
        ("Acme and Zenith lend 1,000 EUR [1]", False),
        ("Acme lends 1,000 EUR", False),
        ("Acme lends 1,000 EUR [3]", False),
        ("Beta owes 7 EUR [2]", True),
        ("Beta owes 7 EUR [1]", False),
    ],
)
def test_a_sentence_stands_if_it_adds_nothing(sentence: str, stands: bool) -> None:
    said = ["Acme lends 1,000 EUR to Beta.", "Beta owes Acme 7 EUR."]
    assert bool(checked(sentence, said)) is stands
