"""The vocabulary on one page: every node label, edge type, property, unit, and which property is which modality.

Add an entry here and constraints, indexes, validation, tensors and the docs table follow.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

Type = Literal["text", "int", "real", "money", "time", "bool"]
VALUE_COLUMNS: Final[Mapping[Type, str]] = {
    "text": "value_text",
    "int": "value_int",
    "bool": "value_int",
    "real": "value_real",
    "money": "value_decimal",
    "time": "value_time",
}


@dataclass(frozen=True, slots=True)
class Property:
    """A typed value of a node (or of an edge, where the edge type lists it)."""

    type: Type
    doc: str
    unit: str = ""
    node: Literal["Fact", "Name", "Score", "Embedding"] = "Fact"
    """Label of the clocked node that holds it in a store: (n)-[:HAS_FACT]->(:Fact), and so on."""
    time: Literal["state", "event"] = "state"
    """`state` holds from valid_from to valid_to; `event` is a measurement that never goes out of date."""
    many: bool = False
    """True: several values may hold at once (names); False: one wins, the others are conflicts."""
    modality: Literal["", "text", "image", "numeric"] = ""


@dataclass(frozen=True, slots=True)
class NodeType:
    """A kind of entity."""

    doc: str
    schemes: tuple[str, ...]
    """Id schemes, strongest first."""


@dataclass(frozen=True, slots=True)
class EdgeType:
    """A relation read from left to right: source TYPE target."""

    doc: str
    source: tuple[str, ...]
    target: tuple[str, ...]
    key: str
    """What tells two edges of this type between the same ends apart."""
    time: Literal["state", "event"] = "state"
    props: Mapping[str, Property] = field(default_factory=dict)
    """At most one property per typed column."""


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
    "Account": NodeType("A payment or custody account.", ("iban", "acct")),
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

PROPERTIES: Final[Mapping[str, Property]] = {
    "name": Property("text", "A name the entity goes by.", node="Name", many=True, modality="text"),
    "ticker": Property("text", "Exchange symbol.", many=True),
    "identifier": Property("text", "Another identifier, as scheme:value.", many=True),
    "title": Property("text", "Title of a document or event.", modality="text"),
    "text": Property("text", "First part of the content.", modality="text"),
    "path": Property("text", "Address of the bytes: file digest.", modality="image"),
    "form": Property("text", "Form of a filing, such as 10-K."),
    "url": Property("text", "Where the document was published."),
    "language": Property("text", "Language of a document, ISO 639-1."),
    "document_type": Property("text", "What a page shows: receipt, invoice, cheque, chart, table, letter, ..."),
    "author": Property("text", "Account or person that posted the document."),
    "reach": Property("int", "Followers or readers the post had.", unit="count", time="event"),
    "reposts": Property("int", "How many documents repeat this one.", unit="count", time="event"),
    "duration": Property("real", "Length of a recording.", unit="second"),
    "segment": Property("text", "What is said in a stretch of a recording; the key is its time.", time="event"),
    "event_type": Property(
        "text",
        "default, bankruptcy, distress, downgrade, upgrade, lawsuit, acquisition, sanction, officer_change, "
        "earnings_surprise, supply_disruption, fraud, weather, ...",
    ),
    "sentiment": Property(
        "real",
        "Tone of a document towards the entity, -1 to 1; the key is the document.",
        unit="tone",
        node="Score",
        time="event",
    ),
    "latitude": Property("real", "North of the equator.", unit="degree"),
    "longitude": Property("real", "East of Greenwich.", unit="degree"),
    "radius": Property("real", "Reach of an event around its place.", unit="kilometre"),
    "close": Property("money", "Closing price of the day.", time="event"),
    "volume": Property("real", "Units traded in the day.", unit="units", time="event"),
    "description": Property("text", "What the entity does.", modality="text"),
    "incorporated": Property("time", "Date of incorporation."),
    "flag": Property("text", "Mark set by a register, such as a fraud label of an account.", many=True),
    "assets": Property("money", "Total assets.", time="event", modality="numeric"),
    "liabilities": Property("money", "Total liabilities.", time="event", modality="numeric"),
    "equity": Property("money", "Total equity.", time="event", modality="numeric"),
    "revenue": Property("money", "Revenue.", time="event", modality="numeric"),
    "net_income": Property("money", "Net income or loss.", time="event", modality="numeric"),
    "operating_income": Property("money", "Operating income or loss.", time="event", modality="numeric"),
    "cash": Property("money", "Cash and equivalents.", time="event", modality="numeric"),
    "debt": Property("money", "Interest-bearing debt.", time="event", modality="numeric"),
    "current_assets": Property("money", "Current assets.", time="event", modality="numeric"),
    "current_liabilities": Property("money", "Current liabilities.", time="event", modality="numeric"),
    "interest_expense": Property("money", "Interest expense.", time="event", modality="numeric"),
    "external_assets": Property("money", "Assets outside the interbank network.", time="event", modality="numeric"),
    "fact": Property("money", "Any other reported figure; the key starts with its concept.", time="event"),
    "measure": Property(
        "real", "Any other reported number that is no money; the key starts with its concept.", time="event"
    ),
    "statement": Property("text", "Any other reported text; the key starts with its concept.", time="event"),
    "distress": Property("real", "Probability of a distress event within 12 months.", unit="probability", node="Score"),
    "contagion_loss": Property("money", "Loss in a stress run; the key names the run.", node="Score"),
    "rank_score": Property("real", "A network score; the key names measure and run.", node="Score"),
    "embedding": Property(
        "text", "vectors:<digest>#<row>, a row of a vector file; the key names the model.", node="Embedding"
    ),
}

VALUE_NODES: Final = ("Fact", "Name", "Score", "Embedding")
"""Labels of the clocked value nodes a store holds beside the entities."""
HAS: Final[Mapping[str, str]] = {label: f"HAS_{label.upper()}" for label in VALUE_NODES}

RELIABILITY: Final[Mapping[str, int]] = {
    "registers": 4,
    "gleif": 4,
    "sanctions": 4,
    "bis": 4,
    "bods": 3,
    "ftm": 2,
    "filings": 3,
    "trades": 3,
    "resolve": 3,
    "repeats": 3,
    "market": 3,
    "chain": 3,
    "incidents": 3,
    "identities": 2,
    "tables": 3,
    "pdf": 2,
    "news": 2,
    "images": 1,
    "audio": 1,
    "calls": 1,
    "video": 1,
    "model": 0,
    "risk": 0,
}
"""Which source wins a conflict (higher wins); the source is the extractor's name up to its first dot. Unknown: 1."""

DISTRESS_EVENTS: Final = ("default", "bankruptcy", "distress")
"""Values of event_type that count as distress of the AFFECTED_BY entity whose role is `subject`."""


def scheme(id: str) -> str:
    """`lei` of `lei:5493...`."""
    return id.partition(":")[0]
