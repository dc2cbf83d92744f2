"""Block chains: transactions of UTXO chains (bitcoin) and account chains (ethereum) as payments between addresses.

One PAID edge for each output of a transaction, keyed by the transaction, and one for the fee. Where several addresses
pay, they pay into an account of the transaction and it pays out, since a chain does not say who of them paid whom. A
transaction whose inputs are not its outputs and fee is refused.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from ingest.extract.formats.pointer import BROKEN, at, pointer, read_json, written
from ingest.extract.payments.chain import Chain, Steps, Transaction, is_transaction, read_transaction, transactions
from ingest.source import Extract, Models, Record, Refusal, Source
from kg.errors import RecordError
from kg.model import Claim, ClaimBatch, Edge, Evidence, Node

_HEAD = 200_000


class ChainSource(Source):
    """Transactions of block chains."""

    extractor = "chain.transactions@1"
    patterns = ("*.json", "*.jsonl")

    def records(self) -> Iterator[Record]:
        """One record per file with transactions."""
        for path in self.files:
            with path.open("rb") as file:
                head = file.read(_HEAD)
            if looks_like_chain(head):
                yield Record("chain", path.relative_to(self.folder).as_posix(), path.read_bytes())

    def claims(self, record: Record, models: Models) -> Extract:
        value = read_json(record.content)
        chain, found = transactions(value)
        claims: list[Claim] = []
        refused = [Refusal(f"json:/{n}", "the line is no JSON") for n, v in enumerate(_lines(value)) if v is BROKEN]
        rules: Counter[str] = Counter()
        for steps, tx, time in found:
            try:
                claims += self._paid(record, value, chain, read_transaction(tx, steps, time, chain), rules)
            except RecordError as error:
                refused.append(Refusal(pointer(steps), str(error)))
        return Extract(ClaimBatch.of(_once(claims)), refused, (), rules)

    def _paid(
        self, record: Record, value: Any, chain: Chain, transaction: Transaction, rules: Counter[str]
    ) -> Iterator[Claim]:
        """Payments of one transaction, numbered in its order."""
        rules.update({"chain.change": transaction.change} if transaction.change else {})
        for number, moved in enumerate(transaction.transfers):
            evidence = self._evidence(record, value, moved.place)
            for who in (moved.payer, moved.payee):
                yield Claim(Node("Account", who), evidence, transaction.time)
            props: dict[str, Any] = {"amount": moved.amount, "currency": chain.currency, "count": 1}
            if moved.exact:
                rules["chain.beyond_nine_decimals"] += 1
                props["role"] = f"exactly {moved.exact} of {chain.unit:f}"
            key = f"{transaction.id}/{number}"
            edge = Edge("PAID", moved.payer, moved.payee, props, key)
            yield Claim(edge, evidence, transaction.time, transaction.time)

    def _evidence(self, record: Record, value: Any, place: Steps) -> Evidence:
        where = pointer(place)
        return Evidence(record.document, where, written(at(value, where.removeprefix("json:"))), self.extractor)


def looks_like_chain(head: bytes) -> bool:
    """True for JSON whose start holds the keys of a transaction."""
    utxo = all(key in head for key in (b'"txid"', b'"vin"', b'"vout"'))
    if head.lstrip()[:1] not in (b"{", b"["):
        return False
    return utxo or all(key in head for key in (b'"hash"', b'"from"', b'"to"', b'"value"', b'"0x'))


def _lines(value: Any) -> list[Any]:
    return value if isinstance(value, list) and any(map(is_transaction, value)) else []


def _once(claims: list[Claim]) -> Iterator[Claim]:
    """Claims with one node row for each account."""
    seen = set[str]()
    for claim in claims:
        if isinstance(claim.what, Node):
            if claim.what.id in seen:
                continue
            seen.add(claim.what.id)
        yield claim
