"""Shocks: what is lost before any contagion, for many scenarios at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import process

from kg.errors import MeasureError
from kg.snapshot import Snapshot
from queries.exposures import Exposures

Floats = NDArray[np.float64]
Kind = Literal["equity", "external", "default"]
Spec = str | Mapping[str, float] | Sequence[str | Mapping[str, float]]
"""One scenario, or a list of them: `score:distress`, an id (it defaults), `id=0.3`, or fractions by id."""


@dataclass(frozen=True)
class Shocks:
    """Scenarios x nodes: what each loses before contagion."""

    names: tuple[str, ...]
    lost: Floats
    """(scenarios, n) equity lost, in money: what a measure of distress counts as direct loss."""
    outside: Floats
    """(scenarios, n) external assets lost, in money: what is missing when debts are cleared."""
    distress: Floats
    """(scenarios, n) share of equity that is lost with it, 0 to 1; 1 is default, whatever the equity."""

    @classmethod
    def of(cls, exposures: Exposures, fractions: Floats, kind: Kind = "equity", names: Sequence[str] = ()) -> Shocks:
        """From (scenarios, n) fractions of what `kind` names.

        `equity`: that fraction of equity is lost (above 1 the entity is insolvent by the rest). `external`:
        that fraction of external assets is lost. `default`: the entity loses all it has outside, and fails
        outright, where the fraction is 1; fractions between are the expected value of that.
        """
        share = np.atleast_2d(np.asarray(fractions, float))
        if share.shape[1] != len(exposures):
            raise MeasureError(
                f"shocks are {share.shape}, exposures have {len(exposures)} nodes: give one column per node"
            )
        if not np.isfinite(share).all() or (share < 0).any():
            raise MeasureError("a shock is a finite fraction of at least 0; nothing here models a gain")
        if kind != "equity" and (share > 1).any():
            raise MeasureError(f"a shock of kind {kind!r} is a fraction from 0 to 1, not {share.max()}")
        equity = np.maximum(np.nan_to_num(exposures.equity), 0.0)
        outside = exposures.external_assets
        if kind == "equity":
            lost = gone = share * equity
            distress = np.minimum(share, 1.0)
        elif kind == "external":
            lost = gone = share * outside
            distress = np.minimum(np.divide(lost, equity, out=np.where(lost > 0, 1.0, 0.0), where=equity > 0), 1.0)
            # whoever has no known equity does not fail by an outside loss of unknown weight
            distress = np.where(np.isnan(exposures.equity), share, distress)
        elif kind == "default":
            lost, gone, distress = share * equity, share * outside, share
        else:
            raise MeasureError(f"kind of shock {kind!r} is unknown; known: equity, external, default")
        return cls(tuple(names) or tuple(f"scenario {i}" for i in range(len(share))), lost, gone, distress)

    @classmethod
    def parse(
        cls, exposures: Exposures, shock: Spec, *, kind: Kind | None = None, snapshot: Snapshot | None = None
    ) -> Shocks:
        """From words: one scenario, or a list of them.

        `score:distress` takes each entity's latest predicted probability from the snapshot as the expected
        fraction of equity lost; an id alone defaults; `id=0.3` loses 30 % of equity; a mapping gives
        fractions by id. `kind` says what the fractions are of, where it is not equity.
        """
        specs = [shock] if isinstance(shock, (str, Mapping)) else list(shock)
        if not specs:
            raise MeasureError("no shock was given; name an id, fractions by id, or score:<property>")
        parts = [_fractions(exposures, spec, snapshot) for spec in specs]
        made = [cls.of(exposures, share, kind or own, (name,)) for name, own, share in parts]
        return cls.stack(made)

    @classmethod
    def each(cls, exposures: Exposures, fraction: float = 1.0, kind: Kind = "equity") -> Shocks:
        """One scenario per entity, in which it alone is hit. TooLargeError if so many do not fit into memory."""
        exposures.check_block(len(exposures))
        return cls.of(exposures, np.eye(len(exposures)) * fraction, kind, exposures.ids)

    @classmethod
    def stack(cls, shocks: Sequence[Shocks]) -> Shocks:
        """Scenarios of several shocks, one below the other."""
        names = tuple(name for shock in shocks for name in shock.names)
        lost, outside, distress = (
            np.vstack([getattr(s, part) for s in shocks]) for part in ("lost", "outside", "distress")
        )
        return cls(names, lost, outside, distress)

    def __len__(self) -> int:
        return len(self.names)

    def unfelt(self, exposures: Exposures) -> tuple[str, ...]:
        """A remark on who is shocked and loses no money by it, having no equity that is known and above 0."""
        rows = np.flatnonzero(((self.distress > 0) & (self.lost <= 0) & (self.outside <= 0)).any(axis=0))
        if not len(rows):
            return ()
        who = ", ".join(exposures.ids[row] for row in rows.tolist())
        told = "the shock takes no money, for no source states their equity or it is not above 0"
        return (f"{told}: {who}; a part of what they have outside is kind 'external'",)


def _fractions(
    exposures: Exposures, spec: str | Mapping[str, float], snapshot: Snapshot | None
) -> tuple[str, Kind, Floats]:
    """Name, kind and (n,) fractions of one scenario."""
    if isinstance(spec, Mapping):
        return ", ".join(f"{id}={share:g}" for id, share in spec.items()), "equity", _placed(exposures, spec)
    if spec.startswith("score:"):
        return spec, "equity", _scores(exposures, spec.removeprefix("score:"), snapshot)
    if spec in exposures.index:
        return spec, "default", _placed(exposures, {spec: 1.0})
    id, equals, share = spec.rpartition("=")
    if not equals:
        return spec, "default", _placed(exposures, {spec: 1.0})
    return spec, "equity", _placed(exposures, {id: _number(share, spec)})


def _number(text: str, spec: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise MeasureError(
            f"shock {spec!r}: {text!r} is no number; write <id>=<fraction>, such as lei:...=0.3"
        ) from error


def _placed(exposures: Exposures, fractions: Mapping[str, float]) -> Floats:
    share = np.zeros(len(exposures))
    for id, fraction in fractions.items():
        row = exposures.index.get(id)
        if row is None:
            near = process.extractOne(id, exposures.ids, score_cutoff=60)
            hint = f"; did you mean {near[0]}?" if near else "; shock one that owes or is owed"
            raise MeasureError(f"{id} has no exposures here, so a shock to it reaches nobody{hint}")
        if fraction > 1:
            raise MeasureError(f"shock {id}={fraction:g}: a fraction lies from 0 to 1; write 0.3 for 30 %")
        share[row] = fraction
    return share


def _scores(exposures: Exposures, property: str, snapshot: Snapshot | None) -> Floats:
    if snapshot is None:
        raise MeasureError(f"shock score:{property} reads predicted scores; give the snapshot that holds them")
    rows, values = snapshot.latest(property)
    share = np.zeros(len(exposures))
    for row, value in zip(rows, values, strict=True):
        place = exposures.index.get(snapshot.ids[row])
        if place is not None:
            share[place] = value
    if not share.any():
        raise MeasureError(
            f"no entity with exposures has a {property!r} score above 0 "
            f"(scored entities: {len(rows)}); train and publish scores first, or name who is shocked"
        )
    if (share > 1).any():
        raise MeasureError(f"scores of {property!r} go up to {share.max()}; a shock needs probabilities from 0 to 1")
    return share
