"""Transfers become suspicions: causal features, boosting and a network over the multigraph of payments."""

from gnn.payments.detector import Detector, Reason, Scored, Settings, train
from gnn.payments.protocol import DAILY, STRICT, Protocol
from gnn.payments.table import Payments

__all__ = ["DAILY", "STRICT", "Detector", "Payments", "Protocol", "Reason", "Scored", "Settings", "train"]
