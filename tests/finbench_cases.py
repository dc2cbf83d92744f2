"""What each FinBench read must answer in the tiny world, written down by eye."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.finbench_tiny import a, at, d, p


@dataclass(frozen=True)
class Case:
    """A read, what it is asked and what must come out."""

    what: str
    name: str
    given: dict[str, Any]
    rows: list[dict[str, Any]] = field(default_factory=list)


def _cycle(other: str) -> dict[str, Any]:
    return {"other": a(other), "received": 2, "received_minor": 2500, "largest_received_minor": 1500, "returned": 1,
            "returned_minor": 750, "largest_returned_minor": 750}  # fmt: skip


def _device(other: str, distance: int) -> dict[str, Any]:
    return {"other": a(other), "distance": distance, "device": d("bad"), "device_type": "phone"}


def _trace(*names: str) -> dict[str, Any]:
    return {"transfers": len(names) - 1, "trace": "".join(f"{a(name)} " for name in names)}


def _feed(*more: int) -> dict[str, Any]:
    return {"other": a("f1"), "lent_minor": more[0], "balance_minor": more[1], "loans": more[2]}


def _chain(lent: int, loans: int, parties: int) -> list[dict[str, Any]]:
    return [{"lent_minor": lent, "loans": loans, "parties": parties, "complete": True}]


def _gone(account: str, ratio: float, distance: int) -> dict[str, Any]:
    return {"account": a(account), "ratio": ratio, "distance": distance}


UP, DOWN = {"truncation_order": "TIMESTAMP_ASCENDING"}, {"truncation_order": "TIMESTAMP_DESCENDING"}
RICH = {"truncation_order": "AMOUNT_DESCENDING"}
SENT = [
    {"other": a("z3"), "transfers": 2, "amount_minor": 1000},
    {"other": a("z4"), "transfers": 1, "amount_minor": 800},
]
CASES = [
    Case("ever later: b6 was paid too early, b5 is four away, b3 is near on two ways", "blocked_devices",
         {"id": a("b1")}, [_device("b3", 1), _device("b3", 2), _device("b4", 3)]),
    Case("what happens at the very ends of a window is outside", "blocked_devices",
         {"id": a("b1"), "after": at(10), "before": at(31)}, [_device("b3", 1)]),
    Case("of two transfers the later is followed", "blocked_devices",
         {"id": a("b1"), "truncation_limit": 1} | DOWN, [_device("b3", 1)]),
    Case("of two transfers the earlier is followed", "blocked_devices",
         {"id": a("b1"), "truncation_limit": 1} | UP, []),
    Case("a loan drawn twice counts once, another currency not, f4 paid when it was too late", "funds_from_loans",
         {"id": p("f")}, [_feed(80050, 15025, 2)]),
    Case("loans in another currency by themselves", "funds_from_loans",
         {"id": p("f"), "currency": "USD"}, [_feed(900, 900, 1)]),
    Case("a path need not ascend", "shortest_transfer", {"payer": a("s1"), "receiver": a("s3")},
         [{"transfers": 2, "complete": True}]),
    Case("a withdrawal is no transfer", "shortest_transfer", {"payer": a("s3"), "receiver": a("s1")},
         [{"transfers": -1, "complete": True}]),
    Case("nobody is away from himself", "shortest_transfer", {"payer": a("s1"), "receiver": a("s1")},
         [{"transfers": 0, "complete": True}]),
    Case("a window that ends at a transfer cuts the path", "shortest_transfer",
         {"payer": a("s1"), "receiver": a("s3"), "before": at(50)}, [{"transfers": -1, "complete": True}]),
    Case("ten transfers are found", "shortest_transfer", {"payer": a("c0"), "receiver": a("c10")},
         [{"transfers": 10, "complete": True}]),
    Case("eleven are too far, and it says so", "shortest_transfer", {"payer": a("c0"), "receiver": a("c11")},
         [{"transfers": -1, "complete": False}]),
    Case("circles that tie are told by id; parallel transfers are summed", "transfer_cycle",
         {"payer": a("y1"), "receiver": a("y2")}, [_cycle("y3"), _cycle("y4")]),
    Case("no circle without the first transfer", "transfer_cycle", {"payer": a("y2"), "receiver": a("y1")}, []),
    Case("no circle when the first transfer is at the end of the window", "transfer_cycle",
         {"payer": a("y1"), "receiver": a("y2"), "after": at(8), "before": at(10)}, []),
    Case("parallel transfers are one trace, no account comes twice, one instant is not later", "transfer_traces",
         {"id": p("t")}, [_trace("t1", "t2", "t3"), _trace("t1", "t2"), _trace("t1", "t5")]),
    Case("of the transfers of one account the largest is followed", "transfer_traces",
         {"id": p("t"), "truncation_limit": 1} | RICH, [_trace("t1", "t5")]),
    Case("more than three transfers of more than the line, by others", "withdrawal_after_pooling",
         {"id": a("card"), "paid_in_above": "10", "withdrawn_above": "5"},
         [{"account": a("w1"), "paid_in_minor": 5000, "withdrawn_minor": 3000}]),
    Case("exactly three are not enough", "withdrawal_after_pooling", {"id": a("card"), "paid_in_above": "11"}, []),
    Case("half a thousandth is rounded up, another currency does not count", "fast_in_fast_out", {"id": a("q")},
         [{"sources": 2, "targets": 1, "in_over_out": 1.563}]),
    Case("nothing sent above the line", "fast_in_fast_out", {"id": a("q"), "above": "16"},
         [{"sources": 2, "targets": 0, "in_over_out": -1.0}]),
    Case("of two transfers received the first is counted", "fast_in_fast_out",
         {"id": a("q"), "truncation_limit": 1} | UP, [{"sources": 1, "targets": 1, "in_over_out": 1.25}]),
    Case("a crumb is a trace of what came back only", "loan_trace",
         {"id": a("l"), "threshold": 0.3},
         [_gone("l4", 0.299, 4), _gone("l3", 0.54, 3), _gone("l1", 0.2, 3), _gone("l2", 0.6, 2)]),
    Case("exactly the part is not more than it", "loan_trace", {"id": a("l"), "threshold": 0.6}, []),
    Case("drawn, repaid, received and sent", "loan_laundering", {"id": a("l1")},
         [{"drawn_over_repaid": 1.25, "drawn_over_sent": 1.112, "received_over_sent": 0.723}]),
    Case("no money at all", "loan_laundering", {"id": a("l1"), "currency": "CHF"},
         [{"drawn_over_repaid": -1.0, "drawn_over_sent": -1.0, "received_over_sent": -1.0}]),
    Case("one of three companies is shared, though bought twice", "investor_similarity",
         {"a": p("g1"), "b": p("g2")}, [{"similarity": 0.333, "both": 1, "either": 3}]),
    Case("nobody invested", "investor_similarity", {"a": p("g3"), "b": p("g4")},
         [{"similarity": 0.0, "both": 0, "either": 0}]),
    Case("a ring of guarantees comes back to the guarantor", "guarantee_chain", {"id": p("g1")}, _chain(110700, 3, 4)),
    Case("only the later guarantee is followed", "guarantee_chain",
         {"id": p("g1"), "truncation_limit": 1} | DOWN, _chain(100000, 1, 1)),
    Case("the window ends the chain", "guarantee_chain", {"id": p("g1"), "before": at(12)}, _chain(10000, 1, 2)),
    Case("who guarantees for nobody", "guarantee_chain", {"id": p("g4")}, _chain(0, 0, 0)),
    Case("z3 is a company's account, z4 nobody's", "transfers_to_companies", {"id": p("g1")},
         [{"account": a("z3"), "paid_minor": 1000}]),
    Case("an account", "account", {"id": a("z")},
         [{"account": a("z"), "created": "2022-01-01T00:00:00.000000Z", "blocked": False, "type": "savings"}]),
    Case("a blocked account", "account", {"id": a("z1")},
         [{"account": a("z1"), "created": "2022-01-01T00:00:00.000000Z", "blocked": True, "type": "checking"}]),
    Case("sent and received", "turnover", {"id": a("z")},
         [{"sent": 1, "sent_minor": 500, "largest_sent_minor": 500, "received": 3, "received_minor": 6000,
           "largest_received_minor": 3000}]),
    Case("between two instants", "turnover", {"id": a("z"), "after": at(10), "before": at(12)},
         [{"sent": 0, "sent_minor": 0, "largest_sent_minor": -1, "received": 1, "received_minor": 3000,
           "largest_received_minor": 3000}]),
    Case("two of three from a blocked account", "blocked_share", {"id": a("z")},
         [{"blocked_share": 0.667, "received": 3}]),
    Case("nothing received above the line", "blocked_share", {"id": a("z"), "above": "30"},
         [{"blocked_share": -1.0, "received": 0}]),
    Case("sent to each", "sent_above", {"id": a("z1"), "above": "1.99", "after": at(13)}, SENT),
    Case("exactly the line is not above it", "sent_above", {"id": a("z1"), "above": "8", "after": at(13)}, []),
    Case("received from each", "received_above", {"id": a("z"), "above": "10"},
         [{"other": a("z1"), "transfers": 1, "amount_minor": 3000},
          {"other": a("z2"), "transfers": 1, "amount_minor": 2000}]),
    Case("blocked accounts with a source in common, not the account itself", "same_sources", {"id": a("z4")},
         [{"other": a("z3")}]),
]  # fmt: skip
