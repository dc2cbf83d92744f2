"""What a text takes back: `That is not so.`, `The company denied this.`, `The report was later retracted.`

A sentence, or the last clause of one, that calls what was just said untrue points back by `this`, `it`, or a noun of
telling (`the report`); then what the sentence before asserted is no claim. An appointment, a deal or a decision that
the next sentence says was undone is none either. What is denied in the words of its own (`denied that sales fell`) is
something else and takes nothing back.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from ingest.extract.clauses.denials import FALSE, REPORTS, TALES
from ingest.extract.text.lexicon import DOUBT_NOUNS
from ingest.extract.text.sentences import sentences

if TYPE_CHECKING:
    from ingest.extract.prose.relations import Finding


def _either(nouns: frozenset[str] | str) -> str:
    """Any of these nouns, in the plural too."""
    listed = nouns.split() if isinstance(nouns, str) else sorted(nouns)
    return "(?:" + "|".join(w.removesuffix("y") + "(?:y|ies)" if w.endswith("y") else w + "s?" for w in listed) + ")"


_TOLD: Final = _either(
    REPORTS - frozenset(("truth", "basis", "case", "substance", "foundation", "item", "piece", "word", "letter"))
    | TALES - DOUBT_NOUNS
    | frozenset(
        [
            "allegation",
            "rumour",
            "rumor",
            "speculation",
            "talk",
            "notice",
            "circular",
            "leaflet",
            "document",
            "information",
        ]
    )
)
_DONE: Final = _either("appointment decision nomination election deal move sale purchase acquisition takeover step")
_FALSE: Final = "(?:" + "|".join(sorted(FALSE | frozenset(("forgery", "fantasy", "fairy tale", "denied")))) + ")"
_POINTER: Final = rf"(?:this|that|it|they|these|(?:the|that|this|those|these|all|such|both)(?: of)?(?: the)? {_TOLD})"
_BE: Final = r"(?:is|are|was|were|has been|have been|had been|proved|proves|turned out|turns out|later proved)"
_ADVERB: Final = (
    r"(?:(?: to be| later| since| then| however| simply| plainly| completely| entirely| wholly| quickly| soon| all"
    r"| subsequently| promptly| in fact| an?| pure| the| mere| outright| itself| also| in error,?)*)"
)
_UNTRUE: Final = rf"{_ADVERB} (?:not{_ADVERB} (?:so|true|the case|correct|accurate|right)\b|in error\b|{_FALSE}\b)"
_WITHDRAWN: Final = (
    rf"{_ADVERB} (?:retracted|withdrawn|corrected|refuted|rebutted|rejected|dismissed|debunked|disproved|disowned"
    r"|taken back|taken down|contradicted|disputed)\b"
)
_UNDONE: Final = (
    rf"{_ADVERB} (?:annulled|cancelled|canceled|rescinded|revoked|reversed|overturned|vetoed|blocked|voided|undone"
    r"|called off|withdrawn|declared void)\b"
)
_REJECT: Final = (
    r"(?:den(?:y|ies|ied)|reject(?:s|ed)?|refute[sd]?|rebut(?:s|ted)?|disput(?:e|es|ed)|dismiss(?:es|ed)?"
    r"|retract(?:s|ed)?|withdr(?:aw|aws|ew|awn)|disown(?:s|ed)?|contradict(?:s|ed)?|repudiate[sd]?|correct(?:s|ed)?)"
)
_END: Final = (
    r"(?=\s*(?:$|[.;,!\"”)]|(?:on|in|at|as|when|through|later|today|yesterday|outright|firmly|strongly|flatly)\b))"
)
_BACKWARD: Final = re.compile(
    rf"\b{_POINTER}(?:'s|’s)?(?: {_BE})?{_UNTRUE}"
    rf"|\b{_POINTER} {_BE}{_WITHDRAWN}"
    rf"|\bthe {_DONE} (?:{_BE}{_UNDONE}|(?:later |never )+(?:fell through|collapsed|happened|took effect|took place))"
    rf"|\bthe {_DONE} (?:did|will|would) not (?:take effect|happen|take place|go ahead)"
    rf"|\b{_REJECT}(?: (?:this|that|it|these|both|them|everything)|(?: all| both)? (?:the|that|this|such) {_TOLD})"
    rf"{_END}"
    rf"|\b(?:call|calls|called|label(?:s|led)|described?) {_POINTER}(?: as)?(?: an?| pure| plain| utter)* {_FALSE}\b"
    rf"|\bno (?:truth|substance|foundation|basis)(?: whatever)? (?:in|to|for|behind) {_POINTER}\b"
    r"|^(?:this |that |it )?(?:is )?(?:not true|not so|untrue|wrong|false|nonsense)\b[,:.!]"
    r"|\bregret(?:s|ted)? the (?:error|mistake)|\bapologi[sz]ed? for the (?:error|mistake)",
    re.I,
)
_HEDGED: Final = re.compile(
    r"\b(?:if|whether|may|might|could|unless)\b|\?$|\b(?:not|never|n.t) (?:be |been )?den", re.I
)
_SECOND: Final = re.compile(r"(?:[,;:–—-]+\s*(?:but|although|though|however|yet|which|a claim|and)?|\bbut)\s+", re.I)
_WHICH: Final = re.compile(
    r"[,;]\s*(?:which|something|a claim|a report|a statement) [^,;]{0,60}?"
    rf"(?:{_REJECT}|{_BE}{_UNTRUE}|(?:is|was|am|are) not)\s*(?:$|[.,;])"
    rf"|,\s*but [^,;]{{0,60}}? {_REJECT}\s*(?:it|this|that)\s*(?:$|[.,;])"
    rf"|,\s*but (?:they|it|this|that) {_BE}{_UNTRUE}",
    re.I,
)
_TELLING: Final = re.compile(rf"\b{_TOLD}\b", re.I)


def upheld(found: Sequence[Finding], text: str) -> list[Finding]:
    """Findings that the text does not take back in the same or in the next sentence."""
    if not found or (not _BACKWARD.search(text) and not _WHICH.search(text)):
        return list(found)
    spans = list(sentences(text))
    starts = [start for start, _ in spans]
    gone = set(_taken_back(text, spans, {bisect_right(starts, f.start) - 1 for f in found}))
    return [f for f in found if bisect_right(starts, f.start) - 1 not in gone]


def _taken_back(text: str, spans: Sequence[tuple[int, int]], told: set[int]) -> Iterator[int]:
    """Sentences that are said to be untrue: the one before the denial, or the last that told anything."""
    for at, (start, end) in enumerate(spans):
        sentence = text[start:end]
        if at in told and _WHICH.search(sentence):
            yield at
        match = _BACKWARD.search(sentence)
        if match is None or _HEDGED.search(sentence[: match.end()]):
            continue
        if at in told:
            if _SECOND.search(sentence[: match.start()]):
                yield at
        elif at and at - 1 in told:
            yield at - 1
        elif at > 1 and at - 2 in told and _reaches(match[0], text[slice(*spans[at - 1])]):
            yield at - 2


def _reaches(denial: str, between: str) -> bool:
    """`The report was retracted` looks over a sentence that reports nothing, `It is wrong` over `So a tabloid says.`"""
    reports = _TELLING.search(between) is not None
    return len(between) <= 40 if reports else _TELLING.search(denial) is not None
