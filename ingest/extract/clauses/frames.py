"""Frames: the ways to say a relation or an event with a verb, and the grammatical place each party takes beside it.

A frame names verbs, the noun their object must hold (if any), and for each party the places where it can stand, tried
in order. Places: `agent` (who does it, in active and passive voice), `patient` (to whom it is done), `dative` (indirect
object), a preposition, `subject:` + preposition, `noun:` + preposition or `noun:poss` (below the noun asked for).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from ingest.extract.text.lexicon import (
    GOODS_NOT,
    INSOLVENCY,
    LAWSUIT,
    LAWSUIT_SURE,
    LOAN,
    LOAN_SURE,
    ORDER,
    PAYMENT,
    RATING,
    STAKE,
    TAKEOVER,
    words,
)


@dataclass(frozen=True, slots=True)
class Frame:
    """One way to say a relation or an event with a verb."""

    type: str
    verbs: frozenset[str]
    parties: tuple[tuple[str, tuple[str, ...]], ...]
    """Party and the places it may stand in; the first party is the source of an edge, the second its target."""
    noun: frozenset[str] = frozenset()
    """What the object must be; empty for any."""
    avoid: frozenset[str] = frozenset()
    """What the object must not be."""
    event: str = ""
    particle: str = ""
    optional: tuple[str, ...] = ()
    """Parties that need not be named."""
    adverbs: frozenset[str] = frozenset()
    """Words of which one must stand beside the verb; empty for none."""
    ended: bool = False
    """True if it says that the relation is over."""
    future: bool = True
    """True if `will` asserts it (a signed contract); False if it must have happened."""


def _edge(type: str, verbs: str, source: str, target: str, **rest: Any) -> Frame:
    """`source` and `target` list the places of each, and `rest` the other fields of a frame."""
    parties = (("source", tuple(source.split())), ("target", tuple(target.split())))
    return Frame(type, words(verbs), parties, **rest)


def _event(event: str, verbs: str, optional: str, parties: str, **rest: Any) -> Frame:
    """`parties` reads `subject=patient by=agent,from`."""
    pairs = tuple((p.split("=")[0], tuple(p.split("=")[1].split(","))) for p in parties.split())
    return Frame(
        "AFFECTED_BY", words(verbs), pairs, event=event, optional=tuple(optional.split()), future=False, **rest
    )


_TAKE_IN: Final = "acquire buy purchase absorb swallow"
_GIVE: Final = (
    "grant extend provide make give advance arrange approve underwrite issue sign supply commit disburse furnish open "
    "roll renew hand put"
)
_RECEIVE: Final = (
    "secure receive obtain get take raise draw win land have sign close conclude procure arrange agree enter tap use "
    "accept incur maintain finance fund refinance pay replace"
)
_REPAY: Final = "repay prepay redeem settle discharge clear retire pay"
_LENDER: Final = "from with at noun:from noun:with noun:at noun:by by"
_GET_STAKE: Final = (
    "disclose reveal report pay spend hold have possess own acquire buy purchase take build raise increase "
    "retain keep control amass obtain secure lift boost double get "
    "pick snap accumulate"
)

FRAMES: Final[tuple[Frame, ...]] = (
    _edge("OWNS", "own", "agent", "patient noun:in noun:of", future=False),
    _edge("SUBSIDIARY_OF", "consolidate", "patient subject:of", "agent"),
    _edge("OWNS", _GET_STAKE, "agent", "noun:in noun:of in patient", noun=STAKE, future=False),
    _edge("OWNS", _TAKE_IN, "agent", "patient", avoid=STAKE | ORDER, future=False),
    _edge("OWNS", "sell transfer", "to", "noun:in noun:of patient", noun=STAKE, future=False),
    _edge("OWNS", "sell", "to", "patient", avoid=GOODS_NOT - words("company"), future=False),
    _edge(
        "OWNS",
        "sell divest offload exit unload dispose",
        "agent",
        "noun:in noun:of in",
        noun=STAKE,
        ended=True,
        future=False,
    ),
    _edge("OWNS", "take", "agent", "patient", particle="over", future=False),
    _edge("OWNS", "snap buy", "agent", "patient", particle="up", future=False),
    _edge(
        "OWNS",
        "complete close finalise finalize finish conclude seal consummate make wrap",
        "agent noun:by",
        "noun:of",
        noun=TAKEOVER,
        future=False,
    ),
    _edge("SUBSIDIARY_OF", "control", "patient", "agent", avoid=STAKE),
    _edge("SUBSIDIARY_OF", "belong", "agent", "to"),
    _edge(
        "SUBSIDIARY_OF", "own", "patient", "agent", adverbs=words("wholly fully majority entirely indirectly solely")
    ),
    _edge("SUBSIDIARY_OF", "be come stay remain fall", "agent", "noun:of", noun=words("control")),
    _edge(
        "SUBSIDIARY_OF",
        "take gain assume seize obtain acquire have",
        "noun:of noun:over",
        "agent",
        noun=words("control"),
        future=False,
    ),
    _edge("LENDS_TO", "advance", "agent", "dative to"),
    _edge("LENDS_TO", "owe", "patient", "by"),
    _edge("LENDS_TO", "back support provide supply furnish help assist", "agent", "patient", noun=LOAN_SURE),
    _edge("LENDS_TO", "have hold carry increase raise", "agent", "noun:to", noun=LOAN_SURE),
    _edge("LENDS_TO", "have", "noun:to to", "agent", noun=words("debt")),
    _edge("LENDS_TO", "lend loan", "agent", "dative to patient"),
    _edge("LENDS_TO", "borrow", "from", "agent"),
    _edge("LENDS_TO", "owe", "dative to", "agent"),
    _edge("LENDS_TO", _GIVE, "agent", "dative to noun:to noun:for for", noun=LOAN),
    _edge("LENDS_TO", _RECEIVE, _LENDER, "agent", noun=LOAN_SURE | words("debt funding refinancing")),
    _edge("LENDS_TO", "tap", "patient", "agent"),
    _edge("LENDS_TO", "finance fund refinance bankroll", "agent", "patient"),
    _edge("LENDS_TO", "finance fund refinance", "from with by", "agent", avoid=LOAN_SURE),
    _edge(
        "LENDS_TO", _REPAY, "noun:to to noun:from from noun:with dative", "agent", noun=LOAN | words("debt"), ended=True
    ),
    _edge(
        "LENDS_TO",
        "cancel terminate close call withdraw",
        "agent",
        "noun:of noun:to noun:with noun:poss",
        noun=LOAN_SURE - words("financing"),
        ended=True,
        future=False,
    ),
    _edge("LENDS_TO", "subscribe buy purchase place", "agent", "noun:of noun:by", noun=words("bond note debenture")),
    _edge("SUPPLIES", "supply", "agent", "to dative patient", avoid=GOODS_NOT),
    _edge("SUPPLIES", "deliver ship sell furnish provide export send", "agent", "to", avoid=GOODS_NOT),
    _edge("SUPPLIES", "provide furnish equip", "agent", "patient", avoid=GOODS_NOT),
    _edge(
        "SUPPLIES", "buy purchase source procure order obtain get import take", "from", "agent", avoid=GOODS_NOT | ORDER
    ),
    _edge("SUPPLIES", "supply deliver", "agent", "subject:for subject:to", avoid=GOODS_NOT),
    _edge(
        "SUPPLIES",
        "make produce manufacture build assemble",
        "agent",
        "for subject:for to",
        avoid=GOODS_NOT | ORDER | words("payment offer bid proposal case plan statement profit"),
    ),
    _edge("SUPPLIES", "use", "from", "agent", avoid=GOODS_NOT),
    _edge("SUPPLIES", "turn look", "to", "agent", adverbs=words("for")),
    _edge("SUPPLIES", "fill meet fulfil fulfill execute", "agent", "noun:for noun:from for from", noun=ORDER),
    _edge("SUPPLIES", "keep", "agent", "patient", adverbs=words("supplied stocked")),
    _edge("SUPPLIES", "serve", "agent", "patient", adverbs=words("as")),
    _edge("SUPPLIES", "rely depend", "on upon", "agent"),
    _edge(
        "SUPPLIES",
        "win receive land secure get book clinch obtain gain",
        "agent",
        "from noun:with with noun:by",
        noun=ORDER,
    ),
    _edge("SUPPLIES", "award give hand place", "dative to with", "agent", noun=ORDER),
    _event("acquisition", _TAKE_IN, "", "acquirer=agent target=patient", avoid=STAKE | ORDER),
    _event("acquisition", "take", "", "acquirer=agent target=patient", particle="over"),
    _event(
        "acquisition",
        "complete close finalise finalize finish conclude seal consummate make wrap",
        "",
        "acquirer=agent,noun:by target=noun:of",
        noun=TAKEOVER,
    ),
    _event("lawsuit", "go", "", "plaintiff=agent defendant=against,noun:against", noun=words("court")),
    _event(
        "lawsuit",
        "claim seek demand",
        "",
        "plaintiff=agent defendant=noun:from,from",
        noun=words("damage damages compensation"),
    ),
    _event("lawsuit", "sue", "", "plaintiff=agent defendant=patient"),
    _event(
        "lawsuit",
        "file bring launch lodge initiate start commence open pursue institute",
        "plaintiff",
        "plaintiff=agent,noun:by,noun:from defendant=against,noun:against",
        noun=LAWSUIT,
    ),
    _event(
        "lawsuit",
        "face answer defend fight contest settle resolve lose",
        "plaintiff",
        "defendant=agent plaintiff=noun:from,noun:by,noun:with,from,with,noun:of",
        noun=LAWSUIT_SURE,
    ),
    _event(
        "lawsuit",
        "hit serve slap",
        "plaintiff",
        "defendant=patient plaintiff=noun:from,noun:by,by,from",
        noun=LAWSUIT_SURE,
    ),
    _event("lawsuit", "take haul drag", "", "plaintiff=agent defendant=patient", noun=words("court")),
    _event("default", "default", "", "subject=agent"),
    _event("default", "miss skip", "", "subject=agent", noun=PAYMENT),
    _event("default", "suspend halt", "", "subject=agent", noun=words("payment repayment")),
    _event(
        "bankruptcy",
        "file apply petition seek enter declare request slide fall collapse go plunge place put push tip open",
        "",
        "subject=agent",
        noun=INSOLVENCY,
    ),
    _event("downgrade", "downgrade", "agency", "subject=patient agency=agent"),
    _event("downgrade", "lose", "", "subject=agent", noun=RATING),
    _event("downgrade", "strip", "agency", "subject=patient agency=agent", noun=RATING),
    _event(
        "downgrade",
        "cut lower reduce slash drop take",
        "agency",
        "subject=noun:poss,noun:of,noun:on,noun:for,of,on,for agency=agent",
        noun=RATING,
    ),
)
