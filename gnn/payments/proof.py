"""Proof: the no-peek certificate of a detector of payments.

The detector is trained once more at the cut, on a copy of the ledger in which all that was published after the cut is
made up anew: what it learned and what it says at the cut must be the same to the last bit. A table of labels has no
dates: it is taken as it is, in both.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from gnn.payments.detector import Settings, train
from gnn.payments.stated import labelled
from gnn.payments.table import Payments
from gnn.peek import Certificate, Readable, Scores, certificate
from kg.errors import ModelError
from kg.files import Files
from kg.model import AsOf

SCALE = "small"
"""One epoch of the network and no choice of its pieces; the boosting as in the run."""


def attested(ledger: Readable, files: Files, cut: datetime, asked: Any, settings: Settings) -> Certificate:
    """The certificate at a small scale, of the same code. ModelError if a score moved, for then none can be used.

    `asked` is a `gnn.payments.run.Asked`.
    """
    course = replace(settings.course, recipe=replace(settings.course.recipe, epochs=1))
    small = replace(settings, course=course, tried=())
    proof = certificate(scoring(cut, asked, small), ledger, files, cut, course.recipe.seed, SCALE)
    if not proof.holds:
        raise ModelError(f"{proof.remark()} No score of this run can be trusted: find what reads past the cut")
    return proof


def scoring(cut: datetime, asked: Any, settings: Settings) -> Callable[[Readable, Files], Scores]:
    """What is compared: the payments as learned from, and what each member says of those of the validation part."""
    return partial(scored_at, cut=cut, asked=asked, settings=settings)


def scored_at(ledger: Readable, files: Files, *, cut: datetime, asked: Any, settings: Settings) -> Scores:
    """All that a detector of a cut reads and says by then, as bytes."""
    before = ledger.view(AsOf(published=cut))
    known = labelled(asked.table(before), before, asked.labels)
    detector, own = train(known, cut, settings), Payments.of(known)
    rows = own.between(cut - settings.valid, cut)
    raw = detector.members(own, rows, detector.columns(own))
    return {"payments": repr(known.to_pydict()).encode(), **{name: score.tobytes() for name, score in raw.items()}}
