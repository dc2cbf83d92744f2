"""Frames of events that relations do not need: upgrades, sanctions, settled suits, mergers, results, stoppages.

A frame is written as in `ingest.extract.clauses.frames`: verbs, the noun their object holds, and the places of each
party.
"""

from __future__ import annotations

from typing import Any, Final

from ingest.extract.clauses.frames import Frame
from ingest.extract.text.lexicon import RATING, STAKE, words

SANCTION: Final = words("sanction sanctions embargo blacklist ban")
PENALTY: Final = words("fine penalty")
UPGRADE: Final = words("upgrade")
DOWNGRADE: Final = words("downgrade")


def _event(event: str, verbs: str, optional: str, parties: str, **rest: Any) -> Frame:
    """`parties` reads `subject=patient by=agent,from`."""
    pairs = tuple((p.split("=")[0], tuple(p.split("=")[1].split(","))) for p in parties.split())
    rest = {"future": False} | rest
    return Frame("AFFECTED_BY", words(verbs), pairs, event=event, optional=tuple(optional.split()), **rest)


HAPPENINGS: Final[tuple[Frame, ...]] = (
    _event("upgrade", "upgrade", "agency", "subject=patient agency=agent"),
    _event("upgrade", "regain recover win", "", "subject=agent", noun=RATING),
    _event(
        "upgrade",
        "receive win get earn secure gain",
        "agency",
        "subject=agent agency=noun:from,noun:by,from,by",
        noun=UPGRADE,
    ),
    _event(
        "downgrade",
        "receive suffer get",
        "agency",
        "subject=agent agency=noun:from,noun:by,from,by",
        noun=DOWNGRADE,
    ),
    _event("downgrade", "strip lose", "", "subject=agent", noun=RATING),
    _event("sanction", "sanction blacklist debar penalise penalize fine fin", "", "target=patient"),
    _event(
        "sanction",
        "impose place slap put levy announce adopt issue",
        "",
        "target=noun:on,noun:against,on,against,upon",
        noun=SANCTION | PENALTY,
    ),
    _event("sanction", "add put place", "", "target=patient", noun=words("sanction sanctions blacklist")),
    _event("sanction", "hit slap", "", "target=patient", noun=PENALTY | words("sanction sanctions")),
    _event("sanction", "pay receive get incur", "", "target=agent", noun=PENALTY),
    _event("sanction", "freeze seize", "", "target=noun:of,noun:poss", noun=words("asset assets account")),
    _event("sanction", "ban bar exclude suspend", "", "target=patient", noun=words("tender market trading contract")),
    _event("acquisition", "snap buy scoop gobble", "", "acquirer=agent target=patient", particle="up", avoid=STAKE),
    _event("acquisition", "sell", "", "acquirer=to target=patient", avoid=STAKE),
    _event(
        "acquisition", "agree sign", "", "acquirer=agent target=noun:of,noun:for", noun=words("acquisition takeover")
    ),
    _event(
        "lawsuit",
        "begin start",
        "plaintiff",
        "plaintiff=agent,noun:by defendant=against,noun:against",
        noun=words("lawsuit suit arbitration proceedings proceeding litigation action"),
    ),
)
