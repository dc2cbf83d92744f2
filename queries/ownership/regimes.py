"""Regimes: when a sanctions regime treats an entity like its listed owners, by date.

OFAC: owned 50 % or more, since 13 August 2014 by all blocked persons taken together (before that by one of them);
indirectly through entities that are themselves so owned; control alone does not block (FAQ 398, 399, 401). EU: 50 % or
more, taken together, since the Council's Best Practices of 3 July 2024 (document 11623/24), before that more than 50 %;
control is a criterion of its own. UK: more than 50 % of shares or votes by one person (regulation 7 of the Sanctions
(EU Exit) regulations; OFSI adds holdings up only where they are held jointly), or control. These are rules of thumb of
published guidance for triage, no legal advice.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

from kg.errors import MeasureError

Regime = Literal["ofac", "eu", "uk"]
ROUNDING: Final = 1e-12
"""Shares are sums of floats: what is this near a threshold is at it."""


@dataclass(frozen=True)
class Rule:
    """What makes an entity count as its listed owners do."""

    regime: Regime
    since: date
    share: float
    inclusive: bool
    """True: the share itself is enough; False: more is needed."""
    together: bool
    """True: the holdings of all listed persons are added up."""
    control: bool
    """True: control alone is enough; False: it is only flagged."""

    def reached(self, share: float) -> bool:
        """Whether a share is enough."""
        return reached(share, self.share, self.inclusive)


RULES: Final = (
    Rule("ofac", date.min, 0.5, True, False, False),
    Rule("ofac", date(2014, 8, 13), 0.5, True, True, False),
    Rule("eu", date.min, 0.5, False, True, True),
    Rule("eu", date(2024, 7, 3), 0.5, True, True, True),
    Rule("uk", date.min, 0.5, False, False, True),
)
"""By regime and date; the last one that has begun counts."""


def rule(regime: str, on: date) -> Rule:
    """The rule of a regime on a day. MeasureError for an unknown regime."""
    found = [one for one in RULES if one.regime == regime and one.since <= on]
    if not found:
        known = ", ".join(sorted({one.regime for one in RULES}))
        raise MeasureError(f"sanctions regime {regime!r} is unknown; known: {known}")
    return found[-1]


def reached(share: float, threshold: float, inclusive: bool) -> bool:
    """Whether a share reaches a threshold (or exceeds it), rounding aside."""
    return share >= threshold - ROUNDING if inclusive else share > threshold + ROUNDING


def day(text: str) -> date:
    """A date written as 2024-09-28; empty: today's rules. MeasureError for anything else."""
    try:
        return date.fromisoformat(text) if text else date.max
    except ValueError as error:
        raise MeasureError(f"{text!r} is no date; write it as 2024-09-28") from error


def beneficial(regime: str, on: str) -> tuple[float, bool]:
    """Share that makes a beneficial owner, and whether it is enough itself, by regime and day.

    A quarter: more than it in the EU (Directive (EU) 2015/849) until Regulation (EU) 2024/1624 applies on 10 July 2027,
    and in the UK (Companies Act 2006, schedule 1A); at least it in the US (31 CFR 1010.380).
    """
    when = day(on)
    known = rule(regime, when).regime
    return 0.25, known == "ofac" or (known == "eu" and when >= date(2027, 7, 10))
