"""Transactions of block chains: who pays whom how much, exact, and refused where value is not conserved.

UTXO chains (bitcoin and its kind): inputs = outputs + fee, in coins of 8 decimals. Account chains (ethereum and its
kind): from pays value + fee, in coins of 18 decimals. The ledger keeps 9; what lies beyond stays in the edge's role.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import ROUND_DOWN, Decimal, InvalidOperation, localcontext
from hashlib import sha256
from typing import Any, Final

from kg.errors import RecordError

Steps = tuple[str | int, ...]
SATOSHI: Final = Decimal("1e-8")
WEI: Final = Decimal("1e-18")
NANO: Final = Decimal("1e-9")
FEES, COINBASE = "fees", "coinbase"
"""Accounts of each chain that stand for all who are paid fees, and for coins that come into being."""
_ETHEREUM = re.compile(r"0x[0-9a-f]{40}")
_BITCOIN = re.compile(r"[a-zA-Z0-9]{14,90}")


@dataclass(frozen=True, slots=True)
class Chain:
    """What a file says of its chain, or what is usual."""

    name: str
    currency: str
    unit: Decimal
    """Coins of the smallest unit."""
    whole: Decimal = Decimal(1)
    """Coins of a whole JSON number: explorers write smallest units, nodes of the network coins."""


BITCOIN: Final = Chain("btc", "BTC", SATOSHI)
ETHEREUM: Final = Chain("eth", "ETH", WEI)


@dataclass(frozen=True, slots=True)
class Transfer:
    """Value that moves from one account to another in one transaction."""

    payer: str
    payee: str
    amount: Decimal
    exact: str
    """The amount in smallest units, where the ledger's nine decimals do not hold it."""
    place: Steps
    """Where the file says so."""


@dataclass(frozen=True, slots=True)
class Transaction:
    """One transaction, conserved."""

    id: str
    time: datetime
    transfers: Sequence[Transfer]
    change: int = 0
    """Outputs that go back to the one who pays: they are no payment."""


def transactions(value: Any) -> tuple[Chain, list[tuple[Steps, Mapping[str, Any], Any]]]:
    """The chain of a file, and each transaction with where it stands and the time of its block.

    RecordError if the JSON holds none.
    """
    header = value if isinstance(value, dict) and not is_transaction(value) else {}
    found = list(_walk(value, (), None))
    if not found:
        raise RecordError("no transactions; expected objects with txid, vin and vout, or with hash, from, to and value")
    usual = BITCOIN if "vin" in found[0][1] else ETHEREUM
    name = str(header.get("chain", usual.name)).lower()
    decimals = header.get("decimals")
    unit = Decimal(1).scaleb(-decimals) if isinstance(decimals, int) and 0 <= decimals <= 30 else usual.unit
    return Chain(name, str(header.get("currency", usual.currency)).upper(), unit), found


def _walk(value: Any, steps: Steps, time: Any) -> Iterator[tuple[Steps, Mapping[str, Any], Any]]:
    if isinstance(value, list):
        for number, item in enumerate(value):
            yield from _walk(item, (*steps, number), time)
    elif isinstance(value, dict):
        if is_transaction(value):
            yield steps, value, time
            return
        at = value.get("time", value.get("timestamp", time))
        for key in ("result", "block", "blocks", "tx", "transactions"):
            if isinstance(value.get(key), dict | list):
                yield from _walk(value[key], (*steps, key), at)


def is_transaction(value: Any) -> bool:
    """True for an object of either kind."""
    if not isinstance(value, dict):
        return False
    utxo = "txid" in value and isinstance(value.get("vin"), list) and isinstance(value.get("vout"), list)
    return utxo or ("hash" in value and {"from", "to", "value"} <= set(value))


def read_transaction(value: Mapping[str, Any], steps: Steps, time: Any, chain: Chain) -> Transaction:
    """One transaction; RecordError that says what is missing or not conserved."""
    at = _time(value, time)
    with localcontext() as context:
        context.prec = 60
        if "vin" in value:
            return _spent(value, steps, at, chain)
        return _sent(value, steps, at, chain)


# ---- UTXO


def _spent(tx: Mapping[str, Any], steps: Steps, time: datetime, chain: Chain) -> Transaction:
    explorer = any(isinstance(out, dict) and {"scriptpubkey", "scriptpubkey_address"} & set(out) for out in tx["vout"])
    chain = replace(chain, whole=chain.unit if explorer else Decimal(1))
    ins = [_input(item, chain, (*steps, "vin", n)) for n, item in enumerate(tx["vin"])]
    outs = [_output(item, chain, (*steps, "vout", n)) for n, item in enumerate(tx["vout"])]
    new = any("coinbase" in item for item in tx["vin"] if isinstance(item, dict))
    paid, got = sum((a for _, a, _ in ins), Decimal(0)), sum((a for _, a, _ in outs), Decimal(0))
    fee = _coins(tx["fee"], chain) if tx.get("fee") is not None else paid - got
    if not new and paid != got + fee:
        raise RecordError(f"inputs {paid:f} are not outputs {got:f} plus fee {fee:f} {chain.currency}")
    if not new and fee < 0:
        raise RecordError(f"outputs {got:f} are more than inputs {paid:f} {chain.currency}")
    senders = sorted({who for who, _, _ in ins})
    if new:
        senders, fee, ins = [account(chain, COINBASE)], Decimal(0), []
    transfers: list[Transfer] = []
    payer = senders[0]
    if len(senders) > 1:
        # who of several senders paid whom is not said: all pay into the transaction and it pays out
        payer = account(chain, f"tx-{tx['txid']}")
        transfers += [Transfer(who, payer, amount, "", place) for who, amount, place in ins]
    change = sum(who == payer for who, _, _ in outs)
    transfers += [Transfer(payer, who, amount, "", place) for who, amount, place in outs if who != payer and amount]
    if fee:
        place = (*steps, "fee") if tx.get("fee") is not None else (*steps, "txid")
        transfers.append(Transfer(payer, account(chain, FEES), fee, "", place))
    return Transaction(str(tx["txid"]), time, transfers, change)


def _input(item: Any, chain: Chain, steps: Steps) -> tuple[str, Decimal, Steps]:
    if not isinstance(item, dict):
        raise RecordError(f"input {steps[-1]} is no object")
    if "coinbase" in item:
        return account(chain, COINBASE), Decimal(0), steps
    spent = item.get("prevout", item)
    if not isinstance(spent, dict) or "value" not in spent:
        raise RecordError(f"input {steps[-1]} does not say what it spends; export with prevout (verbosity 2 or more)")
    where = (*steps, "prevout", "value") if "prevout" in item else (*steps, "value")
    return _holder(spent, chain, steps), _coins(spent["value"], chain), where


def _output(item: Any, chain: Chain, steps: Steps) -> tuple[str, Decimal, Steps]:
    if not isinstance(item, dict) or "value" not in item:
        raise RecordError(f"output {steps[-1]} has no value")
    return _holder(item, chain, steps), _coins(item["value"], chain), (*steps, "value")


def _holder(item: Mapping[str, Any], chain: Chain, steps: Steps) -> str:
    """Account of an output: its address, or its script where it has none."""
    script = item.get("scriptPubKey")
    script = script if isinstance(script, dict) else {}
    many = script.get("addresses")
    first = many[0] if isinstance(many, list) and len(many) == 1 else None
    address = item.get("address") or item.get("scriptpubkey_address") or script.get("address") or first
    if address:
        if not _BITCOIN.fullmatch(str(address)):
            raise RecordError(f"address {address!r} of {steps[-2]} {steps[-1]} is none")
        return account(chain, str(address))
    code = str(script.get("hex") or item.get("scriptpubkey") or "")
    if not code and _coins(item.get("value", 0), chain):
        raise RecordError(f"{steps[-2]} {steps[-1]} has value but neither address nor script")
    return account(chain, f"script-{sha256(code.encode()).hexdigest()[:24]}")


def _coins(value: Any, chain: Chain) -> Decimal:
    """Coins of a value: decimals are coins, of whole numbers the chain says what they are."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        raise RecordError(f"value {value!r} is no number")
    try:
        amount = Decimal(value)
    except InvalidOperation as error:
        raise RecordError(f"value {value!r} is no number") from error
    coins = amount * chain.whole if isinstance(value, int) else amount
    if not coins.is_finite() or coins < 0 or coins.adjusted() > 20 or coins % chain.unit:
        raise RecordError(f"value {value} is negative, absurd or finer than {chain.unit:f} {chain.currency}")
    return coins


# ---- accounts


def _sent(tx: Mapping[str, Any], steps: Steps, time: datetime, chain: Chain) -> Transaction:
    value = _units(tx["value"], "value")
    used, price = tx.get("gasUsed"), tx.get("effectiveGasPrice", tx.get("gasPrice"))
    limit = _units(tx["gas"], "gas") if tx.get("gas") is not None else None
    if used is not None and limit is not None and _units(used, "gasUsed") > limit:
        raise RecordError(f"gas used {_units(used, 'gasUsed')} is more than the limit {limit}")
    fee = _units(used, "gasUsed") * _units(price, "gasPrice") if used is not None and price is not None else 0
    if tx.get("fee") is not None and used is not None and _units(tx["fee"], "fee") != fee:
        raise RecordError(f"fee {_units(tx['fee'], 'fee')} is not gas used times its price, {fee}")
    payer = _address(tx["from"], chain, "from")
    failed = str(tx.get("status", "1")).lower() in ("0", "0x0", "false") or str(tx.get("isError", "0")) == "1"
    target = tx.get("to") or tx.get("contractAddress") or tx.get("creates")
    transfers = []
    if value and not failed:
        if not target:
            raise RecordError("value is sent but neither to nor contractAddress says to whom")
        payee = _address(target, chain, "to")
        if payee != payer:
            transfers.append(_moved(payer, payee, value, (*steps, "value"), chain))
    if fee:
        transfers.append(_moved(payer, account(chain, FEES), fee, (*steps, "gasUsed"), chain))
    change = bool(value and not failed and target and _address(target, chain, "to") == payer)
    return Transaction(str(tx["hash"]), time, transfers, int(change))


def _moved(payer: str, payee: str, units: int, place: Steps, chain: Chain) -> Transfer:
    coins = units * chain.unit
    kept = coins.quantize(NANO, ROUND_DOWN)
    return Transfer(payer, payee, kept, "" if kept == coins else str(units), place)


def _units(value: Any, name: str) -> int:
    """Smallest units of a whole number, in decimal or hexadecimal."""
    try:
        if isinstance(value, bool) or not isinstance(value, int | str):
            raise ValueError
        units = int(value, 16) if isinstance(value, str) and value.startswith("0x") else int(value)
    except ValueError as error:
        raise RecordError(f"{name} {value!r} is no whole number") from error
    if not 0 <= units < 1 << 256:
        raise RecordError(f"{name} {value} is not from 0 to 2^256")
    return units


def _address(value: Any, chain: Chain, name: str) -> str:
    text = str(value).lower()
    if not _ETHEREUM.fullmatch(text):
        raise RecordError(f"{name} {value!r} is no address of 20 bytes")
    return account(chain, text)


def account(chain: Chain, address: str) -> str:
    """Id of an address of a chain."""
    return f"acct:{chain.name}-{address}"


def _time(tx: Mapping[str, Any], block: Any) -> datetime:
    status = tx.get("status")
    inner = status.get("block_time") if isinstance(status, dict) else None
    for name in ("blocktime", "time", "timeStamp", "timestamp", "blockTimestamp"):
        if tx.get(name) is not None:
            return _instant(tx[name])
    found = inner if inner is not None else block
    if found is None:
        raise RecordError("no time of the block; give blocktime, timestamp or the block itself")
    return _instant(found)


def _instant(value: Any) -> datetime:
    """An instant from seconds since 1970 (decimal or 0x) or an ISO time."""
    text = str(value)
    try:
        if text.isdigit() or text.startswith("0x"):
            return datetime.fromtimestamp(int(text, 0), UTC)
        moment = datetime.fromisoformat(text)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise RecordError(f"time {value!r} is neither seconds since 1970 nor an ISO time") from error
