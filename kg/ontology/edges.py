"""Every relation between entities: from whom to whom, what tells two of them apart, and the values on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from kg.ontology.nodes import ANYONE, FIRMS, PARTIES
from kg.ontology.shapes import EdgeType, Property

MONEY: Final = Property("money", "Amount with its currency beside it.")
SHARE: Final = Property("real", "Share of the whole, 0 to 1.", unit="share")
QUANTITY: Final = Property("real", "Number of units.", unit="units")
COUNT: Final = Property("int", "How many single transactions are summed here.", unit="count")
ROLE: Final = Property("text", "Role or code.")
CORRELATION: Final = Property("real", "Correlation, -1 to 1.", unit="correlation")
SCORE: Final = Property("real", "Probability or similarity, 0 to 1.", unit="probability")

EDGES: Final[Mapping[str, EdgeType]] = {
    "OWNS": EdgeType("Holds a share of the capital.", PARTIES, FIRMS, "share class", props={"share": SHARE}),
    "SUBSIDIARY_OF": EdgeType("Is controlled by.", FIRMS, FIRMS, "", props={"share": SHARE}),
    "HOLDS": EdgeType(
        "Reports a position at a period end.",
        PARTIES,
        ("Security",),
        "period end, and put/call or reporting line where there are several",
        props={"amount": MONEY, "quantity": QUANTITY, "role": ROLE},
    ),
    "ISSUED": EdgeType("Issued the security.", (*FIRMS, "Country"), ("Security",), ""),
    "OFFICER_OF": EdgeType(
        "Is an officer, director or large holder of.", ("Person", *FIRMS), FIRMS, "role", props={"role": ROLE}
    ),
    "SUPPLIES": EdgeType("Sells to, as a regular supplier.", FIRMS, FIRMS, "", props={"amount": MONEY, "share": SHARE}),
    "LENDS_TO": EdgeType(
        "Creditor lends to debtor.", PARTIES, ANYONE, "facility", props={"amount": MONEY, "role": ROLE}
    ),
    "EXPOSED_TO": EdgeType(
        "Would lose if the other failed, beyond a loan.",
        ANYONE,
        ANYONE,
        "exposure class and period",
        props={"amount": MONEY, "role": ROLE},
    ),
    "TRADED": EdgeType(
        "Bought (B) or sold (S) a security.",
        (*PARTIES, "Account"),
        ("Security",),
        "day or transaction, and side",
        time="event",
        props={"amount": MONEY, "quantity": QUANTITY, "count": COUNT, "role": ROLE},
    ),
    "PAID": EdgeType(
        "Paid money to.",
        ("Account", *PARTIES),
        ("Account", *PARTIES),
        "day or transaction",
        time="event",
        props={"amount": MONEY, "count": COUNT, "role": ROLE},
    ),
    "OBLIGED_TO": EdgeType(
        "Owes a duty or payment under a clause; valid until it is due, the role gives its condition.",
        PARTIES,
        PARTIES,
        "document and clause",
        props={"amount": MONEY, "role": ROLE},
    ),
    "CORRELATES_WITH": EdgeType(
        "Returns move together over the window that ends at the published day; the role gives the p-value.",
        ("Security",),
        ("Security",),
        "window, method and its last day",
        time="event",
        props={"correlation": CORRELATION, "count": COUNT, "role": ROLE},
    ),
    "USES": EdgeType(
        "Acts from the device or is reached at the address.", (*PARTIES, "Account"), ("Device", "Address"), ""
    ),
    "SIGNED_IN": EdgeType(
        "Was used to sign in to the account; the role says where from.",
        ("Device",),
        ("Account",),
        "sign-in",
        time="event",
        props={"role": ROLE},
    ),
    "ASSOCIATED_WITH": EdgeType(
        "Is linked to in a way no other relation says; the role names it: family, associate, successor, ...",
        PARTIES,
        PARTIES,
        "role",
        props={"role": ROLE},
    ),
    "SHARES_IDENTIFIER": EdgeType(
        "Has a device, address or account in common with; the key is the kind, the count how many.",
        (*PARTIES, "Account"),
        (*PARTIES, "Account"),
        "device, address or account",
        props={"count": COUNT},
    ),
    "HAS_ACCOUNT": EdgeType("Is the owner of the account.", PARTIES, ("Account",), ""),
    "IN_SECTOR": EdgeType("Belongs to the sector.", FIRMS, ("Sector",), ""),
    "IN_COUNTRY": EdgeType("Is domiciled in.", (*PARTIES, "Account"), ("Country",), ""),
    "MENTIONED_IN": EdgeType(
        "Is named in the document.",
        (*ANYONE, "Security"),
        ("Document", "Page"),
        "",
        time="event",
        props={"count": COUNT},
    ),
    "FILED": EdgeType("Filed the document.", PARTIES, ("Document",), "", time="event", props={"role": ROLE}),
    "PAGE_OF": EdgeType("Is a page of the document.", ("Page",), ("Document",), "", time="event"),
    "REPORTED_IN": EdgeType("Is reported in the document.", ("Event",), ("Document", "Page"), "", time="event"),
    "AFFECTED_BY": EdgeType(
        "Takes part in or is hit by the event; the role says how.",
        (*ANYONE, "Security"),
        ("Event",),
        "role",
        time="event",
        props={"role": ROLE, "amount": MONEY},
    ),
    "COMPETES_WITH": EdgeType("Competes with.", FIRMS, FIRMS, ""),
    "PREDICTED": EdgeType(
        "A model expects the relation named by the key; never mixed with asserted edges.",
        ANYONE,
        (*ANYONE, "Security"),
        "relation",
        props={"score": SCORE, "role": ROLE, "amount": MONEY},
    ),
}
