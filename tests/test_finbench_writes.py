"""The writes of FinBench are claims: what is inserted, blocked and deleted is read at once, and the past stays told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from kg.errors import KgRiskError
from kg.ledger import Ledger
from kg.model import AsOf, Claim, ClaimBatch, Edge, Facts, RunManifest
from kg.store import GraphStore
from queries.catalog import Catalog
from tests.finbench_cases import CASES
from tests.finbench_claims import claims
from tests.finbench_tables import Tables
from tests.finbench_tiny import a, hour, p, tiny
from tests.finbench_world import NOW

pytestmark = pytest.mark.slow
CATALOG = Catalog()
RUN = RunManifest("ingest")
LATE = (a("z4"), a("l"), p("g4"), "reg:tiny-w", "device:tiny-bad")
"""An account, a loan, a person, a company and a device that are inserted later, with all that hangs on them."""


def read(store: GraphStore, name: str, at: AsOf | None = None, **given: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = CATALOG.run(store, f"finbench_{name}", given, at or AsOf(NOW)).to_pylist()
    return rows


def split(whole: Tables) -> tuple[Tables, Tables]:
    """What is there from the first, and what is written later."""

    def parts(rows: list[Any]) -> tuple[list[Any], list[Any]]:
        names = [{getattr(row, field, "") for field in ("id", "source", "target")} for row in rows]
        late = [bool(own & set(LATE)) for own in names]
        return [row for row, is_late in zip(rows, late, strict=True) if not is_late], [
            row for row, is_late in zip(rows, late, strict=True) if is_late
        ]

    fields = ("parties", "accounts", "loans", "media", "moves", "links")
    cut = {field: parts(getattr(whole, field)) for field in fields}
    first, then = (Tables(**{field: cut[field][side] for field in fields}) for side in (0, 1))
    return first, then


@dataclass
class Written:
    """A store to which the later rows came by commits of their own: things, then links, then moves."""

    store: GraphStore
    ledger: Ledger
    at: AsOf
    """When all was inserted, and nothing blocked or deleted."""
    early: AsOf
    """Before the later rows."""


@pytest.fixture(scope="module")
def written(module_store: GraphStore, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Written]:
    first, then = split(tiny())
    with Ledger.open(tmp_path_factory.mktemp("writes") / "ledger") as ledger:
        for rows in (first, replace(then, moves=[], links=[]), Tables(links=then.links), Tables(moves=then.moves)):
            ledger.commit(ClaimBatch.of(claims(rows)), RUN)
            module_store.sync(ledger)
        yield Written(module_store, ledger, AsOf(NOW, ledger.known(4)), AsOf(NOW, ledger.known(1)))


def test_every_kind_of_insert_is_read_as_if_it_had_been_there(written: Written) -> None:
    def wrong(at: AsOf) -> list[str]:
        return [case.what for case in CASES if read(written.store, case.name, at, **case.given) != case.rows]

    assert wrong(written.at) == []
    assert len(wrong(written.early)) >= 8, "the later rows matter"


def test_an_account_is_blocked_from_an_instant_and_until_one(written: Written) -> None:
    filled, ledger = written.store, written.ledger
    (proof, *_) = claims(tiny())
    flag = Facts(a("z"), {"flag": "blocked"})
    ledger.commit(ClaimBatch.of([replace(proof, what=flag, valid_from=hour(100), valid_to=hour(200))]), RUN)
    filled.sync(ledger)
    blocked = [(n, read(filled, "account", AsOf(hour(n)), id=a("z"))[0]["blocked"]) for n in (99, 100, 199, 200)]
    assert blocked == [(99, False), (100, True), (199, True), (200, False)]
    others = [row["other"] for row in read(filled, "same_sources", AsOf(hour(150)), id=a("z4"))]
    assert others == [a("z"), a("z3")]


def test_a_deleted_account_is_gone_with_its_payments_and_was_there_before(written: Written) -> None:
    filled, ledger = written.store, written.ledger
    rows = ledger.alive().to_pylist()
    ledger.retract([row["claim"] for row in rows if a("z2") in (row["subject"], row["object"])], RUN)
    filled.sync(ledger)
    assert read(filled, "account", id=a("z2")) == []
    assert [row["other"] for row in read(filled, "received_above", id=a("z"))] == [a("z1")]
    assert [row["other"] for row in read(filled, "received_above", written.at, id=a("z"))] == [a("z1"), a("z2")]


def test_a_write_that_is_refused_leaves_nothing(written: Written) -> None:
    filled, ledger = written.store, written.ledger
    (proof, *_) = claims(tiny())
    money = {"amount": Decimal(999), "currency": "EUR"}
    good = Claim(Edge("PAID", a("z1"), a("z"), money, "rolled back"), proof.evidence, hour(50), hour(50))
    bad = replace(good, what=Edge("PAID", a("z1"), "reg:tiny-nobody", money, "to nobody"))
    head, before = ledger.head, read(filled, "turnover", id=a("z"))
    with pytest.raises(KgRiskError):
        ledger.commit(ClaimBatch.of([good, bad, replace(good, valid_to=hour(50) - timedelta(hours=1))]), RUN)
    filled.sync(ledger)
    assert (ledger.head, read(filled, "turnover", id=a("z"))) == (head, before)
