"""Claims between countries, and their figures, with made-up amounts."""

from __future__ import annotations

import json

BAD = b'{"nodes": [{"id": "FRA", "gdp_usd": 1.5}], "edges": {"creditor": "FRA"}}'


def year(period: str, *claims: tuple[str, str, float]) -> bytes:
    """A year's file: two countries with figures, one group without an ISO code, and the claims given."""
    nodes = [
        {"id": "FRA", "name": "France", "lat": 48.8566, "lng": 2.3522, "gdp_usd": 2500000000000.25,
         "reserves_usd": 60000000000, "external_debt_usd": None},
        {"id": "XKX", "name": "Kosovo", "lat": 42.565, "lng": 20.277, "gdp_usd": 7000000000.5, "reserves_usd": None,
         "external_debt_usd": 2000000000},
        {"id": "CHI", "name": "Channel Islands", "gdp_usd": 1.0},
    ]  # fmt: skip
    edges = [{"creditor": c, "debtor": d, "period": period, "amount": amount} for c, d, amount in claims]
    return json.dumps({"nodes": nodes, "edges": edges}).encode()


FIRST = year("2019-Q4", ("FRA", "XKX", 1500000.0), ("XKX", "FRA", 250000.5), ("FRA", "DEU", 3e9))
SECOND = year("2020-Q4", ("FRA", "XKX", 1750000.25), ("FRA", "DEU", 2.9e9))
YEARS = json.dumps(
    {"nodes": [{"id": "FRA", "name": "France", "years": {"2018": {"gdp_usd": 2.4e12, "reserves_usd": None}}}]}
).encode()
CODES = json.dumps({"5A": "All reporting countries", "FR": "France"}).encode()


def good() -> dict[str, bytes]:
    return {"2019.json": FIRST, "2020.json": SECOND, "years.json": YEARS, "codes.json": CODES}
