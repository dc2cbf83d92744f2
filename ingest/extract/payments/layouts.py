"""Layouts of payments and trades, and the SQL that turns their text cells into typed rows.

A typed row says who (a, b), which side, in which unit, when (t), how much (amount, quantity), what it is called (id),
what it does to an earlier row (act: N new, C cancel, R correct; ref: the row meant) and why it cannot be used (why).
Amounts are DECIMAL from text: none passes through a float.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from ingest.clean import GROUPED

PAIR = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Layout:
    """One way in which files tell of payments or trades."""

    name: str
    edge: str
    """Type of the edge that its rows are summed to."""
    ends: PAIR
    """Columns of the two ends."""
    kinds: PAIR
    """What must stand there, for the reason of a refusal."""
    amount: str
    """Column of the amount, or of the quantity where `price` is set; the quote of several rows sums it."""
    price: str = ""
    side: str = ""
    currency: str = "currency"
    """Column of the currency; "" where there is none (XXX)."""
    ids: Sequence[str] = ()
    """Columns that may name a transaction, the first one there counts."""
    clock: str = "t_iso"
    repeats: bool = True
    """False where rows may be wholly the same and still be two payments."""

    @property
    def columns(self) -> frozenset[str]:
        """Columns that make a file one of this layout."""
        named = (*self.ends, self.amount, self.price, self.side, self.currency, "time")
        return frozenset(column for column in named if column)


PAYMENTS: Final = Layout(
    "payments",
    "PAID",
    ("payer_account", "payee_account"),
    ("an account", "an account"),
    "amount",
    ids=("payment_id", "transaction_id"),
)
TRADES: Final = Layout(
    "trades",
    "TRADED",
    ("party_id", "security_id"),
    ("an id", "an id"),
    "quantity",
    price="price",
    side="side",
    ids=("trade_id", "transaction_id"),
)
TRANSFERS: Final = Layout(
    "amlsim transfers",
    "PAID",
    ("sourceNodeId", "targetNodeId"),
    ("an account", "an account"),
    "value",
    currency="",
    clock="t_step",
    repeats=False,
)
LAYOUTS: Final = {layout.name: layout for layout in (PAYMENTS, TRADES, TRANSFERS)}

ACTIONS: Final = ("action", "status")
"""Columns that say what a row does; the first one there counts."""
REFERENCES: Final = ("original_id", "ref_id")
"""Columns that name the transaction a row cancels or corrects."""
_USUAL = ("EUR", "USD", "GBP", "JPY", "CHF", "CNY", "AUD", "CAD", "HKD", "SGD", "SEK", "NOK", "INR", "BRL", "XXX")
"""Currencies that need no pattern to be known."""
_NEW = ("", "NEW", "N", "NEWT", "FILL", "FILLED", "EXECUTED", "BOOKED", "SETTLED", "COMPLETED", "CONFIRMED")
_CANCEL = ("CANCEL", "CANCELLED", "CANCELED", "CANC", "C", "VOID", "BUST", "EROR", "REVERSED")
_CORRECT = ("CORRECT", "CORRECTED", "CORRECTION", "CORR", "R", "REPLACE", "REPLACED", "AMEND", "AMENDED", "MODI")


def used(layout: Layout, columns: Collection[str]) -> frozenset[str]:
    """Columns of a file that are read or only name its rows."""
    return layout.columns | (set(columns) & {*layout.ids, *ACTIONS, *REFERENCES})


def typed(layout: Layout, columns: Collection[str], view: str = "cells") -> str:
    """SELECT of the typed rows of a view of text cells; the table `ids` (k_given, k_end, k_wrong) holds every end."""
    there = set(columns)
    price = f", {_number(layout.price)} AS k_price" if layout.price else ""
    needed = ", ".join(_name(column) for column in sorted(layout.columns))
    cells = f"""SELECT k_n, k_body, {needed}, {_CLOCKS[layout.clock]} AS k_t, {_number(layout.amount)} AS k_raw{price},
      {_act(there)} AS k_act, {_text(REFERENCES, there)} AS k_ref, {_text(layout.ids, there)} AS k_id FROM {view}"""
    unit = f"coalesce(trim({_name(layout.currency)}), '')" if layout.currency else "'XXX'"
    side = f"coalesce(left(upper(trim({_name(layout.side)})), 1), '')" if layout.side else "''"
    a, b = (_name(end) for end in layout.ends)
    return f"""SELECT k_n AS n, k_body AS body, coalesce(x.k_end, '') AS a, coalesce(y.k_end, '') AS b, {side} AS side,
      {unit} AS unit, k_t AS t, {_amount(layout)} AS amount, {_quantity(layout)} AS quantity, k_raw AS raw, k_id AS id,
      k_ref AS ref, k_act AS act, {_why(layout, unit)} AS why
      FROM ({cells}) c LEFT JOIN ids x ON x.k_given = c.{a} LEFT JOIN ids y ON y.k_given = c.{b}"""


def _name(column: str) -> str:
    return '"' + column.replace('"', '""') + '"'


_CLOCKS: Final = {
    "t_iso": "CASE WHEN try_cast(trim(time) AS TIMESTAMPTZ) BETWEEN TIMESTAMPTZ '0001-01-01 00:00:00+00' AND "
    "TIMESTAMPTZ '9999-12-31 00:00:00+00' THEN try_cast(trim(time) AS TIMESTAMPTZ) END",
    "t_step": "TIMESTAMPTZ '2017-01-01 00:00:00+00' + to_days(try_cast(time AS INTEGER))",
}


def _number(column: str) -> str:
    """A number as DECIMAL(38, 9): separators of thousands removed, null if it is none or has more than nine decimals.

    Plainly written ones are cast at once; the way over patterns costs several times as much and is for the others.
    """
    raw = _name(column)
    short = f"length({raw}) - coalesce(nullif(instr({raw}, '.'), 0), length({raw})) <= 9"
    odd = " OR ".join(f"contains({raw}, '{mark}')" for mark in ("_", "e", "E"))
    at_once = f"CASE WHEN {short} AND NOT ({odd}) THEN try_cast({raw} AS DECIMAL(38, 9)) END"
    grouped = f"regexp_full_match(trim({raw}), '{GROUPED}')"
    plain = rf"CASE WHEN {grouped} THEN regexp_replace({raw}, '[,\s]', '', 'g') ELSE trim({raw}) END"
    exact = rf"regexp_full_match({plain}, '[+-]?(\d+(\.\d{{0,9}}0*)?|\.\d{{1,9}}0*|\d+\.?\d*[eE][+-]?\d{{1,2}})')"
    return f"coalesce({at_once}, CASE WHEN {exact} THEN try_cast({plain} AS DECIMAL(38, 9)) END)"


def _amount(layout: Layout) -> str:
    if not layout.price:
        return "k_raw"
    return "try_cast(try_cast(k_raw AS DECIMAL(21, 8)) * try_cast(k_price AS DECIMAL(17, 8)) AS DECIMAL(38, 16))"


def _quantity(layout: Layout) -> str:
    return "k_raw" if layout.price else "NULL::DECIMAL(38, 9)"


def _text(columns: Sequence[str], there: Collection[str]) -> str:
    found = next((column for column in columns if column in there), "")
    return f"coalesce(trim({_name(found)}), '')" if found else "''"


def _act(there: set[str]) -> str:
    """N, C or R; ? for a word that is none. Without such a column a row that names another one corrects it."""
    word = f"upper({_text(ACTIONS, there)})"
    if not there & set(ACTIONS):
        return f"CASE WHEN {_text(REFERENCES, there)} = '' THEN 'N' ELSE 'R' END" if there & set(REFERENCES) else "'N'"
    return f"""CASE WHEN {word} IN {_NEW} THEN 'N' WHEN {word} IN {_CANCEL} THEN 'C' WHEN {word} IN {_CORRECT} THEN 'R'
      ELSE '?' END"""


def _why(layout: Layout, unit: str) -> str:
    """Why a row is refused: the first of its faults; null for a good one."""
    cancel = "k_act <> 'C' AND"  # a cancel needs neither ends nor amount: those of the row it voids count
    faults = []
    for alias, column, kind in (("x", layout.ends[0], layout.kinds[0]), ("y", layout.ends[1], layout.kinds[1])):
        faults.append(f"CASE WHEN k_act <> 'C' THEN {alias}.k_wrong END")
        faults.append(f"CASE WHEN {cancel} {alias}.k_end IS NULL THEN {_is_not(column, kind)} END")
    faults.append(f"CASE WHEN k_t IS NULL THEN {_is_not('time', 'an ISO time' if layout.repeats else 'a step')} END")
    long = rf"regexp_matches({_name(layout.amount)}, '^\s*[+-]?\d*\.\d{{10}}\d*\s*$')"
    faults.append(f"CASE WHEN {cancel} k_raw IS NULL AND {long} THEN '{layout.amount} has more than 9 decimals' END")
    comma = f"{cancel} k_raw IS NULL AND contains({_name(layout.amount)}, ',')"
    faults.append(f"CASE WHEN {comma} THEN {_is_not(layout.amount, f'a decimal number; {_POINT}')} END")
    faults.append(f"CASE WHEN {cancel} k_raw IS NULL THEN {_is_not(layout.amount, 'a decimal number')} END")
    if layout.price:
        product = "a decimal number of at most 8 decimals, times a quantity of as many"
        faults.append(f"CASE WHEN {cancel} {_amount(layout)} IS NULL THEN {_is_not(layout.price, product)} END")
    negative = "the amount is negative; a payment back is one of its own"
    faults.append(f"CASE WHEN {cancel} {_amount(layout)} < 0 THEN '{negative}' END")
    if layout.side:
        side = f"upper(left(trim({_name(layout.side)}), 1)) IN ('B', 'S')"
        faults.append(f"CASE WHEN {cancel} NOT coalesce({side}, false) THEN 'the side is neither B(uy) nor S(ell)' END")
    code = f"'currency ' || coalesce(nullif({unit}, ''), '(empty)') || ' is not an ISO 4217 code'"
    known = f"({unit} IN {_USUAL} OR regexp_full_match({unit}, '[A-Z]{{3}}'))"
    faults.append(f"CASE WHEN {cancel} NOT {known} THEN {code} END")
    faults.append("CASE WHEN k_act = '?' THEN 'its action is none of new, cancel and correct' END")
    return f"coalesce({', '.join(faults)})"


_POINT: Final = "decimals stand behind a point, and a comma between thousands alone"


def _is_not(column: str, wanted: str) -> str:
    return f"'{column} ' || coalesce({_name(column)}, '(empty)') || ' is not {wanted}'"
