"""The AMLSim sample: simulated transfers, and which of them belong to a planted scheme."""

from __future__ import annotations

import io
import tarfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa

from gnn.payments.table import DAY, micro
from kg.errors import ModelError

START: Final = datetime(2017, 1, 1, tzinfo=UTC)
"""The day before step 1."""
NEEDED: Final = {
    "nodes.csv": ("nodeid", "isFraud", "fraudStep"),
    "transactions.csv": ("sourceNodeId", "targetNodeId", "value", "time"),
}


def read(path: Path) -> pa.Table:
    """A table for Payments.of from the tar file of the sample.

    The sample names accounts of schemes (isFraud) and the step at which such an account first moved its scheme's
    money (fraudStep), not transfers. A transfer counts as laundering where both accounts are of schemes and its step
    is the sender's. Schemes' transfers of a sender that took part in a second one are not told apart from others.
    """
    accounts, transfers = _member(path, "nodes.csv"), _member(path, "transactions.csv")
    source, target, step = (transfers[name].to_numpy() for name in ("sourceNodeId", "targetNodeId", "time"))
    number = accounts["nodeid"].to_numpy()
    size = int(max(number.max(), source.max(), target.max())) + 1
    bad, first = np.zeros(size, dtype=bool), np.full(size, -1)
    bad[number], first[number] = accounts["isFraud"].to_numpy() == 1, accounts["fraudStep"].to_numpy()
    truth = bad[source] & bad[target] & (first[source] == step)
    time = pa.array(micro(START) + step.astype(np.int64) * DAY, pa.timestamp("us", "UTC"))
    ids = pa.array([str(k) for k in range(len(transfers))])
    columns = {"id": ids, "source": source, "target": target, "amount": transfers["value"], "time": time}
    return pa.table(columns | {"truth": truth.astype(np.float64)})


def _member(path: Path, name: str) -> pa.Table:
    from pyarrow import csv

    try:
        with tarfile.open(path) as folder:
            found = [member for member in folder.getmembers() if member.isfile() and Path(member.name).name == name]
            content = folder.extractfile(found[0]) if found else None
            if content is None:
                raise ModelError(f"{path.name} holds no {name}; give the tar file of the AMLSim sample")
            table = csv.read_csv(io.BytesIO(content.read()))
    except (tarfile.TarError, OSError, pa.ArrowInvalid) as error:
        raise ModelError(f"{path.name} is no tar file of the AMLSim sample: {error}") from error
    if lost := [column for column in NEEDED[name] if column not in table.column_names]:
        raise ModelError(f"{name} of {path.name} lacks the column {', '.join(lost)}; give the AMLSim sample of 2019")
    return table
