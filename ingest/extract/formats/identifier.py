"""Identifiers of entities, `scheme:value`: brought to one spelling and checked by their check digits (python-stdnum).

Reading a whole column checks each different value once.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from hashlib import sha256

import polars as pl
from stdnum import cusip, figi, iban, isin, lei
from stdnum.exceptions import ValidationError

from kg.ontology import SCHEMES
from kg.validate import LONGEST

_CODES = (
    "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT"
    " BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH"
    " ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT"
    " HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS"
    " LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI"
    " NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG"
    " SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG"
    " UM US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW"
)
COUNTRIES = frozenset(_CODES.split())
"""ISO 3166-1 alpha-2 codes, and XK, which banks report for Kosovo."""
_CORPORATE = re.compile(
    r"\b(inc|corp|corporation|co|company|ltd|limited|llc|llp|lp|l\.p|plc|ag|sa|nv|bv|gmbh|trust|fund|funds|partners|partnership"
    r"|capital|holdings?|group|bank|bancorp|bankshares|associates|management|advisors|advisers|investments?|insurance"
    r"|ventures|foundation|university|systems?|technologies|international|enterprises|industries|financial|securities)\b",
    re.IGNORECASE,
)
_IBAN = re.compile(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}")


def _cik(value: str) -> str:
    digits = value.strip().lstrip("0")
    if not digits.isdigit() or len(digits) > 10:
        raise ValueError("a CIK has 1 to 10 digits and is not 0")
    return digits


def _country(value: str) -> str:
    code = value.strip().upper()
    if code not in COUNTRIES:
        raise ValueError("no ISO 3166 alpha-2 code")
    return code


def _name(value: str) -> str:
    return " ".join(value.casefold().split())


_RULES: dict[str, Callable[[str], str]] = {
    "lei": lei.validate,
    "isin": isin.validate,
    "cusip": cusip.validate,
    "figi": figi.validate,
    "iban": iban.validate,
    "cik": _cik,
    "iso": _country,
    "name": _name,
    "ticker": lambda value: value.strip().upper(),
}


@lru_cache(maxsize=100_000)
def identify(id: str) -> str:
    """The one spelling of an id; ValueError that says what is wrong with it."""
    scheme, colon, value = id.strip().partition(":")
    if not colon or scheme not in SCHEMES or not value.strip():
        raise ValueError(f"id {id!r} is not scheme:value with a scheme of {', '.join(SCHEMES)}")
    if len(id.encode()) > LONGEST:
        raise ValueError(f"an id that begins with {id[:60]!r} has more than {LONGEST} bytes; a store cannot hold it")
    try:
        return f"{scheme}:{_RULES.get(scheme, str.strip)(value)}"
    except ValidationError as error:
        raise ValueError(f"{scheme} {value!r} fails its check: {error}") from error
    except ValueError as error:
        raise ValueError(f"{scheme} {value!r}: {error}") from error


def name_id(name: str) -> str:
    """Id of an entity that is only known by name."""
    return f"name:{_name(name)}"


def person_id(known_by: str) -> str:
    """Opaque id of a person known by `cik:...` or `name:...`."""
    return f"person:{sha256(identify(known_by).encode()).hexdigest()[:16]}"


def account_id(value: str) -> str:
    """`iban:` for an account number with right check digits, else `acct:`."""
    text = value.strip()
    if text.partition(":")[0] in ("iban", "acct"):
        return identify(text)
    compact = text.replace(" ", "").upper()
    if _IBAN.fullmatch(compact) and iban.is_valid(compact):
        return f"iban:{compact}"
    return f"acct:{text}"


def corporate(name: str) -> bool:
    """True if a name has a word that natural persons do not carry, such as Inc or Partners."""
    return _CORPORATE.search(name) is not None


def identified(
    frame: pl.DataFrame, column: str, into: str, prefix: str = "", rule: Callable[[str], str] = identify
) -> pl.DataFrame:
    """Add column `into` with the checked ids of a column (null where empty or wrong) and `into + "!"` with what is
    wrong.

    `prefix` is put before bare values, such as `lei:`.
    """
    different = [value for value in frame[column].unique().to_list() if value is not None]
    ids: list[str | None] = []
    wrong: list[str | None] = []
    for value in different:
        try:
            ids.append(rule(prefix + value))
            wrong.append(None)
        except ValueError as error:
            ids.append(None)
            wrong.append(str(error))
    checked = pl.DataFrame(
        {column: different, into: ids, into + "!": wrong},
        schema={column: pl.String, into: pl.String, into + "!": pl.String},
    )
    return frame.join(checked, on=column, how="left", maintain_order="left")
