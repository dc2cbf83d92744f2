"""Protocol: which transfers a score may see."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gnn.payments.table import DAY, Payments
from kg.errors import ModelError


@dataclass(frozen=True)
class Protocol:
    """What is known when a transfer is scored, always without the transfer itself.

    `strict`: the transfers of an earlier time. `batch`: those up to the end of the batch the transfer lies in, as
    where a bank scores once a day; nothing of a later batch.
    """

    batch: int | None = None
    """Microseconds of a batch, counted from 1970; None is strict."""

    def __post_init__(self) -> None:
        if self.batch is not None and self.batch <= 0:
            raise ModelError(f"a batch lasts {self.batch} microseconds; give a positive length, such as {DAY} for days")

    def seen(self, payments: Payments) -> np.ndarray:
        """(payments,) how many of the leading rows lie before the horizon of each row."""
        if self.batch is None:
            return np.searchsorted(payments.time, payments.time, "left")
        return np.searchsorted(payments.time, self.moment(payments), "left")

    def moment(self, payments: Payments) -> np.ndarray:
        """(payments,) microseconds: the time from which on nothing is seen."""
        if self.batch is None:
            return payments.time
        return (payments.time // self.batch + 1) * self.batch


STRICT = Protocol()
DAILY = Protocol(DAY)
