"""The words that say a relation, and which grammatical place each party takes beside them.

A frame is one way to say one thing: verbs, the noun their object must hold (if any), and for each party the places
where it can stand, tried in order. Places: `agent` (who does it, in active and passive voice), `patient` (to whom it
is done), `dative` (indirect object), a preposition, `noun:` + preposition or `noun:poss` (below the noun that the
frame asks for).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final


def words(text: str) -> frozenset[str]:
    """The words of a line as a set."""
    return frozenset(text.split())


STAKE: Final = words(
    "stake interest share shareholding holding percent % equity capital stock shares minority majority "
    "ownership position half "
    "third quarter"
)
LOAN: Final = words(
    "loan credit facility line mortgage financing overdraft revolver borrowing tranche lending debt note "
    "agreement funding advance"
)
LOAN_SURE: Final = words("loan credit mortgage overdraft revolver borrowing lending facility financing line")
LAWSUIT: Final = words("lawsuit suit complaint claim litigation proceedings proceeding action arbitration writ")
LAWSUIT_SURE: Final = words("lawsuit suit complaint litigation writ")
ORDER: Final = words("order contract tender commission")
TAKEOVER: Final = words("acquisition takeover purchase buyout")
RATING: Final = words("rating ratings grade")
INSOLVENCY: Final = words(
    "bankruptcy insolvency administration receivership liquidation examinership protection chapter bankrupt insolvent"
)
PAYMENT: Final = words(
    "payment coupon interest bond loan debt note instalment installment obligation principal repayment "
    "maturity liability deadline"
)
GOODS_NOT: Final = (
    STAKE
    | LOAN_SURE
    | words(
        "bond unit business division subsidiary company asset assets loan debt option warrant statement "
        "guidance information access "
        "support guarantee notice time option dividend $ million capital financing funding insight evidence "
        "detail update comment"
    )
)

SUBSIDIARY: Final = words("subsidiary unit arm division")
PARENT: Final = words("parent")
SHAREHOLDER: Final = words("shareholder owner stockholder")
LENDER: Final = words("lender creditor")
BORROWER: Final = words("borrower debtor")
SUPPLIER: Final = words("supplier vendor")
CUSTOMER: Final = words("customer")
TITLES: Final = words(
    "executive officer chair chairman chairwoman chairperson president director ceo cfo coo cto cro cio "
    "treasurer secretary head "
    "manager controller comptroller governor founder chief counsel chairmanship presidency"
)
"""Head nouns of what an officer is called."""
BOARD: Final = words("board")

METONYMS: Final = words(
    "board management group capital stock debt bond bonds rights asset assets paper executives directors"
)
"""Nouns that stand for the firm they belong to."""
DRILL: Final = STAKE | words("right vote voting rest remainder board shareholder investor all most part")
"""Nouns below which a patient is named: `30% of the votes in Beta`."""
GENERIC: Final = words(
    "company bank group firm lender borrower fund registrant issuer insurer supplier manufacturer retailer"
)
"""`the company`: whoever was spoken of."""

SAYING: Final = words("say announce confirm state add report tell declare")
HEDGES: Final = words(
    "like hop tip "
    "deny plan intend consider seek aim hope expect propose want wish weigh explore discuss study mull refuse "
    "decline fail "
    "reject avoid threaten attempt try offer bid contemplate evaluate ponder oppose block abandon cancel scrap "
    "drop terminate "
    "prevent stop cease rule predict warn fear rumour rumor speculate doubt ask request negotiate look turn "
    "delay postpone "
    "withdraw need wait dismiss mull prepare halt end suspend bar prohibit forbid court eye vow pledge promise "
    "estimate anticipate believe "
    "assume suggest imply allow permit require"
)
"""Verbs whose complement is not said to be so."""
MODALS: Final = words("may might could would should can must shall ca")
DOUBT_NOUNS: Final = words(
    "rumour rumor speculation possibility risk threat fear chance plan talk talks offer bid proposal intention "
    "option denial "
    "allegation prospect hope attempt ability right obligation likelihood refusal failure event inability need "
    "effort opportunity"
)
DOUBT_ADVERBS: Final = words(
    "allegedly reportedly potentially possibly perhaps maybe unlikely supposedly purportedly nearly almost"
)
GRANTING: Final = words("pay grant provide approve sign file bring complete agree extend make give be")
"""Verbs that bring their subject about: if they are denied, so is it."""
ENDED_ADVERBS: Final = words("formerly previously once")
ENDING: Final = words("stop cease end discontinue")
OPEN_MARKS: Final = words("if unless whether until")
NEGATORS: Final = words("not never n't neither nor no without hardly")
LAPSE: Final = words(
    "repay prepay dismiss withdraw lose throw sell divest dispose offload exit reduce cut drop lose block "
    "delay cancel abandon scrap reject oppose call"
)
"""Verbs after which what their object names is over, less or not to be."""


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
    "secure receive obtain get take raise draw win land have sign close conclude negotiate procure arrange agree enter"
)
_GET_STAKE: Final = (
    "disclose reveal report pay spend hold have possess own acquire buy purchase take build raise increase "
    "retain keep control amass obtain secure lift boost double get "
    "pick snap accumulate"
)

FRAMES: Final[tuple[Frame, ...]] = (
    _edge("OWNS", "own", "agent", "patient noun:in noun:of"),
    _edge("OWNS", _GET_STAKE, "agent", "noun:in noun:of in patient", noun=STAKE, future=False),
    _edge("OWNS", _TAKE_IN, "agent", "patient", avoid=STAKE | ORDER, future=False),
    _edge("OWNS", "sell transfer", "to", "noun:in noun:of patient", noun=STAKE, future=False),
    _edge("OWNS", "sell", "to", "patient", avoid=GOODS_NOT - words("company"), future=False),
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
    _edge("LENDS_TO", _RECEIVE, "from with noun:by by", "agent", noun=LOAN_SURE),
    _edge("LENDS_TO", "finance fund refinance bankroll", "agent", "patient"),
    _edge("SUPPLIES", "supply", "agent", "to dative patient", avoid=GOODS_NOT),
    _edge("SUPPLIES", "deliver ship sell furnish provide", "agent", "to", avoid=GOODS_NOT),
    _edge("SUPPLIES", "provide furnish equip", "agent", "patient", avoid=GOODS_NOT),
    _edge(
        "SUPPLIES", "buy purchase source procure order obtain get import take", "from", "agent", avoid=GOODS_NOT | ORDER
    ),
    _edge("SUPPLIES", "supply deliver", "agent", "subject:for subject:to", avoid=GOODS_NOT),
    _edge(
        "SUPPLIES",
        "make produce manufacture build assemble",
        "agent",
        "for",
        avoid=GOODS_NOT | ORDER | words("payment"),
    ),
    _edge("SUPPLIES", "use", "from", "agent", avoid=GOODS_NOT),
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
