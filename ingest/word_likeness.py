"""Likeness of two words of names: equal, misspelt, an initial, a nickname, an abbreviation, or of one sound."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from rapidfuzz.distance import OSA

from ingest.transliterate import skeleton


@dataclass(frozen=True, slots=True)
class Likeness:
    """How alike two words are, from 0 to 1, and by what."""

    value: float
    how: str


def _groups(text: str) -> Mapping[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for line in text.strip().split("\n"):
        group = frozenset(line.split())
        for word in group:
            found[word] = found.get(word, frozenset()) | group
    return found


NICKNAMES: Final = _groups("""
alexander alex sasha xander sandy aleksandr alejandro alessandro oleksandr
andrew andy drew
anthony tony antonio
barack barry
benjamin ben benny
bartholomew bart
catherine kate katie cathy katherine kathy kathryn ekaterina katya
charles charlie chuck
christopher chris kit
daniel dan danny
david dave davy
deborah debbie deb
dmitry dmitri dima
donald don donny
edward ed eddie ted ned
elizabeth liz beth betty eliza lisa
evgeny evgeni yevgeny zhenya eugene
francis frank fran
frederick fred freddy
gennady gena
gerald gerry jerry
gregory greg
henry harry hank
jacob jake
james jim jimmy jamie
jennifer jen jenny
john jack johnny jon
jonathan jon
joseph joe joey jose yosef
kenneth ken
lawrence larry
leonard leo len
leopold leo
margaret maggie meg peggy
matthew matt
michael mike mick mikhail misha
nathaniel nathan nate
nicholas nick nikolai kolya
patricia pat patty trish
patrick pat paddy
peter pete pyotr petr
philip phil
raymond ray
rebecca becky
richard rick dick rich
robert bob rob bobby bert
ronald ron
samuel sam
sergey sergei sergio
stephen steve steven stefan
susan sue
theodore ted theo teddy
thomas tom tommy
timothy tim
victoria vicky
vincent vince
vladimir vova volodya
walter walt
william bill will billy liam
zachary zach
""")
ABBREVIATIONS: Final = _groups("""
international intl int
manufacturing mfg manuf
national natl nat
association assn assoc
brothers bros
department dept
development dev
engineering eng engg
government govt
group grp
holdings hldgs hldg holding
industries inds ind industry industrial
insurance ins
investment inv invest investments
laboratories labs lab laboratory
management mgmt mgt
pharmaceuticals pharma pharmaceutical pharm
products prods prod
resources res
services svcs svc service serv
systems sys system
technology tech technologies technol
telecommunications telecom telecommunication
transport trans transportation
university univ
saint st
mount mt
american amer
financial fin finl
general gen gnl
communications comm comms communication
electric elec electrical
electronics electronic
properties property props
solutions solution
enterprises enterprise ent
energy energia energie energies
partners partner ptnrs
realty rlty
trust tr
united utd
bank bancorp banking banco banca banque
organization organisation org
bin ibn ben
us usa
qingdao tsingtao
beijing peking
guangzhou canton
nanjing nanking
xiamen amoy
tianjin tientsin
chongqing chungking
uk britain
""")
PATRONYMICS: Final = ("ovich", "evich", "ovitch", "evitch", "ovna", "evna", "dottir", "oglu", "zade", "zada", "zadeh")
TYPO: Final = {4: 1, 6: 2, 10: 3}
"""Letters of the shorter word -> wrong letters allowed."""


@lru_cache(maxsize=1 << 18)
def likeness(a: str, b: str) -> Likeness:
    """How alike two words are; 0 where they are two words."""
    if a == b:
        return Likeness(1.0, "equal")
    if a.isdigit() or b.isdigit():
        return _NONE
    return max(_listed(a, b), _shortened(a, b), _typo(a, b), _sound(a, b), key=lambda found: found.value)


_NONE: Final = Likeness(0.0, "")


def _listed(a: str, b: str) -> Likeness:
    if b in ABBREVIATIONS.get(a, ()):
        return Likeness(0.93, "abbreviation")
    return Likeness(0.9, "nickname") if b in NICKNAMES.get(a, ()) else _NONE


def _shortened(a: str, b: str) -> Likeness:
    short, long = sorted((a, b), key=len)
    if len(short) == 1 and long.startswith(short):
        return Likeness(0.75, "initial")
    if len(short) >= 4 and len(long) - len(short) >= 3 and long.startswith(short):
        return Likeness(0.55, "beginning")
    return _NONE


def _typo(a: str, b: str) -> Likeness:
    end = next((e for e in PATRONYMICS if a.endswith(e) and b.endswith(e)), "")
    if end and len(a) > len(end) + 1 and len(b) > len(end) + 1:
        a, b = a[: -len(end)], b[: -len(end)]  # what Viktorovich and Borisovich share tells nothing
    size = min(len(a), len(b))
    allowed = max((n for least, n in TYPO.items() if size >= least), default=0)
    wrong = OSA.distance(a, b, score_cutoff=allowed) if allowed else 9
    if wrong > allowed:
        return _NONE
    likely = 1 - 0.8 * wrong / max(len(a), len(b))
    return Likeness(likely - (0.05 if a[0] != b[0] else 0.0), "typo")


def _sound(a: str, b: str) -> Likeness:
    x, y = skeleton(_stem(a)), skeleton(_stem(b))
    if x == y and len(x) >= 2 and OSA.normalized_similarity(a, b) >= 0.45:
        return Likeness(0.9, "sound")
    return _NONE


def _stem(word: str) -> str:
    """Without the -s of Baltic names: Sergejs Lavrovs."""
    return word[:-1] if len(word) > 5 and word.endswith("s") else word
