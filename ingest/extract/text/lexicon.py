"""The words that tell relations: which nouns are stakes, loans or suits, and which verbs deny, wish or end."""

from __future__ import annotations

from typing import Final


def words(text: str) -> frozenset[str]:
    """The words of a line as a set."""
    return frozenset(text.split())


FORMS: Final = words(
    "inc incorporated corp corporation co company ltd limited llc llp lp plc ag se sa nv bv gmbh kg kgaa spa "
    "ab asa as oyj "
    "oy pty sdn bhd sarl srl sl pte kk jsc pjsc ojsc ooo ltda zrt nyrt kft aps na sas trust cv "
    "有限公司 股份有限公司 集团有限公司"
)
"""Legal forms, without dots and in small letters."""
DOTTED: Final = frozenset({"inc", "corp", "co", "ltd", "bhd", "cos"})
"""Forms that are abbreviations, so that a dot after them is theirs."""
GROUPS: Final = words("holdings holding group international worldwide global companies enterprises industries")
ORDINARY: Final = words(
    "first second national general american united global international capital finance financial standard new "
    "north south "
    "east west northern southern eastern western public federal state city central royal premier union trust "
    "bank target gap "
    "summit best market markets energy power water steel oil gas gold silver global group holding company "
    "companies partners "
    "partner industries services service systems solutions technology technologies data network media digital "
    "credit savings "
    "loan loans mutual life health care home homes land property properties real estate investment investments "
    "investors fund "
    "funds asset assets insurance security securities street river lake mountain valley bay ocean pacific "
    "atlantic european "
    "europe america africa asia china india japan britain germany france the and for with january february "
    "march april may "
    "june july august september october november december monday tuesday wednesday thursday friday saturday "
    "sunday board "
    "court bond bonds share shares note notes report press release chairman director president chief officer "
    "year quarter"
)

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
OWED: Final = words(
    "loan credit mortgage overdraft revolver borrowing lending facility financing funding refinancing debt "
    "indebtedness liability amount balance principal claim drawdown advance tranche note bond line sum "
    "obligation refinance"
)
"""Nouns that stand for a debt where the words around them say who owes it to whom."""
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
SHAREHOLDER: Final = words("shareholder owner stockholder holder")
LENDER: Final = words("lender creditor bondholder noteholder mortgagee financier")
BORROWER: Final = words("borrower debtor")
SUPPLIER: Final = words("supplier vendor subcontractor")
CUSTOMER: Final = words("customer client buyer purchaser")
RIVAL: Final = words("rival competitor")
TITLES: Final = words(
    "executive officer chair chairman chairwoman chairperson president director ceo cfo coo cto cro cio "
    "treasurer secretary head "
    "manager controller comptroller governor founder chief counsel chairmanship presidency"
)
"""Head nouns of what an officer is called."""
BOARD: Final = words("board")
APPOINT: Final = words(
    "appoint name elect hire promote choose pick select install designate recruit reappoint reelect "
    "confirm bring poach entrust welcome put"
)
SERVE: Final = words(
    "join serve act work become remain continue start begin take succeed replace assume rejoin lead head "
    "run move follow switch return sit chair stay assist"
)
LEADS: Final = words("lead head run chair")
"""Verbs that say an office without a title."""
REPLACES: Final = words("succeed replace follow")
"""Verbs whose object leaves the office."""
LEAVE: Final = words("resign retire step stand quit leave depart exit relinquish vacate part hand stop bow")
DISMISS: Final = words("dismiss fire sack oust remove suspend relieve axe eject lose")
HELM: Final = words("helm reins")
"""Nouns that say an office and no title."""
POST: Final = words("post position role office job duty seat place responsibility title")
GONE: Final = words("resignation departure retirement dismissal exit removal ouster")
"""Nouns of leaving."""
TERM: Final = words("term tenure mandate time reign stint contract spell")
"""How long somebody holds a post."""
POSTS: Final = TITLES | HELM | words("job")
"""Head nouns that tell of an office, with a title or without."""

METONYMS: Final = words(
    "board management group capital stock debt bond bonds rights asset assets paper executives directors "
    "specification specifications"
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
    "assume suggest imply allow permit require think tout invite approach candidate shelve revoke "
    "rescind reverse rumoured rumored vie compete"
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
GRANTING: Final = words(
    "pay grant provide approve sign file bring complete agree extend make give be take happen occur proceed materialise"
)
"""Verbs that bring their subject about: if they are denied, so is it."""
ENDED_ADVERBS: Final = words("formerly previously once")
ENDING: Final = words("stop cease end discontinue")
ENDS: Final = words("repay prepay redeem terminate cancel end discontinue cease stop halt settle discharge extinguish")
"""Verbs whose object was so and is no more: a loan repaid, a contract cancelled."""
EXPIRES: Final = words("expire lapse end cease")
"""Verbs whose subject is no more."""
REFUSALS: Final = frozenset(
    {
        ("rule", "out"),
        ("turn", "down"),
        ("walk", "away"),
        ("break", "down"),
        ("back", "out"),
        ("pass", "over"),
        ("pull", "out"),
        ("call", "off"),
    }
)
"""Verbs with their particle that say no."""
UNTRUE: Final = words("false wrong untrue incorrect baseless unfounded inaccurate denied fabricated")
NOT_YET: Final = words("plan propose possible potential prospective intend would-be contemplate proposed planned")
"""Words before a noun that say it is not there yet: `a planned order`."""
OPEN_MARKS: Final = words("if unless whether until")
NEGATORS: Final = words("not never n't neither nor no without hardly")
LAPSE: Final = words(
    "dismiss withdraw lose throw sell divest dispose offload exit reduce cut drop lose block "
    "delay abandon scrap reject oppose"
)
"""Verbs after which what their object names is over, less or not to be."""
