"""A ledger with every label, edge type and property of the vocabulary, and texts that break careless CSV."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from random import Random

import numpy as np

from kg.files import Files
from kg.ledger import Ledger
from kg.model import Claim, Edge, Evidence, Facts, Node, Value
from kg.ontology import EDGES, NODES, PROPERTIES, Property
from kg.vectors import address, put_vectors
from tests.operations import START, grow
from tests.store_world import commit

HOSTILE = (
    'said "so"',
    '"',
    '""',
    '","',
    "it's, comma; and semicolon | pipe",
    "line\nbreak",
    "carriage\rreturn",
    "both\r\nof them",
    "\n",
    "ends in a line\n",
    '"quote\n"line\r\n"',
    "back\\slash\\",
    '\\"',
    "tab\there",
    "  blanks around  ",
    " ",
    "Größe, 中文, العربية, 🦄, e\u0301",
    "\u2028\u2029\u0085\ufeff",
    "\ufeffmark in front",
    "nul\x00 bell\x07 escape\x1b unit\x1f",
    ":LABEL",
    ":ID(Entity)",
    "null",
    "NaN",
    "true",
    "0012",
    "1e5",
    "2024-01-31",
    "# no comment",
    "=1+1",
    "x" * 100_000,
    "long name " * 2_000,
    '"' * 5_000,
)
LETTERS = "ab\"',;\n\r\t\\ |:éß中🦄\u2028"
SEED = 8


def texts(random: Random, count: int) -> list[str]:
    """The hostile ones and random ones of the letters that matter."""
    made = ("".join(random.choices(LETTERS, k=random.randint(1, 12))) for _ in range(count))
    return [*HOSTILE, *made]


def grown(folder: Path) -> tuple[Ledger, Files]:
    """A ledger after random operations (merges, retractions, scores), then one commit of everything there is."""
    ledger, files = grow(folder, seed=SEED, parts=(60,)).world.ledger, Files(folder / "files")
    random = Random(SEED)
    hard = texts(random, 200)
    nodes = {label: f"{kind.schemes[0]}:of a {label}" for label, kind in NODES.items()}
    said: list[Claim] = [_claim(Node(label, id), hard, random) for label, id in nodes.items()]
    for type, edge in EDGES.items():
        ends = nodes[edge.source[0]], nodes[edge.target[0]]
        for text in random.sample(hard, 3):
            values = {name: _value(prop, text, random) for name, prop in edge.props.items()}
            values |= {"currency": "EUR"} if "amount" in values else {}
            said.append(_claim(Edge(type, *ends, values, key=text), hard, random))
    for name, prop in PROPERTIES.items():
        if name != "embedding":
            values = {name: _value(prop, random.choice(hard), random)} | {"currency": random.choice(("EUR", "JPY"))}
            said.append(_claim(Facts(nodes["Bank"], values, key=random.choice(hard)), hard, random))
    said += [_claim(Facts(nodes["Company"], {"name": text}), hard, random) for text in hard]
    matrix = np.random.default_rng(SEED).normal(size=(4, 8)).astype(np.float32)
    digest = put_vectors(files, matrix)
    banks = [Node("Bank", f"lei:V{row}") for row in range(4)]
    said += [_claim(bank, hard, random) for bank in banks]
    said += [
        _claim(Facts(bank.id, {"embedding": address(digest, row)}, key="model"), hard, random)
        for row, bank in enumerate(banks)
    ]
    commit(ledger, *said)
    return ledger, files


def _claim(what: Node | Edge | Facts, hard: list[str], random: Random) -> Claim:
    published = START.replace(day=random.randint(1, 28))
    quote, place = random.choice(hard), random.choice(hard)
    return Claim(what, Evidence("d" * 64, place, quote, "registers.csv@1", random.random()), published)


def _value(prop: Property, text: str, random: Random) -> Value:
    """A value of the property's type: texts hostile, numbers at the ends of what their type holds."""
    choices: dict[str, tuple[Value, ...]] = {
        "text": (text,),
        "int": (0, -(2**63), 2**63 - 1),
        "bool": (True, False),
        "real": (0.1, -1e-300, 1.7976931348623157e308, 1 / 3),
        "money": (Decimal("0.005"), Decimal("-1234567890123456789.123456789"), Decimal("99.99")),
        "time": (datetime(1873, 5, 9, tzinfo=UTC),),
    }
    return random.choice(choices[prop.type])
