"""Vocabulary: words of questions that name nobody, names of figures, and groups of words that mean one thing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


FIGURES: Final[Mapping[str, str]] = {
    "revenue": "revenue",
    "revenues": "revenue",
    "turnover": "revenue",
    "sales": "revenue",
    "net income": "net_income",
    "profit": "net_income",
    "profits": "net_income",
    "net profit": "net_income",
    "earnings": "net_income",
    "total assets": "assets",
    "assets": "assets",
    "total liabilities": "liabilities",
    "liabilities": "liabilities",
    "equity": "equity",
    "cash": "cash",
    "external assets": "external_assets",
}
"""How people call a figure, and the property it is."""
GROUPS: Final[Mapping[str, str]] = {
    "ask": "who whom which what",
    "lose": "hit hurt affected lose loses losing lost suffer suffers suffering losses damaged harmed harm hits hurts",
    "if": "if when should once were suppose assuming after",
    "fail": "fail fails failed failing default defaults defaulted collapse collapses collapsed goes went go",
    "bust": "bankrupt under bust insolvent",
    "failure": "failure collapse default bankruptcy insolvency",
    "own": "own owns owned owning hold holds held control controls controlled",
    "owner": "owner owners shareholder shareholders parent parents holders proprietor",
    "top": "ultimate ultimately final finally top",
    "share": "share shares stake stakes part percentage percent holding subsidiary",
    "holdings": "subsidiary subsidiaries holdings stakes shareholdings participations",
    "owe": "owe owes owed owing borrow borrows borrowed borrowing indebted",
    "lend": "lend lends lent lending loaned",
    "loan": "loan loans claim claims debt debts credit lending exposure exposures",
    "lender": "lender lenders creditor creditors financier financiers",
    "debtor": "debtor debtors borrower borrowers",
    "exposed": "exposed exposure exposures",
    "most": "most largest biggest heaviest highest greatest strongest heavily strongly main",
    "money": "money credit funds",
    "pay": "finance finances financed fund funds funded financing",
    "supply": "supply supplies supplied supplying sell sells sold deliver delivers delivered",
    "buy": "buy buys bought buying purchase purchases purchased source sources sourced",
    "supplier": "supplier suppliers vendor vendors",
    "customer": "customer customers buyer buyers client clients",
    "rival": "competitor competitors rival rivals",
    "compete": "compete competes competing",
    "report": "report reports reported make makes made earn earns earned state stated show showed post posted",
    "hand": "hold held have had possess",
    "path": "path paths connection connections link links chain chains route relation relationship ties",
    "tied": "connected linked related tied connect connects hang",
    "document": "document documents article articles news story stories page pages press coverage headlines",
    "mention": "mention mentions mentioned mentioning name names naming",
    "said": "said say says write writes wrote written report reports reported publish published",
    "mood": "sentiment tone mood",
    "label": "bank banks fund funds company companies firm firms person persons people",
    "distress": "distress risk default bankruptcy failure failing distressed",
    "onto": "to on against towards",
    "score": "score scores probability likelihood rating chance",
    "warning": "warning warnings alarm alarms alert alerts",
    "country": "country countries jurisdiction domicile seat",
    "based": "based domiciled located headquartered registered incorporated seated sit sits",
    "sector": "sector sectors industry branch",
    "works": "operate operates work works active belong belongs",
    "ticker": "ticker symbol",
    "officer": "officer officers director directors management managers executives board insiders",
    "run": "run runs manages directs leads heads managed",
    "event": "event events incident incidents",
    "changed": "changed change changes new developments updates update",
    "profile": "describe profile description overview summary summarise summarize introduce",
}
"""Words that mean one thing in a cue, by its name there."""
SILENT: Final = _set(
    "a an the any all its their it they is are was were be been did does do has have had being at for of with "
    "currently now today ever still also too some much many total exactly really actually company companies firm firms "
    "please then there that this these those in and will would could can may might"
)
"""Words that may stand between those that carry a question, and do not change it."""
POLITE: Final = SILENT | _set(
    "tell show give list name find me us we i you know like to want need what which who whom whose where when how "
    "large big high low see say let kindly each every everyone everybody anyone anybody by from about on banks bank "
    "money"
)
"""Words that may stand before or after."""
_MORE: Final = (
    "if or why explain compare january february march april june july august september october november december "
    "q1 q2 q3 q4 monday tuesday wednesday thursday friday saturday sunday eur usd gbp chf jpy sek nok dkk pln cny lei "
    "cik isin ceo cfo coo fund group as between before until during over person people best worst no yes my your our "
    "according regarding concerning without distressed mean people how he she his her"
)
COMMON: Final = (
    SILENT | POLITE | _set(_MORE) | frozenset(w for g in GROUPS.values() for w in g.split()) | _set(" ".join(FIGURES))
)
"""Words that are no name, capital or not."""
