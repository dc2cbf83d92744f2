"""Registers with values of the wrong kind, cut or scrambled: refused with a reason, never a failure of the source."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from ingest.locate import locate
from ingest.pipeline import PACKAGE
from ingest.source import Extract, Models, Record, Source
from kg import plugins
from kg.errors import RecordError

JUNK: list[Any] = [None, True, 0, -1, 1.5, 10**40, "", "x", "2024-13-45", [], {}, [[]], [{}], {"a": 1}, "9" * 50, "\0"]
BYTES = [b",", b'"', b"\n", b"<", b"&", b"9" * 30, b"\xff\xfe", b";"]
ROUNDS = 25


def scrambled(value: Any, chance: random.Random) -> Any:
    """The value with about one in thirty of its parts replaced by something of another kind, or missing."""
    if chance.random() < 0.03:
        return chance.choice(JUNK)
    if isinstance(value, dict):
        return {key: scrambled(one, chance) for key, one in value.items() if chance.random() > 0.01}
    return [scrambled(one, chance) for one in value] if isinstance(value, list) else value


def damaged(content: bytes, chance: random.Random) -> bytes:
    """The bytes with some changed, dropped, put in or cut off."""
    data = bytearray(content)
    for _ in range(chance.randint(1, 8)):
        place = chance.randrange(len(data) or 1)
        match chance.randrange(4):
            case 0:
                data[place : place + 1] = bytes([chance.randrange(256)])
            case 1:
                del data[place : place + chance.randint(1, 30)]
            case 2:
                data[place:place] = chance.choice(BYTES)
            case _ if chance.random() < 0.2:
                del data[place:]
    return bytes(data)


def broken(name: str, content: bytes, chance: random.Random) -> bytes:
    if name.endswith(".json"):
        return json.dumps(scrambled(json.loads(content), chance)).encode()
    if name.endswith(".jsonl"):
        lines = [json.dumps(scrambled(json.loads(line), chance)) for line in content.decode().splitlines()]
        return "\n".join(lines).encode()
    return damaged(content, chance)


@pytest.mark.parametrize("name", ["bods", "ftm", "bis", "gleif", "sanctions", "registers"])
def test_whatever_is_broken_in_a_register_is_refused_and_what_is_claimed_reads_back(name: str) -> None:
    source = plugins.load(PACKAGE, name, Source)(Path(), [])  # type: ignore[type-abstract]
    chance, said = random.Random(17), 0
    for file, content in import_module(f"tests.contract.examples.{name}").good().items():
        for _ in range(ROUNDS):
            bad = broken(file, content, chance)
            try:
                record = Record(name, file, bad, meta={"read": datetime(2024, 1, 1, tzinfo=UTC)})
                rows = Extract.of(source.claims(record, Models())).claims.table.select(["locator", "quote"])
            except RecordError as error:
                assert str(error)
                continue
            said += rows.num_rows
            for row in rows.slice(0, 5).to_pylist():
                assert locate(bad, row["locator"], name) == row["quote"]
    assert said
