"""The words that say of a statement that it is not so: untrue reports, rebuffs, who only stood for a post."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ingest.extract.text.lexicon import DOUBT_NOUNS, NEGATORS, UNTRUE, words

if TYPE_CHECKING:
    from spacy.tokens import Doc, Token

REPORTS: Final = words(
    "report story article tweet post release account statement assertion headline message newspaper medium press "
    "broadcast blog item piece news word case truth basis substance foundation announcement letter email posting"
)
"""Nouns whose content is so unless somebody says it is not."""
TALES: Final = DOUBT_NOUNS | words(
    "suggestion idea notion claim conjecture gossip hearsay myth hoax insinuation innuendo assumption belief "
    "impression accusation misconception theory question"
)
"""Nouns whose content is never said to be so."""
FALSE: Final = UNTRUE | words(
    "fake bogus forged spoof mistaken erroneous fictitious invented spurious phoney phony misleading groundless "
    "nonsense fabrication fiction invention hoax lie falsehood myth rubbish mistake error joke canard untruth "
    "forgery fantasy prank sham fable"
)
"""What a false statement is called."""
REBUTS: Final = words(
    "deny dismiss reject refute rebut rebuff dispute scotch quash contradict debunk disprove retract correct "
    "disown disavow repudiate contest ridicule deride downplay discount belie dispel squelch quell withdraw fabricate"
)
"""Verbs whose object is said to be untrue."""
_REBUFFS: Final = frozenset(
    {
        ("brush", "aside"),
        ("brush", "off"),
        ("laugh", "off"),
        ("laugh", "at"),
        ("shoot", "down"),
        ("bat", "away"),
        ("wave", "away"),
        ("wave", "aside"),
        ("play", "down"),
        ("shrug", "off"),
        ("push", "back"),
        ("hit", "back"),
        ("knock", "down"),
        ("pour", "water"),
        ("throw", "water"),
        ("put", "rest"),
        ("lay", "rest"),
        ("give", "lie"),
        ("vote", "down"),
        ("vote", "against"),
        ("decide", "against"),
        ("advise", "against"),
        ("stay", "put"),
    }
)
"""Verbs that say no with a word beside or below them."""
WRONGLY: Final = words("wrongly mistakenly erroneously falsely incorrectly inaccurately untruthfully barely scarcely")
RUNNERS: Final = words(
    "candidate contender favourite favorite frontrunner runner nominee shortlist race contest battle candidacy "
    "hopeful aspirant bid campaign longlist challenger"
)
"""Who may yet get a post, and how."""


CALLS: Final = RUNNERS | words("pressure call demand motion temptation invitation request urge candidate plea")
"""Nouns whose infinitive is only asked for."""
URGES: Final = words("urge press beg encourage lobby call recommend nominate woo tempt pressure implore advise")
"""Verbs whose infinitive is only asked for."""
SHAMS: Final = words(
    "pretend pose suppose purport feign mean miss balk shy hesitate shrink recoil refrain desist abstain object "
    "persuade reverse backtrack withhold impersonate masquerade apply train dream"
)
"""Verbs whose complement does not come about, or is only shown: `pretended to be`, `balked at naming`."""
SHRINKS: Final = frozenset(
    {
        ("back", "away"),
        ("back", "off"),
        ("come", "close"),
        ("do", "without"),
        ("fall", "through"),
        ("hold", "off"),
        ("line", "up"),
        ("pass", "up"),
        ("put", "forward"),
        ("put", "list"),
        ("shy", "away"),
        ("stop", "short"),
        ("think", "better"),
    }
)
"""Verbs with a word beside or below them after which it does not, or not yet, come about."""
_SURELY: Final = words("doubt secret surprise wonder question accident coincidence mystery")
"""Nouns that say, with `no` before them, that it is so."""


def surely(noun: Token) -> bool:
    """`there is no doubt that`, `it is no secret that`."""
    return noun.lemma_.lower() in _SURELY and any(c.lower_ == "no" for c in noun.children)


def unfailing(verb: Token) -> bool:
    """`did not hesitate to appoint`, `never fails to`: denied twice."""
    denied = any(c.lower_ in NEGATORS for c in verb.children)
    return denied and verb.lemma_ in ("hesitate", "fail", "neglect", "forget", "omit")


def enlarged(negator: Token) -> bool:
    """`not` of `not only chief executive but chairman`, which denies nothing."""
    after = negator.nbor(1).lower_ if negator.i + 1 < len(negator.doc) else ""
    return after in ("only", "just", "merely", "least")


def passed_over(name: Token) -> bool:
    """`Jane Doe, not John Roe`, `rather than John Roe`, `instead of Acme`: a name set against another."""
    before = [t.lower_ for t in name.doc[max(0, name.i - 3) : name.i]]
    while before and before[-1] in ("of", "at", "by", "for", "with", "as", "the", "than", "to"):
        word = before.pop()
        if word == "than" and before and before[-1] == "rather":
            return True
        if word == "of" and before and before[-1] in ("instead", "ahead"):
            return True
    return bool(before) and before[-1] in ("not", "n't", "neither", "nor")


_FAILS: Final = words("fall collapse fail veto overturn annul void lapse founder unravel flop miscarry")
"""Verbs after which an appointment was none."""


def undone(noun: Token) -> bool:
    """`the appointment fell through`, `never came about`, `her nomination`: an appointment that was none."""
    verb = noun.head
    if noun.lemma_ == "nomination" or verb.pos_ not in ("VERB", "AUX"):
        return noun.lemma_ == "nomination"
    denied = any(c.lower_ in NEGATORS for c in verb.children)
    return denied or verb.lemma_ in _FAILS or untrue(verb)


def rebuffs(verb: Token) -> bool:
    """`brushed aside`, `poured cold water on`, `put the talk to rest`."""
    near = {c.lower_ for c in verb.children} | {g.lower_ for c in verb.children for g in c.children}
    return any(verb.lemma_ == lemma and word in near for lemma, word in _REBUFFS)


def untrue(verb: Token) -> bool:
    """`is false`, `proved to be wrong`, `calls it pure invention`: what the verb says is that it is not so."""
    if verb.lemma_ in REBUTS | UNTRUE or rebuffs(verb):
        return True
    if any(c.lemma_.lower() in FALSE for c in verb.children if c.dep_ in ("acomp", "attr", "oprd", "advmod")):
        return True
    below = [c for c in verb.children if c.dep_ in ("xcomp", "ccomp", "prep") and c.lemma_ in ("be", "as", "without")]
    return any(g.lemma_.lower() in FALSE | {"basis", "foundation", "truth"} for c in below for g in c.children)


def branded(doc: Doc) -> bool:
    """`FALSE: Jane Doe has been named`, `Fake news: ...`: the sentence is quoted as a lie."""
    opening = [t.lower_ for t in doc[:4]]
    return ":" in opening and bool(FALSE & set(opening[: opening.index(":")]))


def forged(verb: Token) -> bool:
    """`a false press release announced`: what a false source says."""
    sources = [c for c in verb.children if c.dep_ in ("nsubj", "agent")]
    sources += [g for c in sources for g in c.children if c.dep_ == "agent"]
    return any(g.lower_ in FALSE for c in sources for g in c.children if g.dep_ in ("amod", "compound"))


def belied(noun: Token) -> bool:
    """`reports that ... are false`, `denied a report that`, `there is no truth in`: what the noun tells is not so."""
    if _false(noun):
        return True
    while noun.dep_ in ("prep", "pobj", "conj", "compound", "appos") and noun.head is not noun:
        noun = noun.head
        if _false(noun):
            return True
    verb = noun.head if noun.pos_ not in ("VERB", "AUX") else noun
    if verb.pos_ not in ("VERB", "AUX"):
        return False
    denied = any(c.lower_ in NEGATORS for c in verb.children) and verb.lemma_ in ("be", "confirm", "prove", "support")
    return denied or untrue(verb) or _contrary(verb, noun)


def _false(noun: Token) -> bool:
    return any(c.lower_ in FALSE or c.lower_ == "no" for c in noun.children if c.dep_ in ("amod", "det", "compound"))


def _contrary(verb: Token, noun: Token) -> bool:
    """`issued a denial after reports that`: beside a noun of denial that is not what the verb's noun itself is."""
    return any(c.lemma_ in ("denial", "rebuttal", "correction") and c.i != noun.i for c in verb.children)


def inverted(verb: Token) -> bool:
    """`At no time was she`, `Not once did he`, `Had she accepted`, `Were he to join`: the helper before its subject."""
    bearers = ("nsubj", "nsubjpass", "attr") if verb.lemma_ == "be" else ("nsubj", "nsubjpass")
    subject = next((c for c in verb.children if c.dep_ in bearers), None)
    if subject is None:
        return False
    helpers = [c for c in verb.children if c.dep_ in ("aux", "auxpass") and c.i < subject.i]
    helper = helpers[0] if helpers else verb if verb.lemma_ == "be" and verb.i < subject.i else None
    if helper is None:
        return False
    opens = helper.i == helper.sent.start or helper.nbor(-1).lower_ in (",", "but", "and", '"')
    if opens and helper.lower_ in ("had", "were", "should"):
        return True
    before = [t for c in verb.children if c.i < helper.i for t in c.subtree]
    return any(t.lower_ in NEGATORS or t.lower_ in ("nowhere", "seldom") for t in before)


def stands_for(verb: Token) -> bool:
    """`is among the candidates to become`: what is run for is not won."""
    near = [c for c in verb.children if c.dep_ in ("attr", "dobj", "pobj", "nsubj", "nsubjpass")]
    near += [g for c in verb.children if c.dep_ == "prep" for g in c.children]
    near += [g for t in near for p in t.children if p.dep_ == "prep" for g in p.children]
    return any(t.lemma_.lower() in RUNNERS for t in near)


_NOW_AND_THEN: Final = re.compile(
    r"\b(?:from time to time|at times|now and then|(?:ordinary|normal|usual) course|as a matter of course"
    r"|every so often|occasionally|periodically|routinely|regularly|sometimes|typically|customarily)\b"
)


def recurrent(doc: Doc) -> bool:
    """`From time to time we settled suits`: what happens again and again is not one event.

    Said in a relative clause it is an aside about somebody, not about what the sentence tells.
    """
    found = _NOW_AND_THEN.search(" ".join(t.lower_ for t in doc))
    if found is None:
        return False
    words_before = len(" ".join(t.lower_ for t in doc)[: found.end()].split())
    verbs = [a for a in (doc[words_before - 1], *doc[words_before - 1].ancestors) if a.pos_ in ("VERB", "AUX")]
    return bool(verbs) and all(v.dep_ != "relcl" for v in verbs)
