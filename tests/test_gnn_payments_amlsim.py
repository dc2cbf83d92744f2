"""The AMLSim sample: which transfers count as laundering, and what its amounts give away."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import numpy as np
import pytest

from gnn.payments.amlsim import START, read
from gnn.payments.table import DAY, Payments, micro
from kg.errors import ModelError

ACCOUNTS = "nodeid,isFraud,init_balance,fraudStep\n0,0,100.00,-1\n1,1,200.00,3\n2,1,300.00,-1\n3,1,90.00,3\n"
TRANSFERS = "sourceNodeId,targetNodeId,value,time\n1,2,200.00,1\n1,2,7.50,3\n1,0,200.00,3\n0,2,100.00,3\n2,3,7.25,3\n"


def packed(folder: Path, files: dict[str, str]) -> Path:
    path = folder / "sample.tgz"
    with tarfile.open(path, "w:gz") as out:
        for name, text in files.items():
            entry = tarfile.TarInfo(f"sample/{name}")
            entry.size = len(text)
            out.addfile(entry, io.BytesIO(text.encode()))
    return path


def test_a_transfer_launders_where_both_accounts_are_of_schemes_and_it_is_the_senders_step(tmp_path: Path) -> None:
    own = Payments.of(read(packed(tmp_path, {"nodes.csv": ACCOUNTS, "transactions.csv": TRANSFERS})))
    assert own.labels().tolist() == [0, 1, 0, 0, 0]
    assert own.cents.tolist() == [20_000, 750, 20_000, 10_000, 725]
    assert own.time.tolist() == [micro(START) + step * DAY for step in (1, 3, 3, 3, 3)]


def test_a_file_that_is_no_sample_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"holds no transactions\.csv"):
        read(packed(tmp_path, {"nodes.csv": ACCOUNTS}))
    (tmp_path / "other.tgz").write_text("no tar")
    with pytest.raises(ModelError, match="is no tar file of the AMLSim sample"):
        read(tmp_path / "other.tgz")
    with pytest.raises(ModelError, match="lacks the column"):
        read(packed(tmp_path, {"nodes.csv": "nodeid\n1\n", "transactions.csv": TRANSFERS}))


@pytest.mark.real
def test_the_amounts_of_the_real_sample_give_its_schemes_away(real_data: Path) -> None:
    own = Payments.of(read(next((real_data / "aml").glob("*.tgz"))))
    assert (len(own), int(own.labels().sum())) == (120_558, 3_540)
    small = own.cents < 10_000
    assert np.mean(small[own.labels() > 0]) > 0.99 and small[own.labels() == 0].sum() < 200
