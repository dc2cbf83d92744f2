"""The no-peek certificate of a detector of payments holds, is kept with its run, and catches a planted leak."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from gnn.payments.detector import Settings
from gnn.payments.proof import attested, scored_at, scoring
from gnn.payments.run import Asked, trained
from gnn.peek import Readable, certificate
from gnn.runs import RunStore
from kg.errors import ModelError
from kg.files import Files
from kg.ledger import Ledger
from kg.model import AsOf, Claim, ClaimBatch, Edge, Evidence, Node, RunManifest, digest
from tests.test_gnn_payments_detector import SMALL, START, planted

CUT = START + timedelta(days=60)
Home = tuple[Ledger, Files, Asked]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Planted payments as claims, published at noon of the day after, and which of them launder."""
    folder = tmp_path_factory.mktemp("payments")
    table, claims = planted(days=75, each=8, accounts=120), list[Claim]()

    def say(what: Node | Edge, published: datetime, start: datetime | None = None) -> None:
        proof = Evidence(digest(b"bank"), f"row:{len(claims)}", f"row {len(claims)}", "trades.bank@1")
        claims.append(Claim(what, proof, published, valid_from=start))

    for number in range(120):
        say(Node("Account", f"acct:{number:05d}", {}), START - timedelta(days=1))
    for row in table.to_pylist():
        ends = f"acct:{row['source']:05d}", f"acct:{row['target']:05d}"
        props = {"amount": Decimal(str(round(row["amount"], 2))), "currency": "EUR"}
        when = row["time"].replace(tzinfo=UTC)
        say(Edge("PAID", *ends, props, key=str(row["id"])), when + timedelta(hours=12), when)
    ledger, files = Ledger.open(folder / "ledger"), Files(folder / "files")
    ledger.commit(ClaimBatch.of(claims), RunManifest("ingest", {}))
    truth = dict(zip(map(str, table["id"].to_pylist()), table["truth"].to_pylist(), strict=True))
    edges = ledger.view(AsOf()).edges_of("PAID").select(["id", "key"]).to_pylist()
    labels = {"payment": [edge["id"] for edge in edges], "truth": [int(truth[edge["key"]]) for edge in edges]}
    return ledger, files, Asked(labels=pa.table(labels))


SETTINGS = Settings(valid=SMALL.valid, wiring=SMALL.wiring, course=SMALL.course, tried=())


def test_a_detector_gets_its_certificate_and_the_run_keeps_it_with_the_loss_curve(home: Home, tmp_path: Path) -> None:
    ledger, files, asked = home
    found = trained(ledger, CUT, tmp_path, asked, SETTINGS, files)
    proof = found.certificate
    assert proof is not None and proof.holds and proof.changed > 50 and set(proof.before) == {
        "payments", "boost", "network"
    }  # fmt: skip
    assert any("stayed the same to the last bit" in remark for remark in found.remarks)
    run = RunStore(tmp_path).get(found.run)
    assert run.details["certificate"]["holds"] is True
    assert [row["epoch"] for row in run.losses] == list(range(1, len(run.losses) + 1)) and len(run.losses) > 0
    assert all(row["model"] == "network" and np.isfinite(row["loss"]) for row in run.losses)


def test_a_planted_leak_is_caught_for_payments_too(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger, files, asked = home

    def tomorrow(own: Readable, there: Files) -> dict[str, bytes]:
        """How often an account pays, counted over all days."""
        source = own.view(AsOf()).edges_of("PAID")["source"].to_numpy()
        return {"degree": np.bincount(source).tobytes()}

    honest = scoring(CUT, asked, SETTINGS)
    both = certificate(lambda own, there: {**honest(own, there), **tomorrow(own, there)}, ledger, files, CUT)
    assert both.moved == ["degree"] and "REFUSED" in both.remark()
    reads_on = partial(scored_at, cut=CUT + timedelta(days=10), asked=asked, settings=SETTINGS)
    monkeypatch.setattr("gnn.payments.proof.scored_at", lambda *given, **how: reads_on(*given))
    with pytest.raises(ModelError, match="moved, so something reads the future"):
        attested(ledger, files, CUT, asked, SETTINGS)
