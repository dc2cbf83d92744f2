"""What the FinBench reads must answer, by plain Python and networkx over the drawn tables.

Written from the text of the LDBC FinBench specification (complex reads 1-12, simple reads 1-6), not from the queries:
no ledger, snapshot, store or Cypher is used here. Where that text leaves a choice, docs/scale/finbench.md names the
one taken. Money is counted in cents, instants are compared as datetimes, both ends of a window are excluded.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from math import floor
from typing import Any

import networkx as nx

from tests.finbench_tables import Link, Move, Tables

Row = dict[str, Any]
EVER = (datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC))
ORDERS: dict[str, Callable[[Any], Any]] = {
    "TIMESTAMP_ASCENDING": lambda edge: (edge.moment, edge.key),
    "TIMESTAMP_DESCENDING": lambda edge: (-(edge.moment - EVER[0]).total_seconds(), edge.key),
    "AMOUNT_ASCENDING": lambda edge: (edge.cents, edge.key),
    "AMOUNT_DESCENDING": lambda edge: (-edge.cents, edge.key),
}


def thousandth(part: int, whole: int, nothing: float = -1.0) -> float:
    """The ratio, half a thousandth rounded up; `nothing` where there is nothing to divide by."""
    return floor(Fraction(part, whole) * 1000 + Fraction(1, 2)) / 1000 if whole else nothing


@dataclass(frozen=True)
class Asked:
    """The parameters that many reads share."""

    after: datetime = EVER[0]
    before: datetime = EVER[1]
    currency: str = "EUR"
    limit: int = 10_000
    order: str = "TIMESTAMP_DESCENDING"

    def within(self, edges: Iterable[Any]) -> list[Any]:
        return [edge for edge in edges if self.after < edge.moment < self.before]

    def first(self, edges: Iterable[Any]) -> list[Any]:
        """Those of a hub's edges that are followed."""
        return sorted(edges, key=ORDERS[self.order])[: self.limit]


class Oracle:
    """The tables, with what leads out of and into each account."""

    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        self.out: dict[str, list[Move]] = defaultdict(list)
        self.into: dict[str, list[Move]] = defaultdict(list)
        for move in tables.moves:
            self.out[move.source].append(move)
            self.into[move.target].append(move)
        self.accounts = {account.id: account for account in tables.accounts}
        self.loans = {loan.id: loan for loan in tables.loans}
        self.owner = {link.target: link.source for link in tables.linked("own")}
        self.label = {party.id: party.label for party in tables.parties}

    def owned(self, party: str) -> list[str]:
        return [account for account, owner in self.owner.items() if owner == party]

    def sent(self, account: str, asked: Asked, *kinds: str) -> list[Move]:
        return [m for m in asked.within(self.out[account]) if m.kind in (kinds or ("transfer",))]

    def received(self, account: str, asked: Asked, *kinds: str) -> list[Move]:
        return [m for m in asked.within(self.into[account]) if m.kind in (kinds or ("transfer",))]

    def traces(self, account: str, asked: Asked) -> list[list[Move]]:
        """Every chain of one to three transfers out of an account, each later than the one before."""
        chains = [[move] for move in asked.first(self.sent(account, asked))]
        found = chains
        for _ in range(2):
            chains = [
                [*chain, move]
                for chain in chains
                for move in asked.first(self.sent(chain[-1].target, asked))
                if move.moment > chain[-1].moment
            ]
            found = found + chains
        return found

    def upstream(self, account: str, asked: Asked) -> set[str]:
        """Accounts from which one to three ever later transfers lead to an account, looked for against the stream."""
        chains = [[move] for move in asked.first(self.received(account, asked))]
        found = {move.source for (move,) in chains}
        for _ in range(2):
            chains = [
                [move, *chain]
                for chain in chains
                for move in asked.first(self.received(chain[0].source, asked))
                if move.moment < chain[0].moment
            ]
            found |= {chain[0].source for chain in chains}
        return found

    # ---- complex reads

    def blocked_devices(self, id: str, asked: Asked) -> list[Row]:
        media = {medium.id: medium for medium in self.tables.media if medium.blocked}
        signed: dict[str, set[str]] = defaultdict(set)
        for link in asked.within(self.tables.linked("sign_in")):
            if link.source in media:
                signed[link.target].add(link.source)
        reached = {(len(trace), trace[-1].target) for trace in self.traces(id, asked)}
        rows = sorted((steps, other, medium) for steps, other in reached for medium in signed[other])
        return [{"other": o, "distance": s, "device": m, "device_type": media[m].type} for s, o, m in rows]

    def funds_from_loans(self, id: str, asked: Asked) -> list[Row]:
        others = set().union(*(self.upstream(account, asked) for account in self.owned(id)), set())
        rows = []
        for other in others:
            named = {move.source for move in self.received(other, asked, "deposit")}
            loans = [self.loans[loan] for loan in named if self.loans[loan].currency == asked.currency]
            if loans:
                lent, owed = sum(loan.amount for loan in loans), sum(loan.balance for loan in loans)
                rows.append({"other": other, "lent_minor": int(lent * 100), "balance_minor": int(owed * 100),
                             "loans": len(loans)})  # fmt: skip
        return sorted(rows, key=lambda row: (-row["lent_minor"], row["other"]))

    def shortest_transfer(self, payer: str, receiver: str, asked: Asked) -> list[Row]:
        graph = nx.DiGraph((m.source, m.target) for m in asked.within(self.tables.moved("transfer")))
        graph.add_nodes_from((payer, receiver))
        length = nx.shortest_path_length(graph, payer, receiver) if nx.has_path(graph, payer, receiver) else -1
        return [{"transfers": length, "complete": True}]

    def transfer_cycle(self, payer: str, receiver: str, asked: Asked) -> list[Row]:
        if all(move.target != receiver for move in self.sent(payer, asked)):
            return []
        rows = []
        for other in self.accounts.keys() - {payer, receiver}:
            forth = [m.cents for m in self.sent(receiver, asked) if m.target == other and m.currency == asked.currency]
            back = [m.cents for m in self.sent(other, asked) if m.target == payer and m.currency == asked.currency]
            if forth and back:
                rows.append(
                    {"other": other, "received": len(forth), "received_minor": sum(forth),
                     "largest_received_minor": max(forth), "returned": len(back), "returned_minor": sum(back),
                     "largest_returned_minor": max(back)}
                )  # fmt: skip
        return sorted(rows, key=lambda row: (-row["received_minor"], -row["returned_minor"], row["other"]))

    def transfer_traces(self, id: str, asked: Asked) -> list[Row]:
        paths = set()
        for account in self.owned(id):
            for trace in self.traces(account, asked):
                path = (account, *(move.target for move in trace))
                if len(set(path)) == len(path):
                    paths.add(path)
        rows = [{"transfers": len(path) - 1, "trace": "".join(f"{id} " for id in path)} for path in paths]
        return sorted(rows, key=lambda row: (-row["transfers"], row["trace"]))

    def withdrawal_after_pooling(self, id: str, paid_in_above: int, withdrawn_above: int, asked: Asked) -> list[Row]:
        withdrawn: Counter[str] = Counter()
        into_card = [m for m in self.received(id, asked, "withdraw") if m.currency == asked.currency]
        for move in asked.first(into_card):
            if move.cents > withdrawn_above:
                withdrawn[move.source] += move.cents
        rows = []
        for middle, total in withdrawn.items():
            from_others = [
                m for m in self.received(middle, asked) if m.currency == asked.currency and m.source != middle
            ]
            large = [m.cents for m in asked.first(from_others) if m.cents > paid_in_above]
            if len(large) > 3:
                rows.append({"account": middle, "paid_in_minor": sum(large), "withdrawn_minor": total})
        return sorted(rows, key=lambda row: (-row["withdrawn_minor"], row["account"]))

    def _both_sides(self, id: str, above: int, asked: Asked) -> tuple[list[Move], list[Move]]:
        sides = (self.received(id, asked), self.sent(id, asked))
        here = ([m for m in side if m.currency == asked.currency] for side in sides)
        into, out = ([m for m in asked.first(side) if m.cents > above] for side in here)
        return into, out

    def fast_in_fast_out(self, id: str, above: int, asked: Asked) -> list[Row]:
        into, out = self._both_sides(id, above, asked)
        ratio = thousandth(sum(m.cents for m in into), sum(m.cents for m in out))
        return [
            {"sources": len({m.source for m in into}), "targets": len({m.target for m in out}), "in_over_out": ratio}
        ]

    def loan_trace(self, id: str, threshold: float, asked: Asked) -> list[Row]:
        loan = self.loans[id]
        chains = [[m] for m in self.sent(id, asked, "deposit") if m.currency == loan.currency]
        nearest: dict[str, int] = {}
        inflow: dict[str, dict[str, int]] = defaultdict(dict)
        for distance in (2, 3, 4):
            grown = []
            for chain in chains:
                leaving = self.sent(chain[-1].target, asked, "transfer", "withdraw")
                follow = asked.first(m for m in leaving if m.currency == loan.currency)
                grown += [[*chain, m] for m in follow if m.cents > threshold * chain[-1].cents]
            for chain in grown:
                inflow[chain[-1].target][chain[-1].key] = chain[-1].cents
                nearest.setdefault(chain[-1].target, distance)
            chains = grown
        lent = int(loan.amount * 100)
        rows = [
            {"account": account, "ratio": thousandth(sum(edges.values()), lent), "distance": nearest[account]}
            for account, edges in inflow.items()
        ]
        return sorted(rows, key=lambda row: (-row["distance"], -row["ratio"], row["account"]))

    def loan_laundering(self, id: str, above: int, asked: Asked) -> list[Row]:
        def total(moves: list[Move]) -> int:
            return sum(m.cents for m in moves if m.currency == asked.currency and m.cents > above)

        drawn, repaid = total(self.received(id, asked, "deposit")), total(self.sent(id, asked, "repay"))
        into, out = (total(side) for side in self._both_sides(id, above, asked))
        return [{"drawn_over_repaid": thousandth(drawn, repaid), "drawn_over_sent": thousandth(drawn, out),
                 "received_over_sent": thousandth(into, out)}]  # fmt: skip

    def investor_similarity(self, a: str, b: str, asked: Asked) -> list[Row]:
        links = asked.within(self.tables.linked("invest"))
        one, other = ({link.target for link in links if link.source == who} for who in (a, b))
        both, either = len(one & other), len(one | other)
        return [{"similarity": thousandth(both, either, 0.0), "both": both, "either": either}]

    def guarantee_chain(self, id: str, asked: Asked) -> list[Row]:
        given: dict[str, list[Link]] = defaultdict(list)
        for link in asked.within(self.tables.linked("guarantee")):
            given[link.source].append(link)
        graph = nx.DiGraph((link.source, link.target) for links in given.values() for link in asked.first(links))
        graph.add_node(id)
        down = set(nx.descendants(graph, id))
        if any(id in graph.successors(other) for other in [*down, id]):
            down.add(id)  # the chain comes back to where it began
        applied = {link.target for link in self.tables.linked("apply") if link.source in down}
        cents = [int(loan.amount * 100) for loan in self.tables.loans
                 if loan.id in applied and loan.currency == asked.currency]  # fmt: skip
        return [{"lent_minor": sum(cents), "loans": len(cents), "parties": len(down), "complete": True}]

    def transfers_to_companies(self, id: str, asked: Asked) -> list[Row]:
        paid: Counter[str] = Counter()
        for account in self.owned(id):
            for move in asked.first(m for m in self.sent(account, asked) if m.currency == asked.currency):
                if self.label.get(self.owner.get(move.target, "")) == "Company":
                    paid[move.target] += move.cents
        return [{"account": id, "paid_minor": cents} for id, cents in sorted(paid.items(), key=lambda p: (-p[1], p[0]))]

    # ---- simple reads

    def account(self, id: str) -> list[Row]:
        found = self.accounts[id]
        created = found.created.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        return [{"account": id, "created": created, "blocked": found.blocked, "type": found.type}]

    def turnover(self, id: str, asked: Asked) -> list[Row]:
        row: Row = {}
        for name, side in (("sent", self.sent(id, asked)), ("received", self.received(id, asked))):
            cents = [m.cents for m in side if m.currency == asked.currency]
            row |= {name: len(cents), f"{name}_minor": sum(cents), f"largest_{name}_minor": max(cents, default=-1)}
        return [row]

    def blocked_share(self, id: str, above: int, asked: Asked) -> list[Row]:
        into = [m for m in self.received(id, asked) if m.currency == asked.currency and m.cents > above]
        blocked = [m for m in into if self.accounts[m.source].blocked]
        return [{"blocked_share": thousandth(len(blocked), len(into)), "received": len(into)}]

    def _by_other(self, moves: list[Move], other: str, above: int, asked: Asked) -> list[Row]:
        groups: dict[str, list[int]] = defaultdict(list)
        for move in moves:
            if move.currency == asked.currency and move.cents > above:
                groups[getattr(move, other)].append(move.cents)
        rows = [{"other": id, "transfers": len(cents), "amount_minor": sum(cents)} for id, cents in groups.items()]
        return sorted(rows, key=lambda row: (-row["amount_minor"], row["other"]))

    def sent_above(self, id: str, above: int, asked: Asked) -> list[Row]:
        return self._by_other(self.sent(id, asked), "target", above, asked)

    def received_above(self, id: str, above: int, asked: Asked) -> list[Row]:
        return self._by_other(self.received(id, asked), "source", above, asked)

    def same_sources(self, id: str, asked: Asked) -> list[Row]:
        payers = {m.source for m in self.received(id, asked)}
        paid = {m.target for payer in payers for m in self.sent(payer, asked)} - {id}
        return [{"other": other} for other in sorted(paid) if self.accounts[other].blocked]
