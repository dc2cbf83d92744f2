"""Payments, identifiers and stakes as claims in a real ledger, and for each pattern one instance and one decoy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pyarrow as pa

from kg.ledger import Ledger
from kg.model import AsOf, Claim, ClaimBatch, Edge, Evidence, Facts, Node, RunManifest
from kg.snapshot import Snapshot
from queries.payments.flows import DAY, Flows

START = datetime(2023, 1, 1, tzinfo=UTC)
Paid = tuple[str, str, float, float]
"""Payer, payee, amount, day."""


@dataclass
class Book:
    """Claims in the making; each is public on the day it holds from unless told otherwise."""

    claims: list[Claim] = field(default_factory=list)

    def say(self, what: Any, day: float = 0, published: float | None = None) -> None:
        number, when = len(self.claims), START + timedelta(days=day)
        public = START + timedelta(days=day if published is None else published)
        proof = Evidence(f"{number:064x}", f"row:{number}", "as said", "registers.csv@1")
        self.claims.append(Claim(what, proof, public, when))

    def pay(self, *payments: Paid, published: float | None = None) -> None:
        for payer, payee, amount, day in payments:
            for end in (payer, payee):
                self.say(Node("Account", f"acct:{end}"), 0)
            props = {"amount": Decimal(str(amount)), "currency": "EUR", "count": 1}
            edge = Edge("PAID", f"acct:{payer}", f"acct:{payee}", props, key=f"{day}")
            self.say(edge, day, published)

    def use(self, device: str, *users: str) -> None:
        self.say(Node("Device", f"device:{device}"))
        for user in users:
            self.say(Node("Account", f"acct:{user}"))
            self.say(Edge("USES", f"acct:{user}", f"device:{device}"))

    def flag(self, account: str, text: str) -> None:
        self.say(Facts(f"acct:{account}", {"flag": text}))

    def snapshot(self, folder: Path, at: AsOf | None = None, seed: int | None = None) -> Snapshot:
        claims = list(self.claims)
        if seed is not None:
            Random(seed).shuffle(claims)
        ledger = Ledger.open(folder)
        ledger.commit(ClaimBatch.of(claims), RunManifest("test"))
        return ledger.view(at or AsOf())


def made(payments: Sequence[Paid], **more: Any) -> Book:
    book = Book()
    book.pay(*payments)
    for device, users in more.get("devices", {}).items():
        book.use(device, *users)
    for account, text in more.get("flags", {}).items():
        book.flag(account, text)
    return book


CYCLE: list[Paid] = [("a", "b", 1000, 1), ("b", "c", 980, 2), ("c", "d", 960, 4), ("d", "a", 950, 5)]
FAN: list[Paid] = [(f"p{k}", "hub", 500 + k, 1 + k / 2) for k in range(6)]
CHAIN: list[Paid] = [("a", "b", 1000, 1), ("b", "c", 990, 2), ("c", "d", 970, 3), ("d", "e", 960, 4.5)]
SPREAD: list[Paid] = [
    *(("s", f"m{k}", 1000 + k, 1 + k / 4) for k in range(4)),
    *((f"m{k}", "d", 950 + k, 3 + k / 4) for k in range(4)),
]
SMALL: list[Paid] = [("a", f"x{k % 2}", 9000 + 100 * k, 1 + k) for k in range(5)]
MULES: list[Paid] = [pay for k in range(3) for pay in ((f"v{k}", f"m{k}", 800, 1 + k), (f"m{k}", "boss", 790, 2 + k))]

PLANTED: Mapping[str, Book] = {
    "cycles": made(CYCLE),
    "fan_in": made(FAN),
    "fan_out": made([(b, a, x, t) for a, b, x, t in FAN]),
    "layering": made(CHAIN),
    "scatter_gather": made(SPREAD),
    "structuring": made(SMALL),
    "shared_identifiers": made([], devices={"one": ("a", "b", "c")}),
    "mule_ring": made(MULES, devices={"one": ("m0", "m1"), "two": ("m1", "m2")}),
    "taint": made([("bad", "a", 100, 1), ("a", "b", 60, 2)], flags={"bad": "sanctioned: TEST"}),
}
"""One instance of each pattern: all its payments and joins are of it."""
DECOYS: Mapping[str, Sequence[Book]] = {
    "cycles": (
        made([(a, b, x, 9 - t) for a, b, x, t in CYCLE]),  # against the order of time
        made([(a, b, x, 4 * t) for a, b, x, t in CYCLE]),  # too slow
        made([(a, b, x * (1 + k), t) for k, (a, b, x, t) in enumerate(CYCLE)]),  # other sums
        made([(a, b, x, 3) for a, b, x, _ in CYCLE]),  # all at one moment
    ),
    "fan_in": (made(FAN[:4]), made([(a, b, x, 5 * t) for a, b, x, t in FAN]), made([("p", *p[1:]) for p in FAN])),
    "fan_out": (made([(b, a, x, t) for a, b, x, t in FAN[:4]]), made(FAN)),
    "layering": (
        made(CHAIN[:3]),
        made([(a, b, x * 0.8**k, t) for k, (a, b, x, t) in enumerate(CHAIN)]),
        made([(a, b, x, 5 * t) for a, b, x, t in CHAIN]),
    ),
    "scatter_gather": (
        made([pay for pay in SPREAD if pay[0] not in ("m0", "m1")]),
        made([(a, b if b != "d" else f"d{a}", x, t) for a, b, x, t in SPREAD]),
        made([(a, b, x, 5 - t if a == "s" else t - 2.5) for a, b, x, t in SPREAD]),
    ),
    "structuring": (
        made([(a, b, x + 1000, t) for a, b, x, t in SMALL]),
        made([(a, b, x / 2, t) for a, b, x, t in SMALL]),
        made([(a, b, x, 7 * t) for a, b, x, t in SMALL]),
    ),
    "shared_identifiers": (made([], devices={"one": ("a",), "two": ("b",)}),),
    "mule_ring": (
        made(MULES, devices={"one": ("m0",), "two": ("m1", "m2")}),
        made(MULES[:4], devices={"one": ("m0", "m1", "m2")}),
        made(CYCLE),
    ),
    "taint": (
        made(CYCLE),
        made([("a", "bad", 100, 1)], flags={"bad": "sanctioned: TEST"}),
    ),
}
"""What looks alike and is not the pattern."""


def drawn(seed: int, accounts: int = 8, payments: int = 60, days: int = 20) -> pa.Table:
    """Random payments of a few sums among a few accounts, many of them at one moment."""
    r = np.random.default_rng(seed)
    ends = [f"a{k}" for k in range(accounts)]
    source = r.integers(0, accounts, payments)
    target = (source + r.integers(1, accounts, payments)) % accounts
    return pa.table(
        {
            "id": [f"e{k:05}" for k in range(payments)],
            "source": [ends[k] for k in source],
            "target": [ends[k] for k in target],
            "amount": r.choice([100.0, 95.0, 91.0, 60.0, 9500.0, 9100.0], payments),
            "time": pa.array(r.integers(0, days, payments) * DAY, pa.timestamp("us", "UTC")),
        }
    )


def flows(seed: int, **size: int) -> Flows:
    return Flows.of(drawn(seed, **size))
