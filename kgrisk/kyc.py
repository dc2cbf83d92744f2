"""KYC: whether two pictures show one person's face, one against one, by a plug-in that an operator has to name.

Out by default: without the setting `kyc_matcher` no such code is imported. A face is never looked for among many, and
neither pictures nor what a matcher makes of them are kept. Every decision is logged as claims of the person, by a run
manifest with who asked, why, the digests of both pictures, the distance, the threshold and the matcher's error rates.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar, Final, Literal

from ingest.extract.pages.pixels import pixels
from kg import plugins
from kg.errors import KgRiskError, RecordError, SettingsError
from kg.model import Claim, ClaimBatch, Evidence, Facts, RunManifest, Value, digest
from kgrisk.api import Graph
from kgrisk.settings import Settings

PACKAGE: Final = "kgrisk.kyc"
"""What stands before the colon of a matcher's entry point."""
EXTRACTOR: Final = "kyc.face_match@1"
LARGEST: Final = 20_000_000
"""Bytes of one picture."""
Verdict = Literal["match", "no match", "undecided"]


class FaceMatcher(ABC):
    """Compares two pictures of a face. A plug-in defines one; its numbers are its maker's and are logged as such."""

    version: ClassVar[str]
    """`name@version`, raised whenever a distance may come out otherwise."""
    threshold: ClassVar[float]
    """A distance up to this is a match."""
    doubt: ClassVar[float]
    """A distance above this is no match; between both nothing is decided. At least `threshold`."""
    false_match_rate: ClassVar[float]
    """Share of pairs of two people that come out as a match."""
    false_non_match_rate: ClassVar[float]
    """Share of pairs of one person that do not."""
    measured_on: ClassVar[str]
    """What these two rates were measured on, by whom."""

    @abstractmethod
    def distance(self, reference: bytes, probe: bytes) -> float:
        """How unlike the faces are, from 0; RecordError if a picture does not show exactly one face.

        Keeps and sends nothing.
        """


@dataclass(frozen=True, slots=True)
class Asked:
    """About whom a comparison is asked for, by whom and why."""

    subject: str
    by: str
    why: str


@dataclass(frozen=True, slots=True)
class Decision:
    """What came out of one comparison, as it was logged."""

    verdict: Verdict
    distance: float | None
    """None where the pictures could not be compared; the reason says why."""
    threshold: float
    matcher: str
    reason: str
    run: str
    commit: int


def face_match(graph: Graph, reference: bytes, probe: bytes, asked: Asked) -> Decision:
    """Compare two pictures of one person and log the decision; it is only told once it is in the ledger."""
    matcher = _matcher(named(graph.settings))
    _check(graph, reference, probe, asked)
    verdict, distance, reason = _decided(matcher, reference, probe)
    now = datetime.now(UTC)
    said = "" if distance is None else f" at distance {distance:.6g}"
    row = (
        f"{verdict}{said}, threshold {matcher.threshold:g}, by {matcher.version}, for {asked.subject}: "
        f"asked by {asked.by}: {asked.why}" + (f" ({reason})" if reason else "")
    )
    details = {
        "rows": [row],
        "subject": asked.subject,
        "by": asked.by,
        "why": asked.why,
        "at": now.isoformat(),
        "verdict": verdict,
        "distance": distance,
        "reason": reason,
        "pictures": {"reference": digest(reference), "probe": digest(probe)},
        "matcher": _told(matcher),
    }
    manifest = RunManifest("kyc", details)
    commit = _log(graph, manifest, row, verdict, distance, now)
    return Decision(verdict, distance, matcher.threshold, matcher.version, reason, manifest.id, commit)


def named(settings: Settings) -> str:
    """Name of the matcher; SettingsError, which says how to switch it on, where none is named."""
    if not settings.kyc_matcher:
        raise SettingsError(
            "comparing faces is switched off; nothing was read, compared or logged. Whoever may lawfully do it "
            "installs a matcher and sets kyc_matcher (KGRISK_KYC_MATCHER) to its name; see docs/kyc.md"
        )
    return settings.kyc_matcher


def _matcher(name: str) -> FaceMatcher:
    """The matcher of that name; SettingsError where it states no usable figures."""
    matcher = plugins.load(PACKAGE, name, FaceMatcher)()  # type: ignore[type-abstract]  # load gives no abstract class
    lacking = [field for field in FaceMatcher.__annotations__ if not hasattr(matcher, field)]
    if lacking:
        raise SettingsError(f"the matcher {name} does not state {', '.join(lacking)}; ask its maker for them")
    if not 0 <= matcher.threshold <= matcher.doubt < math.inf:
        raise SettingsError(
            f"the matcher {name} states threshold {matcher.threshold} and doubt {matcher.doubt}; "
            "expected 0 <= threshold <= doubt"
        )
    return matcher


def _check(graph: Graph, reference: bytes, probe: bytes, asked: Asked) -> None:
    """KgRiskError for a comparison that nobody answers for, about nobody known, or of no two pictures."""
    if not asked.by.strip() or not asked.why.strip():
        raise KgRiskError("comparing faces needs who asks and why: give --by NAME and --reason TEXT")
    labels = {row["id"]: row["label"] for row in graph.ledger.labels().to_pylist()}
    if labels.get(asked.subject) != "Person":
        found = f"is a {labels[asked.subject]}" if asked.subject in labels else "is not in the ledger"
        raise KgRiskError(f"{asked.subject} {found}; give the id of a Person that the ledger has")
    for name, picture in (("reference", reference), ("probe", probe)):
        if len(picture) > LARGEST:
            raise RecordError(f"the {name} has {len(picture)} bytes; at most {LARGEST} are compared")
        try:
            pixels(picture)
        except RecordError as error:
            raise RecordError(f"the {name} is no picture that can be compared: {error}") from error
    if reference == probe:
        raise RecordError("reference and probe are the same file, which proves nothing; give two pictures")


def _decided(matcher: FaceMatcher, reference: bytes, probe: bytes) -> tuple[Verdict, float | None, str]:
    """Verdict, distance and reason; what a matcher cannot compare is undecided, and logged like any other."""
    try:
        distance = float(matcher.distance(reference, probe))
    except Exception as error:  # a plug-in may fail in any way; that it was asked is logged all the same
        return "undecided", None, str(error) if isinstance(error, KgRiskError) else f"failed: {type(error).__name__}"
    if not 0 <= distance < math.inf:
        return "undecided", None, f"the matcher gave {distance}, which is no distance"
    if distance <= matcher.threshold:
        return "match", distance, ""
    return ("no match", distance, "") if distance > matcher.doubt else ("undecided", distance, "in the range of doubt")


def _told(matcher: FaceMatcher) -> dict[str, Value]:
    return {field: getattr(matcher, field) for field in FaceMatcher.__annotations__}


def _log(graph: Graph, manifest: RunManifest, row: str, verdict: Verdict, distance: float | None, now: datetime) -> int:
    """The decision as facts of the person, one key for each comparison; returns the commit."""
    props: dict[str, Value] = {"statement": verdict}
    if distance is not None:
        props["measure"] = distance
    run = graph.files.put(manifest.to_bytes())
    evidence = Evidence(run, f"run:{run} row:0", row, EXTRACTOR, 1.0)
    subject = str(manifest.details["subject"])
    fact = Claim(Facts(subject, props, f"kyc_match|{run[:24]}"), evidence, now, now)
    return graph.ledger.commit(ClaimBatch.of([fact]), manifest)
