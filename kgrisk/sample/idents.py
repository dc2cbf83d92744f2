"""Identifiers with true check digits: LEI (ISO 17442, mod 97-10), ISIN (Luhn), IBAN (mod 97-10), CUSIP, CIK."""

from __future__ import annotations

from random import Random

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
DIGITS = "0123456789"


def _as_number(text: str) -> str:
    """Letters become two digits (A = 10), as ISO 7064 and ISIN want."""
    return "".join(str(int(c, 36)) for c in text)


def lei(rng: Random) -> str:
    """20 characters: 4 of a made-up issuer, 00, 12 free, 2 check digits so that the whole is 1 mod 97."""
    body = "9KGR00" + "".join(rng.choice(LETTERS + DIGITS) for _ in range(12))
    return body + f"{98 - int(_as_number(body + '00')) % 97:02d}"


def isin(rng: Random, country: str) -> str:
    """Country, nine characters (a CUSIP for the US), Luhn digit over the expanded number."""
    body = country + (cusip(rng) if country == "US" else "".join(rng.choice(DIGITS) for _ in range(9)))
    return body + str(luhn_digit(_as_number(body)))


def luhn_digit(number: str) -> int:
    """The digit that makes number + digit pass the Luhn test."""
    total = 0
    for place, digit in enumerate(reversed(number)):
        doubled = int(digit) * (2 if place % 2 == 0 else 1)
        total += doubled - 9 if doubled > 9 else doubled
    return -total % 10


def cusip(rng: Random) -> str:
    """Eight digits and the CUSIP check digit."""
    body = "".join(rng.choice(DIGITS) for _ in range(8))
    total = 0
    for place, digit in enumerate(body):
        value = int(digit) * (2 if place % 2 else 1)
        total += value // 10 + value % 10
    return body + str(-total % 10)


def iban(rng: Random, country: str) -> str:
    """A German-shaped IBAN (18 digits) or a Dutch or French one by country; all pass mod 97."""
    shapes = {
        "DE": "".join(rng.choice(DIGITS) for _ in range(18)),
        "NL": "KGRB" + "".join(rng.choice(DIGITS) for _ in range(10)),
        "AT": "".join(rng.choice(DIGITS) for _ in range(16)),
    }
    country = country if country in shapes else "DE"
    body = shapes[country]
    return country + f"{98 - int(_as_number(body + country + '00')) % 97:02d}" + body


def cik(rng: Random) -> str:
    """Ten digits in a range that the SEC has not given out."""
    return f"{rng.randrange(9_100_000, 9_900_000):010d}"
