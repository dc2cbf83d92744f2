"""Every kind of entity and every id scheme, strongest first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from kg.ontology.shapes import NodeType

FIRMS: Final = ("Company", "Bank", "Fund")
PARTIES: Final = (*FIRMS, "Person")
ANYONE: Final = (*PARTIES, "Country")
ENTITY_SCHEMES: Final = ("lei", "cik", "isin", "cusip", "figi", "bic", "ticker", "reg", "name")
SCHEMES: Final = (
    *ENTITY_SCHEMES,
    "person",
    "iban",
    "acct",
    "iso",
    "gics",
    "sector",
    "device",
    "addr",
    "doc",
    "page",
    "event",
    "run",
)
"""Id schemes, strongest first: a merged entity is called by the strongest, then by the smallest string."""

NODES: Final[Mapping[str, NodeType]] = {
    "Company": NodeType("A legal entity that is neither a bank nor a fund.", ENTITY_SCHEMES),
    "Bank": NodeType("A credit institution.", ENTITY_SCHEMES),
    "Fund": NodeType("A pooled investment vehicle.", ENTITY_SCHEMES),
    "Person": NodeType("A natural person; the id is opaque, names stand in property rows only.", ("person",)),
    "Security": NodeType("A tradable instrument.", ("isin", "cusip", "figi", "ticker", "name")),
    "Account": NodeType("A payment, custody or loan account.", ("iban", "acct")),
    "Device": NodeType("A device somebody acts from: a phone, a browser, a card reader.", ("device",)),
    "Address": NodeType("A postal, network or mail address, or a phone number.", ("addr",)),
    "Country": NodeType("A country by ISO 3166 alpha-2 code.", ("iso",)),
    "Sector": NodeType("An industry sector.", ("gics", "sector")),
    "Document": NodeType(
        "A source document (filing, article, recording); its id is doc:<sha256 of the bytes>.", ("doc",)
    ),
    "Page": NodeType("One page image or video frame of a document: page:<sha256 of the image bytes>.", ("page",)),
    "Event": NodeType("Something that happened: default, lawsuit, acquisition, downgrade, flood.", ("event",)),
}


def scheme(id: str) -> str:
    """`lei` of `lei:5493...`."""
    return id.partition(":")[0]
